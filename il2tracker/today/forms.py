"""What is written down about the blood test before a course, and about the clock by which a patient lives."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cycles import schedule
from il2tracker import ui
from il2tracker.accounts.forms import zone_field
from il2tracker.ui import BaseForm
from labs.forms import day_field


class BloodTestForm(BaseForm):
    """Booked for a day, taken on a day; both may be empty again."""

    booked_for = day_field(
        label=_("Booked for"), help_text=_("The day of the appointment. Empty: not booked."), required=False
    )
    drawn_on = day_field(label=_("Blood was taken on"), help_text=_("Only when it is done."), required=False)

    def __init__(self, *args: Any, starts_on: date, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.starts_on, self.today = starts_on, today

    def clean_booked_for(self) -> date | None:
        booked: date | None = self.cleaned_data["booked_for"]
        self._require_near(booked)
        if booked and booked < self.today and booked != self.initial.get("booked_for"):
            raise ValidationError(_("This day is over. Enter the day of an appointment to come, or leave it empty."))
        return booked

    def clean_drawn_on(self) -> date | None:
        drawn: date | None = self.cleaned_data["drawn_on"]
        if drawn and drawn > self.today:
            raise ValidationError(_("This day has not come yet. Enter the day on which blood was taken."))
        self._require_near(drawn)
        return drawn

    def _require_near(self, day: date | None) -> None:
        """Other days would not count for this course, and reminders would go on."""
        first, last = schedule.bloodwork_window(self.starts_on)
        if day and not first <= day <= last:
            days = {"first": ui.long_day(first), "last": ui.long_day(last)}
            raise ValidationError(_("The test for this course is between %(first)s and %(last)s.") % days)

    def saved_words(self) -> str:
        """What was saved, for the status message."""
        booked, drawn = self.cleaned_data["booked_for"], self.cleaned_data["drawn_on"]
        if drawn:
            return gettext("Saved: blood was taken on %(day)s.") % {"day": ui.long_day(drawn)}
        if booked:
            return gettext("Saved: the blood test is booked for %(day)s.") % {"day": ui.long_day(booked)}
        return gettext("Saved: no blood test is booked.")


class ZoneForm(BaseForm):
    """By which clock the patient lives."""

    def __init__(self, *args: Any, present: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.present = self.initial["time_zone"] = present
        self.fields["time_zone"] = zone_field()

    def clean_time_zone(self) -> str:
        """There is nothing to look at in the zone that counts already; saving it once more does no harm."""
        zone: str = self.cleaned_data["time_zone"]
        if zone == self.present and self.data.get("step") != "save":
            raise ValidationError(_("You live by this clock already. Choose another one."))
        return zone


class StartForm(BaseForm):
    """What is sent with answers, or said with a confirmed start. `shown`: what the page showed, see asking.Asked."""

    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    note = forms.CharField(label=_("Note"), help_text=_("The patient reads it."), max_length=200, required=False)
