"""Everything that is written about injections. Plans and courses have actions of their own in plan_actions.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from cycles import concerns
from cycles.models import Injection, PlannedDose
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.actions import raise_alert
from il2tracker.alerts.models import Alert
from il2tracker.audit import log

# App's own: for this long an entry may be undone without saying why (A5).
UNDO_WITHOUT_REASON = timedelta(minutes=10)
# App's own: clocks of phone and server may differ by this much before a time counts as future.
CLOCK_SLACK = timedelta(minutes=2)
# What a lock or a foreign key makes certain: asking the database again would double the statements of a save.
CERTAIN = {"patient", "planned_dose", "recorded_by", "voided_by", "ref", "idempotency_key"}


class Logged(NamedTuple):
    """The record of a dose, and whether this call made it (False: it was there already)."""

    injection: Injection
    created: bool


@transaction.atomic
def log_injection(
    *,
    by: User,
    patient: Patient,
    key: UUID,
    state: str,
    now: datetime,
    dose: PlannedDose | None = None,
    twice: bool = False,
    **facts: Any,
) -> Logged:
    """Record one injection. One standing record per planned dose and one row per `key`, whatever happens (H01).

    `facts`: given_at (aware), amount (MIU), site, reason, note, given_by, given_by_name. `twice`: the person says that
    it is a second one soon after another. Tells the clinic what it has to see (2.14). A second attempt returns the
    first record. Raises PermissionDenied and ValidationError (future time, no amount, …).
    """
    access.require_recording(by, patient)
    patient = patient.lock()
    known = _known(patient, key, dose)
    if known is not None:
        return Logged(known, created=False)
    injection = Injection(
        patient=patient,
        planned_dose=dose,
        idempotency_key=key,
        state=state,
        zone=patient.time_zone,
        recorded_by=by,
        recorded_at=now,
        **facts,
    )
    _refuse_future(injection, now)
    _save(by, injection)
    log.record(action=f"cycles.injection.{state}", by=by, patient=patient, subject=injection)
    _tell_clinic(by, injection, now, twice=twice)
    return Logged(injection, created=True)


def _known(patient: Patient, key: UUID, dose: PlannedDose | None) -> Injection | None:
    """The row of this key, voided or not, else the dose's standing row. PermissionDenied for another patient's."""
    same = Q(idempotency_key=key)
    if dose is not None:
        same |= Q(planned_dose=dose, voided_at__isnull=True)
    found = list(Injection.objects.filter(same).select_related("recorded_by"))
    if any(other.patient_id != patient.pk for other in found) or (dose and dose.patient_id != patient.pk):
        raise PermissionDenied
    return min(found, key=lambda injection: injection.idempotency_key != key, default=None)


def _refuse_future(injection: Injection, now: datetime) -> None:
    if injection.given_at is not None and injection.given_at > now + CLOCK_SLACK:
        raise ValidationError({"given_at": _("This time has not come yet. Record an injection after it was given.")})


def _tell_clinic(by: User, injection: Injection, now: datetime, *, twice: bool = False) -> None:
    for concern in concerns.about(injection, twice=twice):
        raise_alert(
            by=by,
            patient=injection.patient,
            rule=concern.rule,
            tier=Alert.Tier.AMBER,
            title=concern.title,
            evidence=concern.evidence,
            source="cycles.injection",
            source_ref=injection.ref,
            holds=concern.holds,
            now=now,
        )


def require_own(by: User, injection: Injection) -> None:
    """Only the patient and the person who recorded it may change an entry (A5, A6). Raises PermissionDenied."""
    access.require_recording(by, injection.patient)
    if by.pk not in {injection.patient.user_id, injection.recorded_by_id}:
        raise PermissionDenied


def _lock_own(by: User, injection: Injection) -> None:
    require_own(by, injection)
    injection.patient.lock()
    injection.refresh_from_db()


@transaction.atomic
def correct_injection(
    *, by: User, injection: Injection, now: datetime, twice: bool = False, **changes: Any
) -> Injection:
    """Change what was recorded; the old version stays in the history. Raises PermissionDenied, ValidationError."""
    _lock_own(by, injection)
    if injection.voided_at is not None:
        raise ValidationError(_("This entry was removed. Record the injection again instead."))
    for name, value in changes.items():
        setattr(injection, name, value)
    _refuse_future(injection, now)
    _save(by, injection)
    log.record(action="cycles.injection.corrected", by=by, patient=injection.patient, subject=injection)
    _tell_clinic(by, injection, now, twice=twice)
    return injection


@transaction.atomic
def void_injection(*, by: User, injection: Injection, now: datetime, reason: str = "") -> Injection:
    """Undo: the row stays, its slot is free again (A5). Safe to repeat.

    Raises PermissionDenied, and ValidationError when no reason is given after ten minutes.
    """
    _lock_own(by, injection)
    if injection.voided_at is not None:
        return injection
    if not reason and now - injection.recorded_at > UNDO_WITHOUT_REASON:
        raise ValidationError({"reason": _("Say why this entry is removed.")})
    injection.voided_at, injection.voided_by, injection.void_reason = now, by, reason
    _save(by, injection)
    log.record(action="cycles.injection.voided", by=by, patient=injection.patient, subject=injection)
    return injection


def _save(by: User, injection: Injection) -> None:
    injection._history_user = by  # type: ignore[attr-defined]
    injection.full_clean(exclude=CERTAIN, validate_unique=False, validate_constraints=False)
    injection.save()
