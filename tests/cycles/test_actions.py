"""What is written about plans, courses and injections, and what is refused."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import actions
from cycles.models import Cycle, Injection, Plan, PlannedDose, Protocol
from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 1, 12)
START = date(2026, 3, 4)  # the plan of O1


@pytest.fixture(autouse=True)
def first_of_march():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW)


@pytest.fixture
def cycle(plan):
    return plan.cycles.get()


def courses(plan):
    return [(cycle.number, cycle.starts_on, cycle.state) for cycle in plan.cycles.order_by("number")]


# Plans


def test_the_library_can_be_loaded_again_and_again():
    before = list(Protocol.objects.values_list("slug", flat=True))
    actions.load_library()
    assert list(Protocol.objects.values_list("slug", flat=True)) == before
    assert "hiv-sc-7-5" in before


def test_a_plan_keeps_its_own_copy_of_the_protocol(plan):
    """Editing the library never rewrites history."""
    Protocol.objects.update(document={"unit": "MIU", "phases": []}, fever_above=40)
    version = Plan.objects.get().current_version
    assert version.regimen.course_total() == 75
    assert version.fever_above == Decimal("102.0")


@pytest.mark.parametrize("who", ["anna", "sam", "carla", "eve", "dan"])
def test_only_the_clinic_of_the_patient_makes_a_plan(cast, who):
    with pytest.raises(PermissionDenied):
        factories.plan(cast.anna_patient, getattr(cast, who))


def test_a_start_before_today_is_only_a_past_course(cast):
    protocol = Protocol.objects.get(slug="hiv-sc-4-5")
    facts = {"by": cast.ben, "patient": cast.anna_patient, "protocol": protocol, "document": protocol.document}
    facts |= {"slot_times": {"am": "10:00", "pm": "22:00"}, "starts_on": date(2026, 2, 28), "now": NOW}
    with pytest.raises(ValidationError, match="has passed"):
        actions.create_plan(**facts)
    assert actions.create_plan(**facts, past=True).cycles.count() == 2


@pytest.mark.parametrize(
    ("slug", "amount", "words"),
    [
        ("kidney-5-week", None, "Enter the amount of every injection"),
        ("kidney-5-week", "18.001", "more than this treatment uses"),
        ("hiv-sc-7-5", "9.5", "more than this treatment uses"),
    ],
)
def test_a_plan_holds_no_missing_and_no_impossible_amount(cast, slug, amount, words):
    protocol = Protocol.objects.get(slug=slug)
    document = protocol.regimen.document()
    document["phases"][0]["doses"][0]["amount"] = amount
    with pytest.raises(ValidationError, match=words):
        factories.plan(cast.dan_patient, cast.ben, protocol=slug, document=document)
    assert not Plan.objects.exists()


def test_a_plan_of_its_own_ends_with_its_last_course(cast):
    """Two courses and no third, however often the planner looks."""
    document = Protocol.objects.get(slug="hiv-sc-4-5").document
    document["phases"][0]["repeat"] = 2
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, document=document)
    for weeks in (1, 9, 30):
        actions.open_next_cycle(plan=plan, today=START + timedelta(weeks=weeks))
    assert [number for number, *_rest in courses(plan)] == [1, 2]


def test_ending_a_plan_cancels_what_has_not_started_and_keeps_the_rest(cast, plan, cycle):
    """M8, H23: stopping keeps the record; nothing opens behind it."""
    actions.open_next_cycle(plan=plan, today=START)
    actions.end_plan(by=cast.ben, plan=plan, on=START, reason="moved away")
    assert [state for _number, _start, state in courses(plan)] == ["planned", "cancelled"]
    assert actions.open_next_cycle(plan=plan, today=START + timedelta(days=365)) is None
    assert PlannedDose.objects.of(cast.anna_patient).count() == 20


def test_a_new_plan_can_follow_an_ended_one(cast, plan):
    actions.end_plan(by=cast.ben, plan=plan, on=NOW.date(), reason="new amount")
    again = factories.plan(cast.anna_patient, cast.ben, protocol="hiv-sc-4-5", starts_on=START, now=NOW)
    assert courses(again) == [(1, START, "planned")]


def test_a_new_plan_does_not_overlap_a_course_that_has_started(cast, plan):
    actions.end_plan(by=cast.ben, plan=plan, on=START, reason="new amount")
    with pytest.raises(ValidationError, match="overlaps course 1"):
        factories.plan(cast.anna_patient, cast.ben, starts_on=START + timedelta(days=2), now=NOW)
    assert Plan.objects.active().count() == 0


# Courses


def test_there_is_always_exactly_one_course_that_has_not_started(plan):
    """The starts of O1."""
    starts = ["2026-03-04", "2026-04-29", "2026-06-24", "2026-08-19"]
    for number, start in enumerate(starts[:3], 1):
        actions.open_next_cycle(plan=plan, today=date.fromisoformat(start))
        assert [str(on) for _number, on, _state in courses(plan)] == starts[: number + 1]
    assert actions.open_next_cycle(plan=plan, today=date(2026, 8, 18)) is None


def test_a_course_has_its_doses_as_rows_in_utc(cycle):
    """O1: day 5 is the day the clocks change in New York, not in London; London changes on 29 March."""
    doses = list(cycle.doses.all())
    assert len(doses) == 10
    assert [(dose.day, dose.slot) for dose in doses[:3]] == [(1, "am"), (1, "pm"), (2, "am")]
    assert (doses[0].due_at, doses[-1].due_at) == (utc(2026, 3, 4, 10), utc(2026, 3, 8, 22))
    assert {dose.zone for dose in doses} == {"Europe/London"}


def test_an_hour_that_the_clocks_skip_moves_forward(cast):
    """A22: 01:30 on 29 March 2026 in London counts as 02:30."""
    protocol = Protocol.objects.get(slug="kidney-label")
    plan = actions.create_plan(
        by=cast.ben,
        patient=cast.dan_patient,
        protocol=protocol,
        document=protocol.document,
        slot_times={"bedtime": "01:30"},
        starts_on=date(2026, 3, 28),
        now=NOW,
    )
    first, second = plan.cycles.get().doses.all()[:2]
    assert (first.due_at, second.due_at) == (utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30))


def test_a_moved_course_shifts_as_a_whole(cast, plan, cycle):
    actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="holiday")
    doses = list(cycle.doses.all())
    assert (cycle.starts_on, cycle.last_dose_on) == (date(2026, 4, 1), date(2026, 4, 5))
    assert (doses[0].due_on, doses[-1].due_on) == (date(2026, 4, 1), date(2026, 4, 5))
    assert doses[0].due_at == utc(2026, 4, 1, 9)  # summer time
    assert cycle.history.count() == 2


def test_the_next_course_counts_from_the_start_that_really_was(cast, plan, cycle):
    actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="holiday")
    actions.open_next_cycle(plan=plan, today=date(2026, 4, 1))
    assert courses(plan)[1][1] == date(2026, 5, 27)


def test_a_started_course_is_never_moved(cast, cycle):
    with pytest.raises(ValidationError, match="has started"):
        actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=START, reason="late")
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW)
    with pytest.raises(ValidationError, match="has started"):
        actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="late")


@pytest.mark.parametrize(("start", "overlaps"), [("2026-03-09", False), ("2026-03-08", True), ("2026-02-28", True)])
def test_two_courses_never_overlap(cast, plan, start, overlaps):
    actions.open_next_cycle(plan=plan, today=START)
    second = plan.cycles.get(number=2)
    move = {"by": cast.ben, "cycle": second, "starts_on": date.fromisoformat(start), "today": NOW.date(), "reason": ""}
    if overlaps:
        with pytest.raises(ValidationError, match="overlaps course 1"):
            actions.move_cycle(**move)
    else:
        assert actions.move_cycle(**move).starts_on == date.fromisoformat(start)


@pytest.mark.parametrize("who", ["anna", "sam", "carla"])
@pytest.mark.parametrize("act", [actions.hold_cycle, actions.cancel_cycle])
def test_only_the_clinic_decides_about_a_course(cast, cycle, who, act):
    with pytest.raises(PermissionDenied):
        act(by=getattr(cast, who), cycle=cycle, reason="unwell")


def test_nothing_opens_behind_a_held_course_until_a_person_moves_it(cast, plan, cycle):
    """H22: a hold never resumes by itself."""
    actions.hold_cycle(by=cast.ben, cycle=cycle, reason="infection")
    assert actions.open_next_cycle(plan=plan, today=date(2026, 12, 1)) is None
    actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="better")
    assert cycle.state == Cycle.State.PLANNED


def test_after_a_cancelled_course_the_next_one_stands_ready(cast, plan, cycle):
    actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="pregnancy")
    actions.open_next_cycle(plan=plan, today=NOW.date())
    assert courses(plan) == [(1, START, "cancelled"), (2, date(2026, 4, 29), "planned")]


def test_a_course_cut_short_neither_counts_nor_misses_what_would_have_come(cast, cycle):
    actions.stop_cycle(by=cast.ben, cycle=cycle, on=date(2026, 3, 6), reason="rash")
    counting = PlannedDose.objects.of(cast.anna_patient).counting()
    assert {dose.day for dose in counting} == {1, 2, 3}
    assert cycle.day_on(date(2026, 3, 6)) == 3
    assert cycle.day_on(date(2026, 3, 7)) is None


@pytest.mark.parametrize(
    ("on", "day"), [("2026-03-03", None), ("2026-03-04", 1), ("2026-03-08", 5), ("2026-03-09", None)]
)
def test_a_course_runs_from_its_first_to_its_last_dose_day(cycle, on, day):
    assert cycle.day_on(date.fromisoformat(on)) == day
    assert cycle.is_running(date.fromisoformat(on)) is (day is not None)


# Injections


def test_a_dose_of_another_patient_is_never_recorded(cast, cycle):
    with pytest.raises(PermissionDenied):
        factories.injection(cast.dan_patient, cast.dan, cycle.doses.first(), at=NOW)
    assert not Injection.objects.exists()


def test_the_key_of_another_patient_shows_nothing(cast, cycle):
    first = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    with pytest.raises(PermissionDenied):
        factories.injection(cast.dan_patient, cast.dan, key=first.idempotency_key, amount=3, at=NOW)


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "taken", "given_at": NOW, "amount": None},
        {"state": "taken", "given_at": NOW, "amount": Decimal(0)},
        {"state": "taken", "given_at": None, "amount": Decimal(3)},
        {"state": "skipped", "given_at": NOW, "amount": None, "reason": "forgot"},
        {"state": "skipped", "reason": ""},
        {"state": "perhaps", "given_at": NOW, "amount": Decimal(3)},
        {"state": "taken", "given_at": NOW + timedelta(minutes=3), "amount": Decimal(3)},
    ],
)
def test_half_a_record_is_refused(cast, cycle, facts):
    with pytest.raises(ValidationError):
        actions.log_injection(
            by=cast.anna, patient=cast.anna_patient, dose=cycle.doses.first(), key=uuid4(), now=NOW, **facts
        )
    assert not Injection.objects.exists()


def test_the_zone_is_kept_with_each_injection(cast, cycle):
    """H09: changing the profile's zone changes nothing that was recorded."""
    record = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="Asia/Tokyo")
    record.refresh_from_db()
    assert (record.zone, record.local_given_at.hour) == ("Europe/London", 12)


def test_a_removed_entry_is_not_changed(cast, cycle):
    record = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    factories.void(cast.anna, record)
    with pytest.raises(ValidationError, match="was removed"):
        actions.correct_injection(by=cast.anna, injection=record, now=NOW, site="tfl")


def test_removing_twice_keeps_the_first_removal(cast, cycle):
    record = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    factories.void(cast.anna, record)
    first = record.voided_at
    actions.void_injection(by=cast.anna, injection=record, now=NOW + timedelta(hours=1))
    record.refresh_from_db()
    assert record.voided_at == first


def test_no_access_log_holds_a_clinical_value(cast, cycle):
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW, note="rash on both arms")
    events = AuditEvent.objects.filter(action__startswith="cycles.")
    assert set(events.values_list("detail", flat=True)) == {""}
