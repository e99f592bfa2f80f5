"""What may be called a rise or a fall, what a nadir, what a burst."""

from datetime import date
from decimal import Decimal

import pytest

from labs.differences import CD4_NOISE, Difference, bursts, lowest, of_counts, of_loads
from labs.loads import NOISE_FACTOR, well_above
from labs.trends import Judgement, Point, Reason, Verdict, trend

SAME, HIGHER, LOWER, NOT = Difference.ABOUT_THE_SAME, Difference.HIGHER, Difference.LOWER, Difference.NOT_COMPARED


def point(day, value, verdict=Verdict.RELIABLE, comparator="="):
    value = None if value is None else Decimal(value)
    return Point(date.fromisoformat(day), value, comparator, Judgement(verdict, Reason.LONG_ENOUGH), day)


def before(value, comparator="="):
    return point("2026-01-10", value, Verdict.BASELINE, comparator)


def after(value, comparator="=", verdict=Verdict.RELIABLE):
    return point("2026-09-10", value, verdict, comparator)


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (400, 519, SAME),
        (400, 520, HIGHER),
        (400, 281, SAME),
        (400, 280, LOWER),
        (400, 400, SAME),
        (422, 612, HIGHER),
        (500, "649.9", SAME),
        (500, 650, HIGHER),
        (0, 0, SAME),
        (0, 30, HIGHER),
    ],
)
def test_domain_3_5_a_cd4_count_rises_or_falls_from_30_percent_on(then, now, said):
    assert of_counts(trend([before(then), after(now)])) is said


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (1000, 3162, SAME),
        (1000, 3163, HIGHER),
        (3162, 1000, SAME),
        (3163, 1000, LOWER),
        (64, 20, LOWER),
        (63, 20, SAME),
        (20, 20, SAME),
    ],
)
def test_domain_3_5_a_viral_load_rises_or_falls_from_half_a_log10_step_on(then, now, said):
    assert of_loads(trend([before(then), after(now)])) is said


@pytest.mark.parametrize(
    "points",
    [
        [],
        [before(400)],
        [after(612)],
        [before(400), after(900, verdict=Verdict.UNRELIABLE)],
        [before(400), after(900, verdict=Verdict.BORDERLINE)],
        [point("2026-01-10", 400, Verdict.UNKNOWN), after(900)],
        [before(400), after(20, "<")],
        [before(20, "<"), after(4100)],
        [before(400), after(None)],
    ],
)
def test_nothing_is_compared_unless_both_are_reliable_numbers(points):
    assert of_counts(trend(points)) is NOT
    assert of_loads(trend(points)) is NOT


def test_the_noise_of_the_tests_is_30_percent_and_half_a_log10_step():
    assert Decimal("0.30") == CD4_NOISE
    assert abs(NOISE_FACTOR.log10() - Decimal("0.5")) < Decimal("1e-20")


@pytest.mark.parametrize(
    ("low", "high", "above"),
    [("4.3", "4.8", True), ("4.31", "4.8", False), ("4.0", "4.4999", False), ("1.699", "2.199", True)],
)
def test_domain_3_5_half_a_step_between_two_printed_logarithms_is_a_difference_though_whole_copies_hide_it(
    low, high, above
):
    points = [before((Decimal(10) ** Decimal(log)).quantize(1))._replace(log10=Decimal(log)) for log in (low, high)]
    assert well_above(points[1], points[0]) is above
    assert Decimal(63096) < Decimal(19953) * NOISE_FACTOR


def test_h17_the_lowest_count_is_never_one_that_came_too_soon():
    points = [
        before(422),
        point("2026-08-01", 90, Verdict.UNRELIABLE),
        point("2026-08-20", 110, Verdict.BORDERLINE),
        point("2026-08-25", 120, Verdict.UNKNOWN),
        point("2026-09-10", 388),
        point("2026-10-10", 388),
        point("2026-11-10", 100, comparator="<"),
    ]
    assert (lowest(points).value, lowest(points).key) == (388, "2026-09-10")
    assert lowest(points[1:4]) is None


def keys(points):
    return [each.key for each in bursts(points)]


def test_p08_a_burst_is_a_load_soon_after_an_injection_well_above_the_last_that_counts():
    level = point("2026-07-15", 20, comparator="<")
    burst = point("2026-08-12", 64, Verdict.UNRELIABLE)
    assert keys([burst, level]) == ["2026-08-12"]
    assert keys([level, point("2026-08-12", 63, Verdict.UNRELIABLE)]) == []
    assert keys([level, point("2026-08-12", 64, Verdict.BORDERLINE)]) == ["2026-08-12"]
    assert keys([level, point("2026-08-12", 640)]) == []
    assert keys([level, point("2026-08-12", 640, Verdict.UNRELIABLE, "<")]) == []
    assert keys([burst]) == []
    assert keys([point("2026-07-15", None), burst]) == ["2026-08-12"]
    assert keys([point("2026-07-15", 5000), burst]) == []
