"""Everything that is written about how patients feel, and the alerts that follow in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import OuterRef, Subquery
from simple_history.utils import bulk_create_with_history

from cycles import expected_hours, site_actions
from cycles.models import Injection, PlanVersion, SiteReaction
from il2tracker.accounts import access
from il2tracker.accounts.actions import update_patient
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from sideeffects import raising, said_before, triage
from sideeffects.answers import Answers
from sideeffects.asking import version_in_force
from sideeffects.facts import NO_PLAN_LIMIT, Facts, PlanFacts
from sideeffects.models import CheckIn, Effect, Expectation, Symptom, SymptomReport
from sideeffects.units import Temperature

__all__ = ["Answers", "Recorded"]

# App's own: how far back the rules look for runs of days and for the patient's usual; a bit over one 56-day cycle.
LOOK_BACK = timedelta(days=64)
# App's own: "a new reading over the line after it came down" means within a day (D13).
CAME_DOWN_FOR = timedelta(hours=24)
# What the table of effects keeps of catalogue.json; the words for patients are read from there (effects.py).
EFFECT_FACTS = ("code", "name", "kidney", "hiv", "lines", "pro_items", "ctcae", "alert", "level_is_own")


class Recorded(NamedTuple):
    """The check-in, and whether this call wrote it (False: it was there already, word for word)."""

    check_in: CheckIn
    created: bool


def load_library(symptom_model: type[Symptom] = Symptom, effect_model: type[Effect] = Effect) -> None:
    """Bring symptoms and effects to the state of catalogue.json. Safe to repeat; a migration passes its own models."""
    rows = json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
    for position, row in enumerate(rows["symptoms"]):
        symptom_model.objects.update_or_create(code=row["code"], defaults={**row, "position": position})
    symptoms = {symptom.code: symptom for symptom in symptom_model.objects.all()}
    for row in rows["effects"]:
        facts = {name: row[name] for name in EFFECT_FACTS}
        effect, _created = effect_model.objects.update_or_create(code=row["code"], defaults=facts)
        effect.symptoms.set([symptoms[code] for code in row["symptoms"]])


# Reading what the rules need


def facts_of(patient: Patient, answers: Answers, felt_at: datetime, version: PlanVersion | None) -> Facts:
    """Everything the rule table asks for, in four statements however long the record is."""
    before = CheckIn.objects.of(patient).filter(felt_at__gt=felt_at - LOOK_BACK, felt_at__lt=felt_at)
    given = Injection.objects.given().of(patient).filter(given_at__range=(felt_at - LOOK_BACK, felt_at))
    doses = list(given.values_list("given_at", flat=True))
    today = felt_at.astimezone(patient.zone).date()
    plan = _plan_facts(version)
    words, expected = _words(patient, felt_at, today)
    earlier = said_before.read(before, today)
    return Facts(
        felt_at=felt_at,
        today=today,
        flags=answers.flags,
        symptoms=answers.severities,
        temperature=answers.temperature,
        medicine=answers.medicine,
        plan=plan,
        came_down_before=_came_down_before(before, felt_at, plan),
        doses=doses,
        window_days=expected_hours.days(doses, patient.zone),
        earlier=earlier.everything,
        told=earlier.told,
        words=words,
        expected=expected,
    )


def _words(patient: Patient, felt_at: datetime, today: date) -> tuple[dict[str, str], dict[str, int]]:
    """How each symptom is worded, and up to which severity a clinician expects it then, in one statement."""
    standing = Expectation.objects.of(patient).at(felt_at, today).filter(symptom=OuterRef("pk")).order_by()
    rows = Symptom.objects.annotate(expected=Subquery(standing.values("worst"))).values_list("code", "word", "expected")
    known = list(rows)
    words = {code: word for code, word, _worst in known}
    return words, {code: worst for code, _word, worst in known if worst}


def _plan_facts(version: PlanVersion | None) -> PlanFacts | None:
    if version is None:
        return None
    return PlanFacts(version.indication, version.fever_above, version.fever_unit, version.fever_only_if_not_relieved)


def _came_down_before(before: Any, felt_at: datetime, plan: PlanFacts | None) -> bool:
    line = plan.limit if plan else NO_PLAN_LIMIT
    lately = before.filter(
        felt_at__gte=felt_at - CAME_DOWN_FOR, medicine=CheckIn.Medicine.CAME_DOWN, temperature__isnull=False
    )
    readings = lately.values_list("temperature", "temperature_unit")
    return any(Temperature(value, unit).fahrenheit > line.fahrenheit for value, unit in readings)


def assess(*, patient: Patient, answers: Answers, felt_at: datetime) -> list[triage.Finding]:
    """What the rule table says to these answers. Writes nothing."""
    version = version_in_force(patient, felt_at.astimezone(patient.zone).date())
    return triage.assess(facts_of(patient, answers, felt_at, version))


def said(check_in: CheckIn) -> Answers:
    """The answers that a check-in holds."""
    return Answers(
        flags=frozenset(check_in.flags),
        none_of_flags=check_in.none_of_flags,
        temperature=check_in.reading,
        temperature_typed=check_in.temperature_typed,
        medicine=check_in.medicine,
        severities={report.symptom.code: report.severity for report in check_in.reports.all()},
        no_symptoms=check_in.no_symptoms,
        weight=check_in.weighed,
        pressure=check_in.pressure,
        stools=check_in.stools,
        note=check_in.note,
        unfinished=check_in.unfinished,
    )


def urgent_and_new(check_in: CheckIn, answers: Answers, was: Mapping[str, Decimal] | None = None) -> bool:
    """Whether the answers hold something urgent that the check-in has not told yet, or not as bad.

    `was`: how bad each sign stood in the boxes before somebody typed (`story.grades_then`), where that is not what the
    check-in says now.
    """
    told, grades = {alert.rule for alert in check_in.alerts.all()}, answers.grades
    was = check_in.grades if was is None else was
    found = findings(check_in, answers)
    return triage.is_urgent([one for one in found if one.rule not in told or raising.is_worse(one, was, grades)])


def often_seen(check_in: CheckIn) -> str:
    """T17 in words, when the signs of a check-in are often seen after an injection and nothing else speaks; else ""."""
    return next((finding.title for finding in findings(check_in, said(check_in)) if finding.tier is None), "")


# Writing


@transaction.atomic
def record_check_in(
    *, by: User, patient: Patient, key: UUID, answers: Answers, now: datetime, felt_at: datetime | None = None
) -> Recorded:
    """Save a check-in and raise what the rule table demands. One row per `key` and answers: a retry returns the first.

    The same key with other answers (back in the browser, then a red flag) is a check-in of its own: nothing is dropped.
    Raises PermissionDenied for whoever may not record for the patient.
    """
    access.require_recording(by, patient)
    patient = patient.lock()
    key = uuid5(key, _fingerprint(patient, answers))
    known = CheckIn.objects.of(patient).filter(idempotency_key=key).first()
    if known is not None:
        return Recorded(known, created=False)
    check_in = CheckIn(
        patient=patient,
        felt_at=felt_at or now,
        zone=patient.time_zone,
        recorded_by=by,
        recorded_at=now,
        idempotency_key=key,
    )
    write(by, check_in, answers, now)
    log.record(action="sideeffects.check_in.recorded", by=by, patient=patient, subject=check_in)
    raising.raise_alerts(by=by, check_in=check_in, findings=findings(check_in, answers), now=now)
    return Recorded(check_in, created=True)


def _fingerprint(patient: Patient, answers: Answers) -> str:
    """The same text for the same answers of the same patient."""
    facts = {**asdict(answers), "flags": sorted(answers.flags), "patient": patient.ref}
    return json.dumps(facts, sort_keys=True, default=str)


@transaction.atomic
def finish_check_in(*, by: User, check_in: CheckIn, answers: Answers, now: datetime) -> Recorded:
    """Complete what was saved early because it was urgent (R4). Alerts raised by then stay; new ones are added.

    Raises PermissionDenied. A check-in that is finished already stays: other answers to it are a new check-in.
    """
    access.require_recording(by, check_in.patient)
    check_in.patient.lock()
    check_in.refresh_from_db()
    was, before = check_in.grades, said(check_in)
    together = answers.together_with(before)
    if not check_in.is_unfinished and together.says_the_same_as(before):
        return Recorded(check_in, created=False)
    if not check_in.is_unfinished:
        key = check_in.idempotency_key
        return record_check_in(by=by, patient=check_in.patient, key=key, answers=answers, now=now)
    write(by, check_in, together, now)
    log.record(action="sideeffects.check_in.finished", by=by, patient=check_in.patient, subject=check_in)
    found = findings(check_in, together)
    raising.raise_alerts(by=by, check_in=check_in, findings=found, now=now, source=raising.FINISHED, was=was)
    return Recorded(check_in, created=True)


def findings(check_in: CheckIn, answers: Answers) -> list[triage.Finding]:
    """What the rule table says to answers about the moment of this check-in."""
    return assess(patient=check_in.patient, answers=answers, felt_at=check_in.felt_at)


def write(by: User, check_in: CheckIn, answers: Answers, now: datetime) -> None:
    """Let the check-in say these answers and nothing else, with its history. For the actions of this package."""
    check_in.temperature = answers.temperature.value if answers.temperature else None
    check_in.temperature_unit = answers.temperature.unit if answers.temperature else ""
    check_in.temperature_typed = answers.temperature_typed
    check_in.medicine, check_in.note = answers.medicine, answers.note
    check_in.flags = sorted(answers.flags)
    check_in.none_of_flags, check_in.no_symptoms = answers.none_of_flags, answers.no_symptoms
    check_in.weight = answers.weight.value if answers.weight else None
    check_in.weight_unit = answers.weight.unit if answers.weight else ""
    check_in.systolic = answers.pressure.systolic if answers.pressure else None
    check_in.diastolic = answers.pressure.diastolic if answers.pressure else None
    check_in.stools = answers.stools
    check_in.unfinished = {name: list(values) for name, values in answers.unfinished.items()}
    check_in._history_user = by  # type: ignore[attr-defined]
    check_in.full_clean()
    check_in.save()
    _write_reports(by, check_in, answers.severities)
    _remember_unit(by, check_in)
    note_lump(by, check_in, answers, now)


def _write_reports(by: User, check_in: CheckIn, severities: Mapping[str, int]) -> None:
    """The reports become these; with their history, also of those that are no longer said."""
    known = {report.symptom.code: report for report in check_in.reports.select_related("symptom")}
    for code, report in known.items():
        report._history_user = by  # type: ignore[attr-defined]
        if code not in severities:
            report.delete()
        elif severities[code] != report.severity:
            report.severity = severities[code]
            report.save()
    new = Symptom.objects.filter(code__in=severities.keys() - known.keys())
    rows = [SymptomReport(check_in=check_in, symptom=symptom, severity=severities[symptom.code]) for symptom in new]
    bulk_create_with_history(rows, SymptomReport, default_user=by)


def note_lump(by: User, check_in: CheckIn, answers: Answers, now: datetime) -> None:
    """A lump rests its place until it has cleared; one that is noted there already gets its present size."""
    lump = answers.lump
    if lump is None:
        return
    reaction = site_actions.report_reaction(
        by=by,
        patient=check_in.patient,
        site=lump.site,
        kind=SiteReaction.Kind.LUMP,
        noticed_on=min(check_in.felt_on, check_in.patient.today(now)),  # the zone may have changed since
        now=now,
        size_mm=lump.size_mm,
    )
    if lump.size_mm and lump.size_mm != reaction.size_mm:
        site_actions.change_reaction(by=by, reaction=reaction, size_mm=lump.size_mm, note=reaction.note)


def _remember_unit(by: User, check_in: CheckIn) -> None:
    unit = check_in.temperature_unit
    if unit and unit != check_in.patient.temperature_unit:
        update_patient(by=by, patient=check_in.patient, temperature_unit=unit)
        check_in.patient.temperature_unit = unit
