"""What published rules say about the dose of the next course, and when it is too early to say anything.

Pure. Rules speak to clinicians, change nothing, and name the readings they used. The interval has a module of its own.
Sources: domain 2.5 with D21 and W16 (DOSE-1), domain 2.7 with D8 and R20 (EARLY), goals by D5 and M6.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from statistics import median
from typing import Any

from cycles import schedule

STEP = Decimal(3)  # P48: MIU a day
LEAST_STUDIED = Decimal(9)  # P62: MIU a day; below it the CD4+ count rises less
MONTHS_TO_JUDGE = 6  # P63 with D8: months at one daily dose and route before anything is said about it
SMALLEST_PART = Decimal("0.001")  # a regimen writes no amount finer than this


@dataclass(frozen=True)
class Rule:
    """A published rule: its name, the version of our reading of it, and the lines of source A it is read from."""

    id: str
    version: int
    lines: str


DOSE = Rule("DOSE-1", 1, "A87, A120, A125")
EARLY = Rule("EARLY", 1, "A126, A163")


@dataclass(frozen=True)
class Reading:
    """A reliable CD4+ count in cells per mm³. With a comparator other than "=" the number is only a limit."""

    on: date
    cells: Decimal
    comparator: str = "="
    key: str = ""

    def is_above(self, goal: Decimal) -> bool:
        """Strictly above: exactly 600 is not over 600 (D5)."""
        return self.comparator not in {"<", "<="} and self.cells > goal


def digest(rule: Rule, parts: Any) -> str:
    """A fingerprint of everything a suggestion rests on; any new result or change of a dose makes another one."""
    text = json.dumps([rule.id, rule.version, parts], default=str, sort_keys=True)
    return sha256(text.encode()).hexdigest()


# The goal


def effective_goal(kind: str, number: int | None, baseline: Decimal | None) -> Decimal | None:
    """The CD4+ count to be exceeded (D5, M6), in cells per mm³; None without a goal, or without the baseline it needs.

    `kind`: "above" a count, a "rise" over the baseline, "percent" of the baseline (200 = twice).
    """
    if number is None or (kind != "above" and baseline is None):
        return None
    against = baseline or Decimal(0)
    return {
        "above": Decimal(number),
        "rise": against + number,
        "percent": against * number / 100,
    }[kind]


# The dose


@dataclass(frozen=True)
class Lower:
    """The next dose down, MIU. `per_injection` is None where a day's amount does not divide exactly."""

    daily: Decimal
    per_injection: Decimal | None

    @property
    def is_below_studied(self) -> bool:
        """Whether P62 has to be said."""
        return self.daily < LEAST_STUDIED


def lower(daily: Decimal, doses_a_day: int, step: Decimal = STEP) -> Lower | None:
    """`daily` less one step (P48, D21); None when nothing would be left. There is no step up."""
    left = daily - step
    if left <= 0:
        return None
    share = (left / doses_a_day).quantize(SMALLEST_PART)
    return Lower(left, share if share * doses_a_day == left else None)


def is_even(phase: schedule.Phase) -> bool:
    """Whether every day has the same injections of one amount, so that a day's amount can be lowered as a whole."""
    a_day = Counter(dose.offset for dose in phase.doses)
    return len({dose.amount for dose in phase.doses}) == 1 and len(set(a_day.values())) == 1


@dataclass(frozen=True)
class CourseFelt:
    """The course that was given last: what it was, and how hard. `daily` None = not the same amount every day.

    `severe`: severity 3 was reported; `stopped`: it was stopped early for a symptom; `urgent`: a red alert (A87, R18).
    """

    number: int
    daily: Decimal | None
    doses_a_day: int
    severe: bool = False
    stopped: bool = False
    urgent: bool = False


class Dose(Enum):
    """What DOSE-1 says."""

    NOT_COVERED = "no dose step in the source"
    HOLD = "hold first"
    RUNNING = "a course is running"
    NO_COURSE = "no course yet"
    REVIEW = "review before any further dose"
    NOT_DIFFICULT = "not very difficult"
    CHANGED = "the coming course has less already"
    LOWEST = "below the lowest step"
    SUGGEST = "one step less"


