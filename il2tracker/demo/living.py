"""One person's life up to now, told through the real actions in the order in which it happened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from cycles import actions as cycles
from cycles import (
    earlier_actions,
    medication_actions,
    plan_actions,
    questions,
    ready_actions,
    schedule,
    site_actions,
    sites,
)
from cycles import version_actions as versions
from cycles.change_forms import SAME
from cycles.models import Cycle, Plan, PlannedDose, Protocol
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert, Step
from il2tracker.demo import laboratory, story
from il2tracker.demo.laboratory import Panel
from il2tracker.demo.roles import Before, Draw, Earlier, Expects, Feeling, Life, NewAmount, Place, Report
from labs import actions as labs
from labs import import_actions
from labs.models import Analyte
from labs.written import parse
from sideeffects import actions as sideeffects
from sideeffects import expectation_actions
from sideeffects.models import Symptom
from sideeffects.units import parse_pressure, parse_temperature, parse_weight

PLANNED_BEFORE = timedelta(days=23)
PREPARED_BEFORE = CHANGED_BEFORE = timedelta(days=2)
REPORTED_BEFORE = timedelta(days=1)
# Minutes after the planned time, in turn: people are never on the minute.
MINUTES_LATE = (2, 5, 6, 1, -2, 12, 4, 0, 9, 3)
RECORDED_AFTER = timedelta(minutes=3)
ANSWERED_AFTER = timedelta(minutes=4)
ACKNOWLEDGED_AFTER = timedelta(minutes=7)
CALLED_AFTER = timedelta(minutes=11)
STAYS_IN_HAND = timedelta(hours=36)
CLOSING_WORDS = "Called again the next day: better."
NOTICED_AT = time(20)
RESULT_AFTER = timedelta(days=2)


@dataclass(frozen=True)
class Ground:
    """Whose life it is, who signs for the clinic, and when it is told."""

    patient: Patient
    user: User
    signer: User
    now: datetime

    @cached_property
    def today(self) -> date:
        """The patient's civil day."""
        return self.patient.today(self.now)

    def at(self, on: date, clock: time) -> datetime:
        """The moment of a patient's local time."""
        return schedule.moment(on, clock, self.patient.zone)


Starts = Mapping[int, date]


def live(life: Life, ground: Ground) -> None:
    """Everything of one life. The patient is there and has nothing yet."""
    plan = _plan(life, ground)
    _confirm_started(plan, ground)
    starts = dict(plan.cycles.values_list("number", "starts_on"))
    for name, kind in life.medicines:
        medication_actions.add_medication(by=ground.user, patient=ground.patient, name=name, kind=kind, now=ground.now)
    for place in life.places:
        _notice(place, starts[place.course], ground)
    _inject(life, starts, ground)
    if life.before:
        _prepare(life.before, _coming(plan), ground)
    for draw in life.draws:
        _draw(draw, starts[draw.course], ground)
    if life.panels:
        _send_results(life.panels, starts, ground)
    for feeling in life.feelings:
        _feel(feeling, starts[feeling.course], ground)
    for one in life.expects:
        _expect(one, ground)
    _afterwards(life, plan, starts, ground)


def _afterwards(life: Life, plan: Plan, starts: Starts, ground: Ground) -> None:
    """What changes the numbers or the plan of the courses comes last: the rest is told by the plan's first numbers."""
    if life.earlier:
        _enter_earlier(life.earlier, plan, starts[1], ground)
    if life.change:
        _change(life.change, plan, ground)
    if life.report:
        _report(life.report, _coming(plan), ground)


def _coming(plan: Plan) -> Cycle:
    return plan.cycles.order_by("starts_on").reverse()[0]


def _plan(life: Life, ground: Ground) -> Plan:
    """Made three weeks before course 1, as a clinic would; later courses open as their time comes."""
    protocol = Protocol.objects.get(slug=life.protocol)
    starts_on = life.starts_on(ground.today)
    plan = plan_actions.create_plan(
        by=ground.signer,
        patient=ground.patient,
        protocol=protocol,
        document=_document(protocol.document, life.amount),
        slot_times=_hours(protocol),
        starts_on=starts_on,
        now=ground.at(starts_on - PLANNED_BEFORE, time(11)),
        cd4_goal=600 if protocol.indication == "hiv" else None,
        **life.terms,
    )
    plan_actions.open_next_cycle(plan=plan, today=ground.today, past=True)
    return plan


