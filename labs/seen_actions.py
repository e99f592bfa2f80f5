"""A person of the clinic has seen a result: whose name and moment are kept, and may be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import to_see
from labs.models import LabResult, ToSee


@transaction.atomic
def see_results(*, by: User, patient: Patient, versions: Mapping[str, int], now: datetime) -> list[ToSee]:
    """Keep that `by` has seen these results: `versions` holds by ref the version that was read, so that nothing is
    seen unread. What somebody else has seen meanwhile stays as it is.

    Raises PermissionDenied for everybody who is not of the clinic, ValidationError when a result changed meanwhile.
    """
    _require_clinic(by, patient)
    patient.lock()
    everything = to_see.unseen(Patient.objects.filter(pk=patient.pk)).get(patient.pk, [])
    rows = [row for row in everything if row.result.ref in versions]
    if any(row.version != versions[row.result.ref] for row in rows):  # type: ignore[attr-defined]  # annotated
        raise ValidationError(_("It was changed while you looked at it. Look at it again."))
    for row in rows:
        row.seen_at, row.seen_by = now, by
        _save(by, row)
    _tell("labs.result.seen", by, patient, rows)
    return rows


@transaction.atomic
def unsee_result(*, by: User, result: LabResult) -> list[ToSee]:
    """It is to be seen again; the history keeps who had seen it. Raises PermissionDenied for who is not of the clinic.

    A reason that is open again anyhow is left alone.
    """
    _require_clinic(by, result.patient)
    patient = result.patient.lock()
    found: dict[str, ToSee] = {}
    for row in ToSee.objects.filter(result=result).select_related("result").order_by("seen_at"):
        found[row.why] = row
    is_open = set(ToSee.objects.open().filter(result=result).values_list("why", flat=True))
    rows = [row for why, row in found.items() if why not in is_open]
    for row in rows:
        row.seen_at, row.seen_by = None, None
        _save(by, row)
    _tell("labs.result.unseen", by, patient, rows)
    return rows


def _require_clinic(by: User, patient: Patient) -> None:
    if not access.is_member_for(by, patient):
        raise PermissionDenied


def _save(by: User, row: ToSee) -> None:
    row._history_user = by  # type: ignore[attr-defined]
    row.save()


def _tell(action: str, by: User, patient: Patient, rows: Iterable[ToSee]) -> None:
    for result in {row.result.ref: row.result for row in rows}.values():
        log.record(action=action, by=by, patient=patient, subject=result)
