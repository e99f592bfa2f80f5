"""A course waits until a person says that it goes on (H22, D18, D19)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import course_actions, hold_actions
from cycles.models import Cycle, Hold, PlannedDose
from il2tracker.alerts.models import Alert
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

START = date(2026, 11, 18)
BEFORE = utc(2026, 11, 10, 12)
DAY_2 = utc(2026, 11, 19, 12)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def cycle(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=BEFORE).cycles.get()


def lift(cast, hold, now, note="well again"):
    return hold_actions.lift_hold(by=cast.ben, hold=hold, now=now, note=note)


@pytest.mark.parametrize("who", ["anna", "sam", "ben"])
def test_patient_carer_and_clinic_may_put_a_course_on_hold(cast, cycle, who):
    """P22: an infection is reported at any time; the dates stay where they are."""
    hold = factories.hold(getattr(cast, who), cycle, kind="infection", now=BEFORE)
    assert (hold.raised_by, hold.is_open, cycle.state) == (getattr(cast, who), True, Cycle.State.HELD)
    assert Cycle.objects.get().starts_on == START


def test_nobody_else_may(cast, cycle):
    with pytest.raises(PermissionDenied):
        factories.hold(cast.carla, cycle)


@pytest.mark.parametrize(("who", "told"), [("anna", 1), ("sam", 1), ("ben", 0)])
def test_the_clinic_is_told_of_what_it_did_not_decide_itself(cast, cycle, who, told):
    factories.hold(getattr(cast, who), cycle, kind="pregnancy", now=BEFORE)
    assert Alert.objects.holding().filter(rule="HOLD", tier=Alert.Tier.AMBER).count() == told


def test_the_same_reason_is_kept_once(cast, cycle):
    first = factories.hold(cast.anna, cycle, kind="infection", now=BEFORE)
    assert factories.hold(cast.ben, cycle, kind="infection", now=DAY_2) == first
    assert Hold.objects.count() == 1


@pytest.mark.parametrize("who", ["anna", "sam"])
def test_only_the_clinic_lifts_a_hold(cast, cycle, who):
    hold = factories.hold(cast.anna, cycle, now=BEFORE)
    with pytest.raises(PermissionDenied):
        hold_actions.lift_hold(by=getattr(cast, who), hold=hold, now=BEFORE)


def test_a_course_goes_on_when_its_last_reason_is_gone(cast, cycle):
    holds = [factories.hold(cast.ben, cycle, kind=kind, now=BEFORE) for kind in ("infection", "fatigue")]
    lift(cast, holds[0], BEFORE)
    assert Cycle.objects.get().state == Cycle.State.HELD
    lift(cast, holds[1], BEFORE)
    assert Cycle.objects.get().state == Cycle.State.PLANNED


def test_lifting_twice_is_lifting_once(cast, cycle):
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    assert lift(cast, hold, BEFORE).lifted_at == lift(cast, hold, DAY_2).lifted_at


def test_what_fell_into_the_wait_is_neither_missing_nor_caught_up(cast, cycle):
    """D18: no doses are added at the end."""
    first = cycle.doses.get(day=1, slot="am")
    factories.injection(cast.anna_patient, cast.anna, first)
    hold = factories.hold(cast.anna, cycle, now=first.due_at + timedelta(hours=1))
    lift(cast, hold, DAY_2)
    held = PlannedDose.objects.filter(was_held=True).values_list("day", "slot")
    assert set(held) == {(1, "pm"), (2, "am")}
    assert PlannedDose.objects.counting().count() == 8
    assert Cycle.objects.get().last_dose_on == START + timedelta(days=4)


def test_a_course_that_has_not_begun_needs_another_first_day_when_its_own_has_passed(cast, cycle):
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    with pytest.raises(ValidationError, match="give it another one"):
        lift(cast, hold, DAY_2)
    assert Hold.objects.get().is_open


def test_a_new_first_day_lifts_every_hold(cast, cycle):
    factories.hold(cast.ben, cycle, now=BEFORE)
    course_actions.move_cycle(
        by=cast.ben, cycle=cycle, starts_on=date(2026, 12, 2), today=date(2026, 11, 19), reason="well again"
    )
    assert not Hold.objects.open().exists()


def test_a_cancelled_course_has_nothing_to_hold(cast, cycle):
    course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="moved away")
    with pytest.raises(ValidationError):
        factories.hold(cast.ben, cycle)
