"""Everything that is written before a course starts: answers, their sending, the clinic's word, the list (2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles import asking, preparation, questions
from cycles.hold_actions import raise_hold
from cycles.models import Cycle, Hold, Preparation, Readiness, ReadinessAnswer
from cycles.questions import Given, Question
from il2tracker.accounts import access
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.actions import raise_alert
from il2tracker.alerts.models import Alert
from il2tracker.audit import log

UNDECIDED = {Cycle.State.PLANNED, Cycle.State.HELD}


@transaction.atomic
def answer_question(
    *, by: User, cycle: Cycle, question: Question, answer: str, now: datetime, note: str = ""
) -> ReadinessAnswer:
    """Keep the newest answer; a yes or not sure to a question with a hold puts the course on hold at once (R16).

    Taking the answer back later lifts nothing: only a person does. Raises PermissionDenied and ValidationError
    (the questions are not open on this day).
    """
    patient = _open(by, cycle, now)
    readiness, _made = Readiness.objects.get_or_create(cycle=cycle, defaults={"patient": patient})
    known = ReadinessAnswer.objects.filter(readiness=readiness, question=question.code).first()
    row: ReadinessAnswer = known or ReadinessAnswer(patient=patient, readiness=readiness, question=question.code)
    row.answer, row.note, row.answered_by, row.answered_at = answer, note, by, _after_the_word(readiness, now)
    row._history_user = by  # type: ignore[attr-defined]
    row.save()
    log.record(action="cycles.readiness.answered", by=by, patient=patient, subject=row)
    if question.hold and answer != questions.NO:
        raise_hold(by=by, cycle=cycle, kind=question.hold, reason=note[:200], now=now)
    return row


def _after_the_word(readiness: Readiness, now: datetime) -> datetime:
    """An answer that waited behind the clinic's word was not seen with it: it counts as given after it."""
    word_at = readiness.confirmed_at
    return word_at + timedelta.resolution if word_at is not None and now <= word_at else now


def _open(by: User, cycle: Cycle, now: datetime) -> Patient:
    """The locked patient of a course whose questions can be answered now."""
    access.require_recording(by, cycle.patient)
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    if cycle.state not in UNDECIDED or not questions.is_open(cycle.starts_on, patient.today(now)):
        raise ValidationError(_("The questions are open from 14 days before a course until its first day."))
    return patient


def given_answers(cycle: Cycle, patient: Patient) -> dict[str, Given]:
    """What was answered before this course, each with the patient's civil day of the answer."""
    rows = ReadinessAnswer.objects.filter(readiness__cycle=cycle)
    return {row.question: Given(row.answer, patient.today(row.answered_at)) for row in rows}


@transaction.atomic
def send_answers(*, by: User, cycle: Cycle, now: datetime, known: Mapping[str, str]) -> Readiness:
    """The patient says that this is all; the clinic's list shows it. `known`: what the diary itself knows, kept beside
    the answers as it was then, code → "yes" when it needs a person.

    Raises PermissionDenied and ValidationError (not open, a question is without an answer that counts today).
    """
    patient = _open(by, cycle, now)
    left = questions.still_to_ask(
        questions.asked(cycle.number), given_answers(cycle, patient), cycle.starts_on, patient.today(now)
    )
    if left:
        raise ValidationError(_("Some questions are still open. Answer them first; “Not sure” is an answer too."))
    readiness = Readiness.objects.get(cycle=cycle)
    for code, word in known.items():
        facts = {"patient": patient, "answer": word, "answered_by": by, "answered_at": now}
        ReadinessAnswer.objects.update_or_create(readiness=readiness, question=code, defaults=facts)
    readiness.sent_by, readiness.sent_at = by, now
    readiness.save(update_fields=["sent_by", "sent_at"])
    log.record(action="cycles.readiness.sent", by=by, patient=patient, subject=readiness)
    return readiness


