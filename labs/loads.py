"""How viral loads stand to each other: half a log10 step is the least that is a difference (domain 3.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from labs.trends import Point, reliable, trend

NOISE_STEP = Decimal("0.5")  # of log10: less is noise of the test (domain 3.5, Raboud 1996)
NOISE_FACTOR = Decimal(10).sqrt()  # the same of copies


def well_above(high: Point, low: Point) -> bool:
    """Whether a load is half a log10 step or more above another; both have a value.

    Two printed logarithms are compared as printed: rounded to whole copies, 4.8 is less than half a step above 4.3.
    """
    if high.log10 is not None and low.log10 is not None:
        return high.log10 - low.log10 >= NOISE_STEP
    assert high.value is not None
    assert low.value is not None
    return high.value >= low.value * NOISE_FACTOR


def is_rising(points: Sequence[Point]) -> bool:
    """Whether the newest viral load is half a log10 step or more above the one before it that counts (P67, D4)."""
    joined = [point for point in reliable(points) if point.value is not None]
    if len(joined) < 2 or joined[-1].comparator == "<":
        return rose_after_course(points)
    return rose_after_course(points) or well_above(joined[-1], joined[-2])


def rose_after_course(points: Sequence[Point]) -> bool:
    """Whether the newest viral load does not count and is half a log10 step or more above the last that does (D4)."""
    newest = max(points, key=lambda point: point.on, default=None)
    last = trend(points).last
    if newest is None or newest.counts or last is None or newest.value is None or newest.comparator == "<":
        return False
    return last.value is None or well_above(newest, last)
