"""The page of safety tests: nothing is left out, the printed range decides, grades are for clinicians (P61, H19)."""

from __future__ import annotations

import html
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cycles.models import PlannedDose
from labs import safety
from labs.models import Analyte, LabResult
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 20, 12)
START = date(2026, 3, 2)  # its last injection is on 6 March


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def course(cast: factories.Cast) -> None:
    with time_machine.travel(utc(2026, 1, 1), tick=False):
        factories.plan(cast.anna_patient, cast.ben, starts_on=START)
    for dose in PlannedDose.objects.filter(due_at__lt=NOW):
        factories.injection(cast.anna_patient, cast.anna, dose, now=dose.due_at)


@pytest.fixture
def kept(cast: factories.Cast) -> Any:
    """Keep one result as printed: kept("alt", "131", "2026-03-05", "7-40")."""

    def keep(test: str, value: str, on: str, printed: str = "", **more: Any) -> LabResult:
        analyte = Analyte.objects.get(code=test)
        comparator = "<" if value.startswith("<") else "="
        facts = {
            "unit": analyte.canonical_unit,
            "value": Decimal(value.strip("<")) if value else None,
            "comparator": comparator,
            "raw": value,
            "zone": "Europe/London",
            "source": "clinic",
            "entered_by": cast.ben,
            "printed_range": printed,
            "fingerprint": f"{test} {on} {value} {LabResult.objects.count()}",
            **more,
        }
        result = LabResult(patient=cast.anna_patient, analyte=analyte, drawn_on=date.fromisoformat(on), **facts)
        result.full_clean()
        result.save()
        return result

    return keep


