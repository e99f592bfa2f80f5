"""The state machine of a reminder: every change of state is one guarded UPDATE, so that any number of senders may run.

planned → sending → (marked) → sent | dead | uncertain | planned again;  planned → expired | cancelled;  and when a
delivery report says later that it never arrived: sent | uncertain → dead.
A sender changes only rows that still carry its own lease token. Time is the database's, in the same statement.
"""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now

from il2tracker.reminders import clocks, kinds
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Reminder, ReminderQuerySet, State, WaitsFor
from il2tracker.reminders.wishes import Reason

BATCH = 100
MAX_ATTEMPTS = 8
PATIENCE = 5  # attempts that a server in trouble may use up: it never makes a row dead
FIRST_BACK_OFF, LONGEST_BACK_OFF, JITTER = timedelta(seconds=30), timedelta(minutes=15), 0.2
NOT_TRIED = Greatest(F("attempts") - 1, 0)
NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_until": None}
UNMARKED: dict[str, Any] = {**NO_LEASE, "handing_over_at": None}
ENDED: dict[str, Any] = {**NO_LEASE, "address": ""}  # what somebody typed is not kept longer than it is needed


class Batch(NamedTuple):
    """Rows that this sender alone may send, until their lease ends."""

    token: uuid.UUID
    rows: list[Reminder]
    now: datetime
    until: float  # running seconds of this computer after which no row could be marked any more


def lease() -> timedelta:
    """How long a claimed or marked row stays with its sender; always longer than the mail server may take."""
    return timedelta(seconds=max(settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT + 1))


def smtp_timeout() -> timedelta:
    """How long one answer of the mail server may take."""
    return timedelta(seconds=settings.EMAIL_TIMEOUT)


# Before sending


def recover() -> int:
    """Take back rows whose sender fell silent, and those that may be sent a second time. Returns how many changed.

    A sender that was lost before the mark has not tried: only a server's answers make a row dead.
    """
    lapsed = Reminder.objects.filter(state=State.SENDING, lease_until__lte=Now())
    again = Reminder.objects.filter(
        state=State.UNCERTAIN,
        kind__in=kinds.RESENT,
        attempts__lt=MAX_ATTEMPTS,
        next_attempt_at__lte=Now(),
        expires_at__gt=Now(),
    )
    lost = _failed("SenderLost")
    unmarked = lapsed.filter(handing_over_at=None)
    return (
        lapsed.filter(handing_over_at__isnull=False).update(
            state=State.UNCERTAIN, next_attempt_at=from_now(FIRST_BACK_OFF), **lost
        )
        + unmarked.update(state=State.PLANNED, next_attempt_at=Now(), attempts=NOT_TRIED, **NO_LEASE)
        + again.update(state=State.PLANNED, **UNMARKED)
    )


def expire() -> int:
    """Planned rows whose time is over: visible, never sent."""
    late = Reminder.objects.filter(state=State.PLANNED, expires_at__lte=Now())
    return late.update(state=State.EXPIRED, **ENDED)


def claim() -> Batch:
    """Up to BATCH rows that are due, oldest first; an empty batch when nothing is."""
    token, until = uuid.uuid4(), clocks.running_seconds() + (lease() - smtp_timeout()).total_seconds()
    with transaction.atomic():
        due = Reminder.objects.filter(state=State.PLANNED, next_attempt_at__lte=Now(), expires_at__gt=Now())
        seen = due.order_by("urgency", "next_attempt_at", "pk")
        if connection.features.has_select_for_update_skip_locked:  # only so that senders do not wait for each other
            seen = seen.select_for_update(skip_locked=True)
        pks = list(seen.values_list("pk", flat=True)[:BATCH])
        taken = pks and due.filter(pk__in=pks).update(
            state=State.SENDING,
            waits_for="",
            lease_token=token,
            lease_until=from_now(lease()),
            attempts=F("attempts") + 1,
        )
    mine = Reminder.objects.filter(lease_token=token).select_related("recipient", "patient")
    rows = list(mine.order_by("urgency", "next_attempt_at", "pk")) if taken else []
    return Batch(token, rows, clocks.database_now(), until)


# While sending: each is true when this sender still held the row


def mark(row: Reminder) -> bool:
    """From here on the mail server may have it. Refused when the lease or the reminder's time is nearly over.

    For a typed address it is known by now whose it is: the person takes its place.
    """
    ready = _mine(row).filter(expires_at__gt=Now(), lease_until__gt=from_now(smtp_timeout()))
    return _one(ready, handing_over_at=Now(), lease_until=from_now(lease()), **_whose(row))


