"""Everything that writes results. Each action is atomic, locks the patients it is about and leaves an audit row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.models import Cycle
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import uploads
from labs.matching import Match, known
from labs.models import Analyte, Bloodwork, LabResult
from labs.units import Reading


class ConflictError(ValidationError):
    """Another value of the same test is there for this draw; somebody has to say whether to keep or replace it."""


@dataclass(frozen=True)
class Drawn:
    """When blood was taken, in the patient's own calendar; the moment only if the time is known."""

    on: date
    at: datetime | None = None


def load_library(model: type[Analyte] = Analyte) -> None:
    """Bring the tests to the state of analytes.json. Safe to repeat; a migration passes the model as it was then."""
    columns = {field.name for field in model._meta.fields}
    for row in json.loads((Path(__file__).parent / "analytes.json").read_text(encoding="utf-8")):
        facts = {name: value for name, value in row.items() if name in columns}
        model.objects.update_or_create(code=row["code"], defaults=facts)


def may_add(user: User, patient: Patient) -> bool:
    """The patient, a person whom the patient lets record, and members of the patient's clinic."""
    return access.may_record(user, patient) or access.is_member_for(user, patient)


def require_adding(by: User, patient: Patient) -> None:
    """Raises PermissionDenied unless this person may add results of the patient."""
    if not may_add(by, patient):
        raise PermissionDenied


def source_of(by: User | None, patient: Patient) -> str:
    """Who enters a result, as it is kept with it."""
    if by is None or access.is_member_for(by, patient):
        return LabResult.Source.CLINIC
    return LabResult.Source.PATIENT if patient.user_id == by.pk else LabResult.Source.CARER


@transaction.atomic
def add_results(
    *,
    by: User,
    patient: Patient,
    drawn: Drawn,
    readings: Mapping[Analyte, Reading],
    now: datetime,
    replace: bool = False,
    note: str = "",
) -> list[LabResult]:
    """Keep the readings of one draw. One that is there already is returned as it is, never doubled (B28).

    Raises PermissionDenied, ValidationError (future date), ConflictError when another value is there and not `replace`.
    """
    require_adding(by, patient)
    patient = patient.lock()
    _refuse_future(patient, drawn, now)
    shelf = uploads.shelf_of({patient.pk}, {})
    kept = []
    for analyte, reading in readings.items():
        identity = known(patient.pk, analyte.rule, reading, drawn.on, drawn.at)
        match, meets = shelf.match(identity)
        if match is Match.CONFLICT and not replace:
            raise ConflictError(_("You already have another value of this test for this draw."))
        if match is Match.NEW:
            kept.append(_create(by, patient, analyte, reading, drawn, note))
        else:
            there = LabResult.objects.get(pk=meets.key)  # type: ignore[misc, union-attr]
            kept.append(there if match is Match.THERE else change(by, there, reading, drawn, note))
    return kept


def _refuse_future(patient: Patient, drawn: Drawn, now: datetime) -> None:
    if drawn.on > patient.today(now) or (drawn.at is not None and drawn.at > now):
        raise ValidationError({"drawn_on": _("This day has not come yet. Enter the day on which blood was taken.")})


def _create(by: User, patient: Patient, analyte: Analyte, reading: Reading, drawn: Drawn, note: str) -> LabResult:
    result = LabResult(
        patient=patient,
        analyte=analyte,
        zone=patient.time_zone,
        source=source_of(by, patient),
        entered_by=by,
        note=note,
    )
    write(result, reading, drawn)
    _save(by, result)
    log.record(action="labs.result.added", by=by, patient=patient, subject=result)
    return result


def write(result: LabResult, reading: Reading, drawn: Drawn) -> None:
    """Put a reading and its draw into a result, with what identifies it (B28)."""
    identity = known(result.patient_id, result.analyte.rule, reading, drawn.on, drawn.at, result.specimen)
    result.comparator, result.value, result.unit = reading.comparator, reading.value, reading.unit
    result.detected, result.raw = reading.detected, reading.raw
    result.drawn_on, result.drawn_at, result.fingerprint = drawn.on, drawn.at, identity.fingerprint


def change(by: User, result: LabResult, reading: Reading, drawn: Drawn, note: str) -> LabResult:
    """Correct a result whose patient is locked; its history keeps the old value."""
    write(result, reading, drawn)
    result.status, result.note = LabResult.Status.CORRECTED, note or result.note
    _save(by, result)
    log.record(action="labs.result.corrected", by=by, patient=result.patient, subject=result)
    return result


def _save(by: User | None, row: LabResult | Bloodwork) -> None:
    row._history_user = by  # type: ignore[union-attr]
    row.full_clean()
    row.save()


@transaction.atomic
def correct_result(
    *, by: User, result: LabResult, reading: Reading, drawn: Drawn, now: datetime, note: str = ""
) -> LabResult:
    """Change a result; its history keeps the old value. Raises PermissionDenied, ValidationError (removed, future)."""
    require_adding(by, result.patient)
    patient = result.patient.lock()
    result.refresh_from_db()
    if result.voided_at is not None:
        raise ValidationError(_("This result was removed. Add it again instead."))
    _refuse_future(patient, drawn, now)
    return change(by, result, reading, drawn, note)


@transaction.atomic
def void_result(*, by: User, result: LabResult, now: datetime, reason: str) -> LabResult:
    """Remove a result from every list; the row and its history stay. Raises PermissionDenied, ValidationError."""
    require_adding(by, result.patient)
    result.patient.lock()
    result.refresh_from_db()
    if result.voided_at is not None:
        return result
    if not reason.strip():
        raise ValidationError({"reason": _("Say why this result is removed.")})
    result.voided_at, result.voided_by, result.void_reason = now, by, reason
    _save(by, result)
    log.record(action="labs.result.voided", by=by, patient=result.patient, subject=result)
    return result


# The draw before a course


@transaction.atomic
def book_bloodwork(*, by: User, cycle: Cycle, booked_for: date | None) -> Bloodwork:
    """Keep the day booked for the draw before a course; None = not booked any more. Raises PermissionDenied."""
    return _set_bloodwork(by, cycle, "labs.bloodwork.booked", booked_for=booked_for)


@transaction.atomic
def record_drawn(*, by: User, cycle: Cycle, drawn_on: date | None, now: datetime) -> Bloodwork:
    """Keep the day on which blood was taken before a course. Raises PermissionDenied, ValidationError (future date)."""
    if drawn_on is not None:
        _refuse_future(cycle.patient, Drawn(drawn_on), now)
    return _set_bloodwork(by, cycle, "labs.bloodwork.drawn", drawn_on=drawn_on)


def _set_bloodwork(by: User, cycle: Cycle, action: str, **facts: date | None) -> Bloodwork:
    require_adding(by, cycle.patient)
    patient = cycle.patient.lock()
    row = Bloodwork.objects.filter(cycle=cycle).first() or Bloodwork(patient=patient, cycle=cycle)
    for name, value in facts.items():
        setattr(row, name, value)
    _save(by, row)
    log.record(action=action, by=by, patient=patient, subject=row)
    return row
