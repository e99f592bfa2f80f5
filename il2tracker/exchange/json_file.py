"""The whole diary in one file of our own, described in docs/record.md; the results in it can be imported again.

Days are civil dates, moments carry the zone they were made in, numbers of results stand as text so that no program
rounds them. Names do not change within a version; new ones may be added.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cycles.models import Cycle, Injection, Medication, Plan, PlannedDose, PlanVersion, SiteReaction
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.models import Alert, Step
from il2tracker.exchange import exact_json, record
from il2tracker.exchange.record import Judged, Record
from labs import catalogue
from labs.files.own_json import FORMAT, VERSION
from labs.models import Bloodwork, LabResult
from sideeffects.models import CheckIn, Expectation, Symptom


def write(known: Record) -> str:
    """The file."""
    zone = known.patient.time_zone
    return exact_json.written(
        {
            "format": FORMAT,
            "version": int(VERSION),
            "written_at": _moment(known.now, zone),
            "patient": _patient(known.patient),
            "plans": [_plan(plan) for plan in known.plans],
            "courses": [_course(cycle) for cycle in known.cycles],
            "injections": [_injection(each) for each in known.injections],
            "bloodwork": [_bloodwork(each) for each in known.bloodwork],
            "results": [_judged(each) for each in known.judged],
            "removed_results": [_removed(result) for result in known.removed],
            "check_ins": [_check_in(each, known.symptoms) for each in known.check_ins],
            "alerts": [_alert(each, known.steps.get(each.pk, []), zone) for each in known.alerts],
            "expected": [_expected(each, zone) for each in known.expectations],
            "places": [_place(each, zone) for each in known.places],
            "medications": [_medication(each) for each in known.medications],
        }
    )


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _moment(at: datetime | None, zone: str) -> str | None:
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") if at else None


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _who(user: User | None) -> str | None:
    return user.name if user else None


def _patient(patient: Patient) -> dict[str, Any]:
    return {
        "code": patient.code,
        "name": patient.name,
        "birth_year": patient.birth_year,
        "time_zone": patient.time_zone,
        "temperature_unit": patient.temperature_unit,
        "working_days": patient.work_days,
        "companion": {"name": patient.companion_name, "phone": patient.companion_phone},
        "team_phone": patient.team_phone,
        "emergency_phone": patient.emergency_phone,
        "lowest_cd4": patient.nadir_cd4,
        "lowest_cd4_on": _day(patient.nadir_on),
        "earlier_il2": patient.earlier_il2,
        "earlier_il2_last_on": _day(patient.earlier_il2_on),
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "ref": plan.ref,
        "protocol": plan.protocol.name,
        "ended_on": _day(plan.ended_on),
        "end_reason": plan.end_reason,
        "versions": [_version(version) for version in sorted(plan.versions.all(), key=lambda each: each.number)],
    }


def _version(version: PlanVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "from_course": version.first_course,
        "starts_on": _day(version.starts_on),
        "indication": version.indication,
        "route": version.route,
        "regimen": version.document,
        "hours": version.slot_times,
        "timing_matters": version.timing_matters,
        "fever_above": {"value": _number(version.fever_above), "unit": version.fever_unit},
        "cd4_goal": version.cd4_goal,
        "cd4_goal_kind": version.goal_kind,
        "medicines_before": version.premedication.splitlines(),
        "change_reason": version.change_reason,
        "signed_as": version.signed_as,
        "signed_by": _who(version.signed_by),
        "signed_title": version.signed_title,
        "signed_at": version.signed_at.isoformat(timespec="seconds"),
    }


def _course(cycle: Cycle) -> dict[str, Any]:
    return {
        "ref": cycle.ref,
        "plan": cycle.plan.ref,
        "plan_version": cycle.version.number,
        "number": cycle.number,
        "starts_on": _day(cycle.starts_on),
        "last_dose_on": _day(cycle.last_dose_on),
        "state": cycle.state,
        "stopped_on": _day(cycle.stopped_on),
        "reason": cycle.reason,
        "planned": [_dose(dose) for dose in cycle.doses.all()],
    }


def _dose(dose: PlannedDose) -> dict[str, Any]:
    due_at = _moment(dose.due_at, dose.zone)
    return {"ref": dose.ref, "day": dose.day, "slot": dose.slot, "due_at": due_at, "miu": _number(dose.amount)}


def _injection(injection: Injection) -> dict[str, Any]:
    dose = injection.planned_dose
    return {
        "ref": injection.ref,
        "planned": dose.ref if dose else None,
        "state": injection.state,
        "given_at": _moment(injection.given_at, injection.zone),
        "miu": _number(injection.amount),
        "place": injection.site,
        "place_in_words": injection.site_words,
        "reason": str(injection.reason_words),
        "note": injection.note,
        "medicines_before_taken": injection.premedicated,
        "given_by": injection.given_by,
        "given_by_name": injection.given_by_name,
        "recorded_by": _who(injection.recorded_by),
        "recorded_at": _moment(injection.recorded_at, injection.zone),
    }


def _bloodwork(each: Bloodwork) -> dict[str, Any]:
    return {
        "course": each.cycle.ref,
        "booked_for": _day(each.booked_for),
        "drawn_on": _day(each.drawn_on),
    }


def _judged(each: Judged) -> dict[str, Any]:
    return _result(each.result) | {"counts": record.verdict(each), "why": record.why(each)}


def _removed(result: LabResult) -> dict[str, Any]:
    removed = {"removed_at": _moment(result.voided_at, result.zone), "removed_because": result.void_reason}
    return _result(result) | removed


def _result(result: LabResult) -> dict[str, Any]:
    return {
        "ref": result.ref,
        "test": result.analyte.code,
        "loinc": catalogue.loinc_of(result.analyte.code, result.unit),
        "name": record.test_name(result),
        "comparator": result.comparator,
        "value": record.digits(result) or None,
        "unit": result.unit,
        "unit_text": record.printed_unit(result),
        "text": result.text,
        "detected": result.detected,
        "raw": result.raw,
        "taken_on": _day(result.drawn_on),
        "taken_at": _moment(result.drawn_at, result.zone),
        "range": result.printed_range,
        "flag": result.flag,
        "status": result.status,
        "laboratory": result.laboratory,
        "specimen": result.specimen,
        "external_id": result.external_id,
        "note": result.note,
        "source": result.source,
        "entered_by": _who(result.entered_by),
    }


def _check_in(each: CheckIn, symptoms: dict[str, Symptom]) -> dict[str, Any]:
    return {
        "ref": each.ref,
        "felt_at": each.local_felt_at.isoformat(),
        "zone": each.zone,
        "temperature": _temperature(each) if each.reading else None,
        "fever_medicine": each.medicine,
        "red_flags": [{"code": code, "words": symptoms[code].word if code in symptoms else ""} for code in each.flags],
        "none_of_the_red_flags": each.none_of_flags,
        "no_symptoms": each.no_symptoms,
        "symptoms": [
            {"code": report.symptom.code, "words": report.symptom.word, "severity": report.severity,
             "severity_in_words": str(report.get_severity_display())}
            for report in each.reports.all()
        ],
        "weight": {"value": _number(each.weight), "unit": each.weight_unit} if each.weight is not None else None,
        "blood_pressure": {"systolic": each.systolic, "diastolic": each.diastolic} if each.systolic else None,
        "stools_in_24_hours": each.stools,
        "note": each.note,
        "recorded_by": _who(each.recorded_by),
        "recorded_at": _moment(each.recorded_at, each.zone),
        "alerts": [alert.ref for alert in each.alerts.all()],
    }  # fmt: skip


def _temperature(each: CheckIn) -> dict[str, Any]:
    return {"value": _number(each.temperature), "unit": each.temperature_unit, "typed": each.temperature_typed}


def _alert(alert: Alert, steps: list[Step], zone: str) -> dict[str, Any]:
    return {
        "ref": alert.ref,
        "rule": alert.rule,
        "tier": alert.tier,
        "title": alert.title,
        "evidence": alert.evidence,
        "raised_at": _moment(alert.raised_at, zone),
        "clinic_told_at": _moment(alert.notified_at, zone),
        "patient_answer": alert.patient_answer,
        "patient_answered_at": _moment(alert.patient_answered_at, zone),
        "acknowledged_by": _who(alert.acknowledged_by),
        "acknowledged_at": _moment(alert.acknowledged_at, zone),
        "note": alert.note,
        "closed_at": _moment(alert.closed_at, zone),
        "steps": [
            {"what": step.what, "note": step.note, "by": _who(step.by), "at": _moment(step.at, zone)} for step in steps
        ],
    }


def _expected(each: Expectation, zone: str) -> dict[str, Any]:
    return {
        "ref": each.ref,
        "code": each.symptom.code,
        "words": each.symptom.word,
        "worst": each.worst,
        "until": _day(each.until),
        "note": each.note,
        "set_by": _who(each.set_by),
        "set_at": _moment(each.set_at, zone),
        "ended_by": _who(each.ended_by),
        "ended_at": _moment(each.ended_at, zone),
    }


def _place(each: SiteReaction, zone: str) -> dict[str, Any]:
    return {
        "ref": each.ref,
        "place": each.site,
        "place_in_words": each.site_words,
        "kind": each.kind,
        "size_mm": each.size_mm,
        "noticed_on": _day(each.noticed_on),
        "cleared_on": _day(each.cleared_on),
        "note": each.note,
        "recorded_by": _who(each.recorded_by),
        "recorded_at": _moment(each.recorded_at, zone),
    }


def _medication(each: Medication) -> dict[str, Any]:
    return {
        "ref": each.ref,
        "name": each.name,
        "kind": each.kind,
        "note": each.note,
        "started_on": _day(each.started_on),
        "stopped_on": _day(each.stopped_on),
        "recorded_by": _who(each.recorded_by),
    }
