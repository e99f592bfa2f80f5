"""Taking a whole import back: what it added is hidden, what it replaced or hid is put back as it was before.

What somebody changed since stays as that person left it, and is said. Nothing is deleted; the history keeps every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import to_see, uploads
from labs.many import Change, Writer, in_parts
from labs.models import ImportBatch, LabResult
from labs.writing import newest_versions

UNDONE = "the import that added it was undone"


@dataclass(frozen=True)
class Undoing:
    """What undoing an import does: results to hide (result and patient, by primary key), versions to put back, and
    results that were changed since."""

    hides: list[tuple[int, int]]
    restores: list[Any]
    stays: list[LabResult]


def undoing(batch: ImportBatch) -> Undoing:
    """What would be undone now, in a fixed number of statements for some thousands of results each."""
    touched = {key: (before, after) for key, before, after in batch.replaced}
    standing = LabResult.objects.standing().filter(batch=batch).order_by("pk")
    owners = dict(standing.values_list("pk", "patient_id"))
    made = LabResult.history.filter(batch_id=batch.pk).order_by().values_list("id").annotate(first=Min("history_id"))
    first = dict(made)
    wrote = {pk: touched[pk][1] if pk in touched else first.get(pk, 0) for pk in owners}
    as_left = _as_left(wrote)
    found = Undoing([(pk, owner) for pk, owner in owners.items() if pk in as_left], [], [])
    found.stays.extend(_loaded(pk for pk in owners if pk not in as_left))
    _restorable({key: pair for key, pair in touched.items() if pair[0]}, found)
    return found


def _loaded(keys: Iterable[int]) -> Iterator[LabResult]:
    for some in in_parts(list(keys)):
        yield from LabResult.objects.filter(pk__in=some).select_related("analyte").order_by("pk")


def _as_left(wrote: Mapping[int, int]) -> set[int]:
    """The results that are as the version given for each left them: nobody changed them, or that was undone as well."""
    last = newest_versions(wrote)
    others = [number for pk, after in wrote.items() if last.get(pk) != after for number in (after, last.get(pk, 0))]
    facts = {number: _facts(version) for number, version in _versions(others).items()}
    return {
        pk for pk, after in wrote.items() if last.get(pk) == after or facts.get(after) == facts.get(last.get(pk, 0), 0)
    }


def _versions(numbers: Iterable[int]) -> dict[int, Any]:
    """Rows of history by their keys."""
    parts = in_parts(sorted(set(numbers)))
    return {row.history_id: row for some in parts for row in LabResult.history.filter(history_id__in=some)}


def _facts(version: Any) -> tuple[Any, ...]:
    return tuple(getattr(version, field.attname) for field in version.tracked_fields)


def _restorable(touched: dict[int, tuple[int, int]], found: Undoing) -> None:
    """Adds the versions before, and the results that somebody changed since, or whose old value is there again.

    What stood before by the word of an import that is undone by now does not come back: the one before that does.
    """
    as_left = _as_left({key: after for key, (_before, after) in touched.items()})
    ground = _grounds(touched)
    before = _versions(ground.values())
    again = _there_again([version for version in before.values() if version.voided_at is None])
    gone = set(ImportBatch.objects.filter(state=ImportBatch.State.UNDONE).values_list("pk", flat=True))
    for result in _loaded(sorted(touched)):
        version = before.get(ground[result.pk])
        if result.pk not in as_left or (version is not None and version.history_id in again):
            found.stays.append(result)
        elif version is None or (version.history_type == "+" and version.batch_id in gone):
            found.hides.append((result.pk, result.patient_id))
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


def _there_again(versions: list[Any]) -> set[int]:
    """Those of these versions, by their keys, that another result stands in the place of."""
    places: dict[tuple[int, str], set[int]] = {}
    for some in in_parts(versions):
        at = LabResult.objects.standing().filter(patient__in={version.patient_id for version in some})
        rows = at.filter(fingerprint__in={version.fingerprint for version in some})
        for pk, patient, fingerprint in rows.values_list("pk", "patient_id", "fingerprint"):
            places.setdefault((patient, fingerprint), set()).add(pk)
    return {each.history_id for each in versions if places.get((each.patient_id, each.fingerprint), set()) - {each.id}}


@transaction.atomic
def undo_batch(*, by: User | None, batch: ImportBatch, now: datetime, by_command: bool = False) -> Undoing:
    """Take an import back, whole. A second time does nothing. Raises PermissionDenied for what is not the person's.

    `by_command`: whoever has the machine takes back any import, so that one without an owner can be undone as well;
    `by` is then only who is named.
    """
    if not by_command:
        _require_owner(by, batch)
    patients = _lock_patients(batch)
    batch.refresh_from_db()
    if batch.state != ImportBatch.State.DONE:
        return Undoing([], [], [])
    if by is not None and not by_command:
        uploads.require_adding(by, patients)
    done = undoing(batch)
    _write(Writer(by, now), done)
    newest, left = (
        newest_versions([version.id for version in done.restores]),
        {k: after for k, _b, after in batch.replaced},
    )
    to_see.raise_for_changes(by, {key: (left[key], last) for key, last in newest.items()})
    batch.state, batch.undone_at, batch.undone_by = ImportBatch.State.UNDONE, now, by
    batch.save(update_fields=["state", "undone_at", "undone_by"])
    counted = Counter(owner for _key, owner in done.hides) + Counter(each.patient_id for each in done.restores)
    details = {patient.ref: f"{counted[patient.pk]} results" for patient in patients}
    log.record_details(action="labs.import.undone", by=by, subject=batch, details=details)
    return done


def _require_owner(by: User | None, batch: ImportBatch) -> None:
    if by is None or batch.owner_id != by.pk:
        raise PermissionDenied


def _lock_patients(batch: ImportBatch) -> list[Patient]:
    """Everybody whose results the import added or touched, in the order in which everybody locks."""
    people = set(LabResult.objects.filter(batch=batch).order_by().values_list("patient", flat=True).distinct())
    for some in in_parts([key for key, _before, _after in batch.replaced]):
        people |= set(LabResult.objects.filter(pk__in=some).order_by().values_list("patient", flat=True))
    locked: list[Patient] = []
    for some in in_parts(sorted(people)):
        locked += Patient.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
    return locked


def _write(writer: Writer, done: Undoing) -> None:
    by = writer.by.pk if writer.by else None
    hidden = {"voided_at": writer.now, "voided_by_id": by, "void_reason": UNDONE}
    writer.change([Change(key, hidden, UNDONE) for key, _owner in done.hides])
    words = _("what a file changed was undone")
    writer.change([Change(version.id, _columns(version), words) for version in done.restores])


def _columns(version: Any) -> dict[str, Any]:
    fields: Collection[Any] = version.tracked_fields
    return {field.attname: getattr(version, field.attname) for field in fields if not field.primary_key}
