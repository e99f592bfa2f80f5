"""The calendar of a course: unrolling, month ends, leap days, clock changes, early and late, a day to start on."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, WEEKLY, rrule
from hypothesis import given
from hypothesis import strategies as st

from cycles import schedule
from cycles.schedule import Timing
from tests.regimens import BEDTIME, HIV, KIDNEY, TWICE, at, day, five_days

dates = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(dates, st.integers(-30, 30))
def test_months_are_added_as_dateutil_adds_them(start, months):
    assert schedule.add_months(start, months) == start + relativedelta(months=months)


@pytest.mark.parametrize(
    ("last", "following", "earliest"),
    [
        ("2026-03-08", "2026-03-31", None),  # four weeks: never
        ("2026-03-08", "2026-04-08", None),  # five weeks after a month of 31 days: the start itself is too late
        ("2026-02-08", "2026-03-11", "2026-03-09"),  # five weeks after February
        ("2026-04-08", "2026-05-09", "2026-05-08"),  # five weeks after a month of 30 days: the day before
        ("2026-03-08", "2026-04-15", "2026-04-08"),  # six weeks
        ("2026-03-08", "2026-04-29", "2026-04-08"),  # eight weeks
    ],
)
def test_the_earliest_reliable_day_before_a_course_is_named_where_there_is_one(last, following, earliest):
    found = schedule.earliest_reliable_before(day(last), day(following))
    assert found == (day(earliest) if earliest else None)


@pytest.mark.parametrize(
    ("last", "following", "window"),
    [
        (None, "2026-11-25", ("2026-11-11", "2026-11-14")),  # course 1: a baseline
        ("2026-03-08", "2026-04-29", ("2026-04-15", "2026-04-18")),  # eight weeks
        ("2026-03-08", "2026-04-21", ("2026-04-08", "2026-04-10")),  # the due day is a day too early
        ("2026-03-08", "2026-04-19", ("2026-04-08", "2026-04-08")),  # the last day is the first reliable one
        ("2026-03-08", "2026-04-18", None),  # a day shorter: no day to offer
        ("2026-03-08", "2026-04-15", None),  # six weeks
    ],
)
def test_days_to_book_are_reliable_and_leave_time_for_results(last, following, window):
    """B5, P66: results in hand before day 1."""
    found = schedule.booking_window(day(last) if last else None, day(following))
    assert found == (tuple(map(day, window)) if window else None)


def test_before_the_first_course_a_baseline_is_always_possible():
    assert schedule.bloodwork_possible(None, day("2026-11-25"))


# Unrolling
def test_doses_come_in_the_order_of_the_clock_whatever_their_slots_are_called():
    night_shift = {"am": time(21), "pm": time(9)}
    planned = schedule.unroll(HIV, 1, day("2026-11-25"), night_shift)
    assert [(dose.day, dose.slot) for dose in planned[:4]] == [(1, "pm"), (1, "am"), (2, "pm"), (2, "am")]


def test_an_hour_is_needed_for_every_slot():
    with pytest.raises(KeyError):
        schedule.unroll(HIV, 1, day("2026-11-25"), {"am": time(8)})


def test_an_amount_by_body_surface_is_never_shown_as_million_units():
    by_surface = schedule.Regimen("MIU/m2", HIV.phases)
    assert {dose.amount for dose in schedule.unroll(by_surface, 1, day("2026-11-25"), TWICE)} == {None}


def test_a_course_beyond_the_last_cannot_be_unrolled():
    ends = schedule.Regimen("MIU", (schedule.Phase(1, 56, HIV.phases[0].doses),))
    with pytest.raises(LookupError):
        schedule.unroll(ends, 2, day("2026-11-25"), TWICE)


@pytest.mark.parametrize(
    ("start", "following"),
    [
        ("2026-01-31", "2026-03-28"),  # a month's end
        ("2027-12-31", "2028-02-25"),  # before a leap day
        ("2028-02-29", "2028-04-25"),  # on a leap day
        ("2026-02-28", "2026-04-25"),  # across a clock change
    ],
)
def test_the_next_course_starts_56_whole_days_later(start, following):
    assert schedule.next_start(HIV, 1, day(start)) == day(following)


@given(dates, st.integers(1, 400))
def test_starts_follow_each_other_as_rrule_says(start, cycle_days):
    regimen = five_days(max(cycle_days, 5))
    expected = [found.date() for found in rrule(DAILY, interval=max(cycle_days, 5), count=4, dtstart=midnight(start))]
    starts = [start]
    for number in range(1, 4):
        starts.append(schedule.next_start(regimen, number, starts[-1]))
    assert starts == expected


@given(dates)
def test_injection_days_of_a_kidney_course_are_those_of_rrule(start):
    week = [(start + timedelta(days=n)).weekday() for n in range(5)]
    expected = rrule(WEEKLY, byweekday=week, wkst=start.weekday(), count=20, dtstart=midnight(start))
    planned = schedule.unroll(KIDNEY, 1, start, BEDTIME)
    assert [dose.on for dose in planned] == [found.date() for found in expected]


def midnight(on):
    return datetime.combine(on, time(0))


# From the wall to UTC
@pytest.mark.parametrize(
    ("zone", "on", "local", "utc"),
    [
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30"),  # gap: 03:30 on the new clock
        ("America/New_York", "2026-03-08", "02:00", "2026-03-08T07:00"),
        ("America/New_York", "2026-03-08", "01:59", "2026-03-08T06:59"),
        ("America/New_York", "2026-03-08", "03:00", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),  # twice: the first
        ("America/New_York", "2026-11-01", "02:30", "2026-11-01T07:30"),
        ("Europe/London", "2026-03-29", "01:30", "2026-03-29T01:30"),  # gap: 02:30 summer time
        ("Europe/London", "2026-10-25", "01:30", "2026-10-25T00:30"),  # twice: the first
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45"),  # gap of half an hour: 02:45
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),  # twice: the first
        ("Pacific/Apia", "2011-12-30", "08:00", "2011-12-30T18:00"),  # a day that never was
        ("America/Sao_Paulo", "2018-11-04", "00:00", "2018-11-04T03:00"),  # a day without a midnight
        ("Asia/Kathmandu", "2026-11-21", "22:00", "2026-11-21T16:15"),
        ("UTC", "2026-11-21", "22:00", "2026-11-21T22:00"),
    ],
)
def test_an_hour_on_the_wall_becomes_one_moment(zone, on, local, utc):
    assert schedule.moment(day(on), time.fromisoformat(local), ZoneInfo(zone)) == at(utc)


def test_fold_on_the_planned_time_is_not_believed():
    second = time(1, 30, fold=1)
    assert schedule.moment(day("2026-11-01"), second, ZoneInfo("America/New_York")) == at("2026-11-01T05:30")


ZONES = [
    *("America/New_York", "Europe/London", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"),
    *("Africa/Casablanca", "Asia/Tehran", "Pacific/Auckland", "America/St_Johns", "Asia/Kolkata"),
]


def switch_days(name):
    """The days from 2015 to 2037 on which the zone's offset is not the same at both ends."""
    zone = ZoneInfo(name)
    first = datetime(2015, 1, 1, tzinfo=zone)
    days = (first + timedelta(days=n) for n in range(23 * 365))
    return [on.date() for on in days if on.utcoffset() != (on + timedelta(days=1)).utcoffset()] or [first.date()]