@transaction.atomic
def confirm_start(*, by: User, cycle: Cycle, now: datetime, note: str = "", shown: str | None = None) -> Readiness:
    """A member of the clinic confirms this first day; a course that is moved needs it anew. Safe to repeat.

    `shown` is asking.Asked.as_shown of the page that was read: nobody confirms a day or answers he has not seen. None:
    it was not confirmed on a page. Raises PermissionDenied, and ValidationError when something has changed since, or
    the course is on hold, decided or over, or more than two weeks away: so early nobody can know.
    """
    if not access.is_member_for(by, cycle.patient):
        raise PermissionDenied
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    if cycle.state == Cycle.State.HELD:
        raise ValidationError(_("This course is on hold. Lift the hold first, or give it another first day."))
    if cycle.state != Cycle.State.PLANNED or cycle.last_dose_on < patient.today(now):
        raise ValidationError(_("This course has ended."))
    if patient.today(now) < questions.opens_on(cycle.starts_on):
        raise ValidationError(_("A start can be confirmed from 14 days before it."))
    if shown is not None and shown != asking.read(cycle, patient, patient.today(now)).as_shown:
        raise ValidationError(_("Something has changed since you opened this page. Look at it again, then confirm."))
    return confirmed(by, cycle, now, note)


def confirmed(by: User, cycle: Cycle, now: datetime, note: str = "") -> Readiness:
    """Write down who confirmed which first day. The patient is locked already."""
    readiness, _made = Readiness.objects.get_or_create(cycle=cycle, defaults={"patient": cycle.patient})
    readiness.confirmed_by, readiness.confirmed_at = by, now
    readiness.confirmed_for, readiness.confirm_note = cycle.starts_on, note
    readiness.save(update_fields=["confirmed_by", "confirmed_at", "confirmed_for", "confirm_note"])
    log.record(action="cycles.readiness.confirmed", by=by, patient=cycle.patient, subject=readiness)
    return readiness


@transaction.atomic
def report_change(*, by: User, patient: Patient, cycle: Cycle | None, kind: str, words: str, now: datetime) -> None:
    """Something has changed (P22, D19): the course waits from this moment, its dates stay (H22).

    What is reported beside a hold that stands for the same kind of reason is told to the clinic too; without a course
    it is only told. Raises PermissionDenied.
    """
    if cycle is None:
        access.require_recording(by, patient)
        _tell(by, patient, kind, words, source_ref=patient.ref, now=now)
        return
    hold = raise_hold(by=by, cycle=cycle, kind=kind, reason=words[:200], now=now)
    if hold.raised_at != now and not access.is_member_for(by, patient):
        _tell(by, patient, kind, words, source_ref=hold.ref, now=now)


def _tell(by: User, patient: Patient, kind: str, words: str, *, source_ref: str, now: datetime) -> None:
    raise_alert(
        by=by,
        patient=patient,
        rule="CHANGED",
        tier=Alert.Tier.AMBER,
        title=_("Something has changed: %(what)s") % {"what": Hold.Kind(kind).label},
        evidence=words,
        source="cycles.changed",
        source_ref=source_ref,
        now=now,
    )


@transaction.atomic
def keep_list(
    *, by: User, cycle: Cycle, ticked: Mapping[str, str], wanted: set[str], now: datetime, companion: Mapping[str, str]
) -> int:
    """Tick and untick what is ready: `ticked` = item → its note, of the items in `wanted`. Returns how many changed.

    `companion` holds the facts of the person who stays; kept with the patient when that item is ticked.
    Raises PermissionDenied.
    """
    access.require_recording(by, cycle.patient)
    patient = cycle.patient.lock()
    rows = {row.item: row for row in Preparation.objects.filter(cycle=cycle, item__in=wanted)}
    gone = [row.pk for code, row in rows.items() if code not in ticked]
    Preparation.objects.filter(pk__in=gone).delete()
    fresh = [code for code in ticked if code not in rows]
    who = {"patient": patient, "cycle": cycle, "done_by": by, "done_at": now}
    Preparation.objects.bulk_create([Preparation(item=code, note=ticked[code], **who) for code in fresh])
    noted = [code for code, row in rows.items() if code in ticked and row.note != ticked[code]]
    for code in noted:
        Preparation.objects.filter(pk=rows[code].pk).update(note=ticked[code])
    if preparation.COMPANION in ticked:
        _keep_companion(by, patient, companion)
    changed = len(gone) + len(fresh) + len(noted)
    if changed:
        log.record(action="cycles.preparation.changed", by=by, patient=patient, subject=cycle)
    return changed


def _keep_companion(by: User, patient: Patient, companion: Mapping[str, str]) -> None:
    if any(getattr(patient, name) != value for name, value in companion.items()):
        accounts.update_patient(by=by, patient=patient, **companion)
