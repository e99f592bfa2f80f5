"""Everything that is written about one course: moved, left out, stopped, put on another clock."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from cycles import schedule
from cycles.models import Cycle, Hold, Injection, PlannedDose
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log

# What a lock or a foreign key makes certain: asking the database again would double the statements of a save.
CERTAIN = {"patient", "plan", "version", "ref"}


def planned_doses(cycle: Cycle) -> list[PlannedDose]:
    """The unsaved doses of a course that starts on its day, in its patient's zone."""
    version = cycle.version
    unrolled = schedule.unroll(version.regimen, cycle.number, cycle.starts_on, version.times)
    return [_dose(cycle, planned, planned.amount) for planned in unrolled if planned.amount is not None]


def _dose(cycle: Cycle, planned: schedule.Planned, amount: Decimal) -> PlannedDose:
    zone = cycle.patient.zone
    return PlannedDose(
        patient=cycle.patient,
        cycle=cycle,
        day=planned.day,
        slot=planned.slot,
        due_on=planned.on,
        local_time=planned.local_time,
        zone=zone.key,
        due_at=schedule.moment(planned.on, planned.local_time, zone),
        amount=amount,
    )


@transaction.atomic
def move_cycle(*, by: User, cycle: Cycle, starts_on: date, today: date, reason: str) -> Cycle:
    """Shift a whole not-started course, never stretch it (2.2). It still waits while a hold is open: moving lifts none.

    Raises PermissionDenied and ValidationError (it is over, it has started, the day has passed, it would overlap
    another course).
    """
    access.require_prescribing(by, cycle.patient)
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    refuse_decided(cycle)
    if has_begun(cycle, today):
        raise ValidationError(_("This course has started. A started course is never moved; it can be stopped."))
    if starts_on < today:
        raise ValidationError(_("This day has passed."))
    refuse_overlap(cycle, starts_on)
    cycle.starts_on, cycle.reason, cycle.state = starts_on, reason, state_to_come(patient)
    cycle.last_dose_on = schedule.last_dose_on(cycle.version.regimen, cycle.number, starts_on)
    save_course(by, cycle)
    _put_doses(cycle, patient)
    log.record(action="cycles.cycle.moved", by=by, patient=patient, subject=cycle)
    return cycle


@transaction.atomic
def follow_patient(*, cycle: Cycle, now: datetime) -> bool:
    """Put a course that has not started on the clock by which the patient lives now (H09). Idempotent.

    A course that runs keeps the hours it began with. False when nothing was to be done.
    """
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    old = cycle.doses.exclude(zone=patient.time_zone)
    if cycle.starts_on <= patient.today(now) or has_records(cycle) or not old.exists():
        return False
    _put_doses(cycle, patient)
    log.record(action="cycles.cycle.rezoned", by=None, patient=patient, subject=cycle)
    return True


def has_records(cycle: Cycle) -> bool:
    """Whether anything is recorded of its injections."""
    return Injection.objects.standing().filter(planned_dose__cycle=cycle).exists()


def has_begun(cycle: Cycle, today: date) -> bool:
    """Whether one of its injections may have been given, recorded or not: it fell due while nothing waited (B7)."""
    if has_records(cycle):
        return True
    if cycle.state != Cycle.State.HELD:
        return cycle.has_started(today)
    waits_since = Hold.objects.filter(patient=cycle.patient_id).wait_began()
    due = Q(due_on__lte=today) if waits_since is None else Q(due_at__lt=waits_since)
    return cycle.doses.filter(due, was_held=False).exists()


def state_to_come(patient: Patient) -> Cycle.State:
    """The state of a course to come: on hold while the patient has an open hold, whichever course it was raised in."""
    return Cycle.State.HELD if Hold.objects.open().of(patient).exists() else Cycle.State.PLANNED


def needs_a_day() -> str:
    """Why a course still waits when every hold is lifted."""
    return _("It needs a new first day.")


def refuse_decided(cycle: Cycle) -> None:
    """Raises ValidationError when a person has left the course out or stopped it already. Asked after the lock."""
    if cycle.state not in {Cycle.State.PLANNED, Cycle.State.HELD}:
        raise ValidationError(_("This course has ended."))


def _put_doses(cycle: Cycle, patient: Patient) -> None:
    """Day, moment and zone of every dose, from the start of its course and the clock of the patient.

    Where they fall now they have not waited for anybody.
    """
    cycle.patient = patient
    planned = {(dose.day, dose.slot): dose for dose in planned_doses(cycle)}
    doses = list(cycle.doses.all())
    for dose in doses:
        new = planned[dose.day, dose.slot]
        dose.due_on, dose.due_at, dose.zone, dose.was_held = new.due_on, new.due_at, new.zone, False
    PlannedDose.objects.bulk_update(doses, ["due_on", "due_at", "zone", "was_held"])


def refuse_overlap(cycle: Cycle, starts_on: date) -> None:
    """Raises ValidationError when the dose days of another course of the patient lie on these (A23).

    A course that was stopped keeps no day after its stop.
    """
    last = starts_on + (cycle.last_dose_on - cycle.starts_on)
    others = Cycle.objects.of(cycle.patient).exclude(pk=cycle.pk).exclude(state=Cycle.State.CANCELLED)
    gone = Q(stopped_on__lt=starts_on) | Q(stopped_on__lt=F("starts_on"))
    other = others.filter(starts_on__lte=last, last_dose_on__gte=starts_on).exclude(gone).first()
    if other:
        raise ValidationError(_("This date overlaps course %(number)s.") % {"number": other.number})


@transaction.atomic
def cancel_cycle(*, by: User, cycle: Cycle, reason: str) -> Cycle:
    """The course does not take place. Raises PermissionDenied, and ValidationError when injections are recorded."""
    return decide(by, cycle, Cycle.State.CANCELLED, reason)


@transaction.atomic
def stop_cycle(*, by: User, cycle: Cycle, on: date, reason: str) -> Cycle:
    """The course ends early after `on`; its later doses count neither as taken nor as missed (2.2).

    Raises PermissionDenied, and ValidationError when the course is decided already.
    """
    return decide(by, cycle, Cycle.State.STOPPED_EARLY, reason, on)


def decide(by: User, cycle: Cycle, state: str, reason: str, stopped_on: date | None = None) -> Cycle:
    """A prescriber leaves a course out or ends it. An open hold stays: it is about the patient (H22, M8).

    Raises PermissionDenied and ValidationError (decided already, injections of a course to be left out are recorded).
    """
    access.require_prescribing(by, cycle.patient)
    patient = cycle.patient.lock()
    cycle.refresh_from_db()
    refuse_decided(cycle)
    if state == Cycle.State.CANCELLED and has_records(cycle):
        raise ValidationError(_("Injections of this course are recorded. It can be stopped, not cancelled."))
    cycle.state, cycle.reason, cycle.stopped_on = state, reason, stopped_on
    save_course(by, cycle)
    log.record(action=f"cycles.cycle.{state}", by=by, patient=patient, subject=cycle)
    return cycle


def save_course(by: User, cycle: Cycle) -> None:
    """Keep the old version in the history, with who changed it."""
    cycle._history_user = by  # type: ignore[attr-defined]
    cycle.full_clean(exclude=CERTAIN, validate_unique=False, validate_constraints=False)
    cycle.save()
