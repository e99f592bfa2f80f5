"""Grades of blood tests (domain 3.4, CTCAE v5.0): each edge on, just before and just past it. Pure: no database."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs import grading, units
from labs.grading import Grade, Kind, Limit, Limits, NoGrade, grade


def printed(low: str = "", high: str = "") -> Limits:
    return Limits(*(Limit(Fraction(text), text) if text else None for text in (low, high)))


def number(test: str, value: Any, limits: Limits | None, comparator: str = "=", **more: Any) -> Any:
    """The grade's number; None where no grade is met; an AssertionError where it cannot be said."""
    found = grade(test, Fraction(value), comparator, limits, **more)
    if isinstance(found, NoGrade):
        assert found.kind is Kind.NONE_MET, found.why
        return None
    assert found.version == "CTCAE v5.0"
    return found.number


ALT, BILIRUBIN, CREATININE = printed(high="40"), printed(high="1.2"), printed("0.6", "1.3")
ALBUMIN, POTASSIUM, MAGNESIUM = printed("3.5", "5.0"), printed("3.5", "5.1"), printed("1.7", "2.4")
HB, PLATELETS, WHITE, NEUTRO = printed("12", "17"), printed("150", "400"), printed("4", "11"), printed("1.8", "7.5")
CALCIUM, LYMPHOCYTES = printed("8.5", "10.5"), printed("1", "3.8")
EDGES = [
    # test, limits, then value and grade: before, on, past each edge
    ("alt", ALT, "39.9 -, 40 -, 40.1 1, 119.9 1, 120 1, 120.1 2, 200 2, 200.1 3, 800 3, 800.1 4, 20000 4"),
    ("ast", ALT, "40 -, 40.1 1, 120 1, 120.1 2, 200 2, 200.1 3, 800 3, 800.1 4"),
    ("bilirubin", BILIRUBIN, "1.2 -, 1.21 1, 1.8 1, 1.81 2, 3.6 2, 3.61 3, 12 3, 12.01 4"),
    ("creatinine", CREATININE, "1.3 -, 1.31 1, 1.95 1, 1.96 2, 3.9 2, 3.91 3, 7.8 3, 7.81 4, 0.1 -"),
    ("albumin", ALBUMIN, "3.5 -, 3.49 1, 3 1, 2.99 2, 2 2, 1.99 3, 0.5 3"),
    ("potassium", POTASSIUM, "5.1 -, 5.11 1, 5.5 1, 5.51 2, 6.0 2, 6.01 3, 7.0 3, 7.01 4"),
    ("potassium", POTASSIUM, "3.5 -, 3.49 1, 3.0 1, 2.99 3, 2.5 3, 2.49 4"),
    ("calcium", CALCIUM, "10.5 -, 10.51 1, 11.5 1, 11.51 2, 12.5 2, 12.51 3, 13.5 3, 13.51 4"),
    ("calcium", CALCIUM, "8.5 -, 8.49 1, 8.0 1, 7.99 2, 7.0 2, 6.99 3, 6.0 3, 5.99 4"),
    ("hemoglobin", HB, "12 -, 11.9 1, 10 1, 9.9 2, 8 2, 7.9 3, 2 3"),
    ("platelets", PLATELETS, "150 -, 149 1, 75 1, 74 2, 50 2, 49 3, 25 3, 24 4"),
    ("white_cells", WHITE, "4 -, 3.99 1, 3.0 1, 2.99 2, 2.0 2, 1.99 3, 1.0 3, 0.99 4, 50 -"),
    ("neutrophils", NEUTRO, "1.8 -, 1.79 1, 1.5 1, 1.49 2, 1.0 2, 0.99 3, 0.5 3, 0.49 4"),
    ("lymphocytes", LYMPHOCYTES, "3.9 -, 4 -, 4.01 2, 20 2, 20.01 3, 0.1 -"),
]
CASES = [(test, limits, *case.split()) for test, limits, cases in EDGES for case in cases.split(", ")]


@pytest.mark.parametrize(("test", "limits", "value", "expected"), CASES)
def test_every_boundary_is_exactly_as_printed(test, limits, value, expected):
    assert number(test, value, limits, albumin_inside=True) == (None if expected == "-" else int(expected))


@pytest.mark.parametrize(
    ("mmol", "expected"),
    [("0.6994", None), ("0.6993", 1), ("0.5", 1), ("0.4999", 2), ("0.4", 2), ("0.3999", 3), ("0.3", 3), ("0.2999", 4)],
)
def test_magnesium_is_compared_in_the_unit_of_its_printed_bounds(mmol, expected):
    """Its own unit is mg/dL; 0.4114 of it is mmol/L. The lower limit is 1.7 mg/dL."""
    assert number("magnesium", Fraction(mmol) / Fraction("0.4114"), MAGNESIUM) == expected


