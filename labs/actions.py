"""Everything that writes results. Each action is atomic, locks the patients it is about and leaves an audit row."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from cycles.models import Cycle
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import uploads
from labs.files.candidates import FileError
from labs.files.tables import BROWSER_BYTES, BROWSER_ROWS
from labs.matching import Match, known
from labs.models import UPLOAD_KEPT, Analyte, Bloodwork, ImportBatch, LabResult
from labs.units import Reading

BATCH = 2_000
KEPT_FILE_NAME = 120


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


def _require_adding(by: User, patient: Patient) -> None:
    if not may_add(by, patient):
        raise PermissionDenied


def _source(by: User | None, patient: Patient) -> str:
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
    _require_adding(by, patient)
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
            kept.append(there if match is Match.THERE else _change(by, there, reading, drawn, note))
    return kept


def _refuse_future(patient: Patient, drawn: Drawn, now: datetime) -> None:
    if drawn.on > patient.today(now) or (drawn.at is not None and drawn.at > now):
        raise ValidationError({"drawn_on": _("This day has not come yet. Enter the day on which blood was taken.")})


def _create(by: User, patient: Patient, analyte: Analyte, reading: Reading, drawn: Drawn, note: str) -> LabResult:
    result = LabResult(
        patient=patient, analyte=analyte, zone=patient.time_zone, source=_source(by, patient), entered_by=by, note=note
    )
    _write(result, reading, drawn)
    _save(by, result)
    log.record(action="labs.result.added", by=by, patient=patient, subject=result)
    return result


def _write(result: LabResult, reading: Reading, drawn: Drawn) -> None:
    identity = known(result.patient_id, result.analyte.rule, reading, drawn.on, drawn.at, result.specimen)
    result.comparator, result.value, result.unit = reading.comparator, reading.value, reading.unit
    result.detected, result.raw = reading.detected, reading.raw
    result.drawn_on, result.drawn_at, result.fingerprint = drawn.on, drawn.at, identity.fingerprint


def _change(by: User, result: LabResult, reading: Reading, drawn: Drawn, note: str) -> LabResult:
    _write(result, reading, drawn)
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
    _require_adding(by, result.patient)
    patient = result.patient.lock()
    result.refresh_from_db()
    if result.voided_at is not None:
        raise ValidationError(_("This result was removed. Add it again instead."))
    _refuse_future(patient, drawn, now)
    return _change(by, result, reading, drawn, note)


@transaction.atomic
def void_result(*, by: User, result: LabResult, now: datetime, reason: str) -> LabResult:
    """Remove a result from every list; the row and its history stay. Raises PermissionDenied, ValidationError."""
    _require_adding(by, result.patient)
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
    _require_adding(by, cycle.patient)
    patient = cycle.patient.lock()
    row = Bloodwork.objects.filter(cycle=cycle).first() or Bloodwork(patient=patient, cycle=cycle)
    for name, value in facts.items():
        setattr(row, name, value)
    _save(by, row)
    log.record(action=action, by=by, patient=patient, subject=row)
    return row


# Uploads


@transaction.atomic
def keep_upload(*, by: User, patient: Patient | None, file_name: str, content: bytes, now: datetime) -> ImportBatch:
    """Keep an uploaded table for a day, until it is confirmed. The same file again is the same upload.

    Raises PermissionDenied, and tables.FileError for what is no table or over the browser's limits.
    """
    if patient is not None:
        _require_adding(by, patient)
    upload = uploads.read_upload(content, {}, {}, now, most_bytes=BROWSER_BYTES, most_rows=BROWSER_ROWS)
    people = len(upload.asked().patients)
    if patient is None and people > uploads.MOST_PEOPLE:
        words = _("This file holds rows of %(people)s people. Here the limit is %(most)s: use the import command.")
        raise FileError(words % {"people": people, "most": uploads.MOST_PEOPLE})
    forget_uploads(now=now)
    digest = hashlib.sha256(content).hexdigest()
    same = ImportBatch.objects.waiting(now).filter(owner=by, patient=patient, digest=digest).first()
    if same is not None:
        return same
    batch = ImportBatch.objects.create(
        owner=by,
        patient=patient,
        file_name=file_name[-KEPT_FILE_NAME:],
        digest=digest,
        content=content,
        expires_at=now + UPLOAD_KEPT,
    )
    log.record(action="labs.upload.kept", by=by, patient=patient, subject=batch)
    return batch


@transaction.atomic
def answer_upload(*, by: User, batch: ImportBatch, answers: Mapping[str, Any]) -> ImportBatch:
    """Keep what was said about an upload: dates, floors, whose rows. Raises PermissionDenied."""
    _require_owner(by, batch)
    batch.answers = dict(answers)
    batch.save(update_fields=["answers"])
    log.record(action="labs.upload.answered", by=by, patient=batch.patient, subject=batch)
    return batch


@transaction.atomic
def drop_upload(*, by: User, batch: ImportBatch) -> ImportBatch:
    """Forget an upload without adding anything. Raises PermissionDenied."""
    _require_owner(by, batch)
    _forget(batch, ImportBatch.State.DROPPED)
    log.record(action="labs.upload.dropped", by=by, patient=batch.patient, subject=batch)
    return batch


def _require_owner(by: User, batch: ImportBatch) -> None:
    if batch.owner_id != by.pk:
        raise PermissionDenied


def _forget(batch: ImportBatch, state: str) -> None:
    batch.state, batch.content, batch.answers = state, b"", {}
    batch.save(update_fields=["state", "content", "answers", "outcomes"])


@transaction.atomic
def forget_uploads(*, now: datetime) -> int:
    """Delete the text of every upload that nobody confirmed in a day; returns how many. Safe to repeat."""
    stale = ImportBatch.objects.filter(state=ImportBatch.State.WAITING, expires_at__lte=now)
    return stale.update(state=ImportBatch.State.DROPPED, content=b"", answers={})


@transaction.atomic
def confirm_upload(
    *,
    by: User,
    batch: ImportBatch,
    patients: Mapping[str, Patient],
    now: datetime,
    replace: bool = False,
    sure: bool = False,
) -> ImportBatch:
    """Add what is new in an upload, all or nothing, and forget its text. A second time adds nothing.

    `replace`: a conflicting value corrects the one that is there. `sure`: values that look odd are added as well.
    Raises PermissionDenied, FileError.
    """
    _require_owner(by, batch)
    for patient in patients.values():
        _require_adding(by, patient)
    batch.refresh_from_db()
    if batch.state != ImportBatch.State.WAITING:
        return batch
    upload = uploads.read_upload(bytes(batch.content), batch.answers, _locked(patients), now, sure=sure)
    batch.outcomes = dict(_add(by, batch, upload, replace=replace))
    _forget(batch, ImportBatch.State.DONE)
    return batch


@transaction.atomic
def import_table(
    *,
    file_name: str,
    content: bytes,
    answers: Mapping[str, Any],
    patients: Mapping[str, Patient],
    now: datetime,
    by: User | None = None,
    sure: bool = False,
    each: Callable[[uploads.Outcome], None] = lambda outcome: None,
) -> ImportBatch:
    """Add a whole table in one go, all or nothing: the command's way in. `each` hears what becomes of every reading."""
    upload = uploads.read_upload(content, answers, _locked(patients), now, sure=sure)
    batch = ImportBatch.objects.create(
        owner=by,
        file_name=file_name[-KEPT_FILE_NAME:],
        digest=hashlib.sha256(content).hexdigest(),
        state=ImportBatch.State.DONE,
        expires_at=now,
    )
    batch.outcomes = dict(_add(by, batch, upload, replace=False, each=each))
    batch.save(update_fields=["outcomes"])
    return batch


