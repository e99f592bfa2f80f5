"""What a plan asks for. No default for dose, start or hours: each has to be chosen (ux 2.12)."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import schedule
from cycles.doubts import MOST_PER_INJECTION
from cycles.forms import AmountField, ClockField, DayField
from cycles.models import SLOT_WORDS
from cycles.outlook import Outlook, look_ahead
from cycles.protocols import Indication, Protocol
from il2tracker import ui
from il2tracker.accounts.models import User

WHOLE = {"class": "w-num", "inputmode": "numeric"}
HORIZON = timedelta(days=366)  # app's own: a first day further away is a slip of the keyboard
DAY = timedelta(days=1)


def _whole(label: Any, help_text: Any, unit: Any, least: int, most: int) -> forms.IntegerField:
    field = forms.IntegerField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=least,
        max_value=most,
        widget=forms.TextInput(attrs=WHOLE),
        error_messages={"invalid": gettext_lazy("Write a whole number.")},
    )
    field.unit = unit  # type: ignore[attr-defined]
    return field


class PlanForm(ui.BaseForm):
    """Start, hours, amounts where the protocol has none, goal and limits."""

    starts_on = DayField(
        label=gettext_lazy("First day of the course"),
        error_messages={
            "required": gettext_lazy("Enter the first day of the course."),
            "invalid": gettext_lazy("Enter the first day as a date."),
        },
    )
    past = forms.BooleanField(
        label=gettext_lazy("This course has started already: record it as a past course"), required=False
    )
    sure = forms.BooleanField(label=gettext_lazy("Yes, this is the amount I mean"), required=False)
    cd4_goal = _whole(
        gettext_lazy("CD4+ goal: above"),
        gettext_lazy("The source from 2007 names 600. Leave it empty when there is no goal."),
        gettext_lazy("cells/mm³"),
        1,
        5000,
    )
    syringe_mark = forms.CharField(
        label=gettext_lazy("What to read on the syringe"),
        help_text=gettext_lazy("As the nurse marked it, for example: to the second mark."),
        max_length=80,
        required=False,
    )
    min_gap_hours = _whole(
        gettext_lazy("Shortest time between two injections"),
        gettext_lazy("Left empty: 8 hours when there are two a day (this diary’s own number)."),
        gettext_lazy("hours"),
        1,
        72,
    )
    late_after_hours = _whole(
        gettext_lazy("Late, but still without a call, for"),
        gettext_lazy("Left empty: until midway to the next injection (this diary’s own rule)."),
        gettext_lazy("hours"),
        2,
        24,
    )

    def __init__(self, *args: Any, protocol: Protocol, today: date, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.protocol, self.today = protocol, today
        if protocol.indication != Indication.HIV:
            del self.fields["cd4_goal"]
        slots, blanks = protocol.regimen.slots, protocol.regimen.blanks
        self.time_names = {slot: f"time_{slot}" for slot in slots}
        self.amount_names = {blank: "amount_{}_{}".format(*blank) for blank in blanks}
        for slot, name in self.time_names.items():
            self.fields[name] = _hour_field(viewer, "" if len(slots) == 1 else str(SLOT_WORDS[slot]))
        for blank, name in self.amount_names.items():
            first = blank == blanks[0]
            self.fields[name] = AmountField(label=_amount_label(blank, len(blanks)), required=first)

    @property
    def times(self) -> list[forms.BoundField]:
        """The hours, in the order of the day."""
        return [self[name] for name in self.time_names.values()]

    @property
    def amounts(self) -> list[forms.BoundField]:
        """The amounts to enter, in the order of the weeks."""
        return [self[name] for name in self.amount_names.values()]

    def clean_starts_on(self) -> date:
        """Refuses what lies more than a year ahead."""
        starts_on: date = self.cleaned_data["starts_on"]
        if starts_on > self.today + HORIZON:
            raise ValidationError(_("This day is more than a year away."))
        return starts_on

    def clean(self) -> dict[str, Any]:
        """Checks start, hours and amounts against each other."""
        cleaned = super().clean() or {}
        if "starts_on" in cleaned:
            self._check_start(cleaned["starts_on"])
        if not self.errors.keys() & {*self.time_names.values(), "min_gap_hours"}:
            self._check_hours()
        if not self.errors.keys() & set(self.amount_names.values()):
            self._check_amounts()
        return cleaned

    def _check_start(self, starts_on: date) -> None:
        if starts_on >= self.today:
            return
        if not self.cleaned_data.get("past"):
            self.add_error("starts_on", _("This day has passed. Tick “record it as a past course” to enter it anyway."))
        elif schedule.next_start(self.protocol.regimen, 1, starts_on) <= self.today:
            self.add_error("starts_on", _("Enter the course you are in now: the next one would have started by today."))

    def _check_hours(self) -> None:
        hours = [timedelta(hours=hour.hour, minutes=hour.minute) for hour in self.slot_hours.values()]
        if hours != sorted(set(hours)):
            self.add_error(self.times[-1].name, _("Put the times in the order of the day."))
            return
        gap = self.min_gap
        gaps = [later - earlier for earlier, later in pairwise([*hours, hours[0] + DAY])]
        if gap is not None and len(hours) > 1 and min(gaps) < gap:
            self.add_error(
                self.times[-1].name,
                _("These times are less than %(hours)s hours apart.") % {"hours": int(gap.total_seconds() // 3600)},
            )

    @property
    def min_gap(self) -> timedelta | None:
        """The entered limit, or the one that would hold without it."""
        hours = self.cleaned_data.get("min_gap_hours")
        return timedelta(hours=hours) if hours else schedule.default_min_gap(self.protocol.regimen.doses_a_day)

    def _check_amounts(self) -> None:
        ceiling = self.protocol.injection_ceiling or MOST_PER_INJECTION
        for name in self.amount_names.values():
            amount = self.cleaned_data.get(name)
            if amount is not None and amount > ceiling:
                words = {"amount": ui.miu(amount), "most": ui.miu(ceiling)}
                self.add_error(name, _("%(amount)s is more than one injection of this treatment: %(most)s.") % words)
                return
        daily, most = self.regimen.daily_total(), self.protocol.daily_ceiling
        if most is not None and daily is not None and daily > most and not self.cleaned_data.get("sure"):
            words = {"amount": ui.miu(daily), "most": ui.miu(most)}
            self.add_error("sure", _("%(amount)s a day is more than was ever studied: %(most)s. Is it right?") % words)

    @property
    def slot_hours(self) -> dict[str, time]:
        """The hour of each slot, once the form is valid."""
        return {slot: self.cleaned_data[name] for slot, name in self.time_names.items()}

    @property
    def regimen(self) -> schedule.Regimen:
        """The protocol's days with the entered amounts; a week left empty takes the amount of the first."""
        if not self.amount_names:
            return self.protocol.regimen
        entered = {blank: self.cleaned_data.get(name) for blank, name in self.amount_names.items()}
        first: Decimal = next(iter(entered.values())) or Decimal(0)
        return self.protocol.regimen.with_amounts({blank: amount or first for blank, amount in entered.items()})

    def outlook(self) -> Outlook:
        """What the plan will mean."""
        return look_ahead(
            self.regimen,
            self.cleaned_data["starts_on"],
            self.slot_hours,
            hardest=self.protocol.hardest_days,
            timing_matters=self.protocol.timing_matters,
        )

    @property
    def plan(self) -> dict[str, Any]:
        """What the action stores."""
        late = self.cleaned_data["late_after_hours"]
        return {
            "document": self.regimen.document(),
            "slot_times": {slot: f"{hour:%H:%M}" for slot, hour in self.slot_hours.items()},
            "starts_on": self.cleaned_data["starts_on"],
            "past": self.cleaned_data["past"],
            "cd4_goal": self.cleaned_data.get("cd4_goal"),
            "syringe_mark": self.cleaned_data["syringe_mark"],
            "min_gap_hours": self.cleaned_data["min_gap_hours"],
            "late_after_minutes": late * 60 if late else None,
        }


def _hour_field(viewer: User, slot: str) -> ClockField:
    which = {"slot": slot}
    label = _("Time of the %(slot)s injection") % which if slot else _("Time of the injection")
    missing = _("Enter the time of the %(slot)s injection.") % which if slot else _("Enter the time of the injection.")
    return ClockField(viewer=viewer, label=label, error_messages={"required": missing})


def _amount_label(blank: tuple[int, int], blanks: int) -> str:
    if blanks == 1:
        return _("Amount of each injection")
    return _("Amount of each injection in week %(week)s") % {"week": blank[1]}
