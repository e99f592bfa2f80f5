"""Real worker, beat, broker and mail server: killed, stopped and started again, and still every mail comes once."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from cycles import course_actions
from cycles.models import Cycle
from il2tracker.accounts import actions as accounts
from il2tracker.reminders import clocks, invariants
from il2tracker.reminders.models import Heartbeat, Reminder
from tests import factories
from tests.factories import Cast
from tests.faults.processes import Machine, wait_until
from tests.reminders import outbox
from tests.reminders.test_mails import leaks
from tests.services import Broker
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
FOURTEEN_DAYS = timedelta(days=14)


@pytest.fixture
def machine(tmp_path: Path, smtp_sink: SmtpSink, broker: Broker) -> Iterator[Machine]:
    programs = Machine(tmp_path, smtp_sink, broker.url)
    yield programs
    programs.stop()


@pytest.fixture
def cast() -> Cast:
    """Anna lives where it is noon now, so that neither night nor morning decides."""
    everybody = factories.cast()
    accounts.update_patient(by=everybody.anna, patient=everybody.anna_patient, time_zone=outbox.daytime())
    everybody.anna_patient.refresh_from_db()
    return everybody


@pytest.fixture
def course(cast: Cast) -> Cycle:
    """Planned for the far future."""
    today = cast.anna_patient.today(timezone.now())
    return factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=60)).cycles.get()


def move_to_14_days_before(course: Cycle, cast: Cast) -> None:
    today = cast.anna_patient.today(timezone.now())
    course_actions.move_cycle(
        by=cast.ben, cycle=course, starts_on=today + FOURTEEN_DAYS, today=today, reason="brought forward"
    )


def sweeps(machine: Machine, count: int) -> None:
    """Wait until the sweep has run so many times more."""
    for _ in range(count):
        before = Heartbeat.read().swept_at
        wait_until(lambda before=before: Heartbeat.read().swept_at != before, machine)


def test_one_bloodwork_mail_comes_although_the_worker_was_killed_in_the_middle_of_it(
    machine: Machine, smtp_sink: SmtpSink, cast: Cast, course: Cycle
) -> None:
    machine.beat()
    worker = machine.worker()
    sweeps(machine, 2)
    assert not Reminder.objects.filter(patient=cast.anna_patient).exists()

    smtp_sink.fault("hang-rcpt", times=1)
    move_to_14_days_before(course, cast)
    wait_until(lambda: smtp_sink.attempts, machine)
    machine.kill(worker)
    row = Reminder.objects.get(kind="bloodwork_due")
    assert (row.state, row.handing_over_at) == ("sending", None), "killed between claim and mark"

    worker = machine.worker()
    wait_until(lambda: smtp_sink.messages, machine)
    wait_until(lambda: Reminder.objects.filter(state="sent").exists(), machine)
    sweeps(machine, 3)
    machine.kill(worker)
    machine.worker()
    sweeps(machine, 3)

    (received,) = smtp_sink.messages
    assert received.rcpt_tos == ("anna@example.org",)
    assert received.message["To"] == "anna@example.org"
    assert "An appointment by" in received.message["Subject"]
    assert leaks(received.raw) == []
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 1), "a lost sender costs no attempt"
    assert invariants.broken(clocks.database_now()) == []


def test_without_redis_pages_work_and_the_loop_sends(
    machine: Machine, smtp_sink: SmtpSink, broker: Broker, cast: Cast, course: Cycle, client: Client
) -> None:
    broker.stop()
    client.force_login(cast.anna)
    assert client.get("/").status_code == 200
    changed = client.post("/settings/reminders/", {"shown": "before", "bloodwork_due": "on"})
    assert changed.status_code == 302
    move_to_14_days_before(course, cast)
    loop = machine.loop()
    smtp_sink.wait_for(1, seconds=60)
    wait_until(lambda: Reminder.objects.filter(state="sent").exists(), machine)
    loop.send_signal(signal.SIGTERM)
    assert loop.wait(20) == 0
    assert len(smtp_sink.messages) == 1, machine.logs()


@pytest.mark.alone
def test_a_broker_that_comes_back_wakes_the_worker_again(
    machine: Machine, smtp_sink: SmtpSink, broker: Broker, cast: Cast, course: Cycle
) -> None:
    machine.beat()
    machine.worker()
    sweeps(machine, 1)
    broker.stop()
    move_to_14_days_before(course, cast)
    broker.start()
    wait_until(lambda: smtp_sink.messages, machine)
    sweeps(machine, 2)
    assert len(smtp_sink.messages) == 1


def test_two_beats_two_workers_and_a_loop_send_each_mail_once(
    machine: Machine, smtp_sink: SmtpSink, cast: Cast, course: Cycle
) -> None:
    """Nobody should start so many, and nobody is the worse for it."""
    for start in (machine.beat, machine.beat, machine.worker, machine.worker, machine.loop):
        start()
    sweeps(machine, 1)
    move_to_14_days_before(course, cast)
    wait_until(lambda: smtp_sink.messages, machine, 120)
    sweeps(machine, 5)
    assert [row.state for row in Reminder.objects.filter(kind="bloodwork_due")] == ["sent"]
    assert len({mail.message["Message-ID"] for mail in smtp_sink.messages}) == len(smtp_sink.messages)
    assert invariants.broken(clocks.database_now()) == []