def _locked(patients: Mapping[str, Patient]) -> dict[str, Patient]:
    wanted = {patient.pk for patient in patients.values()}
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    fresh = {patient.pk: patient for patient in rows}
    return {name: fresh[patient.pk] for name, patient in patients.items()}


def _add(
    by: User | None,
    batch: ImportBatch,
    upload: uploads.Upload,
    *,
    replace: bool,
    each: Callable[[uploads.Outcome], None] = lambda outcome: None,
) -> Counter[str]:
    counted: Counter[str] = Counter()
    added: Counter[Patient] = Counter()
    analytes = {analyte.code: analyte for analyte in Analyte.objects.all()}
    sources = {patient.pk: _source(by, patient) for patient in set(upload.patients.values())}

    def new_rows() -> Iterable[LabResult]:
        for outcome in upload.outcomes():
            replacing = replace and by is not None and outcome.replaces is not None
            counted[uploads.REPLACED if replacing else outcome.state] += 1
            each(outcome)
            if outcome.state == Match.NEW.value and outcome.patient:
                added[outcome.patient] += 1
                yield _row(by, batch, outcome, analytes, sources)
            elif replacing:
                _replace(by, outcome)

    rows = iter(new_rows())
    while chunk := list(islice(rows, BATCH)):
        bulk_create_with_history(chunk, LabResult, batch_size=BATCH, default_user=by)
    for patient, count in added.items():
        log.record(action="labs.results.imported", by=by, patient=patient, subject=batch, detail=f"{count} results")
    return counted


def _row(
    by: User | None,
    batch: ImportBatch,
    outcome: uploads.Outcome,
    analytes: Mapping[str, Analyte],
    sources: Mapping[int, str],
) -> LabResult:
    patient, line = outcome.patient, outcome.line
    assert patient is not None
    assert line.on is not None
    assert line.reading is not None
    result = LabResult(
        patient=patient,
        analyte=analytes[line.analyte],
        zone=patient.time_zone,
        source=sources[patient.pk],
        entered_by=by,
        batch=batch,
    )
    _write(result, line.reading, Drawn(line.on, outcome.at))
    return result


def _replace(by: User | None, outcome: uploads.Outcome) -> None:
    line = outcome.line
    assert by is not None
    assert outcome.replaces is not None
    assert line.reading is not None
    assert line.on is not None
    _change(by, LabResult.objects.get(pk=outcome.replaces), line.reading, Drawn(line.on, outcome.at), "")
