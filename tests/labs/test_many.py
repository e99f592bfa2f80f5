"""Writing many results at once is, to the last column, what the models and their history would have written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from il2tracker.refs import is_harmless, new_refs
from labs.many import Writer
from labs.models import Analyte, ImportBatch, LabResult
from tests import factories

pytestmark = pytest.mark.django_db
OWN = {"id", "ref", "created_at", "fingerprint", "history_id", "history_date"}


def facts(cast: factories.Cast, fingerprint: str) -> dict[str, Any]:
    batch = ImportBatch.objects.create(file_name="x", digest="x", expires_at=timezone.now())
    return {
        "patient_id": cast.anna_patient.pk,
        "analyte_id": Analyte.objects.get(code="hiv_rna").pk,
        "comparator": "<",
        "value": Decimal("20.500000"),
        "unit": "copies_ml",
        "raw": "<20.5",
        "detected": False,
        "drawn_on": date(2026, 3, 1),
        "drawn_at": datetime(2026, 3, 1, 8, 15, tzinfo=UTC),
        "zone": "Europe/London",
        "source": "clinic",
        "note": "100 % “sure”\nand more",
        "entered_by_id": cast.ben.pk,
        "fingerprint": fingerprint,
        "batch_id": batch.pk,
    }


def columns(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields} | {}


def test_rows_and_their_history_are_what_the_models_would_have_written(cast: factories.Cast) -> None:
    given = facts(cast, "one")
    bulk_create_with_history([LabResult(**given)], LabResult, default_user=cast.ben)
    Writer(cast.ben, timezone.now()).write([{**given, "fingerprint": "two"}])
    for rows in (LabResult.objects, LabResult.history):
        model, many = (columns(rows.get(fingerprint=name)) for name in ("one", "two"))
        assert {k: v for k, v in many.items() if k not in OWN} == {k: v for k, v in model.items() if k not in OWN}
    kept = LabResult.objects.get(fingerprint="two")
    was = kept.history.get()
    assert (was.ref, was.created_at, was.history_type, was.history_user) == (kept.ref, kept.created_at, "+", cast.ben)


def test_a_correction_keeps_the_value_that_was_written_so(cast: factories.Cast) -> None:
    Writer(None, timezone.now()).write([facts(cast, "one")])
    kept = LabResult.objects.get()
    kept.value = Decimal(61)
    kept.save()
    assert [row.value for row in kept.history.order_by("history_id")] == [Decimal("20.5"), 61]


def test_nothing_to_write_is_no_statement(cast: factories.Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Writer(None, timezone.now()).write([])


def test_names_drawn_together_are_different_harmless_and_as_long_as_others() -> None:
    refs = new_refs(20_000)
    assert len(set(refs)) == 20_000
    assert all(is_harmless(ref) and len(ref) == 10 for ref in refs)
    assert set("".join(refs)) == set("23456789bcdfghjkmnpqrstvwxz")
