"""Everything that is written about plans. Courses have actions in course_actions.py, injections in actions.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles import schedule
from cycles.bounds import outside_studied
from cycles.course_actions import decide, has_records, needs_a_day, planned_doses, refuse_overlap
from cycles.models import Cycle, Hold, Plan, PlannedDose, PlanVersion, Protocol
from cycles.protocols import Route
from cycles.ready_actions import confirmed
from il2tracker.accounts import access
from il2tracker.accounts.actions import update_patient
from il2tracker.accounts.models import Patient, Sharing, User
from il2tracker.audit import log

# App's own: a planner that was down for two days opens a course as if it had not been.
OPENS_LATE = timedelta(days=2)
COPIED = (
    "indication",
    "route",
    "fever_above",
    "fever_unit",
    "fever_only_if_not_relieved",
    "timing_matters",
    "inpatient",
)


def load_library(model: type[Protocol] = Protocol) -> None:
    """Bring the protocol library to the state of library.json. Plans keep their own copies. Safe to repeat.

    A migration passes the model as it was then, so that it fills only the columns that exist at that point.
    """
    columns = {field.name for field in model._meta.fields}
    rows = json.loads((Path(__file__).parent / "library.json").read_text(encoding="utf-8"))
    for position, row in enumerate(rows):
        facts = {name: value for name, value in row.items() if name in columns}
        model.objects.update_or_create(slug=row["slug"], defaults={**facts, "position": position})


@transaction.atomic
def create_plan(
    *,
    by: User,
    patient: Patient,
    protocol: Protocol,
    document: dict[str, Any],
    slot_times: Mapping[str, str],
    starts_on: date,
    now: datetime,
    past: bool = False,
    work_days: str | None = None,
    **terms: Any,
) -> Plan:
    """Version 1 of a plan and its first cycle. `terms`: whatever else a PlanVersion holds, also another fever limit.

    `work_days` are the patient's ("12345", P35); None = nothing was said. `starts_on` before the patient's today only
    with `past` (record a past course). Raises PermissionDenied, ValidationError (no numbers to call (P37), start in the
    past, impossible amount, an active plan, an overlapping course) and schedule.RegimenError.
    """
    access.require_prescribing(by, patient)
    patient = patient.lock()
    if not access.contact_card(patient, now).is_complete:
        raise ValidationError(_("Add the numbers to call before making a plan."))
    if starts_on < patient.today(now) and not past:
        raise ValidationError(_("This start date has passed. Choose “record a past course” to enter it anyway."))
    plan = Plan(patient=patient, protocol=protocol)
    plan.full_clean()
    plan.save()
    copied = {name: getattr(protocol, name) for name in COPIED}
    facts = {"document": document, "slot_times": dict(slot_times), "starts_on": starts_on}
    sign(by, plan, now, number=1, **{**copied, **facts, **terms})
    log.record(action="cycles.plan.created", by=by, patient=patient, subject=plan)
    if work_days is not None and work_days != patient.work_days:
        update_patient(by=by, patient=patient, work_days=work_days)
    open_next_cycle(plan=plan, today=patient.today(now), past=past)
    _confirm_past_starts(by, plan, now)
    return plan


def _confirm_past_starts(by: User, plan: Plan, now: datetime) -> None:
    """A course that a member of the clinic enters after it began has the clinic's word."""
    if access.is_member_for(by, plan.patient):
        for cycle in plan.cycles.filter(starts_on__lt=plan.patient.today(now)):
            confirmed(by, cycle, now)


def sign(by: User, plan: Plan, now: datetime, **terms: Any) -> PlanVersion:
    """Save a version as that person's. Raises ValidationError for an amount that no plan may hold, RegimenError."""
    version = PlanVersion(plan=plan, signed_at=now, **_signature(by, plan.patient), **terms)
    version.inpatient = version.inpatient or version.route != Route.SUBCUTANEOUS  # a drip is never asked for at home
    _refuse_amounts(version, plan.protocol)
    version.full_clean()
    version.save()
    return version


def _refuse_amounts(version: PlanVersion, protocol: Protocol) -> None:
    """Neither a missing amount nor one above what the treatment uses (W6); outside what was studied, with a reason."""
    regimen = version.regimen
    largest = regimen.largest_amount()
    if regimen.needs_amounts or largest is None:
        raise ValidationError(_("Enter the amount of every injection."))
    if largest > version.injection_ceiling:
        raise ValidationError(_("An amount is more than this treatment uses for one injection."))
    outside = outside_studied(regimen, most=version.daily_ceiling, least=protocol.daily_floor)
    if outside and not version.beyond_reason:
        raise ValidationError({"beyond_reason": _("The amount of a day is outside what was studied. Say why.")})


