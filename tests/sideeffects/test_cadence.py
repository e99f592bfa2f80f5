"""When a check-in is asked for: daily in a course and two days after, weekly between courses, and after a fever."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sideeffects.cadence import Ask, asked

LONDON = ZoneInfo("Europe/London")
START = date(2026, 11, 18)
COURSE = {START + timedelta(days=n) for n in range(5)}
NEXT = {START + timedelta(days=56 + n) for n in range(5)}
BOTH = COURSE | NEXT


def at(day, hour=9):
    """A moment `day` days after day 1 (0 = day 1)."""
    on = START + timedelta(days=day)
    return datetime(on.year, on.month, on.day, hour, tzinfo=LONDON)


def on(day):
    return START + timedelta(days=day)


@pytest.mark.parametrize(
    ("day", "last", "said"),
    [
        (-1, None, None),  # before the first course
        (0, None, Ask.DAILY),
        (0, -1, Ask.DAILY),
        (0, 0, None),  # never more than once a day
        (4, 3, Ask.DAILY),
        (5, 4, Ask.DAILY),
        (6, 5, Ask.DAILY),  # the second day after
        (6, 6, None),
        (7, 6, None),  # the third
        (7, 0, None),  # silent since day 1: a week since the course, not since the last word
        (10, 4, None),
        (11, 4, Ask.WEEKLY),
        (12, 6, None),
        (13, 6, Ask.WEEKLY),
        (13, 7, None),
        (13, 13, None),
        (40, None, Ask.WEEKLY),
        (55, 49, None),
        (56, 55, Ask.DAILY),
    ],
)
def test_daily_in_a_course_and_two_days_after_then_weekly_until_the_next(day, last, said):
    assert asked(BOTH, at(day), None if last is None else on(last), None) is said


def test_without_another_course_nothing_is_asked_for_after_the_second_day():
    assert asked(COURSE, at(6), on(5), None) is Ask.DAILY
    assert [asked(COURSE, at(day), on(5), None) for day in (7, 13, 40)] == [None] * 3


def test_free_days_inside_a_course_of_weeks_are_asked_about_like_the_others():
    weeks = {on(7 * week + day) for week in range(4) for day in range(5)}
    assert all(asked(weeks, at(day), on(day - 1), None) is Ask.DAILY for day in range(28))


def test_it_is_never_asked_more_than_daily_in_a_course_nor_than_weekly_between_two():
    last, days = None, []
    for day in range(-3, 61):
        if asked(BOTH, at(day), last, None):
            last = on(day)
            days.append(day)
    assert days == [*range(7), 13, 20, 27, 34, 41, 48, 55, *range(56, 61)]


@pytest.mark.parametrize(
    ("day", "said"),
    [(30, None), (31, Ask.FEVER), (32, Ask.FEVER), (44, Ask.FEVER), (45, Ask.WEEKLY)],
)
def test_a_fever_is_asked_about_from_the_next_day_for_two_weeks(day, said):
    assert asked(BOTH, at(day), on(30), on(30)) is said


def test_a_fever_is_asked_about_again_although_something_was_written_today():
    assert asked(BOTH, at(2), on(2), on(1)) is Ask.FEVER
    assert asked(BOTH, at(2), on(2), on(2)) is None


def test_the_day_is_that_of_the_clock_it_is_given():
    late = datetime(2026, 11, 22, 0, 30, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert asked((), late, None, date(2026, 11, 21)) is Ask.FEVER
    assert asked((), late.astimezone(ZoneInfo("UTC")), None, date(2026, 11, 21)) is None