SWITCHES = {name: switch_days(name) for name in ZONES}
places = st.sampled_from(ZONES).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(SWITCHES[name])))


@given(places.filter(lambda place: place[0] != "Africa/Casablanca" and place[1].year < 2037), st.times())
def test_on_switch_days_the_moment_is_that_of_dateutil(place, local):
    """dateutil keeps its own reading of the zones; resolve_imaginary moves forward by the gap as A22 wants.

    Not in Casablanca, whose summer time is the normal one, and not from 2037 on: there dateutil errs.
    """
    name, on = place
    theirs = tz.resolve_imaginary(datetime.combine(on, local.replace(fold=0), tzinfo=tz.gettz(name)))
    assert schedule.moment(on, local, ZoneInfo(name)) == theirs.astimezone(UTC)


def looked_up(naive, zone):
    """The moment found the other way round: of all moments around it, the first whose clock shows this hour."""
    around = [naive.replace(tzinfo=UTC) + timedelta(hours=n) for n in range(-30, 31)]
    offsets = {moment.astimezone(zone).utcoffset() for moment in around}
    candidates = [naive.replace(tzinfo=UTC) - offset for offset in offsets]
    shown = [moment for moment in candidates if moment.astimezone(zone).replace(tzinfo=None) == naive]
    return min(shown) if shown else max(candidates)


@given(places, st.times())
def test_on_switch_days_the_moment_is_the_first_whose_clock_shows_the_hour(place, local):
    name, on = place
    naive = datetime.combine(on, local.replace(fold=0))
    assert schedule.moment(on, local, ZoneInfo(name)) == looked_up(naive, ZoneInfo(name))