@dataclass(frozen=True)
class DoseFinding:
    """The answer of DOSE-1 with what it rests on."""

    outcome: Dose
    course: CourseFelt | None = None
    lower: Lower | None = None
    rule: Rule = DOSE

    @property
    def asks(self) -> bool:
        """Whether somebody has to decide."""
        return self.outcome in {Dose.REVIEW, Dose.LOWEST, Dose.SUGGEST}


def dose_finding(
    course: CourseFelt | None, *, step: Decimal | None, next_daily: Decimal | None, held: bool, running: bool
) -> DoseFinding:
    """DOSE-1 after one very difficult course, for the course after it (2.5, D21, R18). Never while something is held.

    `step` None = the protocol names none; `next_daily` is what the plan says of the coming course, MIU.
    """
    if step is None or (course and course.daily is None):
        return DoseFinding(Dose.NOT_COVERED)
    if held or running:
        return DoseFinding(Dose.HOLD if held else Dose.RUNNING)
    if course is None:
        return DoseFinding(Dose.NO_COURSE)
    return _after(course, step, next_daily)


def _after(course: CourseFelt, step: Decimal, next_daily: Decimal | None) -> DoseFinding:
    assert course.daily is not None
    if course.urgent:
        return DoseFinding(Dose.REVIEW, course)
    if not (course.severe or course.stopped):
        return DoseFinding(Dose.NOT_DIFFICULT, course)
    if next_daily is not None and next_daily < course.daily:
        return DoseFinding(Dose.CHANGED, course)
    down = lower(course.daily, course.doses_a_day, step)
    return DoseFinding(Dose.SUGGEST if down else Dose.LOWEST, course, down)


# Too early to judge


class Progress(Enum):
    """What can be said about the present dose (D8)."""

    TOO_EARLY = "too early"
    NOT_ENOUGH = "not enough readings"
    NO_CLEAR_RISE = "no clear rise"
    RISE = "rise"


@dataclass(frozen=True)
class CourseDose:
    """How a course is given: the first day, the route, the largest daily amount in MIU."""

    starts_on: date
    route: str
    daily: Decimal | None


@dataclass(frozen=True)
class EarlyFinding:
    """What can be said about the present dose, since when it is given, and the readings that were compared."""

    outcome: Progress
    since: date
    inputs: tuple[Reading, ...] = ()
    rule: Rule = EARLY

    @property
    def until(self) -> date:
        """First day on which the dose may be judged."""
        return too_early_until(self.since)


def dose_since(courses: Iterable[CourseDose]) -> date | None:
    """Start of the first course at the present daily dose and route: a change of either starts the clock anew (D8)."""
    since: date | None = None
    present: tuple[str, Decimal | None] | None = None
    for course in sorted(courses, key=lambda each: each.starts_on, reverse=True):
        given = course.route, course.daily
        if present is not None and given != present:
            break
        present, since = given, course.starts_on
    return since


def too_early_until(since: date) -> date:
    """First day on which a daily dose and route that began at `since` may be judged (P63, D8)."""
    return schedule.add_months(since, MONTHS_TO_JUDGE)


def progress(readings: Sequence[Reading], since: date, today: date) -> EarlyFinding:
    """Compare the median of the last two reliable readings with the last one before this dose (D8)."""
    if today < too_early_until(since):
        return EarlyFinding(Progress.TOO_EARLY, since)
    counted = sorted((each for each in readings if each.comparator == "="), key=lambda each: each.on)
    before = [each for each in counted if each.on <= since][-1:]
    after = [each for each in counted if each.on > since][-2:]
    if not before or len(after) < 2:
        return EarlyFinding(Progress.NOT_ENOUGH, since)
    rose = median(each.cells for each in after) > before[0].cells
    return EarlyFinding(Progress.RISE if rose else Progress.NO_CLEAR_RISE, since, (*before, *after))