def _signature(by: User, patient: Patient) -> dict[str, Any]:
    if not access.is_member_for(by, patient):
        return {"signed_by": by, "signed_as": PlanVersion.SignedAs.PATIENT, "signed_title": by.name}
    clinics = Sharing.objects.open().filter(patient=patient).values("clinic")
    title = by.memberships.filter(clinic__in=clinics).values_list("title", flat=True).first()
    return {"signed_by": by, "signed_as": PlanVersion.SignedAs.CLINIC, "signed_title": f"{by.name}, {title}"}


@transaction.atomic
def end_plan(*, by: User, plan: Plan, on: date, reason: str) -> Plan:
    """End a plan: what has not started is cancelled, what runs stops on that day; the record stays (M8, H23).

    Safe to repeat: the first end stands. Raises PermissionDenied.
    """
    access.require_prescribing(by, plan.patient)
    patient = plan.patient.lock()
    plan.refresh_from_db()
    if plan.ended_on is not None:
        return plan
    plan.ended_on, plan.end_reason = on, reason
    plan.save(update_fields=["ended_on", "end_reason"])
    for cycle in plan.cycles.going_on(on):
        if cycle.starts_on > on and not has_records(cycle):
            decide(by, cycle, Cycle.State.CANCELLED, reason)
        else:
            decide(by, cycle, Cycle.State.STOPPED_EARLY, reason, on)
    log.record(action="cycles.plan.ended", by=by, patient=patient, subject=plan)
    return plan


@transaction.atomic
def open_next_cycle(*, plan: Plan, today: date, past: bool = False) -> Cycle | None:
    """Make rows until exactly one cycle of the plan has not started (A14). Idempotent; None when nothing was missing.

    A held cycle keeps its date until a person moves it (H22), so nothing opens behind it. A course opens on hold while
    the patient has an open hold, and when its first day passed before anybody was told of it. `past`: the courses
    since went ahead and are entered afterwards.
    """
    patient = plan.patient.lock()
    plan.refresh_from_db()
    plan.patient, opened = patient, None
    latest = plan.cycles.order_by("-number").first()
    while plan.ended_on is None and _needs_successor(plan, latest, today):
        latest = opened = _open_cycle(plan, latest, today, past=past)
    return opened


def _needs_successor(plan: Plan, latest: Cycle | None, today: date) -> bool:
    if latest is None:
        return True
    number = latest.number + 1
    courses = plan.version_for(number).regimen.courses
    if courses is not None and number > courses:
        return False
    past = latest.state != Cycle.State.HELD and latest.starts_on <= today
    return past or latest.state == Cycle.State.CANCELLED


def _open_cycle(plan: Plan, latest: Cycle | None, today: date, *, past: bool) -> Cycle:
    number = latest.number + 1 if latest else 1
    version = plan.version_for(number)
    # A version's own first course starts on the day that was signed; every other one counts from the one before.
    signed = latest is None or (version.number > 1 and number == version.first_course)
    starts_on = version.starts_on if latest is None or signed else latest.next_starts_on
    cycle = Cycle(
        patient=plan.patient,
        plan=plan,
        version=version,
        number=number,
        starts_on=starts_on,
        last_dose_on=schedule.last_dose_on(version.regimen, number, starts_on),
    )
    refuse_overlap(cycle, starts_on)
    is_late = not past and starts_on < today - OPENS_LATE
    if not past or cycle.last_dose_on >= today:
        _let_wait(cycle, is_late=is_late)
    cycle.save()
    doses = planned_doses(cycle)
    for dose in doses:
        dose.was_held = is_late
    PlannedDose.objects.bulk_create(doses)
    log.record(action="cycles.cycle.opened", by=None, patient=plan.patient, subject=cycle)
    return cycle


def _let_wait(cycle: Cycle, *, is_late: bool) -> None:
    """On hold as long as the patient is, or until a person gives it a day that has not passed (H22)."""
    hold = Hold.objects.open().of(cycle.patient).first()
    if hold is not None or is_late:
        cycle.state, cycle.reason = Cycle.State.HELD, hold.words if hold else needs_a_day()
