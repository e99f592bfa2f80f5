"""Courses laid over each other day by day, and which days were a person's own hardest. Pure: no Django.

A day about which nothing was said is never a day without symptoms (H27): it stays empty and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

# App's own, all of them: the sources say only that days 3 to 5 are often the worst (P34).
AROUND = 7  # days before and after a course that its strip shows
TAIL = 2  # days after a course that can be among its hardest: on them a check-in is still asked for
COURSES_NEEDED = 2
NEARLY = Fraction(1, 2)  # a day whose worst severity is on average so close to the hardest day's is one as well
MOST = Fraction(3, 5)  # of the days of a course: more than that single out none
SEVERE = 3
WEEK = timedelta(days=7)


class Told(Protocol):
    """One civil day with a check-in: worst severity 0 to 3 by code, whether "nothing else" was ticked, red flags."""

    @property
    def severities(self) -> Mapping[str, int]:
        """Worst severity of each symptom that was spoken of."""

    @property
    def none(self) -> bool:
        """Whether there were said to be no other symptoms."""

    @property
    def flags(self) -> Collection[str]:
        """Urgent signs."""


def severity(told: Told | None, code: str) -> int | None:
    """How bad one symptom was on a day; 0 only where somebody said that there was none, None where nobody spoke."""
    return None if told is None else told.severities.get(code, 0 if told.none else None)


def worst(told: Told | None) -> int | None:
    """The worst severity of any symptom of a day; None where no symptom was spoken of."""
    if told is None or not (told.severities or told.none):
        return None
    return max(told.severities.values(), default=0)


def mark(days: Iterable[Told | None]) -> str:
    """The worst of these days in a box: "2"; "!" for an urgent sign, beside a severity "2!"; "" where nobody spoke.

    A day with an urgent sign never reads as 0 (H27).
    """
    told = [each for each in days if each is not None]
    grade = max((grade for grade in map(worst, told) if grade is not None), default=None)
    if any(each.flags for each in told):
        return f"{grade or ''}!"
    return "" if grade is None else str(grade)


# Courses on one axis


class Part(StrEnum):
    """Where a column lies: before day 1, in the course, or after its last day."""

    BEFORE = "before"
    COURSE = "course"
    AFTER = "after"


@dataclass(frozen=True)
class Column:
    """One column of every strip; `number` counts days of the course or days after it, 0 before."""

    part: Part
    number: int = 0


@dataclass(frozen=True)
class Span:
    """The days of one course with those around it that belong to no other course: `first` to `last`, both counted."""

    starts_on: date
    length: int
    first: date
    last: date

    def days(self, column: Column) -> list[date]:
        """The days that a column stands for: none where the course is shorter, or where the next one has begun."""
        if column.part is Part.BEFORE:
            return [self.first + timedelta(days=n) for n in range((self.starts_on - self.first).days)]
        number = column.number if column.part is Part.COURSE else self.length + column.number
        on = self.starts_on + timedelta(days=number - 1)
        within = column.number <= self.length if column.part is Part.COURSE else on <= self.last
        return [on] if within else []


def spans(courses: Sequence[tuple[date, int]], ends_before: date | None = None) -> list[Span]:
    """First day and length of each course, the oldest first; the days around are shared out without overlap.

    A day between two courses belongs to the week after the earlier one first. `ends_before`: where the next one begins.
    """
    borders = [*[starts_on for starts_on, _length in courses[1:]], ends_before]
    found: list[Span] = []
    for (starts_on, length), border in zip(courses, borders, strict=True):
        last_day = starts_on + timedelta(days=length - 1)
        last = last_day + timedelta(days=AROUND)
        first = starts_on - timedelta(days=AROUND)
        if found:
            first = max(first, found[-1].last + timedelta(days=1))
        found.append(Span(starts_on, length, first, min(last, border - timedelta(days=1)) if border else last))
    return found


def columns(longest: int) -> list[Column]:
    """Before, day 1 to the longest course's last, and the week after: the same for every strip."""
    course = [Column(Part.COURSE, number) for number in range(1, longest + 1)]
    after = [Column(Part.AFTER, number) for number in range(1, AROUND + 1)]
    return [Column(Part.BEFORE), *course, *after]


# A person's own hardest days


def burdens(starts_on: date, length: int, told: Mapping[date, Told]) -> dict[int, int]:
    """How hard each day of a course and of the two after it was, 0 to 3; days of which nothing was said are absent.

    A red flag is as hard as a day can be.
    """
    found = {}
    for number in range(1, length + TAIL + 1):
        day = told.get(starts_on + timedelta(days=number - 1))
        hard = SEVERE if day is not None and day.flags else worst(day)
        if hard is not None:
            found[number] = hard
    return found


def hardest(courses: Sequence[Mapping[int, int]], length: int) -> tuple[int, ...]:
    """The days, counted from 1, that were the hardest in a person's last courses of this length; () = not known.

    Needs COURSES_NEEDED courses with something said on half of their days. A day of which each of them tells counts
    with the mean; where nearly every day is as hard as the hardest, or no day was hard, no day is singled out.
    """
    if len(courses) < COURSES_NEEDED or any(not _is_told(course, length) for course in courses):
        return ()
    told_by_all = set(courses[0]).intersection(*courses)
    mean = {number: Fraction(sum(course[number] for course in courses), len(courses)) for number in told_by_all}
    top = max(mean.values(), default=Fraction(0))
    if top < 1:
        return ()
    for least in (top - NEARLY, top):
        days = tuple(sorted(number for number, value in mean.items() if value >= least))
        if len(days) <= length * MOST:
            return days
    return ()


def _is_told(course: Mapping[int, int], length: int) -> bool:
    return 2 * sum(number <= length for number in course) >= length


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """1, 2, 3, 5 as (1, 3), (5, 5): what stands together is said together."""
    cuts = [0, *(at for at, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1), len(numbers)]
    return [(numbers[start], numbers[end - 1]) for start, end in pairwise(cuts) if start < end]


# Lumps and sore places by week


@dataclass(frozen=True)
class Trace:
    """One sore place or lump from the day it was noticed to the day it was gone (None: it is there).

    `sizes`: what width in millimetres was noted on which day, the oldest first; None where nobody measured.
    """

    noticed_on: date
    gone_on: date | None
    sizes: Sequence[tuple[date, int | None]]


def weeks_to(last_on: date, count: int) -> list[date]:
    """The first days (Mondays) of so many weeks, the last of which holds `last_on`."""
    monday = last_on - timedelta(days=last_on.weekday())
    return [monday - WEEK * before for before in range(count - 1, -1, -1)]


def by_week(trace: Trace, mondays: Sequence[date], today: date) -> list[int | None]:
    """For each week the largest width noted so far in it, 0 = there but not measured, None = not there."""
    return [_in_week(trace, monday, today) for monday in mondays]


def _in_week(trace: Trace, monday: date, today: date) -> int | None:
    sunday = min(monday + timedelta(days=6), today)
    was_gone = trace.gone_on is not None and trace.gone_on <= monday and trace.noticed_on < monday
    if trace.noticed_on > sunday or was_gone:
        return None
    before = [size for on, size in trace.sizes if on < monday][-1:]
    within = [size for on, size in trace.sizes if monday <= on <= sunday]
    return max((size for size in [*before, *within] if size), default=0)
