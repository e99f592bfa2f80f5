"""Everything that is known of one patient, loaded in a fixed number of statements, for writing it to a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cycles.models import Cycle, Injection, Medication, Plan, PlannedDose, SiteReaction
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert, Step
from labs import facts, units, words
from labs.files.candidates import OTHER
from labs.models import Bloodwork, LabResult
from labs.trends import Judgement
from sideeffects.models import CheckIn, Expectation, Symptom, catalogue

DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class Judged:
    """A result with its verdict."""

    result: LabResult
    judgement: Judgement


@dataclass(frozen=True)
class Results:
    """The standing results of a patient, oldest first, with their verdicts, and the injections they rest on."""

    patient: Patient
    now: datetime
    judged: list[Judged]
    injections: list[Injection]


@dataclass(frozen=True)
class Bundle(Results):
    """The same with what other systems know as well: what was measured at home, and other medicines."""

    check_ins: list[CheckIn]
    medications: list[Medication]


@dataclass(frozen=True)
class Record(Bundle):
    """The whole diary."""

    removed: list[LabResult]
    plans: list[Plan]
    cycles: list[Cycle]
    bloodwork: list[Bloodwork]
    symptoms: dict[str, Symptom]
    alerts: list[Alert]
    steps: dict[int, list[Step]]
    expectations: list[Expectation]
    places: list[SiteReaction]


def results(patient: Patient, now: datetime) -> Results:
    """What the table is written from: seven statements."""
    return Results(patient, now, _judged(patient, now), _injections(patient))


def bundle(patient: Patient, now: datetime) -> Bundle:
    """What the bundle is written from: always the same number of statements."""
    return Bundle(patient, now, _judged(patient, now), _injections(patient), _check_ins(patient), _medications(patient))


def record(patient: Patient, now: datetime) -> Record:
    """What the whole record is written from: always the same number of statements."""
    removed = LabResult.objects.of(patient).filter(voided_at__isnull=False).select_related("analyte", "entered_by")
    cycles = Cycle.objects.of(patient).select_related("plan", "version").prefetch_related("doses")
    return Record(
        patient,
        now,
        _judged(patient, now),
        _injections(patient),
        _check_ins(patient),
        _medications(patient),
        list(removed.order_by("drawn_on", "pk")),
        list(Plan.objects.of(patient).with_versions().order_by("pk")),
        list(cycles.order_by("starts_on")),
        list(Bloodwork.objects.filter(patient=patient).select_related("cycle").order_by("pk")),
        {symptom.code: symptom for symptom in catalogue()},
        list(Alert.objects.of(patient).select_related("acknowledged_by").order_by("raised_at", "pk")),
        _steps(patient),
        list(Expectation.objects.of(patient).select_related("symptom", "set_by", "ended_by").order_by("set_at", "pk")),
        list(SiteReaction.objects.of(patient).select_related("recorded_by").order_by("noticed_on", "pk")),
    )


def _judged(patient: Patient, now: datetime) -> list[Judged]:
    rows = facts.load([patient], now)[patient.pk].judged()
    return [Judged(result, judgement) for result, judgement in rows if isinstance(result, LabResult)]


def _injections(patient: Patient) -> list[Injection]:
    doses = ("planned_dose__cycle__version", "recorded_by")
    return list(Injection.objects.standing().of(patient).select_related(*doses).order_by("recorded_at", "pk"))


def _check_ins(patient: Patient) -> list[CheckIn]:
    return list(CheckIn.objects.of(patient).with_reports().order_by("felt_at", "pk"))


def _medications(patient: Patient) -> list[Medication]:
    rows = Medication.objects.of(patient).filter(voided_at__isnull=True).select_related("recorded_by")
    return list(rows.order_by("name", "pk"))


def _steps(patient: Patient) -> dict[int, list[Step]]:
    """What the clinic did about each alert, by its key."""
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.of(patient).select_related("by"):
        steps.setdefault(step.alert_id, []).append(step)
    return steps


def due_or_given_at(injection: Injection) -> datetime:
    """When it was given; for one that was not, when it was due."""
    dose: PlannedDose | None = injection.planned_dose
    return injection.given_at or (dose.due_at if dose else injection.recorded_at)


# What every format says of a result in the same way


def test_name(result: LabResult) -> str:
    """What the test is called: in the catalogue, or as the laboratory printed it."""
    return result.analyte.name if result.analyte.code != OTHER else result.test_name or result.analyte.name


def digits(result: LabResult) -> str:
    """The number as it was printed where that is the same number ("1.00"), else as it is kept; "" without one."""
    if result.value is None:
        return ""
    printed = DIGITS.search(result.raw)
    if printed and Decimal(printed[0]) == result.value:
        return printed[0]
    return f"{result.value.normalize():f}"


def printed_unit(result: LabResult) -> str:
    """The unit as printed; where that could be taken for another of the test's units, in our own words."""
    if not result.unit:
        return result.unit_text
    rule, own = result.analyte.rule, units.UNITS[result.unit].words
    return result.unit_text if units.known_unit(rule, result.unit_text) == result.unit else own


def verdict(each: Judged) -> str:
    """What it counts for, as the pages say it: "reliable", "too soon"; "" where timing does not matter."""
    return words.verdict_word(each.judgement) if each.result.analyte.timing_matters else ""


def why(each: Judged) -> str:
    """What the verdict rests on: "17 days after course 2"."""
    return words.reason(each.judgement) if each.result.analyte.timing_matters else ""


def taken(result: LabResult) -> str:
    """The day of the draw, or its moment with the zone it was recorded in, as ISO 8601."""
    local = result.local_drawn_at
    return local.isoformat(timespec="seconds") if local else result.drawn_on.isoformat()
