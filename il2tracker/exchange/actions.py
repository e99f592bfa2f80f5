"""Taking a record along: who may, and the trace it leaves."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from il2tracker.exchange.files import File, Kind, written


def may_export(user: User, patient: Patient) -> bool:
    """The patient, and members of the patient's clinic; never a person who only helps."""
    return patient.user_id == user.pk or access.is_member_for(user, patient)


def require_exporting(user: User, patient: Patient) -> None:
    """Raises PermissionDenied unless the user may take this record along."""
    if not may_export(user, patient):
        raise PermissionDenied


@transaction.atomic
def export(*, by: User, patient: Patient, kind: Kind, now: datetime) -> File:
    """The file, and in the access log that it was taken and by whom. Raises PermissionDenied."""
    require_exporting(by, patient)
    file = written(kind, patient, now)
    log.record(action="exchange.exported", by=by, patient=patient, detail=kind.name)
    return file
