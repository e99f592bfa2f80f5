"""Slopes of real series against an independent way of computing them, and what never goes into one."""

import csv
import math
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import linear_regression

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.slopes import DAYS_A_MONTH, least_squares, slope
from labs.trends import Judgement, Point, Reason, Verdict
from tests.labs.samples import ACTG

FIRST = date(2026, 1, 1)
LOG_LIMIT = Decimal("1.699")  # in the file: below 100, not counted


def point(day, value, comparator="=", verdict=Verdict.RELIABLE):
    value = None if value is None else Decimal(value)
    return Point(FIRST + timedelta(days=day), value, comparator, Judgement(verdict, Reason.LONG_ENOUGH))


def patients():
    """Study day, log10 RNA and CD4+ of each patient, exactly as in the file; the days in order."""
    with ACTG.open() as file:
        rows = list(csv.DictReader(file))
    found = {}
    for row in rows:
        line = int(row["study_day"]), row["log10_hiv_rna_copies_per_ml"], row["cd4_cells_per_uL"]
        found.setdefault(row["patient"], []).append(line)
    return {patient: sorted(lines) for patient, lines in found.items()}


def exactly(xs, ys):
    """The gradient by the normal equations in fractions: another formula, without any rounding."""
    n, sx, sy = len(xs), sum(xs), sum(ys)
    together = sum(x * y for x, y in zip(xs, ys, strict=True))
    return (n * together - sx * sy) / (n * sum(x * x for x in xs) - sx * sx)


def months(day):
    return Fraction(day) / Fraction(487, 16)  # 30.4375


@pytest.mark.parametrize("patient", patients())
def test_actg_each_patients_cd4_slope_is_that_of_exact_arithmetic_and_of_the_standard_library(patient):
    counted = [(day, cd4) for day, _rna, cd4 in patients()[patient] if cd4]
    found = slope([point(day, cd4) for day, cd4 in counted])
    xs, ys = [months(day) for day, _ in counted], [Fraction(cd4) for _, cd4 in counted]
    assert found.points == len(counted) >= 3
    assert abs(found.per_month - float(exactly(xs, ys))) < 1e-9
    library = linear_regression([day / DAYS_A_MONTH for day, _ in counted], [float(cd4) for _, cd4 in counted])
    assert abs(found.per_month - library.slope) < 1e-9


@pytest.mark.parametrize("patient", patients())
def test_actg_the_slope_of_viral_load_leaves_values_below_the_limit_out(patient):
    rows = [(day, Decimal(rna)) for day, rna, _cd4 in patients()[patient] if rna]
    points = [
        point(day, 100, "<") if rna == LOG_LIMIT else point(day, (Decimal(10) ** rna).quantize(1))._replace(log10=rna)
        for day, rna in rows
    ]
    found, counted = slope(points, log=True), [(day, rna) for day, rna in rows if rna != LOG_LIMIT]
    if len(counted) < 3:
        assert found is None
        return
    library = linear_regression([day / DAYS_A_MONTH for day, _ in counted], [float(rna) for _, rna in counted])
    assert (found.points, found.limits) == (len(counted), len(rows) - len(counted))
    assert abs(found.per_month - library.slope) < 1e-9  # the copies are rounded, the printed logarithms are not


def test_the_file_really_holds_values_below_the_limit():
    below = [rna for rows in patients().values() for _day, rna, _cd4 in rows if rna and Decimal(rna) == LOG_LIMIT]
    assert len(below) > 10


def test_a_straight_line_has_its_gradient_with_the_points_and_days_it_rests_on():
    found = slope([point(0, 300), point(61, 340), point(122, 380), point(183, 420)])
    assert math.isclose(found.per_month, 40 / 61 * DAYS_A_MONTH)
    assert (found.points, found.first_on, found.last_on) == (4, FIRST, FIRST + timedelta(days=183))


@pytest.mark.parametrize(
    "points",
    [
        [],
        [point(0, 300), point(61, 340)],
        [point(0, 300), point(61, 340), point(90, 900, verdict=Verdict.UNRELIABLE)],
        [point(0, 300), point(61, 340), point(90, 500, verdict=Verdict.BORDERLINE)],
        [point(0, 300), point(61, 340), point(90, 20, "<")],
        [point(0, 300), point(61, 340), point(90, 5000, ">")],
        [point(0, 300), point(61, 340), point(90, None)],
        [point(0, 300), point(0, 340), point(0, 350)],
    ],
)
def test_there_is_no_slope_without_three_reliable_numbers_of_different_days(points):
    assert slope(points) is None


def test_what_does_not_count_and_what_is_only_a_limit_changes_no_slope():
    counted = [point(0, 300), point(61, 340), point(122, 360)]
    more = [point(30, 20, "<"), point(70, 2000, verdict=Verdict.UNRELIABLE), point(100, None)]
    without, found = slope(counted), slope(counted + more)
    assert (found.per_month, found.points, found.limits) == (without.per_month, 3, 2)


def test_a_value_of_0_has_no_logarithm_and_is_left_out():
    assert slope([point(0, 0), point(30, 100), point(60, 1000)], log=True) is None
    found = slope([point(0, 0), point(0, 100), point(30, 100), point(60, 100)], log=True)
    assert (found.per_month, found.points) == (0, 3)


@given(st.lists(st.tuples(st.integers(0, 7300), st.integers(0, 5000)), min_size=3, max_size=60))
def test_any_series_agrees_with_exact_arithmetic(pairs):
    xs = [day / DAYS_A_MONTH for day, _ in pairs]
    if len(set(xs)) == 1:
        with pytest.raises(ZeroDivisionError):
            least_squares(xs, [float(y) for _, y in pairs])
        return
    exact = float(exactly([Fraction(x) for x in xs], [Fraction(y) for _, y in pairs]))
    assert math.isclose(least_squares(xs, [float(y) for _, y in pairs]), exact, rel_tol=1e-9, abs_tol=1e-9)
