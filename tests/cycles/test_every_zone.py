"""Doses on the real switch days of every time zone: H08, H09, H10, A22, and the year of O1 on the walls of five cities.

Days are drawn from the switches themselves: a day drawn from a calendar hardly ever is one. Two calendars that know
nothing of ours check it: dateutil's rrule for the days and hours on the wall, and for the moments the switch itself, as
only the way from UTC to the wall gives it, which is never in doubt.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import TZPATH, ZoneInfo, available_timezones

import pytest
from dateutil.rrule import DAILY, rrule
from hypothesis import given
from hypothesis import strategies as st

from cycles import schedule

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC)
STEP = timedelta(days=7)
HOUR = timedelta(hours=1)
CITIES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]


class Switch(NamedTuple):
    """A zone's clocks change at this moment, from one offset to another."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def on(self) -> date:
        """The civil day on which it happens."""
        return (self.at + self.before).date()


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset()


def switches(name: str) -> list[Switch]:
    """Every switch of a zone from 2000 to 2037, to the second."""
    zone, found, early = ZoneInfo(name), [], FIRST
    while early < LAST:
        late = early + STEP
        if offset(early, zone) != offset(late, zone):
            found.append(between(zone, early, late))
        early = late
    return found


def between(zone: ZoneInfo, early: datetime, late: datetime) -> Switch:
    before, after = offset(early, zone), offset(late, zone)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (middle, late) if offset(middle, zone) == before else (early, middle)
    return Switch(zone.key, late, before, after)


def one_name_each() -> list[str]:
    """All zones, those that share their file only once: many names are another name of the same clocks."""
    by_file = {}
    for name in sorted(available_timezones()):
        files = (Path(folder, name) for folder in TZPATH)
        by_file.setdefault(next((file.read_bytes() for file in files if file.is_file()), name), name)
    return list(by_file.values())


@cache
def all_switches() -> list[Switch]:
    return list(chain.from_iterable(map(switches, one_name_each())))


@pytest.fixture(scope="module", autouse=True)
def found_before_the_first_draw():
    all_switches()


real_switches = st.deferred(lambda: st.sampled_from(all_switches()))


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


@st.composite
def hours_on_the_wall(draw):
    """An hour around a switch, inside its gap or fold as often as outside."""
    switch = draw(real_switches)
    low, high = sorted([switch.before, switch.after])
    inside = st.integers(0, int((high - low).total_seconds()) - 1).map(lambda seconds: low + timedelta(seconds=seconds))
    around = st.integers(-180, 180).map(lambda minutes: high + timedelta(minutes=minutes))
    return switch, naive(switch.at) + draw(inside | around)


@given(hours_on_the_wall())
def test_an_hour_on_a_switch_day_of_any_zone_becomes_the_one_right_moment(drawn):
    """H08, A22: skipped hours move forward by the gap, hours that come twice are the first."""
    switch, wall = drawn
    in_force = switch.before if wall < naive(switch.at) + max(switch.before, switch.after) else switch.after
    assert naive(schedule.moment(wall.date(), wall.time(), ZoneInfo(switch.zone))) == wall - in_force


@given(hours_on_the_wall())
def test_a_skipped_hour_moves_forward_by_exactly_the_gap_and_every_other_stays(drawn):
    switch, wall = drawn
    zone = ZoneInfo(switch.zone)
    shown = naive(schedule.moment(wall.date(), wall.time(), zone).astimezone(zone))
    skipped = naive(switch.at) + switch.before <= wall < naive(switch.at) + switch.after
    assert shown - wall == (switch.after - switch.before if skipped else timedelta(0))


def regimen(days, slots, cycle_days):
    doses = [{"days": days, "slots": slots, "amount": "7.5"}]
    return schedule.parse({"unit": "MIU", "phases": [{"repeat": None, "cycle_days": cycle_days, "doses": doses}]})


hours = st.lists(st.times().map(lambda hour: hour.replace(second=0, microsecond=0, fold=0)), min_size=2, max_size=2)


