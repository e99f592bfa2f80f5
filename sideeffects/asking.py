"""By which plan and which courses a patient is asked how he or she feels: one answer for Today, form and mail."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from cycles.models import Cycle, PlanVersion
from il2tracker.accounts.models import Patient


def versions(patients: Collection[Patient]) -> dict[int, list[PlanVersion]]:
    """The versions of each patient's active plan, the oldest first; one statement, however many patients."""
    rows = PlanVersion.objects.filter(plan__patient__in=patients, plan__ended_on=None).select_related("plan__protocol")
    found: dict[int, list[PlanVersion]] = {}
    for row in rows.order_by("number"):
        found.setdefault(row.plan.patient_id, []).append(row)
    return found


def in_force(versions: list[PlanVersion], today: date) -> PlanVersion | None:
    """The newest of these that has begun, else the first; None without a plan. The oldest first."""
    begun = [version for version in versions if version.starts_on <= today]
    return next(iter([*reversed(begun), *versions]), None)


def version_in_force(patient: Patient, today: date) -> PlanVersion | None:
    """The version of a patient's active plan that counts on a day; one statement."""
    return in_force(versions([patient]).get(patient.pk, []), today)


def ended_on(cycle: Cycle) -> date:
    """The last day on which an injection was planned and not called off."""
    return min(cycle.stopped_on, cycle.last_dose_on) if cycle.stopped_on else cycle.last_dose_on


def of_now(cycles: Iterable[Cycle], today: date) -> tuple[Cycle | None, Cycle | None]:
    """Of the courses of one plan the one that started last, and the next one to come."""
    by_start = sorted(cycles, key=lambda cycle: cycle.starts_on)
    begun = [cycle for cycle in by_start if cycle.starts_on <= today]
    return (begun[-1] if begun else None), next((cycle for cycle in by_start if cycle.starts_on > today), None)


def course_days(cycles: Iterable[Cycle | None], today: date) -> set[date]:
    """Every day from the first to the last injection; a course that waits after it began has none."""
    going = [cycle for cycle in cycles if cycle and (cycle.goes_ahead or cycle.starts_on > today)]
    return {
        cycle.starts_on + timedelta(days=number)
        for cycle in going
        for number in range((ended_on(cycle) - cycle.starts_on).days + 1)
    }
