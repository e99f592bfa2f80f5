"""Taking a whole import back: what it added is hidden, what it replaced or hid is put back as it was before.

What somebody changed since stays as that person left it, and is said. Nothing is deleted; the history keeps every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, Min

from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import actions
from labs.models import ImportBatch, LabResult

UNDONE = "the import that added it was undone"


@dataclass(frozen=True)
class Undoing:
    """What undoing an import does: results to hide, versions to put back, and results that were changed since."""

    hides: list[LabResult]
    restores: list[Any]
    stays: list[LabResult]


def undoing(batch: ImportBatch) -> Undoing:
    """What would be undone now. Results in one statement each, however many there are."""
    touched = {key: (before, after) for key, before, after in batch.replaced}
    hides: list[LabResult] = []
    stays: list[LabResult] = []
    versions = {row.pop("id"): row for row in _versions(LabResult.history.filter(batch_id=batch.pk))}
    for result in LabResult.objects.standing().filter(batch=batch).select_related("analyte").order_by("pk"):
        known = versions.get(result.pk, {"first": 0, "last": 0})
        after = touched[result.pk][1] if result.pk in touched else known["first"]
        (hides if known["last"] == after else stays).append(result)
    restores, others = _restorable({key: pair for key, pair in touched.items() if pair[0]})
    return Undoing(hides, restores, stays + others)


def _versions(history: Any) -> Any:
    return history.order_by().values("id").annotate(first=Min("history_id"), last=Max("history_id"))


def _restorable(touched: dict[int, tuple[int, int]]) -> tuple[list[Any], list[LabResult]]:
    """The versions before, and the results that somebody changed since, or whose old value is there again."""
    last = {row["id"]: row["last"] for row in _versions(LabResult.history.filter(id__in=touched))}
    results = LabResult.objects.filter(pk__in=touched).select_related("analyte").in_bulk()
    before = LabResult.history.filter(history_id__in=[first for first, _after in touched.values()])
    restores, stays = [], []
    for version in before.order_by("history_id"):
        result = results.get(version.id)
        if result is None:
            continue
        alike = LabResult.objects.standing().filter(patient=version.patient_id, fingerprint=version.fingerprint)
        again = version.voided_at is None and alike.exclude(pk=version.id).exists()
        if again or last[version.id] != touched[version.id][1]:
            stays.append(result)
        else:
            restores.append(version)
    return restores, stays


@transaction.atomic
def undo_batch(*, by: User, batch: ImportBatch, now: datetime) -> Undoing:
    """Take an import back, whole. A second time does nothing. Raises PermissionDenied for what is not the person's."""
    if batch.owner_id != by.pk:
        raise PermissionDenied
    patients = _lock_patients(batch)
    batch.refresh_from_db()
    if batch.state != ImportBatch.State.DONE:
        return Undoing([], [], [])
    for patient in patients:
        actions.require_adding(by, patient)
    done = undoing(batch)
    for result in done.hides:
        result.voided_at, result.voided_by, result.void_reason = now, by, UNDONE
        _keep(by, result, update_fields=["voided_at", "voided_by", "void_reason"])
    for version in done.restores:
        _keep(by, version.instance)
    batch.state, batch.undone_at, batch.undone_by = ImportBatch.State.UNDONE, now, by
    batch.save(update_fields=["state", "undone_at", "undone_by"])
    details = {patient.ref: batch.file_name[:100] for patient in patients}
    log.record_details(action="labs.import.undone", by=by, subject=batch, details=details)
    return done


def _lock_patients(batch: ImportBatch) -> list[Patient]:
    """Everybody whose results the import added or touched."""
    touched = [key for key, _before, _after in batch.replaced]
    results = LabResult.objects.filter(batch=batch) | LabResult.objects.filter(pk__in=touched)
    people = set(results.order_by().values_list("patient", flat=True))
    return list(Patient.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))


def _keep(by: User, result: LabResult, **fields: Any) -> None:
    result._history_user = by  # type: ignore[attr-defined]
    result.save(**fields)
