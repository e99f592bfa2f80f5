"""What is written about sore places and lumps: they rest until somebody says that they have cleared (P38, P40)."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles import sites
from cycles.models import SiteReaction
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log

# What a lock or a foreign key makes certain.
CERTAIN = {"patient", "recorded_by", "cleared_by", "ref"}


@transaction.atomic
def report_reaction(
    *,
    by: User,
    patient: Patient,
    site: str,
    kind: str,
    noticed_on: date,
    now: datetime,
    size_mm: int | None = None,
    note: str = "",
) -> SiteReaction:
    """A place is sore, red, lumpy or scabbed from this day on. What is noted already stays: safe to repeat.

    `site` is a code of cycles.sites, `size_mm` the largest width in millimetres. Raises PermissionDenied and
    ValidationError (a day to come, no such place, a size beyond LARGEST).
    """
    access.require_recording(by, patient)
    patient = patient.lock()
    known = SiteReaction.objects.open().of(patient).filter(site=site, kind=kind).first()
    if known is not None:
        return known
    if site not in sites.BY_CODE:
        raise ValidationError({"site": _("Choose a place from the list.")})
    _refuse_future(patient, now, "noticed_on", noticed_on)
    facts = {"site": site, "kind": kind, "size_mm": size_mm, "noticed_on": noticed_on, "note": note}
    reaction = SiteReaction(patient=patient, recorded_by=by, recorded_at=now, **facts)
    return _save(by, reaction, "reported")


@transaction.atomic
def change_reaction(*, by: User, reaction: SiteReaction, size_mm: int | None, note: str) -> SiteReaction:
    """It grew, shrank or looks different; the old words stay in the history.

    Raises PermissionDenied, and ValidationError when it has cleared or the size is beyond LARGEST.
    """
    _lock(by, reaction)
    if reaction.cleared_on is not None:
        raise ValidationError(_("This has cleared. If it is back, report it anew."))
    reaction.size_mm, reaction.note = size_mm, note
    return _save(by, reaction, "changed")


@transaction.atomic
def clear_reaction(*, by: User, reaction: SiteReaction, on: date, now: datetime) -> SiteReaction:
    """It is gone since `on`; the place need not rest any more. Safe to repeat: the first day stands.

    Raises PermissionDenied, and ValidationError for a day to come or before it was noticed.
    """
    _lock(by, reaction)
    if reaction.cleared_on is not None:
        return reaction
    _refuse_future(reaction.patient, now, "cleared_on", on)
    if on < reaction.noticed_on:
        raise ValidationError({"cleared_on": _("It cannot be gone before it was noticed.")})
    reaction.cleared_on, reaction.cleared_by = on, by
    return _save(by, reaction, "cleared")


def _lock(by: User, reaction: SiteReaction) -> None:
    access.require_recording(by, reaction.patient)
    reaction.patient.lock()
    reaction.refresh_from_db()


def _refuse_future(patient: Patient, now: datetime, field: str, on: date) -> None:
    if on > patient.today(now):
        raise ValidationError({field: _("This day has not come yet.")})


def _save(by: User, reaction: SiteReaction, verb: str) -> SiteReaction:
    reaction._history_user = by  # type: ignore[attr-defined]
    reaction.full_clean(exclude=CERTAIN, validate_unique=False, validate_constraints=False)
    reaction.save()
    log.record(action=f"cycles.place.{verb}", by=by, patient=reaction.patient, subject=reaction)
    return reaction