# The bounds of each term in the unit of the table, and the printed limit they are counted from.
TABLE = {
    "alt": "1 3 5 20",
    "ast": "1 3 5 20",
    "bilirubin": "1 1.5 3 10",
    "creatinine": "1 1.5 3 6",
}
FIXED = {
    "albumin": "3 2", "potassium": "3.0 2.5", "calcium": "8.0 7.0 6.0", "hemoglobin": "10 8", "platelets": "75 50 25",
    "white_cells": "3.0 2.0 1.0", "neutrophils": "1.5 1.0 0.5",
}  # fmt: skip


def in_every_unit(tests):
    return [(test, unit) for test in tests for unit in units.library()[test].factors]


@pytest.mark.parametrize(("test", "unit"), in_every_unit(TABLE))
def test_a_multiple_of_the_limit_is_on_the_boundary_in_every_unit(test, unit):
    """120 µmol/L with a limit of 80 is 1.5 times it, not more."""
    exact = units.library()[test].factors[unit].exact
    for limit in range(10, 150):
        limits = Limits(high=Limit(exact(Decimal(limit)), f"{limit}"))
        for below, times in enumerate(TABLE[test].split()):
            value = limit * Decimal(times)
            assert number(test, exact(value), limits, baseline_high=False) == (below or None)
            assert number(test, exact(value + Decimal("0.001")), limits, baseline_high=False) == below + 1


@pytest.mark.parametrize(("test", "unit"), in_every_unit(FIXED))
def test_a_fixed_bound_is_strict_in_every_unit(test, unit):
    """What stands on the bound when it is written in that unit; where no decimal does, the nearest ones beside it."""
    operation = units.library()[test].factors[unit]
    limits = Limits(Limit(Fraction(1000), "1000"), Limit(Fraction(10**6), "1000000"))
    for bound in map(Fraction, FIXED[test].split()):
        written = bound / operation.times
        on = Decimal(written.numerator) / Decimal(written.denominator)
        grades = [
            number(test, operation.exact(on + step), limits, albumin_inside=True)
            for step in (Decimal("0.001"), Decimal("-0.001"))
        ]
        assert grades[0] < grades[1]
        if operation.exact(on) == bound:
            assert number(test, operation.exact(on), limits, albumin_inside=True) == grades[0]


@pytest.mark.parametrize(("mmol", "expected"), [("0.5", 1), ("0.4", 2), ("0.3", 3)])
def test_magnesium_written_in_mmol_is_on_its_boundary(mmol, expected):
    exact = units.library()["magnesium"].factors["mmol_l"].exact
    limits = Limits(Limit(exact(Decimal("0.7")), "0.7 mmol/L"))
    assert number("magnesium", exact(Decimal(mmol)), limits) == expected


def test_low_potassium_between_3_and_the_limit_is_1_unless_symptoms_are_recorded():
    graded = {said: number("potassium", "3.2", POTASSIUM, symptoms=said) for said in (None, False, True)}
    assert graded == {None: 1, False: 1, True: 2}
    assert number("potassium", "2.9", POTASSIUM, symptoms=True) == 3


@pytest.mark.parametrize("test", sorted(grading.TERMS))
@pytest.mark.parametrize("value", ["0.1", "3.2", "2000"])
def test_without_the_result_s_own_limit_nothing_is_graded_however_extreme(test, value):
    for limits in (None, printed()):
        found = grade(test, Decimal(value), "=", limits, albumin_inside=True)
        assert isinstance(found, NoGrade)
        assert found.kind is Kind.CANNOT
        assert "limit is not on this result" in found.why


@pytest.mark.parametrize(
    ("test", "value", "limits", "expected"),
    [
        ("potassium", "2.4", printed(high="5.1"), "cannot"),  # low, and only the upper limit is printed
        ("potassium", "4.2", printed(high="5.1"), "cannot"),  # whether it is low cannot be known
        ("potassium", "6.4", printed(high="5.1"), 3),
        ("potassium", "2.4", printed("3.5"), 4),
        ("hemoglobin", "9", printed(high="17"), "cannot"),
        ("alt", "130", printed("7"), "cannot"),
    ],
)
def test_only_the_limit_of_the_side_that_is_meant_helps(test, value, limits, expected):
    found = grade(test, Decimal(value), "=", limits)
    assert (found.number if isinstance(found, Grade) else "cannot") == expected