def unmarkable(row: Reminder) -> bool:
    """After a refused mark: expired when its time is over, else free for the next sweep. Always False: do not send."""
    too_late = _mine(row).filter(expires_at__lte=Now())
    if not _one(too_late, state=State.EXPIRED, **ENDED):
        give_back(row, timedelta(0))
    return False


def cancel(row: Reminder, reason: Reason) -> bool:
    """What it says is no longer true."""
    return _one(_mine(row), state=State.CANCELLED, cancel_reason=reason, **ENDED)


def hold(row: Reminder, until: datetime) -> bool:
    """Put off to the end of the quiet hours, and let it live two hours longer than that (B2)."""
    later = Greatest(F("expires_at"), until + kinds.AFTER_QUIET)
    return give_back(row, timedelta(0), next_attempt_at=until, expires_at=later, waits_for=WaitsFor.QUIET)


def put_off(row: Reminder, until: datetime) -> bool:
    """Enough mails for this day: it leaves on the next one, or runs out before, which everybody can see."""
    return give_back(row, timedelta(0), next_attempt_at=until, waits_for=WaitsFor.CAP)


def give_back(row: Reminder, wait: timedelta, **changes: Any) -> bool:
    """Not tried after all: the attempt does not count."""
    fields = {"state": State.PLANNED, "attempts": F("attempts") - 1, "next_attempt_at": from_now(wait), **NO_LEASE}
    return _one(_mine(row), **{**fields, **changes})


# After the mail server answered


def accepted(row: Reminder) -> bool:
    """250 after the text; also by a slow sender that others had already called uncertain."""
    return _one(_answered(row), state=State.SENT, accepted_at=Now(), last_error_class="", failed_at=None, **NO_LEASE)


def try_again(row: Reminder, cause: str, *, count: bool) -> bool:
    """Certainly not handed over. With `count` the eighth time is the last; trouble of the server never ends a row."""
    if count and row.attempts >= MAX_ATTEMPTS:
        return give_up(row, cause)
    attempts = row.attempts if count else min(row.attempts, PATIENCE)
    fields = {"attempts": attempts, "next_attempt_at": from_now(back_off(attempts)), **_failed(cause)}
    return _one(_answered(row), state=State.PLANNED, **fields, **UNMARKED)


def give_up(row: Reminder, cause: str) -> bool:
    """Refused for good. Staff and the person see it."""
    return _one(_answered(row), state=State.DEAD, **_failed(cause), **{**ENDED, **_whose(row)})


def doubt(row: Reminder, cause: str) -> bool:
    """The text was on its way and no answer came: the policy of the kind decides about a second time."""
    fields = {"next_attempt_at": from_now(back_off(row.attempts)), **_failed(cause)}
    return _one(_answered(row), state=State.UNCERTAIN, **fields)


def bounced(message_uuid: uuid.UUID, cause: str) -> bool:
    """Accepted, or perhaps so, but a report says that it never arrived."""
    gone = Reminder.objects.filter(message_uuid=message_uuid, state__in=[State.SENT, State.UNCERTAIN])
    return _one(gone, state=State.DEAD, accepted_at=None, **_failed(cause), **ENDED)


def back_off(attempts: int) -> timedelta:
    """30 s, doubled with every attempt up to 15 min, a fifth more or less by chance."""
    doublings = min(max(attempts - 1, 0), MAX_ATTEMPTS)
    wait = min(FIRST_BACK_OFF * 2**doublings, LONGEST_BACK_OFF)
    return wait * random.uniform(1 - JITTER, 1 + JITTER)


def _failed(cause: str) -> dict[str, Any]:
    return {"last_error_class": cause[:60], "failed_at": Now(), "seen_by_staff_at": None}


def _whose(row: Reminder) -> dict[str, Any]:
    return {"recipient": row.recipient, "address": ""} if row.address else {}


def _mine(row: Reminder) -> ReminderQuerySet:
    return Reminder.objects.filter(pk=row.pk, lease_token=row.lease_token, state=State.SENDING, handing_over_at=None)


def _answered(row: Reminder) -> ReminderQuerySet:
    with_me = Q(state=State.SENDING) | Q(state=State.UNCERTAIN)
    return Reminder.objects.filter(with_me, pk=row.pk, lease_token=row.lease_token)


def _one(rows: ReminderQuerySet, **changes: Any) -> bool:
    return rows.update(**changes) == 1