@given(real_switches, st.integers(0, 9), st.integers(1, 9), st.integers(1, 60), st.integers(0, 70), hours)
def test_days_and_hours_are_those_of_rrule_across_a_switch(switch, earlier, step, last, rest, times):
    """H10: whole days from start to start, whatever the clocks do in between."""
    start, cycle_days = switch.on - timedelta(days=earlier), last + rest
    plan = regimen(f"1-{last}/{step}", ["am", "pm"], cycle_days)
    times = dict(zip(["am", "pm"], times, strict=True))
    starts = rrule(DAILY, interval=cycle_days, count=3, dtstart=datetime.combine(start, time(0)))
    expected = []
    for found in starts:
        for hour in times.values():
            begin = datetime.combine(found, hour)
            expected += rrule(DAILY, interval=step, dtstart=begin, until=begin + timedelta(days=last - 1))
    courses = schedule.courses(plan, start, start + timedelta(days=2 * cycle_days))
    planned = chain.from_iterable(schedule.unroll(plan, *course, times) for course in courses)
    assert [datetime.combine(dose.on, dose.local_time) for dose in planned] == sorted(expected)


@given(real_switches, st.integers(0, 6), hours)
def test_no_dose_of_a_course_around_a_switch_changes_its_day_but_over_a_skipped_midnight(switch, earlier, times):
    plan, zone = regimen("1-5", ["am", "pm"], 56), ZoneInfo(switch.zone)
    planned = schedule.unroll(plan, 1, switch.on - timedelta(days=earlier), dict(zip(["am", "pm"], times, strict=True)))
    gap = switch.after - switch.before
    for dose in planned:
        wall = datetime.combine(dose.on, dose.local_time)
        shown = naive(schedule.moment(dose.on, dose.local_time, zone).astimezone(zone))
        skipped = naive(switch.at) + switch.before <= wall < naive(switch.at) + switch.after
        assert shown == (wall + gap if skipped else wall)


@given(real_switches)
def test_evening_to_morning_across_a_switch_is_eleven_or_thirteen_hours_and_warns_only_below_the_gap(switch):
    """H08: 20:00 to 08:00 is counted in real hours."""
    zone, evening = ZoneInfo(switch.zone), switch.on - timedelta(days=1)
    first = schedule.moment(evening, time(20), zone)
    second = schedule.moment(switch.on, time(8), zone)
    inside = first < switch.at <= second
    if inside and abs(switch.after - switch.before) <= HOUR:
        assert second - first == 12 * HOUR - (switch.after - switch.before)
        assert not schedule.gap_too_short(first, second, schedule.default_min_gap(2))


def test_the_switches_are_really_those_of_all_zones():
    found = all_switches()
    assert len(found) > 2000
    new_york = switches("America/New_York")
    assert [switch.on for switch in new_york if switch.on.year == 2026] == [date(2026, 3, 8), date(2026, 11, 1)]
    assert {switch.after - switch.before for switch in switches("Australia/Lord_Howe")} == {HOUR / 2, -HOUR / 2}
    assert timedelta(hours=24) in {switch.after - switch.before for switch in found}  # Samoa lost a day in 2011
    assert switches("Asia/Kolkata") == []


# The year of O1, 08:00 and 20:00, from Wednesday 4 March 2026
PLAN, START = regimen("1-5", ["am", "pm"], 56), date(2026, 3, 4)
WALL = {"am": time(8), "pm": time(20)}


def year(hours_of_day=WALL, until=date(2026, 12, 1)):
    courses = schedule.courses(PLAN, START, until)
    return [(course, schedule.unroll(PLAN, *course, hours_of_day)) for course in courses]


def test_the_five_courses_of_the_year_stand_at_the_same_hours_before_and_after_both_switches_in_new_york():
    """The clocks change on 8 March, day 5 of course 1, and on 1 November, after course 5: O1."""
    zone = ZoneInfo("America/New_York")
    courses = year()
    assert [course.starts_on for course, _doses in courses] == [
        *(date(2026, 3, 4), date(2026, 4, 29), date(2026, 6, 24), date(2026, 8, 19), date(2026, 10, 14))
    ]
    for course, doses in courses:
        shown = [schedule.moment(dose.on, dose.local_time, zone).astimezone(zone) for dose in doses]
        assert [naive(moment) for moment in shown] == [
            datetime.combine(course.starts_on + timedelta(days=day), hour) for day in range(5) for hour in WALL.values()
        ]
    utc = [schedule.moment(dose.on, dose.local_time, zone).hour for _course, doses in courses for dose in doses]
    assert utc == [13, 1] * 4 + [12, 0] * 21


