"""Files with results: kept for a day, answered, confirmed or forgotten. All or nothing; undo_actions takes one back."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import actions, to_see, uploads
from labs.files import formats
from labs.files.candidates import OTHER, FileError, Stage
from labs.files.rows import shortened
from labs.files.tables import BROWSER_BYTES, BROWSER_ROWS, Opener, from_bytes
from labs.many import Writer
from labs.matching import Known, Match
from labs.models import UPLOAD_KEPT, Analyte, ImportBatch, LabResult
from labs.stock import WITHDRAWN
from labs.verdicts import HIDDEN, REPLACED, STRANGER, Outcome, Upload

KEPT_FILE_NAME = 120


class StrangerError(ValidationError):
    """The file names somebody who clearly is not the patient chosen; a person has to say that it is the same one."""


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
        format=_kept_format(upload),
        expires_at=now + UPLOAD_KEPT,
    )
    log.record(action="labs.upload.kept", by=by, patient=patient, subject=batch)
    return batch


def _kept_format(upload: Upload) -> str:
    return ImportBatch.Format.TABLE if upload.file.format == formats.RECORD else upload.file.format


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
) -> ImportBatch:
    """Add what is new in an upload, all or nothing, and forget its text. A second time adds nothing.

    `replace`: a conflicting value corrects the one that is there. `sure`: values that look odd are added as well.
    Raises PermissionDenied, FileError, StrangerError.
    """
    _require_owner(by, batch)
    locked = _locked(patients)
    for patient in locked.values():
        actions.require_adding(by, patient)
    batch.refresh_from_db()
    if batch.state != ImportBatch.State.WAITING:
        return batch
    upload = uploads.read_upload(bytes(batch.content), batch.answers, locked, now, sure=sure, batch=batch.pk)
    _Writing(by, batch, upload, now, replace=replace).write()
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
    each: Callable[[Outcome], None] = lambda outcome: None,
) -> ImportBatch:
    """Add a whole file in one go, all or nothing: the command's way in. `each` hears what becomes of every reading.

    A table is read a row at a time, whatever its length. Raises FileError, StrangerError.
    """
    locked = _locked(patients)
    batch = ImportBatch.objects.create(
        owner=by,
        file_name=file_name[-KEPT_FILE_NAME:],
        digest=_digest(content),
        state=ImportBatch.State.DONE,
        expires_at=now,
    )
    upload = uploads.read_upload(content, answers, locked, now, sure=sure, batch=batch.pk)
    batch.format = _kept_format(upload)
    _Writing(by, batch, upload, now, each=each).write()
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


@dataclass
class _Writing:
    """One import on its way into the database, a chunk at a time, so that a long file stays small in memory.

    `touched`: result → [its version before, its version after], as keys of its history (0 = it was made here).
    """

    by: User | None
    batch: ImportBatch
    upload: Upload
    now: datetime
    replace: bool = False
    each: Callable[[Outcome], None] = lambda outcome: None
    counted: Counter[str] = field(default_factory=Counter)
    done: dict[str, Counter[str]] = field(default_factory=dict)
    touched: dict[int, list[int]] = field(default_factory=dict)
    waiting: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.analytes = dict(Analyte.objects.values_list("code", "pk"))
        self.writer = Writer(self.by, self.now)
        people = {patient.pk: patient for patient in self.upload.patients.values()}
        self.sources = {pk: actions.source_of(self.by, patient) for pk, patient in people.items()}

    def write(self) -> None:
        """Everything, then what was done in words and numbers."""
        for chunk in self.upload.chunks(forgets=True):
            for outcome in chunk:
                self.each(outcome)
                self._take(outcome)
            self._flush()
        self.batch.outcomes = dict(self.counted)
        self.batch.replaced = [[key, *versions] for key, versions in self.touched.items()]
        to_see.raise_for_file(self.by, self.batch, self.now)
        to_see.raise_for_changes(self.by, {key: pair for key, pair in self.touched.items() if pair[0]})
        self._tell()

    def _take(self, outcome: Outcome) -> None:
        if outcome.state == STRANGER:
            raise StrangerError(outcome.reason)
        state = outcome.state
        if state == Match.NEW.value:
            self.waiting.append(self._made(outcome))
        elif state == Match.CORRECTS.value or (self.replace and state == Match.CONFLICT.value and outcome.meets):
            state = self._replaced(outcome, state if state == Match.CORRECTS.value else REPLACED)
        elif state == HIDDEN:
            self._hidden(outcome)
        self.counted[state] += 1
        if outcome.patient and state in _WRITTEN:
            self.done.setdefault(outcome.patient.ref, Counter())[state] += 1

    def _flush(self) -> None:
        self.writer.write(self.waiting)
        self.waiting = []

    def _made(self, outcome: Outcome) -> dict[str, Any]:
        patient = outcome.patient
        assert patient is not None
        return {
            "patient_id": patient.pk,
            "zone": patient.time_zone,
            "source": self.sources[patient.pk],
            "entered_by_id": self.by.pk if self.by else None,
            "batch_id": self.batch.pk,
            **self._facts(outcome),
        }

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        """What the line says of a result; the readers have checked every part of it."""
        line, identity = outcome.line, outcome.identity
        reading = line.reading
        assert reading is not None
        assert identity is not None
        return {
            "analyte_id": self.analytes[line.analyte],
            "test_name": shortened(line.name, "name") if line.analyte == OTHER else "",
            "comparator": reading.comparator,
            "value": reading.value,
            "unit": reading.unit,
            "detected": reading.detected,
            "raw": shortened(reading.raw or line.raw, "raw"),
            "unit_text": shortened(reading.unit_text, "unit"),
            "text": shortened(reading.text, "text"),
            "drawn_on": identity.on,
            "drawn_at": identity.at,
            "specimen": line.specimen,
            "printed_range": shortened(line.printed_range, "printed_range"),
            "flag": shortened(line.flag, "flag"),
            "laboratory": shortened(line.laboratory, "laboratory"),
            "note": shortened(line.note, "note"),
            "external_id": line.external_id,
            "fingerprint": identity.fingerprint,
            "status": line.stage.value,
        }

    def _replaced(self, outcome: Outcome, state: str) -> str:
        """Puts a newer value in the place of the stored one; what became of it in a word."""
        result = self._stored(outcome)
        identity = outcome.identity
        assert identity is not None
        alike = LabResult.objects.standing().filter(patient=result.patient_id, fingerprint=identity.fingerprint)
        if alike.exclude(pk=result.pk).exists():
            return Match.THERE.value
        was_final = result.status != LabResult.Status.PRELIMINARY
        facts = self._facts(outcome)
        facts["note"] = facts["note"] or result.note
        for name, value in facts.items():
            setattr(result, name, value)
        if was_final or outcome.line.stage is Stage.CORRECTED:
            result.status = LabResult.Status.CORRECTED
        by_laboratory = state == Match.CORRECTS.value
        self._keep(result, _("corrected by the laboratory") if by_laboratory else _("replaced by the value of a file"))
        return state

    def _hidden(self, outcome: Outcome) -> None:
        result = self._stored(outcome)
        result.voided_at, result.voided_by, result.void_reason = self.now, self.by, WITHDRAWN
        self._keep(result, WITHDRAWN)

    def _stored(self, outcome: Outcome) -> LabResult:
        """The stored result that an outcome meets; a row of this file is stored by then."""
        self._flush()
        meets: Known | None = outcome.meets
        assert meets is not None
        if meets.key is not None:
            return LabResult.objects.get(pk=meets.key)
        return LabResult.objects.standing().get(patient=meets.patient, fingerprint=meets.fingerprint)

    def _keep(self, result: LabResult, reason: str) -> None:
        versions = LabResult.history.filter(id=result.pk).order_by("-history_id").values_list("history_id", flat=True)
        before = 0 if result.batch_id == self.batch.pk else versions[:1].get()
        result._history_user, result._change_reason = self.by, reason  # type: ignore[attr-defined]
        result.save()
        self.touched[result.pk] = [self.touched.get(result.pk, [before])[0], versions[:1].get()]

    def _tell(self) -> None:
        details = {ref: ", ".join(f"{n} {_WRITTEN[s]}" for s, n in done.items()) for ref, done in self.done.items()}
        log.record_details(action="labs.results.imported", by=self.by, subject=self.batch, details=details)


_WRITTEN = {
    Match.NEW.value: "results",
    Match.CORRECTS.value: "corrected",
    REPLACED: "replaced",
    HIDDEN: "taken back",
}
