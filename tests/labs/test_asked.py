"""What is asked about a typed draw stands beneath its value; what is understood of it is read back."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client

from il2tracker.accounts.models import Patient
from labs.models import LabResult
from tests import factories
from tests.labs.test_entry import DAY, PANEL, send

pytestmark = pytest.mark.django_db


def asked_of(page: str) -> dict[str, list[str]]:
    """On the page that asks: each marked row with its questions."""
    rows = re.findall(r'<div class="is-asked"><dt>(.*?)</dt>(.*?)</dd>', page)
    return {name: re.findall(r"<span>([^<]+)</span></p>", row) for name, row in rows}


def test_each_question_stands_beneath_its_value_once_and_only_that_row_is_marked(anna: Client, text: Any) -> None:
    """W9, W10."""
    page = text(send(anna, cd4="27", cd4_percent="28", hiv_rna="3.2", creatinine="1.0", potassium="4.4"))
    assert asked_of(page) == {
        "CD4+ count": ["Is 27 the count, or the CD4+ percentage?"],
        "Viral load": ["Is 3.2 the number of copies, or a log10 value?"],
    }
    assert "What is marked looks unusual. Nothing is kept yet." in page
    assert not LabResult.objects.exists()


def test_where_a_question_is_asked_no_tabs_cover_the_answers(anna: Client, text: Any, result: Any) -> None:
    assert 'class="tabs"' in text(anna.get("/results/add/"))
    assert 'class="tabs"' not in text(send(anna, cd4="27", cd4_percent="28"))
    result("612", on=DAY)
    assert 'class="tabs"' not in text(send(anna, cd4="700"))


@pytest.mark.parametrize(
    ("fields", "likely"),
    [({"cd4": "27", "cd4_percent": "28"}, "back"), ({"creatinine": "97", "laboratory": "South Lab"}, "sure")],
)
def test_the_likelier_answer_is_the_solid_one(anna: Client, text: Any, fields: dict[str, str], likely: str) -> None:
    send(anna, **PANEL)
    ranges = {"creatinine_unit": "umol_l", "creatinine_range": "45 to 84"} if "creatinine" in fields else {}
    page = text(send(anna, drawn_on="2026-04-01", **fields, **ranges))
    solid = re.findall(r'<button class="btn btn-primary btn-block" type="submit" name="(\w+)"', page)
    assert solid == [likely]


def test_a_count_is_compared_with_the_last_that_counts_and_not_with_one_taken_too_soon(
    anna: Client, cast: factories.Cast, result: Any, text: Any
) -> None:
    """W10: 840 ten days after a course is no measure for what comes later."""
    Patient.objects.filter(pk=cast.anna_patient.pk).update(earlier_il2="never")
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 1, 5))
    result("508", on="2026-01-02")
    result("84", on="2026-01-19")
    assert "The result before was 508. 50 is very different." in text(send(anna, cd4="50", cd4_percent="9"))
    assert send(anna, cd4="500").status_code == 302


def test_who_was_never_judged_is_compared_with_what_is_there(anna: Client, result: Any, text: Any) -> None:
    result("612", on="2026-02-01")
    assert "The result before was 612." in text(send(anna, cd4="61", cd4_percent="9"))


def test_what_was_kept_is_said_with_its_unit(anna: Client, text: Any) -> None:
    send(anna, cd4="612", cd4_percent="28", hiv_rna="<20", sure="yes")
    page = text(anna.get("/results/"))
    assert "CD4+ count 612 cells/mm³, CD4+ percentage 28 %, Viral load less than 20 copies per mL" in page


def test_the_typed_day_is_read_back_in_words(anna: Client, text: Any) -> None:
    """W30: the browser shows dates in its own order."""
    assert "Understood: Sunday 1 March" not in text(anna.get("/results/add/"))
    assert "Understood: Sunday 1 March 2026</p>" in text(send(anna, look="page", cd4="612"))
    said = text(send(anna, look="when", drawn_time="8.15am"))
    assert '<div id="day" class="echo" data-said="day" aria-live="polite"><p class="meta">Understood: Sunday' in said
    assert "8:15am</p>" in said


def test_all_groups_open_at_a_press_and_nothing_typed_is_lost(anna: Client, text: Any) -> None:
    """W38: closed groups cost a keyboard a stop each."""
    send(anna, **PANEL)
    page = text(anna.get("/results/add/"))
    assert page.count('<details class="sheet tests">') > 3
    assert '<button class="btn-link-plain" type="submit" name="open" value="yes">' in page
    opened = text(send(anna, open="yes", cd4="61x", laboratory="North Lab", alt_range="7-55"))
    assert '<details class="sheet tests">' not in opened
    assert 'name="open"' not in opened
    assert 'name="cd4" id="id_cd4" value="61x"' in opened
    assert 'value="7-55"' in opened
    assert "There is a problem" not in opened
