"""Files with results: kept for a day, answered, confirmed or forgotten. All or nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import actions, uploads
from labs.actions import Drawn
from labs.files.candidates import FileError
from labs.files.tables import BROWSER_BYTES, BROWSER_ROWS
from labs.matching import Match
from labs.models import UPLOAD_KEPT, Analyte, ImportBatch, LabResult

BATCH = 2_000
KEPT_FILE_NAME = 120


@transaction.atomic
def keep_upload(*, by: User, patient: Patient | None, file_name: str, content: bytes, now: datetime) -> ImportBatch:
    """Keep an uploaded table for a day, until it is confirmed. The same file again is the same upload.

    Raises PermissionDenied, and tables.FileError for what is no table or over the browser's limits.
    """
    if patient is not None:
        actions.require_adding(by, patient)
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
        actions.require_adding(by, patient)
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
    sources = {patient.pk: actions.source_of(by, patient) for patient in set(upload.patients.values())}

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
    actions.write(result, line.reading, Drawn(line.on, outcome.at))
    return result


def _replace(by: User | None, outcome: uploads.Outcome) -> None:
    line = outcome.line
    assert by is not None
    assert outcome.replaces is not None
    assert line.reading is not None
    assert line.on is not None
    actions.change(by, LabResult.objects.get(pk=outcome.replaces), line.reading, Drawn(line.on, outcome.at), "")
