"""Rows for tests, made by the real actions, so that no impossible row exists. The cast: see `cast`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import connection, models
from django.utils import timezone

from cycles import questions
from cycles.actions import Logged, log_injection, void_injection
from cycles.hold_actions import raise_hold
from cycles.models import Cycle, Hold, Plan, PlannedDose, Protocol, Readiness
from cycles.plan_actions import create_plan
from cycles.ready_actions import answer_question, confirm_start
from cycles.regimen import MIU, Regimen
from cycles.schedule import SLOTS
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.alerts.actions import raise_alert
from tests import rows

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    """Anna (HIV) and Dan (kidney) are patients of Clinic North, where Ben is a nurse. Sam is Anna's carer.

    Carla works in Clinic South, Eve is the administrator.
    """

    anna: User
    ben: User
    carla: User
    dan: User
    eve: User
    sam: User
    north: Clinic
    south: Clinic
    anna_patient: Patient
    dan_patient: Patient


def user(name: str, **facts: Any) -> User:
    """A person who signs in with name@example.org."""
    return accounts.create_user(by=None, email=f"{name.lower()}@example.org", name=name, password=PASSWORD, **facts)


def clinic(name: str) -> Clinic:
    """A clinic in London with a day number, a night number and 999, which leaves starts to its patients."""
    return accounts.create_clinic(
        by=None,
        name=name,
        slug=name.lower().replace(" ", "-"),
        time_zone="Europe/London",
        day_phone="020 7946 0018",
        night_phone="020 7946 0019",
        opens_at=time(8),
        closes_at=time(18),
        emergency_phone="999",
        confirms_starts=False,
    )


def cast() -> Cast:
    """Everybody, without plans. The actions make them once in a process; after that the same rows are put back."""
    if _made and not User.objects.exists():
        return _made[0].again()
    made = _cast()
    if not _made and User.objects.count() == len(CAST_USERS):
        _made.append(_Remembered.of(made))
    return made


_made: list[_Remembered] = []
CAST_USERS = ("Anna", "Ben", "Carla", "Dan", "Sam", "Eve")


@dataclass(frozen=True)
class _Remembered:
    """The rows of the cast that was made first, to be put back with the same keys at another time."""

    cast: Cast
    state: rows.State
    moments: dict[str, list[int]]
    """Table → which of its columns hold moments."""

    @classmethod
    def of(cls, made: Cast) -> _Remembered:
        theirs = [model for model in apps.get_models() if model._meta.app_label in {"accounts", "audit"}]
        state = rows.taken([model._meta.db_table for model in theirs])
        named = {model._meta.db_table: _moments(model) for model in theirs}
        places = {
            table: [place for place, column in enumerate(kept.columns) if column in named[table]]
            for table, kept in state.items()
        }
        kept = {field.name: _copy(getattr(made, field.name), timezone.now()) for field in fields(Cast)}
        return cls(Cast(**kept), state, places)  # copies: the first test may change what it was handed

    def again(self) -> Cast:
        now = timezone.now()
        at = connection.ops.adapt_datetimefield_value(now)
        rows.put({table: _moved(kept, self.moments[table], at) for table, kept in self.state.items()})
        people = {field.name: getattr(self.cast, field.name) for field in fields(Cast)}
        return Cast(**{name: _copy(person, now) for name, person in people.items()})


def _moments(model: type[models.Model]) -> set[str]:
    return {field.attname for field in model._meta.concrete_fields if isinstance(field, models.DateTimeField)}


def _moved(kept: rows.Rows, places: list[int], at: Any) -> rows.Rows:
    """The same rows, each moment in them `at`."""
    values = [list(row) for row in kept.values]
    for row in values:
        for place in places:
            row[place] = row[place] and at
    return rows.Rows(kept.table, kept.columns, [tuple(row) for row in values])


def _copy(row: Any, now: datetime) -> Any:
    """The row with each of its moments now, as if it had just been read."""
    moments = _moments(type(row))
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    copy = type(row)(**{name: now if value and name in moments else value for name, value in values.items()})
    copy._state.adding, copy._state.db = False, connection.alias
    return copy


def _cast() -> Cast:
    people = {name: user(name) for name in ("Anna", "Ben", "Carla", "Dan", "Sam")}
    eve = user("Eve", is_staff=True)
    north, south = clinic("Clinic North"), clinic("Clinic South")
    accounts.join_clinic(by=eve, clinic=north, user=people["Ben"], title="nurse", on_call_rank=1)
    accounts.join_clinic(by=eve, clinic=south, user=people["Carla"], title="doctor", on_call_rank=1)
    known = {"by": people["Ben"], "clinic": north, "earlier_il2": "never"}
    anna = accounts.create_patient(**known, user=people["Anna"], birth_year=1974)
    dan = accounts.create_patient(**known, user=people["Dan"], birth_year=1961)
    accounts.share_with_person(by=people["Anna"], patient=anna, person=people["Sam"], may_record=True)
    return Cast(
        anna=people["Anna"],
        ben=people["Ben"],
        carla=people["Carla"],
        dan=people["Dan"],
        eve=eve,
        sam=people["Sam"],
        north=north,
        south=south,
        anna_patient=anna,
        dan_patient=dan,
    )


def lone_patient(name: str = "Lee") -> Patient:
    """A patient without a clinic, who has entered numbers of his own."""
    person = user(name)
    return accounts.create_patient(
        by=person,
        user=person,
        time_zone="Europe/London",
        team_phone="020 7946 0100",
        emergency_phone="999",
        earlier_il2="never",
    )


def plan(
    patient: Patient,
    by: User,
    *,
    protocol: str = "hiv-sc-7-5",
    starts_on: date | None = None,
    now: datetime | None = None,
    **terms: Any,
) -> Plan:
    """A plan from the library, with 10:00 and 22:00 for morning and evening. Starts today when no date is given."""
    row = Protocol.objects.get(slug=protocol)
    now = now or timezone.now()
    starts_on = starts_on or patient.today(now)
    hours = dict(zip(SLOTS, ("00:00", "10:00", "12:00", "16:00", "22:00", "22:00"), strict=True))
    return create_plan(
        by=by,
        patient=patient,
        protocol=row,
        document=terms.pop("document", row.document),
        slot_times={slot: hours[slot] for slot in row.regimen.slots},
        starts_on=starts_on,
        now=now,
        past=starts_on < patient.today(now),
        **terms,
    )


def filled(regimen: Regimen, amount: Decimal) -> Regimen:
    """The same days in MIU, with this amount wherever the regimen leaves one open or names it by body size."""
    blanks = set(regimen.blanks)
    phases = [
        replace(phase, doses=tuple(replace(d, amount=amount) if (n, d.week) in blanks else d for d in phase.doses))
        for n, phase in enumerate(regimen.phases, 1)
    ]
    return Regimen(MIU, tuple(phases))


def injection(
    patient: Patient, by: User, dose: PlannedDose | None = None, *, at: datetime | None = None, **facts: Any
) -> Logged:
    """A recorded injection: the planned amount at the planned moment, unless said otherwise."""
    state = facts.pop("state", "taken")
    given_at = at or (dose.due_at if dose else timezone.now())
    if state != "skipped":
        facts.setdefault("given_at", given_at)
        facts.setdefault("amount", dose.amount if dose else None)
    now = facts.pop("now", None) or max(timezone.now(), given_at + timedelta(minutes=1))
    return log_injection(
        by=by, patient=patient, key=facts.pop("key", None) or uuid4(), state=state, dose=dose, now=now, **facts
    )


def hold(by: User, cycle: Cycle, reason: str = "fever", *, kind: str = "other", now: datetime | None = None) -> Hold:
    """A course that waits."""
    return raise_hold(by=by, cycle=cycle, kind=kind, reason=reason, now=now or timezone.now())


def confirms_starts(*clinics: Clinic) -> None:
    """Clinics without whose word no course starts."""
    Clinic.objects.filter(pk__in=[clinic.pk for clinic in clinics]).update(confirms_starts=True)


def confirm(by: User, cycle: Cycle, *, now: datetime | None = None, note: str = "") -> Readiness:
    """A first day that a member of the clinic confirmed."""
    return confirm_start(by=by, cycle=cycle, now=now or timezone.now(), note=note)


def answers(by: User, cycle: Cycle, *, now: datetime | None = None, **given: str) -> None:
    """Every question before a course answered "no", unless `given` says otherwise by its code."""
    for question in questions.asked(cycle.number):
        word = given.get(question.code, questions.NO)
        answer_question(by=by, cycle=cycle, question=question, answer=word, now=now or timezone.now())


def void(by: User, record: Any) -> Any:
    """An injection that was undone."""
    return void_injection(by=by, injection=record, now=record.recorded_at + timedelta(minutes=1))


def alert(patient: Patient, by: User, *, tier: str = "RED", rule: str = "T2") -> Any:
    """An alert that waits for the clinic."""
    return raise_alert(
        by=by,
        patient=patient,
        rule=rule,
        tier=tier,
        title="Much less urine",
        evidence="",
        source="tests",
        source_ref=uuid4().hex[:10],
        now=timezone.now(),
    )


def utc(*parts: int) -> datetime:
    """An aware UTC moment: utc(2026, 11, 21, 22)."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
