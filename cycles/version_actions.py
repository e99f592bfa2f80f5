"""A plan that changes: a new signed version from a course that has not started (B7), and who has read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles import schedule
from cycles.course_actions import has_begun, planned_doses, refuse_overlap, save_course, state_to_come
from cycles.models import Cycle, Injection, Plan, PlannedDose, PlanVersion
from cycles.plan_actions import COPIED, open_next_cycle, sign
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log


class OvertakenError(ValidationError):
    """Somebody else has signed another version in the meantime: nothing was saved."""


@transaction.atomic
def change_plan(
    *,
    by: User,
    plan: Plan,
    base_number: int,
    from_course: int,
    document: Mapping[str, Any],
    slot_times: Mapping[str, str],
    starts_on: date,
    now: datetime,
    change_reason: str,
    **terms: Any,
) -> PlanVersion:
    """A new version of the plan that applies from course `from_course`, which starts on `starts_on`.

    `base_number` is the version that the person looked at, `terms` what else a PlanVersion holds; the protocol's own
    terms stay as they are unless said otherwise. A course that has begun is never touched (B7). Raises
    PermissionDenied, OvertakenError, schedule.RegimenError and ValidationError (the plan has ended, the course has
    begun, the day has passed, an overlap, an impossible amount, no reason).
    """
    access.require_prescribing(by, plan.patient)
    patient = plan.patient.lock()
    plan = Plan.objects.with_versions().get(pk=plan.pk)
    today = patient.today(now)
    _refuse_stale(plan, base_number, change_reason)
    open_next_cycle(plan=plan, today=today)
    coming = _coming(plan, today)
    _refuse_begun(plan, coming, from_course)
    _refuse_start(coming, starts_on, today)
    base = plan.current_version
    kept = {name: getattr(base, name) for name in COPIED}
    facts = {"document": document, "slot_times": dict(slot_times), "starts_on": starts_on}
    number = {"number": base.number + 1, "first_course": from_course, "change_reason": change_reason}
    version = sign(by, plan, now, **{**kept, **terms, **facts, **number}, **_read_by(by, patient, now))
    _apply(by, version, coming, patient, today)
    log.record(action="cycles.plan.changed", by=by, patient=patient, subject=plan, detail=f"version {version.number}")
    return version


def _refuse_stale(plan: Plan, base_number: int, change_reason: str) -> None:
    if plan.ended_on is not None:
        raise ValidationError(_("This plan has ended. Make a new plan instead."))
    if plan.current_version.number != base_number:
        raise OvertakenError(_("The plan was changed while you were writing. Compare both versions."))
    if not change_reason:
        raise ValidationError({"change_reason": _("Say why the plan changes.")})


def coming_course(plan: Plan, today: date) -> tuple[int, Cycle | None]:
    """The first course that a new version may apply to, and its row where there is one already."""
    coming = _coming(plan, today)
    if coming is not None:
        return coming.number, coming
    latest = plan.cycles.order_by("-number").first()
    return (latest.number + 1 if latest else 1), None


def _coming(plan: Plan, today: date) -> Cycle | None:
    """The plan's last course, unless it has begun, was left out or was stopped."""
    latest: Cycle | None = plan.cycles.order_by("-number").first()
    if latest is None or latest.state not in {Cycle.State.PLANNED, Cycle.State.HELD}:
        return None
    return None if has_begun(latest, today) else latest


def _refuse_begun(plan: Plan, coming: Cycle | None, from_course: int) -> None:
    latest = plan.cycles.order_by("-number").first()
    first = coming.number if coming else (latest.number if latest else 0) + 1
    if from_course != first:
        words = {"course": from_course, "first": first}
        raise ValidationError(
            _("Course %(course)s cannot change any more: it has begun. A change can apply from course %(first)s.")
            % words
            if from_course < first
            else _("A change applies from course %(first)s, the next one.") % words
        )


def _refuse_start(coming: Cycle | None, starts_on: date, today: date) -> None:
    stays_held = coming is not None and coming.state == Cycle.State.HELD and coming.starts_on == starts_on
    if starts_on <= today and not stays_held:
        raise ValidationError({"starts_on": _("This day has passed or is today. Give the course a day to come.")})


def _read_by(by: User, patient: Patient, now: datetime) -> dict[str, Any]:
    """A patient who changes his own plan has read it."""
    return {"read_by": by, "read_at": now} if patient.user_id == by.pk else {}


def _apply(by: User, version: PlanVersion, coming: Cycle | None, patient: Patient, today: date) -> None:
    """Put the course that has not started on the new version; open it where there is no row yet."""
    courses = version.regimen.courses
    if courses is not None and courses < version.first_course:
        raise ValidationError(_("This schedule ends with course %(last)s.") % {"last": courses})
    if coming is None:
        open_next_cycle(plan=Plan.objects.get(pk=version.plan_id), today=today)
        return
    coming.patient, coming.version, coming.starts_on = patient, version, version.starts_on
    if coming.starts_on > today:
        coming.state = state_to_come(patient)
    coming.last_dose_on = schedule.last_dose_on(version.regimen, coming.number, coming.starts_on)
    refuse_overlap(coming, coming.starts_on)
    save_course(by, coming)
    replace_doses(coming, held=coming.starts_on <= today)
    log.record(action="cycles.cycle.changed", by=by, patient=patient, subject=coming)


def replace_doses(cycle: Cycle, *, held: bool = False) -> None:
    """The doses of the new version. An injection that was recorded too early and undone keeps its row, without dose.

    `held`: their first day passed while the course waited, so that none of them is asked for as they lie.
    """
    for injection in Injection.objects.filter(planned_dose__cycle=cycle):
        injection.planned_dose = None
        injection.save(update_fields=["planned_dose"])
    cycle.doses.all().delete()
    doses = planned_doses(cycle)
    for dose in doses:
        dose.was_held = held
    PlannedDose.objects.bulk_create(doses)


@transaction.atomic
def confirm_read(*, by: User, version: PlanVersion, now: datetime) -> PlanVersion:
    """The patient, or who keeps the diary, has read what changed, and so every version before it. Safe to repeat.

    Raises PermissionDenied.
    """
    access.require_recording(by, version.plan.patient)
    patient = version.plan.patient.lock()
    unread = version.plan.versions.filter(number__lte=version.number, number__gt=1, read_at=None)
    if unread.update(read_by=by, read_at=now):
        log.record(action="cycles.plan.read", by=by, patient=patient, subject=version.plan)
    version.refresh_from_db()
    return version
