"""The hours after an injection in which flu-like signs are often seen (2.9, D11, K11)."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles import expected_hours
from cycles.expected_hours import Window, covers, windows


def at(text):
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_at", "expected"),
    [
        ([], []),
        (["04T08:00"], [("04T08:00", "05T00:00")]),
        (["04T08:00", "04T20:00"], [("04T08:00", "05T12:00")]),
        (["04T20:00", "04T08:00"], [("04T08:00", "05T12:00")]),
        (["04T22:00", "05T22:00"], [("04T22:00", "05T14:00"), ("05T22:00", "06T14:00")]),
        (["04T06:00", "04T22:00"], [("04T06:00", "05T14:00")]),  # they touch
    ],
)
def test_the_windows_of_2_9_are_joined_over_the_doses_really_given(given_at, expected):
    """2.9, D11: sixteen hours from each injection; twice a day they join, once a day they do not."""
    assert windows(map(at, given_at)) == [Window(at(opens), at(closes)) for opens, closes in expected]


def test_a_course_twice_a_day_is_one_window_from_its_first_injection_to_sixteen_hours_after_its_last():
    doses = [at(f"{day:02}T{hour:%H:%M}") for day in range(4, 9) for hour in (time(8), time(20))]
    assert windows(doses) == [Window(at("04T08:00"), at("09T12:00"))]


moments = st.integers(0, 8 * 24 * 60).map(lambda minutes: at("01T00:00") + timedelta(minutes=minutes))


@given(st.lists(moments, max_size=8), moments)
def test_a_moment_is_covered_if_and_only_if_it_lies_in_a_window(doses, moment):
    found = windows(doses)
    assert covers(doses, moment) == any(opens <= moment <= closes for opens, closes in found)
    assert all(earlier.closes < later.opens for earlier, later in pairwise(found))


@pytest.mark.parametrize(("hours", "covered"), [(-0.01, False), (0, True), (2, True), (16, True), (16.01, False)])
def test_both_ends_of_the_window_belong_to_it(hours, covered):
    assert covers([at("04T08:00")], at("04T08:00") + timedelta(hours=hours)) is covered


def test_the_hours_are_those_of_the_source_and_their_sum():
    """K11: begin two to four hours after an injection, last about twelve."""
    assert [bound.total_seconds() / 3600 for bound in expected_hours.OFTEN_BEGINS] == [2, 4]
    assert timedelta(hours=4) + timedelta(hours=12) == expected_hours.LENGTH


def test_the_civil_days_that_a_window_touches_are_those_of_the_place() -> None:
    evening = datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert expected_hours.days([evening], ZoneInfo("Europe/London")) == {date(2026, 11, 20), date(2026, 11, 21)}
    assert expected_hours.days([evening], ZoneInfo("Pacific/Auckland")) == {date(2026, 11, 21), date(2026, 11, 22)}
    assert expected_hours.days([datetime(2026, 11, 20, 6, tzinfo=UTC)], UTC) == {date(2026, 11, 20)}
    assert expected_hours.days([], UTC) == frozenset()
