"""Whether blood taken before a course can say anything, by the regimen alone; and which weekday to ask for. Pure.

The dates of one course are in schedule.py; this is about every course of a regimen, whatever its start (2.4, O10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from cycles.schedule import BLOODWORK_LEAD, TOO_SOON, Regimen, reliable_from

SURELY = 31  # days after the last dose: reliable whatever the month (O2)
FRIDAY = 4


class Before(Enum):
    """What can be measured before the courses of a regimen, the least first."""

    NEVER = "no draw before a course is reliable"
    SOME_MONTHS = "only the day before, and only after a short month"
    LATER = "not on the due day, but later"
    DUE_DAY = "on the due day"


@dataclass(frozen=True)
class PreCycle:
    """`kind`, and for LATER how many days before a course a draw is reliable whatever the month."""

    kind: Before
    days_before: int | None = None


def before_courses(regimen: Regimen) -> PreCycle:
    """What holds before every course after the first: the shortest rest decides (2.4, D16, B5).

    A regimen of one course has only the baseline before it, which is always possible.
    """
    rests = [
        phase.cycle_days - phase.last_offset
        for index, phase in enumerate(regimen.phases, 1)
        if phase.repeat != 1 or index < len(regimen.phases)
    ]
    return _after_rest(min(rests)) if rests else PreCycle(Before.DUE_DAY, BLOODWORK_LEAD.days)


def _after_rest(days: int) -> PreCycle:
    """`days` from the last dose of a course to the next start."""
    if days - BLOODWORK_LEAD.days >= SURELY:
        return PreCycle(Before.DUE_DAY, BLOODWORK_LEAD.days)
    if days - 1 >= SURELY:
        return PreCycle(Before.LATER, days - SURELY)
    return PreCycle(Before.SOME_MONTHS if days - 1 > TOO_SOON.days else Before.NEVER)


def draw_day(due_on: date, last_dose_on: date | None) -> date:
    """The due day, or the Friday before a weekend if a draw is reliable on it (2.4). No dose before = a baseline."""
    friday = due_on - timedelta(days=max(0, due_on.weekday() - FRIDAY))
    return friday if last_dose_on is None or reliable_from(last_dose_on) <= friday else due_on
