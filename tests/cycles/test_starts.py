"""On which weekday to begin a course (P34, P35, M2)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles import schedule
from cycles.starts import ranked, start_day, suggested

OFFICE = "12345"


@pytest.mark.parametrize(
    ("weekday", "hard", "at_work"),
    [
        (1, [(3, 3), (4, 4), (5, 5)], [3, 4, 5]),
        (3, [(3, 5), (4, 6), (5, 7)], [3]),  # Wednesday: Friday, Saturday, Sunday
        (4, [(3, 6), (4, 7), (5, 1)], [5]),
        (7, [(3, 2), (4, 3), (5, 4)], [3, 4, 5]),
    ],
)
def test_each_start_says_on_which_weekdays_the_hard_days_fall(weekday, hard, at_work):
    found = start_day(weekday, "3-5", OFFICE)
    assert list(found.hard) == hard
    assert list(found.at_work) == at_work


@pytest.mark.parametrize(
    ("hardest", "work_days", "best"),
    [
        ("3-5", OFFICE, 3),  # P35: Wednesday
        ("3-5", "", 3),  # nobody said when they work
        ("3-5", "1234567", 3),  # no start is better than another
        ("", OFFICE, 3),  # M2: no hardest days
        ("3-5", "567", 6),  # works Friday to Sunday: from Saturday on, hard Monday to Wednesday
        ("4-5", OFFICE, 3),
        ("1-2", OFFICE, 6),  # hard at first: Saturday and Sunday themselves
    ],
)
def test_the_best_start_puts_the_fewest_hard_days_on_work_days(hardest, work_days, best):
    order = ranked(hardest, work_days)
    fewest = min(len(day.at_work) for day in order)
    assert len(order[0].at_work) == fewest
    assert order[0].weekday == best


def test_among_equals_wednesday_comes_first_then_the_days_after_it():
    assert [day.weekday for day in ranked("3-5", "")] == [3, 4, 5, 6, 7, 1, 2]
    assert [day.weekday for day in ranked("3-5", OFFICE)][:2] == [3, 4]


dates = st.dates(date(2000, 1, 1), date(2060, 12, 31))
work = st.sets(st.sampled_from("1234567")).map(lambda days: "".join(sorted(days)))


@given(dates, st.sampled_from(["", "3-5", "4-5", "1-2"]), work)
def test_the_suggested_start_is_within_a_week_and_no_other_start_has_fewer_hard_days_at_work(after, hardest, work_days):
    start = suggested(after, hardest, work_days)
    assert timedelta(days=1) <= start - after <= timedelta(days=7)

    def burden(day):
        return sum(str(hard.isoweekday()) in work_days for hard in schedule.hardest_days(day, hardest))

    assert burden(start) == min(burden(after + timedelta(days=n)) for n in range(1, 8))
