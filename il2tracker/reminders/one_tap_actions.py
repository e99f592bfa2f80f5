"""What one tap writes: an injection as planned, its undo, a later reminder. Everything else needs the diary itself.

`by` is the patient whom the mail was for; the access log adds "by link". Every press answers with a word that says
nothing about the diary (ux 3.3).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from cycles import actions as cycles
from cycles import recording
from cycles.models import Injection, PlannedDose
from il2tracker.accounts.models import SecretLink
from il2tracker.audit import log
from il2tracker.reminders import facts, of_doses, one_tap, snoozing, tokens
from il2tracker.reminders.one_tap import DONE, LATER, UNDO, Said

BY_LINK = "by link"
KEPT = timedelta(days=1)  # app's own: what became too old is forgotten a day later
BATCH = 1000


class Word(Enum):
    """What a press came to."""

    DONE = "done"
    TAKEN_BACK = "taken back"
    LATER = "later"
    LOOK = "look"
    GONE = "gone"


class Pressed(NamedTuple):
    """The answer to a press. `at`: when it was put down, or when the reminder comes again. `undo`: a token."""

    word: Word
    at: datetime | None = None
    undo: str = ""


LOOK, GONE = Pressed(Word.LOOK), Pressed(Word.GONE)


@transaction.atomic
def press(*, link: SecretLink, now: datetime, minutes: str = "") -> Pressed:
    """Do what the link is for, once, under the patient's lock. `minutes`: by how many a reminder is put off.

    LOOK: it is not as simple as that, nothing was changed, and the link stands. A second press hears the first answer.
    """
    _user, patient = one_tap.owner(link)
    link.patient = patient.lock()
    link.refresh_from_db(fields=["used_at", "revoked_at", "expires_at"])
    if link.revoked_at is not None or link.expires_at is None or link.expires_at <= now:
        return GONE
    if link.used_at is not None:
        return _again(link)
    if link.purpose == LATER:
        return _later(link, now, minutes)
    return _done(link, now) if link.purpose == DONE else _undo(link, now)


def _done(link: SecretLink, now: datetime) -> Pressed:
    user, patient = one_tap.owner(link)
    dose = one_tap.dose(link)
    if dose is None or not _is_simple(link, dose, now):
        return LOOK
    logged = cycles.log_injection(
        by=user,
        patient=patient,
        dose=dose,
        key=_key(link),
        state=Injection.State.TAKEN,
        now=now,
        given_at=now,
        amount=dose.amount,
    )
    if not logged.created:
        return LOOK
    _use(link, now)
    log.record(action="reminders.tap.done", by=user, patient=patient, subject=logged.injection, detail=BY_LINK)
    return Pressed(Word.DONE, now, _undo_token(link, logged.injection))


def _is_simple(link: SecretLink, dose: PlannedDose, now: datetime) -> bool:
    """Whether the mail still says what the plan says, nothing holds reminders back, and the page would ask nothing."""
    user, patient = one_tap.owner(link)
    said, fact = Said.of(link), facts.dose(*of_doses.slot_of(link.subject))
    if fact is None or fact.blocked(facts.open_alerts(patient.pk).get(patient.pk)) is not None:
        return False
    same = (said.at, said.amount, said.hour) == (dose.due_at, dose.amount, dose.local_time)
    return same and recording.open_page(user, patient, now, dose=dose).goes_without_saying


def _undo(link: SecretLink, now: datetime) -> Pressed:
    user, patient = one_tap.owner(link)
    injection = _record(link)
    if injection is None or injection.voided_at is not None:
        return LOOK
    cycles.void_injection(by=user, injection=injection, now=now)
    _use(link, now)
    log.record(action="reminders.tap.undone", by=user, patient=patient, subject=injection, detail=BY_LINK)
    return Pressed(Word.TAKEN_BACK)


def _later(link: SecretLink, now: datetime, minutes: str) -> Pressed:
    """Only to a moment at which a mail really comes: nobody shall wait for one that does not."""
    user, patient = one_tap.owner(link)
    dose = one_tap.dose(link)
    offered = snoozing.offer(dose, now) if dose else None
    if dose is None or offered is None or minutes not in map(str, offered.mailed_laters(now)):
        return LOOK
    snooze = snoozing.snooze(by=user, dose=dose, again_at=now + timedelta(minutes=int(minutes)), now=now)
    _use(link, now)
    log.record(action="reminders.tap.later", by=user, patient=patient, subject=snooze, detail=BY_LINK)
    return Pressed(Word.LATER, snooze.again_at)


def _again(link: SecretLink) -> Pressed:
    """The answer of the first press, while it is still true."""
    if link.purpose == LATER:
        snooze = snoozing.newest(link.subject)
        return Pressed(Word.LATER, snooze.again_at) if snooze and snooze.asked_at == link.used_at else GONE
    injection = _record(link)
    if injection is None:
        return GONE
    if link.purpose == UNDO:
        is_open = injection.planned_dose is not None and injection.planned_dose.record is None
        return Pressed(Word.TAKEN_BACK) if is_open else GONE
    stands = injection.voided_at is None
    return Pressed(Word.DONE, injection.recorded_at, _undo_token(link, injection)) if stands else GONE


def _record(link: SecretLink) -> Injection | None:
    """What the press of "done" made: an undo link names it by its key too."""
    key = _key(link) if link.purpose == DONE else UUID(link.entries["key"])
    records = Injection.objects.filter(patient=link.patient_id, idempotency_key=key)
    return records.select_related("patient", "planned_dose").first()


def _key(link: SecretLink) -> UUID:
    """The same key for the same link: however often its button is sent, there is one record."""
    return uuid5(NAMESPACE_URL, link.token_hash)


def _use(link: SecretLink, now: datetime) -> None:
    link.used_at = now
    link.save(update_fields=["used_at"])


def _undo_token(link: SecretLink, injection: Injection) -> str:
    """A secret of its own for ten minutes: it follows from the link, so that a second press shows the same one."""
    token = tokens.derived(UNDO, link.token_hash)
    facts = {
        "purpose": UNDO,
        "user": link.user,
        "patient": link.patient,
        "subject": link.subject,
        "entries": {**link.entries, "key": str(injection.idempotency_key)},
        "expires_at": injection.recorded_at + cycles.UNDO_WITHOUT_REASON,
    }
    SecretLink.objects.get_or_create(token_hash=tokens.digest(token), defaults=facts)
    return token


def forget(now: datetime) -> int:
    """Delete links that became too old a day ago: they open nothing any more. Returns how many went.

    One statement while there are none; a tick forgets no more than BATCH of them.
    """
    old = SecretLink.objects.filter(purpose__in=one_tap.PURPOSES, expires_at__lt=now - KEPT)
    pks = list(old.values_list("pk", flat=True)[:BATCH])
    return SecretLink.objects.filter(pk__in=pks).delete()[0] if pks else 0
