"""What the database knows that decides about reminders: a handful of statements, however many patients.

Each function takes the wide question of the planner or the narrow one of the last look before a mail leaves. A question
is put together once and asked of a fresh copy each time: `filter` makes one, so nothing that was read is kept.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from cycles import confirming, schedule
from cycles.models import Cycle, Hold, Injection, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Preference
from il2tracker.reminders.wishes import Choices, CycleFact, DoseFact, Owner
from labs.models import LabResult

TESTS = {"cd4_on": "cd4", "rna_on": "hiv_rna"}  # a draw before a course is both (P54)
OWNER = ("patient_id", "patient__user_id", "patient__user__is_active")


def doses_between(since: datetime, until: datetime) -> list[DoseFact]:
    """Doses of people with an account whose slot lies in the window, in order of time."""
    return _doses(due_at__gte=since, due_at__lte=until, patient__user__isnull=False)


def dose(cycle_id: int, day: int, slot: str) -> DoseFact | None:
    """One dose as it stands now."""
    return next(iter(_doses(cycle=cycle_id, day=day, slot=slot)), None)


def doses_of(patient_id: int, since: datetime, until: datetime) -> list[DoseFact]:
    """One patient's doses in the window."""
    return _doses(patient=patient_id, due_at__gte=since, due_at__lte=until)


def _doses(**which: Any) -> list[DoseFact]:
    return [_dose_fact(row) for row in _dose_question().filter(**which).iterator(chunk_size=2000)]


@cache  # every mail asks it under a lock: putting it together takes longer than the database's answer
def _dose_question() -> QuerySet[PlannedDose, dict[str, Any]]:
    following = PlannedDose.objects.counting().filter(patient=OuterRef("patient"), due_at__gt=OuterRef("due_at"))
    records = Injection.objects.filter(planned_dose=OuterRef("pk"))
    holds = Hold.objects.open().filter(patient=OuterRef("patient")).order_by("raised_at", "pk")
    known_then = PlannedDose.objects.exclude(cycle__entered_later=True)
    return known_then.order_by("due_at", "pk").values(
        *OWNER,
        *("cycle_id", "day", "slot", "due_on", "local_time", "zone", "due_at", "amount", "was_held"),
        **confirming.columns(cycle="cycle__"),
        starts_on=F("cycle__starts_on"),
        state=F("cycle__state"),
        ended_on=F("cycle__plan__ended_on"),
        inpatient=F("cycle__version__inpatient"),
        recorded=Exists(records.standing()),
        undone=Exists(records.filter(voided_at__isnull=False)),
        hold_ref=Subquery(holds.values("ref")[:1]),
        next_due_at=Subquery(following.order_by("due_at").values("due_at")[:1]),
    )


def _dose_fact(row: dict[str, Any]) -> DoseFact:
    return DoseFact(
        owner=_owner(row),
        local=datetime.combine(row["due_on"], row["local_time"]),
        unconfirmed=confirming.is_unconfirmed(row, row["starts_on"]),
        **{
            name: row[name]
            for name in (
                *("cycle_id", "day", "slot", "zone", "due_at", "amount", "starts_on"),
                *("next_due_at", "state", "inpatient", "was_held", "recorded", "undone", "hold_ref"),
            )
        },
    )


def _owner(row: dict[str, Any]) -> Owner:
    return Owner(
        patient_id=row["patient_id"],
        user_id=row["patient__user_id"],
        is_active=bool(row["patient__user__is_active"]),
        plan_ended=row["ended_on"] is not None,
    )


def cycles_starting(since: date, until: date, now: datetime) -> list[CycleFact]:
    """Courses of people with an account that start in these days."""
    return _cycles(now, starts_on__gte=since, starts_on__lte=until, patient__user__isnull=False)


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
    results = LabResult.objects.standing().filter(patient=OuterRef("patient"), drawn_on__lt=OuterRef("starts_on"))
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
    return CycleFact(
        owner=_owner(row),
        cycle_id=row["pk"],
        starts_on=row["starts_on"],
        zone=row["patient__time_zone"],
        state=row["state"],
        timing_matters=row["timing_matters"],
        window=window,
        arranged=_is_under_way(row, now) or _results_are_in(row, last_dose_on),
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


def open_alerts(patient_id: int | None = None) -> dict[int, str]:
    """Patient → the entry behind the oldest open alert that holds. It pauses reminders of doses ("hold wins")."""
    which = {} if patient_id is None else {"patient": patient_id}
    return dict(_alert_question().filter(**which))


@cache
def _alert_question() -> QuerySet[Alert, tuple[int, str]]:
    rows = Alert.objects.holding().order_by("-raised_at", "-pk")
    return rows.values_list("patient_id", "source_ref")


def choices(user_id: int | None = None) -> Choices:
    """What people chose where it differs from the start: everything on, 15 minutes before."""
    which = {} if user_id is None else {"user": user_id}
    found = list(_preference_question().filter(**which))
    off = frozenset((user, kind) for user, kind, is_on, _lead in found if not is_on)
    return Choices(off, {user: lead for user, kind, _on, lead in found if kind == kinds.INJECTION_DUE})


@cache
def _preference_question() -> QuerySet[Preference, tuple[int, str, bool, int]]:
    rows = Preference.objects.filter(~Q(is_on=True) | ~Q(lead_minutes=kinds.DEFAULT_LEAD))
    return rows.values_list("user_id", "kind", "is_on", "lead_minutes")
