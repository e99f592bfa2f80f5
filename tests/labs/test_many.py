"""Writing many results at once is, to the last column, what the models and their history would have written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from il2tracker.refs import is_harmless, new_refs
from labs import many
from labs.many import Change, Writer
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


WORDS = {"comparator": "=", "value": None, "unit": "", "detected": None, "text": "Zoë’s “no growth” 🧪\n%s", "raw": ""}
ROWS: list[dict[str, Any]] = [
    {},
    {"drawn_at": None, "value": None, "comparator": "=", "detected": False, "raw": "not detected"},
    WORDS | {"printed_range": "≥ 3,5–5,1", "unit_text": "µg/mL", "test_name": "Größe", "note": "ßẞ\u2028İ"},
    {"drawn_on": date(1985, 12, 31), "value": Decimal("0.000001"), "detected": None, "status": "preliminary"},
    {"drawn_at": datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London")), "text": "\\N"},
    {"note": "tab\tback\\slash \\N \\. \r\nend"},
    {"value": Decimal("99999999999.999999"), "entered_by_id": None, "batch_id": None, "flag": "HH", "specimen": "S'1"},
]


def same(rows: Any, one: str, other: str) -> None:
    """Row by row, what the models wrote and what was written many at a time differ only in what is each one's own."""
    found = {name: columns(row) for row in rows.all() for name in [row.fingerprint]}
    for number in range(len(ROWS)):
        model, many = found[f"{one} {number}"], found[f"{other} {number}"]
        assert {k: v for k, v in many.items() if k not in OWN} == {k: v for k, v in model.items() if k not in OWN}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("marks", [2, 2_000], ids=["several parts", "one part"])
def test_rows_and_their_history_are_what_the_models_would_have_written(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch, named: bool, marks: int
) -> None:
    monkeypatch.setattr(many, "MOST_MARKS", marks)
    by, given = cast.ben if named else None, facts(cast, "")
    rows = [given | row for row in ROWS]
    models = [LabResult(**row | {"fingerprint": f"one {n}"}) for n, row in enumerate(rows)]
    bulk_create_with_history(models, LabResult, default_user=by, default_change_reason=None)
    Writer(by, timezone.now()).write([row | {"fingerprint": f"two {n}"} for n, row in enumerate(rows)])
    same(LabResult.objects, "one", "two")
    same(LabResult.history, "one", "two")
    for kept in LabResult.objects.filter(fingerprint__startswith="two"):
        was = kept.history.get()
        assert (was.ref, was.created_at, was.history_type, was.history_user) == (kept.ref, kept.created_at, "+", by)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("marks", [2, 2_000], ids=["several parts", "one part"])
def test_changes_and_their_history_are_what_the_models_would_have_written(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch, named: bool, marks: int
) -> None:
    monkeypatch.setattr(many, "MOST_MARKS", marks)
    by, now, first = cast.ben if named else None, timezone.now(), facts(cast, "")
    first.pop("fingerprint")
    rows = [first | {"fingerprint": f"{name} {n}"} for name in ("one", "two") for n in range(len(ROWS))]
    Writer(by, now).write(rows)
    there = {row.fingerprint: row for row in LabResult.objects.all()}
    changed = [there[f"one {n}"] for n in range(len(ROWS))]
    for result, row in zip(changed, ROWS, strict=True):
        for name, value in row.items():
            setattr(result, name, value)
    history: dict[str, Any] = {"default_user": by, "default_date": now, "default_change_reason": "why"}
    fields = sorted({name for row in ROWS for name in row})
    bulk_update_with_history(changed, LabResult, [f.removesuffix("_id") for f in fields], **history)
    Writer(by, now).change([Change(there[f"two {n}"].pk, row, "why") for n, row in enumerate(ROWS) if row])
    same(LabResult.objects, "one", "two")
    newest = LabResult.history.filter(history_type="~")
    assert newest.count() == 2 * len(ROWS) - 1, "a change of nothing is none"
    found = {row.fingerprint: columns(row) for row in newest}
    for number, row in enumerate(ROWS):
        model, other = found[f"one {number}"], found.get(f"two {number}") or found[f"one {number}"]
        assert {k: v for k, v in other.items() if k not in OWN} == {k: v for k, v in model.items() if k not in OWN}
        assert bool(row) == (f"two {number}" in found)


def test_no_statement_has_more_values_than_any_database_takes(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = facts(cast, "")
    with CaptureQueriesContext(connection) as asked:
        Writer(None, timezone.now()).write([given | {"fingerprint": str(n)} for n in range(2_500)])
    assert LabResult.objects.count() == LabResult.history.count() == 2_500
    assert max(each["sql"].count("', '") for each in asked) < 2_100
    assert len(asked) == 3, "the rows, and their history in two parts"


def test_a_correction_keeps_the_value_that_was_written_so(cast: factories.Cast) -> None:
    Writer(None, timezone.now()).write([facts(cast, "one")])
    kept = LabResult.objects.get()
    kept.value = Decimal(61)
    kept.save()
    assert [row.value for row in kept.history.order_by("history_id")] == [Decimal("20.5"), 61]


def test_the_same_result_twice_is_an_error_as_everywhere_and_nothing_is_kept(cast: factories.Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Writer(None, timezone.now()).write([facts(cast, "one"), facts(cast, "one")])
    assert not LabResult.objects.exists()


def test_nothing_to_write_is_no_statement(cast: factories.Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Writer(None, timezone.now()).write([])


def test_names_drawn_together_are_different_harmless_and_as_long_as_others() -> None:
    refs = new_refs(20_000)
    assert len(set(refs)) == 20_000
    assert all(is_harmless(ref) and len(ref) == 10 for ref in refs)
    assert set("".join(refs)) == set("23456789bcdfghjkmnpqrstvwxz")
