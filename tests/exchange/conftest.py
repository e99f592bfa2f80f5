"""A diary with one of everything, and a way to bring a file into another."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from il2tracker.accounts.models import Patient
from il2tracker.exchange.actions import export
from il2tracker.exchange.files import KINDS
from labs import import_actions
from labs.models import ImportBatch, LabResult
from sideeffects import actions as sideeffects
from tests import factories
from tests.factories import utc

LOINC = "http://loinc.org"
# test by LOINC or name, value[x], what stands beside it
RESULTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("24467-3", {"valueQuantity": {"value": 612, "unit": "cells/uL"}}, {}),
    (
        "24467-3",
        {"valueQuantity": {"value": "0.4310", "unit": "10*9/L"}},
        {"effectiveDateTime": "2026-03-28T23:40:00-05:00"},
    ),
    ("20447-9", {"valueQuantity": {"value": 20, "comparator": "<", "unit": "copies/mL"}}, {}),
    (
        "20447-9",
        {"valueQuantity": {"value": 20, "comparator": "<", "unit": "copies/mL"}},
        {"effectiveDateTime": "2026-02-02", "interpretation": [{"coding": [{"code": "DET"}]}]},
    ),
    ("20447-9", {"valueString": "Not detected"}, {"effectiveDateTime": "2026-02-03"}),
    ("20447-9", {"valueQuantity": {"value": "4.36", "unit": "log10 copies/mL"}}, {"effectiveDateTime": "2026-02-04"}),
    ("20447-9", {"valueQuantity": {"value": 612, "unit": "IU/mL"}}, {"effectiveDateTime": "2026-02-05"}),
    (
        "2823-3",
        {"valueQuantity": {"value": "5.40", "unit": "mmol/L"}},
        {
            "status": "corrected",
            "referenceRange": [{"text": "3.5-5.0"}],
            "interpretation": [{"coding": [{"code": "H"}]}],
            "specimen": {"identifier": {"value": "A-17"}},
            "identifier": [{"system": "urn:lab", "value": "K 1"}],
            "performer": [{"display": "Clinic North, Laboratory"}],
        },
    ),
    (
        "2160-0",
        {"valueQuantity": {"value": 88, "unit": "µmol/L"}},
        {"status": "preliminary", "note": [{"text": '=HYPERLINK("https://example.org")\nsecond "line"'}]},
    ),
    ("3094-0", {"valueQuantity": {"value": 20, "unit": "mg/dL of urea"}}, {}),
    ("Base excess", {"valueQuantity": {"value": -2, "unit": "mmol/L"}}, {"referenceRange": [{"text": "-2 to 3"}]}),
    ("Blood culture", {"valueString": "no growth\nafter 5 days"}, {}),
    ("Ferritin", {"valueQuantity": {"value": "300.0", "unit": "ng/mL"}}, {"referenceRange": [{"text": "< 400"}]}),
    ("eGFR", {"valueQuantity": {"value": 60, "comparator": ">", "unit": "mL/min/1.73m2"}}, {}),
    (
        "Protein",
        {
            "valueString": "2+",
            "_valueString": {"extension": [{"url": "urn:diary:printed-unit", "valueString": "mg/dL"}]},
        },
        {},
    ),
    ("@odd name", {"valueString": "+++"}, {}),
]


def _observation(test: str, value: dict[str, Any], more: dict[str, Any]) -> str:
    code = {"coding": [{"system": LOINC, "code": test}]} if test[0].isdigit() else {"text": test}
    made = {"resourceType": "Observation", "status": "final", "code": code, "effectiveDateTime": "2026-02-01"}
    written = json.dumps(made | value | more)
    quantity = value.get("valueQuantity", {}).get("value")
    return written.replace(f'"{quantity}"', quantity) if isinstance(quantity, str) else written


def bring(patient: Patient, content: bytes, by: Any = None) -> ImportBatch:
    """Import a file into a diary, with a yes to everything that is asked."""
    return import_actions.import_table(
        file_name="file",
        content=content,
        answers={"same": ["*"]},
        patients={"*": patient},
        now=timezone.now(),
        by=by,
        sure=True,
    )


def take(patient: Patient, by: Any, kind: str, now: datetime | None = None) -> bytes:
    """The exported file."""
    return export(by=by, patient=patient, kind=KINDS[kind], now=now or timezone.now()).content


def facts(patient: Patient) -> list[tuple[Any, ...]]:
    """What of each standing result has to come back, in one order."""
    rows = LabResult.objects.standing().of(patient).select_related("analyte")
    return sorted(
        (
            row.analyte.code,
            row.test_name,
            row.drawn_on,
            row.drawn_at or datetime.min.replace(tzinfo=timezone.get_default_timezone()),
            row.comparator,
            row.value,
            row.unit,
            "" if row.unit else row.unit_text,  # of a known unit the code says it all
            row.text,
            row.detected,
            row.printed_range,
            row.status,
            row.flag,
            row.laboratory,
            row.specimen,
            row.note,
        )
        for row in rows
    )


@pytest.fixture
def cast(db: None) -> factories.Cast:
    return factories.cast()


@pytest.fixture
def full(cast: factories.Cast) -> Patient:
    """Anna with a plan, injections of every kind, results of every kind, a check-in with a red flag."""
    anna, now = cast.anna_patient, timezone.now()
    plan = factories.plan(anna, cast.ben, starts_on=date(2026, 1, 7), now=utc(2026, 1, 1, 12))
    doses = list(plan.cycles.get(number=1).doses.all())
    factories.injection(anna, cast.anna, doses[0], site="tfr", note="-1 degree outside", now=utc(2026, 1, 8, 12))
    factories.injection(anna, cast.anna, doses[1], state="partial", amount="4.125", now=utc(2026, 1, 8, 12))
    factories.injection(anna, cast.anna, doses[2], state="skipped", reason="ill", now=utc(2026, 1, 9, 12))
    bring(anna, "\n".join(_observation(*each) for each in RESULTS).encode(), cast.ben)
    answers = sideeffects.Answers(flags=frozenset({"fainted"}))
    sideeffects.record_check_in(by=cast.anna, patient=anna, key=uuid4(), answers=answers, now=now)
    return anna


@pytest.fixture
def empty(cast: factories.Cast) -> Patient:
    """Dan, who has no result."""
    return cast.dan_patient


@pytest.fixture
def anna(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.anna)
    return client


@pytest.fixture
def ben(cast: factories.Cast) -> Client:
    ben = Client()
    ben.force_login(cast.ben)
    return ben