@pytest.mark.parametrize(
    ("test", "written", "limits", "expected"),
    [
        ("platelets", "< 25", PLATELETS, 4),
        ("platelets", "<= 25", PLATELETS, "cannot"),
        ("platelets", "<= 24", PLATELETS, 4),
        ("platelets", "< 80", PLATELETS, "cannot"),
        ("platelets", "> 400", PLATELETS, None),
        ("platelets", "> 150", PLATELETS, None),
        ("platelets", "> 149", PLATELETS, "cannot"),
        ("alt", "> 800", ALT, 4),
        ("alt", ">= 800", ALT, "cannot"),
        ("alt", "> 500", ALT, "cannot"),
        ("alt", "< 10", ALT, None),
        ("alt", "<= 40", ALT, None),
        ("alt", "< 41", ALT, "cannot"),
        ("lymphocytes", "> 20", LYMPHOCYTES, 3),
        ("lymphocytes", "> 4", LYMPHOCYTES, "cannot"),
        ("potassium", "< 2.5", POTASSIUM, 4),
        ("potassium", "> 7", POTASSIUM, 4),
    ],
)
def test_a_limit_of_the_method_is_graded_only_when_it_can_mean_one_grade(test, written, limits, expected):
    comparator, value = written.split()
    found = grade(test, Decimal(value), comparator, limits)
    if expected == "cannot":
        assert isinstance(found, NoGrade)
        assert found.kind is Kind.CANNOT
    else:
        assert number(test, value, limits, comparator) == expected


@pytest.mark.parametrize("albumin", [None, False])
def test_calcium_is_not_graded_without_a_normal_albumin_of_the_same_draw(albumin):
    found = grade("calcium", Decimal(14), "=", CALCIUM, albumin_inside=albumin)
    assert isinstance(found, NoGrade)
    assert "corrected for albumin" in found.why


@pytest.mark.parametrize("test", ["alt", "ast", "bilirubin"])
def test_a_liver_value_that_was_high_before_treatment_is_not_graded(test):
    found = grade(test, Decimal(900), "=", ALT, baseline_high=True)
    assert isinstance(found, NoGrade)
    assert "before treatment" in found.why


@pytest.mark.parametrize("test", ["cd4", "cd4_percent", "hiv_rna", "glucose", "sodium", "other", "nothing"])
def test_what_is_no_numeric_term_of_the_table_is_never_graded(test):
    """CD4+ above all: its grades are for people without HIV."""
    for value in ("1", "49", "160", "100000"):
        found = grade(test, Decimal(value), "=", printed("100", "200"))
        assert isinstance(found, NoGrade)
        assert found.kind is Kind.NOT_A_TERM


def test_an_unknown_unit_is_not_graded():
    found = grade("alt", None, "=", ALT)
    assert isinstance(found, NoGrade)
    assert found.why == "Cannot grade: there is no number in a known unit."


def test_a_grade_says_what_it_rests_on():
    found = grade("alt", Decimal(130), "=", Limits(high=Limit(Fraction(40), "40 U/L")), baseline_high=False)
    assert found == Grade(
        2, "Alanine aminotransferase increased", "above 3 × the laboratory’s limit of 40 U/L", "CTCAE v5.0"
    )


def why(*case: Any, **more: Any) -> str:
    found = grade(*case, **more)
    assert isinstance(found, Grade)
    return found.why


def test_a_fixed_bound_is_said_in_its_unit_and_what_the_laboratory_says_as_it_is_printed():
    limits = Limits(Limit(Fraction("1.702"), "0.7 mmol/L"))
    assert why("magnesium", Fraction("1.6"), "=", limits) == "below the laboratory’s limit of 0.7 mmol/L"
    assert why("magnesium", Fraction("1.1"), "=", limits) == "below 0.5 mmol/L"


def test_a_grade_of_a_value_within_its_printed_range_says_so():
    """The bounds of the table are kept as printed, also where a laboratory's own limit lies beyond them."""
    low = printed("2.8", "5.1")
    assert (
        why("potassium", Decimal("2.9"), "=", low) == "below 3 mmol/L, though not below the laboratory’s limit of 2.8"
    )
    assert "though" not in why("potassium", Decimal("2.7"), "=", low)
    found = grade("lymphocytes", Decimal("4.5"), "=", printed("1", "4.8"))
    assert found == Grade(
        2, "Lymphocyte count increased", "above 4 × 10⁹/L, though not above the laboratory’s limit of 4.8"
    )


def test_a_liver_grade_says_that_nobody_knows_the_value_before_treatment():
    assert why("alt", Decimal(130), "=", ALT).endswith("; the value before treatment is not known")
    assert "before treatment" not in why("alt", Decimal(130), "=", ALT, baseline_high=False)
    assert "before treatment" not in why("creatinine", Decimal(2), "=", CREATININE)


values = st.decimals(min_value=0, max_value=30000, places=2)


@given(st.sampled_from(sorted(grading.TERMS)), values, values, st.sampled_from(["<", "<=", ">", ">="]), values)
def test_a_limit_never_gets_a_grade_that_one_of_its_values_would_not_get(test, value, other, comparator, limit):
    """Whatever the limit may stand for, the number itself would have had the same grade."""
    limits = printed(str(limit), str(limit))
    found = grade(test, value, comparator, limits, albumin_inside=True)
    stands_for = {"<": other < value, "<=": other <= value, ">": other > value, ">=": other >= value}[comparator]
    if isinstance(found, Grade) and stands_for:
        assert number(test, str(other), limits, albumin_inside=True) == found.number
