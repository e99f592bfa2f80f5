"""How viral loads stand to each other: half a log10 step is the least that is a difference (domain 3.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from labs.trends import Point, reliable, trend

NOISE_STEP = Decimal("0.5")  # of log10: less is noise of the test (domain 3.5, Raboud 1996)
NOISE_FACTOR = Decimal(10).sqrt()  # the same of copies
USUAL_LIMIT = Decimal(50)  # copies/mL, app's own: tests begin to count at 20 to 40 (domain 3.5)


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
    """Whether the newest viral load that counts is a rise (domain 3.5, P67), or the newest one came up after a course.

    A rise is half a log10 step above the one before it, or two detectable results after an undetectable one.
    """
    joined = reliable(points)
    if rose_after_course(points):
        return True
    if len(joined) < 2 or not _is_detectable(joined[-1]):
        return False
    return _is_step_above(joined[-1], joined[-2]) or _is_second_detectable(joined)


def _is_detectable(point: Point) -> bool:
    return point.value is not None and point.comparator != "<"


def _is_step_above(last: Point, before: Point) -> bool:
    """ "Not detected" without a limit is taken for a usual limit; what lies above "more than 100,000" nobody knows."""
    if before.comparator == ">":
        return False
    return well_above(last, before if before.value is not None else before._replace(value=USUAL_LIMIT, log10=None))


def _is_second_detectable(joined: Sequence[Point]) -> bool:
    return [_is_detectable(point) for point in joined[-3:]] == [False, True, True]


def rose_after_course(points: Sequence[Point]) -> bool:
    """Whether the newest viral load does not count and is half a log10 step or more above the last that does (D4)."""
    newest = max(points, key=lambda point: point.on, default=None)
    last = trend(points).last
    if newest is None or newest.counts or last is None or newest.value is None or newest.comparator == "<":
        return False
    return last.value is None or well_above(newest, last)
