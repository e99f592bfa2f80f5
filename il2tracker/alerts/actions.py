"""Raising, answering and acknowledging alerts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.models import Alert, Step, happened
from il2tracker.audit import log

SAME_TAP = timedelta(seconds=30)  # app's own: the same words by the same person so soon are one step, tapped twice


@transaction.atomic
def raise_alert(
    *,
    by: User | None,
    patient: Patient,
    rule: str,
    tier: str,
    title: str,
    evidence: str,
    source: str,
    source_ref: str,
    now: datetime,
    holds: bool | None = None,
) -> Alert:
    """One alert per rule, source entry and evidence: an entry that is corrected and now says more is told anew.

    `rule` is its id in the rule table. `holds` = reminders to inject wait for a person; urgent ones always do.
    """
    patient.lock()
    same = {"rule": rule, "tier": tier, "source": source, "source_ref": source_ref, "evidence": evidence}
    known = Alert.objects.filter(patient=patient, **same).first()
    if known is not None:
        return known
    alert = Alert.objects.create(
        patient=patient,
        title=title,
        holds=tier in Alert.URGENT or bool(holds),
        raised_at=now,
        **same,
    )
    _note(alert, "raised", by, now)
    return alert


@transaction.atomic
def acknowledge(*, by: User, alert: Alert, now: datetime, note: str = "", read: str | None = None) -> Alert:
    """A clinic member has seen it and takes care; the first acknowledgement stands (A21).

    `read`: how far the page was read (`Alert.read_mark`); None = there was no page. Raises PermissionDenied for
    everybody else; ValidationError when the patient wrote something since.
    """
    if not access.is_member_for(by, alert.patient):
        raise PermissionDenied
    alert.patient.lock()
    alert.refresh_from_db()
    if alert.acknowledged_at is None:
        if not _is_read(alert, read):
            raise ValidationError(_("The patient wrote meanwhile. It is not acknowledged yet: read it first."))
        alert.acknowledged_by, alert.acknowledged_at, alert.note = by, now, note
        alert.save(update_fields=["acknowledged_by", "acknowledged_at", "note"])
        _note(alert, "acknowledged", by, now)
    return alert


@transaction.atomic
def answer(*, by: User, alert: Alert, answer: str, now: datetime) -> Alert:
    """What the patient says happened. Never an acknowledgement; without a clinic it closes the alert (A21).

    "I cannot reach them" opens it again, also when the clinic had closed it.
    """
    access.require_recording(by, alert.patient)
    alert.patient.lock()
    alert.refresh_from_db()
    alert.patient_answer, alert.patient_answered_at = answer, now
    if answer == Alert.Answer.NOT_REACHED:
        alert.closed_at = None
    elif not alert.needs_clinic():
        alert.closed_at = now
    alert.save(update_fields=["patient_answer", "patient_answered_at", "closed_at"])
    _note(alert, f"answered_{answer}", by, now)
    return alert


@transaction.atomic
def take_step(*, by: User, alert: Alert, what: str, now: datetime, note: str = "", read: str | None = None) -> Step:
    """What a clinic member did about an alert that is in hand, in words where it is a note or the end. The same twice
    at once is one step.

    `read`: how far the page was read (`Alert.read_mark`); None = there was no page. Raises PermissionDenied;
    ValidationError when nobody has acknowledged it, somebody has closed it, or the patient has written since.
    """
    if not access.is_member_for(by, alert.patient):
        raise PermissionDenied
    alert.patient.lock()
    alert.refresh_from_db()
    known = _tapped_before(by, alert, what, note, now)
    if known is not None:
        return known
    _require_in_hand(alert)
    if not _is_read(alert, read):
        raise ValidationError(_("The patient wrote meanwhile. Nothing was added: read it first, then choose again."))
    if what in {Step.What.NOTE, Step.What.CLOSED} and not note:
        raise ValidationError(_("Write a few words."))
    step = Step.objects.create(patient=alert.patient, alert=alert, what=what, note=note, by=by, at=now)
    if what == Step.What.CLOSED:
        alert.closed_at = now
        alert.save(update_fields=["closed_at"])
    _note(alert, str(what), by, now)
    return step


def _tapped_before(by: User, alert: Alert, what: str, note: str, now: datetime) -> Step | None:
    """The newest step, if this is the same once more and the patient has answered nothing since."""
    newest = Step.objects.filter(alert=alert).order_by("-at", "-pk").first()
    if newest is None or (newest.by, newest.what, newest.note) != (by, what, note):
        return None
    is_soon = timedelta(0) <= now - newest.at < SAME_TAP
    is_answered = alert.patient_answered_at is not None and alert.patient_answered_at >= newest.at
    return newest if is_soon and not is_answered else None


def _require_in_hand(alert: Alert) -> None:
    if alert.closed_at is not None:
        raise ValidationError(_("Somebody has closed it meanwhile. Nothing was added."))
    if alert.acknowledged_at is None:
        raise ValidationError(_("Acknowledge it first: then your colleagues see who takes care."))


def _is_read(alert: Alert, read: str | None) -> bool:
    return read is None or read == Alert.objects.with_last_step().get(pk=alert.pk).read_mark


@transaction.atomic
def close(*, by: User, alert: Alert, now: datetime) -> Alert:
    """Without a clinic: what it was about is over, as the person says who decides about the plan. Safe to repeat.

    Raises PermissionDenied.
    """
    access.require_prescribing(by, alert.patient)
    alert.patient.lock()
    alert.refresh_from_db()
    if alert.closed_at is None:
        alert.closed_at = now
        alert.save(update_fields=["closed_at"])
        _note(alert, "closed", by, now)
    return alert


@transaction.atomic
def notified(*, alert: Alert, at: datetime) -> Alert:
    """The first mail about it to the clinic left at `at` (A17). The machine's own word; safe to repeat."""
    alert.patient.lock()
    alert.refresh_from_db()
    if alert.notified_at is None:
        alert.notified_at = at
        alert.save(update_fields=["notified_at"])
        _note(alert, "notified", None, at)
    return alert


@transaction.atomic
def nobody_reached(*, alert: Alert, now: datetime) -> Alert:
    """Everybody who could be told was told, and nobody acknowledged it (B22). Safe to repeat; an answer stands."""
    alert.patient.lock()
    alert.refresh_from_db()
    if alert.is_open and alert.nobody_reached_at is None:
        alert.nobody_reached_at = now
        alert.save(update_fields=["nobody_reached_at"])
        _note(alert, "nobody_reached", None, now)
    return alert


def _note(alert: Alert, what: str, by: User | None, now: datetime) -> None:
    happened(alert, what, by.ref if by else "", now).save()
    log.record(action=f"alerts.{what}", by=by, patient=alert.patient, subject=alert)
