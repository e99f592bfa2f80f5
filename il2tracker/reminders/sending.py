"""Sends what is due: claim, look again under the patient's lock, mark between RCPT and DATA, keep the answer."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMessage
from django.db import DatabaseError, IntegrityError, transaction

from il2tracker.accounts.models import Patient, Sharing, User
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
    of_clinics,
    planning,
    validity,
)
from il2tracker.reminders.backend import Answer, Backend, Outcome
from il2tracker.reminders.claiming import Batch
from il2tracker.reminders.models import Reminder, WaitsFor
from il2tracker.reminders.wishes import Choices, Reason

logger = logging.getLogger(__name__)


class Swept(NamedTuple):
    """What one sweep did. `in_doubt`: the database's clock jumped, so nothing was touched."""

    recovered: int = 0
    expired: int = 0
    tried: int = 0
    in_doubt: bool = False


def _never() -> bool:
    return False


def sweep(ended: Callable[[], bool] = _never) -> Swept:
    """One tick: recover, expire, and send until nothing is due, or until `ended` says so: then what is left in hand is
    given back, so that whoever stops a sender waits for one mail and not for thousands. Raises only for a database
    that is gone."""
    if heartbeat.clock_jumped():
        logger.error("The database's clock jumped by more than %s: this sweep does nothing.", heartbeat.SLACK)
        return Swept(in_doubt=True)
    recovered, expired, tried = claiming.recover(), claiming.expire(), 0
    while not ended() and (batch := _next_batch()).rows:
        send(batch, ended)
        tried += len(batch.rows)
        heartbeat.swept()
    return Swept(recovered, expired, tried)


def _next_batch() -> Batch:
    """What is due; an urgent report that came up meanwhile goes first, and one that cannot be planned stops nobody."""
    try:
        planning.plan_reports()
    except DatabaseError:
        raise
    except Exception as error:
        logger.error("Urgent reports cannot be planned: %s", _place_of(error))
    return claiming.claim()


def send(batch: Batch, ended: Callable[[], bool] = _never) -> None:
    """Hand over every row on one connection, until the server is in trouble, the lease nearly over, or it `ended`."""
    backend, wait = Backend(), timedelta(0)
    people = facts.choices(None, *(row.recipient_id for row in batch.rows))
    _prepare(batch)
    rows = iter(batch.rows)
    try:
        for row in rows:
            if not _send_one(backend, batch, row, people):
                wait = claiming.back_off(1)
                break
            if clocks.running_seconds() > batch.until or ended():
                break
        for row in rows:
            claiming.give_back(row, wait)
    finally:
        backend.leave()


def _prepare(batch: Batch) -> None:
    """What the mails of those who are still there need; who was erased since the claim takes his rows along."""
    alive = set(Reminder.objects.filter(lease_token=batch.token).values_list("pk", flat=True))
    try:
        with transaction.atomic():
            mails.prepare([row for row in batch.rows if row.pk in alive], batch.now)
    except IntegrityError as error:  # erased in this very moment
        logger.error("A batch cannot be prepared: %s", _place_of(error))
    except DatabaseError:
        raise
    except Exception as error:  # a mail that was not prepared is written all the same
        logger.error("A batch cannot be prepared: %s", _place_of(error))


def _place_of(error: Exception) -> str:
    """What went wrong and where, without the values: an address may be among them."""
    *_callers, place = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {place.name}, line {place.lineno}"


def _send_one(backend: Backend, batch: Batch, row: Reminder, people: Choices) -> bool:
    """False when the server is in trouble and the rest of the batch had better wait."""
    try:
        if _must_wait(row, batch.now, people) or _is_unknown(row):
            return True
        assert row.recipient is not None
        lasts = claiming.lease().total_seconds()
        write = partial(_mark, row, batch.now, people)
        outcome = backend.hand_over(row.recipient.email, write, abort_after=lasts)
    except DatabaseError:
        raise
    except Exception as error:  # a mail that cannot be written must not silence the others
        logger.error("Reminder %s cannot be written: %s", row.pk, _place_of(error))
        backend.drop()
        _keep_unwritten(row, type(error).__name__)
        return True
    _keep(row, outcome)
    _learn(row.recipient, outcome, people)
    return outcome.answer is not Answer.SERVER


