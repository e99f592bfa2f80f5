"""Small drawings of safety tests on one time axis, and the peaks of each course. Pure: numbers in, coordinates out.

A disc is a result, a diamond one outside the range of the laboratory, a triangle one that is only a limit. Every
result is drawn and joined: these tests are never unreliable (H19). The grey band is the range printed beside each
result; it steps where the laboratory changed it and has a gap where none is printed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from labs.chart_axes import Across, Axis, Size, Tick, height, month_ticks, tidy
from labs.charts import Course

SIZE = Size(310, 170, left=44, right=12, top=24, bottom=28)
MARK = 5.0
ROOM = Decimal("0.08")  # of the height, above and below everything shown
MOST_LINES = 4
LABEL_ROOM = 16.0
AFTER_COURSE = timedelta(days=7)  # app's own: what a course did to the blood is looked for until then
INSIDE, LOW, HIGH = "inside", "low", "high"


@dataclass(frozen=True)
class Result:
    """One result in its test's own unit. `side` of the printed range: "low", "high", "inside", "" = cannot be known.

    `low`, `high`: the printed range; None where it is not printed. `label` = the result in words, `grade` = 0 for none.
    """

    on: date
    value: Decimal
    comparator: str = "="
    side: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    label: str = ""
    grade: int = 0

    @property
    def outside(self) -> bool:
        """Whether it lies outside the range that the laboratory printed with it."""
        return self.side in {LOW, HIGH}


@dataclass(frozen=True)
class Rect:
    """A rectangle of a drawing; `label` stands above it."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""

    @property
    def middle(self) -> float:
        """Where its label is centred."""
        return tidy(self.x + self.width / 2)


@dataclass(frozen=True)
class Shape:
    """A result in place. `kind`: dot, outside, down (less than), up (more than)."""

    kind: str
    x: float
    y: float

    @property
    def css(self) -> str:
        """Class of the stylesheet that fills it."""
        return {"dot": "sl-dot", "outside": "sl-outside"}.get(self.kind, "sl-limit")

    @property
    def path(self) -> str:
        """Its outline."""
        r = MARK
        if self.kind == "outside":
            r = MARK * 1.4
            return f"M{self.x} {tidy(self.y - r)}l{r} {r}l{-r} {r}l{-r} {-r}Z"
        if self.kind != "dot":
            return f"M{tidy(self.x - r)} {self.y}h{2 * r}l{-r} {r * 1.7 if self.kind == 'down' else -r * 1.7:.1f}Z"
        return f"M{tidy(self.x - r)} {self.y}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"


@dataclass
class Multiple:
    """A finished drawing: courses and printed ranges behind, results before them."""

    size: Size
    courses: list[Rect]
    ranges: list[Rect]
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    shapes: list[Shape]
    line: str
    today_x: float | None


def draw(
    results: Sequence[Result], courses: Sequence[Course], span: tuple[date, date], today: date, size: Size = SIZE
) -> Multiple:
    """One test between two dates, its results oldest first. At least one result."""
    across, axis = Across(*span, size), scale(results)

    def at(value: Decimal) -> float:
        return height(size.plot, axis.share(value))

    shapes = [Shape(_kind(each), across.x(each.on), at(each.value)) for each in results]
    ranges = _ranges(results, across, at)
    return Multiple(
        size=size,
        courses=_courses(courses, across),
        ranges=ranges,
        y_ticks=[Tick(at(line), _figure(line)) for line in axis.lines],
        x_ticks=month_ticks(across),
        shapes=shapes,
        line="M" + "L".join(f"{shape.x} {shape.y}" for shape in shapes) if len(shapes) > 1 else "",
        today_x=across.x(today) if span[0] <= today <= span[1] else None,
    )


def _kind(result: Result) -> str:
    if result.comparator != "=":
        return "down" if result.comparator.startswith("<") else "up"
    return "outside" if result.outside else "dot"


