"""Files with results: kept for a day, answered, confirmed or forgotten. All or nothing; undo_actions takes one back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import actions, uploads
from labs.files.asking import Asked
from labs.files.candidates import FileError
from labs.files.tables import BROWSER_BYTES, BROWSER_ROWS, Opener, from_bytes
from labs.models import UPLOAD_KEPT, ImportBatch
from labs.outcomes import Outcome
from labs.writing import Writing

KEPT_FILE_NAME = 120


@transaction.atomic
def keep_upload(*, by: User, patient: Patient | None, file_name: str, content: bytes, now: datetime) -> ImportBatch:
    """Keep an uploaded file for a day, until it is confirmed. The same file again is the same upload.

    Raises PermissionDenied, and FileError for what cannot be read or is over the browser's limits.
    """
    if patient is not None:
        actions.require_adding(by, patient)
    upload = uploads.read_upload(content, {}, {}, now, most_bytes=BROWSER_BYTES, most_rows=BROWSER_ROWS)
    people = len(upload.asked.patients)
    if patient is None and people > uploads.MOST_PEOPLE:
        words = _("This file holds rows of %(people)s people. Here the limit is %(most)s: use the import command.")
        raise FileError(words % {"people": people, "most": uploads.MOST_PEOPLE})
    forget_uploads(now=now)
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # a button tapped twice is one upload
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
        format=upload.file.format,
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
    batch.save(update_fields=["state", "content", "answers", "outcomes", "replaced"])


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
    beyond: bool = False,
) -> ImportBatch:
    """Add what is new in an upload, all or nothing, and forget its text. A second time adds nothing.

    `replace`: a conflicting value corrects the one that is there. `sure`: values that look odd are added as well, and
    `beyond`: tests that have no part in a patient's plan. Raises PermissionDenied, FileError, StrangerError.
    """
    _require_owner(by, batch)
    locked = _locked(patients)
    uploads.require_adding(by, locked.values())
    batch.refresh_from_db()
    if batch.state != ImportBatch.State.WAITING:
        return batch
    content = bytes(batch.content)
    upload = uploads.read_upload(content, batch.answers, locked, now, sure=sure, beyond=beyond, batch=batch.pk)
    Writing(by, batch, upload, now, replace=replace).write()
    _forget(batch, ImportBatch.State.DONE)
    return batch


@transaction.atomic
def import_table(
    *,
    file_name: str,
    content: bytes | Opener,
    answers: Mapping[str, Any],
    patients: Mapping[str, Patient],
    now: datetime,
    by: User | None = None,
    sure: bool = False,
    heard: Asked | None = None,
    each: Callable[[Outcome], None] = lambda outcome: None,
) -> ImportBatch:
    """Add a whole file in one go, all or nothing: the command's way in. `each` hears what becomes of every reading.

    A table is read a row at a time, whatever its length. `sure` is a yes to all that is asked of values; `heard`
    = the questions of this very file, which spares a pass over it. Raises FileError, StrangerError.
    """
    locked = _locked(patients)
    batch = ImportBatch.objects.create(
        owner=by,
        file_name=file_name[-KEPT_FILE_NAME:],
        digest=_digest(content),
        state=ImportBatch.State.DONE,
        expires_at=now,
    )
    upload = uploads.read_upload(content, answers, locked, now, sure=sure, beyond=sure, batch=batch.pk, heard=heard)
    batch.format = upload.file.format
    Writing(by, batch, upload, now, each=each).write()
    batch.save(update_fields=["outcomes", "replaced", "format"])
    return batch


def _digest(content: bytes | Opener) -> str:
    with (from_bytes(content) if isinstance(content, bytes) else content)() as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _locked(patients: Mapping[str, Patient]) -> dict[str, Patient]:
    wanted = {patient.pk for patient in patients.values()}
    rows = Patient.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=wanted).order_by("pk")
    fresh = {patient.pk: patient for patient in rows.select_related("user")}
    return {name: fresh[patient.pk] for name, patient in patients.items()}
