"""A course day by day: every planned dose with what became of it. For strips, grids and lists of what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from cycles import schedule
from cycles.models import Cycle, Injection, PlannedDose


class State(StrEnum):
    """Where a planned dose stands. DUE is the one to record now; OFF will not take place.

    UNKNOWN is of a course from before the diary, about which nobody is asked.
    """

    DONE = "done"
    SKIPPED = "skipped"
    DUE = "due"
    MISSING = "missing"
    COMING = "coming"
    OFF = "off"
    UNKNOWN = "unknown"


MARKS = {State.DONE: "done", State.DUE: "due", State.COMING: "open", State.SKIPPED: "none", State.MISSING: "none"}


@dataclass(frozen=True)
class Slot:
    """One planned dose and its state."""

    dose: PlannedDose
    state: State

    @property
    def record(self) -> Injection | None:
        """What was recorded for it."""
        return self.dose.record

    @property
    def is_recorded(self) -> bool:
        """Whether somebody said what became of it, also that it was not taken."""
        return self.state in {State.DONE, State.SKIPPED}

    @property
    def mark(self) -> str:
        """The sign that stands for the state; the same sign never stands without `words`."""
        return MARKS.get(self.state, "none")

    @property
    def words(self) -> str:
        """The state in words."""
        return {
            State.DONE: _("recorded"),
            State.SKIPPED: _("not taken"),
            State.DUE: _("due"),
            State.MISSING: _("not recorded"),
            State.COMING: _("to come"),
            State.OFF: _("not planned any more"),
            State.UNKNOWN: _("not known"),
        }[self.state]


@dataclass(frozen=True)
class CourseDay:
    """One civil day of a course. `number` counts from 1; rest days have no slots."""

    number: int
    on: date
    slots: tuple[Slot, ...]

    @property
    def recorded(self) -> int:
        """How many of its doses are recorded."""
        return sum(slot.is_recorded for slot in self.slots)


@dataclass(frozen=True)
class CourseDays:
    """A whole course: its days up to the last dose, `due` = the dose to record now, `later` = the next one."""

    cycle: Cycle
    days: tuple[CourseDay, ...]
    due: Slot | None
    later: Slot | None

    @property
    def slots(self) -> list[Slot]:
        """Every dose of the course in order."""
        return [slot for day in self.days for slot in day.slots]

    @property
    def missing(self) -> list[Slot]:
        """What is past and not recorded, the oldest first."""
        return [slot for slot in self.slots if slot.state is State.MISSING]

    @property
    def recorded(self) -> int:
        """How many doses of the course are recorded."""
        return sum(day.recorded for day in self.days)

    def week_of(self, today: date) -> tuple[CourseDay, ...]:
        """The seven days of the course's own week that holds `today`; a course of at most a week as a whole."""
        if self.cycle.length <= 7:
            return self.days
        first = max(0, min((today - self.cycle.starts_on).days, self.cycle.length - 1)) // 7 * 7
        return tuple(self._day(first + 1 + offset) for offset in range(7))

    def weeks(self) -> list[tuple[CourseDay, ...]]:
        """Every week with a dose day, each with seven days, from the course's first weekday on."""
        last = (self.cycle.length - 1) // 7
        return [tuple(self._day(week * 7 + 1 + offset) for offset in range(7)) for week in range(last + 1)]

    def _day(self, number: int) -> CourseDay:
        if number <= len(self.days):
            return self.days[number - 1]
        return CourseDay(number, self.cycle.starts_on + timedelta(days=number - 1), ())


def lay_out(cycle: Cycle, doses: Sequence[PlannedDose], now: datetime) -> CourseDays:
    """The course with the state of each dose at `now`. `doses`: those of the cycle, in order, loaded with_records()."""
    due = _due(cycle, doses, now)
    slots = [Slot(dose, _state(cycle, dose, due, now)) for dose in doses]
    by_day = {number: tuple(found) for number, found in groupby(slots, key=lambda slot: slot.dose.day)}
    days = tuple(
        CourseDay(number, cycle.starts_on + timedelta(days=number - 1), by_day.get(number, ()))
        for number in range(1, cycle.length + 1)
    )
    return CourseDays(
        cycle,
        days,
        due=next((slot for slot in slots if slot.state is State.DUE), None),
        later=next((slot for slot in slots if slot.state is State.COMING), None),
    )


def _due(cycle: Cycle, doses: Sequence[PlannedDose], now: datetime) -> PlannedDose | None:
    """The first dose without a record that is not too late (B8), once its day has come."""
    for dose, following in zip(doses, [*doses[1:], None], strict=False) if not cycle.entered_later else ():
        if dose.record is None and cycle.wants(dose) and not _too_late(cycle, dose, following, now):
            local_day = now.astimezone(ZoneInfo(dose.zone)).date()
            return dose if dose.due_on <= local_day or dose.due_at <= now else None
    return None


def _too_late(cycle: Cycle, dose: PlannedDose, following: PlannedDose | None, now: datetime) -> bool:
    next_due_at = following.due_at if following else None
    return schedule.timing(dose.due_at, now, next_due_at, cycle.version.late_after) is schedule.Timing.TOO_LATE


def _state(cycle: Cycle, dose: PlannedDose, due: PlannedDose | None, now: datetime) -> State:
    record = dose.record
    if record is not None:
        return State.SKIPPED if record.state == Injection.State.SKIPPED else State.DONE
    if not cycle.wants(dose):
        return State.OFF
    if cycle.entered_later:
        return State.UNKNOWN
    if dose is due:
        return State.DUE
    return State.MISSING if dose.due_at <= now else State.COMING
