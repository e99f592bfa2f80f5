"""Word-sized drawings: the sparkline of the clinic's list and the bar that says where a count sits. Pure geometry."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from labs.chart_axes import tidy
from labs.charts import Course, Mark, thin

SPARK_WIDTH, SPARK_HEIGHT, SPARK_POINTS = 92.0, 34.0, 40
SPARK_TOP, SPARK_BOTTOM, SPARK_EDGE = 4.0, 28.0, 5.0
SPARK_FULL = Decimal(1000)  # every row of a list has at least this much height, so that rows can be compared
BAR_WIDTH, BAR_LEFT = 342.0, 8.0
BAR_STEP = 200
GOAL_WORDS = 106.0  # room for “goal: above 1,000”
LOW_LINE = Decimal(200)  # P16: below it the expected effect is small; only a mark on the bar


@dataclass
class Spark:
    """A sparkline: the line through what counts, dots for it, hollow ones for what does not, a tick per course."""

    width: float = SPARK_WIDTH
    height: float = SPARK_HEIGHT
    line: str = ""
    last: tuple[float, float] | None = None
    hollow: list[tuple[float, float]] = field(default_factory=list)
    courses: list[float] = field(default_factory=list)


def spark(marks: Sequence[Mark], courses: Sequence[Course], first_on: date, last_on: date) -> Spark:
    """Drawing of the marks between two dates. Only values that count are joined."""
    shown = [mark for mark in marks if first_on <= mark.on <= last_on and mark.value is not None]
    shown = thin(sorted(shown, key=lambda mark: mark.on), SPARK_POINTS)
    top = max([SPARK_FULL, *(mark.value or SPARK_FULL for mark in shown)])
    spots = [(mark.counts, _spot(mark, first_on, last_on, top)) for mark in shown]
    joined = [spot for counts, spot in spots if counts]
    return Spark(
        line="M" + "L".join(f"{x} {y}" for x, y in joined) if len(joined) > 1 else "",
        last=joined[-1] if joined else None,
        hollow=[spot for counts, spot in spots if not counts],
        courses=[_across(c.first_on, first_on, last_on) for c in courses if first_on <= c.first_on <= last_on],
    )


def _spot(mark: Mark, first_on: date, last_on: date, top: Decimal) -> tuple[float, float]:
    share = float((mark.value or Decimal(0)) / top)
    return _across(mark.on, first_on, last_on), tidy(SPARK_BOTTOM - share * (SPARK_BOTTOM - SPARK_TOP))


def _across(on: date, first_on: date, last_on: date) -> float:
    share = (on - first_on).days / max((last_on - first_on).days, 1)
    return tidy(SPARK_EDGE + share * (SPARK_WIDTH - 2 * SPARK_EDGE))


@dataclass
class PositionBar:
    """Where a count sits between 0 and a round end, with the goal and the count before the first course."""

    end: int
    end_x: float
    now: float
    now_label_x: float
    low: float
    goal: float | None = None
    then: float | None = None
    then_label_x: float | None = None
    arrow: str = ""

    @property
    def low_width(self) -> float:
        """Width of the part below 200."""
        return tidy(self.low - BAR_LEFT)

    @property
    def middle_width(self) -> float:
        """Width up to the goal, or to the end."""
        return tidy((self.end_x if self.goal is None else self.goal) - self.low)

    @property
    def goal_width(self) -> float:
        """Width of the part above the goal."""
        return tidy(self.end_x - (self.end_x if self.goal is None else self.goal))

    @property
    def goal_label_x(self) -> float:
        """Middle of the goal's words, kept inside the bar."""
        half = GOAL_WORDS / 2
        return min(max(self.goal or 0.0, BAR_LEFT + 20 + half), self.end_x - half)

    @property
    def low_label(self) -> bool:
        """Whether "200" fits beside the goal's words."""
        return self.goal is None or self.goal_label_x - GOAL_WORDS / 2 > self.low + 16

    @property
    def end_label(self) -> bool:
        """Whether the end's number fits beside the goal's words."""
        return self.goal is None or self.goal_label_x + GOAL_WORDS / 2 < self.end_x - 40


def position_bar(now: Decimal, before: Decimal | None, goal: Decimal | None) -> PositionBar:
    """Bar for a count that counts. `before` and `goal` may be missing."""
    highest = max(now, before or now, goal or now, Decimal(800))
    end = (int(highest * Decimal("1.05")) // BAR_STEP + 1) * BAR_STEP
    bar = PositionBar(end, BAR_LEFT + BAR_WIDTH, _bar(now, end), _bar(now, end), _bar(LOW_LINE, end))
    bar.goal = None if goal is None else _bar(goal, end)
    if before is not None:
        _compare(bar, _bar(before, end))
    return bar


def _bar(value: Decimal, end: int) -> float:
    return tidy(BAR_LEFT + float(value) / end * BAR_WIDTH)


def _compare(bar: PositionBar, then: float) -> None:
    way = 1 if bar.now >= then else -1
    bar.then, apart = then, abs(bar.now - then)
    push = max(0.0, (96 - apart) / 2)
    bar.then_label_x, bar.now_label_x = tidy(then - way * push), tidy(bar.now + way * push)
    if apart > 34:
        tip = tidy(bar.now - way * 14)
        bar.arrow = f"M{tidy(then + way * 9)} 46H{tip}m{-5 * way} -4l{5 * way} 4l{-5 * way} 4"
