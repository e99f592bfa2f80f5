"""Results that were entered in error: taken out of every list, never deleted, put back by whoever took them out."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts.models import User
from il2tracker.audit import log
from labs import stock
from labs.actions import may_add, refuse_meeting, require_adding, save
from labs.models import LabResult


@transaction.atomic
def void_result(*, by: User, result: LabResult, now: datetime, reason: str) -> LabResult:
    """Take a result that was entered in error out of every list; the row and its history stay.

    Raises PermissionDenied, ValidationError (no reason). One that is out already is returned as it is.
    """
    require_adding(by, result.patient)
    result.patient.lock()
    result.refresh_from_db()
    if result.voided_at is not None:
        return result
    if not reason.strip():
        raise ValidationError({"reason": _("Say what is wrong with it.")})
    result.voided_at, result.voided_by, result.void_reason = now, by, reason
    save(by, result, reason=reason)
    log.record(action="labs.result.voided", by=by, patient=result.patient, subject=result)
    return result


def may_restore(user: User, result: LabResult) -> bool:
    """Whether this person took the result out, may still add results, and nothing about it changed since."""
    if result.voided_at is None or result.voided_by_id != user.pk or not may_add(user, result.patient):
        return False
    newest = list(result.history.order_by("-history_date", "-history_id")[:2])
    return [version.voided_at is not None for version in newest] == [True, False]


@transaction.atomic
def restore_result(*, by: User, result: LabResult) -> LabResult:
    """Put back what the same person took out; the history keeps both steps.

    Raises PermissionDenied (somebody else took it out, or it changed since), ValidationError (another result of the
    same test and draw stands there by now). One that stands already is returned as it is.
    """
    require_adding(by, result.patient)
    result.patient.lock()
    result.refresh_from_db()
    if result.voided_at is None:
        return result
    if not may_restore(by, result):
        raise PermissionDenied
    refuse_meeting(result, stock.identity_of(result, {}))
    result.voided_at, result.voided_by, result.void_reason = None, None, ""
    save(by, result, reason=_("put back"))
    log.record(action="labs.result.restored", by=by, patient=result.patient, subject=result)
    return result
