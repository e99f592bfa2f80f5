"""The picture of the weeks between two courses: when blood is too soon to test, today, the test, the next course."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

EDGE = 6
SOON_LABEL = 132  # "until 20 December" is about this long
HALF_TEST_LABEL = 46


@dataclass(frozen=True)
class Dates:
    """What the picture shows. `test_on` None = no test is possible or wanted before the next course."""

    from_number: int
    course_ended_on: date
    course_days: int
    too_soon_until: date
    today: date
    test_on: date | None
    next_number: int
    next_starts_on: date
    next_days: int


@dataclass(frozen=True)
class Gap:
    """One drawing of `width` units; every field is an x or a length, ready for the SVG."""

    name: str
    width: int
    left_course: tuple[Decimal, Decimal]
    hatch: tuple[Decimal, Decimal]
    right_course: tuple[Decimal, Decimal]
    today: Decimal
    test: Decimal | None
    test_label: Decimal
    right: int
    today_anchor: str


def draw(dates: Dates, name: str, width: int) -> Gap:
    """Lay the weeks out from one day before the last course to the end of the next one."""
    first = dates.course_ended_on - timedelta(days=dates.course_days)
    last = dates.next_starts_on + timedelta(days=dates.next_days)
    share = Decimal(width - 2 * EDGE) / (last - first).days

    def x(day: date) -> Decimal:
        return round(EDGE + (min(max(day, first), last) - first).days * share, 1)

    after = dates.course_ended_on + timedelta(days=1)
    soon_ends = min(dates.too_soon_until + timedelta(days=1), dates.next_starts_on)
    rightmost = width - EDGE - Decimal(HALF_TEST_LABEL)
    today, test = x(dates.today), x(dates.test_on) if dates.test_on else None
    return Gap(
        name=name,
        width=width,
        left_course=(x(after - timedelta(days=dates.course_days)), round(dates.course_days * share, 1)),
        hatch=(x(after), max(Decimal(0), x(soon_ends) - x(after))),
        right_course=(x(dates.next_starts_on), round(dates.next_days * share, 1)),
        today=today,
        test=test,
        test_label=min(max(test or today, x(after) + SOON_LABEL + HALF_TEST_LABEL), rightmost),
        right=width - EDGE,
        today_anchor=" c-end" if today > width - 40 else "" if today < 40 else " c-mid",
    )
