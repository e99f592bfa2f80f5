"""What a clinician says to expect of one patient."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles.forms import DayField
from il2tracker import ui
from sideeffects.expectation_actions import LONGEST
from sideeffects.models import Symptom, SymptomReport


class ExpectForm(ui.BaseForm):
    """A symptom, how bad at most, until when, and why."""

    symptom = forms.ChoiceField(
        label=gettext_lazy("Symptom"), error_messages={"required": gettext_lazy("Choose the symptom.")}
    )
    worst = forms.TypedChoiceField(
        label=gettext_lazy("Expected up to"),
        choices=SymptomReport.Severity.choices[1:3],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how bad it may be.")},
    )
    until = DayField(
        label=gettext_lazy("Until, that day included"),
        help_text=gettext_lazy("A month from now at most."),
        error_messages={
            "required": gettext_lazy("Enter the last day."),
            "invalid": gettext_lazy("Enter the last day as a date."),
        },
    )
    note = forms.CharField(
        label=gettext_lazy("Why"), help_text=gettext_lazy("The patient reads it too."), max_length=200, required=False
    )

    def __init__(self, *args: Any, symptoms: list[Symptom], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.by_code = {symptom.code: symptom for symptom in symptoms}
        choices = [("", _("Choose one")), *((code, symptom.word) for code, symptom in self.by_code.items())]
        self.fields["symptom"].choices = choices  # type: ignore[attr-defined]

    def clean_symptom(self) -> Symptom:
        """The symptom itself."""
        return self.by_code[self.cleaned_data["symptom"]]

    def clean_until(self) -> date:
        """From today to a month from now."""
        until: date = self.cleaned_data["until"]
        if not self.today <= until <= self.today + LONGEST:
            last = ui.long_day(self.today + LONGEST)
            raise ValidationError(_("Choose a day from today to %(last)s.") % {"last": last})
        return until
