"""Courses from before the diary: written down as somebody says that they were, never asked for, never judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from cycles import schedule
from cycles.course_actions import has_records, planned_doses, refuse_overlap, save_course
from cycles.models import Cycle, Injection, Plan, PlannedDose, PlanVersion
from cycles.version_actions import replace_doses
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log

ALL = -1


@dataclass(frozen=True)
class EarlierCourse:
    """What somebody says about one course.

    `last_on` None = it went to its planned end. `given`: how many injections, ALL, or None = not known. `amount` in MIU
    of each, None = as in the plan. `stopped`: it was planned to go on after `last_on`.
    """

    starts_on: date
    last_on: date | None = None
    given: int | None = None
    amount: Decimal | None = None
    stopped: bool = False


def first_own(plan: Plan) -> Cycle:
    """The course that the plan began with in this diary: those before it are earlier ones."""
    cycle = plan.cycles.order_by("pk").first()
    assert cycle is not None
    return cycle


@transaction.atomic
def record_earlier(*, by: User, plan: Plan, count: int, courses: Sequence[EarlierCourse], now: datetime) -> list[Cycle]:
    """Say that `count` courses came before the plan's first one here, and what is known of some, the latest last.

    The courses of the plan are numbered after them. Raises PermissionDenied and ValidationError (too many, out of
    order, overlapping, not over yet, more injections than were planned, an impossible amount).
    """
    access.require_prescribing(by, plan.patient)
    patient = plan.patient.lock()
    plan = Plan.objects.with_versions().get(pk=plan.pk)
    if plan.ended_on is not None:
        raise ValidationError(_("This plan has ended."))
    _make_room(by, plan, count, patient.today(now))
    taken = set(plan.cycles.values_list("number", flat=True))
    free = [number for number in range(count, 0, -1) if number not in taken]
    if len(courses) > len(free):
        raise ValidationError(_("There are more lines than courses before this plan."))
    latest_first = sorted(courses, key=lambda course: course.starts_on, reverse=True)
    made = [_record(by, plan, patient, number, said, now) for number, said in zip(free, latest_first, strict=False)]
    _refuse_disorder(plan)
    log.record(action="cycles.plan.earlier", by=by, patient=patient, subject=plan, detail=f"{len(made)} of {count}")
    return made


def _make_room(by: User, plan: Plan, count: int, today: date) -> None:
    """Number the plan's courses after `count` earlier ones. A course that has begun keeps what it asks for."""
    shift = count - (first_own(plan).number - 1)
    if shift < 0:
        raise ValidationError({"count": _("Courses that stand here already would lose their number.")})
    if shift and plan.versions.count() > 1:
        raise ValidationError({"count": _("The plan has changed since: its courses keep their numbers.")})
    for cycle in plan.cycles.order_by("-number") if shift else ():
        _renumber(by, cycle, cycle.number + shift, today)


def _renumber(by: User, cycle: Cycle, number: int, today: date) -> None:
    regimen, words = cycle.version.regimen, {"n": number}
    if regimen.courses is not None and number > regimen.courses:
        raise ValidationError({"count": _("The schedule of this plan has no course %(n)s.") % words})
    is_other = regimen.phase(cycle.number) != regimen.phase(number)
    if is_other and (cycle.has_started(today) or has_records(cycle)):
        raise ValidationError({"count": _("As course %(n)s it would have other amounts, and it has begun.") % words})
    cycle.number = number
    cycle.last_dose_on = schedule.last_dose_on(regimen, number, cycle.starts_on)
    save_course(by, cycle)
    if is_other:
        replace_doses(cycle)


def _record(by: User, plan: Plan, patient: Patient, number: int, said: EarlierCourse, now: datetime) -> Cycle:
    version = plan.versions.order_by("number").first()
    assert version is not None
    cycle = _course(plan, version, patient, number, said)
    if max(cycle.last_dose_on, said.last_on or said.starts_on) >= patient.today(now):
        raise ValidationError(_("A course that is not over does not belong here."))
    refuse_overlap(cycle, cycle.starts_on)
    doses = _doses(cycle, said)
    if not doses:
        raise ValidationError(_("No injection of the schedule lies between the first and the last day."))
    cycle.last_dose_on = doses[-1].due_on
    cycle.save()
    PlannedDose.objects.bulk_create(doses)
    _give(by, cycle, doses, said, now)
    return cycle


def _course(plan: Plan, version: PlanVersion, patient: Patient, number: int, said: EarlierCourse) -> Cycle:
    state = Cycle.State.STOPPED_EARLY if said.stopped else Cycle.State.PLANNED
    planned_end = schedule.last_dose_on(version.regimen, number, said.starts_on)
    return Cycle(
        patient=patient,
        plan=plan,
        version=version,
        number=number,
        starts_on=said.starts_on,
        last_dose_on=planned_end if said.stopped or said.last_on is None else said.last_on,
        state=state,
        stopped_on=said.last_on if said.stopped else None,
        reason=_("entered later") if said.stopped else "",
        entered_later=True,
    )


def _doses(cycle: Cycle, said: EarlierCourse) -> list[PlannedDose]:
    """The doses as they were planned then: to the planned end of a course that was stopped, else to its last day."""
    if said.amount is not None and said.amount > cycle.version.injection_ceiling:
        raise ValidationError(_("An amount is more than this treatment uses for one injection."))
    doses = [dose for dose in planned_doses(cycle) if dose.due_on <= cycle.last_dose_on]
    for dose in doses:
        dose.amount = said.amount or dose.amount
    return doses


def _give(by: User, cycle: Cycle, doses: list[PlannedDose], said: EarlierCourse, now: datetime) -> None:
    """A record for each injection that was said to be given, at its planned hour and marked as entered later.

    Of some only, the last one of the last day is among them: that day is what reliability counts from.
    """
    counting = [dose for dose in doses if cycle.stopped_on is None or dose.due_on <= cycle.stopped_on]
    if said.given is None:
        return
    given = len(counting) if said.given == ALL else said.given
    if given > len(counting):
        words = {"given": given, "planned": len(counting)}
        raise ValidationError(_("%(given)s injections are more than the %(planned)s that were planned.") % words)
    words = {"given": given, "planned": len(counting)}
    note = _("Entered later, at the planned hour.")
    if given < len(counting):
        note += " " + _("%(given)s of %(planned)s were given; which ones were left out is not known.") % words
    records = [_injection(by, cycle, dose, note, now) for dose in [*counting[: given - 1], counting[-1]]]
    bulk_create_with_history(records, Injection, default_user=by)


def _injection(by: User, cycle: Cycle, dose: PlannedDose, note: str, now: datetime) -> Injection:
    return Injection(
        patient=cycle.patient,
        planned_dose=dose,
        state=Injection.State.TAKEN,
        given_at=dose.due_at,
        zone=dose.zone,
        amount=dose.amount,
        note=note,
        recorded_by=by,
        recorded_at=now,
        idempotency_key=uuid4(),
    )


def _refuse_disorder(plan: Plan) -> None:
    starts = list(
        plan.cycles.exclude(state=Cycle.State.CANCELLED).order_by("number").values_list("starts_on", flat=True)
    )
    if starts != sorted(starts):
        raise ValidationError(_("The courses have to follow each other in the order of their days."))
