"""What people write about other medicines: names and days, never an amount."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles.forms import DayField
from cycles.models import Medication
from il2tracker import ui


class MedicineForm(ui.BaseForm):
    """One more medicine by its name."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("As on the box. No amounts."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Write the name of the medicine.")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Where from?"),
        choices=[
            (Medication.Kind.PRESCRIBED, gettext_lazy("Prescribed")),
            (Medication.Kind.BOUGHT, gettext_lazy("Bought without a prescription")),
            (Medication.Kind.HERBAL, gettext_lazy("Herbal, or a supplement")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose where it is from.")},
    )
    started_on = DayField(
        label=gettext_lazy("Since"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the day as a date.")},
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_started_on(self) -> date | None:
        """A day that has come, or nothing."""
        return not_to_come(self.cleaned_data["started_on"], self.today)


class StopMedicineForm(ui.BaseForm):
    """Since when it is not taken any more."""

    stopped_on = DayField(
        label=gettext_lazy("Not taken any more since"),
        error_messages={
            "required": gettext_lazy("Enter the day."),
            "invalid": gettext_lazy("Enter the day as a date."),
        },
    )

    def __init__(self, *args: Any, medicine: Medication, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.medicine, self.today = medicine, today

    def clean_stopped_on(self) -> date | None:
        """A day that has come, and not before it was begun."""
        on = not_to_come(self.cleaned_data["stopped_on"], self.today)
        begun = self.medicine.started_on
        if on and begun and on < begun:
            words = {"day": ui.long_day(begun)}
            raise ValidationError(_("It was begun on %(day)s: give that day or a later one.") % words)
        return on


def not_to_come(on: date | None, today: date) -> date | None:
    """The day as it is. Raises ValidationError for one that has not come yet."""
    if on and on > today:
        raise ValidationError(_("This day has not come yet."))
    return on