def _must_wait(row: Reminder, now: datetime, people: Choices) -> bool:
    """Whether the recipient's quiet hours hold it back, and until then it is put off.

    What is about an injection is of no use after them: it is not given longer to live.
    """
    quiet = people.quiet(row.recipient_id)
    until = quiet.until(now, ZoneInfo(row.zone))
    if until is None:
        return False
    if kinds.may_wait(row.kind, row.expires_at, until) or (row.kind == kinds.PAUSED and not quiet.doses_pass):
        return claiming.hold(row, until) or True
    if row.kind not in kinds.DOSE_KINDS or quiet.doses_pass:
        return False
    claiming.give_back(row, timedelta(0), next_attempt_at=until, waits_for=WaitsFor.QUIET)
    return True


def _is_unknown(row: Reminder) -> bool:
    """Whether the address that was typed is nobody's: then nothing leaves, and nobody is told (B13)."""
    if row.recipient is None:
        row.recipient = account_mails.recipient(row)
    if row.recipient is None:
        claiming.cancel(row, Reason.UNKNOWN_ADDRESS)
    return row.recipient is None


@transaction.atomic
def _mark(row: Reminder, now: datetime, people: Choices) -> EmailMessage | None:
    """The mail as it reads now, and the mark; None when it must not leave.

    It is written under the locks: nothing that would make a word of it wrong can be committed before it is marked (A2).
    """
    try:
        told, patient = _locked(row)
    except ObjectDoesNotExist:  # erased, and the row with it
        return None
    reason = None if told.is_active else Reason.NO_RECIPIENT
    reason = reason or validity.why_not(row, now)
    if reason is not None:
        claiming.cancel(row, reason)
        return None
    assert row.recipient is not None
    if told.email != row.recipient.email:  # the server was asked about another address
        claiming.give_back(row, timedelta(0))
        return None
    if capping.is_full(row, now, people):
        claiming.put_off(row, capping.next_day(row, now, people.quiet(row.recipient_id)))
        return None
    row.recipient, row.patient = told, patient
    message = mails.build(row, now)
    if not claiming.mark(row):
        claiming.unmarkable(row)
        return None
    return message


def _locked(row: Reminder) -> tuple[User, Patient | None]:
    """Patient first, then recipient, as everybody locks them. Both as they stand now.

    A summary speaks of everybody in its clinic: all of them, in the order of their keys.
    """
    assert row.recipient is not None
    patient = Patient(pk=row.patient_id).lock() if row.patient_id else None
    if row.kind in {kinds.DIGEST, kinds.TO_CALL}:
        _lock_everybody(of_clinics.clinic_of(row.occurrence))
    return User.objects.select_for_update(no_key=True).get(pk=row.recipient.pk), patient


def _lock_everybody(clinic_ref: str) -> None:
    shared = Sharing.objects.open().filter(clinic__ref=clinic_ref).values("patient")
    patients = Patient.objects.filter(pk__in=shared).order_by("pk")
    list(patients.select_for_update(no_key=True).values_list("pk", flat=True))


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


def _keep_unwritten(row: Reminder, cause: str) -> None:
    """Eight times at most, further apart each time. Marked before it broke: nobody knows."""
    if Reminder.objects.filter(pk=row.pk, handing_over_at__isnull=False).exists():
        claiming.doubt(row, cause)
    else:
        claiming.try_again(row, cause, count=True)


def _learn(person: User, outcome: Outcome, people: Choices) -> None:
    """What the answer says of the person's address."""
    if outcome.answer is Answer.ACCEPTED and person.pk in people.refused:
        bouncing.accept(address=person.email)
    elif outcome.answer is Answer.NEVER and (cause := bouncing.refusal(outcome.cause, outcome.reply)):
        bouncing.refuse(user=person, address=person.email, cause=cause)
