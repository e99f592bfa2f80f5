"""Rows of the outbox for tests. The machine works by the database's clock, so tests move rows, never clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from cycles.models import PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.reminders import planning
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Reminder

HOUR = timedelta(hours=1)


def row(patient: Patient, **facts: Any) -> Reminder:
    """A row that is due now and lives an hour, of a course's kind unless said otherwise."""
    now = timezone.now()
    number = Reminder.objects.count() + 1
    facts = {
        "kind": "cycle_week",
        "key": f"test:{number}",
        "occurrence": f"c{number}@2026-01-01/-7",
        "recipient": patient.user,
        "zone": daytime(),
        "due_at": now - timedelta(minutes=1),
        "expires_at": now + HOUR,
        "next_attempt_at": now - timedelta(minutes=1),
        **facts,
    }
    return Reminder.objects.create(patient=patient, **facts)


def of_dose(dose: PlannedDose, kind: str = "injection_due") -> Reminder:
    """A row about a slot to the patient, as a sender has it in hand; nothing is stored."""
    return Reminder(
        kind=kind,
        occurrence=f"c{dose.cycle_id}/d{dose.day}/{dose.slot}",
        recipient=dose.patient.user,
        patient=dose.patient,
        slot_local=f"{dose.due_on:%Y-%m-%d}T{dose.local_time:%H:%M}",
        zone=dose.zone,
        says_at=dose.due_at,
        says_amount=dose.amount,
    )


def change(row: Reminder, **facts: Any) -> Reminder:
    """Write straight into the row and read it again."""
    Reminder.objects.filter(pk=row.pk).update(**facts)
    row.refresh_from_db()
    return row


def daytime() -> str:
    """A zone where it is about noon now, so that quiet hours never decide a test by the hour at which it runs."""
    return f"Etc/GMT{timezone.now().hour - 12:+d}"


def bring_to_now(rows: QuerySet[Reminder]) -> None:
    """As if their time had come: due a minute ago, useful for another hour, by day."""
    minute_ago = from_now(timedelta(minutes=-1))
    rows.update(due_at=minute_ago, next_attempt_at=minute_ago, expires_at=from_now(HOUR), zone=daytime())


def plan_for(dose: PlannedDose) -> None:
    """Run the planner at the moment when the dose's reminder is due."""
    planning.plan(dose.due_at - timedelta(minutes=15))


def due(kind: str, dose: PlannedDose | None = None, now: datetime | None = None) -> Reminder:
    """The one planned row of a kind (for a dose: of that slot), made due now. Plan first."""
    rows = Reminder.objects.filter(kind=kind, state="planned")
    if dose is not None:
        rows = rows.filter(occurrence=f"c{dose.cycle_id}/d{dose.day}/{dose.slot}")
    bring_to_now(rows)
    return rows.get()


def lapse(row: Reminder) -> Reminder:
    """As if its sender had fallen silent."""
    return change(row, lease_until=Now() if row.lease_until is None else F("lease_until") - timedelta(hours=2))
