"""A plan that changes: what is signed anew, what stays, and what is refused."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import course_actions, plan_actions, version_actions
from cycles.models import Cycle, Injection, Plan, PlannedDose, PlanVersion
from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 6, 12)  # day 3 of course 1
START, SECOND, THIRD = date(2026, 3, 4), date(2026, 4, 29), date(2026, 6, 24)  # O1


@pytest.fixture(autouse=True)
def third_day():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, cd4_goal=600)


def twice_daily(amount, days=56, last=5, repeat=None):
    lines = [{"days": f"1-{last}", "slots": ["am", "pm"], "amount": amount}]
    return {"unit": "MIU", "phases": [{"repeat": repeat, "cycle_days": days, "doses": lines}]}


def change(plan, by, **changes):
    facts = {
        "base_number": 1,
        "from_course": 2,
        "document": twice_daily("6"),
        "slot_times": {"am": "10:00", "pm": "22:00"},
        "starts_on": SECOND,
        "now": NOW,
        "change_reason": "severe tiredness on days 4 and 5",
        "cd4_goal": 600,
    }
    return version_actions.change_plan(by=by, plan=plan, **{**facts, **changes})


def amounts(plan, number):
    return {dose.amount for dose in PlannedDose.objects.filter(cycle__plan=plan, cycle__number=number)}


def test_a_change_applies_from_the_course_that_has_not_started(cast, plan):
    """B7, P10: course 1 runs on as it was signed; course 2 keeps its day and gets the new amount."""
    version = change(plan, cast.ben)
    assert (version.number, version.first_course, version.signed_title) == (2, 2, "Ben, nurse")
    assert (version.route, str(version.fever_above), version.fever_unit) == ("sc", "102.0", "F")
    assert (amounts(plan, 1), amounts(plan, 2)) == ({Decimal("7.5")}, {Decimal(6)})
    second = plan.cycles.get(number=2)
    assert (second.version, second.starts_on, second.doses.count()) == (version, SECOND, 10)
    assert plan.cycles.get(number=1).version.number == 1
    assert AuditEvent.objects.filter(action="cycles.plan.changed").count() == 1


def test_the_old_version_is_never_edited(cast, plan):
    before = PlanVersion.objects.filter(number=1).values().get()
    change(plan, cast.ben)
    assert PlanVersion.objects.filter(number=1).values().get() == before


def test_the_courses_after_it_follow_the_new_version(cast, plan):
    version = change(plan, cast.ben)
    plan_actions.open_next_cycle(plan=Plan.objects.get(), today=SECOND)
    third = plan.cycles.get(number=3)
    assert (third.version, third.starts_on, amounts(plan, 3)) == (version, THIRD, {Decimal(6)})


def test_a_longer_interval_counts_after_the_course_to_come(cast, plan):
    """D7: the booked course keeps its day; the gap after it grows."""
    change(plan, cast.ben, document=twice_daily("7.5", days=84))
    plan_actions.open_next_cycle(plan=Plan.objects.get(), today=SECOND)
    starts = plan.cycles.order_by("number").values_list("starts_on", flat=True)
    assert list(starts) == [START, SECOND, SECOND + timedelta(days=84)]


def test_the_course_to_come_moves_when_it_is_asked_to(cast, plan):
    """D7, the other answer: 84 days from the start of course 1."""
    moved = START + timedelta(days=84)
    change(plan, cast.ben, document=twice_daily("7.5", days=84), starts_on=moved)
    second = plan.cycles.get(number=2)
    assert (second.starts_on, second.doses.first().due_on) == (moved, moved)


def test_intervals_of_a_year_and_longer_can_be_signed(cast, plan):
    """P12: about one year between courses."""
    change(plan, cast.ben, document=twice_daily("7.5", days=364))
    assert plan.cycles.get(number=2).next_starts_on == SECOND + timedelta(weeks=52)


def test_a_shorter_course_has_fewer_days(cast, plan):
    """P10: shorten the course."""
    change(plan, cast.ben, document=twice_daily("7.5", last=4))
    second = plan.cycles.get(number=2)
    assert (second.last_dose_on, second.doses.count()) == (SECOND + timedelta(days=3), 8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from_course": 1, "starts_on": START}, "Course 1 cannot change any more"),
        ({"from_course": 3, "starts_on": THIRD}, "applies from course 2, the next one"),
        ({"starts_on": NOW.date()}, "has passed or is today"),
        ({"starts_on": date(2026, 3, 8)}, "has passed or is today|overlaps course 1"),
        ({"change_reason": ""}, "Say why the plan changes"),
        ({"document": twice_daily("9.5")}, "more than this treatment uses"),
        ({"document": twice_daily(None)}, "Enter the amount of every injection"),
        ({"document": twice_daily("9")}, "outside what was studied"),
        ({"document": twice_daily("6", repeat=1)}, "ends with course 1"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing_behind(cast, plan, changes, words):
    with pytest.raises(ValidationError, match=words):
        change(plan, cast.ben, **changes)
    assert PlanVersion.objects.count() == 1
    assert (amounts(plan, 2), plan.cycles.get(number=2).starts_on) == ({Decimal("7.5")}, SECOND)


def test_an_amount_outside_the_studied_range_needs_its_reason(cast, plan):
    """W6: 18 a day is more than was ever studied under the skin in HIV."""
    version = change(plan, cast.ben, document=twice_daily("9"), beyond_reason="agreed with the trial team")
    assert version.regimen.daily_total() == 18


def test_of_two_who_change_at_once_the_second_is_stopped(cast, plan):
    change(plan, cast.ben)
    with pytest.raises(version_actions.OvertakenError):
        change(plan, cast.ben, document=twice_daily("4.5"))
    assert PlanVersion.objects.count() == 2
    assert amounts(plan, 2) == {Decimal(6)}


@pytest.mark.parametrize("who", ["anna", "sam", "carla", "eve", "dan"])
def test_only_the_clinic_changes_a_plan(cast, plan, who):
    with pytest.raises(PermissionDenied):
        change(plan, getattr(cast, who))


def test_an_ended_plan_does_not_change(cast, plan):
    plan_actions.end_plan(by=cast.ben, plan=plan, on=NOW.date(), reason="moved away")
    with pytest.raises(ValidationError, match="has ended"):
        change(plan, cast.ben)


def test_a_held_course_stays_held_under_the_new_version(cast, plan):
    """H22: no change lifts a hold."""
    factories.hold(cast.ben, plan.cycles.get(number=2), "infection")
    change(plan, cast.ben)
    second = plan.cycles.get(number=2)
    assert (second.state, second.version.number) == (Cycle.State.HELD, 2)


def test_after_the_last_course_a_change_opens_the_next_one(cast):
    """A plan of one course that is over goes on from the day that is signed."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, document=twice_daily("7.5", repeat=1))
    assert plan.cycles.count() == 1
    change(plan, cast.ben, starts_on=THIRD)
    second = plan.cycles.get(number=2)
    assert (second.starts_on, amounts(plan, 2)) == (THIRD, {Decimal(6)})


