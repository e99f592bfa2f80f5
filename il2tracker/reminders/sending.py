"""Sends what is due: claim, look again under the patient's lock, mark between RCPT and DATA, keep the answer."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import DatabaseError, transaction

from il2tracker.accounts.models import Patient
from il2tracker.reminders import claiming, clocks, heartbeat, kinds, mails, validity
from il2tracker.reminders.backend import Answer, Backend, Outcome
from il2tracker.reminders.claiming import Batch
from il2tracker.reminders.models import Reminder

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
    while (batch := claiming.claim()).rows:
        send(batch)
        tried += len(batch.rows)
        heartbeat.swept()
    return Swept(recovered, expired, tried)


def send(batch: Batch) -> None:
    """Hand over every row on one connection, until the server is in trouble or the lease nearly over."""
    backend, wait = Backend(), timedelta(0)
    rows = iter(batch.rows)
    try:
        for row in rows:
            if not _send_one(backend, batch, row):
                wait = claiming.back_off(1)
                break
            if clocks.running_seconds() > batch.until:
                break
        for row in rows:
            claiming.give_back(row, wait)
    finally:
        backend.leave()


def _send_one(backend: Backend, batch: Batch, row: Reminder) -> bool:
    """False when the server is in trouble and the rest of the batch had better wait."""
    quiet = kinds.POLICIES[row.kind].waits_in_quiet_hours and kinds.quiet_until(batch.now, ZoneInfo(row.zone))
    if quiet:
        claiming.hold(row, quiet)
        return True
    try:
        message = mails.build(row, batch.now)
        outcome = backend.hand_over(message, lambda: _mark(row, batch.now), claiming.lease().total_seconds())
    except DatabaseError:
        raise
    except Exception:  # a mail that cannot be written must not silence the others; its lease ends, eight times at most
        logger.exception("Reminder %s cannot be written", row.pk)
        return True
    _keep(row, outcome)
    return outcome.answer is not Answer.SERVER


@transaction.atomic
def _mark(row: Reminder, now: datetime) -> bool:
    try:
        Patient(pk=row.patient_id).lock()
    except Patient.DoesNotExist:  # erased, and the row with it
        return False
    reason = validity.why_not(row, now)
    if reason is not None:
        claiming.cancel(row, reason)
        return False
    return claiming.mark(row) or claiming.unmarkable(row)


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
