"""Small drawings of safety tests, and the peaks of each course. Pure: no database."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs import multiples
from labs.charts import Course
from labs.multiples import Result, draw, peaks

SPAN, TODAY = (date(2026, 1, 1), date(2026, 12, 31)), date(2026, 11, 21)


def result(on: str, value: str, printed: str = "", comparator: str = "=", side: str = "inside") -> Result:
    """`printed`: "3.5-5", "3.5-", "-41" or nothing."""
    low, _, high = printed.partition("-")
    limits = (Decimal(low) if low else None, Decimal(high) if high else None)
    return Result(date.fromisoformat(on), Decimal(value), comparator, side, *limits, label=value)


def course(number: int, first: str, last: str) -> Course:
    last_on = date.fromisoformat(last)
    return Course(number, date.fromisoformat(first), last_on, last_on + timedelta(days=28))


def drawn(*results: Result, courses=()):
    return draw(results, courses, SPAN, TODAY)


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (("4.1", "5.2"), ["4", "4.5", "5", "5.5"]),
        (("21", "131"), ["0", "50", "100", "150"]),
        (("136", "145"), ["135", "140", "145", "150"]),
        (("0.04", "0.09"), ["0.02", "0.04", "0.06", "0.08", "0.1"]),
        (("150", "400"), ["100", "200", "300", "400", "500"]),
        (("7",), ["6", "6.5", "7", "7.5", "8"]),
        (("0",), ["0", "0.5", "1"]),
    ],
)
def test_the_scale_has_few_round_lines_around_everything(values, lines):
    chart = drawn(*(result(f"2026-0{n}-01", value) for n, value in enumerate(values, 1)))
    assert [tick.label for tick in chart.y_ticks] == lines


decimals = st.decimals(min_value=0, max_value=20000, places=3)


@given(st.lists(decimals, min_size=1, max_size=12), decimals, decimals)
def test_nothing_is_ever_drawn_outside_the_plot_and_the_lines_stay_few(values, low, high):
    results = [
        Result(SPAN[0] + timedelta(days=20 * n), value, low=min(low, high), high=max(low, high))
        for n, value in enumerate(values)
    ]
    chart = drawn(*results)
    plot = chart.size.plot
    assert 2 <= len(chart.y_ticks) <= multiples.MOST_LINES + 3
    assert len(chart.shapes) == len(values)
    for shape in chart.shapes:
        assert plot.left <= shape.x <= plot.right
        assert plot.top < shape.y <= plot.bottom
    for band in chart.ranges:
        assert band.height >= 0
        assert plot.top <= band.y <= band.y + band.height <= plot.bottom + 0.1


def test_every_result_is_drawn_and_joined_also_in_a_course():
    """Safety tests are never unreliable (H19)."""
    chart = drawn(
        result("2026-03-01", "40"), result("2026-03-04", "90"), courses=[course(1, "2026-03-01", "2026-03-05")]
    )
    assert chart.line.count("L") == 1
    assert [shape.css for shape in chart.shapes] == ["sl-dot", "sl-dot"]


def test_what_is_outside_the_range_and_what_is_only_a_limit_have_shapes_of_their_own():
    chart = drawn(
        result("2026-01-01", "40", side="high"),
        result("2026-02-01", "5", comparator="<"),
        result("2026-03-01", "500", comparator=">="),
        result("2026-04-01", "20", side=""),
    )
    assert [shape.kind for shape in chart.shapes] == ["outside", "down", "up", "dot"]


def test_the_printed_range_steps_halfway_between_the_results_that_differ():
    chart = drawn(
        result("2026-02-01", "4", "3.5-5"),
        result("2026-04-01", "4", "3.5-5"),
        result("2026-06-01", "4", "3.6-5.1"),
    )
    first, second = chart.ranges
    april, june = chart.shapes[1].x, chart.shapes[2].x
    assert first.x == chart.size.plot.left
    assert first.x + first.width == pytest.approx((april + june) / 2, abs=0.2)
    assert second.x + second.width == pytest.approx(chart.size.plot.right, abs=0.2)


def test_where_no_range_is_printed_none_is_drawn():
    chart = drawn(result("2026-02-01", "4", "3.5-5"), result("2026-06-01", "4"), result("2026-10-01", "4", "3.5-5"))
    before, after = chart.ranges
    assert before.x + before.width < chart.shapes[1].x < after.x
    assert drawn(result("2026-02-01", "4")).ranges == []


def test_a_range_with_one_limit_goes_to_the_end_of_the_drawing():
    below, above = drawn(result("2026-02-01", "30", "-41")), drawn(result("2026-02-01", "70", "60-"))
    assert below.ranges[0].y + below.ranges[0].height == pytest.approx(below.size.plot.bottom, abs=0.1)
    assert above.ranges[0].y == above.size.plot.top


def test_courses_stand_on_the_same_axis_and_numbers_never_cover_each_other():
    courses = [course(n, str(date(2026, 1, 1) + timedelta(days=7 * n)), str(date(2026, 1, 3) + timedelta(days=7 * n)))
               for n in range(1, 12)]  # fmt: skip
    chart = drawn(result("2026-02-01", "4"), courses=[*courses, course(99, "2020-01-01", "2020-01-05")])
    assert len(chart.courses) == 11
    named = [band.x for band in chart.courses if band.label]
    assert all(b - a >= 16 for a, b in pairwise(named))


# Peaks

FIRST, SECOND = course(1, "2026-03-01", "2026-03-05"), course(2, "2026-04-26", "2026-04-30")


def said(results, courses):
    return [
        (
            found.course.number if found.course else None,
            *((peak.result.label, peak.day) if peak else None for peak in (found.highest, found.lowest)),
        )
        for found in peaks(results, courses)
    ]


def test_each_course_names_its_highest_and_lowest_with_the_day_of_the_course():
    results = [
        result("2026-02-15", "30"),
        result("2026-03-01", "31"),
        result("2026-03-05", "140"),
        result("2026-03-09", "90"),
        result("2026-04-20", "28"),
        result("2026-04-29", "160"),
    ]
    assert said(results, [FIRST, SECOND]) == [
        (2, ("160", 4), ("160", 4)),
        (1, ("140", 5), ("31", 1)),
        (None, ("30", None), ("28", None)),
    ]


@pytest.mark.parametrize(
    ("on", "where"),
    [("2026-02-28", None), ("2026-03-01", 1), ("2026-03-12", 1), ("2026-03-13", None), ("2026-04-26", 2)],
)
def test_a_course_counts_from_day_1_until_a_week_after_its_last_injection(on, where):
    assert [found[0] for found in said([result(on, "30")], [FIRST, SECOND])] == [where]


def test_a_course_never_reaches_into_the_next_one():
    close = course(2, "2026-03-08", "2026-03-12")
    assert said([result("2026-03-08", "30")], [FIRST, close]) == [(2, ("30", 1), ("30", 1))]


def test_less_than_is_no_highest_and_more_than_no_lowest():
    results = [result("2026-03-02", "10", comparator="<"), result("2026-03-03", "5")]
    assert said(results, [FIRST]) == [(1, ("5", 3), ("5", 3))]
    only = [result("2026-03-02", "10", comparator="<")]
    assert said(only, [FIRST]) == [(1, None, ("10", 2))]
