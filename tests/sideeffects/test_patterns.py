"""Courses on one axis of days, a person's own hardest days, lumps by week."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from sideeffects import own_days, patterns
from sideeffects.patterns import Column, Part, Span, Trace

DAY_1 = date(2026, 9, 23)


def told(severities=None, *, none=False, flags=()):
    return SimpleNamespace(severities=severities or {}, none=none, flags=set(flags))


@pytest.mark.parametrize(
    ("day", "of_tired", "of_any"),
    [
        (None, None, None),
        (told(), None, None),  # a temperature alone says nothing of symptoms
        (told({"tired": 2}), 2, 2),
        (told({"itch": 1}), None, 1),
        (told({"tired": 0}), 0, 0),
        (told(none=True), 0, 0),
        (told({"itch": 3}, none=True), 0, 3),
    ],
)
def test_silence_is_never_read_as_none(day, of_tired, of_any):
    """H27."""
    assert patterns.severity(day, "tired") == of_tired
    assert patterns.worst(day) == of_any


@pytest.mark.parametrize(
    ("days", "mark"),
    [
        ([None, told()], ""),
        ([told(none=True)], "0"),
        ([told({"tired": 1}), told({"tired": 2})], "2"),
        ([told(none=True, flags={"fainted"})], "!"),
        ([told({"tired": 0}, flags={"fainted"})], "!"),
        ([told(flags={"fainted"})], "!"),
        ([told({"tired": 2}), told(none=True, flags={"fainted"})], "2!"),
    ],
)
def test_a_day_with_an_urgent_sign_never_reads_as_none(days, mark):
    """H27."""
    assert patterns.mark(days) == mark


def test_every_strip_has_before_each_course_day_and_the_week_after():
    heads = patterns.columns(5)
    assert [each.part for each in heads] == [Part.BEFORE, *[Part.COURSE] * 5, *[Part.AFTER] * 7]
    assert [each.number for each in heads] == [0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7]


def test_two_courses_of_different_dates_are_aligned_on_day_1():
    first, second = patterns.spans([(DAY_1, 5), (DAY_1 + timedelta(days=56), 5)])
    for column, offset in ((Column(Part.COURSE, 1), 0), (Column(Part.COURSE, 5), 4), (Column(Part.AFTER, 2), 6)):
        assert first.days(column) == [DAY_1 + timedelta(days=offset)]
        assert second.days(column) == [DAY_1 + timedelta(days=56 + offset)]


def test_before_holds_the_week_before_and_only_what_no_other_course_owns():
    first, second = patterns.spans([(DAY_1, 5), (DAY_1 + timedelta(days=14), 5)])
    assert first.days(Column(Part.BEFORE)) == [DAY_1 - timedelta(days=n) for n in range(7, 0, -1)]
    assert second.days(Column(Part.BEFORE)) == [DAY_1 + timedelta(days=n) for n in (12, 13)]


def test_the_week_after_ends_where_the_next_course_begins():
    first, _second = patterns.spans([(DAY_1, 28), (DAY_1 + timedelta(days=30), 28)])
    shown = [bool(first.days(Column(Part.AFTER, n))) for n in range(1, 8)]
    assert shown == [True, True, *[False] * 5]
    [alone] = patterns.spans([(DAY_1, 28)], ends_before=DAY_1 + timedelta(days=28))
    assert not any(alone.days(Column(Part.AFTER, n)) for n in range(1, 8))


def test_a_shorter_course_has_no_day_in_the_columns_of_a_longer_one():
    span = Span(DAY_1, 3, DAY_1, DAY_1 + timedelta(days=9))
    assert span.days(Column(Part.COURSE, 3)) == [DAY_1 + timedelta(days=2)]
    assert span.days(Column(Part.COURSE, 4)) == []
    assert span.days(Column(Part.AFTER, 1)) == [DAY_1 + timedelta(days=3)]


def test_each_day_belongs_to_one_column_of_one_course():
    courses = [(DAY_1 + timedelta(days=gap), 5) for gap in (0, 12, 19, 24, 80)]
    days = [day for span in patterns.spans(courses) for column in patterns.columns(5) for day in span.days(column)]
    assert len(days) == len(set(days))


# The hardest days


def test_the_weight_of_a_day_is_its_worst_severity_and_a_red_flag_is_the_heaviest():
    on = [DAY_1 + timedelta(days=n) for n in range(8)]
    said = {on[0]: told({"tired": 2, "itch": 1}), on[1]: told(), on[2]: told({"itch": 1}, flags=["fainted"]),
            on[6]: told(none=True), on[7]: told({"itch": 3})}  # fmt: skip
    assert patterns.burdens(DAY_1, 5, said) == {1: 2, 3: 3, 7: 0}


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ([1, 1, 3, 3, 1], [1, 1, 2, 3, 1], (3, 4)),
        ([0, 1, 1, 2, 1], [1, 1, 2, 2, 2], (3, 4, 5)),
        ([1, 1, 1, 3, 1], [1, 1, 1, 3, 1], (4,)),
        ([1, 2, 2, 3, 2], [1, 2, 2, 2, 2], (4,)),  # four days are close: only the hardest itself is said
        ([2, 2, 2, 2, 2], [2, 2, 2, 2, 2], ()),  # all alike: none is singled out
        ([0, 0, 0, 0, 0], [0, 0, 0, 1, 0], ()),  # nothing was hard
        ([0, 0, 0, 1, 0], [0, 0, 0, 1, 0], (4,)),
        ([None, None, 3, 3, None], [1, 1, 2, 3, 1], ()),  # 2 of 5 days told: too few
        ([None, None, 3, 3, 1], [1, 1, 2, 3, 1], (3, 4)),  # 3 of 5 are enough
        ([1, 1, None, 3, 1], [1, 1, 3, 1, 1], (4,)),  # a day of which only one course tells is not among them
        ([1, 1, 1, None, None], [None, None, 1, 3, 3], (3,)),
        ([1, 1, 1, None, None, None], [None, None, None, 3, 3, 3], ()),  # no day is told by both
        ([1, 1, 1, 1, 1, 3], [1, 1, 1, 1, 2, 3], (6,)),  # the day after the last injection
    ],
)
def test_the_hardest_days_are_those_with_the_highest_mean_of_two_courses(first, second, days):
    courses = [{day: hard for day, hard in enumerate(course, 1) if hard is not None} for course in (first, second)]
    assert patterns.hardest(courses, 5) == days


@pytest.mark.parametrize("courses", [[], [{1: 1, 2: 1, 3: 3, 4: 3, 5: 1}]])
def test_one_course_says_nothing_about_the_next(courses):
    assert patterns.hardest(courses, 5) == ()


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((), ""),
        ((4,), "day 4"),
        ((3, 4), "days 3 and 4"),
        ((3, 4, 5), "days 3 to 5"),
        ((2, 4, 5), "days 2, 4 and 5"),
        ((5, 6), "day 5 and the day after the last injection"),
        ((6, 7), "the day after the last injection and the second day after the last injection"),
    ],
)
def test_days_are_said_as_people_say_them(days, words):
    assert own_days.in_words(days, 5) == words


# Lumps by week


def test_weeks_begin_on_mondays_and_the_last_one_holds_the_day():
    assert patterns.weeks_to(date(2026, 11, 22), 3) == [date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]
    assert patterns.weeks_to(date(2026, 11, 23), 1) == [date(2026, 11, 23)]


MONDAYS = [date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)]


@pytest.mark.parametrize(
    ("noticed", "gone", "sizes", "weeks"),
    [
        (date(2026, 11, 8), None, [(8, 12)], [12, 12, 12]),
        (date(2026, 11, 9), None, [(9, 12)], [None, 12, 12]),
        (date(2026, 11, 3), date(2026, 11, 8), [(3, 12)], [12, None, None]),
        (date(2026, 11, 3), date(2026, 11, 9), [(3, 12)], [12, None, None]),
        (date(2026, 11, 3), date(2026, 11, 10), [(3, 12)], [12, 12, None]),
        (date(2026, 11, 9), date(2026, 11, 9), [(9, 12)], [None, 12, None]),
        (date(2026, 11, 3), None, [(3, 12), (10, 30), (17, 5)], [12, 30, 30]),
        (date(2026, 11, 3), None, [(3, None), (17, 5)], [0, 0, 5]),
        (date(2026, 11, 3), None, [(3, None)], [0, 0, 0]),
        (date(2026, 11, 20), None, [(20, 12)], [None, None, None]),  # today is the 19th
    ],
)
def test_a_lump_stands_in_each_week_in_which_it_was_there_with_the_largest_width_noted(noticed, gone, sizes, weeks):
    trace = Trace(noticed, gone, [(date(2026, 11, day), size) for day, size in sizes])
    assert patterns.by_week(trace, MONDAYS, date(2026, 11, 19)) == weeks
