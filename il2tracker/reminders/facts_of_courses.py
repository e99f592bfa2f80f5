"""What the database knows about courses to come, their bloodwork, and changes of plans: a statement or two for all."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from cycles import schedule
from cycles.bloodwork import draw_day
from cycles.models import Cycle, Injection, PlannedDose, PlanVersion
from il2tracker.accounts.models import Patient
from il2tracker.reminders.facts import OWNER, owner_of
from il2tracker.reminders.of_courses import CycleFact
from il2tracker.reminders.of_plans import VersionFact
from labs.course_tests import READABLE
from labs.models import LabResult

TESTS = {"cd4_on": "cd4", "rna_on": "hiv_rna"}  # a draw before a course is both (P54)


def cycles_starting(since: date, until: date, now: datetime, **whose: Any) -> list[CycleFact]:
    """Courses of people with an account that start in these days."""
    return _cycles(now, starts_on__gte=since, starts_on__lte=until, patient__user__isnull=False, **whose)


def cycle(cycle_id: int, now: datetime) -> CycleFact | None:
    """One course as it stands now."""
    return next(iter(_cycles(now, pk=cycle_id)), None)


def _cycles(now: datetime, **which: Any) -> list[CycleFact]:
    return [_cycle_fact(row, now) for row in _cycle_question().filter(**which)]


@cache
def _cycle_question() -> QuerySet[Cycle, dict[str, Any]]:
    earlier = PlannedDose.objects.counting().filter(
        patient=OuterRef("patient"), due_on__lt=OuterRef("starts_on"), cycle__version__timing_matters=True
    )
    unskipped = earlier.exclude(
        Exists(Injection.objects.standing().filter(planned_dose=OuterRef("pk"), state=Injection.State.SKIPPED))
    )
    given = Injection.objects.given().filter(patient=OuterRef("patient"))
    given = given.filter(Q(planned_dose=None) | Q(planned_dose__cycle__version__timing_matters=True))
    last_given = given.order_by("-given_at")
    results = LabResult.objects.standing().filter(
        READABLE, patient=OuterRef("patient"), drawn_on__lt=OuterRef("starts_on")
    )
    latest = {name: results.of_tests(code).order_by("-drawn_on").values("drawn_on")[:1] for name, code in TESTS.items()}
    return Cycle.objects.values(
        *OWNER,
        *("pk", "starts_on", "state", "patient__time_zone", "patient__earlier_il2", "patient__earlier_il2_on"),
        ended_on=F("plan__ended_on"),
        timing_matters=F("version__timing_matters"),
        planned_on=Subquery(unskipped.order_by("-due_on").values("due_on")[:1]),
        given_at=Subquery(last_given.values("given_at")[:1]),
        given_zone=Subquery(last_given.values("zone")[:1]),
        booked_for=F("bloodwork__booked_for"),
        taken_on=F("bloodwork__drawn_on"),
        **{name: Subquery(days) for name, days in latest.items()},
    )


def _cycle_fact(row: dict[str, Any], now: datetime) -> CycleFact:
    last_dose_on = _last_dose_on(row)
    unknown = last_dose_on is None and row["patient__earlier_il2"] == Patient.EarlierIL2.UNKNOWN
    window = None if unknown else schedule.booking_window(last_dose_on, row["starts_on"])
    due_on = schedule.bloodwork_due(row["starts_on"])
    draw_on = draw_day(due_on, last_dose_on)
    if window and draw_on < due_on:
        window = (draw_on, window[1])
    return CycleFact(
        owner=owner_of(row),
        cycle_id=row["pk"],
        starts_on=row["starts_on"],
        zone=row["patient__time_zone"],
        state=row["state"],
        timing_matters=row["timing_matters"],
        window=window,
        arranged=_is_under_way(row, now),
        results_in=_results_are_in(row, last_dose_on),
        draw_on=draw_on if draw_on < due_on else None,
    )


def _is_under_way(row: dict[str, Any], now: datetime) -> bool:
    """Taken, or booked for a day that is not over, in the weeks that belong to this course (it may have been moved)."""
    opens, closes = schedule.bloodwork_window(row["starts_on"])
    today = now.astimezone(ZoneInfo(row["patient__time_zone"])).date()
    booked, taken = row["booked_for"], row["taken_on"]
    return bool(booked and max(opens, today) <= booked <= closes) or bool(taken and opens <= taken <= closes)


def _results_are_in(row: dict[str, Any], last_dose_on: date | None) -> bool:
    """A reliable CD4+ count and a reliable viral load of the weeks before the course, perhaps of two days (D17)."""
    opens, closes = schedule.bloodwork_window(row["starts_on"])
    if last_dose_on is not None:
        opens = max(opens, schedule.reliable_from(last_dose_on))
    return all(row[name] is not None and opens <= row[name] <= closes for name in TESTS)


def _last_dose_on(row: dict[str, Any]) -> date | None:
    given_on = row["given_at"] and row["given_at"].astimezone(ZoneInfo(row["given_zone"])).date()
    known = [day for day in (row["planned_on"], given_on, row["patient__earlier_il2_on"]) if day]
    return max(known, default=None)


def versions_to_read(since: datetime, **whose: Any) -> list[VersionFact]:
    """Changes of running plans under which no injection was due at `since`."""
    return _versions(first_dose_at__gt=since, plan__patient__user__isnull=False, **whose)


def version(plan_id: int, number: int) -> VersionFact | None:
    """One version as it stands now; None when no course that follows it has a dose."""
    return next(iter(_versions(plan=plan_id, number=number, first_dose_at__isnull=False)), None)


def _versions(**which: Any) -> list[VersionFact]:
    return [_version_fact(row) for row in _version_question().filter(**which)]


@cache
def _version_question() -> QuerySet[PlanVersion, dict[str, Any]]:
    doses = PlannedDose.objects.counting().filter(cycle__version=OuterRef("pk")).order_by("due_at")
    newer = PlanVersion.objects.filter(plan=OuterRef("plan"), number__gt=OuterRef("number"))
    versions = PlanVersion.objects.filter(number__gt=1).order_by("pk")
    annotated = versions.annotate(first_dose_at=Subquery(doses.values("due_at")[:1]))
    return annotated.values(
        *("plan_id", "number", "signed_at", "signed_by_id", "read_at", "first_dose_at"),
        patient_id=F("plan__patient_id"),
        patient__user_id=F("plan__patient__user_id"),
        patient__user__is_active=F("plan__patient__user__is_active"),
        zone=F("plan__patient__time_zone"),
        ended_on=F("plan__ended_on"),
        applies_on=Subquery(doses.values("cycle__starts_on")[:1]),
        is_old=Exists(newer),
    )


def _version_fact(row: dict[str, Any]) -> VersionFact:
    return VersionFact(
        owner=owner_of(row),
        is_newest=not row["is_old"],
        is_read=row["read_at"] is not None or row["signed_by_id"] == row["patient__user_id"],
        **{name: row[name] for name in ("plan_id", "number", "signed_at", "applies_on", "first_dose_at", "zone")},
    )
