"""A course that was stopped early is a state with its reason (2.2): it keeps no day after its stop, and misses none."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from cycles import course_actions, days
from cycles.models import Cycle, PlannedDose
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
START = date(2026, 11, 18)  # a Wednesday: the course was planned to Sunday 22 November
BEFORE = utc(2026, 11, 10, 12)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=BEFORE)


def stop(cast, plan, on):
    return course_actions.stop_cycle(by=cast.ben, cycle=plan.cycles.get(number=1), on=on, reason="a rash")


def test_it_keeps_its_planned_days_and_doses_and_says_why_it_ended(cast, plan):
    cycle = stop(cast, plan, START + timedelta(days=2))
    assert (cycle.state, cycle.stopped_on, cycle.reason) == ("stopped_early", date(2026, 11, 20), "a rash")
    assert cycle.last_dose_on == date(2026, 11, 22)
    assert PlannedDose.objects.filter(cycle=cycle).count() == 10


def test_what_would_have_come_is_neither_missing_nor_counted(cast, plan):
    cycle = stop(cast, plan, START + timedelta(days=2))
    doses = list(PlannedDose.objects.filter(cycle=cycle).with_records())
    course = days.lay_out(cycle, doses, utc(2026, 11, 25, 12))
    assert [slot.state.value for slot in course.slots] == ["missing"] * 6 + ["off"] * 4
    assert PlannedDose.objects.filter(cycle=cycle).counting().count() == 6
    assert course.due is None


@pytest.mark.parametrize(
    ("stopped_on", "next_starts_on", "is_free"),
    [
        (date(2026, 11, 20), date(2026, 11, 20), False),
        (date(2026, 11, 20), date(2026, 11, 21), True),
        (date(2026, 11, 17), date(2026, 11, 18), True),  # stopped on day 1 before any injection
        (date(2026, 11, 17), date(2026, 11, 14), True),
        (date(2026, 11, 22), date(2026, 11, 22), False),
        (date(2026, 11, 30), date(2026, 11, 23), True),  # said to stop after its last day
    ],
)
def test_the_days_after_the_stop_are_free_for_another_course(cast, plan, stopped_on, next_starts_on, is_free):
    """A23: kept by the action and, without it, by the database on both vendors."""
    cycle = stop(cast, plan, stopped_on)
    other = Cycle(
        patient=cycle.patient,
        plan=cycle.plan,
        version=cycle.version,
        number=9,
        starts_on=next_starts_on,
        last_dose_on=next_starts_on + timedelta(days=4),
    )
    if is_free:
        course_actions.refuse_overlap(other, next_starts_on)
        other.save()
        return
    with pytest.raises(ValidationError, match="overlaps course 1"):
        course_actions.refuse_overlap(other, next_starts_on)
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()


def test_a_course_that_was_not_stopped_still_keeps_all_its_days(cast, plan):
    cycle = plan.cycles.get(number=1)
    facts = {"patient": cycle.patient, "plan": plan, "version": cycle.version, "number": 9}
    with pytest.raises(IntegrityError), transaction.atomic():
        Cycle.objects.create(**facts, starts_on=date(2026, 11, 22), last_dose_on=date(2026, 11, 26))


def test_a_stop_cannot_be_taken_back_over_another_course(cast, plan):
    cycle = stop(cast, plan, date(2026, 11, 20))
    facts = {"patient": cycle.patient, "plan": plan, "version": cycle.version, "number": 9}
    Cycle.objects.create(**facts, starts_on=date(2026, 11, 21), last_dose_on=date(2026, 11, 25))
    with pytest.raises(IntegrityError), transaction.atomic():
        Cycle.objects.filter(pk=cycle.pk).update(state="planned", stopped_on=None)
