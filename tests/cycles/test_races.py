"""One dose, one record, whatever happens at once. On the database of this pass; tests run it on both."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cycles import actions, plan_actions, version_actions
from cycles.models import Cycle, Injection, Plan
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import planning
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, ATTEMPTS = 25, 40


def all_at_once(work):
    """What `work(number)` returned in each of THREADS threads that start together; each closes its own connection."""
    together = threading.Barrier(THREADS)

    def run(number):
        try:
            together.wait(timeout=30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def dose(cast):
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=cast.anna_patient.today(timezone.now()))
    return plan.cycles.get(number=1).doses.first()


def log_once(cast, dose, number, key=None):
    by = cast.anna if number % 2 else cast.sam
    now = timezone.now()
    return actions.log_injection(
        by=by,
        patient=cast.anna_patient,
        dose=dose,
        key=key or uuid4(),
        state="taken",
        given_at=now,
        amount=dose.amount,
        site="tfr",
        now=now,
    )


def test_a_thousand_attempts_of_two_people_leave_one_injection(cast, dose):
    found = all_at_once(lambda number: [log_once(cast, dose, number) for _ in range(ATTEMPTS)])
    results = [result for thread in found for result in thread]
    assert len(results) == THREADS * ATTEMPTS
    assert sum(result.created for result in results) == 1
    assert {result.injection.pk for result in results} == {Injection.objects.get().pk}
    assert AuditEvent.objects.filter(action="cycles.injection.taken").count() == 1


def test_one_form_sent_by_many_tabs_leaves_one_injection_also_outside_the_plan(cast):
    key, now = uuid4(), timezone.now()

    def send(_number):
        return actions.log_injection(
            by=cast.anna, patient=cast.anna_patient, key=key, state="taken", given_at=now, amount=3, now=now
        )

    results = all_at_once(send)
    assert sum(result.created for result in results) == 1
    assert Injection.objects.count() == 1


def test_undo_and_record_at_once_never_leave_two(cast, dose):
    first = log_once(cast, dose, 1).injection

    def undo_or_log(number):
        if number % 5 == 0:
            return actions.void_injection(
                by=cast.anna, injection=Injection.objects.get(pk=first.pk), now=timezone.now()
            )
        return log_once(cast, dose, number)

    all_at_once(undo_or_log)
    assert Injection.objects.standing().filter(planned_dose=dose).count() <= 1
    first.refresh_from_db()
    assert first.voided_at is not None
    again = log_once(cast, dose, 1)
    assert Injection.objects.standing().get(planned_dose=dose) == again.injection


def test_undo_frees_the_slot_and_keeps_the_removed_row(cast, dose):
    first = log_once(cast, dose, 1).injection
    factories.void(cast.anna, first)
    second = log_once(cast, dose, 1)
    assert second.created
    first.refresh_from_db()
    assert (first.voided_by, first.history.count()) == (cast.anna, 2)
    assert Injection.objects.count() == 2


def test_the_database_itself_refuses_a_second_standing_record(cast, dose):
    first = log_once(cast, dose, 1).injection
    with pytest.raises(IntegrityError), transaction.atomic():
        Injection.objects.create(
            patient=first.patient,
            planned_dose=dose,
            state="taken",
            given_at=first.given_at,
            zone="UTC",
            amount=1,
            recorded_by=cast.anna,
            recorded_at=first.recorded_at,
            idempotency_key=uuid4(),
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "taken", "given_at": None, "amount": 1},
        {"state": "taken", "amount": None},
        {"state": "partial", "amount": 0},
        {"state": "skipped", "amount": 1, "reason": "forgot"},
        {"state": "skipped", "given_at": None, "amount": None, "reason": ""},
    ],
)
def test_the_database_itself_refuses_half_a_record(cast, wrong):
    now = timezone.now()
    facts = {"patient": cast.anna_patient, "zone": "UTC", "recorded_at": now, "idempotency_key": uuid4()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Injection.objects.create(**{**facts, "given_at": now, **wrong})


def test_the_next_course_is_opened_once_by_many_planners(cast):
    long_ago = cast.anna_patient.today(timezone.now()) - timedelta(days=60)
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=long_ago)
    Cycle.objects.filter(plan=plan, number__gt=1).delete()
    today = cast.anna_patient.today(timezone.now())
    all_at_once(lambda _number: plan_actions.open_next_cycle(plan=Plan.objects.get(pk=plan.pk), today=today, past=True))
    assert list(plan.cycles.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


def test_two_plans_cannot_be_saved_at_once(cast):
    def make(_number):
        try:
            return factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label")
        except Exception as refused:
            return refused

    made = all_at_once(make)
    assert len([plan for plan in made if isinstance(plan, Plan)]) == 1
    assert Plan.objects.active().of(cast.dan_patient).count() == 1


def test_one_of_many_changes_of_a_plan_is_signed_and_the_others_are_told(cast):
    """Each had read version 1: the second one would undo what its writer never saw."""
    today = cast.anna_patient.today(timezone.now())
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=7))
    version = plan.current_version

    def change(number):
        try:
            return version_actions.change_plan(
                by=cast.ben,
                plan=Plan.objects.get(pk=plan.pk),
                base_number=1,
                from_course=1,
                document=version.document,
                slot_times=version.slot_times,
                starts_on=today + timedelta(days=10 + number),
                now=timezone.now(),
                change_reason="another day",
            )
        except version_actions.OvertakenError as overtaken:
            return overtaken

    changed = all_at_once(change)
    (signed,) = [each for each in changed if not isinstance(each, Exception)]
    assert list(plan.versions.values_list("number", flat=True)) == [1, 2]
    cycle = Cycle.objects.get(plan=plan)
    assert (cycle.version, cycle.starts_on) == (signed, signed.starts_on)
    assert cycle.doses.earliest("due_at").due_on == signed.starts_on
    assert cycle.doses.count() == 10


def test_nothing_is_opened_behind_a_plan_that_ends_while_the_planner_runs(cast):
    """Whoever comes first: no course to come is left standing, and the plan is never open again."""
    today = cast.anna_patient.today(timezone.now())
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=today)
    Cycle.objects.filter(plan=plan, number__gt=1).delete()

    def end_or_open(number):
        if number == THREADS // 2:
            return plan_actions.end_plan(by=cast.ben, plan=Plan.objects.get(pk=plan.pk), on=today, reason="rash")
        return planning.open_next_cycles(timezone.now())

    all_at_once(end_or_open)
    plan.refresh_from_db()
    assert plan.ended_on == today
    assert not Cycle.objects.filter(plan=plan, state__in=["planned", "held"]).exists()
    assert plan.cycles.count() <= 2
