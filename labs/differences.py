"""What may be said about two readings, and about one soon after a course: never more than the noise of the test allows.

Pure. Sources: domain 3.5 (30 % for CD4+, half a log10 step for viral load), 2.3 (nadir), P08 (bursts after a course).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum

from labs.loads import well_above
from labs.trends import TOO_SOON, Point, Trend, reliable

CD4_NOISE = Decimal("0.30")  # share of the count before: a smaller difference is no rise or fall (domain 3.5)


class Difference(Enum):
    """How the newest reading that counts stands to the one before the first course."""

    NOT_COMPARED = "one of the two is missing or only a limit"
    ABOUT_THE_SAME = "within the usual variation"
    HIGHER = "higher"
    LOWER = "lower"

    @property
    def is_called(self) -> bool:
        """Whether a rise or a fall may be named."""
        return self in {Difference.HIGHER, Difference.LOWER}


def of_counts(said: Trend) -> Difference:
    """CD4+ counts: a rise or a fall from 30 % of the count before (domain 3.5)."""
    if said.change is None or said.before_first is None:
        return Difference.NOT_COMPARED
    least = (said.before_first.value or Decimal(0)) * CD4_NOISE
    return _named(said.change, large=bool(said.change) and abs(said.change) >= least)


def of_loads(said: Trend) -> Difference:
    """Viral loads: a rise or a fall from half a log10 step (domain 3.5)."""
    if said.change is None or said.last is None or said.before_first is None:
        return Difference.NOT_COMPARED
    low, high = sorted((said.last, said.before_first), key=lambda point: point.value or Decimal(0))
    return _named(said.change, large=bool(said.change) and well_above(high, low))


def _named(change: Decimal, *, large: bool) -> Difference:
    if not large:
        return Difference.ABOUT_THE_SAME
    return Difference.HIGHER if change > 0 else Difference.LOWER


def lowest(points: Iterable[Point]) -> Point | None:
    """The lowest counted value that counts, the oldest of equals: what comes too soon is never a nadir (2.3, H17)."""
    counted = [point for point in reliable(points) if point.counted]
    return min(counted, key=lambda point: point.value or Decimal(0), default=None)


def bursts(points: Sequence[Point]) -> list[Point]:
    """Viral loads soon after an injection, half a log10 step or more above the last that counts before them (P08)."""
    found, level = [], None
    for point in sorted(points, key=lambda point: point.on):
        if point.counts:
            level = point
        elif level is not None and point.judgement.verdict in TOO_SOON and _is_above(point, level):
            found.append(point)
    return found


def _is_above(point: Point, level: Point) -> bool:
    if point.value is None or point.comparator == "<":
        return False
    return level.value is None or well_above(point, level)
