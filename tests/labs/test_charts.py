from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.chart_axes import linear_axis, power_axis
from labs.chart_labels import Box, Page
from labs.charts import (
    MOST_POINTS,
    NARROW,
    WIDE,
    Course,
    Mark,
    Scene,
    Threshold,
    cd4_chart,
    thin,
    viral_load_chart,
)
from labs.small_charts import position_bar, spark

FIRST, LAST, TODAY = date(2026, 1, 1), date(2026, 12, 31), date(2026, 11, 21)
COURSE = Course(1, date(2026, 7, 29), date(2026, 8, 2), date(2026, 9, 1), "75 million")


def mark(day, value, comparator="=", *, counts=True, label=None):
    number = None if value is None else Decimal(value)
    return Mark(date.fromisoformat(day), number, comparator, counts, label or str(value), f"k{day}")


ANNA = [
    mark("2026-01-14", 388),
    mark("2026-07-15", 422),
    mark("2026-08-12", 958, counts=False),
    mark("2026-09-09", 508),
    mark("2026-11-04", 612),
]
LOADS = [
    mark("2026-01-14", 4100, label="4,100"),
    mark("2026-04-15", 150),
    mark("2026-07-15", 20, "<", label="less than 20"),
    mark("2026-08-12", 64, counts=False),
    mark("2026-11-04", 20, "<", label="less than 20"),
]


def scene(marks, **more):
    return Scene(FIRST, LAST, TODAY, marks, more.pop("courses", [COURSE]), more.pop("thresholds", []))


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_every_reading_is_drawn_inside_the_plot_and_later_ones_lie_further_right(size):
    chart = cd4_chart(scene(ANNA), size)
    assert len(chart.shapes) == len(ANNA)
    assert all(
        size.plot.left <= s.x <= size.plot.right and size.plot.top <= s.y <= size.plot.bottom for s in chart.shapes
    )
    assert [s.x for s in chart.shapes] == sorted(s.x for s in chart.shapes)


def test_higher_counts_lie_higher_and_the_axis_starts_at_0():
    chart = cd4_chart(scene(ANNA), WIDE)
    by_value = sorted(zip(ANNA, chart.shapes, strict=True), key=lambda pair: pair[0].value)
    heights = [shape.y for _mark, shape in by_value]
    assert heights == sorted(heights, reverse=True)
    assert (chart.y_ticks[0].label, chart.y_ticks[0].at) == ("0", WIDE.plot.bottom)


def test_a_reading_that_does_not_count_is_hollow_and_never_joined():
    chart = cd4_chart(scene(ANNA), WIDE)
    hollow = next(shape for shape in chart.shapes if shape.hollow)
    assert (hollow.text, hollow.css) == ("958", "c-cd4-hollow")
    assert len(chart.solid) == 3
    assert not any(f"{hollow.x} {hollow.y}" in line for line in chart.solid + chart.dashed)


def test_limits_are_open_triangles_joined_by_dashes():
    chart = viral_load_chart(scene(LOADS), WIDE)
    assert [shape.kind for shape in chart.shapes] == ["dot", "dot", "down", "dot", "down"]
    assert (len(chart.solid), len(chart.dashed)) == (1, 2)
    assert [shape.css for shape in chart.shapes] == ["c-vl", "c-vl", "c-vl-tri", "c-vl-hollow", "c-vl-tri"]


def test_more_than_the_test_can_count_points_upwards():
    chart = viral_load_chart(scene([mark("2026-01-14", 10_000_000, ">"), LOADS[0]]), WIDE)
    assert next(shape.kind for shape in chart.shapes if shape.text == "10000000") == "up"


def test_each_line_of_the_viral_load_axis_is_ten_times_the_one_below():
    chart = viral_load_chart(scene(LOADS), WIDE)
    assert [tick.label for tick in chart.y_ticks] == ["10", "100", "1,000", "10,000"]
    gaps = {round(a.at - b.at) for a, b in pairwise(chart.y_ticks)}
    assert len(gaps) == 1 or max(gaps) - min(gaps) <= 1


def test_not_detected_without_a_limit_lies_on_the_lowest_line():
    chart = viral_load_chart(scene([*LOADS, mark("2026-12-01", None, label="not detected")]), WIDE)
    assert (chart.shapes[-1].y, chart.shapes[-1].kind) == (WIDE.plot.bottom, "down")


def test_the_limit_line_steps_where_the_laboratory_changed_its_test():
    marks = [mark("2026-02-01", 40, "<"), mark("2026-06-01", 20, "<"), mark("2026-09-01", 20, "<")]
    limit = viral_load_chart(scene(marks), WIDE).limit
    assert limit.startswith("M48")
    heights = [part.partition("H")[0] for part in limit.split("V")[1:]]
    assert heights[0] != heights[1] == heights[2]
    assert limit.count("V") == 3
    assert viral_load_chart(scene(LOADS[:2]), WIDE).limit == ""


def test_a_course_is_a_band_with_the_days_after_it_hatched():
    band = cd4_chart(scene(ANNA), WIDE).bands[0]
    assert band.x < band.hatch_x < band.hatch_x + band.hatch_width
    assert round(band.hatch_width / band.width) == 6
    assert (band.label, band.note) == ("1", "75 million")


def test_bands_that_stand_close_lose_their_words_but_not_themselves():
    courses = [
        Course(
            n, FIRST + timedelta(days=14 * n), FIRST + timedelta(days=14 * n + 4), FIRST + timedelta(days=14 * n + 4)
        )
        for n in range(24)
    ]
    bands = cd4_chart(scene(ANNA, courses=courses), NARROW).bands
    assert len(bands) == 24
    assert 0 < sum(bool(band.label) for band in bands) < 24