def _figure(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale(results: Sequence[Result]) -> Axis:
    """A scale around the results and their ranges, with two to five round lines; its ends are lines as well."""
    shown = [each.value for each in results]
    shown += [limit for each in results for limit in (each.low, each.high) if limit is not None]
    low, high = min(shown), max(shown)
    room = ((high - low) or high) * ROOM or Decimal(1)
    low, high = max(low - room, Decimal(0)), high + room
    step = _step((high - low) / MOST_LINES)
    first, last = math.floor(low / step), math.ceil(high / step)
    return Axis(tuple(step * n for n in range(first, last + 1)))


def _step(least: Decimal) -> Decimal:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = Decimal(10) ** math.floor(math.log10(least))
    return next(power * base for base in (1, 2, 5, 10) if power * base >= least)


def _courses(courses: Sequence[Course], across: Across) -> list[Rect]:
    plot, placed = across.plot, list[Rect]()
    for course in sorted(courses, key=lambda course: course.first_on):
        if course.last_on < across.first_on or course.first_on > across.last_on:
            continue
        left, right = across.x(course.first_on), across.x(course.last_on + timedelta(days=1))
        named = [band.x for band in placed if band.label]
        label = str(course.number) if not named or left - named[-1] >= LABEL_ROOM else ""
        placed.append(Rect(left, plot.top, tidy(max(right - left, 3)), tidy(plot.bottom - plot.top), label))
    return placed


def _ranges(results: Sequence[Result], across: Across, at: Callable[[Decimal], float]) -> list[Rect]:
    """The printed range of each result, from halfway to the one before it to halfway to the next; equal ones as one."""
    plot, days = across.plot, [across.x(each.on) for each in results]
    middles = [tidy((a + b) / 2) for a, b in pairwise(days)]
    starts, ends = [plot.left, *middles], [*middles, plot.right]
    found: list[tuple[float, float, Decimal | None, Decimal | None]] = []
    for result, start, end in zip(results, starts, ends, strict=True):
        same = found and found[-1][1] == start and found[-1][2:] == (result.low, result.high)
        if same:
            start = found.pop()[0]
        found.append((start, end, result.low, result.high))
    return [_range(across, at, *each) for each in found if each[2] is not None or each[3] is not None]


def _range(
    across: Across, at: Callable[[Decimal], float], start: float, end: float, low: Decimal | None, high: Decimal | None
) -> Rect:
    top = across.plot.top if high is None else at(high)
    bottom = across.plot.bottom if low is None else at(low)
    return Rect(start, top, tidy(end - start), tidy(bottom - top))


# Peaks


@dataclass(frozen=True)
class Peak:
    """The highest or the lowest result of a course, and the day of the course it was drawn on; None outside courses."""

    result: Result
    day: int | None


@dataclass(frozen=True)
class Peaks:
    """One course, or with `course` None everything outside courses. A limit of the method is no peak of its side."""

    course: Course | None
    highest: Peak | None
    lowest: Peak | None
    count: int


def peaks(results: Sequence[Result], courses: Sequence[Course]) -> list[Peaks]:
    """The courses that have results, the newest first, then what was drawn outside courses.

    A course counts until a week after its last injection, and never into the next course.
    """
    ordered = sorted(courses, key=lambda course: course.first_on)
    found = [
        (course, [each for each in results if _course_of(each, ordered) is course]) for course in reversed(ordered)
    ]
    outside = [each for each in results if _course_of(each, ordered) is None]
    return [_peaks(course, within) for course, within in (*found, (None, outside)) if within]


def _course_of(result: Result, ordered: Sequence[Course]) -> Course | None:
    begun = [course for course in ordered if course.first_on <= result.on]
    return begun[-1] if begun and result.on <= begun[-1].last_on + AFTER_COURSE else None


def _peaks(course: Course | None, within: Sequence[Result]) -> Peaks:
    def peak(result: Result | None) -> Peak | None:
        day = (result.on - course.first_on).days + 1 if result and course else None
        return Peak(result, day) if result else None

    tops = [each for each in within if not each.comparator.startswith("<")]
    lows = [each for each in within if not each.comparator.startswith(">")]
    highest = max(tops, key=lambda each: each.value, default=None)
    lowest = min(lows, key=lambda each: each.value, default=None)
    return Peaks(course, peak(highest), peak(lowest), len(within))
