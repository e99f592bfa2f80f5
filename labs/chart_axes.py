"""The two axes of a drawing: time across, linear or by powers of ten up. Pure geometry in SVG units."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from labs.chart_labels import Box

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240)


@dataclass(frozen=True)
class Size:
    """A drawing and the room around its plot. `under` is the part of `bottom` beneath the words of the time axis."""

    width: float
    height: float
    left: float = 48
    right: float = 14
    top: float = 26
    bottom: float = 30
    under: float = 0

    @property
    def plot(self) -> Box:
        """The rectangle between the axes."""
        return Box(self.left, self.top, self.width - self.right, self.height - self.bottom)

    @property
    def plot_height(self) -> float:
        """From the lowest line to the highest."""
        return self.height - self.bottom - self.top

    @property
    def y_words(self) -> float:
        """Where the words of the upright axis end."""
        return self.left - 6

    @property
    def x_words(self) -> float:
        """The baseline of the words under the plot."""
        return self.height - 8 - self.under


@dataclass(frozen=True)
class Tick:
    """A place on an axis with its word."""

    at: float
    label: str

    @property
    def baseline(self) -> float:
        """Where its word stands beside a line of the upright axis."""
        return tidy(self.at + 4)


class Across:
    """The time axis of a drawing."""

    def __init__(self, first_on: date, last_on: date, size: Size) -> None:
        self.size, self.plot, self.first_on, self.last_on = size, size.plot, first_on, last_on
        self.days = max((last_on - first_on).days, 1)

    def x(self, on: date) -> float:
        """Place of a day, kept inside the plot."""
        share = min(max((on - self.first_on).days / self.days, 0.0), 1.0)
        return tidy(self.plot.left + share * (self.plot.right - self.plot.left))


def height(plot: Box, share: float) -> float:
    """Place of a share of the height, 0 at the bottom."""
    return tidy(plot.bottom - share * (plot.bottom - plot.top))


def tidy(number: float) -> float:
    """One decimal is finer than a screen."""
    return round(number, 1)


@dataclass(frozen=True)
class Axis:
    """A vertical scale: its lines with their words, from the lowest to the highest. `log` = by powers of ten."""

    lines: tuple[Decimal, ...]
    log: bool = False

    def share(self, value: Decimal | None) -> float:
        """Height of a value, 0 at the lowest line and 1 at the highest. Not detected without a limit lies at 0."""
        if value is None:
            return 0.0
        low, high = self._ends
        return min(max((self._scaled(value) - low) / (high - low), 0.0), 1.0)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return self._scaled(self.lines[0]), self._scaled(self.lines[-1])

    def _scaled(self, value: Decimal) -> float:
        return math.log10(value) if self.log and value > 0 else float(value)


def linear_axis(values: Sequence[Decimal]) -> Axis:
    """From 0 to a round number above everything shown, in at most six steps."""
    top = max([*values, Decimal(10)])
    step = next(
        Decimal(base) * Decimal(10) ** power
        for power in range(8)
        for base in ("1", "2", "2.5", "5")
        if base != "2.5" or power
        if Decimal(base) * Decimal(10) ** power * 6 >= top * Decimal("1.04")
    )
    lines = int((top * Decimal("1.04") / step).to_integral_value("ROUND_CEILING"))
    return Axis(tuple(step * n for n in range(lines + 1)))


def power_axis(values: Sequence[Decimal]) -> Axis:
    """Powers of ten around everything shown, at least from 10 to 1,000."""
    low = min([1, *(math.floor(math.log10(value)) for value in values if value > 0)])
    high = max([3, *(math.ceil(math.log10(value)) for value in values if value > 0)])
    return Axis(tuple(Decimal(10) ** power for power in range(max(low, 0), high + 1)), log=True)


def month_ticks(across: Across) -> list[Tick]:
    """First days of months, so many as fit, the year beside January and the first one."""
    first_on, last_on, size = across.first_on, across.last_on, across.size
    months = (last_on.year - first_on.year) * 12 + last_on.month - first_on.month + 1
    room = 60 if size.width < 500 else 90
    wanted = max(int((size.plot.right - size.plot.left) / room), 2)
    step = next((step for step in MONTH_STEPS if months / step <= wanted), MONTH_STEPS[-1])
    ticks: list[Tick] = []
    for index in range(first_on.year * 12 + first_on.month - 1, last_on.year * 12 + last_on.month):
        day = date(index // 12, index % 12 + 1, 1)
        x = across.x(day)
        if index % step == 0 and first_on <= day <= last_on and size.left - 20 <= x <= size.plot.right - 12:
            ticks.append(Tick(x, _month(day, step, first=not ticks)))
    return ticks


def _month(day: date, step: int, *, first: bool) -> str:
    if step >= 12:
        return str(day.year)
    return f"{MONTHS[day.month - 1]} {day.year}" if first or day.month == 1 else MONTHS[day.month - 1]