@given(places, st.times())
def test_on_switch_days_the_hour_stays_or_moves_forward_by_the_gap(place, local):
    name, on = place
    back = schedule.moment(on, local, ZoneInfo(name)).astimezone(ZoneInfo(name)).replace(tzinfo=None)
    moved = back - datetime.combine(on, local)
    assert moved in {timedelta(0), timedelta(minutes=30), timedelta(hours=1)}


@given(places)
def test_on_switch_days_doses_keep_their_order(place):
    name, on = place
    planned = schedule.unroll(HIV, 1, on - timedelta(days=2), {"am": time(1, 30), "pm": time(2, 30)})
    moments = [schedule.moment(dose.on, dose.local_time, ZoneInfo(name)) for dose in planned]
    assert moments == sorted(moments)


# Early, on time, late, too late
PLANNED, NEXT = at("2026-11-21T22:00"), at("2026-11-22T10:00")


@pytest.mark.parametrize(
    ("given_at", "verdict"),
    [
        ("2026-11-21T19:59", Timing.EARLY),
        ("2026-11-21T20:00", Timing.ON_TIME),
        ("2026-11-21T22:00", Timing.ON_TIME),
        ("2026-11-22T00:00", Timing.ON_TIME),
        ("2026-11-22T00:01", Timing.LATE),
        ("2026-11-22T04:00", Timing.LATE),
        ("2026-11-22T04:01", Timing.TOO_LATE),
    ],
)
def test_without_a_limit_late_ends_midway_to_the_next_dose(given_at, verdict):
    assert schedule.timing(PLANNED, at(given_at), NEXT, None) is verdict


@pytest.mark.parametrize(
    ("given_at", "following", "limit", "verdict"),
    [
        ("2026-11-22T01:00", NEXT, 180, Timing.LATE),
        ("2026-11-22T01:01", NEXT, 180, Timing.TOO_LATE),
        ("2026-11-22T09:00", NEXT, 720, Timing.LATE),
        ("2026-11-21T23:59", NEXT, 60, Timing.ON_TIME),
        ("2026-11-22T04:00", None, None, Timing.LATE),
        ("2026-11-22T04:01", None, None, Timing.TOO_LATE),
    ],
)
def test_the_plan_may_set_its_own_limit_and_the_last_dose_has_six_hours(given_at, following, limit, verdict):
    late_after = None if limit is None else timedelta(minutes=limit)
    assert schedule.timing(PLANNED, at(given_at), following, late_after) is verdict


@pytest.mark.parametrize(
    ("hours", "minutes", "too_short"), [(7, 59, True), (8, 0, False), (-7, -59, True), (-8, 0, False), (0, 0, True)]
)
def test_two_doses_closer_than_eight_hours_are_too_close_whichever_was_first(hours, minutes, too_short):
    other = PLANNED + timedelta(hours=hours, minutes=minutes)
    assert schedule.gap_too_short(PLANNED, other, schedule.default_min_gap(2)) is too_short


def test_the_gap_is_counted_in_real_hours_when_the_clocks_change():
    """20:00 to 04:00 is seven hours on the night the clocks go forward."""
    berlin = ZoneInfo("Europe/Berlin")
    evening, early = (
        schedule.moment(day(on), hour, berlin) for on, hour in (("2026-03-28", time(20)), ("2026-03-29", time(4)))
    )
    assert schedule.gap_too_short(evening, early, schedule.default_min_gap(2))


@pytest.mark.parametrize("doses_a_day", [1, 3, 4])
def test_only_twice_a_day_has_a_gap_of_its_own(doses_a_day):
    assert schedule.default_min_gap(doses_a_day) is None
    assert not schedule.gap_too_short(PLANNED, PLANNED, None)


# Choosing a start
@pytest.mark.parametrize(
    ("today", "start"),
    [
        ("2026-11-21", "2026-11-25"),  # Saturday
        ("2026-11-24", "2026-11-25"),  # Tuesday
        ("2026-11-25", "2026-12-02"),  # Wednesday: the next one
        ("2026-11-26", "2026-12-02"),
        ("2028-02-28", "2028-03-01"),  # across a leap day
        ("2026-12-31", "2027-01-06"),
    ],
)
def test_a_wednesday_is_suggested(today, start):
    assert schedule.suggested_start(day(today)) == day(start)


def test_a_wednesday_start_puts_the_hardest_days_on_friday_to_sunday():
    assert [on.strftime("%A") for on in schedule.hardest_days(day("2026-11-25"), "3-5")] == [
        "Friday",
        "Saturday",
        "Sunday",
    ]


def test_a_protocol_that_names_no_hardest_days_has_none():
    """M2: a kidney course is hardest at first, so nothing may be said about its days 3 to 5."""
    assert schedule.hardest_days(day("2026-11-25"), "") == ()
