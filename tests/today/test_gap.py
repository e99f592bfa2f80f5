"""The picture of the weeks between two courses: every place is where its date says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from il2tracker.today.gap import Dates, draw

DATES = Dates(
    from_number=3,
    course_ended_on=date(2026, 11, 22),
    course_days=5,
    too_soon_until=date(2026, 12, 21),
    today=date(2026, 12, 10),
    test_on=date(2026, 12, 30),
    next_number=4,
    next_starts_on=date(2027, 1, 13),
    next_days=5,
)


@pytest.mark.parametrize("width", [358, 590])
def test_dates_stand_in_their_order_inside_the_drawing(width):
    gap = draw(DATES, "narrow", width)
    places = [gap.left_course[0], gap.hatch[0], gap.today, gap.hatch[0] + gap.hatch[1], gap.test, gap.right_course[0]]
    assert places == sorted(places)
    assert places[0] >= 6
    assert gap.right_course[0] + gap.right_course[1] <= width - 6 + 1


def test_equal_spans_are_equally_wide():
    gap = draw(DATES, "wide", 590)
    assert gap.left_course[1] == gap.right_course[1]
    day = gap.hatch[1] / 29
    assert abs((gap.test - gap.today) - 20 * day) < 1


@pytest.mark.parametrize("away", [-40, 0, 3, 70, 400])
def test_a_day_outside_stays_at_the_edge(away):
    gap = draw(replace(DATES, today=DATES.course_ended_on + timedelta(days=away)), "narrow", 358)
    assert 6 <= gap.today <= 352


def test_without_a_test_nothing_is_drawn_for_it():
    assert draw(replace(DATES, test_on=None), "narrow", 358).test is None


def test_too_soon_ends_at_the_next_course_at_the_latest():
    gap = draw(replace(DATES, next_starts_on=date(2026, 12, 7), test_on=None), "narrow", 358)
    assert abs(gap.hatch[0] + gap.hatch[1] - gap.right_course[0]) <= 1


@pytest.mark.parametrize("test_on", [date(2026, 12, 1), date(2026, 12, 22), date(2027, 1, 12)])
def test_the_label_of_the_test_touches_neither_edge_nor_the_other_label(test_on):
    gap = draw(replace(DATES, test_on=test_on), "narrow", 358)
    assert gap.test_label - 46 >= gap.hatch[0] + 110
    assert gap.test_label + 46 <= 352
