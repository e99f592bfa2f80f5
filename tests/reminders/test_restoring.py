"""After a backup was put back nothing goes out a second time, and what is due later still goes (reliability.md 3)."""

import sqlite3
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from cycles.models import Cycle
from il2tracker.alerts import actions as alerts
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import claiming, clocks, invariants, planning, restoring, sending
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Heartbeat, Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


def restore() -> str:
    said = StringIO()
    call_command("reminders", "--after-restore", stdout=said)
    return said.getvalue()


def states(**which: Any) -> list[str]:
    return sorted(Reminder.objects.filter(**which).values_list("state", flat=True))


LEASE = {"lease_token": "0" * 32, "lease_until": timezone.now() + HOUR}
MARKED = {"handing_over_at": timezone.now()}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "expired"),
        ({"waits_for": "quiet", "next_attempt_at": timezone.now() + 8 * HOUR}, "expired"),
        ({"attempts": 2, "last_error_class": "RCPT 451"}, "expired"),
        ({"state": "sending", **LEASE}, "expired"),
        ({"state": "sending", **LEASE, **MARKED}, "uncertain"),
        ({"state": "uncertain", **MARKED}, "uncertain"),
        ({"due_at": timezone.now() + HOUR}, "planned"),
        ({"state": "sent", "accepted_at": timezone.now(), **MARKED}, "sent"),
        ({"state": "dead"}, "dead"),
        ({"state": "cancelled", "cancel_reason": "recorded"}, "cancelled"),
    ],
)
def test_whatever_was_due_before_ends_and_shows_it(
    cast: Cast, smtp_sink: SmtpSink, facts: dict[str, Any], state: str
) -> None:
    row = outbox.row(cast.anna_patient, **facts)
    restore()
    row.refresh_from_db()
    assert (row.state, row.lease_token) == (state, None)
    if state in {"expired", "uncertain"}:
        assert row.expires_at <= timezone.now() + timedelta(seconds=1)
    Reminder.objects.update(next_attempt_at=timezone.now() - MINUTE)
    assert claiming.recover() == 0, "a doubtful one is never sent again"


def test_a_typed_address_ends_with_it(cast: Cast) -> None:
    row = outbox.row(cast.anna_patient, kind="password_reset", address="anna@example.org")
    restore()
    row.refresh_from_db()
    assert (row.state, row.address) == ("expired", "")


def test_it_counts_what_it_ended_and_a_second_time_finds_nothing(cast: Cast) -> None:
    for _ in range(2):
        outbox.row(cast.anna_patient)
    outbox.row(cast.anna_patient, state="uncertain", **MARKED)
    first = Heartbeat.read().restored_at
    assert "2 too late, 1 in doubt" in restore()
    assert "0 too late, 0 in doubt" in restore()
    assert first is None
    assert Heartbeat.read().restored_at is not None
    assert AuditEvent.objects.filter(action="reminders.restored").count() == 2


@pytest.mark.parametrize(
    ("tier", "is_open", "said"), [("RED", 1, 1), ("EMERGENCY", 1, 1), ("AMBER", 1, 0), ("RED", 0, 0), ("RED", 2, 1)]
)
def test_it_says_how_many_urgent_reports_somebody_has_to_be_called_about(
    cast: Cast, tier: str, is_open: int, said: int
) -> None:
    """`is_open`: 2 = lifted again. R20: their mails end with all others, and the clinic must not wait for them."""
    what = {"rule": "T2", "title": "Much less urine", "evidence": "", "source": "sideeffects.checkin"}
    now = timezone.now()
    alert = alerts.raise_alert(
        by=cast.anna, patient=cast.anna_patient, tier=tier, now=now, source_ref="chk1234567", **what
    )
    if is_open != 1:
        alerts.acknowledge(by=cast.ben, alert=alert, now=now)
    if is_open == 2:
        alerts.answer(by=cast.anna, alert=alert, answer="not_reached", now=now + timedelta(seconds=1))
    words = "Urgent reports that are open: 1. Nobody may have been told: call the clinic."
    assert (words in restore()) == bool(said)


