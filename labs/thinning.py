"""Which draws of a long history are drawn: lowest and highest of every stretch, so that none ever vanishes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from labs.trends import Point, reliable

MOST_DRAWS = 400
ENDS = 2  # the lowest and the highest


def worth_drawing(series: Sequence[Sequence[Point]], most: int = MOST_DRAWS) -> set[date]:
    """Days of the draws to show: all of them up to `most`; beyond that those that hold the lowest and highest values.

    Each series is looked at twice, whole and only what counts: a low or high point that counts is kept beside one
    that does not. The first and the newest of each are always kept.
    """
    days = {point.on for points in series for point in points}
    if len(days) <= most:
        return days
    groups = [*series, *map(reliable, series)]
    stretches = max(most // (ENDS * len(groups)) - 1, 1)
    return {day for group in groups for day in _telling(group, stretches)}


def _telling(points: Sequence[Point], stretches: int) -> Iterable[date]:
    if not points:
        return
    yield from (points[0].on, points[-1].on)
    for n in range(stretches):
        stretch = points[n * len(points) // stretches : (n + 1) * len(points) // stretches]
        if stretch:
            yield min(stretch, key=_height).on
            yield max(stretch, key=_height).on


def _height(point: Point) -> Decimal:
    return point.value if point.value is not None else Decimal(0)
