"""What was measured at home as FHIR vital signs, and other medicines as MedicationStatements.

How a person felt has no code that all systems share, so it stays in the record of our own (docs/record.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cycles.models import Medication
from sideeffects.models import CheckIn

UCUM, LOINC = "http://unitsofmeasure.org", "http://loinc.org"
VITAL_SIGNS = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
TEMPERATURE, WEIGHT = ("8310-5", "Body temperature"), ("29463-7", "Body weight")
PRESSURE = ("85354-9", "Blood pressure panel with all children optional")
SYSTOLIC, DIASTOLIC = ("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure")
UNITS = {"C": ("°C", "Cel"), "F": ("°F", "[degF]"), "kg": ("kg", "kg"), "lb": ("lb", "[lb_av]")}


def vital_signs(check_in: CheckIn, subject: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Temperature, weight and blood pressure of a check-in as they were entered; nothing for what nobody measured."""
    if check_in.temperature is not None:
        quantity = _quantity(check_in.temperature, *UNITS[check_in.temperature_unit])
        yield _sign(check_in, "t", TEMPERATURE, subject) | {"valueQuantity": quantity}
    if check_in.weight is not None:
        quantity = _quantity(check_in.weight, *UNITS[check_in.weight_unit])
        yield _sign(check_in, "w", WEIGHT, subject) | {"valueQuantity": quantity}
    if check_in.systolic is not None and check_in.diastolic is not None:
        both = ((SYSTOLIC, check_in.systolic), (DIASTOLIC, check_in.diastolic))
        parts = [{"code": _code(code), "valueQuantity": _quantity(n, "mmHg", "mm[Hg]")} for code, n in both]
        yield _sign(check_in, "p", PRESSURE, subject) | {"component": parts}


def _sign(check_in: CheckIn, kind: str, code: tuple[str, str], subject: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"{check_in.ref}-{kind}",
        "status": "final",
        "category": [{"coding": [VITAL_SIGNS]}],
        "code": _code(code),
        "subject": subject,
        "effectiveDateTime": check_in.local_felt_at.isoformat(timespec="seconds"),
    }


def _code(code: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code[0], "display": code[1]}], "text": code[1]}


def _quantity(value: Decimal | int, unit: str, ucum: str) -> dict[str, Any]:
    written = Decimal(f"{Decimal(value).normalize():f}")
    return {"value": written, "unit": unit, "system": UCUM, "code": ucum}


def statement(medication: Medication, subject: dict[str, str]) -> dict[str, Any]:
    """A medicine by name, without an amount: nobody entered one (H21)."""
    days = {"start": medication.started_on, "end": medication.stopped_on}
    period = {name: on.isoformat() for name, on in days.items() if on}
    said: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "id": medication.ref,
        "status": "completed" if medication.stopped_on else "active",
        "category": {"text": str(medication.get_kind_display())},
        "medicationCodeableConcept": {"text": medication.name},
        "subject": subject,
    }
    if period:
        said["effectivePeriod"] = period
    return said | ({"note": [{"text": medication.note}]} if medication.note else {})
