"""Filling the demo clinic through the real actions, and emptying it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Min

from cycles import actions as cycles
from cycles import plan_actions, questions, ready_actions, schedule, sites
from cycles.models import Plan, PlannedDose, Protocol
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.audit import triggers
from il2tracker.demo import story
from labs import actions as labs
from labs.models import Analyte
from labs.units import parse
from sideeffects import actions as sideeffects
from sideeffects.units import parse_temperature

PLANNED_BEFORE = timedelta(days=23)
PREPARED_BEFORE = timedelta(days=2)
LIBRARIES: tuple[Callable[[], None], ...] = (plan_actions.load_library, labs.load_library, sideeffects.load_library)
# Minutes after the planned time, in turn: people are never on the minute.
MINUTES_LATE = (2, 5, 6, 1, -2, 12, 4, 0, 9, 3)
RECORDED_AFTER = timedelta(minutes=3)
ANSWERED_AFTER = timedelta(minutes=4)
ACKNOWLEDGED_AFTER = timedelta(minutes=7)
DRAWN_AT = time(8, 30)
RESULT_AFTER = timedelta(days=2)


class NotTheDemoError(Exception):
    """This database, or this installation, is not a place for invented people."""


def filled_on() -> date | None:
    """The day on which the demo was filled, on the installation's own calendar; None when it was not."""
    first = User.objects.filter(is_demo=True).aggregate(at=Min("date_joined"))["at"]
    return first.astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE)).date() if first else None


@transaction.atomic
def fill(*, now: datetime) -> bool:
    """Fill an empty database with the demo clinic as it stands at `now`. False when it is filled already.

    Raises NotTheDemoError outside demo mode, and when the database holds other people.
    """
    _refuse_outside_the_demo()
    if filled_on() is not None:
        return False
    _refuse_other_people()
    clinics = {facts["slug"]: _clinic(facts) for facts in (story.NORTH, story.SOUTH)}
    signers = {staff.clinic: _staff(staff, clinics) for staff in story.STAFF}
    for life in story.LIVES:
        _live(life, clinics[life.clinic], signers[life.clinic], now)
    return True


@transaction.atomic
def reset(*, now: datetime) -> None:
    """Empty the database of everything, the access log too, and fill it anew. Raises NotTheDemoError as `fill` does."""
    _refuse_outside_the_demo()
    _refuse_other_people()
    triggers.drop(connection)
    call_command("flush", interactive=False, verbosity=0)
    for load_library in LIBRARIES:
        load_library()
    triggers.create(connection)
    cache.clear()
    fill(now=now)


def _refuse_outside_the_demo() -> None:
    if not settings.DEMO:
        raise NotTheDemoError("This is not a demo: IL2_DEMO is off. Nothing was changed.")


def _refuse_other_people() -> None:
    """A reset empties everything: whoever added real people meanwhile must not lose them."""
    if User.objects.filter(is_demo=False).exists() or (filled_on() is None and Patient.objects.exists()):
        raise NotTheDemoError("This database holds people who are not of the demo. Nothing was changed.")


def _clinic(facts: dict[str, Any]) -> Clinic:
    return accounts.create_clinic(by=None, time_zone=settings.DEFAULT_TIME_ZONE, **facts)


def _staff(staff: story.Staff, clinics: dict[str, Clinic]) -> User:
    user = _user(staff.email, staff.name, signs_in=True, is_staff=not staff.clinic)
    if staff.clinic:
        accounts.join_clinic(by=None, clinic=clinics[staff.clinic], user=user, title=staff.title, on_call_rank=1)
    return user


def _user(email: str, name: str, *, signs_in: bool, is_staff: bool = False) -> User:
    password = story.PASSWORD if signs_in else None
    return accounts.create_user(by=None, email=email, name=name, password=password, is_staff=is_staff, is_demo=True)


def _live(life: story.Life, clinic: Clinic, signer: User, now: datetime) -> None:
    user = _user(life.email, life.name, signs_in=life.signs_in)
    patient = accounts.create_patient(
        by=signer,
        clinic=clinic,
        user=user,
        code=life.code,
        birth_year=life.birth_year,
        earlier_il2=Patient.EarlierIL2.NEVER,
        **life.facts,
    )
    plan = _plan(life, patient, signer, patient.today(now))
    _confirm_started(plan, signer, patient.today(now))
    if life.before:
        _prepare(life.before, plan, user, signer, now - PREPARED_BEFORE)
    starts = dict(plan.cycles.values_list("number", "starts_on"))
    _inject(life, patient, user, now)
    for draw in life.draws:
        _draw(draw, starts[draw.course], patient, user if draw.by_patient else signer)
    for feeling in life.feelings:
        _feel(feeling, starts[feeling.course], patient, user, signer, now)