def test_after_a_course_that_was_left_out_the_next_one_changes(cast, plan):
    course_actions.cancel_cycle(by=cast.ben, cycle=plan.cycles.get(number=2), reason="holiday")
    change(plan, cast.ben, from_course=3, starts_on=THIRD)
    assert amounts(plan, 2) == {Decimal("7.5")}
    assert amounts(plan, 3) == {Decimal(6)}


def test_an_undone_early_injection_keeps_its_row(cast, plan):
    """A5: nothing deletes an injection."""
    dose = plan.cycles.get(number=2).doses.first()
    early = factories.injection(cast.anna_patient, cast.anna, dose, at=NOW).injection
    with pytest.raises(ValidationError, match="Course 2 cannot change"):
        change(plan, cast.ben)
    factories.void(cast.anna, early)
    change(plan, cast.ben)
    assert Injection.objects.get(pk=early.pk).planned_dose is None


# Reading


def test_the_patient_confirms_having_read_it_once(cast, plan):
    version = change(plan, cast.ben)
    assert version.is_unread
    version_actions.confirm_read(by=cast.anna, version=version, now=NOW)
    version_actions.confirm_read(by=cast.sam, version=version, now=NOW + timedelta(hours=1))
    assert (version.read_by, version.read_at, version.is_unread) == (cast.anna, NOW, False)
    assert AuditEvent.objects.filter(action="cycles.plan.read").count() == 1


def test_the_clinic_does_not_confirm_for_the_patient(cast, plan):
    version = change(plan, cast.ben)
    with pytest.raises(PermissionDenied):
        version_actions.confirm_read(by=cast.ben, version=version, now=NOW)


def test_reading_the_newest_covers_the_ones_before(cast, plan):
    change(plan, cast.ben)
    newest = change(plan, cast.ben, base_number=2, document=twice_daily("4.5"))
    version_actions.confirm_read(by=cast.anna, version=newest, now=NOW)
    assert not any(version.is_unread for version in plan.versions.all())


# Without a clinic, and with one later


def test_a_patient_alone_changes_his_plan_and_has_read_it(cast):
    """B6: it works, and stays marked as not confirmed."""
    lee = factories.lone_patient()
    plan = factories.plan(lee, lee.user, starts_on=START, now=NOW)
    version = change(plan, lee.user)
    assert (version.signed_as, version.is_unread) == ("patient", False)


def test_a_clinic_that_comes_later_signs_the_plan_as_it_is(cast):
    """B6: it is offered to the first clinic that gets a sharing, for signing as a new version."""
    lee = factories.lone_patient()
    plan = factories.plan(lee, lee.user, starts_on=START, now=NOW)
    accounts.share_with_clinic(by=lee.user, patient=lee, clinic=cast.north)
    version = change(plan, cast.ben, document=twice_daily("7.5"), change_reason="signed for the clinic")
    assert (version.signed_as, version.signed_by, version.is_unread) == ("clinic", cast.ben, True)
    with pytest.raises(PermissionDenied):
        change(plan, lee.user, base_number=2)
