"""Sends what is due: claim, look again under the patient's lock, mark between RCPT and DATA, keep the answer."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction

from il2tracker.accounts.models import Patient, User
from il2tracker.reminders import (
    account_mails,
    bouncing,
    capping,
    claiming,
    clocks,
    facts,
    heartbeat,
    kinds,
    mails,
    planning,
    validity,
)
from il2tracker.reminders.backend import Answer, Backend, Outcome
from il2tracker.reminders.claiming import Batch
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.wishes import Choices, Reason

logger = logging.getLogger(__name__)


class Swept(NamedTuple):
    """What one sweep did. `in_doubt`: the database's clock jumped, so nothing was touched."""

    recovered: int = 0
    expired: int = 0
    tried: int = 0
    in_doubt: bool = False


def sweep() -> Swept:
    """One tick: recover, expire, and send until nothing is due. Raises only for a database that is gone."""
    if heartbeat.clock_jumped():
        logger.error("The database's clock jumped by more than %s: this sweep does nothing.", heartbeat.SLACK)
        return Swept(in_doubt=True)
    recovered, expired, tried = claiming.recover(), claiming.expire(), 0
    while (batch := _next_batch()).rows:
        send(batch)
        tried += len(batch.rows)
        heartbeat.swept()
    return Swept(recovered, expired, tried)


def _next_batch() -> Batch:
    """What is due; an urgent report that came up meanwhile goes first."""
    planning.plan_reports()
    return claiming.claim()


def send(batch: Batch) -> None:
    """Hand over every row on one connection, until the server is in trouble or the lease nearly over."""
    backend, wait = Backend(), timedelta(0)
    people = facts.choices(None, *(row.recipient_id for row in batch.rows))
    mails.prepare(batch.rows, batch.now)
    rows = iter(batch.rows)
    try:
        for row in rows:
            if not _send_one(backend, batch, row, people):
                wait = claiming.back_off(1)
                break
            if clocks.running_seconds() > batch.until:
                break
        for row in rows:
            claiming.give_back(row, wait)
    finally:
        backend.leave()


def _send_one(backend: Backend, batch: Batch, row: Reminder, people: Choices) -> bool:
    """False when the server is in trouble and the rest of the batch had better wait."""
    if _must_wait(row, batch.now, people) or _is_unknown(row):
        return True
    assert row.recipient is not None
    try:
        message = mails.build(row, batch.now)
        lasts = claiming.lease().total_seconds()
        outcome = backend.hand_over(message, lambda: _mark(row, batch.now, people), lasts)
    except DatabaseError:
        raise
    except Exception:  # a mail that cannot be written must not silence the others; its lease ends, eight times at most
        logger.exception("Reminder %s cannot be written", row.pk)
        return True
    _keep(row, outcome)
    _learn(row.recipient, outcome, people)
    return outcome.answer is not Answer.SERVER


def _must_wait(row: Reminder, now: datetime, people: Choices) -> bool:
    """Whether the recipient's quiet hours hold it back, and until then it is put off."""
    until = kinds.POLICIES[row.kind].waits_in_quiet_hours and people.quiet(row.recipient_id).until(
        now, ZoneInfo(row.zone)
    )
    if until:
        claiming.hold(row, until)
    return bool(until)


def _is_unknown(row: Reminder) -> bool:
    """Whether the address that was typed is nobody's: then nothing leaves, and nobody is told (B13)."""
    if row.recipient is None:
        row.recipient = account_mails.recipient(row)
    if row.recipient is None:
        claiming.cancel(row, Reason.UNKNOWN_ADDRESS)
    return row.recipient is None


@transaction.atomic
def _mark(row: Reminder, now: datetime, people: Choices) -> bool:
    """From here on nothing that would make the mail wrong can be committed before it is marked (A2)."""
    try:
        told, patient = _locked(row)
    except ObjectDoesNotExist:  # erased, and the row with it
        return False
    reason = None if told.is_active else Reason.NO_RECIPIENT
    reason = reason or validity.why_not(row, now)
    if reason is not None:
        claiming.cancel(row, reason)
        return False
    if _reads_otherwise(row, told, patient):
        claiming.give_back(row, timedelta(0))
        return False
    if capping.is_full(row, now, people):
        claiming.put_off(row, capping.next_day(row, now, people.quiet(row.recipient_id)))
        return False
    return claiming.mark(row) or claiming.unmarkable(row)


def _locked(row: Reminder) -> tuple[User, Patient | None]:
    """Patient first, then recipient, as everybody locks them. Both as they stand now."""
    assert row.recipient is not None
    patient = Patient(pk=row.patient_id).lock() if row.patient_id else None
    return User.objects.select_for_update(no_key=True).get(pk=row.recipient.pk), patient


def _reads_otherwise(row: Reminder, told: User, patient: Patient | None) -> bool:
    """Whether the mail would now go elsewhere, or say more or less, than the one that was written before the lock."""
    assert row.recipient is not None
    has_moved = told.email != row.recipient.email
    return has_moved or (patient is not None and row.patient is not None and patient.privacy != row.patient.privacy)


def _keep(row: Reminder, outcome: Outcome) -> None:
    match outcome.answer:
        case Answer.ACCEPTED:
            claiming.accepted(row)
        case Answer.LATER:
            claiming.try_again(row, outcome.cause, count=True)
        case Answer.SERVER:
            claiming.try_again(row, outcome.cause, count=False)
        case Answer.NEVER:
            claiming.give_up(row, outcome.cause)
        case Answer.UNCERTAIN:
            claiming.doubt(row, outcome.cause)


def _learn(person: User, outcome: Outcome, people: Choices) -> None:
    """What the answer says of the person's address."""
    if outcome.answer is Answer.ACCEPTED and person.pk in people.refused:
        bouncing.accept(address=person.email)
    elif outcome.answer is Answer.NEVER and (cause := bouncing.refusal(outcome.cause, outcome.reply)):
        bouncing.refuse(user=person, address=person.email, cause=cause)