def test_the_sixth_course_is_on_winter_time_again_and_still_at_eight():
    [(course, doses)] = year(until=date(2026, 12, 31))[5:]
    assert course == schedule.Course(6, date(2026, 12, 9))
    assert {schedule.moment(dose.on, dose.local_time, ZoneInfo("America/New_York")).hour for dose in doses} == {13, 1}


def test_blood_is_due_two_weeks_before_each_course_of_the_year():
    """P54, O1."""
    due = [schedule.bloodwork_due(course.starts_on) for course, _doses in year()]
    assert due == [date(2026, 2, 18), date(2026, 4, 15), date(2026, 6, 10), date(2026, 8, 5), date(2026, 9, 30)]
    assert {day.isoweekday() for day in due} == {schedule.WEDNESDAY}
    assert all((course.starts_on - day).days == 14 for (course, _doses), day in zip(year(), due, strict=True))


@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize(
    "hours_of_day", [WALL, {"am": time(0), "pm": time(12)}, {"am": time(0, 30), "pm": time(23, 59)}], ids=str
)
def test_no_dose_of_the_year_shifts_by_a_day_in_any_of_the_five_cities(city, hours_of_day):
    zone = ZoneInfo(city)
    for _course, doses in year(hours_of_day, until=date(2031, 3, 1)):
        assert [schedule.moment(dose.on, dose.local_time, zone).astimezone(zone).date() for dose in doses] == [
            dose.on for dose in doses
        ]


@pytest.mark.parametrize("city", CITIES)
def test_moving_to_another_city_changes_the_moments_and_not_the_hours_on_the_wall(city):
    """H09: a dose keeps the zone it was planned in; in another zone the same hour is another moment."""
    zone = ZoneInfo(city)
    for _course, doses in year():
        for dose in doses:
            moment = schedule.moment(dose.on, dose.local_time, zone)
            assert moment.tzinfo is UTC
            assert naive(moment.astimezone(zone)) == datetime.combine(dose.on, dose.local_time)


# Whole days, month ends and leap days (2.2, H10)
@pytest.mark.parametrize(
    ("start", "starts"),
    [
        ("2027-12-31", ["2027-12-31", "2028-02-25", "2028-04-21"]),
        ("2028-01-04", ["2028-01-04", "2028-02-29", "2028-04-25"]),  # the second begins on a leap day
        ("2028-02-29", ["2028-02-29", "2028-04-25", "2028-06-20"]),
        ("2026-01-31", ["2026-01-31", "2026-03-28", "2026-05-23"]),
    ],
)
def test_starts_are_counted_in_days_over_month_ends_and_leap_days(start, starts):
    first = date.fromisoformat(start)
    found = [course.starts_on.isoformat() for course in schedule.courses(PLAN, first, first + timedelta(days=112))]
    assert found == starts
    assert all(date.fromisoformat(later).weekday() == first.weekday() for later in starts)


@given(st.integers(0, 400), st.integers(-30, 200))
def test_a_delay_shifts_the_whole_course_and_stretches_nothing(day, delay):
    """2.2: the block of days stays as it is; the next course is counted from the day on which this one began."""
    start = START + timedelta(days=day)
    later = start + timedelta(days=delay)
    as_planned, moved = (schedule.unroll(PLAN, 2, begin, WALL) for begin in (start, later))
    assert [dose.on + timedelta(days=delay) for dose in as_planned] == [dose.on for dose in moved]
    assert {second.on - first.on for first, second in pairwise(moved)} == {timedelta(0), timedelta(days=1)}
    assert schedule.next_start(PLAN, 2, later) - schedule.next_start(PLAN, 2, start) == timedelta(days=delay)
