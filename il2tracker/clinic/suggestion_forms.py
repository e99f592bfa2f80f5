"""What a clinician answers to a suggestion."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles.advice import DoseFinding
from il2tracker import ui
from il2tracker.clinic.suggestions import AFTER, FROM, PUT_OFF, Decision, Suggestion


class DecisionForm(ui.BaseForm):
    """Accept, decline with a reason, or later. `digest` tells whether the facts are still those that were read."""

    decision = forms.ChoiceField(
        choices=[
            (Decision.ACCEPTED, gettext_lazy("Accept: open the plan with it filled in")),
            (Decision.DECLINED, gettext_lazy("Decline")),
            (Decision.LATER, gettext_lazy("Later: ask again in 7 days")),
        ],
        error_messages={"required": gettext_lazy("Choose what you decide.")},
    )
    begins = forms.ChoiceField(choices=[(AFTER, ""), (FROM, "")], required=False, initial=AFTER)
    reason = forms.CharField(
        label=gettext_lazy("Reason for declining"),
        help_text=gettext_lazy("Clinicians read it; the patient does not."),
        max_length=200,
        required=False,
    )
    digest = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, suggestion: Suggestion | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggestion = suggestion
        self.fields["reason"].unmarked = True  # type: ignore[attr-defined]
        if suggestion and isinstance(suggestion.finding, DoseFinding):
            del self.fields["begins"]
        if suggestion and not suggestion.proposal:
            choices = dict(self.fields["decision"].choices)  # type: ignore[attr-defined]
            choices[Decision.ACCEPTED] = _("Accept: open the plan")
            self.fields["decision"].choices = list(choices.items())  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuses what nobody suggests any more, and a decline without its reason."""
        cleaned = super().clean() or {}
        if self.suggestion is None or not self.suggestion.is_open:
            raise ValidationError(_("There is nothing to decide here now."))
        if cleaned.get("digest") != self.suggestion.digest:
            raise ValidationError(_("The facts have changed since you opened this page. Read them again."))
        if cleaned.get("decision") == Decision.DECLINED and not cleaned.get("reason"):
            self.add_error("reason", _("Say why you decline."))
        return cleaned

    def facts(self, today: date) -> dict[str, Any]:
        """What the action is told, once the form is valid."""
        assert self.suggestion is not None
        decision = self.cleaned_data["decision"]
        return {
            "plan": self.suggestion.known.plan,
            "rule": self.suggestion.rule.id,
            "digest": self.suggestion.digest,
            "suggestion": self.suggestion.proposal | self._begins,
            "decision": decision,
            "reason": self.cleaned_data["reason"] if decision == Decision.DECLINED else "",
            "later_until": today + PUT_OFF if decision == Decision.LATER else None,
        }

    def editor(self) -> dict[str, Any]:
        """How the plan's editor is opened: the rule, the amount or the interval, and from when (D7)."""
        assert self.suggestion is not None
        after = {"after": 1} if self._begins == {"begins": AFTER} else {}
        return {"advice": self.suggestion.rule.id} | self.suggestion.proposal | after

    @property
    def _begins(self) -> dict[str, str]:
        return {"begins": self.cleaned_data.get("begins") or AFTER} if "begins" in self.fields else {}
