"""Many planners and many sweeps at once, each on a connection of its own; and one whose own clock is wrong."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from cycles.models import Cycle, Hold, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.reminders import clocks, invariants, planning, sending, sources
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.faults.fire import forked
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[], Any], times: int) -> None:
    """Run it in so many threads from behind one barrier; any error fails the test."""
    barrier, errors = threading.Barrier(times), list[Exception]()

    def run() -> None:
        barrier.wait()
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


@pytest.fixture
def doses() -> list[PlannedDose]:
    """Six patients start on the same day in ten days' time."""
    patients: list[Patient] = [factories.lone_patient(f"Lee{number}") for number in range(6)]
    for patient in patients:
        factories.plan(patient, patient.user, starts_on=patient.today(clocks.database_now()) + timedelta(days=10))
    return list(PlannedDose.objects.order_by("due_at"))


def test_four_planners_at_once_make_each_row_once(doses: list[PlannedDose]) -> None:
    now = doses[0].due_at - timedelta(minutes=15)
    at_once(lambda: planning.plan(now), 4)
    wanted = [wish.key for wish in sources.wanted(now, now)]
    assert sorted(Reminder.objects.values_list("key", flat=True)) == sorted(wanted)
    assert len(wanted) == 6 * (7 + 6)


def test_three_sweeps_at_once_send_each_mail_once(doses: list[PlannedDose], smtp_sink: SmtpSink) -> None:
    outbox.plan_for(doses[0])
    due = Reminder.objects.filter(kind="injection_due")
    outbox.bring_to_now(due)
    at_once(sending.sweep, 3)
    assert set(due.values_list("state", flat=True)) == {"sent"}
    names = Counter(received.message["Message-ID"] for received in smtp_sink.messages)
    assert len(names) == 6 * 7
    assert set(names.values()) == {1}
    assert invariants.broken(clocks.database_now()) == []


def test_planning_while_sending_neither_doubles_nor_loses(doses: list[PlannedDose], smtp_sink: SmtpSink) -> None:
    """The planner at the rows' own time keeps them; the sweeps take them."""
    outbox.plan_for(doses[0])
    due = Reminder.objects.filter(kind="injection_due")
    planned = due.count()
    outbox.bring_to_now(due)
    turns = iter([sending.sweep, lambda: outbox.plan_for(doses[0]), sending.sweep, lambda: outbox.plan_for(doses[0])])
    lock = threading.Lock()

    def one_of_them() -> None:
        with lock:
            work = next(turns)
        work()

    at_once(one_of_them, 4)
    outbox.bring_to_now(due.filter(state="planned"))
    sending.sweep()
    assert due.count() == planned
    assert set(due.values_list("state", flat=True)) == {"sent"}
    names = [received.message["Message-ID"] for received in smtp_sink.messages]
    assert len(names) == len(set(names)) == planned


def test_no_mail_is_marked_after_a_hold_was_raised(doses: list[PlannedDose], smtp_sink: SmtpSink) -> None:
    """A2, R1: three sweeps run while each patient says that something has changed."""
    outbox.plan_for(doses[0])
    due = Reminder.objects.filter(kind="injection_due")
    outbox.bring_to_now(due)
    planned = due.count()
    cycles = list(Cycle.objects.select_related("patient__user"))
    turns = iter([sending.sweep, lambda: _hold_all(cycles[:3]), sending.sweep, lambda: _hold_all(cycles[3:])])
    lock = threading.Lock()

    def one_of_them() -> None:
        with lock:
            work = next(turns)
        work()

    at_once(one_of_them, 4)
    outbox.bring_to_now(due.filter(state="planned"))
    sending.sweep()
    raised = dict(Hold.objects.values_list("patient", "created_at"))
    assert len(raised) == 6
    marked = list(due.exclude(handing_over_at=None))
    assert all(row.handing_over_at <= raised[row.patient_id] for row in marked if row.handing_over_at)
    assert due.filter(state="cancelled", cancel_reason="held").count() == planned - len(marked)
    assert len(smtp_sink.messages) == len(marked)


def _hold_all(cycles: list[Cycle]) -> None:
    for cycle in cycles:
        assert cycle.patient.user is not None
        factories.hold(cycle.patient.user, cycle, kind="infection")


# A clock that is wrong

WRONG = [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-1), timedelta(days=1)]


def elsewhere(wrong: timedelta, work: Callable[[], Any]) -> None:
    """Do it in a process whose own clock is wrong by so much; the database's is right."""

    def late_or_early() -> None:
        with time_machine.travel(timezone.now() + wrong):
            assert abs(clocks.database_now() - timezone.now()) > timedelta(minutes=50)
            work()

    assert os.waitpid(forked(late_or_early), 0)[1] == 0


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_sender_with_a_wrong_clock_sends_what_is_due_by_the_database(
    doses: list[PlannedDose], smtp_sink: SmtpSink, wrong: timedelta
) -> None:
    outbox.plan_for(doses[0])
    due, soon, late = Reminder.objects.filter(kind="injection_due").order_by("pk")[:3]
    Reminder.objects.exclude(pk__in=[due.pk, soon.pk, late.pk]).delete()
    outbox.bring_to_now(Reminder.objects.all())
    now = timezone.now()
    outbox.change(soon, next_attempt_at=now + timedelta(minutes=30))
    outbox.change(late, expires_at=now - timedelta(minutes=30))
    elsewhere(wrong, sending.sweep)
    states = dict(Reminder.objects.values_list("pk", "state"))
    assert states == {due.pk: "sent", soon.pk: "planned", late.pk: "expired"}
    due.refresh_from_db()
    assert due.accepted_at is not None
    assert abs(due.accepted_at - now) < timedelta(minutes=5)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_planner_with_a_wrong_clock_plans_by_the_database(wrong: timedelta) -> None:
    lone = factories.lone_patient()
    factories.plan(lone, lone.user, starts_on=lone.today(timezone.now()) + timedelta(days=2))
    elsewhere(wrong, planning.plan)
    assert Reminder.objects.filter(kind="injection_due").exists()
    assert not any(planning.plan()), "a right clock finds nothing to change"
