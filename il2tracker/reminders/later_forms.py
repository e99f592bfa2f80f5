"""When a reminder is to come again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import schedule
from cycles.forms import ClockField
from il2tracker import ui
from il2tracker.accounts.models import Patient, User

OWN = "own"


class LaterForm(ui.BaseForm):
    """In some minutes, or at a time of one's own on the patient's clock: the next time that the clock shows it."""

    when = forms.ChoiceField(
        label=gettext_lazy("When should the reminder come?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose when the reminder should come."),
            "invalid_choice": gettext_lazy("This time is over by now. Choose another one."),
        },
    )
    own_time = ClockField(
        label=gettext_lazy("Time"), required=False, help_text=gettext_lazy("For example 9:40pm or 21:40")
    )

    def __init__(
        self, *args: Any, patient: Patient, viewer: User, now: datetime, laters: list[int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.patient, self.now = patient, now
        self.fields["own_time"].viewer = viewer  # type: ignore[attr-defined]
        self.fields["own_time"].unmarked = True  # type: ignore[attr-defined]
        in_minutes = [(str(minutes), _("In %(minutes)s minutes") % {"minutes": minutes}) for minutes in laters]
        self.fields["when"].choices = [*in_minutes, (OWN, _("At another time"))]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Adds again_at."""
        cleaned = super().clean() or {}
        when, own_time = cleaned.get("when"), cleaned.get("own_time")
        if when and when != OWN:
            cleaned["again_at"] = self.now + timedelta(minutes=int(when))
        elif own_time is not None:
            today = self.patient.today(self.now)
            days = (today, today + timedelta(days=1))
            cleaned["again_at"] = next(
                at for day in days if (at := schedule.moment(day, own_time, self.patient.zone)) > self.now
            )
        elif when == OWN and "own_time" not in self.errors:
            self.add_error("own_time", _("Enter the time."))
        return cleaned
