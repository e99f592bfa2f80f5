"""Putting a course on hold, and lifting it again (H22, D19)."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.course_actions import has_records, save_course
from cycles.models import Cycle, Hold, PlannedDose
from il2tracker.accounts import access
from il2tracker.accounts.models import User
from il2tracker.alerts.actions import raise_alert
from il2tracker.alerts.models import Alert
from il2tracker.audit import log


@transaction.atomic
def raise_hold(*, by: User, cycle: Cycle, kind: str, reason: str, now: datetime) -> Hold:
    """Nothing of this course is asked for until a person lifts it. Its dates stay (H22). Once per kind and course.

    What the patient or a carer reports also tells the clinic. Raises PermissionDenied, and ValidationError when the
    course is cancelled or was stopped.
    """
    _require(by, cycle)
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    if cycle.state not in {Cycle.State.PLANNED, Cycle.State.HELD}:
        raise ValidationError(_("This course has ended."))
    known = Hold.objects.open().filter(cycle=cycle, kind=kind).first()
    if known is not None:
        return known
    facts = {"patient": patient, "cycle": cycle, "kind": kind, "reason": reason}
    hold = Hold.objects.create(raised_by=by, raised_at=now, **facts)
    cycle.state, cycle.reason = Cycle.State.HELD, hold.words
    save_course(by, cycle)
    log.record(action="cycles.hold.raised", by=by, patient=patient, subject=hold)
    if not access.is_member_for(by, patient):
        _tell_clinic(by, hold, now)
    return hold


def _require(by: User, cycle: Cycle) -> None:
    if not (access.may_prescribe(by, cycle.patient) or access.may_record(by, cycle.patient)):
        raise PermissionDenied


def _tell_clinic(by: User, hold: Hold, now: datetime) -> None:
    words = {"course": hold.cycle.number, "reason": Hold.Kind(hold.kind).label}
    raise_alert(
        by=by,
        patient=hold.patient,
        rule="HOLD",
        tier=Alert.Tier.AMBER,
        title=_("Course %(course)s waits: %(reason)s") % words,
        evidence=hold.reason,
        source="cycles.hold",
        source_ref=hold.ref,
        holds=True,
        now=now,
    )


@transaction.atomic
def lift_hold(*, by: User, hold: Hold, now: datetime, note: str = "") -> Hold:
    """A prescriber says that this reason is gone; with the last one the course goes on. Safe to repeat.

    What fell into the wait is not caught up on and no day is added at the end (D18). Raises PermissionDenied, and
    ValidationError when the first day of a course that has not begun has passed: it needs another first day.
    """
    access.require_prescribing(by, hold.patient)
    patient = hold.patient.lock()
    hold.refresh_from_db()
    cycle = hold.cycle
    if hold.lifted_at is not None:
        return hold
    hold.lifted_by, hold.lifted_at, hold.lift_note = by, now, note
    hold.save(update_fields=["lifted_by", "lifted_at", "lift_note"])
    if cycle.state == Cycle.State.HELD and not Hold.objects.open().filter(cycle=cycle).exists():
        if cycle.starts_on < patient.today(now) and not has_records(cycle):
            raise ValidationError(_("The first day of this course has passed: give it another one."))
        _resume(by, cycle, now, note)
    log.record(action="cycles.hold.lifted", by=by, patient=patient, subject=hold)
    return hold


def _resume(by: User, cycle: Cycle, now: datetime, note: str) -> None:
    waited = PlannedDose.objects.filter(cycle=cycle).unlogged()
    for hold in Hold.objects.filter(cycle=cycle):
        waited.filter(due_at__gte=hold.raised_at, due_at__lt=now).update(was_held=True)
    cycle.state, cycle.reason = Cycle.State.PLANNED, note
    save_course(by, cycle)
