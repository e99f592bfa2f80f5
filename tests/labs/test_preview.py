"""The page before anything is added: what a row says beside its value, and what it waits for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labs.models import LabResult
from labs.study_actions import study_patients
from tests import factories
from tests.labs.hl7_samples import CD4, OBR, PID, POTASSIUM, message, obx

pytestmark = pytest.mark.django_db
ANNA = PID.replace("Novak^Anna^Maria", "Anna").replace("19800315", "")
FINAL = message(ANNA, obx(CD4, "NM", "612", "/uL"))


def sent(client: Client, content: bytes | str, path: str = "/results/import/") -> str:
    body = content if isinstance(content, bytes) else content.encode()
    answer = client.post(path, {"file": SimpleUploadedFile("results.txt", body)})
    assert answer.status_code == 302
    return str(answer.url)


def observation(**facts: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-03-04",
        "code": {"coding": [{"system": "http://loinc.org", "code": "24467-3"}], "text": "CD4"},
        "valueQuantity": {"value": 612, "unit": "/uL"},
    }  # fmt: skip
    return {name: value for name, value in (made | facts).items() if value is not None}


def test_a_row_shows_how_final_it_is_and_what_is_printed_beside_it(anna: Client, text: Any) -> None:
    result = obx(POTASSIUM, "NM", "5.4", "mmol/L", "P", f7="3.5-5.1", f8="H", f23="City Lab")
    shown = text(anna.get(sent(anna, message(ANNA, result, "NTE|1|L|slightly hemolysed"))))
    for words in (">preliminary<", "printed range 3.5-5.1", "marked H", "City Lab", "Note: slightly hemolysed"):
        assert words in shown
    assert ">preliminary<" not in text(anna.get(sent(anna, FINAL)))


def test_a_message_names_tests_and_a_table_columns(anna: Client, text: Any) -> None:
    assert '<th scope="col">Test</th>' in text(anna.get(sent(anna, FINAL)))
    assert '<th scope="col">Test</th>' in text(anna.get(sent(anna, "date,test,value\n2026-03-04,cd4,612\n")))
    assert '<th scope="col">Column</th>' in text(anna.get(sent(anna, "date,cd4\n2026-03-04,612\n")))


def test_the_results_of_one_report_have_a_number_each(anna: Client, text: Any) -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Panel"},
              "contained": [observation(id="a"), observation(id="b", effectiveDateTime="2026-04-04")]}  # fmt: skip
    shown = text(anna.get(sent(anna, json.dumps(report))))
    assert '<span class="meta">entry</span> 1.1' in shown
    assert '<span class="meta">entry</span> 1.2' in shown


def test_results_without_a_day_are_asked_for_it_once(anna: Client, text: Any) -> None:
    undated = [obx(CD4, "NM", "612", "/uL"), obx(POTASSIUM, "NM", "4.1", "mmol/L")]
    page = sent(anna, message(ANNA, OBR.rsplit("|", 1)[0], *undated))
    assert "needs a date</a>: 2" in text(anna.get(page))
    assert "When was the blood taken?" in text(anna.get(page))
    anna.post(page, {"on": "2026-03-04"})
    assert "Add 2 results" in text(anna.get(page))
    anna.post(f"{page}add/")
    assert {str(result.drawn_on) for result in LabResult.objects.all()} == {"2026-03-04"}


def test_the_words_of_a_resource_without_a_day_promise_no_answer(anna: Client, text: Any) -> None:
    shown = text(anna.get(sent(anna, json.dumps(observation(effectiveDateTime="2026-03")))))
    assert "“2026-03” is not a day. A result needs the day on which the blood was taken." in shown


def test_no_replacement_is_offered_where_every_conflict_is_left_out(anna: Client, text: Any, result: Any) -> None:
    twice = "date,cd4\n2026-03-04,612\n2026-03-04,640\n"
    shown = text(anna.get(sent(anna, twice)))
    assert "conflict</a>: 1" in shown
    assert "Replace it with the file" not in shown
    result("500", on="2026-03-04")
    assert "1 row has another value than the result that is there" in text(anna.get(sent(anna, twice)))


def test_a_row_with_a_zone_has_its_day_before_anybody_is_chosen(ben: Client, cast: factories.Cast, text: Any) -> None:
    late = observation(effectiveDateTime="2026-03-04T23:30:00-05:00", subject={"display": "Somebody Else"})
    waiting = observation(valueQuantity=None, effectiveDateTime="2026-03-05T08:00:00Z", subject=late["subject"])
    bundle = {"resourceType": "Bundle", "type": "collection",
              "entry": [{"resource": late}, {"resource": waiting}]}  # fmt: skip
    page = sent(ben, json.dumps(bundle), "/people/import/")
    assert "Wednesday 4 March 2026" in text(ben.get(f"{page}?show=left+out"))
    ben.post(page, {"person0": cast.anna_patient.code})
    shown = text(ben.get(page))
    assert "somebody else?</a>: 1" in shown
    assert shown.count("Thursday 5 March 2026") == 2, "on Anna's calendar"


def test_what_the_laboratory_has_not_measured_is_said_before_anybody_is_chosen(ben: Client, text: Any) -> None:
    results = (obx(CD4, "NM", "612", "/uL"), obx(POTASSIUM, "NM", "", "mmol/L", "I"), obx(POTASSIUM, "NM", "", "", "X"))
    shown = text(ben.get(sent(ben, message(ANNA, *results), "/people/import/")))
    for state in ("left out", "no value yet", "cancelled by the laboratory"):
        assert f">{state}</a>: 1<" in shown


def test_a_row_without_a_value_has_no_empty_label(anna: Client, text: Any) -> None:
    shown = text(anna.get(sent(anna, message(ANNA, obx(POTASSIUM, "NM", "", "mmol/L", "I")))))
    assert 'data-label="Written"' not in shown
    assert "<td></td>" in shown


def test_a_birth_date_is_said_in_words(anna: Client, text: Any) -> None:
    smith = PID.replace("Novak^Anna^Maria", "Smith^John")
    shown = text(anna.get(sent(anna, message(smith, obx(CD4, "NM", "612", "/uL")))))
    assert "Smith John, born 15 March 1980" in shown or "John Smith, born 15 March 1980" in shown


def test_a_nurse_sees_who_is_behind_a_code(ben: Client, cast: factories.Cast, text: Any) -> None:
    page = sent(ben, "patient,date,cd4\n12,2026-03-04,612\n", "/people/import/")
    ben.post(page, {"person0": cast.anna_patient.code})
    shown = text(ben.get(page))
    assert f'12 → <b>{cast.anna_patient.code}</b> <span class="meta">{cast.anna_patient.name}' in shown
    assert "1974" in shown


def test_a_number_that_may_be_a_limit_waits_until_somebody_says_what_it_is(anna: Client, text: Any) -> None:
    table = "date,viral load\n" + "".join(f"2026-0{month}-04,50\n" for month in range(1, 6)) + "2026-06-04,1200\n"
    page = sent(anna, table)
    shown = text(anna.get(page))
    assert "looks odd</a>: 5" in shown
    assert "Say which limit it is" in shown
    anna.post(page, {"floor0": "50"})
    assert "Add 6 results" in text(anna.get(page))
    anna.post(f"{page}add/")
    assert LabResult.objects.filter(comparator="<").count() == 5


def test_the_limit_of_rows_holds_for_messages_too(anna: Client, text: Any) -> None:
    many = message(ANNA, *(obx(f"X{n}^X^L", "NM", "1", sub=str(n)) for n in range(5_001)))
    answer = anna.post("/results/import/", {"file": SimpleUploadedFile("r.hl7", many)})
    assert answer.status_code == 422
    assert "This file holds 5,001 results. The limit here is 5,000: split the file." in text(answer)


def test_no_box_says_optional_where_one_of_them_is_needed(anna: Client, text: Any) -> None:
    assert "(optional)" not in text(anna.get("/results/import/"))
    asked = text(anna.get(sent(anna, "date,cd4\n03/04/2026,612\n")))
    assert "(optional)" not in asked
    assert "Say above how the dates of this file are written." in asked


def test_german_names_of_columns_are_read_and_unknown_ones_say_what_is_needed(anna: Client, text: Any) -> None:
    german = "Datum;Test;Wert;Einheit;Referenzbereich\n14.03.2026;Potassium;4,1;mmol/L;3,5-5,1\n"
    assert "Add 1 result" in text(anna.get(sent(anna, german)))
    shown = text(anna.get(sent(anna, "a,b,c\n1,2,3\n")))
    assert "Its first line has to name the columns: date, test, value, unit." in shown


def test_what_is_no_result_at_all_is_left_out_without_alarm(anna: Client, text: Any) -> None:
    entries = [{"resource": each} for each in (observation(), {"resourceType": "MedicationAdministration"})]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    shown = text(anna.get(sent(anna, json.dumps(bundle))))
    assert "left out</a>: 1" in shown
    assert "not understood" not in shown
    assert "tag--warn" not in shown


# Files of many people


def many(people: int, each: int) -> str:
    rows = "".join(
        f"{person},2026-0{1 + n // 20}-{1 + n % 20:02},{600 + n}\n" for person in range(people) for n in range(each)
    )
    return "patient,date,cd4\n" + rows


def test_rows_of_people_whom_nobody_chose_are_one_line_until_somebody_asks_for_them(ben: Client, text: Any) -> None:
    page = sent(ben, many(46, 8), "/people/import/")
    shown = text(ben.get(page))
    assert "368 rows</a> of 46 people for whom nobody is chosen yet: left out." in shown
    assert shown.count("<details") == 0
    assert shown.count('class="num" data-label="Rows">8<') == 46
    assert len(shown) < 60_000
    assert text(ben.get(f"{page}?show=left+out")).count("Nobody here was chosen") == 200


def test_a_long_file_is_folded_by_person_and_day_and_can_be_added_from_its_top(
    ben: Client, cast: factories.Cast, text: Any
) -> None:
    page = sent(ben, many(2, 15), "/people/import/")
    ben.post(page, {"person0": cast.anna_patient.code, "person1": cast.dan_patient.code})
    shown = text(ben.get(page))
    assert shown.count('<details class="more">') == 2, "all folded: nothing is asked"
    assert f"0 → <b>{cast.anna_patient.code}</b>" in shown
    assert shown.count(": 15 new</span></summary>") == 2
    assert shown.count("Thursday 1 January 2026") == 2
    assert shown.count("Add 30 results") == 2
    assert shown.index("Add 30 results") < shown.index("What would become of each row") < shown.rindex("Add 30 results")


def test_what_asks_stands_open_and_leads_from_the_top_to_its_question(anna: Client, text: Any) -> None:
    shown = text(anna.get(sent(anna, "date,cd4\n" + "".join(f"2026-01-{n:02},612\n" for n in range(1, 26)) +
                               "2026-02-01,0.612\n")))  # fmt: skip
    assert shown.count('<details class="more" open>') == 1
    assert shown.count('<details class="more">') == 25
    assert "Thursday 1 January 2026: 1 new</span></summary>" in shown
    assert 'href="#add"' in shown
    assert shown.count("Add 25 results") == 1


def test_the_statements_do_not_grow_with_the_people_of_a_file(ben: Client, cast: factories.Cast) -> None:
    asked = []
    for people in (2, 20):
        made = study_patients(by=None, clinic=cast.north, study="S", names=[str(n) for n in range(people)])
        page = sent(ben, many(people, 3), "/people/import/")
        ben.post(page, {f"person{n}": made[str(n)].code for n in range(people)})
        assert "Add" in ben.get(page).content.decode()
        with CaptureQueriesContext(connection) as seen:
            ben.get(page)
        with CaptureQueriesContext(connection) as added:
            ben.post(f"{page}add/")
        asked.append((len(seen), len(added)))
        LabResult.objects.all().delete()
    assert asked[0] == asked[1]


def test_a_page_that_is_none_is_the_first(anna: Client, text: Any) -> None:
    page = sent(anna, "date,cd4\n2026-03-04,612\n")
    for asked in ("0", "-1", "x", "²", "9" * 30):
        assert "Add 1 result" in text(anna.get(f"{page}?page={asked}"))
        assert "line</span> 2" in text(anna.get(f"{page}?page={asked}"))