def _hours(protocol: Protocol) -> dict[str, str]:
    return {slot: story.HOURS[slot] for slot in protocol.regimen.slots}


def _document(document: dict[str, Any], amount: str | None) -> dict[str, Any]:
    """The protocol's regimen with `amount` wherever it names none."""
    filled: dict[str, Any] = json.loads(json.dumps(document))
    for dose in (dose for phase in filled["phases"] for dose in phase["doses"]):
        dose["amount"] = dose["amount"] or amount
    return filled


def _confirm_started(plan: Plan, ground: Ground) -> None:
    """Two days before each course, as a clinic would."""
    for cycle in plan.cycles.filter(starts_on__lte=ground.today).order_by("number"):
        at = ground.at(cycle.starts_on - PREPARED_BEFORE, time(11))
        ready_actions.confirm_start(by=ground.signer, cycle=cycle, now=at)


def _prepare(before: Before, cycle: Cycle, ground: Ground) -> None:
    by, at = ground.user, ground.now - PREPARED_BEFORE
    for question in questions.asked(cycle.number):
        word, note = before.answers.get(question.code, (questions.NO, ""))
        ready_actions.answer_question(by=by, cycle=cycle, question=question, answer=word, note=note, now=at)
    ready_actions.send_answers(by=by, cycle=cycle, now=at, known={})
    ticked = dict.fromkeys(before.ready, "")
    ready_actions.keep_list(by=by, cycle=cycle, ticked=ticked, wanted=set(ticked), now=at, companion={})
    if before.confirmed:
        at += ANSWERED_AFTER
        ready_actions.confirm_start(by=ground.signer, cycle=cycle, now=at, note=before.confirmed)


def _notice(place: Place, starts_on: date, ground: Ground) -> None:
    """Written down on the day it was noticed, and again on the day it was gone."""
    on = place.noticed_on(starts_on)
    reaction = site_actions.report_reaction(
        by=ground.user,
        patient=ground.patient,
        site=place.site,
        kind=place.kind,
        noticed_on=on,
        now=ground.at(on, NOTICED_AT),
        size_mm=place.size_mm,
        note=place.note,
    )
    if place.gone_after is not None:
        gone_on = on + timedelta(days=place.gone_after)
        site_actions.clear_reaction(by=ground.user, reaction=reaction, on=gone_on, now=ground.at(gone_on, NOTICED_AT))


def _inject(life: Life, starts: Starts, ground: Ground) -> None:
    used: list[tuple[str, datetime]] = []
    doses = PlannedDose.objects.of(ground.patient).filter(due_at__lte=ground.now).select_related("cycle")
    for count, dose in enumerate(doses):
        place = (dose.cycle.number, dose.day, dose.slot)
        if place in life.open_doses:
            continue
        if reason := life.skipped.get(place):
            facts: dict[str, Any] = {"state": "skipped", "reason": reason}
        else:
            given_at = min(ground.now, dose.due_at + timedelta(minutes=MINUTES_LATE[count % len(MINUTES_LATE)]))
            resting = [each.site for each in life.places if each.rests_on(dose.due_on, starts[each.course])]
            site = sites.suggest(sites.within_reach(sites.SITES), used, resting) or ""
            used.append((site, given_at))
            facts = {"state": "taken", "given_at": given_at, "amount": dose.amount, "site": site}
            facts["premedicated"] = place not in life.without_medicines if "premedication" in life.terms else None
        recorded_at = min(ground.now, facts.get("given_at", dose.due_at) + RECORDED_AFTER)
        cycles.log_injection(by=ground.user, patient=ground.patient, key=uuid4(), dose=dose, now=recorded_at, **facts)


def _draw(draw: Draw, starts_on: date, ground: Ground) -> None:
    on = starts_on + timedelta(days=draw.day)
    taken_at = ground.at(on, laboratory.DRAWN_AT)
    tests = {test.code: test for test in Analyte.objects.filter(code__in=draw.values)}
    labs.add_results(
        by=ground.user if draw.by_patient else ground.signer,
        patient=ground.patient,
        drawn=labs.Drawn(on, taken_at),
        readings={tests[code]: parse(tests[code].rule, text) for code, text in draw.values.items()},
        now=taken_at + RESULT_AFTER,
    )


