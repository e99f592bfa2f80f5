"""What people say about results that are there: which of two values stays and why, and why one is taken out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker.ui import BaseForm
from labs.actions import LONGEST_REASON, Conflicts


class SettleForm(BaseForm):
    """What becomes of values that meet others of the same draw, and why the old ones go."""

    conflicts = forms.ChoiceField(
        choices=[(each.value, each.value) for each in (Conflicts.KEEP, Conflicts.REPLACE)],
        error_messages={"required": gettext_lazy("Say whether to keep or to replace what is there.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Why is the old value wrong?"), max_length=LONGEST_REASON, required=False
    )
    reason.unmarked = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Replacing corrects a result, and a correction has a reason."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("conflicts") == Conflicts.REPLACE.value and not cleaned.get("reason"):
            self.add_error("reason", _("Say why the old value is replaced."))
        return cleaned

    def said(self) -> dict[str, Any]:
        """For the action: ask, while nobody has said anything that can be done."""
        if not self.is_bound or not self.is_valid():
            return {"conflicts": Conflicts.ASK}
        return {"conflicts": Conflicts(self.cleaned_data["conflicts"]), "reason": self.cleaned_data["reason"]}


class RemoveForm(BaseForm):
    """Why a result is taken out."""

    reason = forms.CharField(
        label=gettext_lazy("What is wrong with it?"),
        max_length=LONGEST_REASON,
        error_messages={"required": gettext_lazy("Say what is wrong with it.")},
    )
