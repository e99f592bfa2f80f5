"""When published rules would lengthen the interval between courses (domain 2.6 with D5–D9, M6 and A15). Pure.

A gap is what lies between the last injection of one course and the first of the next that was given. A cycle at an
interval is a course and the gap after it, planned at that interval (D6). The result is for clinicians and only that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import takewhile

from cycles.advice import Reading, Rule

INTERVAL = Rule("INT-1", 1, "A22, A95, A128")
BASE = 56  # P06: eight weeks from start to start; the source says nothing about plans with another base (D9)
LONGER = 28  # P53, P64: four weeks more
CYCLES_BEFORE_MORE = 3  # P65: cycles at a longer interval before it may grow again
SUSTAINED = 2  # app's own: the source gives no number; a clinic may choose up to 4


@dataclass(frozen=True)
class Course:
    """A course with at least one injection. `interval`: days to the next start by its own version of the plan."""

    number: int
    starts_on: date
    first_dose_on: date
    last_dose_on: date
    interval: int
    stopped_early: bool = False


class Level(Enum):
    """A gap against the goal."""

    HIGH = "high"
    NOT_HIGH = "not high"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Gap:
    """The time after a course. `start_to_start` None = nobody has given the next course yet."""

    course: Course
    readings: tuple[Reading, ...]
    start_to_start: int | None = None

    def level(self, goal: Decimal) -> Level:
        """High only with a reliable reading, and with all of them above the goal: missing evidence is not high."""
        if not self.readings:
            return Level.UNKNOWN
        return Level.HIGH if all(each.is_above(goal) for each in self.readings) else Level.NOT_HIGH

    def is_at(self, interval: int) -> bool:
        """Whether it was planned at this interval and, once over, really lasted as long (D6)."""
        kept = self.start_to_start is None or self.start_to_start >= interval
        return self.course.interval == interval and kept


def gaps(courses: Sequence[Course], readings: Sequence[Reading]) -> list[Gap]:
    """The gap after each course, oldest first (A15); `readings` are reliable CD4+ counts of any time."""
    ordered = sorted(courses, key=lambda course: course.starts_on)
    followers: list[Course | None] = [*ordered[1:], None]
    return [_gap(course, after, readings) for course, after in zip(ordered, followers, strict=True)]


def _gap(course: Course, after: Course | None, readings: Sequence[Reading]) -> Gap:
    ends = after.first_dose_on if after else date.max
    inside = sorted((r for r in readings if course.last_dose_on < r.on <= ends), key=lambda reading: reading.on)
    apart = (after.starts_on - course.starts_on).days if after else None
    return Gap(course, tuple(inside), apart)


class Outcome(Enum):
    """What INT-1 says: the rows of the table of 2.6, and why it says nothing."""

    NOT_COVERED = "not a plan under the skin for HIV with a base of eight weeks"
    HOLD = "hold first"
    RUNNING = "a course is running"
    NO_COURSE = "no course yet"
    NO_GOAL = "no goal"
    NO_BASELINE = "the goal needs a baseline"
    CHANGED = "the coming course has another interval already"
    NEEDS_READING = "needs a reliable CD4"
    AT_OR_BELOW = "at or below goal"
    REVIEW_INTERVAL = "at or below goal, review interval"
    NOT_EVERY = "not every reading of this course is above goal"
    NOT_SUSTAINED = "high, not yet sustained"
    COUNTING = "not yet three cycles at this interval"
    GAP_UNKNOWN = "a gap without a reliable reading"
    GAP_NOT_HIGH = "a gap with a reading at or below goal"
    SUGGEST = "four weeks longer"


@dataclass(frozen=True)
class Situation:
    """What INT-1 asks about a patient. `base` is the protocol's interval, None for a plan the rule does not cover.

    `next_interval` is what the plan says of the coming course; `has_goal` tells a goal without its baseline from none.
    """

    base: int | None
    goal: Decimal | None
    has_goal: bool = True
    next_interval: int | None = None
    held: bool = False
    running: bool = False
    sustained: int = SUSTAINED


@dataclass(frozen=True)
class IntervalFinding:
    """The answer of INT-1. `count` of `needed` cycles; `course` is the one whose gap is named; days throughout."""

    outcome: Outcome
    interval: int | None = None
    proposed: int | None = None
    count: int = 0
    needed: int = 0
    course: int | None = None
    inputs: tuple[Reading, ...] = ()
    rule: Rule = INTERVAL

    @property
    def asks(self) -> bool:
        """Whether somebody has to decide."""
        return self.outcome is Outcome.SUGGEST


def interval_finding(courses: Sequence[Course], readings: Sequence[Reading], asked: Situation) -> IntervalFinding:
    """INT-1: the first row of the table that fits (2.6). `readings` are the reliable CD4+ counts, in any order."""
    if refused := _before_the_table(courses, asked):
        return IntervalFinding(refused)
    history = gaps(courses, readings)
    present = history[-1]
    interval = present.course.interval
    if asked.next_interval not in (None, interval):
        return IntervalFinding(Outcome.CHANGED, interval)
    if not present.readings:
        return IntervalFinding(Outcome.NEEDS_READING, interval, course=present.course.number)
    assert asked.goal is not None
    if not _newest_is_above(present, asked.goal):
        outcome = Outcome.REVIEW_INTERVAL if interval > BASE else Outcome.AT_OR_BELOW
        return IntervalFinding(outcome, interval, inputs=present.readings)
    run = _run(history, interval)
    return _at_base(run, asked.goal, asked.sustained) if interval == BASE else _longer(run, asked.goal)


def _before_the_table(courses: Sequence[Course], asked: Situation) -> Outcome | None:
    """Why the table is not read at all. A hold comes before everything about the patient."""
    if asked.base != BASE:
        return Outcome.NOT_COVERED
    if asked.held or asked.running:
        return Outcome.HOLD if asked.held else Outcome.RUNNING
    if not courses:
        return Outcome.NO_COURSE
    if asked.goal is None:
        return Outcome.NO_BASELINE if asked.has_goal else Outcome.NO_GOAL
    newest = max(courses, key=lambda course: course.starts_on)
    return Outcome.NOT_COVERED if newest.interval < BASE else None


def _newest_is_above(gap: Gap, goal: Decimal) -> bool:
    newest = gap.readings[-1].on
    return all(reading.is_above(goal) for reading in gap.readings if reading.on == newest)


def _run(history: Sequence[Gap], interval: int) -> list[Gap]:
    """The gaps up to the present one that are all at its interval, oldest first."""
    return list(takewhile(lambda gap: gap.is_at(interval), reversed(history)))[::-1]


def _at_base(run: Sequence[Gap], goal: Decimal, sustained: int) -> IntervalFinding:
    """Eight weeks: as many high gaps in a row as the clinic calls sustained; a course cut short is not counted."""
    present = run[-1]
    if present.level(goal) is not Level.HIGH:
        return IntervalFinding(Outcome.NOT_EVERY, BASE, course=present.course.number, inputs=present.readings)
    high = list(takewhile(lambda gap: gap.level(goal) is Level.HIGH, reversed(run)))[::-1]
    counted = [gap for gap in high if not gap.course.stopped_early]
    if len(counted) < sustained:
        return IntervalFinding(Outcome.NOT_SUSTAINED, BASE, count=len(counted), needed=sustained, inputs=_inputs(high))
    return _suggest(high[high.index(counted[-sustained]) :], BASE, sustained)


def _longer(run: Sequence[Gap], goal: Decimal) -> IntervalFinding:
    """Longer than eight weeks: three cycles at this interval, every gap since the first of them high (D6)."""
    interval, needed = run[-1].course.interval, CYCLES_BEFORE_MORE
    counted = [gap for gap in run if not gap.course.stopped_early]
    if len(counted) < needed:
        return IntervalFinding(Outcome.COUNTING, interval, count=len(counted), needed=needed, inputs=run[-1].readings)
    looked_at = run[run.index(counted[-needed]) :]
    for gap in looked_at:
        if gap.level(goal) is not Level.HIGH:
            unknown = gap.level(goal) is Level.UNKNOWN
            outcome = Outcome.GAP_UNKNOWN if unknown else Outcome.GAP_NOT_HIGH
            return IntervalFinding(outcome, interval, course=gap.course.number, inputs=_inputs(looked_at))
    return _suggest(looked_at, interval, needed)


def _suggest(used: Sequence[Gap], interval: int, needed: int) -> IntervalFinding:
    return IntervalFinding(
        Outcome.SUGGEST, interval, interval + LONGER, count=needed, needed=needed, inputs=_inputs(used)
    )


def _inputs(used: Sequence[Gap]) -> tuple[Reading, ...]:
    return tuple(reading for gap in used for reading in gap.readings)