# What has no row yet


@pytest.fixture
def course(cast: Cast) -> Cycle:
    """It starts in 14 days where it is noon now: the blood test's reminder was due at nine."""
    from il2tracker.accounts import actions as accounts

    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone=outbox.daytime())
    cast.anna_patient.refresh_from_db()
    today = cast.anna_patient.today(timezone.now())
    return factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=14)).cycles.get()


def test_the_planner_makes_what_was_due_before_as_too_late(course: Cycle, smtp_sink: SmtpSink) -> None:
    restoring.after_restore()
    planning.plan()
    assert states(kind="bloodwork_due") == ["expired"]
    planning.plan()
    sending.sweep()
    assert states(kind="bloodwork_due") == ["expired"]
    assert smtp_sink.messages == []
    assert invariants.broken(clocks.database_now()) == []


def test_nor_does_it_bring_back_what_was_cancelled(course: Cycle, smtp_sink: SmtpSink) -> None:
    planning.plan()
    Reminder.objects.filter(kind="bloodwork_due").update(state="cancelled", cancel_reason="turned_off")
    restoring.after_restore()
    planning.plan()
    assert states(kind="bloodwork_due") == ["expired"]


def test_what_is_due_later_is_planned_as_ever(cast: Cast, course: Cycle) -> None:
    restoring.after_restore()
    planning.plan(timezone.now() + timedelta(days=7))
    assert states(kind="cycle_week") == ["planned"]


# The whole way


def due_now_and_due_later(course: Cycle) -> tuple[Reminder, Reminder]:
    """Two reminders of injections: one is due, the other one is due in an hour."""
    outbox.plan_for(course.doses.earliest("due_at"))
    Reminder.objects.exclude(kind="injection_due").delete()
    outbox.bring_to_now(Reminder.objects.all())
    now_row, later_row = Reminder.objects.order_by("pk")[:2]
    Reminder.objects.exclude(pk__in=[now_row.pk, later_row.pk]).delete()
    hour = {"due_at": from_now(HOUR), "next_attempt_at": from_now(HOUR), "expires_at": from_now(2 * HOUR)}
    outbox.change(later_row, **hour)
    return now_row, later_row


@pytest.mark.database("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_copy_of_the_database_that_is_put_back_sends_nothing_twice(
    cast: Cast, course: Cycle, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    now_row, later_row = due_now_and_due_later(course)
    backup = sqlite3.connect(tmp_path / "backup.sqlite3")
    connection.ensure_connection()
    connection.connection.backup(backup)

    sending.sweep()
    assert states() == ["planned", "sent"]
    assert len(smtp_sink.messages) == 1

    backup.backup(connection.connection)
    now_row.refresh_from_db()
    assert now_row.state == "planned", "the copy does not know that it was sent"
    restore()
    sending.sweep()
    assert states() == ["expired", "planned"]
    assert len(smtp_sink.messages) == 1

    Reminder.objects.filter(pk=later_row.pk).update(next_attempt_at=from_now(-MINUTE))
    sending.sweep()
    assert states() == ["expired", "sent"]
    assert len({received.message["Message-ID"] for received in smtp_sink.messages}) == 2
    assert Reminder.objects.ended_by_restore(timezone.now() - HOUR).count() == 1, "staff are told"


def test_a_restored_outbox_sends_nothing_twice(course: Cycle, smtp_sink: SmtpSink) -> None:
    now_row, later_row = due_now_and_due_later(course)
    kept = list(Reminder.objects.all())
    sending.sweep()
    Reminder.objects.all().delete()
    Reminder.objects.bulk_create(kept)
    restore()
    Reminder.objects.filter(pk=later_row.pk).update(next_attempt_at=from_now(-MINUTE))
    sending.sweep()
    assert states() == ["expired", "sent"]
    names = [received.message["Message-ID"] for received in smtp_sink.messages]
    assert len(names) == len(set(names)) == 2
    now_row.refresh_from_db()
    assert now_row.state == "expired"
