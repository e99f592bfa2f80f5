from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.ranges import Range, printed, side


def of(low, high, low_inclusive=True, high_inclusive=True):
    low, high = (None if limit is None else Decimal(limit) for limit in (low, high))
    return Range(low, high, low_inclusive, high_inclusive)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("3.6-10.0", of("3.6", "10.0")),
        ("3.6 - 10.0", of("3.6", "10.0")),
        ("135–145 mmol/L", of(135, 145)),
        ("135 — 145", of(135, 145)),
        ("4.3 to 6.2", of("4.3", "6.2")),
        ("(3.5-5.1)", of("3.5", "5.1")),
        ("[ 3.5 - 5.1 ]", of("3.5", "5.1")),
        ("3,5-5,1", of("3.5", "5.1")),
        ("0.0-0.5 K/uL", of("0.0", "0.5")),
        ("4.5 - 11.0 x10E3/uL", of("4.5", "11.0")),
        ("4.5-11.0 10^3/µL", of("4.5", "11.0")),
        ("500-1500 /mm3", of(500, 1500)),
        ("500 - 1500 cells/mm³", of(500, 1500)),
        ("Normal: 3.5-5.0", of("3.5", "5.0")),
        ("Reference range: 3.5 - 5.0 g/dL", of("3.5", "5.0")),
        ("-2 to 2", of(-2, 2)),
        ("-2 - +2 mmol/L", of(-2, 2)),
        ("5-5", of(5, 5)),
        ("1..2", of(1, 2)),
        ("3.5 ... 5.1", of("3.5", "5.1")),
        ("< 41", of(None, 41, high_inclusive=False)),
        ("<41 U/L", of(None, 41, high_inclusive=False)),
        ("less than 5.7 %", of(None, "5.7", high_inclusive=False)),
        ("≤5", of(None, 5)),
        ("<=5 mg/dL", of(None, 5)),
        ("up to 40", of(None, 40)),
        ("0.5 or less", of(None, "0.5")),
        (">60", of(60, None, low_inclusive=False)),
        ("> 60 mL/min/1.73 m2", of(60, None, low_inclusive=False)),
        (">= 90 mL/min/1.73m²", of(90, None)),
        ("at least 60", of(60, None)),
        ("60 or more", of(60, None)),
    ],
)
def test_a_range_is_read_as_it_is_printed(text, limits):
    assert printed(text) == limits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "10",
        "-",
        "not detected",
        "See note",
        "10-5",
        "M: 13-17",
        "13-17 (men), 12-15 (women)",
        "3.5-5.0; 3-4",
        "1-2-3",
        "3,600-10,000",
        "<1,250",
        "1.2.3-4",
        "1....2",
        "<",
        "<>5",
        "about 5",
        "13-17 men",
        "13.0 - 17.0 M",
        "<5 adults",
        "<5 >3",
        "1 250 - 2 500",
        "5" * 70,
        "<1 = Susceptible, >= 1 = Resistant",
        "Male: 4.4 - 5.2 x 10^12/L ; Female: 4.2 - 4.8 x 10^12/L",
    ],
)
def test_what_has_no_single_meaning_is_no_range(text):
    assert printed(text) is None


@pytest.mark.parametrize(
    ("limits", "value", "comparator", "answer"),
    [
        (of("3.6", 10), "3.6", "=", "inside"),
        (of("3.6", 10), "3.59", "=", "low"),
        (of("3.6", 10), 10, "=", "inside"),
        (of("3.6", 10), "10.01", "=", "high"),
        (of(None, 41, high_inclusive=False), "40.9", "=", "inside"),
        (of(None, 41, high_inclusive=False), 41, "=", "high"),
        (of(None, 41), 41, "=", "inside"),
        (of(60, None, low_inclusive=False), 60, "=", "low"),
        (of(60, None), 60, "=", "inside"),
        (of(60, None), 61, "=", "inside"),
        # "less than" lies somewhere below its number
        (of("3.6", 10), "3.6", "<", "low"),
        (of("3.6", 10), "3.7", "<", None),
        (of("3.6", 10), 5, "<", None),
        (of("3.6", 10), "3.6", "<=", None),
        (of("3.6", 10), "3.5", "<=", "low"),
        (of("3.6", 10, low_inclusive=False), "3.6", "<=", "low"),
        (of(None, 41, high_inclusive=False), 41, "<", "inside"),
        (of(None, 41, high_inclusive=False), 41, "<=", None),
        (of(None, 41), 41, "<=", "inside"),
        (of(None, 41), 42, "<", None),
        (of(0, "0.5"), "0.1", "<", "inside"),
        (of(0, "0.5"), "0.5", "<", "inside"),
        (of(0, "0.5"), "0.6", "<", None),
        # "more than" lies somewhere above
        (of("3.6", 10), 10, ">", "high"),
        (of("3.6", 10), "9.9", ">", None),
        (of("3.6", 10), 10, ">=", None),
        (of("3.6", 10), 11, ">=", "high"),
        (of("3.6", 10, high_inclusive=False), 10, ">=", "high"),
        (of(60, None, low_inclusive=False), 60, ">", "inside"),
        (of(60, None, low_inclusive=False), 60, ">=", None),
        (of(60, None), 60, ">=", "inside"),
        (of(60, None), 50, ">", None),
        (of(None, 41), 50, ">", "high"),
        (of(None, 41), 20, ">", None),
        (None, 20, "=", None),
        (of(None, 41), None, "=", None),
    ],
)
def test_a_side_is_named_only_where_it_is_sure(limits, value, comparator, answer):
    assert side(limits, None if value is None else Decimal(value), comparator) == answer


small = st.integers(0, 8).map(Decimal)


@given(
    st.none() | small, st.none() | small, st.booleans(), st.booleans(), small, st.sampled_from(["<", "<=", ">", ">="])
)
def test_what_is_said_of_a_limit_holds_for_every_value_it_may_stand_for(low, high, lower, upper, value, comparator):
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        return
    limits = Range(low, high, lower, upper)
    holds = {
        "<": lambda other: other < value,
        "<=": lambda other: other <= value,
        ">": lambda other: other > value,
        ">=": lambda other: other >= value,
    }[comparator]
    possible = [Decimal(half) / 4 for half in range(80) if holds(Decimal(half) / 4)]
    said = side(limits, value, comparator)
    if said is not None:
        assert {side(limits, other) for other in possible} <= {said}


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_ranges(text):
    limits = printed(text)
    assert limits is None or (limits.low, limits.high) != (None, None)


@given(st.decimals(0, 999, places=2), st.decimals(0, 999, places=2), st.sampled_from(["-", " - ", "–", " to "]))
def test_a_range_that_was_printed_is_read_back(one, other, between):
    low, high = sorted((one, other))
    assert printed(f"{low}{between}{high}") == Range(low, high)
