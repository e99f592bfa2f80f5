"""The cast, the tests of the library, and files with their answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labs.actions import Drawn, add_results
from labs.models import Analyte, LabResult
from labs.written import parse
from tests import factories


@pytest.fixture
def cast(db: None) -> factories.Cast:
    return factories.cast()


@pytest.fixture
def anna(cast: factories.Cast, client: Client) -> Client:
    client.force_login(cast.anna)
    return client


@pytest.fixture
def ben(cast: factories.Cast) -> Client:
    ben = Client()
    ben.force_login(cast.ben)
    return ben


@pytest.fixture
def text() -> Any:
    """What a page says, without its line breaks."""
    return lambda answer: " ".join(answer.content.decode().split())


@pytest.fixture
def result(cast: factories.Cast) -> Any:
    """Keep one result of Anna's: result("612", on="2026-03-01", test="cd4")."""

    def keep(value: str, *, on: str, test: str = "cd4", by: Any = None, patient: Any = None, **more: Any) -> LabResult:
        analyte, now = Analyte.objects.get(code=test), timezone.now()
        reading = parse(analyte.rule, value, more.pop("unit", ""))
        drawn = Drawn(date.fromisoformat(on), more.pop("at", None))
        patient = patient or cast.anna_patient
        kept = add_results(
            by=by or cast.ben, patient=patient, drawn=drawn, readings={analyte: reading}, now=now, **more
        )
        return kept[0]

    return keep