def test_courses_outside_the_time_shown_are_not_drawn():
    old = Course(1, date(2024, 1, 1), date(2024, 1, 5), date(2024, 2, 5))
    assert cd4_chart(scene(ANNA, courses=[old]), WIDE).bands == []


def test_today_is_marked_only_inside_the_time_shown():
    assert cd4_chart(scene(ANNA), WIDE).today_x is not None
    assert cd4_chart(Scene(FIRST, LAST, date(2027, 6, 1), ANNA), WIDE).today_x is None


@pytest.mark.parametrize("size", [NARROW, WIDE])
@pytest.mark.parametrize("marks", [ANNA, LOADS])
def test_no_word_covers_another_or_leaves_the_drawing(marks, size):
    draw = cd4_chart if marks is ANNA else viral_load_chart
    chart = draw(scene(marks, thresholds=[Threshold(Decimal(600), "Goal: above 600")]), size)
    boxes = [label.box for label in chart.labels]
    assert boxes
    for n, box in enumerate(boxes):
        assert box.left >= 0
        assert box.right <= size.width
        assert not any(box.touches(other) for other in boxes[n + 1 :])


def test_the_newest_reading_that_counts_is_always_labelled():
    assert "612" in {label.text for label in cd4_chart(scene(ANNA), NARROW).labels}


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=1500),
    st.integers(2, MOST_POINTS),
)
def test_thinning_keeps_the_lowest_and_highest_and_both_ends(numbers, limit):
    marks = [Mark(FIRST + timedelta(days=n), Decimal(v), "=", True, "", "") for n, v in enumerate(numbers)]
    kept = thin(marks, max(limit, 4))
    assert len(kept) <= max(limit, 4)
    assert [each.on for each in kept] == sorted(each.on for each in kept)
    assert {kept[0], kept[-1]} == {marks[0], marks[-1]}
    assert min(each.value for each in kept) == min(numbers)
    assert max(each.value for each in kept) == max(numbers)


def test_twenty_years_of_daily_readings_are_drawn_with_four_hundred_marks():
    marks = [Mark(date(2006, 1, 1) + timedelta(days=n), Decimal(300 + n % 500), "=", True, "") for n in range(7300)]
    chart = cd4_chart(Scene(date(2006, 1, 1), date(2026, 1, 1), date(2026, 1, 1), marks), WIDE)
    assert len(chart.shapes) <= MOST_POINTS
    assert all(len(tick.label) == 4 for tick in chart.x_ticks)


@given(st.lists(st.decimals(0, 5000, places=2), min_size=1, max_size=20))
def test_the_linear_axis_covers_every_value_in_at_most_seven_lines(values):
    axis = linear_axis(values)
    assert axis.lines[0] == 0
    assert axis.lines[-1] > max(values)
    assert 3 <= len(axis.lines) <= 7
    assert all(0 <= axis.share(value) <= 1 for value in values)


@given(st.lists(st.decimals(1, 10**9, places=0), min_size=1, max_size=20))
def test_the_power_axis_covers_every_value(values):
    axis = power_axis(values)
    assert axis.lines[0] <= min(values)
    assert axis.lines[-1] >= max(values)
    assert all(b == a * 10 for a, b in pairwise(axis.lines))


@pytest.mark.parametrize("days", [30, 120, 365, 730, 3650, 7300, 14600])
@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_words_under_the_time_axis_never_touch(days, size):
    last = FIRST + timedelta(days=days)
    ticks = cd4_chart(Scene(FIRST, last, TODAY, ANNA), size).x_ticks
    ends = [(tick.at - len(tick.label) * 3.3, tick.at + len(tick.label) * 3.3) for tick in ticks]
    assert ticks
    assert all(a[1] < b[0] for a, b in pairwise(ends))
    assert ends[-1][1] <= size.width


def test_a_word_without_room_is_left_out():
    page = Page(Box(0, 0, 40, 40))
    page.reserve([Box(0, 0, 40, 40)])
    assert page.place("612", 20, 20) is None


# Word-sized


def test_a_sparkline_joins_what_counts_and_keeps_the_rest_hollow():
    drawn = spark(ANNA, [COURSE], FIRST, TODAY)
    assert drawn.line.count("L") == 3
    assert len(drawn.hollow) == 1
    assert len(drawn.courses) == 1
    assert drawn.last[0] > drawn.hollow[0][0]


@pytest.mark.parametrize("marks", [[], [mark("2026-01-14", None)], [mark("2020-01-14", 5)]])
def test_a_sparkline_of_nothing_is_empty(marks):
    drawn = spark(marks, [], FIRST, TODAY)
    assert (drawn.line, drawn.last, drawn.hollow) == ("", None, [])


@given(st.integers(0, 5000), st.none() | st.integers(0, 5000), st.none() | st.integers(1, 1500))
def test_the_position_bar_holds_every_value_inside(now, before, goal):
    bar = position_bar(
        Decimal(now), None if before is None else Decimal(before), None if goal is None else Decimal(goal)
    )
    assert 8 <= bar.low <= bar.end_x
    for x in (bar.now, bar.then, bar.goal):
        assert x is None or 8 <= x <= bar.end_x
    assert (bar.then is None) == (before is None)
    assert bar.low_width >= 0
    assert bar.goal_width >= 0


def test_the_position_bar_points_from_before_to_now():
    rising, falling = position_bar(Decimal(612), Decimal(422), None), position_bar(Decimal(422), Decimal(612), None)
    assert rising.then < rising.now
    assert falling.then > falling.now
    assert rising.arrow
    assert position_bar(Decimal(612), Decimal(610), None).arrow == ""
    assert abs(position_bar(Decimal(612), Decimal(610), None).then_label_x - rising.now) > 30