@pytest.fixture
def see(cast: factories.Cast) -> Any:
    def visit(user: Any, more: str = "") -> str:
        client = Client()
        client.force_login(user)
        own = "" if user == cast.anna else f"/people/{cast.anna_patient.code}"
        answer = client.get(f"{own}/results/safety/{more}")
        assert answer.status_code == 200
        body = re.sub(r"<(head|title|desc)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    return visit


def by_test(cast, **more):
    page = safety.page(cast.anna_patient, NOW, **more)
    return {test.analyte.code: test for test in page.tests}


@pytest.mark.usefixtures("course")
def test_a_result_from_the_middle_of_a_course_counts_like_any_other(cast, kept, see):
    kept("alt", "30", "2026-02-16", "7-40")
    kept("alt", "131", "2026-03-05", "7-40")
    found = by_test(cast)["alt"]
    assert [row.text for row in found.rows] == ["131 U/L", "30 U/L"]
    assert len(found.drawing.shapes) == 2
    assert found.drawing.line.count("L") == 1
    for reader in (cast.anna, cast.ben):
        said = see(reader).lower()
        assert "too soon" not in said
        assert "reliable" not in said


def test_every_drawing_has_a_table_with_as_many_rows_as_it_has_marks(cast, kept):
    for month in range(1, 4):
        kept("alt", str(20 + month), f"2026-0{month}-01", "7-40")
        kept("platelets", str(200 + month), f"2026-0{month}-01", "150-400")
    for found in by_test(cast).values():
        assert len(found.drawing.shapes) == len(found.shown) == 3


def test_patients_read_outside_the_range_and_clinicians_the_grade_with_its_version(cast, kept, see):
    kept("alt", "131", "2026-03-05", "7-40")
    own, clinic, carer = see(cast.anna), see(cast.ben), see(cast.sam)
    for said in (own, carer):
        assert "outside your laboratory’s range" in said
        assert "grade" not in said.lower()
        assert "CTCAE" not in said
    assert "above the range grade 2 (CTCAE v5.0)" in clinic
    assert "2 , Alanine aminotransferase increased: above 3 × the laboratory’s limit of 40 U/L" in clinic


def test_a_value_on_a_boundary_is_on_it_in_the_unit_of_the_report(cast, kept):
    kept("creatinine", "120", "2026-03-05", "60-80", unit="umol_l")
    kept("magnesium", "0.5", "2026-03-05", "0.7-1.0", unit="mmol_l")
    found = by_test(cast, for_clinic=True)
    grades = {code: (test.last.grade.number, test.last.grade.why) for code, test in found.items()}
    assert grades == {
        "creatinine": (1, "above the laboratory’s limit of 80 µmol/L"),
        "magnesium": (1, "below the laboratory’s limit of 0.7 mmol/L"),
    }


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize(("before", "printed"), [("", ""), ("30", ""), ("clotted", "7-40")])
def test_a_liver_grade_says_when_the_value_before_treatment_is_not_known(cast, kept, before, printed):
    if before == "clotted":
        kept("alt", "", "2026-02-16", printed, text="specimen clotted", unit="")
    elif before:
        kept("alt", before, "2026-02-16", printed)
    kept("alt", "131", "2026-03-05", "7-40")
    assert by_test(cast, for_clinic=True)["alt"].last.grade.why.endswith("; the value before treatment is not known")


def test_before_any_course_the_value_itself_is_the_one_before_treatment(cast, kept):
    kept("alt", "131", "2026-03-05", "7-40")
    assert "before treatment" not in by_test(cast, for_clinic=True)["alt"].last.grade.why


def test_a_grade_within_the_printed_range_is_shown_to_clinicians_only(kept, cast, see):
    kept("potassium", "2.9", "2026-03-05", "2.8-5.1")
    assert "2.9 mmol/L Thursday 5 March 2026 grade 3 (CTCAE v5.0)" in see(cast.ben)
    assert "below 3 mmol/L, though not below the laboratory’s limit of 2.8 mmol/L" in see(cast.ben)
    assert "grade" not in see(cast.anna).lower()


def test_without_a_printed_limit_nothing_is_said_about_the_result_and_nothing_is_graded(cast, kept, see):
    kept("potassium", "2.4", "2026-03-05")
    row = by_test(cast, for_clinic=True)["potassium"].last
    assert (row.side, row.grade) == ("", None)
    assert "outside your laboratory’s range" not in see(cast.anna)
    assert "Cannot grade: the laboratory’s upper limit is not on this result." in see(cast.ben)


@pytest.mark.parametrize(
    ("printed", "side"), [("< 41", "high"), ("up to 60", "inside"), ("7-40", "high"), ("M: 7-40", "")]
)
def test_the_range_is_the_one_that_was_printed_with_that_result(cast, kept, printed, side):
    kept("alt", "50", "2026-03-05", printed)
    assert by_test(cast)["alt"].last.side == side


def test_a_range_is_printed_in_the_unit_of_its_result(cast, kept):
    """Haemoglobin 95 g/L with 120-160 is 9.5 g/dL with 12-16: grade 2, drawn in g/dL."""
    kept("hemoglobin", "95", "2026-03-05", "120-160", unit="g_l")
    found = by_test(cast, for_clinic=True)["hemoglobin"]
    assert found.last.side == "low"
    assert found.last.grade.number == 2
    assert found.drawing.y_ticks[0].label == "8"


def test_of_a_result_in_an_unknown_unit_nothing_is_said_or_drawn(cast, kept, see):
    kept("alt", "131", "2026-03-05", "7-40", unit="", unit_text="furlongs")
    found = by_test(cast, for_clinic=True)["alt"]
    assert (found.last.side, found.last.grade, found.drawing) == ("", None, None)
    said = see(cast.ben)
    assert "Nothing to draw: no number in a known unit." in said
    assert "Cannot grade: there is no number in a known unit." in said


@pytest.mark.parametrize(
    ("albumin", "grade"), [(("4.1", "3.5-5.0"), 4), (("3.1", "3.5-5.0"), None), (("4.1", ""), None), (None, None)]
)
def test_total_calcium_is_graded_only_beside_a_normal_albumin_of_the_same_draw(cast, kept, albumin, grade):
    kept("calcium", "13.8", "2026-03-05", "8.5-10.5")
    if albumin:
        kept("albumin", albumin[0], "2026-03-05", albumin[1])
    kept("albumin", "4.2", "2026-03-04", "3.5-5.0")
    found = by_test(cast, for_clinic=True)["calcium"].last.grade
    assert (found.number if found else None) == grade


@pytest.mark.usefixtures("course")
def test_a_liver_value_that_was_high_before_the_first_course_is_not_graded(cast, kept):
    kept("alt", "70", "2026-02-16", "7-40")
    kept("alt", "131", "2026-03-05", "7-40")
    kept("ast", "70", "2026-01-16", "7-40")
    kept("ast", "30", "2026-02-16", "7-40")
    kept("ast", "131", "2026-03-05", "7-40")
    found = by_test(cast, for_clinic=True)
    assert found["alt"].last.grade is None
    assert "before treatment" in found["alt"].last.why_no_grade
    assert found["ast"].last.grade.number == 2


@pytest.mark.parametrize(
    ("test", "value", "printed", "said"),
    [
        ("lymphocytes", "0.5", "1.0-4.0", "Low values are not graded here."),
        ("platelets", "480", "150-400", "High values are not graded here."),
        ("sodium", "128", "135-145", "This test is not graded here."),
        ("lymphocytes", "2", "1.0-4.0", ""),
        ("sodium", "140", "135-145", ""),
    ],
)
def test_a_value_outside_its_range_that_has_no_grade_says_why(cast, kept, see, test, value, printed, said):
    kept(test, value, "2026-03-05", printed)
    assert by_test(cast, for_clinic=True)[test].last.why_no_grade == said
    assert not said or f"{said}" in see(cast.ben)
    assert "not graded here" not in see(cast.anna)


@pytest.mark.usefixtures("course")
def test_the_peaks_name_the_day_of_the_course(cast, kept, see):
    kept("creatinine", "0.9", "2026-02-16", "0.6-1.3")
    kept("creatinine", "1", "2026-03-03", "0.6-1.3")
    kept("creatinine", "2.1", "2026-03-06", "0.6-1.3")
    kept("creatinine", "1.4", "2026-03-13", "0.6-1.3")
    said = see(cast.ben)
    assert "Course 1 2.1 day 5 outside, grade 2 1 day 2 Outside courses 0.9 16 Feb 2026 one result" in said


@pytest.mark.usefixtures("course")
def test_cd4_and_viral_load_are_not_among_them_and_are_never_graded(cast, kept, see):
    kept("cd4", "49", "2026-03-05", "500-1500")
    kept("hiv_rna", "4000", "2026-03-05")
    assert by_test(cast, for_clinic=True) == {}
    assert "No safety tests yet." in see(cast.ben)


def test_the_empty_page_says_what_will_stand_there(cast, see):
    said = see(cast.anna)
    assert "No safety tests yet. Liver, kidneys, salts and blood cells will stand here" in said
    assert "Highest and lowest by course" not in said


def test_a_time_without_results_says_so_and_the_longer_one_has_them(cast, kept, see):
    kept("alt", "30", "2024-02-16", "7-40")
    assert "No safety tests in this time. Choose a longer one." in see(cast.anna)
    assert "30 U/L Friday 16 February 2024" in see(cast.anna, "?range=all")
    assert "No safety tests in this time." in see(cast.anna, "?range=nonsense")


def test_a_removed_result_is_not_there(cast, kept):
    result = kept("alt", "131", "2026-03-05", "7-40")
    LabResult.objects.filter(pk=result.pk).update(voided_at=NOW)
    assert by_test(cast) == {}


def test_groups_stand_in_the_same_order_for_everybody(cast, kept):
    for test in ("platelets", "potassium", "creatinine", "alt", "tsh", "glucose"):
        kept(test, "5", "2026-03-05")
    page = safety.page(cast.anna_patient, NOW)
    assert [group.code for group in page.groups] == ["liver", "kidney", "salts", "blood", "thyroid", "sugar"]


@pytest.mark.usefixtures("course")
def test_the_number_of_statements_does_not_grow_with_the_record(cast, kept):
    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            safety.page(cast.anna_patient, NOW, for_clinic=True)
        return len(found)

    kept("alt", "30", "2026-03-05", "7-40")
    few = statements()
    for day in range(1, 20):
        for test in ("alt", "calcium", "albumin", "platelets"):
            kept(test, "4", f"2026-02-{day:02}", "3-5")
    assert statements() == few <= 10


def test_opening_it_is_written_down(cast, see):
    from il2tracker.audit.models import AuditEvent

    see(cast.ben)
    assert AuditEvent.objects.filter(action="labs.safety.opened", patient_ref=cast.anna_patient.ref).exists()


def test_whoever_may_only_read_finds_it_from_the_list(cast):
    cast.anna_patient.sharings.filter(person=cast.sam).update(may_record=False)
    client = Client()
    client.force_login(cast.sam)
    code = cast.anna_patient.code
    body = client.get(f"/people/{code}/results/").content.decode()
    assert f'href="/people/{code}/results/safety/"' in body
    assert f'href="/people/{code}/results/add/"' not in body
