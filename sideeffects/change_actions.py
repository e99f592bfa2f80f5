"""A check-in that is put right afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from il2tracker.accounts import access
from il2tracker.accounts.models import User
from il2tracker.audit import log
from sideeffects import actions, raising
from sideeffects.answers import Answers
from sideeffects.models import CheckIn


class ChangedMeanwhileError(ValidationError):
    """The change was made from a version that is not the newest any more. Nothing of it is saved."""


class Changed(NamedTuple):
    """The check-in, whether it says something else now, and whether something urgent in it is new."""

    check_in: CheckIn
    changed: bool
    urgent: bool


@transaction.atomic
def change_check_in(
    *, by: User, check_in: CheckIn, answers: Answers, now: datetime, reason: str = "", read: int | None = None
) -> Changed:
    """Replace what a check-in says; the old words and the reason stay in its history. Safe to repeat.

    The rules speak again: what is new or worse raises an alert, and no edit dismisses or lowers one (2.12). Only the
    patient, or whoever recorded it. `read`: the version that the page was filled with (`version_of`); None = there was
    no page. Raises PermissionDenied; ValidationError while it is unfinished, and ChangedMeanwhileError.
    """
    require_own(by, check_in)
    check_in.patient.lock()
    check_in.refresh_from_db()
    if check_in.is_unfinished:
        raise ValidationError(_("Finish this check-in first."))
    was, before = check_in.grades, actions.said(check_in)
    denied = {code: grade for code, grade in before.severities.items() if not grade}
    answers = replace(answers, severities={**denied, **answers.severities})
    if answers.says_the_same_as(before):
        actions.note_lump(by, check_in, answers, now)
        return Changed(check_in, changed=False, urgent=False)
    if read is not None and read != version_of(check_in.ref):
        raise ChangedMeanwhileError(_("It was changed while you wrote. Look at what it says now, then save again."))
    check_in._change_reason = reason  # type: ignore[attr-defined]
    actions.write(by, check_in, answers, now)
    log.record(action="sideeffects.check_in.changed", by=by, patient=check_in.patient, subject=check_in)
    found = actions.findings(check_in, answers)
    urgent = raising.raise_what_is_new(by=by, check_in=check_in, findings=found, now=now, was=was)
    return Changed(check_in, changed=True, urgent=urgent)


def version_of(ref: str) -> int:
    """The newest version of a check-in, for a page to send back: nothing that somebody else wrote is lost unread."""
    return CheckIn.history.filter(ref=ref).aggregate(newest=Max("history_id"))["newest"] or 0


def may_change(user: User, check_in: CheckIn) -> bool:
    """The patient, or the person who recorded it, as long as they may record."""
    own = user.pk in {check_in.recorded_by_id, check_in.patient.user_id}
    return own and access.may_record(user, check_in.patient)


def require_own(user: User, check_in: CheckIn) -> None:
    """Raises PermissionDenied unless the user may change this check-in."""
    if not may_change(user, check_in):
        raise PermissionDenied
