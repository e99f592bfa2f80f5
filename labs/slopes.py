"""How steeply a series goes up or down: ordinary least squares, for clinicians (issue: truth in the trend).

Pure. Only counted values go in: a limit ("less than 20") is no number and is never averaged (H12). Two points always
lie on a line, so a slope needs three.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean

from labs.trends import Point, reliable

DAYS_A_MONTH = 30.4375  # 365.25 days in twelve months
FEWEST_POINTS = 3  # app's own


@dataclass(frozen=True)
class Slope:
    """Change per month of 30.4375 days with what it rests on. `per_month` in the unit of what went in.

    `limits` counts the reliable results that are no numbers and were left out.
    """

    per_month: float
    points: int
    first_on: date
    last_on: date
    limits: int = 0


def slope(points: Iterable[Point], *, log: bool = False) -> Slope | None:
    """Slope between the reliable counted values; None for fewer than three of them, or all of one day.

    `log`: of the decimal logarithm, for viral load; a value of 0 has none and is left out like a limit.
    """
    joined = reliable(points)
    counted = [point for point in joined if point.counted and (point.value or not log)]
    if len(counted) < FEWEST_POINTS or counted[0].on == counted[-1].on:
        return None
    months = [(point.on - counted[0].on).days / DAYS_A_MONTH for point in counted]
    per_month = least_squares(months, [_logarithm(point) if log else float(point.value or 0) for point in counted])
    return Slope(per_month, len(counted), counted[0].on, counted[-1].on, len(joined) - len(counted))


def _logarithm(point: Point) -> float:
    """As printed where the report printed it: rounded to whole copies it would be another number."""
    return float(point.log10) if point.log10 is not None else math.log10(point.value or 0)


def least_squares(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Gradient of the line with the smallest sum of squared distances. Raises ZeroDivisionError if all x are equal."""
    xs = [x - xs[0] for x in xs]  # so that equal ones are exactly 0, and nothing is made of their rounding
    x_mean, y_mean = fmean(xs), fmean(ys)
    together = math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return together / math.fsum((x - x_mean) ** 2 for x in xs)
