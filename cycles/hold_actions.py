"""Putting a patient's courses on hold, and lifting a hold again (H22, D19)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.course_actions import has_begun, move_cycle, needs_a_day, refuse_decided, save_course
from cycles.models import Cycle, Hold, PlannedDose
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert, Step
from il2tracker.audit import log

SOURCE = "cycles.hold"


@transaction.atomic
def raise_hold(*, by: User, cycle: Cycle, kind: str, reason: str, now: datetime) -> Hold:
    """Nothing of any course of the patient is asked for until a person lifts it. Once per kind; dates stay (H22).

    What the patient or a carer reports also tells the clinic. Raises PermissionDenied, and ValidationError when the
    course is cancelled, was stopped or is over.
    """
    _require(by, cycle)
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    known = Hold.objects.open().of(patient).filter(kind=kind).first()
    if known is not None:
        return known
    refuse_decided(cycle)
    if cycle.goes_ahead and cycle.last_dose_on < patient.today(now):
        raise ValidationError(_("This course has ended."))
    facts = {"patient": patient, "cycle": cycle, "kind": kind, "reason": reason}
    hold = Hold.objects.create(raised_by=by, raised_at=now, **facts)
    _put_on_hold(by, patient, cycle, hold, now)
    log.record(action="cycles.hold.raised", by=by, patient=patient, subject=hold)
    if not access.is_member_for(by, patient):
        _tell_clinic(by, hold, now)
    return hold


def _require(by: User, cycle: Cycle) -> None:
    if not (access.may_prescribe(by, cycle.patient) or access.may_record(by, cycle.patient)):
        raise PermissionDenied


def _put_on_hold(by: User, patient: Patient, named: Cycle, hold: Hold, now: datetime) -> None:
    """The named course and every other one that runs or is to come: the reason is about the patient (P22, P30)."""
    others = Cycle.objects.of(patient).going_on(patient.today(now)).exclude(pk=named.pk)
    for cycle in (named, *others.filter(state=Cycle.State.PLANNED)):
        cycle.state, cycle.reason = Cycle.State.HELD, hold.words
        cycle.__dict__.pop("open_holds", None)
        save_course(by, cycle)


def _tell_clinic(by: User, hold: Hold, now: datetime) -> None:
    words = {"course": hold.cycle.number, "reason": Hold.Kind(hold.kind).label}
    alerts.raise_alert(
        by=by,
        patient=hold.patient,
        rule="HOLD",
        tier=Alert.Tier.AMBER,
        title=_("Course %(course)s waits: %(reason)s") % words,
        evidence=hold.reason,
        source=SOURCE,
        source_ref=hold.ref,
        holds=True,
        now=now,
    )


@transaction.atomic
def lift_hold(*, by: User, hold: Hold, now: datetime, note: str = "") -> Hold:
    """A prescriber says that this reason is gone; with the last one the patient's courses go on. Safe to repeat.

    What fell into the wait is not caught up on and no day is added at the end (D18). A course that has not begun and
    whose first day has passed still waits: it needs a new one. Raises PermissionDenied.
    """
    access.require_prescribing(by, hold.patient)
    patient = hold.patient.lock()
    hold.refresh_from_db()
    if hold.lifted_at is not None:
        return hold
    since = Hold.objects.of(patient).wait_began()
    today = patient.today(now)
    waiting = [(cycle, has_begun(cycle, today)) for cycle in _waiting(patient)]
    hold.lifted_by, hold.lifted_at, hold.lift_note = by, now, note
    hold.save(update_fields=["lifted_by", "lifted_at", "lift_note"])
    log.record(action="cycles.hold.lifted", by=by, patient=patient, subject=hold)
    _settle_alert(by, hold, now, note)
    if since is not None and not Hold.objects.open().of(patient).exists():
        for cycle, begun in waiting:
            _resume(by, cycle, (since, now), note, may_go_on=begun or cycle.starts_on >= today)
    return hold


def _waiting(patient: Patient) -> list[Cycle]:
    waiting = Cycle.objects.of(patient).filter(state=Cycle.State.HELD, plan__ended_on=None)
    return list(waiting.order_by("starts_on"))


def _settle_alert(by: User, hold: Hold, now: datetime, note: str) -> None:
    """Who lifts a hold has dealt with what it told: its reminders must not stay paused behind it (R1)."""
    of_hold = Alert.objects.of(hold.patient).filter(source=SOURCE, source_ref=hold.ref, closed_at__isnull=True)
    for alert in of_hold:
        if access.is_member_for(by, hold.patient):
            alerts.acknowledge(by=by, alert=alert, now=now, note=note)
            alerts.take_step(by=by, alert=alert, what=Step.What.CLOSED, now=now, note=note or _("The hold was lifted."))
        else:
            alerts.close(by=by, alert=alert, now=now)


def _resume(by: User, cycle: Cycle, wait: tuple[datetime, datetime], note: str, *, may_go_on: bool) -> None:
    """From the end of the wait on its doses are asked for again; of one that cannot go on, none of these is."""
    missed = PlannedDose.objects.filter(cycle=cycle).unlogged()
    if may_go_on:
        missed = missed.filter(due_at__gte=wait[0], due_at__lt=wait[1])
        cycle.state, cycle.reason = Cycle.State.PLANNED, note
    else:
        cycle.reason = needs_a_day()
    missed.update(was_held=True)
    save_course(by, cycle)


@transaction.atomic
def lift_and_move(
    *, by: User, cycle: Cycle, starts_on: date, now: datetime, reason: str, named: Collection[str]
) -> Cycle:
    """Give a course that waits a new first day and lift the holds that the person has read, by their refs.

    One that was raised since still holds. Raises what move_cycle raises.
    """
    today = cycle.patient.today(now)
    move_cycle(by=by, cycle=cycle, starts_on=starts_on, today=today, reason=reason)
    for hold in Hold.objects.open().of(cycle.patient).filter(ref__in=named):
        lift_hold(by=by, hold=hold, now=now, note=reason)
    cycle.refresh_from_db()
    return cycle
