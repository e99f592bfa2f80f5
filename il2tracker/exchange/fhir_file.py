"""A FHIR R4 Bundle of one patient: results as Observations, injections as MedicationAdministrations; see fhir_home.

Codes are LOINC and UCUM of the catalogue and the drug's ATC; what has none is said in words. A reliability verdict is
no part of a result: it stands in a note of our own, which an import leaves out and works out anew.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from cycles.models import Injection
from il2tracker.exchange import exact_json, fhir_home, record
from il2tracker.exchange.record import Bundle, Judged
from labs import catalogue, units
from labs.files.fhir_values import OWN_REMARK, PRINTED_UNIT
from labs.models import LabResult

NAMES = UUID("6f0a1c52-6f0e-4d0b-9a5e-2f6d1a7c9e31")
"""Space of the names of our resources: the same row has the same name in every export."""
UCUM, LOINC, ATC = "http://unitsofmeasure.org", "http://loinc.org", "http://www.whocc.no/atc"
HL7 = "http://terminology.hl7.org/CodeSystem/"
ALDESLEUKIN = {"system": ATC, "code": "L03AC01", "display": "aldesleukin"}  # ATC, domain 3.5
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", re.ASCII)
IU_IN_A_MIU = Decimal(10) ** 6
MARKS = {"H": "High", "L": "Low", "HH": "Critical high", "LL": "Critical low", "N": "Normal", "A": "Abnormal",
         "AA": "Critical abnormal", "POS": "Positive", "NEG": "Negative", "<": "Off scale low",
         ">": "Off scale high"}  # fmt: skip
FOUND = {True: ("DET", "Detected"), False: ("ND", "Not detected")}
STATES = {
    Injection.State.TAKEN: "completed",
    Injection.State.PARTIAL: "stopped",
    Injection.State.SKIPPED: "not-done",
}


def write(known: Bundle) -> str:
    """The bundle as JSON."""
    return exact_json.written(bundle(known))


def bundle(known: Bundle) -> dict[str, Any]:
    """The bundle: the patient, then results, injections and what was measured at home, each oldest first; medicines."""
    patient = _patient(known)
    subject = {"reference": _name(patient), "display": known.patient.label}
    resources = [
        patient,
        *(_observation(each, subject) for each in known.judged),
        *(_administration(each, subject) for each in known.injections),
        *(sign for each in known.check_ins for sign in fhir_home.vital_signs(each, subject)),
        *(fhir_home.statement(each, subject) for each in known.medications),
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": known.now.isoformat(timespec="seconds"),
        "entry": [{"fullUrl": _name(resource), "resource": resource} for resource in resources],
    }


def _name(resource: dict[str, Any]) -> str:
    return uuid5(NAMES, f"{resource['resourceType']}/{resource['id']}").urn


def _patient(known: Bundle) -> dict[str, Any]:
    patient = known.patient
    said: dict[str, Any] = {
        "identifier": [{"type": {"text": "code in the diary"}, "value": patient.code}],
        "name": [{"text": patient.name}] if patient.name else None,
        "birthDate": str(patient.birth_year) if patient.birth_year else None,
    }
    return {"resourceType": "Patient", "id": patient.ref, **_said(said)}


def _said(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known: FHIR has no empty values."""
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


# Results


def _observation(each: Judged, subject: dict[str, str]) -> dict[str, Any]:
    result = each.result
    loinc = catalogue.loinc_of(result.analyte.code, result.unit)
    coding = {"system": LOINC, "code": loinc, "display": result.analyte.name}
    facts = {
        "identifier": _identifiers(result.external_id),
        "status": result.status,
        "category": [{"coding": [{"system": HL7 + "observation-category", "code": "laboratory"}]}],
        "code": _said({"coding": [coding] if loinc else [], "text": record.test_name(result)}),
        "subject": subject,
        "effectiveDateTime": record.taken(result),
        "performer": [{"display": result.laboratory}] if result.laboratory else [],
        **_value(result),
        "interpretation": _interpretations(result),
        "note": _notes(each),
        "specimen": {"identifier": {"value": result.specimen}} if result.specimen else {},
        "referenceRange": [{"text": result.printed_range}] if result.printed_range else [],
    }
    return {"resourceType": "Observation", "id": result.ref, **_said(facts)}


