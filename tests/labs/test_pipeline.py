"""One way for all formats: versions of one result, other tests, words and unknown units, and whose results they are."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from labs import import_actions, units
from labs.files import formats
from labs.files.candidates import FileError
from labs.files.rows import Answers
from labs.models import ImportBatch, LabResult
from tests import factories
from tests.labs.hl7_samples import CD4, PID, message, obx

pytestmark = pytest.mark.django_db
HEAD = "date,test,value,unit,status,result id\n"
CSV = b"date,test,value,unit\n2026-03-04,CD4+ count,612,cells/mm3\n"
HL7 = message(PID.replace("Novak^Anna^Maria", "Anna").replace("19800315", ""), obx(CD4, "NM", "612", "/uL"))
FHIR = json.dumps({
    "resourceType": "Observation", "id": "o1", "status": "final",
    "identifier": [{"system": "urn:x", "value": "F1-1"}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "24467-3"}]},
    "effectiveDateTime": "2026-03-04T08:15:00Z",
    "valueQuantity": {"value": 0.612, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"},
}).encode()  # fmt: skip


def added(cast: factories.Cast, content: str | bytes, **more: Any) -> dict[str, int]:
    """What became of the rows of a file that Anna adds."""
    body, now = content if isinstance(content, bytes) else (HEAD + content).encode(), timezone.now()
    batch = import_actions.keep_upload(by=cast.anna, patient=cast.anna_patient, file_name="own", content=body, now=now)
    return import_actions.confirm_upload(
        by=cast.anna, batch=batch, patients={"": cast.anna_patient}, now=now, **more
    ).outcomes


def standing() -> list[Any]:
    return list(LabResult.objects.standing().order_by("pk").values_list("value", "status"))


# Versions of one result


@pytest.mark.parametrize(
    ("rows", "outcomes", "stands"),
    [
        (["612,,preliminary,a", "621,,final,a"], [{"new": 1}, {"correction": 1}], (621, "final")),
        (["612,,preliminary,a", "612,,final,a"], [{"new": 1}, {"correction": 1}], (612, "final")),
        (["612,,final,a", "621,,preliminary,a"], [{"new": 1}, {"older than what is there": 1}], (612, "final")),
        (["612,,final,a", "612,,preliminary,a"], [{"new": 1}, {"already there": 1}], (612, "final")),
        (["612,,final,a", "621,,corrected,a"], [{"new": 1}, {"correction": 1}], (621, "corrected")),
        (["612,,final,a", "621,,final,a"], [{"new": 1}, {"correction": 1}], (621, "corrected")),
        (["612,,final,", "621,,corrected,"], [{"new": 1}, {"correction": 1}], (621, "corrected")),
        (["612,,final,a", "621,,corrected,b"], [{"new": 1}, {"conflict": 1}], (612, "final")),
        (["612,,final,", "621,,final,"], [{"new": 1}, {"conflict": 1}], (612, "final")),
        (["612,,final,a", ",,pending,a"], [{"new": 1}, {"no value yet": 1}], (612, "final")),
        (["612,,final,a", ",,cancelled,b"], [{"new": 1}, {"cancelled by the laboratory": 1}], (612, "final")),
    ],
)
def test_of_two_versions_the_laboratorys_last_word_stands_and_the_old_one_is_kept(
    cast: factories.Cast, rows: list[str], outcomes: list[dict[str, int]], stands: tuple[int, str]
) -> None:
    lines = [f"2026-01-05,cd4,{row}\n" for row in rows]
    assert [added(cast, line) for line in lines] == outcomes
    assert standing() == [stands]
    corrected = "correction" in outcomes[1]
    assert [row.value for row in LabResult.history.order_by("history_id")] == ([612, stands[0]] if corrected else [612])
    again = added(cast, lines[0])
    assert not {"new", "correction"} & set(again), "the first message again"
    assert standing() == [stands]
    assert added(cast, "".join(lines)).keys().isdisjoint({"new"}), "both in one file"


def test_both_versions_in_one_file_are_one_result_with_its_history(cast: factories.Cast) -> None:
    rows = "2026-01-05,cd4,612,,preliminary,a\n2026-01-05,cd4,621,,final,a\n2026-01-05,cd4,622,,corrected,a\n"
    assert added(cast, rows) == {"new": 1, "correction": 2}
    assert standing() == [(622, "corrected")]
    assert [row.value for row in LabResult.history.order_by("history_id")] == [612, 621, 622]
    assert "new" not in added(cast, rows)


@pytest.mark.parametrize("word", ["entered in error", "W", "cancelled"])
def test_a_result_that_the_laboratory_takes_back_is_hidden_and_kept_and_stays_away(
    cast: factories.Cast, word: str
) -> None:
    row = "2026-01-05,cd4,612,,final,a\n"
    added(cast, row)
    assert added(cast, f"2026-01-05,cd4,612,,{word},a\n") == {"taken back": 1}
    assert standing() == []
    assert LabResult.objects.get().void_reason == "entered in error by the laboratory"
    assert added(cast, row) == {"older than what is there": 1}
    assert "taken back" not in added(cast, f"2026-01-05,cd4,612,,{word},a\n")
    assert standing() == []
    assert LabResult.objects.count() == 1


@pytest.mark.parametrize(
    ("after", "outcome", "stands"),
    [
        ("645,,final,a", {"new": 1}, [(645, "final")]),
        ("645,,corrected,a", {"new": 1}, [(645, "corrected")]),
        ("612,,final,a", {"older than what is there": 1}, []),
        ("645,,preliminary,a", {"older than what is there": 1}, []),
    ],
)
def test_after_a_result_was_taken_back_another_value_of_the_laboratory_is_a_result(
    cast: factories.Cast, after: str, outcome: dict[str, int], stands: list[Any]
) -> None:
    """A dangerous value goes, and the right one comes: not the wrong one again."""
    added(cast, "2026-01-05,cd4,612,,final,a\n")
    added(cast, "2026-01-05,cd4,612,,entered in error,a\n")
    assert added(cast, f"2026-01-05,cd4,{after}\n") == outcome
    assert standing() == stands


def test_found_and_not_found_below_one_limit_are_two_values(cast: factories.Cast) -> None:
    row = "2026-01-05,viral load,<20 {},copies/mL,{},a\n"
    added(cast, row.format("detected", "final"))
    assert added(cast, row.format("not detected", "corrected")) == {"correction": 1}
    assert LabResult.objects.get().detected is False
    both = "".join(
        f"2026-02-05,viral load,<20 {words},copies/mL,final,{number}\n"
        for number, words in (("b", "detected"), ("c", "not detected"))
    )
    assert added(cast, both) == {"new": 1, "conflict": 1}


def test_a_laboratory_corrects_no_value_of_another_one_without_a_question(cast: factories.Cast, result: Any) -> None:
    result("4.1", on="2026-01-05", test="potassium")
    head = "date,test,value,unit,status,laboratory\n"
    for laboratory, outcome in (("North", {"conflict": 1}), ("", {"correction": 1})):
        rows = f"{head}2026-01-05,potassium,6.0,mmol/L,corrected,{laboratory}\n".encode()
        assert added(cast, rows) == outcome


def test_taking_back_what_was_never_there_does_nothing(cast: factories.Cast) -> None:
    assert added(cast, "2026-01-05,cd4,612,,entered in error,a\n") == {"entered in error": 1}
    assert not LabResult.objects.exists()


# The same result by other ways


@pytest.mark.parametrize("first", ["csv", "hl7", "fhir"])
def test_the_same_result_by_two_ways_is_there_once(cast: factories.Cast, first: str) -> None:
    files = {"csv": CSV, "hl7": HL7.replace(b"20260304081500", b"20260304081500+0000"), "fhir": FHIR}
    assert added(cast, files[first]) == {"new": 1}
    for name, content in files.items():
        assert added(cast, content) == {"already there": 1}, name
    assert LabResult.objects.count() == LabResult.history.count() == 1


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (CSV, "table"),
        (b"\xef\xbb\xbf" + CSV, "table"),
        (HL7, "hl7"),
        (b"\x0b" + HL7, "hl7"),
        (b"FHS|^~\\&|a\r" + HL7, "hl7"),
        (FHIR, "fhir"),
        (b"\n [" + FHIR + b"]", "fhir"),
        (b'{\n"format": "diary-record", "version": 1}', "record"),
        (b"MSHX,date\n", "table"),
    ],
)
def test_a_format_is_known_by_how_the_file_begins(content: bytes, form: str) -> None:
    assert formats.format_of(content) == form


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"%PDF-1.7", "PDF"), (b"PK\x03\x04", "workbook"), (b"<html>", "XML"), (b"\xd0\xcf\x11\xe0\xa1", "workbook")],
)
def test_files_that_nobody_reads_here_are_refused_with_a_way_out(content: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        formats.format_of(content)


@pytest.mark.parametrize(
    ("loinc", "name", "test"),
    [
        ("2951-2", "Sodium", "sodium"),
        ("2955-3", "Sodium", "other"),  # in urine
        ("2161-8", "Creatinine", "other"),  # in urine
        ("2823-3", "Sodium", "potassium"),
        ("", "Sodium", "sodium"),
        ("", "Ferritin", "other"),
    ],
)
def test_a_message_and_a_resource_mean_the_same_test(loinc: str, name: str, test: str) -> None:
    """A code that is not in the catalogue beats a name that is."""
    system = "http://loinc.org" if loinc else "urn:local"
    coding = [{"system": system, "code": loinc or "X1", "display": name}]
    one = json.loads(FHIR) | {"code": {"coding": coding}, "valueQuantity": {"value": 4, "unit": "mmol/L"}}
    report = {"resourceType": "DiagnosticReport", "status": "final", "contained": [one], "code": {"text": "Salts"}}
    sent = message(PID, obx(f"{loinc or 'X1'}^{name}^{'LN' if loinc else 'L'}", "NM", "4", "mmol/L"))
    files = [sent, json.dumps(one).encode(), json.dumps(report).encode()]
    rules = units.library()
    read = [list(formats.lines(each, Answers(), rules, today=date(2026, 5, 1))) for each in files]
    assert [line.analyte for each in read for line in each] == [test] * 3


# What is kept as it is printed


def test_other_tests_words_and_unknown_units_are_kept_and_say_so(anna: Client, text: Any) -> None:
    table = (
        HEAD + "2026-01-05,Ferritin,88.5,ng/mL,,\n2026-01-05,Blood culture,no growth,,,\n2026-01-05,CD4,612,mg,,\n"
        "2026-01-05,ALT,see below,,,\n2026-01-05,Base excess,-2,mmol/L,,\n2026-01-05,Ferritin,88.5,ng/mL,,\n"
    ).encode()
    page = anna.post("/results/import/", {"file": SimpleUploadedFile("r.csv", table)}).url
    shown = text(anna.get(page))
    assert "Add 5 results" in shown
    assert "already there</a>: 1" in shown
    assert "“mg” is not a unit that we know for this test." in shown
    assert "Kept as text: it is no number." in shown
    anna.post(page + "add/")
    kept = {r.test_name or r.analyte.code: r for r in LabResult.objects.select_related("analyte")}
    assert (kept["Ferritin"].value, kept["Ferritin"].unit, kept["Ferritin"].unit_text) == (Decimal("88.5"), "", "ng/mL")
    assert (kept["Blood culture"].value, kept["Blood culture"].text) == (None, "no growth")
    assert (kept["Base excess"].value, kept["Base excess"].text) == (None, "-2")
    assert (kept["cd4"].value, kept["cd4"].own_value, kept["cd4"].unit_text) == (612, None, "mg")
    assert (kept["alt"].value, kept["alt"].text) == (None, "see below")


@pytest.mark.parametrize(
    ("row", "outcomes"),
    [
        ("Hemoglobin,8.5,,final,a", {"looks odd": 1}),  # g/dL or mmol/L
        ("Creatinine,5,,final,a", {"looks odd": 1}),
        ("Hemoglobin,8.5,mmol/L,final,a", {"new": 1}),
        ("Hemoglobin,13.5 g/dL,,final,a", {"new": 1}),
        ("Potassium,4.1,,final,a", {"new": 1}),  # its units are one and the same number
        ("CD4+ count,612,,final,a", {"new": 1}),  # asked about by questions of its own (H11)
    ],
)
def test_a_number_without_any_unit_waits_where_the_unit_changes_it(
    cast: factories.Cast, row: str, outcomes: dict[str, int]
) -> None:
    assert added(cast, f"2026-03-04,{row}\n") == outcomes


def test_a_column_that_names_no_unit_waits_and_one_that_does_is_read(cast: factories.Cast) -> None:
    assert added(cast, b"date,Creatinine\n2026-03-04,1.1\n") == {"looks odd": 1}
    assert added(cast, "date,Creatinine (µmol/L)\n2026-03-04,97\n".encode()) == {"new": 1}


def test_what_stands_beside_a_value_in_a_table_is_kept(cast: factories.Cast) -> None:
    table = (
        b"Date;Test;Result;Units;Reference range;Flag;Laboratory;Comment\n"
        b"04.03.2026;Creatinine;1,05;mg/dL;0,7 - 1,2;N;City Lab;fasting\n31.03.2026;Potassium;4,1;mmol/L;3.5-5.1;H;;\n"
    )
    assert added(cast, table) == {"new": 2}
    kept = LabResult.objects.get(analyte__code="creatinine")
    assert (kept.value, kept.unit, str(kept.drawn_on)) == (Decimal("1.05"), "mg_dl", "2026-03-04")
    assert (kept.printed_range, kept.flag, kept.laboratory, kept.note) == ("0,7 - 1,2", "N", "City Lab", "fasting")


def test_a_replaced_result_keeps_its_note_and_says_why_it_changed(cast: factories.Cast) -> None:
    head = b"date,cd4,note,status,result id\n"
    added(cast, head + b"2026-01-05,612,fasting,final,a\n2026-02-05,640,in hospital,final,b\n")
    added(cast, head + b"2026-01-05,621,,corrected,a\n")
    added(cast, b"date,cd4\n2026-02-05,650\n", replace=True)
    kept = {int(row.value): (row.note, row.history.first().history_change_reason) for row in LabResult.objects.all()}
    assert kept == {
        621: ("fasting", "corrected by the laboratory"),
        650: ("in hospital", "replaced by the value of a file"),
    }


def test_two_names_alike_in_all_that_is_kept_of_them_are_two_results(cast: factories.Cast) -> None:
    long = "x" * 170
    rows = [f"2026-01-05,cd4,{value},,final,{long}{end}\n" for value, end in (("612", "a"), ("640", "b"))]
    added(cast, rows[0])
    assert added(cast, rows[1]) == {"conflict": 1}, "no correction of another result"
    record = '{"format": "diary-record", "version": 1, "results": [{"specimen": "%sa"}, {"specimen": "%sb"}]}'
    read = list(formats.lines((record % (long, long)).encode(), Answers(), units.library(), today=date(2026, 5, 1)))
    assert len({line.specimen for line in read}) == 2
    assert max(len(line.specimen) for line in read) <= 40


# Whose results they are


def stranger(name: str = "Smith^John", born: str = "19500101") -> bytes:
    return message(PID.replace("Novak^Anna^Maria", name).replace("19800315", born), obx(CD4, "NM", "612", "/uL"))


def test_a_message_about_somebody_else_waits_for_a_person(anna: Client, cast: factories.Cast, text: Any) -> None:
    page = anna.post("/results/import/", {"file": SimpleUploadedFile("r.hl7", stranger())}).url
    shown = text(anna.get(page))
    assert "Is this the same person?" in shown
    assert "Smith" in shown
    assert "Add 1 result" not in shown
    anna.post(page + "add/", {"odd": "add", "conflicts": "replace"})
    assert not LabResult.objects.exists()
    assert "Nothing was added." in text(anna.get(page))
    anna.post(page, {})
    assert "Add 1 result" not in text(anna.get(page))
    anna.post(page, {"same0": "on"})
    assert "Add 1 result" in text(anna.get(page))
    anna.post(page + "add/")
    assert LabResult.objects.get().value == 612


def test_a_yes_for_one_patient_is_none_for_another(ben: Client, cast: factories.Cast, text: Any) -> None:
    page = ben.post("/people/import/", {"file": SimpleUploadedFile("r.hl7", stranger())}).url
    assert ben.post(page, {"person0": cast.anna_patient.code}).status_code == 302
    ben.post(page, {"person0": cast.anna_patient.code, "same0": "on"})
    assert "Add 1 result" in text(ben.get(page))
    ben.post(page, {"person0": cast.dan_patient.code, "same0": "on"})
    assert "Add 1 result" not in text(ben.get(page))
    ben.post(page + "add/")
    assert not LabResult.objects.exists()


def nobody(*, pid: str = "PID|1||4711") -> bytes:
    return message(pid, obx(CD4, "NM", "612", "/uL"))


NAMELESS = json.dumps({
    "resourceType": "Bundle", "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "id": "p", "identifier": [{"value": "4711"}]}},
              {"resource": json.loads(FHIR) | {"subject": {"reference": "Patient/p"}}}],
}).encode()  # fmt: skip


@pytest.mark.parametrize("content", [nobody(), nobody(pid="PID|1"), NAMELESS], ids=["number", "nothing", "fhir"])
def test_a_message_that_names_nobody_asks_once_whose_results_they_are(anna: Client, text: Any, content: bytes) -> None:
    page = anna.post("/results/import/", {"file": SimpleUploadedFile("r.hl7", content)}).url
    shown = text(anna.get(page))
    assert "The file does not say whose results these are." in shown
    assert "Yes: these are results of" in shown
    assert "Add 1 result" not in shown
    anna.post(page + "add/")
    assert not LabResult.objects.exists()
    anna.post(page, {"same0": "on"})
    assert "Add 1 result" in text(anna.get(page))
    anna.post(page + "add/")
    assert LabResult.objects.get().own_value == 612


def test_who_named_the_patient_of_a_number_is_not_asked_again(ben: Client, cast: factories.Cast, text: Any) -> None:
    page = ben.post("/people/import/", {"file": SimpleUploadedFile("r.hl7", nobody())}).url
    ben.post(page, {"person0": cast.anna_patient.code})
    assert "Add 1 result" in text(ben.get(page))


def test_the_command_asks_whose_the_results_of_a_nameless_message_are(cast: factories.Cast, tmp_path: Any) -> None:
    file, patient = tmp_path / "m.hl7", f"--patient={cast.anna_patient.code}"
    file.write_bytes(nobody())
    with pytest.raises(CommandError, match="does not say whose results these are"):
        call_command("import_labs", str(file), patient)
    call_command("import_labs", str(file), f"--map=4711={cast.anna_patient.code}")
    assert LabResult.objects.count() == 1


# Whose plan they belong to


def test_counts_and_loads_wait_for_a_word_where_they_have_no_part_in_the_plan(
    ben: Client, cast: factories.Cast, text: Any
) -> None:
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label")
    table = "patient,date,test,value,unit\n" + "".join(
        f"{name},2026-01-05,{row}\n"
        for name in ("D", "A")
        for row in ("CD4+ count,612,cells/mm3", "CD4+ percentage,28,%", "potassium,4.1,mmol/L")
    )
    page = ben.post("/people/import/", {"pasted": table}).url
    ben.post(page, {"person0": cast.dan_patient.code, "person1": cast.anna_patient.code})
    shown = text(ben.get(page))
    assert "Add 4 results" in shown, "of Anna, who has no plan, all; of Dan the potassium"
    assert "not part of this plan</a>: 2" in shown
    assert "CD4+ and viral load are not part of this person’s plan. Is the right person chosen?" in shown
    ben.post(page + "add/", {"odd": "add"})
    assert LabResult.objects.of(cast.dan_patient).count() == 1
    again = ben.post("/people/import/", {"pasted": table}).url
    ben.post(again, {"person0": cast.dan_patient.code, "person1": cast.anna_patient.code})
    ben.post(again + "add/", {"beyond": "add"})
    assert LabResult.objects.of(cast.dan_patient).count() == 3


def test_the_command_leaves_them_out_too_until_somebody_is_sure(cast: factories.Cast, tmp_path: Any) -> None:
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label")
    file, how = tmp_path / "t.csv", f"--patient={cast.dan_patient.code}"
    file.write_text("date,cd4\n2026-01-05,612\n")
    said = StringIO()
    call_command("import_labs", str(file), how, stdout=said, stderr=StringIO())
    assert "1  not part of this plan" in said.getvalue()
    assert "If the right people are named, say so with --sure." in said.getvalue()
    assert not LabResult.objects.exists()
    call_command("import_labs", str(file), how, "--sure", stdout=said)
    assert LabResult.objects.count() == 1


def test_the_command_asks_for_a_word_about_another_person(cast: factories.Cast, tmp_path: Any) -> None:
    file, patient = tmp_path / "m.hl7", f"--patient={cast.anna_patient.code}"
    file.write_bytes(stranger())
    with pytest.raises(CommandError, match="--same-person"):
        call_command("import_labs", str(file), patient)
    assert LabResult.objects.count() + ImportBatch.objects.count() == 0
    call_command("import_labs", str(file), patient, "--same-person")
    assert LabResult.objects.count() == 1
    assert ImportBatch.objects.get().format == "hl7"


# Pasted, and dates that can be two


def test_a_table_can_be_pasted_instead_of_a_file(anna: Client, text: Any) -> None:
    pasted = "Date\tCD4+ count\tViral load\n2026-01-05\t612\t<20\n"
    page = anna.post("/results/import/", {"pasted": pasted}).url
    assert "Add 2 results" in text(anna.get(page))
    both = anna.post("/results/import/", {"pasted": pasted, "file": SimpleUploadedFile("r.csv", CSV)})
    assert both.status_code == 422
    assert "not both" in text(both)
    empty = anna.post("/results/import/", {"pasted": "  \n"})
    assert "Choose a file, or paste a table." in text(empty)


def test_a_list_pasted_from_a_report_asks_once_when_the_blood_was_taken(anna: Client, text: Any) -> None:
    pasted = "CD4+ count   612   cells/mm3   500-1500\nCreatinine   1.05   mg/dL   0.7-1.2\n"
    page = anna.post("/results/import/", {"pasted": pasted}).url
    assert "When was the blood taken?" in text(anna.get(page))
    assert "needs a date</a>: 2" in text(anna.get(page))
    anna.post(page, {"on": "2026-01-05"})
    anna.post(page + "add/")
    assert {(r.value, r.printed_range) for r in LabResult.objects.all()} == {
        (612, "500-1500"), (Decimal("1.05"), "0.7-1.2")
    }  # fmt: skip


@pytest.mark.parametrize(("said", "days"), [("dmy", "2026-04-03"), ("mdy", "2026-03-04")])
def test_a_date_that_can_be_two_days_is_asked_once_for_the_file(anna: Client, text: Any, said: str, days: str) -> None:
    page = anna.post("/results/import/", {"pasted": "date,cd4\n03/04/2026,612\n04/04/2026,640\n"}).url
    shown = text(anna.get(page))
    assert "How are the dates of this file written?" in shown
    assert "Friday 3 April 2026" in shown
    assert "Wednesday 4 March 2026" in shown
    anna.post(page, {"order": said})
    anna.post(page + "add/")
    assert str(LabResult.objects.get(value=612).drawn_on) == days


def test_a_file_that_shows_the_order_of_its_dates_is_not_asked_and_says_so(anna: Client, text: Any) -> None:
    page = anna.post("/results/import/", {"pasted": "date,cd4\n03/04/2026,612\n25/04/2026,640\n"}).url
    shown = text(anna.get(page))
    assert "How are the dates of this file written?" not in shown
    assert "Dates such as 03/04/2026 are read in the same order as 25/04/2026." in shown
    assert "Friday 3 April 2026" in shown
