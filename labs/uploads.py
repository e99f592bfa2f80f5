"""A file and everything said about it so far: what it asks, whose rows they are, what it would add."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count

from il2tracker.accounts.models import Patient, Sharing, User
from labs.files import formats
from labs.files.rows import Answers
from labs.files.tables import Opener
from labs.models import ImportBatch, LabResult, rules
from labs.stock import identity_of, shelf_of
from labs.verdicts import EVERYBODY, HIDDEN, LEFT_OUT, ODD, ORDER, REPLACED, STRANGER, Outcome, Stranger, Upload

__all__ = ["EVERYBODY", "HIDDEN", "LEFT_OUT", "ODD", "ORDER", "REPLACED", "STRANGER", "Outcome", "Stranger", "Upload",
           "identity_of", "shelf_of"]  # fmt: skip
MOST_PEOPLE = 200  # app's own: more patients in one file go through the command


def counts(outcomes: Collection[Outcome]) -> Counter[str]:
    """How many readings are in each state."""
    return Counter(outcome.state for outcome in outcomes)


def read_upload(
    content: bytes | Opener,
    answers: Mapping[str, Any],
    patients: Mapping[str, Patient],
    now: datetime,
    *,
    sure: bool = False,
    batch: int | None = None,
    **limits: int,
) -> Upload:
    """A file with the answers given so far. Raises candidates.FileError for what cannot be read or is over a limit."""
    tests = {name: (analyte, unit) for name, (analyte, unit) in answers.get("tests", {}).items()}
    file = formats.opened(content, tests, **limits)
    known = rules()
    if "most_rows" in limits:
        file.refuse_rows(known, limits["most_rows"])
    same = answers.get("same", ())
    return Upload(file, typed_answers(answers), patients, known, now, sure, same, batch)


def typed_answers(stored: Mapping[str, Any]) -> Answers:
    """Answers as stored with an upload (JSON) with their types."""
    floors: dict[tuple[str, str], dict[Decimal, Decimal]] = {}
    for analyte, unit, number, limit in stored.get("floors", []):
        floors.setdefault((analyte, unit), {})[Decimal(number)] = Decimal(limit)
    return Answers(
        starts={name: date.fromisoformat(on) for name, on in stored.get("starts", {}).items()},
        column_dates={name: date.fromisoformat(on) for name, on in stored.get("columns", {}).items()},
        floors=floors,
        start=date.fromisoformat(stored["start"]) if stored.get("start") else None,
        on=date.fromisoformat(stored["on"]) if stored.get("on") else None,
        order=stored.get("order", ""),
    )


def patients_of(batch: ImportBatch, addable: Mapping[str, Patient]) -> dict[str, Patient]:
    """Whom the file's names mean, by the answers: only patients in `addable` (by code)."""
    if batch.patient is not None:
        return {batch.answers.get("whose", ""): batch.patient}
    chosen = batch.answers.get("people", {})
    return {name: addable[code] for name, code in chosen.items() if code in addable}


def addable_by(user: User) -> dict[str, Patient]:
    """The patients, by code, for whom this person may add results: the clinic's, and those who let him record."""
    shared = Sharing.objects.open().with_clinics().with_user(user).values("patient")
    visible = Patient.objects.visible_to(user).filter(pk__in=shared) | Patient.objects.recordable_by(user)
    return {patient.code: patient for patient in visible.distinct()}


def brought(batch: ImportBatch, addable: Mapping[str, Patient]) -> list[tuple[Patient, int]]:
    """Whose results an import added and how many, in the order of their codes: only patients in `addable`."""
    rows = LabResult.objects.filter(batch=batch).order_by().values("patient_id").annotate(n=Count("pk"))
    counted = {row["patient_id"]: row["n"] for row in rows}
    people = (addable[code] for code in sorted(addable))
    return [(patient, counted[patient.pk]) for patient in people if patient.pk in counted]
