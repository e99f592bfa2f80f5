"""Symptoms of a check-in make the first grade of a low potassium a second one, and the page names the check-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from il2tracker.accounts.models import Patient
from labs import symptoms
from sideeffects.models import CheckIn
from tests.clinic.conftest import TODAY

pytestmark = pytest.mark.django_db
LOW = ("3.2", "3.5-5.1")


@pytest.fixture
def ada(north: Any) -> Patient:
    return north.patient("Ada", started=3)


@pytest.fixture
def safety(see: Any, cast: Any, ada: Patient) -> Any:
    return lambda who=None: see(who or cast.ben, f"/people/{ada.code}/results/safety/").text_read


ONE = "1 , Hypokalemia: below the laboratory’s limit of 3.5 mmol/L; 2 with symptoms"
TWO = "2 , Hypokalemia: below the laboratory’s limit of 3.5 mmol/L, with symptoms"


@pytest.mark.parametrize(
    ("hours_ago", "answers", "grade", "words"),
    [
        (24, {"severities": {"weak": 1}}, TWO, "weak muscles (mild)"),
        (48, {"severities": {"cramps": 3}}, TWO, "muscle cramps (severe)"),
        (0, {"none_of_flags": False, "flags": frozenset({"palpitations"})}, TWO, "heart pounding or beating unevenly"),
        (72, {"severities": {"weak": 3}}, ONE, ""),
        (24, {"severities": {"weak": 0}}, ONE, ""),
        (24, {"severities": {"aches": 3, "tired": 3}}, ONE, ""),
        (24, {"no_symptoms": True}, ONE, ""),
    ],
)
def test_a_check_in_within_a_day_of_the_draw_decides(
    north: Any, ada: Patient, safety: Any, hours_ago: int, answers: Any, grade: str, words: str
) -> None:
    north.measured(ada, "potassium", *LOW, days_ago=1)
    north.check_in(ada, hours_ago=hours_ago, **answers)
    text = safety()
    assert grade in text
    assert (words in text and "Check-in of" in text) if words else "Check-in of" not in text


def test_the_page_leads_to_the_check_in_that_it_used(north: Any, ada: Patient, see: Any, cast: Any) -> None:
    result = north.measured(ada, "potassium", *LOW, days_ago=1)
    north.check_in(ada, hours_ago=24, severities={"weak": 2})
    link = f'href="/check-in/{CheckIn.objects.get().ref}/"'
    for path in (f"/people/{ada.code}/results/safety/", f"/results/entry/{result.ref}/"):
        page = see(cast.ben, path)
        assert link in page.content.decode()
        assert "Check-in of Friday 20 November 2026 : weak muscles (moderate)" in page.text_read


def test_the_list_of_results_has_the_same_grade(north: Any, ada: Patient, see: Any, cast: Any) -> None:
    north.measured(ada, "potassium", *LOW, days_ago=1)
    path = f"/people/{ada.code}/results/"
    assert "Grade 1 (CTCAE v5.0)" in see(cast.ben, path).text_read
    north.check_in(ada, hours_ago=24, severities={"weak": 2})
    assert "Grade 2 (CTCAE v5.0)" in see(cast.ben, path).text_read


def test_a_grade_that_needs_no_symptoms_names_no_check_in(north: Any, ada: Patient, safety: Any) -> None:
    north.measured(ada, "potassium", "2.9", "3.5-5.1", days_ago=1)
    north.measured(ada, "magnesium", "1.5", "1.7-2.2", days_ago=1)
    north.check_in(ada, hours_ago=24, severities={"weak": 2})
    text = safety()
    assert "3 , Hypokalemia: below 3 mmol/L" in text
    assert "1 , Hypomagnesemia: below the laboratory’s limit" in text
    assert "Check-in of" not in text


def test_the_patient_sees_neither_grade_nor_symptoms_there(north: Any, ada: Patient, see: Any) -> None:
    north.measured(ada, "potassium", *LOW, days_ago=1)
    north.check_in(ada, hours_ago=24, severities={"weak": 2})
    text = see(ada.user, "/results/safety/").text_read
    assert "weak muscles" not in text
    assert "Hypokalemia" not in text


def test_another_patients_symptoms_do_not_count(north: Any, ada: Patient, safety: Any) -> None:
    north.measured(ada, "potassium", *LOW, days_ago=1)
    north.check_in(north.patient("Ida", started=3), hours_ago=24, severities={"weak": 3})
    assert ONE in safety()


def test_the_civil_day_is_the_one_where_it_was_felt(north: Any, ada: Patient) -> None:
    """Half past eleven on Thursday evening in New York is Friday in UTC."""
    Patient.objects.filter(pk=ada.pk).update(time_zone="America/New_York")
    north.check_in(Patient.objects.get(pk=ada.pk), hours_ago=41, severities={"weak": 2})
    days = [TODAY - timedelta(days=n) for n in range(4)]
    assert [bool(signs) for signs in symptoms.of_low_potassium(ada.pk, days).values()] == [False, True, True, True]


def test_it_asks_the_same_statements_however_many_check_ins_there_are(north: Any, ada: Patient, safety: Any) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            safety()
        return len(captured)

    north.measured(ada, "potassium", *LOW, days_ago=1)
    north.check_in(ada, hours_ago=24, severities={"weak": 2})
    statements()
    few = statements()
    for hours in range(6):
        north.measured(ada, "potassium", f"3.{hours}1", "3.5-5.1", days_ago=2 + hours)
        north.check_in(ada, hours_ago=25 + hours, severities={"cramps": 1, "weak": 1})
    assert statements() == few


def test_nothing_is_asked_where_no_potassium_is_low(ada: Patient) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert symptoms.of_low_potassium(ada.pk, set()) == {}
    assert not captured.captured_queries


def test_a_check_in_of_somebody_unknown_is_none(db: None) -> None:
    assert symptoms.of_low_potassium(0, {TODAY}) == {TODAY: []}
