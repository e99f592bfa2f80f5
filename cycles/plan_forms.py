"""What a plan asks for. No default for dose, frequency, route or start: what a template brings was chosen (ux 2.12)."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import amounts, bounds, plan_words, schedule, schedule_rows, starts
from cycles.forms import ClockField, DayField
from cycles.models import SLOT_WORDS
from cycles.outlook import Outlook, look_ahead
from cycles.schedule_forms import ScheduleForm
from cycles.schedule_rows import Rows
from cycles.term_forms import TermsForm
from il2tracker.accounts.models import User

HORIZON = timedelta(days=366)  # app's own: a first day further away is a slip of the keyboard
DAY = timedelta(days=1)
MOST_STEPS = 5


class PlanForm(TermsForm):
    """A whole plan: start and hours, with schedule and terms."""

    starts_on = DayField(
        label=gettext_lazy("First day of the course"),
        error_messages={
            "required": gettext_lazy("Enter the first day of the course."),
            "invalid": gettext_lazy("Enter the first day as a date."),
        },
    )

    def __init__(self, *args: Any, rows: Rows, **kwargs: Any) -> None:
        self.used = [slot for slot in schedule.SLOTS if slot in schedule_rows.slots(rows)]
        super().__init__(*args, rows=rows, **kwargs)
        for slot in schedule.SLOTS:
            used, alone = slot in self.used, len(self.used) == 1
            self.fields[f"time_{slot}"] = _hour_field(self.viewer, slot, used=used, alone=alone)

    @property
    def has_schedule_errors(self) -> bool:
        """Whether a box of the schedule is wrong that lies folded away; amounts to be entered stand open."""
        folded = r"p\d+(_|l\d+_(days|slots))" if self.asks_amounts else r"p\d"
        return any(re.match(folded, name) for name in self.errors)

    @property
    def has_other_errors(self) -> bool:
        """Whether a box is wrong that lies folded away."""
        return bool(self.errors.keys() & {*TermsForm.base_fields} - {"size", "size_on", "indication", "route"})

    @property
    def asks_amounts(self) -> bool:
        """Whether the amounts have to be entered."""
        return self.protocol.regimen.needs_amounts

    @property
    def times(self) -> list[tuple[str, forms.BoundField, bool]]:
        """The hours, in the order of the day: time of the day, box, whether the schedule uses it."""
        return [(slot, self[f"time_{slot}"], slot in self.used) for slot in schedule.SLOTS]

    @property
    def totals(self) -> list[str]:
        """The amount a day and a course of each part as it stands in the boxes, in words; none while it is unclear."""
        typed = {name: self[name].value() for name in schedule_rows.boxes(self.rows)}
        probe = ScheduleForm(typed, protocol=self.protocol, rows=self.rows)
        regimen = probe.regimen if probe.is_valid() else None
        return [plan_words.totals(phase) for phase in regimen.phases] if regimen else []

    @property
    def steps(self) -> list[tuple[Decimal, Decimal]]:
        """Amounts a day on the ladder of the protocol with what each injection then is (P48): 15 → 7.5, 12 → 6.

        For clinicians: beside a patient's own boxes it would read like advice (2.5, R21).
        """
        step, most = self.protocol.dose_step, self.protocol.daily_ceiling
        doses = self.protocol.regimen.doses_a_day
        if step is None or most is None or not self.for_clinic:
            return []
        return [(most - step * down, (most - step * down) / doses) for down in range(MOST_STEPS) if most > step * down]

    @property
    def start_days(self) -> list[dict[str, str]]:
        """The best weekday to begin on, and Wednesday beside it where that is another one, in words (P34, P35)."""
        best = starts.ranked(self.protocol.hardest_days, self.work_days)[0]
        usual = starts.start_day(schedule.WEDNESDAY, self.protocol.hardest_days, self.work_days)
        return [_in_words(day) for day in ([best] if best == usual else [best, usual])]

    @property
    def work_days(self) -> str:
        """The patient's days of work, "12345"."""
        return self.patient.work_days

    def clean_starts_on(self) -> date:
        """Refuses what lies more than a year ahead."""
        starts_on: date = self.cleaned_data["starts_on"]
        if starts_on > self.today + HORIZON:
            raise ValidationError(_("This day is more than a year away."))
        return starts_on

    def clean(self) -> dict[str, Any]:
        """Checks hours and amounts against each other."""
        cleaned = super().clean()
        if hasattr(self, "regimen"):
            self._check_hours()
            self._check_range()
        return cleaned

    def _check_hours(self) -> None:
        names = [f"time_{slot}" for slot in self.regimen.slots]
        if self.errors.keys() & {*names, "min_gap_hours"}:
            return
        hours = [timedelta(hours=hour.hour, minutes=hour.minute) for hour in self.slot_hours.values()]
        if hours != sorted(set(hours)):
            self.add_error(names[-1], _("Put the times in the order of the day."))
            return
        gaps = [later - earlier for earlier, later in pairwise([*hours, hours[0] + DAY])]
        if self.min_gap is not None and len(hours) > 1 and min(gaps) < self.min_gap:
            words = {"hours": int(self.min_gap.total_seconds() // 3600)}
            self.add_error(names[-1], _("These times are less than %(hours)s hours apart.") % words)

    @property
    def min_gap(self) -> timedelta | None:
        """The entered limit, or the one that would hold without it."""
        hours = self.cleaned_data.get("min_gap_hours")
        return timedelta(hours=hours) if hours else schedule.default_min_gap(self.regimen.doses_a_day)

    def _check_range(self) -> None:
        """Outside what was studied only with a reason (W6, P62)."""
        most, least = bounds.daily_ceiling(self.protocol.daily_ceiling, **self._by), self.protocol.daily_floor
        self.outside = bounds.outside_studied(self.regimen, most=most, least=least)
        if self.outside is not None and not self.cleaned_data.get("beyond_reason"):
            self.add_error("beyond_reason", plan_words.outside(self.outside))

    @property
    def slot_hours(self) -> dict[str, time]:
        """The hour of each time of the day in use, once the form is valid."""
        return {slot: self.cleaned_data[f"time_{slot}"] for slot in self.regimen.slots}

    def outlook(self, number: int = 1, before: date | None = None) -> Outlook:
        """What the plan will mean for course `number`; `before` is the last injection of the course before it."""
        return look_ahead(
            self.regimen,
            self.cleaned_data["starts_on"],
            self.slot_hours,
            hardest=self.protocol.hardest_days,
            timing_matters=self.protocol.timing_matters,
            number=number,
            before=before,
        )

    @property
    def terms(self) -> dict[str, Any]:
        """What an action stores as a version."""
        return {
            **self.chosen_terms,
            "document": self.regimen.document(),
            "slot_times": {slot: f"{hour:%H:%M}" for slot, hour in self.slot_hours.items()},
            "starts_on": self.cleaned_data["starts_on"],
            "beyond_reason": self.cleaned_data["beyond_reason"] if self.outside else "",
        }

    @property
    def volumes(self) -> list[tuple[Decimal, amounts.Volume | None]]:
        """Each amount with its volume at the entered concentration (O8); none without one."""
        concentration = self.cleaned_data.get("concentration")
        sizes = sorted({dose.amount for phase in self.regimen.phases for dose in phase.doses if dose.amount})
        return [(size, amounts.volume(size, concentration)) for size in sizes] if concentration else []


def _in_words(day: starts.StartDay) -> dict[str, str]:
    falls_on = dict(day.hard)
    return {
        "start": plan_words.weekdays([day.weekday]),
        "falls_on": plan_words.weekdays([weekday for _number, weekday in day.hard]),
        "works": plan_words.weekdays([falls_on[number] for number in day.at_work]),
    }


def _hour_field(viewer: User, slot: str, *, used: bool, alone: bool) -> ClockField:
    which = {"slot": SLOT_WORDS[slot]}
    label = _("Time of the injection") if alone and used else _("Time of the %(slot)s injection") % which
    missing = _("Enter the time of the injection.") if alone else _("Enter the time of the %(slot)s injection.") % which
    field = ClockField(viewer=viewer, label=label, required=used, error_messages={"required": missing})
    field.unmarked = True  # type: ignore[attr-defined]
    return field


class NewPlanForm(PlanForm):
    """A plan that begins: its first course, perhaps one that runs already, and the patient's days of work."""

    past = forms.BooleanField(
        label=gettext_lazy("This course has started already: record it as a past course"), required=False
    )
    days_at_work = forms.MultipleChoiceField(
        label=gettext_lazy("Days of work"),
        choices=plan_words.WEEKDAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("days_at_work", list(self.patient.work_days))
        if self.for_clinic:
            limits = ("fever_above", "fever_unit", "fever_only_if_not_relieved")
            self.initial = {**{name: getattr(self.protocol, name) for name in limits}, **self.initial}
        if not self.protocol.hardest_days:
            del self.fields["days_at_work"]

    @property
    def work_days(self) -> str:
        """As ticked on this page."""
        return "".join(sorted(self["days_at_work"].value() or [])) if "days_at_work" in self.fields else ""

    def clean(self) -> dict[str, Any]:
        """A first day in the past only as a past course."""
        cleaned = super().clean()
        if "starts_on" in cleaned:
            self._check_start(cleaned["starts_on"])
        return cleaned

    def _check_start(self, starts_on: date) -> None:
        if starts_on >= self.today:
            return
        if not self.cleaned_data.get("past"):
            self.add_error("starts_on", _("This day has passed. Tick “record it as a past course” to enter it anyway."))
        elif hasattr(self, "regimen") and schedule.next_start(self.regimen, 1, starts_on) <= self.today:
            self.add_error("starts_on", _("Enter the course you are in now: the next one would have started by today."))

    @property
    def plan(self) -> dict[str, Any]:
        """What the action stores."""
        at_work = {"work_days": self.work_days} if "days_at_work" in self.fields else {}
        return {**self.terms, "past": self.cleaned_data["past"], **at_work}
