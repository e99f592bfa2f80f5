"""What the database knows of those who want to be asked by mail how they are: three statements, however many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery

from cycles.models import Cycle, PlanVersion
from il2tracker.accounts.models import Patient
from il2tracker.reminders import kinds
from il2tracker.reminders.of_check_ins import CheckInFact
from il2tracker.reminders.wishes import Choices, Owner
from sideeffects.facts import NO_PLAN_LIMIT
from sideeffects.models import CheckIn
from sideeffects.units import Temperature

Row = TypeVar("Row", PlanVersion, Cycle)


def of_all(choices: Choices, now: datetime, **which: Any) -> list[CheckInFact]:
    """Of everybody who wants to be asked; no statement where nobody does."""
    people = {user_id for user_id, kind in choices.on if kind == kinds.CHECK_IN}
    return _facts(now, user__in=people, **which) if people else []


def of_patient(patient_id: int, now: datetime) -> list[CheckInFact]:
    """One patient as things stand now."""
    return _facts(now, pk=patient_id)


def _facts(now: datetime, **which: Any) -> list[CheckInFact]:
    check_ins = CheckIn.objects.filter(patient=OuterRef("pk")).newest_first()
    readings = check_ins.exclude(temperature=None)
    patients = Patient.objects.filter(**which).select_related("user").order_by("pk")
    patients = patients.annotate(
        last_at=Subquery(check_ins.values("felt_at")[:1]),
        last_zone=Subquery(check_ins.values("zone")[:1]),
        hot_at=Subquery(readings.values("felt_at")[:1]),
        hot_zone=Subquery(readings.values("zone")[:1]),
        hot=Subquery(readings.values("temperature")[:1]),
        hot_unit=Subquery(readings.values("temperature_unit")[:1]),
    )
    found = list(patients)
    versions, cycles = _versions(found), _cycles(found)
    return [_fact(row, versions.get(row.pk, []), cycles.get(row.pk, []), now) for row in found]


def _versions(patients: Sequence[Patient]) -> dict[int, list[PlanVersion]]:
    rows = PlanVersion.objects.filter(plan__patient__in=patients, plan__ended_on=None).select_related("plan")
    return _by_patient((row.plan.patient_id, row) for row in rows.order_by("number"))


def _cycles(patients: Sequence[Patient]) -> dict[int, list[Cycle]]:
    rows = Cycle.objects.filter(patient__in=patients, plan__ended_on=None).exclude(state=Cycle.State.CANCELLED)
    return _by_patient((row.patient_id, row) for row in rows.select_related("version").order_by("starts_on"))


def _by_patient(rows: Iterable[tuple[int, Row]]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for patient_id, row in rows:
        found.setdefault(patient_id, []).append(row)
    return found


def _fact(row: Any, versions: list[PlanVersion], cycles: list[Cycle], now: datetime) -> CheckInFact:
    today = row.today(now)
    over = row.hot is not None and _is_over(Temperature(row.hot, row.hot_unit), versions, today)
    return CheckInFact(
        owner=Owner(row.pk, row.user_id, bool(row.user and row.user.is_active), plan_ended=False),
        zone=row.time_zone,
        course_days=frozenset(day for cycle in cycles for day in _days(cycle, today)),
        last_on=_day(row.last_at, row.last_zone),
        fever_on=_day(row.hot_at, row.hot_zone) if over else None,
    )


def _is_over(reading: Temperature, versions: list[PlanVersion], today: date) -> bool:
    """By the version in force, which is the newest that has begun, else the first."""
    begun = [version for version in versions if version.starts_on <= today] or versions[:1]
    limit = Temperature(begun[-1].fever_above, begun[-1].fever_unit) if begun else NO_PLAN_LIMIT
    return reading.fahrenheit > limit.fahrenheit


def _days(cycle: Cycle, today: date) -> list[date]:
    """Every day from the first to the last injection; a course that waits after it began has none."""
    if not (cycle.goes_ahead or cycle.starts_on > today):
        return []
    last = min(cycle.stopped_on, cycle.last_dose_on) if cycle.stopped_on else cycle.last_dose_on
    return [cycle.starts_on + timedelta(days=number) for number in range((last - cycle.starts_on).days + 1)]


def _day(at: datetime | None, zone: str | None) -> date | None:
    return at.astimezone(ZoneInfo(zone)).date() if at and zone else None
