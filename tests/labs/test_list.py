"""The list of results: what it starts with, what is open, and which results share a row."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from cycles.models import PlanVersion
from il2tracker.accounts.models import Patient
from tests import factories
from tests.labs.test_entry import send

pytestmark = pytest.mark.django_db


def test_the_list_starts_with_the_sentence_the_way_to_the_trend_and_add(
    anna: Client, cast: factories.Cast, result: Any, text: Any
) -> None:
    """W13, ux 2.6."""
    Patient.objects.filter(pk=cast.anna_patient.pk).update(earlier_il2="never")
    result("612", on="2026-02-01")
    page = text(anna.get("/results/"))
    order = ["The last reliable CD4+ count is", "See them over time", "Add results", "All results"]
    order[0] = "Your last reliable CD4+ count is <b>612</b> (Sunday 1 February 2026)."
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert "Your last reliable" not in text(anna.get("/results/?before=2026-03-02"))


def test_a_plan_without_counts_has_no_such_sentence(anna: Client, cast: factories.Cast, result: Any, text: Any) -> None:
    factories.plan(cast.anna_patient, cast.ben)
    PlanVersion.objects.filter(plan__patient=cast.anna_patient).update(timing_matters=False)
    result("612", on="2026-02-01")
    page = text(anna.get("/results/"))
    assert "reliable CD4+" not in page
    assert "See them over time" in page


def test_the_newest_draw_is_closed_and_shows_what_is_outside(anna: Client, text: Any) -> None:
    typed = {"potassium": "5.9", "potassium_range": "3.5-5.1", "sodium": "140", "sodium_range": "135-145"}
    send(anna, **typed, drawn_on="2026-02-01", sure="yes")
    send(anna, **typed, sure="yes")
    page = text(anna.get("/results/"))
    assert "<details open" not in page
    newest, older = page.split('<tr class="more-tests">')[1:]
    shown = newest[: newest.index("<details>")]
    assert "Potassium" in shown
    assert "Sodium" not in shown
    assert "Sodium" in newest
    assert older.strip().startswith('<td colspan="5"><details>')


# One blood test, one row


def test_a_result_without_a_time_stands_in_the_row_of_its_day(
    anna: Client, cast: factories.Cast, result: Any, text: Any
) -> None:
    """W12."""
    at = datetime(2026, 2, 1, 8, 30, tzinfo=cast.anna_patient.zone)
    first = result("612", on="2026-02-01", at=at)
    other = result("1.0", on="2026-02-01", test="creatinine", unit="mg_dl")
    page = text(anna.get("/results/"))
    assert page.count("Sunday 1 February 2026</a>") == 1
    assert "8:30am" in page
    assert "1 other test" in page
    assert "Creatinine" in text(anna.get(f"/results/entry/{first.ref}/"))
    assert "CD4+ count" in text(anna.get(f"/results/entry/{other.ref}/"))
    result("4.1", on="2026-02-01", test="potassium", at=at + timedelta(hours=4))
    assert text(anna.get("/results/")).count("Sunday 1 February 2026</a>") == 3


def test_pages_are_cut_between_days(
    anna: Client, cast: factories.Cast, result: Any, text: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("labs.ledger.PAGE", 2)
    at = datetime(2026, 2, 1, 8, 30, tzinfo=cast.anna_patient.zone)
    result("600", on="2026-03-01")
    result("612", on="2026-02-01", at=at)
    result("1.0", on="2026-02-01", test="creatinine", unit="mg_dl")
    result("590", on="2026-01-01")
    first = text(anna.get("/results/"))
    assert "1 February" not in first.split("All results")[1]
    second = text(anna.get("/results/" + re.search(r'href="(\?before=[^"]+)"', first)[1]))
    assert second.count("Sunday 1 February 2026</a>") == 1
    assert "1 other test" in second
