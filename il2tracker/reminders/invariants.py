"""What must hold of the outbox at any moment (reliability.md 2f), each as one question to the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from cycles.models import Cycle, Injection, PlannedDose
from il2tracker.reminders import claiming, kinds
from il2tracker.reminders.models import Reminder, State

SETTLED_AFTER = timedelta(minutes=5)
ONE_DAY = timedelta(days=1)
REQUEST = timedelta(seconds=30)  # between reading the clock in a request and the commit of what it records


def broken(now: datetime) -> list[str]:
    """One sentence per invariant that does not hold at `now` (the database's clock); [] when all is well."""
    found = []
    for sentence, question in QUESTIONS.items():
        count = question(now).count()
        if count:
            found.append(f"{sentence}: {count}")
    return found


def _twice(now: datetime) -> QuerySet[Reminder]:
    keys = Reminder.objects.values("key").annotate(rows=Count("pk")).filter(rows__gt=1)
    return Reminder.objects.filter(key__in=keys.values("key"))


def _silent(now: datetime) -> QuerySet[Reminder]:
    return Reminder.objects.filter(
        state__in=[State.PLANNED, State.SENDING], expires_at__lt=now - SETTLED_AFTER - claiming.lease()
    )


def _never_planned(now: datetime) -> QuerySet[PlannedDose]:
    """Slots of the last day that somebody should have been told about and that have no row at all."""
    due = PlannedDose.objects.filter(due_at__gt=now - ONE_DAY, due_at__lt=now - SETTLED_AFTER)
    untouched = due.exclude(Exists(Injection.objects.filter(planned_dose=OuterRef("pk"))))  # nor undone (R9)
    told = untouched.filter(
        patient__user__is_active=True,
        was_held=False,
        cycle__state=Cycle.State.PLANNED,
        cycle__plan__ended_on=None,
        cycle__version__inpatient=False,
        created_at__lt=F("due_at") - SETTLED_AFTER,
    )
    told = told.annotate(key=_key(kinds.INJECTION_DUE, ""))
    return told.exclude(Exists(Reminder.objects.filter(key=OuterRef("key"))))


def _key(kind: str, dose: str) -> Concat:
    """The key of a dose's reminder, put together by the database; `dose` leads from the row to its planned dose."""
    owner, cycle, day = (Cast(f"{dose}{name}", CharField()) for name in ("patient__user_id", "cycle_id", "day"))
    return Concat(Value(f"{kind}:"), owner, Value(":c"), cycle, Value("/d"), day, Value("/"), F(f"{dose}slot"))


def _too_late(now: datetime) -> QuerySet[Reminder]:
    return Reminder.objects.filter(accepted_at__gt=F("expires_at") + claiming.smtp_timeout())


def _after_the_record(now: datetime) -> QuerySet[Injection]:
    """Records that had been made when a mail about their slot was marked, undone ones too (R9)."""
    names = (kinds.INJECTION_DUE, kinds.INJECTION_MISSING)
    records = Injection.objects.filter(planned_dose__isnull=False).annotate(
        since=F("recorded_at") + REQUEST, **{name: _key(name, "planned_dose__") for name in names}
    )
    marked = Reminder.objects.filter(key__in=[OuterRef(name) for name in names], handing_over_at__gt=OuterRef("since"))
    return records.filter(Exists(marked))


def _forgotten(now: datetime) -> QuerySet[Reminder]:
    two_sweeps = timedelta(seconds=2 * settings.SWEEP_EVERY_SECONDS)
    return Reminder.objects.filter(state=State.SENDING, lease_until__lt=now - two_sweeps)


def _to_nobody(now: datetime) -> QuerySet[Reminder]:
    marked = Reminder.objects.filter(handing_over_at__isnull=False)
    return marked.filter(Q(recipient=None) | Q(recipient__email=""))


def _nowhere(now: datetime) -> QuerySet[Reminder]:
    return Reminder.objects.exclude(state__in=State.values)


QUESTIONS: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "I1 the same reminder exists twice": _twice,
    "I2 a reminder is neither sent nor visibly ended although its time is over": _silent,
    "I2 a slot came and nobody planned its reminder": _never_planned,
    "I4 a mail was accepted after its time was over": _too_late,
    "I5 a mail was marked although its injection was recorded": _after_the_record,
    "I6 a reminder is being sent for longer than its lease": _forgotten,
    "I7 a mail went to nobody": _to_nobody,
    "I8 a reminder is in no known state": _nowhere,
}
