"""Which weekday to begin a course on, so that its hardest days fall where the patient is free (P34, P35). Pure.

Weekdays are ISO digits, 1 = Monday to 7 = Sunday, as in a patient's `work_days` ("12345").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cycles.day_runs import parse_days
from cycles.schedule import WEDNESDAY, suggested_start

WEEK = range(1, 8)


@dataclass(frozen=True)
class StartDay:
    """A weekday to begin on: each hard day of the course with its weekday, and those that are work days."""

    weekday: int
    hard: tuple[tuple[int, int], ...]
    at_work: tuple[int, ...]


def start_day(weekday: int, hardest: str, work_days: str) -> StartDay:
    """Where the hardest days ("3-5"; "" = the protocol names none, M2) fall for a start on this weekday."""
    hard = tuple((day, (weekday + day - 2) % 7 + 1) for day in parse_days(hardest)) if hardest else ()
    return StartDay(weekday, hard, tuple(day for day, falls_on in hard if str(falls_on) in work_days))


def ranked(hardest: str, work_days: str) -> list[StartDay]:
    """All seven weekdays, those with the fewest hard days at work first; among equals Wednesday, then what follows."""
    days = [start_day(weekday, hardest, work_days) for weekday in WEEK]
    return sorted(days, key=lambda day: (len(day.at_work), (day.weekday - WEDNESDAY) % 7))


def suggested(after: date, hardest: str, work_days: str) -> date:
    """The first day after `after` that is the best weekday to begin on: a Wednesday where nothing speaks against it."""
    return suggested_start(after, ranked(hardest, work_days)[0].weekday)
