"""The form of the reminders page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from il2tracker.reminders import kinds
from il2tracker.reminders.models import Kind, Preference
from il2tracker.ui import BaseForm


def _lead(minutes: int) -> str:
    if minutes == 0:
        return str(_("At the time itself"))
    return ngettext("%(n)s minute before", "%(n)s minutes before", minutes) % {"n": minutes}


class PreferencesForm(BaseForm):
    """One switch per kind of mail, and how early the reminder of an injection comes."""

    lead_minutes = forms.TypedChoiceField(
        label=_("How early"), coerce=int, choices=lambda: [(minutes, _lead(minutes)) for minutes in kinds.LEADS]
    )

    def __init__(self, data: Any = None, *, preferences: list[Preference]) -> None:
        stored = {preference.kind: preference for preference in preferences}
        initial: dict[str, Any] = {kind: kind not in stored or stored[kind].is_on for kind in kinds.SWITCHES}
        due = stored.get(kinds.INJECTION_DUE)
        initial["lead_minutes"] = due.lead_minutes if due else kinds.DEFAULT_LEAD
        super().__init__(data, initial=initial)
        for kind in kinds.SWITCHES:
            self.fields[kind] = forms.BooleanField(label=Kind(kind).label, required=False)

    @property
    def switches(self) -> dict[str, bool]:
        """Kind → on, of a valid form."""
        return {kind: self.cleaned_data[kind] for kind in kinds.SWITCHES}
