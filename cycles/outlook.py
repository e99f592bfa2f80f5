"""What a plan will mean, before it is saved: every dose of the course to come, its blood tests, its hard days. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from itertools import groupby

from cycles import schedule
from cycles.bloodwork import draw_day
from cycles.schedule import Planned, Regimen


@dataclass(frozen=True)
class PlannedDay:
    """One day of the first course with its doses; `is_hard` where the protocol says so (P34, M2)."""

    number: int
    on: date
    doses: tuple[Planned, ...]
    is_hard: bool

    @property
    def week(self) -> int:
        """Week of the course, from 1."""
        return (self.number - 1) // 7 + 1

    @property
    def each(self) -> Decimal | None:
        """The amount of every dose of the day, when they are alike."""
        amounts = {dose.amount for dose in self.doses}
        return amounts.pop() if len(amounts) == 1 else None


@dataclass(frozen=True)
class Bloodwork:
    """The blood test before one course: due day, weekday to ask for, days to book, or why none counts (2.4, D16)."""

    course: int
    due_on: date
    draw_on: date
    booking: tuple[date, date] | None
    earliest: date | None


@dataclass(frozen=True)
class Outlook:
    """One course. Blood tests and `too_soon_until` are None where the timing of doses does not matter.

    `next_start` is None after the last course of a plan.
    """

    number: int
    days: tuple[PlannedDay, ...]
    injections: int
    daily_total: Decimal | None
    course_total: Decimal | None
    last_dose_on: date
    next_start: date | None
    too_soon_until: date | None
    bloodwork: tuple[Bloodwork, ...]

    @property
    def starts_on(self) -> date:
        """Day 1."""
        return self.days[0].on

    @property
    def has_weeks(self) -> bool:
        """Whether the course is longer than a week."""
        return self.days[-1].week > 1

    @property
    def hard_days(self) -> list[PlannedDay]:
        """The days that are usually the hardest."""
        return [day for day in self.days if day.is_hard]


def look_ahead(
    regimen: Regimen,
    starts_on: date,
    times: Mapping[str, time],
    *,
    hardest: str,
    timing_matters: bool,
    number: int = 1,
    before: date | None = None,
) -> Outlook:
    """Course `number` from `starts_on`, the tests before it and before the next one.

    `before` is the last dose of the course before it, None where there was none. LookupError beyond the last course.
    """
    last = schedule.last_dose_on(regimen, number, starts_on)
    ends = regimen.courses is not None and number >= regimen.courses
    following = None if ends else schedule.next_start(regimen, number, starts_on)
    tests = [_bloodwork(number, before, starts_on)]
    tests += [_bloodwork(number + 1, last, following)] if following else []
    planned = schedule.unroll(regimen, number, starts_on, times)
    return Outlook(
        number=number,
        days=_days(planned, schedule.hardest_days(starts_on, hardest)),
        injections=len(planned),
        daily_total=regimen.daily_total(number),
        course_total=regimen.course_total(number),
        last_dose_on=last,
        next_start=following,
        too_soon_until=schedule.too_soon_until(last) if timing_matters else None,
        bloodwork=tuple(tests) if timing_matters else (),
    )


def _days(planned: list[Planned], hard: tuple[date, ...]) -> tuple[PlannedDay, ...]:
    by_day = groupby(planned, key=lambda dose: (dose.day, dose.on))
    return tuple(PlannedDay(number, on, tuple(doses), on in hard) for (number, on), doses in by_day)


def _bloodwork(course: int, last_dose_on: date | None, start: date) -> Bloodwork:
    due = schedule.bloodwork_due(start)
    draw = draw_day(due, last_dose_on)
    if schedule.bloodwork_possible(last_dose_on, start):
        return Bloodwork(course, due, draw, schedule.booking_window(last_dose_on, start), None)
    earliest = schedule.earliest_reliable_before(last_dose_on, start) if last_dose_on else None
    return Bloodwork(course, due, draw, None, earliest)
