"""What the database knows of those who want to be asked by mail how they are: three statements, however many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from cycles.models import Cycle, PlanVersion
from il2tracker.accounts.models import Patient
from il2tracker.reminders import kinds
from il2tracker.reminders.of_check_ins import CheckInFact
from il2tracker.reminders.wishes import Choices, Owner
from sideeffects import asking, fever
from sideeffects.models import CheckIn
from sideeffects.units import Temperature

ONE_DAY = timedelta(days=1)


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
    versions, cycles = asking.versions(found), _cycles(found, now)
    return [_fact(row, versions.get(row.pk, []), cycles.get(row.pk, []), now) for row in found]


def _cycles(patients: Sequence[Patient], now: datetime) -> dict[int, list[Cycle]]:
    """The course of each active plan that started last wherever on earth, and every later one."""
    rows = Cycle.objects.filter(patient__in=patients, plan__ended_on=None).exclude(state=Cycle.State.CANCELLED)
    begun = Cycle.objects.current(now.astimezone(UTC).date() - ONE_DAY).filter(plan=OuterRef("plan"))
    first = Coalesce(Subquery(begun.values("starts_on")[:1]), Value(date.min))
    found: dict[int, list[Cycle]] = {}
    for row in rows.filter(starts_on__gte=first):
        found.setdefault(row.patient_id, []).append(row)
    return found


def _fact(row: Any, versions: list[PlanVersion], cycles: list[Cycle], now: datetime) -> CheckInFact:
    today = row.today(now)
    over = row.hot is not None and fever.is_over(Temperature(row.hot, row.hot_unit), asking.in_force(versions, today))
    return CheckInFact(
        owner=Owner(row.pk, row.user_id, bool(row.user and row.user.is_active), plan_ended=False),
        zone=row.time_zone,
        course_days=frozenset(asking.course_days(asking.of_now(cycles, today), today)),
        last_on=_day(row.last_at, row.last_zone),
        fever_on=_day(row.hot_at, row.hot_zone) if over else None,
    )


def _day(at: datetime | None, zone: str | None) -> date | None:
    return at.astimezone(ZoneInfo(zone)).date() if at and zone else None
