"""A course day by day: what stands at each hour."""

from datetime import date, timedelta

import pytest

from cycles.course_actions import stop_cycle
from cycles.days import State, lay_out
from cycles.models import PlannedDose
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

START = date(2026, 11, 18)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def cycle(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=utc(2026, 11, 17, 9)).cycles.get()


def laid_out(cycle, now):
    return lay_out(cycle, list(PlannedDose.objects.filter(cycle=cycle).with_records()), now)


def states(course, number):
    return [slot.state for slot in course.days[number - 1].slots]


def record(cast, cycle, *places, **facts):
    doses = {(dose.day, dose.slot): dose for dose in cycle.doses.all()}
    for place in places:
        factories.injection(cast.anna_patient, cast.anna, doses[place], **facts)


@pytest.mark.parametrize(
    ("now", "first_day"),
    [
        (utc(2026, 11, 17, 22), [State.COMING, State.COMING]),
        (utc(2026, 11, 18, 0, 1), [State.DUE, State.COMING]),
        (utc(2026, 11, 18, 15, 59), [State.DUE, State.COMING]),
        (utc(2026, 11, 18, 16, 1), [State.MISSING, State.DUE]),
        (utc(2026, 11, 19, 3, 59), [State.MISSING, State.DUE]),
        (utc(2026, 11, 19, 4, 1), [State.MISSING, State.MISSING]),
    ],
)
def test_a_dose_is_due_from_its_day_until_midway_to_the_next(cycle, now, first_day):
    assert states(laid_out(cycle, now), 1) == first_day


def test_the_last_dose_of_a_course_is_due_for_six_hours(cast, cycle):
    assert laid_out(cycle, utc(2026, 11, 23, 4)).due.dose.day == 5
    after = laid_out(cycle, utc(2026, 11, 23, 4, 1))
    assert after.due is None
    assert after.later is None
    assert len(after.missing) == 10


def test_the_plan_s_own_limit_ends_being_late(cast):
    plan = factories.plan(cast.dan_patient, cast.ben, starts_on=START, now=utc(2026, 11, 17, 9), late_after_minutes=180)
    assert states(laid_out(plan.cycles.get(), utc(2026, 11, 18, 13)), 1) == [State.DUE, State.COMING]
    assert states(laid_out(plan.cycles.get(), utc(2026, 11, 18, 13, 1)), 1) == [State.MISSING, State.DUE]


def test_what_is_recorded_counts_whether_given_or_not(cast, cycle):
    record(cast, cycle, (1, "am"))
    record(cast, cycle, (1, "pm"), state="skipped", reason="too_ill")
    course = laid_out(cycle, utc(2026, 11, 19, 9))
    assert states(course, 1) == [State.DONE, State.SKIPPED]
    assert course.days[0].recorded == course.recorded == 2
    assert [slot.words for slot in course.days[0].slots] == ["recorded", "not taken"]
    assert (course.due.dose.day, course.due.dose.slot) == (2, "am")
    assert (course.later.dose.day, course.later.dose.slot) == (2, "pm")


def test_a_held_course_asks_for_nothing(cast, cycle):
    factories.hold(cast.ben, cycle, "fever")
    course = laid_out(cycle, utc(2026, 11, 18, 21))
    assert course.due is course.later is None
    assert course.missing == []
    assert {slot.state for slot in course.slots} == {State.OFF}


def test_after_a_stop_the_rest_is_not_planned_any_more(cast, cycle):
    stop_cycle(by=cast.ben, cycle=cycle, on=date(2026, 11, 19), reason="rash")
    course = laid_out(cycle, utc(2026, 11, 20, 12))
    assert states(course, 2) == [State.MISSING, State.MISSING]
    assert states(course, 3) == [State.OFF, State.OFF]
    assert course.due is None


def test_the_week_of_a_short_course_is_the_course(cycle):
    course = laid_out(cycle, utc(2026, 11, 20, 12))
    assert course.week_of(date(2026, 11, 20)) == course.days
    assert [day.on.day for day in course.days] == [18, 19, 20, 21, 22]


@pytest.mark.parametrize(
    ("today", "first"),
    [(date(2026, 1, 5), 1), (date(2026, 1, 11), 1), (date(2026, 1, 12), 8), (date(2026, 2, 3), 22)],
)
def test_a_long_course_shows_the_week_of_the_day(cast, today, first):
    plan = factories.plan(
        cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 1, 5), now=utc(2026, 1, 2)
    )
    course = laid_out(plan.cycles.get(), utc(2026, 1, 5, 12))
    week = course.week_of(today)
    assert [day.number for day in week] == list(range(first, first + 7))
    assert [len(day.slots) for day in week] == [1, 1, 1, 1, 1, 0, 0]
    assert len(course.weeks()) == 4
    assert course.weeks()[-1][-1].on == date(2026, 1, 5) + timedelta(days=27)
