"""What is written about other medicines: names, since when, until when. Never an amount (P32)."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.models import Medication
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log

# What a lock or a foreign key makes certain.
CERTAIN = {"patient", "recorded_by", "voided_by", "ref"}


def may_list(by: User, patient: Patient) -> bool:
    """Who may write the list: the patient, a person who may record for the patient, a member of the clinic."""
    return access.may_record(by, patient) or access.is_member_for(by, patient)


@transaction.atomic
def add_medication(
    *,
    by: User,
    patient: Patient,
    name: str,
    kind: str,
    now: datetime,
    started_on: date | None = None,
    note: str = "",
) -> Medication:
    """One more medicine on the list; the same name that is taken already stays as it is: safe to repeat.

    `started_on` is the first civil day, None = nobody said. Raises PermissionDenied and ValidationError (no name, a day
    to come).
    """
    _require(by, patient)
    patient = patient.lock()
    today = patient.today(now)
    known = Medication.objects.of(patient).taken_on(today).filter(name__iexact=name.strip()).first()
    if known is not None:
        return known
    _refuse_future("started_on", started_on, today)
    facts = {"name": name.strip(), "kind": kind, "started_on": started_on, "note": note}
    return _save(by, Medication(patient=patient, recorded_by=by, recorded_at=now, **facts), "added")


@transaction.atomic
def stop_medication(*, by: User, medication: Medication, on: date, now: datetime) -> Medication:
    """It is not taken any more from the civil day `on`. Safe to repeat: the first day stands.

    Raises PermissionDenied, and ValidationError for a day to come or before it was begun.
    """
    _lock(by, medication)
    if medication.stopped_on is not None or medication.voided_at is not None:
        return medication
    _refuse_future("stopped_on", on, medication.patient.today(now))
    if medication.started_on and on < medication.started_on:
        raise ValidationError({"stopped_on": _("It cannot be stopped before it was begun.")})
    medication.stopped_on = on
    return _save(by, medication, "stopped")


@transaction.atomic
def remove_medication(*, by: User, medication: Medication, now: datetime) -> Medication:
    """It was entered in error: out of the list, kept in the record. Safe to repeat. Raises PermissionDenied."""
    _lock(by, medication)
    if medication.voided_at is None:
        medication.voided_by, medication.voided_at = by, now
        _save(by, medication, "removed")
    return medication


def _require(by: User, patient: Patient) -> None:
    if not may_list(by, patient):
        raise PermissionDenied


def _lock(by: User, medication: Medication) -> None:
    medication.patient.lock()
    _require(by, medication.patient)
    medication.refresh_from_db()


def _refuse_future(field: str, on: date | None, today: date) -> None:
    if on is not None and on > today:
        raise ValidationError({field: _("This day has not come yet.")})


def _save(by: User, medication: Medication, verb: str) -> Medication:
    medication._history_user = by  # type: ignore[attr-defined]
    medication.full_clean(exclude=CERTAIN, validate_unique=False, validate_constraints=False)
    medication.save()
    log.record(action=f"cycles.medication.{verb}", by=by, patient=medication.patient, subject=medication)
    return medication
