"""Taking a whole import back: what it added is hidden, what it replaced or hid is put back as it was before.

What somebody changed since stays as that person left it, and is said. Nothing is deleted; the history keeps every step.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, Min
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import actions, to_see
from labs.models import ImportBatch, LabResult

AT_ONCE = 200  # app's own: results hidden by one statement
UNDONE = "the import that added it was undone"


@dataclass(frozen=True)
class Undoing:
    """What undoing an import does: results to hide, versions to put back, and results that were changed since."""

    hides: list[LabResult]
    restores: list[Any]
    stays: list[LabResult]


def undoing(batch: ImportBatch) -> Undoing:
    """What would be undone now, in a fixed number of statements, however many results there are."""
    touched = {key: (before, after) for key, before, after in batch.replaced}
    found = Undoing([], [], [])
    results = LabResult.objects.standing().filter(batch=batch).select_related("analyte").order_by("pk")
    added = {result.pk: result for result in results}
    versions = {row.pop("id"): row for row in _versions(LabResult.history.filter(batch_id=batch.pk))}
    wrote = {pk: touched[pk][1] if pk in touched else versions.get(pk, {"first": 0})["first"] for pk in added}
    for pk in _as_left(wrote):
        found.hides.append(added.pop(pk))
    found.stays.extend(added.values())
    _restorable({key: pair for key, pair in touched.items() if pair[0]}, found)
    return found


def _versions(history: Any) -> Any:
    return history.order_by().values("id").annotate(first=Min("history_id"), last=Max("history_id"))


def _as_left(wrote: dict[int, int]) -> list[int]:
    """The results that are as the version given for each left them: nobody changed them, or that was undone as well."""
    last = {row["id"]: row["last"] for row in _versions(LabResult.history.filter(id__in=list(wrote)))}
    others = [number for pk, after in wrote.items() if last.get(pk) != after for number in (after, last.get(pk))]
    facts = {row.history_id: _facts(row) for row in LabResult.history.filter(history_id__in=others)} if others else {}
    return [
        pk for pk, after in wrote.items() if last.get(pk) == after or facts.get(after) == facts.get(last.get(pk), 0)
    ]


def _facts(version: Any) -> tuple[Any, ...]:
    return tuple(getattr(version, field.attname) for field in version.tracked_fields)


def _restorable(touched: dict[int, tuple[int, int]], found: Undoing) -> None:
    """Adds the versions before, and the results that somebody changed since, or whose old value is there again.

    What stood before by the word of an import that is undone by now does not come back: the one before that does.
    """
    as_left = set(_as_left({key: after for key, (_before, after) in touched.items()}))
    results = LabResult.objects.filter(pk__in=touched).select_related("analyte").in_bulk()
    ground = _grounds(touched)
    before = {row.history_id: row for row in LabResult.history.filter(history_id__in=ground.values())}
    gone = set(ImportBatch.objects.filter(state=ImportBatch.State.UNDONE).values_list("pk", flat=True))
    for key, result in sorted(results.items()):
        version = before.get(ground[key])
        if key not in as_left or (version is not None and _is_there_again(version)):
            found.stays.append(result)
        elif version is None or (version.history_type == "+" and version.batch_id in gone):
            found.hides.append(result)
        else:
            found.restores.append(version)


def _grounds(touched: dict[int, tuple[int, int]]) -> dict[int, int]:
    """The version each result goes back to: before every import that was undone already (0 = none was there)."""
    undone = ImportBatch.objects.filter(state=ImportBatch.State.UNDONE).values_list("replaced", flat=True)
    earlier = {after: before for replaced in undone for key, before, after in replaced if key in touched}
    found = {}
    for key, (version, _after) in touched.items():
        while version in earlier:
            version = earlier[version]
        found[key] = version
    return found


def _is_there_again(version: Any) -> bool:
    alike = LabResult.objects.standing().filter(patient=version.patient_id, fingerprint=version.fingerprint)
    return version.voided_at is None and alike.exclude(pk=version.id).exists()


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
    fields = ["voided_at", "voided_by", "void_reason"]
    history = {"default_user": by, "default_date": now, "default_change_reason": UNDONE}
    bulk_update_with_history(done.hides, LabResult, fields, batch_size=AT_ONCE, **history)
    for version in done.restores:
        _keep(by, version.instance)
    restored = [version.id for version in done.restores]
    after = {key: after for key, _before, after in batch.replaced}
    newest = {row["id"]: row["last"] for row in _versions(LabResult.history.filter(id__in=restored))}
    to_see.raise_for_changes(by, {key: (after[key], last) for key, last in newest.items()})
    batch.state, batch.undone_at, batch.undone_by = ImportBatch.State.UNDONE, now, by
    batch.save(update_fields=["state", "undone_at", "undone_by"])
    counted = Counter(each.patient_id for each in (*done.hides, *done.restores))
    details = {patient.ref: f"{counted[patient.pk]} results" for patient in patients}
    log.record_details(action="labs.import.undone", by=by, subject=batch, details=details)
    return done


def _lock_patients(batch: ImportBatch) -> list[Patient]:
    """Everybody whose results the import added or touched."""
    touched = [key for key, _before, _after in batch.replaced]
    results = LabResult.objects.filter(batch=batch) | LabResult.objects.filter(pk__in=touched)
    people = set(results.order_by().values_list("patient", flat=True))
    return list(Patient.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))


def _keep(by: User, result: LabResult) -> None:
    result._history_user, result._change_reason = by, _("what a file changed was undone")  # type: ignore[attr-defined]
    result.save()