def _send_results(panels: Sequence[Panel], starts: Starts, ground: Ground) -> None:
    """The laboratory's file of all courses, added in one go by the clinic."""
    content = laboratory.table(panels, starts)
    batch = import_actions.keep_upload(
        by=ground.signer, patient=ground.patient, file_name=laboratory.FILE_NAME, content=content, now=ground.now
    )
    import_actions.confirm_upload(by=ground.signer, batch=batch, patients={"": ground.patient}, now=ground.now)


def _feel(feeling: Feeling, starts_on: date, ground: Ground) -> None:
    felt_at = ground.at(starts_on + timedelta(days=feeling.day - 1), feeling.at)
    if felt_at > ground.now:
        return
    answers = sideeffects.Answers(
        flags=frozenset(feeling.flags),
        none_of_flags=not feeling.flags,
        temperature=parse_temperature(feeling.celsius),
        temperature_typed=feeling.celsius,
        severities=feeling.symptoms,
        no_symptoms=not feeling.symptoms and not feeling.flags,
        weight=parse_weight(feeling.kilograms, "kg") if feeling.kilograms else None,
        pressure=parse_pressure(feeling.pressure) if feeling.pressure else None,
    )
    sideeffects.record_check_in(by=ground.user, patient=ground.patient, key=uuid4(), answers=answers, now=felt_at)
    if feeling.clinic_note:
        _settle(feeling.clinic_note, felt_at, ground)


def _expect(one: Expects, ground: Ground) -> None:
    expectation_actions.expect(
        by=ground.signer,
        patient=ground.patient,
        symptom=Symptom.objects.get(code=one.symptom),
        worst=one.worst,
        until=ground.today + timedelta(days=one.days),
        note=one.why,
        now=ground.now,
    )


def _settle(note: str, felt_at: datetime, ground: Ground) -> None:
    for alert in Alert.objects.open().of(ground.patient):
        alerts.answer(by=ground.user, alert=alert, answer=Alert.Answer.CALLED, now=felt_at + ANSWERED_AFTER)
        alerts.acknowledge(by=ground.signer, alert=alert, now=felt_at + ACKNOWLEDGED_AFTER)
        about: dict[str, Any] = {"by": ground.signer, "alert": alert}
        alerts.take_step(**about, what=Step.What.REACHED, note=note, now=felt_at + CALLED_AFTER)
        if ground.now - felt_at > STAYS_IN_HAND:
            alerts.take_step(**about, what=Step.What.CLOSED, note=CLOSING_WORDS, now=felt_at + STAYS_IN_HAND)


def _enter_earlier(told: tuple[Earlier, ...], plan: Plan, first_on: date, ground: Ground) -> None:
    courses = [_told(each, first_on - timedelta(days=each.before)) for each in told]
    earlier_actions.record_earlier(by=ground.signer, plan=plan, count=len(told), courses=courses, now=ground.now)


def _told(earlier: Earlier, starts_on: date) -> earlier_actions.EarlierCourse:
    given = earlier_actions.ALL if earlier.given is None else earlier.given
    if earlier.stopped_after is None:
        return earlier_actions.EarlierCourse(starts_on, given=given)
    last_on = starts_on + timedelta(days=earlier.stopped_after - 1)
    return earlier_actions.EarlierCourse(starts_on, last_on, given=given, stopped=True)


def _change(change: NewAmount, plan: Plan, ground: Ground) -> None:
    """Only the amounts: what else the plan says stays as it is."""
    coming, first = _coming(plan), plan.current_version
    document: dict[str, Any] = json.loads(json.dumps(first.document))
    for dose in (dose for phase in document["phases"] for dose in phase["doses"]):
        dose["amount"] = change.amount
    versions.change_plan(
        by=ground.signer,
        plan=plan,
        base_number=first.number,
        from_course=coming.number,
        document=document,
        slot_times=first.slot_times,
        starts_on=coming.starts_on,
        now=ground.now - CHANGED_BEFORE,
        change_reason=change.reason,
        **{name: getattr(first, name) for name in SAME},
    )


def _report(report: Report, cycle: Cycle, ground: Ground) -> None:
    at = ground.now - REPORTED_BEFORE
    ready_actions.report_change(
        by=ground.user, patient=ground.patient, cycle=cycle, kind=report.kind, words=report.words, now=at
    )
