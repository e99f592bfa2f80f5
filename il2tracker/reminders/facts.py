"""What the database knows about doses, people and their choices: a handful of statements, however many patients.

Each function takes the wide question of the planner or the narrow one of the last look before a mail leaves. A question
is put together once and asked of a fresh copy each time: `filter` makes one, so nothing that was read is kept.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from cycles import confirming
from cycles.models import Hold, Injection, PlannedDose
from il2tracker.accounts.models import Sharing
from il2tracker.alerts.models import Alert
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Delivery, Preference, Snooze
from il2tracker.reminders.of_doses import DoseFact
from il2tracker.reminders.wishes import Choices, Owner, Quiet

OWNER = ("patient_id", "patient__user_id", "patient__user__is_active")


def doses_between(since: datetime, until: datetime, **whose: Any) -> list[DoseFact]:
    """Doses of people with an account whose slot lies in the window, in order of time."""
    return _doses(due_at__gte=since, due_at__lte=until, patient__user__isnull=False, **whose)


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
    same_slot = {"cycle": OuterRef("cycle"), "day": OuterRef("day"), "slot": OuterRef("slot")}
    snoozes = Snooze.objects.filter(**same_slot).order_by("-pk")
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
        again_at=Subquery(snoozes.values("again_at")[:1]),
        again_ref=Coalesce(Subquery(snoozes.values("ref")[:1]), Value("")),
    )


def _dose_fact(row: dict[str, Any]) -> DoseFact:
    return DoseFact(
        owner=owner_of(row),
        local=datetime.combine(row["due_on"], row["local_time"]),
        unconfirmed=confirming.is_unconfirmed(row, row["starts_on"]),
        **{
            name: row[name]
            for name in (
                *("cycle_id", "day", "slot", "zone", "due_at", "amount", "starts_on"),
                *("next_due_at", "state", "inpatient", "was_held", "recorded", "undone", "hold_ref"),
                *("again_at", "again_ref"),
            )
        },
    )


def owner_of(row: dict[str, Any]) -> Owner:
    """From a row that has OWNER and ended_on."""
    return Owner(
        patient_id=row["patient_id"],
        user_id=row["patient__user_id"],
        is_active=bool(row["patient__user__is_active"]),
        plan_ended=row["ended_on"] is not None,
    )


def open_alerts(patient_id: int | None = None) -> dict[int, str]:
    """Patient → the entry behind the oldest open alert that holds. It pauses reminders of doses ("hold wins")."""
    which = {} if patient_id is None else {"patient": patient_id}
    return dict(_alert_question().filter(**which))


@cache
def _alert_question() -> QuerySet[Alert, tuple[int, str]]:
    rows = Alert.objects.holding().order_by("-raised_at", "-pk")
    return rows.values_list("patient_id", "source_ref")


def carers(patient_id: int | None = None) -> dict[int, list[int]]:
    """Patient → people who are told when something is not recorded, by the patient's own choice."""
    which = {} if patient_id is None else {"patient": patient_id}
    told: dict[int, list[int]] = {}
    for patient, person in _carer_question().filter(**which):
        told.setdefault(patient, []).append(person)
    return told


@cache
def _carer_question() -> QuerySet[Sharing, tuple[int, int]]:
    open_now = Sharing.objects.open().filter(person__is_active=True, told_if_not_recorded=True)
    return open_now.order_by("pk").values_list("patient_id", "person_id")


def choices(*user_ids: int | None) -> Choices:
    """What these people, or all, chose where it differs from the start, and whom a mail server refuses."""
    which = {"user__in": {user_id for user_id in user_ids if user_id}} if user_ids else {}
    found = list(_preference_question().filter(**which))
    habits = list(_delivery_question().filter(**which))
    return Choices(
        off=frozenset((row["user_id"], row["kind"]) for row in found if not row["is_on"]),
        on=frozenset((row["user_id"], row["kind"]) for row in found if row["is_on"]),
        leads={row["user_id"]: row["lead_minutes"] for row in found if row["kind"] == kinds.INJECTION_DUE},
        afters={row["user_id"]: row["after_minutes"] for row in found if row["kind"] == kinds.INJECTION_MISSING},
        quiets={row["user_id"]: Quiet(row["quiet_from"], row["quiet_to"], row["doses_pass"]) for row in habits},
        caps={row["user_id"]: row["most_per_day"] for row in habits},
        refused=frozenset(row["user_id"] for row in habits if row["refused_address"] == row["user__email"]),
    )


@cache
def _preference_question() -> QuerySet[Preference, Any]:
    as_ever = ~Q(kind__in=kinds.OFF_AT_FIRST) & Q(
        is_on=True, lead_minutes=kinds.DEFAULT_LEAD, after_minutes=kinds.DEFAULT_AFTER
    )
    return Preference.objects.exclude(as_ever).values("user_id", "kind", "is_on", "lead_minutes", "after_minutes")


@cache
def _delivery_question() -> QuerySet[Delivery, Any]:
    names = ("user_id", "user__email", "quiet_from", "quiet_to", "doses_pass", "most_per_day", "refused_address")
    return Delivery.objects.values(*names)