def _identifiers(external_id: str) -> list[dict[str, str]]:
    system, _, value = external_id.partition("|")
    if value and system and not any(letter.isspace() for letter in system):
        return [{"system": system, "value": value}]
    return [{"value": external_id}] if external_id else []


def _value(result: LabResult) -> dict[str, Any]:
    if result.text:
        return _words(result)
    if result.value is None:
        return {"valueCodeableConcept": {"text": "not detected"}}
    ucum = units.UNITS[result.unit].ucum if result.unit else ""
    quantity = {
        "value": Decimal(record.digits(result)),
        "comparator": "" if result.comparator == "=" else result.comparator,
        "unit": record.printed_unit(result),
        "system": UCUM if ucum else "",
        "code": ucum,
    }
    return {"valueQuantity": _said(quantity)}


def _words(result: LabResult) -> dict[str, Any]:
    """A result in words; "-2 mmol/L", which no result of ours can be, is a number for others."""
    number, _, unit = result.text.partition(" ")
    if unit and unit == result.unit_text and NUMBER.fullmatch(number):
        return {"valueQuantity": {"value": Decimal(number), "unit": unit}}
    said: dict[str, Any] = {"valueString": result.text}
    if result.unit_text:
        said["_valueString"] = {"extension": [{"url": PRINTED_UNIT, "valueString": result.unit_text}]}
    return said


def _interpretations(result: LabResult) -> list[dict[str, Any]]:
    system = HL7 + "v3-ObservationInterpretation"
    said: list[dict[str, Any]] = []
    if result.flag in MARKS:
        said.append({"coding": [{"system": system, "code": result.flag, "display": MARKS[result.flag]}]})
    elif result.flag:
        said.append({"text": result.flag})
    if result.detected is not None:
        code, display = FOUND[result.detected]
        said.append({"coding": [{"system": system, "code": code, "display": display}]})
    return said


def _notes(each: Judged) -> list[dict[str, str]]:
    word, why = record.verdict(each), record.why(each)
    reliability = f"Reliability: {word}, {why}." if word else ""
    own = [{"authorString": OWN_REMARK, "text": reliability}] if reliability else []
    return [*([{"text": each.result.note}] if each.result.note else []), *own]


# Injections


def _administration(injection: Injection, subject: dict[str, str]) -> dict[str, Any]:
    at = record.due_or_given_at(injection).astimezone(ZoneInfo(injection.zone))
    facts = {
        "status": STATES[Injection.State(injection.state)],
        "statusReason": [{"text": str(injection.reason_words)}] if injection.reason else [],
        "medicationCodeableConcept": {"coding": [ALDESLEUKIN], "text": "aldesleukin (interleukin-2)"},
        "subject": subject,
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "performer": [{"actor": {"display": injection.given_by_name or str(injection.get_given_by_display())}}]
        if injection.given_at
        else [],
        "note": [{"text": injection.note}] if injection.note else [],
        "dosage": _dosage(injection),
    }
    return {"resourceType": "MedicationAdministration", "id": injection.ref, **_said(facts)}


def _dosage(injection: Injection) -> dict[str, Any]:
    """The amount in whole international units, and in words as the plan has it: 4.5 MIU is 4 500 000 [iU]."""
    if injection.amount is None:
        return {}
    dose = injection.planned_dose
    route = str(dose.cycle.version.get_route_display()) if dose else ""
    million = f"{injection.amount.normalize():f}"
    return _said(
        {
            "text": " ".join(part for part in (f"{million} million international units (MIU)", route) if part),
            "site": {"text": str(injection.site_words)} if injection.site else {},
            "route": {"text": route} if route else {},
            "dose": {
                "value": (injection.amount * IU_IN_A_MIU).quantize(Decimal(1)),
                "unit": "international units",
                "system": UCUM,
                "code": "[iU]",
            },
        }
    )