def _plan(life: story.Life, patient: Patient, signer: User, today: date) -> Plan:
    """Made three weeks before course 1, as a clinic would; later courses open as their time comes."""
    protocol = Protocol.objects.get(slug=life.protocol)
    starts_on = life.starts_on(today)
    plan = plan_actions.create_plan(
        by=signer,
        patient=patient,
        protocol=protocol,
        document=_document(protocol, life.amount),
        slot_times={slot: story.HOURS[slot] for slot in protocol.regimen.slots},
        starts_on=starts_on,
        now=schedule.moment(starts_on - PLANNED_BEFORE, time(11), patient.zone),
        cd4_goal=600 if protocol.indication == "hiv" else None,
        **life.terms,
    )
    plan_actions.open_next_cycle(plan=plan, today=today)
    return plan


def _confirm_started(plan: Plan, signer: User, today: date) -> None:
    """Two days before each course, as a clinic would."""
    for cycle in plan.cycles.filter(starts_on__lte=today).order_by("number"):
        at = schedule.moment(cycle.starts_on - timedelta(days=2), time(11), plan.patient.zone)
        ready_actions.confirm_start(by=signer, cycle=cycle, now=at)


def _prepare(before: story.Before, plan: Plan, user: User, signer: User, at: datetime) -> None:
    cycle = plan.cycles.order_by("-number").first()
    assert cycle is not None
    for question in questions.asked(cycle.number):
        word, note = before.answers.get(question.code, (questions.NO, ""))
        ready_actions.answer_question(by=user, cycle=cycle, question=question, answer=word, note=note, now=at)
    ready_actions.send_answers(by=user, cycle=cycle, now=at, known={})
    ticked = dict.fromkeys(before.ready, "")
    ready_actions.keep_list(by=user, cycle=cycle, ticked=ticked, wanted=set(ticked), now=at, companion={})
    if before.confirmed:
        ready_actions.confirm_start(by=signer, cycle=cycle, now=at + ANSWERED_AFTER, note=before.confirmed)


def _document(protocol: Protocol, amount: str | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(protocol.document))
    for dose in (dose for phase in document["phases"] for dose in phase["doses"]):
        dose["amount"] = dose["amount"] or amount
    return document


def _inject(life: story.Life, patient: Patient, user: User, now: datetime) -> None:
    used: list[tuple[str, datetime]] = []
    doses = PlannedDose.objects.of(patient).filter(due_at__lte=now).select_related("cycle")
    for count, dose in enumerate(doses):
        place = (dose.cycle.number, dose.day, dose.slot)
        if place in life.open_doses:
            continue
        if reason := life.skipped.get(place):
            facts: dict[str, Any] = {"state": "skipped", "reason": reason}
        else:
            given_at = min(now, dose.due_at + timedelta(minutes=MINUTES_LATE[count % len(MINUTES_LATE)]))
            site = sites.suggest(sites.within_reach(sites.SITES), used) or ""
            used.append((site, given_at))
            facts = {"state": "taken", "given_at": given_at, "amount": dose.amount, "site": site}
        recorded_at = min(now, facts.get("given_at", dose.due_at) + RECORDED_AFTER)
        cycles.log_injection(by=user, patient=patient, key=uuid4(), dose=dose, now=recorded_at, **facts)


def _draw(draw: story.Draw, starts_on: date, patient: Patient, by: User) -> None:
    on = starts_on + timedelta(days=draw.day)
    taken_at = schedule.moment(on, DRAWN_AT, patient.zone)
    tests = {test.code: test for test in Analyte.objects.filter(code__in=draw.values)}
    labs.add_results(
        by=by,
        patient=patient,
        drawn=labs.Drawn(on, taken_at),
        readings={tests[code]: parse(tests[code].rule, text) for code, text in draw.values.items()},
        now=taken_at + RESULT_AFTER,
    )


def _feel(feeling: story.Feeling, starts_on: date, patient: Patient, user: User, signer: User, now: datetime) -> None:
    felt_at = schedule.moment(starts_on + timedelta(days=feeling.day - 1), feeling.at, patient.zone)
    if felt_at > now:
        return
    answers = sideeffects.Answers(
        flags=frozenset(feeling.flags),
        none_of_flags=not feeling.flags,
        temperature=parse_temperature(feeling.celsius),
        temperature_typed=feeling.celsius,
        severities=feeling.symptoms,
        no_symptoms=not feeling.symptoms and not feeling.flags,
    )
    sideeffects.record_check_in(by=user, patient=patient, key=uuid4(), answers=answers, now=felt_at)
    if feeling.clinic_note:
        _settle(patient, user, signer, feeling, felt_at)


def _settle(patient: Patient, user: User, signer: User, feeling: story.Feeling, felt_at: datetime) -> None:
    for alert in Alert.objects.open().of(patient):
        alerts.answer(by=user, alert=alert, answer=Alert.Answer.CALLED, now=felt_at + ANSWERED_AFTER)
        at = felt_at + ACKNOWLEDGED_AFTER
        alerts.acknowledge(by=signer, alert=alert, note=feeling.clinic_note, now=at)
