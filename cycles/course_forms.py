"""What a person decides about a course or a plan, always with the reason: the patient reads it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles.forms import DayField
from cycles.models import Cycle
from cycles.plan_forms import HORIZON
from cycles.ready_forms import kinds
from il2tracker import ui

DAY = timedelta(days=1)


class ReasonForm(ui.BaseForm):
    """Why; ending a plan asks for nothing else."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The patient and the clinic read it."),
        max_length=200,
        error_messages={"required": gettext_lazy("Give the reason.")},
    )


class ChangeForm(ReasonForm):
    """A course that has not started: another day, on hold, or not at all.

    `holds`: the refs of the holds that stand on the page; only what the person has read is lifted with a new day.
    """

    MOVE, HOLD, CANCEL = "move", "hold", "cancel"

    what = forms.ChoiceField(
        choices=[
            (MOVE, gettext_lazy("Give it another first day")),
            (HOLD, gettext_lazy("Put it on hold until somebody decides")),
            (CANCEL, gettext_lazy("Leave this course out")),
        ],
        error_messages={"required": gettext_lazy("Choose what to change.")},
    )
    starts_on = DayField(
        label=gettext_lazy("First day"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the first day as a date.")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Why it waits"),
        required=False,
        choices=kinds,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": gettext_lazy("Choose why the course waits.")},
    )
    holds = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ["what", "starts_on", "kind", "reason"]

    def __init__(self, *args: Any, cycle: Cycle, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle, self.today = cycle, today
        for name in ("starts_on", "kind"):
            self.fields[name].unmarked = True  # type: ignore[attr-defined]
        if cycle.state == Cycle.State.HELD:
            self.initial["holds"] = " ".join(hold.ref for hold in cycle.open_holds)
            self.fields["what"].choices = [  # type: ignore[attr-defined]
                (self.MOVE, _("Take it off hold and give it a first day")),
                (self.CANCEL, _("Leave this course out")),
            ]

    def clean(self) -> dict[str, Any]:
        """A course that is moved needs a day to come. Adds `named`, the refs of the holds that the person has read."""
        cleaned = super().clean() or {}
        if cleaned.get("what") == self.MOVE and "starts_on" not in self.errors:
            self._check_start(cleaned.get("starts_on"))
        if cleaned.get("what") == self.HOLD and not cleaned.get("kind") and "kind" not in self.errors:
            self.add_error("kind", _("Choose why the course waits."))
        cleaned["named"] = cleaned.pop("holds", "").split()
        return cleaned

    def _check_start(self, starts_on: date | None) -> None:
        if starts_on is None:
            self.add_error("starts_on", _("Enter the new first day."))
        elif starts_on < self.today:
            self.add_error("starts_on", _("This day has passed."))
        elif starts_on > self.today + HORIZON:
            self.add_error("starts_on", _("This day is more than a year away."))

    @property
    def done(self) -> str:
        """What was done, in words."""
        course = {"number": self.cycle.number, "day": ui.long_day(self.cycle.starts_on)}
        if self.cleaned_data["what"] == self.MOVE and self.cycle.state == Cycle.State.HELD:
            return _("Course %(number)s now starts on %(day)s. It still waits: there is another reason.") % course
        return {
            self.MOVE: _("Course %(number)s now starts on %(day)s."),
            self.HOLD: _("Course %(number)s is on hold."),
            self.CANCEL: _("Course %(number)s will not take place."),
        }[self.cleaned_data["what"]] % course


class StopForm(ReasonForm):
    """A course that runs: from when on nothing more is injected."""

    NOW, TODAY, EARLIER = "now", "today", "earlier"

    when = forms.ChoiceField(
        choices=[
            (NOW, gettext_lazy("Now: no injection any more")),
            (TODAY, gettext_lazy("After today’s injections")),
            (EARLIER, gettext_lazy("It stopped earlier")),
        ],
        error_messages={"required": gettext_lazy("Choose when the course stops.")},
    )
    last_on = DayField(
        label=gettext_lazy("Last day with an injection"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the last day as a date.")},
    )
    field_order = ["when", "last_on", "reason"]

    def __init__(self, *args: Any, cycle: Cycle, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cycle, self.today = cycle, today
        self.fields["last_on"].unmarked = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Adds stopped_on, the last day whose injections are still planned."""
        cleaned = super().clean() or {}
        if cleaned.get("when") == self.EARLIER and "last_on" not in self.errors:
            self._check_last(cleaned.get("last_on"))
        known = {self.NOW: self.today - DAY, self.TODAY: self.today, self.EARLIER: cleaned.get("last_on")}
        cleaned["stopped_on"] = known.get(cleaned.get("when", ""))
        return cleaned

    def _check_last(self, last_on: date | None) -> None:
        if last_on is None:
            self.add_error("last_on", _("Enter the last day with an injection."))
        elif not self.cycle.starts_on <= last_on < self.today:
            first = ui.long_day(self.cycle.starts_on)
            self.add_error("last_on", _("Enter a day before today, from %(first)s on.") % {"first": first})
