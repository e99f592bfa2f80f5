"""A sender that dies at a named step of one mail, and one that is frozen there: what stands in its row, and what then.

No hook in the application: the sender is a child of the test, in which one function is replaced.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from il2tracker.reminders import claiming, clocks, invariants, planning, sending
from il2tracker.reminders.backend import Backend
from il2tracker.reminders.models import Reminder, State
from tests import factories
from tests.faults.fire import forked
from tests.reminders import outbox
from tests.services import wait_until
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
DOSE, DATE = "injection_due", "cycle_week"
LEASE, MORE = 3, 1  # seconds: what stands for two minutes of lease, and what goes beyond


@pytest.fixture(autouse=True)
def short_lease(settings: Any) -> None:
    settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT = LEASE, 1


def due_row(kind: str) -> Reminder:
    """One reminder of this kind that is due now, as the planner made it."""
    cast = factories.cast()
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=timezone.now().date() + timedelta(days=10))
    dose = plan.cycles.get().doses.earliest("due_at")
    planning.plan(dose.due_at - timedelta(days=0 if kind == DOSE else 7, minutes=15))
    row = outbox.due(kind, dose if kind == DOSE else None)
    Reminder.objects.exclude(pk=row.pk).delete()
    return row


def sweep_with(owner: Any, name: str, instead: Callable[..., Any]) -> int:
    """A sender of its own in which `owner.name` is `instead(original)`; its process id."""

    def sweep() -> None:
        setattr(owner, name, instead(getattr(owner, name)))
        sending.sweep()

    return forked(sweep)


def end_of(child: int) -> int:
    """How the child ended: the signal that killed it, negative, or its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def signalled(number: signal.Signals, *, after: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that, the first time, sends its own process this signal before the original runs, or `after` it."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        once = [number]

        def replaced(*args: Any, **named: Any) -> Any:
            if once and not after:
                os.kill(os.getpid(), once.pop())
            answer = original(*args, **named)
            if once:
                os.kill(os.getpid(), once.pop())
            return answer

        return replaced

    return wrap


# Killed


@dataclass(frozen=True)
class Step:
    """Where the sender dies, and what the table of states says of its row: marked or not, how many copies came then,
    and in the end for a mail about a dose and for one about a date."""

    owner: Any
    function: str
    after: bool
    marked: bool
    came: int
    dose: tuple[str, int]
    date: tuple[str, int]


STEPS = {
    "after the claim": Step(claiming, "claim", True, False, 0, ("sent", 1), ("sent", 1)),
    "before the mark": Step(claiming, "mark", False, False, 0, ("sent", 1), ("sent", 1)),
    "inside the mark, before its commit": Step(claiming, "mark", True, False, 0, ("sent", 1), ("sent", 1)),
    "after the mark": Step(Backend, "_data", False, True, 0, ("uncertain", 0), ("sent", 1)),
    "after 250, before it is written": Step(claiming, "accepted", False, True, 1, ("uncertain", 1), ("sent", 2)),
}


def recovered(row: Reminder) -> str:
    """The state after a working sender has come by, as often as it takes."""
    outbox.lapse(row)
    for _sweep in range(3):
        sending.sweep()
        Reminder.objects.filter(state__in=[State.PLANNED, State.UNCERTAIN]).update(next_attempt_at=Now())
    row.refresh_from_db()
    return row.state


def names(sink: SmtpSink) -> set[str]:
    return {received.message["Message-ID"] for received in sink.messages}


@pytest.mark.parametrize("kind", [DOSE, DATE])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_sender_that_dies_leaves_the_state_of_the_table(smtp_sink: SmtpSink, step: Step, kind: str) -> None:
    row = due_row(kind)
    child = sweep_with(step.owner, step.function, signalled(signal.SIGKILL, after=step.after))
    assert end_of(child) == -signal.SIGKILL
    row.refresh_from_db()
    assert (row.state, row.handing_over_at is not None) == ("sending", step.marked)
    assert len(smtp_sink.messages) == step.came
    ends_as, copies = step.dose if kind == DOSE else step.date
    assert (recovered(row), len(smtp_sink.messages)) == (ends_as, copies)
    assert len(names(smtp_sink)) == min(copies, 1)
    assert invariants.broken(clocks.database_now()) == []


@pytest.mark.parametrize(("kind", "ends_as", "copies"), [(DOSE, "uncertain", 1), (DATE, "sent", 2)])
def test_a_sender_that_dies_while_the_server_has_the_text_leaves_doubt(
    smtp_sink: SmtpSink, kind: str, ends_as: str, copies: int
) -> None:
    row = due_row(kind)
    smtp_sink.fault("hang-data", times=1)
    child = forked(sending.sweep)
    smtp_sink.wait_for(1)
    os.kill(child, signal.SIGKILL)
    assert end_of(child) == -signal.SIGKILL
    row.refresh_from_db()
    assert (row.state, row.handing_over_at is not None) == ("sending", True)
    assert (recovered(row), len(smtp_sink.messages)) == (ends_as, copies)
    assert len(names(smtp_sink)) == 1
    assert invariants.broken(clocks.database_now()) == []


# Frozen


def frozen(owner: Any, function: str, *, after: bool = False) -> int:
    """A sender that stopped itself at this step; it goes on with SIGCONT."""
    child = sweep_with(owner, function, signalled(signal.SIGSTOP, after=after))
    _pid, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    return child


def thaw(child: int) -> None:
    os.kill(child, signal.SIGCONT)
    assert end_of(child) == 0


@pytest.mark.parametrize("kind", [DOSE, DATE])
def test_a_sender_frozen_after_the_mark_for_longer_than_its_limit_does_not_send(smtp_sink: SmtpSink, kind: str) -> None:
    """The limit is a setting: these seconds stand for two hours. Certainly not handed over, so it may leave again."""
    row = due_row(kind)
    child = frozen(Backend, "_data")
    row.refresh_from_db()
    assert row.handing_over_at is not None
    time.sleep(LEASE + MORE)
    thaw(child)
    row.refresh_from_db()
    assert (row.state, row.handing_over_at, row.last_error_class) == ("planned", None, "Frozen")
    assert smtp_sink.messages == []


def test_a_frozen_sender_frees_a_dose_mail_that_others_held_for_doubtful(smtp_sink: SmtpSink) -> None:
    row = due_row(DOSE)
    child = frozen(Backend, "_data")
    time.sleep(LEASE + MORE)
    assert sending.sweep().recovered == 1
    row.refresh_from_db()
    assert row.state == "uncertain"
    thaw(child)
    row.refresh_from_db()
    assert (row.state, row.handing_over_at) == ("planned", None)
    outbox.bring_to_now(Reminder.objects.all())
    sending.sweep()
    assert len(smtp_sink.messages) == 1


def test_a_frozen_sender_changes_nothing_about_a_mail_that_another_has_sent_meanwhile(smtp_sink: SmtpSink) -> None:
    row = due_row(DATE)
    child = frozen(Backend, "_data")
    assert recovered(row) == "sent"
    time.sleep(LEASE + MORE)
    thaw(child)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error_class) == ("sent", 2, "")
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("function", ["claim", "mark"])
def test_a_sender_frozen_before_the_mark_has_lost_the_row_to_others(smtp_sink: SmtpSink, function: str) -> None:
    """While it holds the patient's lock (in the mark) the others must wait for it, so the lease decides."""
    row = due_row(DOSE)
    child = frozen(claiming, "claim", after=True) if function == "claim" else frozen(Backend, "_written")
    time.sleep(LEASE + MORE)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, len(smtp_sink.messages)) == ("sent", 1)
    thaw(child)
    row.refresh_from_db()
    assert (row.state, row.attempts, len(smtp_sink.messages)) == ("sent", 1, 1), "a lost sender costs no attempt"


def test_a_sender_frozen_for_a_moment_only_sends(smtp_sink: SmtpSink) -> None:
    row = due_row(DOSE)
    thaw(frozen(Backend, "_data"))
    wait_until(lambda: smtp_sink.messages)
    row.refresh_from_db()
    assert (row.state, len(smtp_sink.messages)) == ("sent", 1)
