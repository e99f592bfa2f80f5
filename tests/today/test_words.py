"""How Today says when something is."""

from datetime import date, time
from types import SimpleNamespace

import pytest

from il2tracker.today import words

TODAY = date(2026, 11, 21)


def dose(on, at, lives="Europe/London"):
    return SimpleNamespace(due_on=on, local_time=at, zone="Europe/London", patient=SimpleNamespace(time_zone=lives))


@pytest.mark.parametrize(
    ("on", "at", "expected"),
    [
        (TODAY, time(10), "This morning at 10am"),
        (TODAY, time(12), "This afternoon at midday"),
        (TODAY, time(16, 59), "This afternoon at 4:59pm"),
        (TODAY, time(17), "Tonight at 5pm"),
        (TODAY, time(22), "Tonight at 10pm"),
        (date(2026, 11, 20), time(22), "Last night at 10pm"),
        (date(2026, 11, 20), time(10), "Yesterday at 10am"),
        (date(2026, 11, 22), time(10), "Tomorrow at 10am"),
        (date(2026, 11, 19), time(22), "Thursday 19 November 2026 at 10pm"),
        (date(2026, 11, 23), time(10), "Monday 23 November 2026 at 10am"),
    ],
)
def test_a_dose_is_named_by_day_and_hour(on, at, expected):
    assert words.when(dose(on, at), TODAY, "12") == expected


def test_the_viewer_s_clock_counts():
    assert words.when(dose(TODAY, time(22)), TODAY, "24") == "Tonight at 22:00"


def cycle(starts_on, length, days, **facts):
    following = date.fromordinal(starts_on.toordinal() + days)
    known = {"state": "planned", "stopped_on": None, **facts}
    return SimpleNamespace(number=3, starts_on=starts_on, length=length, next_starts_on=following, **known)


@pytest.mark.parametrize(
    ("starts_on", "length", "days", "expected"),
    [
        (date(2026, 11, 22), 5, 56, "Course 3"),
        (TODAY, 5, 56, "Course 3, day 1 of 5"),
        (date(2026, 11, 18), 5, 56, "Course 3, day 4 of 5"),
        (date(2026, 11, 17), 5, 56, "Course 3, day 5 of 5"),
        (date(2026, 11, 16), 5, 56, "Between courses 3 and 4"),
        (date(2026, 9, 27), 5, 56, "Between courses 3 and 4"),
        (date(2026, 9, 26), 5, 56, "Course 3"),
        (date(2026, 11, 9), 26, 35, "Course 3, week 2 of 5"),
        (date(2026, 10, 20), 26, 35, "Course 3, week 5 of 5"),
    ],
)
def test_the_line_above_the_heading_says_where_in_the_course(starts_on, length, days, expected):
    assert words.where_in_course(cycle(starts_on, length, days), TODAY) == expected


@pytest.mark.parametrize("stopped_on", [date(2026, 11, 17), date(2026, 11, 20), TODAY])
@pytest.mark.parametrize(("starts_on", "length", "days"), [(date(2026, 11, 18), 5, 56), (date(2026, 11, 9), 26, 35)])
def test_a_stopped_course_counts_no_days_any_more(starts_on, length, days, stopped_on):
    """2.2: stopped early is a state; "day 4 of 5" would ask for the fifth."""
    stopped = cycle(starts_on, length, days, state="stopped_early", stopped_on=stopped_on)
    assert words.where_in_course(stopped, TODAY) == "Course 3, stopped early"


def test_a_held_course_counts_no_days_either():
    assert words.where_in_course(cycle(date(2026, 11, 18), 5, 56, state="held"), TODAY) == "Course 3, on hold"


def test_an_hour_of_another_clock_names_the_place():
    """H09: a course that runs keeps its hours when its patient travels."""
    assert words.when(dose(TODAY, time(22), lives="Asia/Tokyo"), TODAY, "12") == "Tonight at 10pm (London time)"
