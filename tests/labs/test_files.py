"""From a file to results in the browser: upload, answers, preview, confirmation."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from il2tracker.accounts.actions import create_patient
from il2tracker.audit.models import AuditEvent
from labs.models import ImportBatch, LabResult
from tests import factories
from tests.labs.samples import ACTG, DATA, QVIRUS_CD4, QVIRUS_VL, values, visit_dates

pytestmark = pytest.mark.django_db
SPECTRUM = sorted((DATA / "csv-spectrum").glob("*.csv"))


def upload(client: Client, content: bytes | Path, path: str = "/results/import/") -> Any:
    body = content if isinstance(content, bytes) else content.read_bytes()
    return client.post(path, {"file": SimpleUploadedFile("results.csv", body)})


def added(client: Client, page: str) -> Any:
    return client.post(f"{page}add/", {"odd": "add"})


def test_patient_1_of_actg_by_the_browser_shows_exactly_the_files_values(
    anna: Client, cast: factories.Cast, text: Any
) -> None:
    page = upload(anna, ACTG).url
    asked = text(anna.get(page))
    assert "Which rows are these results?" in asked
    assert "Day 0 of the file was on" in asked
    assert "1.699 (16 times) means less than" in asked
    assert "needs a date" not in asked
    assert "left out" in asked
    assert anna.post(page, {"whose": "1", "start": "2020-01-01", "floor0": "100"}).url == page
    assert "Add 14 results" in text(anna.get(page))
    assert not LabResult.objects.exists()
    assert added(anna, page).url == f"{page}added/"
    done = text(anna.get(f"{page}added/"))
    assert "14 results added." in done
    assert "Take this file back" in done
    shown = text(anna.get("/results/"))
    rows = [line.split(",") for line in ACTG.read_text().splitlines() if line.startswith("1,")]
    for _patient, _day, load, count in rows:
        assert f">{Decimal(count).normalize():f}<" in shown
        assert f"(file: {load})" in shown
    assert "below 100 (file: 1.699)" in shown
    assert not re.search(r">\s*50\s*<", shown)
    assert values(cast.anna_patient, "hiv_rna")[-1] == ("1.699", "<", Decimal(100))


def test_a_second_import_adds_nothing(anna: Client, text: Any) -> None:
    for _time in range(2):
        page = upload(anna, ACTG).url
        anna.post(page, {"whose": "1", "start": "2020-01-01", "floor0": "100"})
        shown = text(anna.get(page))
        added(anna, page)
    assert "already there</a>: 14" in shown
    assert "Add 14" not in shown
    assert LabResult.objects.count() == 14


def test_a_clinic_maps_the_patients_of_a_file_to_its_own(ben: Client, cast: factories.Cast, text: Any) -> None:
    page = upload(ben, ACTG, "/people/import/").url
    asked = text(ben.get(page))
    assert "Patient “1”" in asked
    assert "left out</a>: 360" in asked
    answers = {"person0": cast.anna_patient.code.lower(), "start0": "2020-01-01", "person1": cast.dan_patient.code,
               "start1": "2021-06-15", "floor0": "100"}  # fmt: skip
    assert ben.post(page, answers).status_code == 302
    assert "Add 30 results" in text(ben.get(page))
    assert added(ben, page).status_code == 302
    assert LabResult.objects.of(cast.anna_patient).count() == 14
    assert LabResult.objects.of(cast.dan_patient).order_by("drawn_on")[0].drawn_on.isoformat() == "2021-06-15"
    assert {result.source for result in LabResult.objects.all()} == {"clinic"}


def test_qvirus_goes_in_with_dates_for_its_columns_and_its_floors(ben: Client, cast: factories.Cast, text: Any) -> None:
    for file, floors in ((QVIRUS_CD4, ()), (QVIRUS_VL, ("20", "20", "40"))):
        page = upload(ben, file, "/people/import/").url
        names = re.findall(r'name="person(\d+)"', ben.get(page).content.decode())
        people = [create_patient(by=cast.ben, clinic=cast.north) for _name in names] if not floors else people  # noqa: F821
        answers = {f"person{n}": patient.code for n, patient in enumerate(people)}
        answers |= {f"visit{n}": on for n, on in enumerate(visit_dates(file).values())}
        answers |= {f"floor{n}": limit for n, limit in enumerate(floors)}
        assert ben.post(page, answers).status_code == 302
        added(ben, page)
    assert LabResult.objects.filter(analyte__code="cd4").count() == 333
    loads = LabResult.objects.filter(analyte__code="hiv_rna")
    assert (loads.count(), loads.filter(comparator="<").count()) == (327, 240)


def test_a_code_of_somebody_elses_patient_is_refused(ben: Client, cast: factories.Cast, text: Any) -> None:
    stranger = create_patient(by=cast.carla, clinic=cast.south)
    page = upload(ben, ACTG, "/people/import/").url
    for code, words in ((stranger.code, "You have no patient with the code"), ("ZZZZ", "You have no patient")):
        answer = ben.post(page, {"person0": code})
        assert answer.status_code == 422
        assert words in text(answer)
    twice = ben.post(page, {"person0": cast.anna_patient.code, "person1": cast.anna_patient.code})
    assert "stands twice" in text(twice)
    assert f'value="{cast.anna_patient.code}"' in text(twice)


def test_what_a_patients_file_says_completely_goes_in_after_one_look(anna: Client, text: Any) -> None:
    table = "date,CD4+ count,CD4+ %,viral load\n2026-01-05,612,28,<20\n2026-03-05 08:15,640,,TND\n"
    page = upload(anna, table.encode()).url
    assert "Add 5 results" in text(anna.get(page))
    added(anna, page)
    assert {(r.raw, r.detected) for r in LabResult.objects.of_tests("hiv_rna")} == {("<20", None), ("TND", False)}
    assert LabResult.objects.filter(drawn_at__isnull=False).count() == 2


def test_every_row_says_what_becomes_of_it(anna: Client, text: Any, result: Any) -> None:
    result("612", on="2026-01-05")
    result("600", on="2026-02-05")
    table = "date,cd4\n2026-01-05,612\n2026-02-05,640\n2026-03-05,9000\n04/03/2026,5\n2026-04-05,650\nx\n"
    page = upload(anna, table.encode()).url
    shown = text(anna.get(page))
    for state, count in (("new", 1), ("already there", 1), ("conflict", 1), ("not understood", 2), ("needs a date", 1)):
        assert f">{state}</a>: {count}<" in shown
    assert "Another value of this test is there for this draw: 600 cells/mm³." in shown
    only = text(anna.get(page + "?show=conflict"))
    assert only.count('<th scope="row">') == 1
    anna.post(page + "add/", {"conflicts": "replace"})
    assert sorted(r.value for r in LabResult.objects.all()) == [612, 640, 650]


def test_long_files_are_shown_page_by_page(anna: Client, text: Any) -> None:
    table = "date,cd4\n" + "".join(
        f"{2000 + n // 300}-{n // 25 % 12 + 1:02}-{n % 25 + 1:02},{400 + n}\n" for n in range(450)
    )
    page = upload(anna, table.encode()).url
    counted = [anna.get(f"{page}?page={n}").content.decode().count('<th scope="row">') for n in (1, 2, 3, 4)]
    assert counted == [200, 200, 50, 0]
    assert anna.get(page + "?page=0").status_code == 200
    assert anna.get(page + "?page=x").status_code == 200


# Files that are no good


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.name)
def test_corner_cases_of_csv_are_answered_row_by_row(anna: Client, text: Any, path: Path) -> None:
    page = upload(anna, path).url
    shown = text(anna.get(page))
    assert "No column of this table is a test that we know." in shown
    assert "Add " not in shown
    assert added(anna, page).status_code == 302
    assert not LabResult.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "This file is empty."),
        (bytes(range(256)) * 100, "not a table of text in UTF-8"),
        ("date,cd4\n2026-01-05,612".encode("utf-16"), "not a table of text in UTF-8"),
        (b"date,cd4\n" + b"2026-01-05,612\n" * 5_001, "5,001 rows"),
        (b"date,cd4\n" + b"2026-01-05,612\n" * 75_000, "1.1 MB"),
        (b'"date,cd4\n2026-01-05,612\n', "The first line cannot be read."),
    ],
)
def test_a_file_that_is_no_table_is_answered_beside_the_field(
    anna: Client, text: Any, content: bytes, words: str
) -> None:
    answer = upload(anna, content)
    assert answer.status_code == 422
    assert words in text(answer)
    assert "There is a problem" in text(answer)
    assert not ImportBatch.objects.exists()


def test_the_page_to_choose_a_file_has_nothing_to_complain_about_yet(anna: Client, ben: Client, text: Any) -> None:
    for client, path in ((anna, "/results/import/"), (ben, "/people/import/")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "There is a problem" not in text(answer)


def test_no_file_at_all_is_answered(anna: Client, text: Any) -> None:
    answer = anna.post("/results/import/", {})
    assert answer.status_code == 422
    assert "Choose a file, or paste a table." in text(answer)


def test_truncated_and_broken_rows_are_named_and_the_others_wait(anna: Client, text: Any) -> None:
    page = upload(anna, b'date,cd4\n2026-01-05,612\n2026-02-05,6\xff0\n2026-03-05\n2026-04-05,"650\n').url
    shown = text(anna.get(page))
    assert "Add 1 result" in shown
    for words in ("not UTF-8", "has 2 columns, this row 1", "quotation marks of this row do not close"):
        assert words in shown


def test_what_stands_in_a_file_is_never_html(anna: Client) -> None:
    page = upload(anna, b"date,cd4,<b>x</b>\n2026-01-05,<script>alert(1)</script>,y\n").url
    shown = anna.get(page).content.decode()
    assert "<script>alert" not in shown
    assert "<b>x</b>" not in shown


def test_more_people_than_a_page_can_ask_about_are_sent_to_the_command(ben: Client, text: Any) -> None:
    table = "patient,date,cd4\n" + "".join(f"{n},2026-01-05,612\n" for n in range(201))
    answer = upload(ben, table.encode(), "/people/import/")
    assert answer.status_code == 422
    assert "use the import command" in text(answer)
    assert not ImportBatch.objects.exists()


# Odd values and conflicts


def test_values_that_look_odd_are_left_out_unless_somebody_says_yes(anna: Client, text: Any) -> None:
    table = b"date,cd4,cd4_percent\n2026-01-05,612,28\n2026-02-05,0.7,28\n2026-03-05,27,\n2026-04-05,60,28\n"
    page = upload(anna, table).url
    shown = text(anna.get(page))
    assert "looks odd</a>: 3" in shown
    for words in (
        "Is 0.7 the count in 10⁹/L?",
        "Is 27 the count, or the CD4+ percentage?",
        "The result before was 612.",
    ):
        assert words in shown
    assert "Add the 3 odd ones too" in shown
    anna.post(page + "add/")
    assert "4 results added. 3 left out." in text(anna.get("/results/"))
    page = upload(anna, table).url
    anna.post(page + "add/", {"odd": "add"})
    assert sorted(r.value for r in LabResult.objects.of_tests("cd4")) == [Decimal("0.7"), 27, 60, 612]


def test_two_rows_of_a_file_never_replace_one_result_twice(anna: Client, text: Any, result: Any) -> None:
    result("600", on="2026-01-05")
    table = b"date,cd4\n2026-01-05,612\n2026-01-05,640\n2026-02-05,500\n2026-02-05,520\n"
    page = upload(anna, table).url
    shown = text(anna.get(page))
    assert "conflict</a>: 3" in shown
    assert "Another row of this file has another value for this draw: 612 cells/mm³. This one is left out." in shown
    assert "Another row of this file has another value for this draw: 500 cells/mm³. This one is left out." in shown
    anna.post(page + "add/", {"conflicts": "replace"})
    assert "1 result added. 1 replaced. 2 left out." in text(anna.get("/results/"))
    assert sorted(r.value for r in LabResult.objects.all()) == [500, 612]


# Whose file


def test_only_the_owner_ever_sees_an_upload(anna: Client, ben: Client, cast: factories.Cast) -> None:
    page = upload(anna, b"date,cd4\n2026-01-05,612\n").url
    assert ben.get(page).status_code == 404
    assert added(ben, page).status_code == 404
    assert ben.post(page + "drop/").status_code == 404
    assert not LabResult.objects.exists()


def test_an_upload_is_gone_after_a_day_and_when_it_is_dropped(anna: Client, text: Any) -> None:
    page = upload(anna, b"date,cd4\n2026-01-05,612\n").url
    ImportBatch.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert anna.get(page).status_code == 404
    assert added(anna, page).status_code == 404
    page = upload(anna, b"date,cd4\n2026-01-05,613\n").url
    assert anna.post(page + "drop/").url == "/results/"
    assert bytes(ImportBatch.objects.order_by("pk").last().content) == b""
    assert added(anna, page).status_code == 302
    assert not LabResult.objects.exists()


def test_a_file_with_several_people_is_for_clinicians(anna: Client, cast: factories.Cast) -> None:
    assert anna.get("/people/import/").status_code == 404


def test_looking_at_the_rows_of_a_file_is_told_to_the_patient(ben: Client, cast: factories.Cast) -> None:
    page = upload(ben, b"date,cd4\n2026-01-05,612\n", f"/people/{cast.anna_patient.code}/results/import/").url
    ben.get(page)
    event = AuditEvent.objects.get(action="labs.upload.opened")
    assert (event.actor_ref, event.patient_ref) == (cast.ben.ref, cast.anna_patient.ref)


def test_a_clinician_imports_for_one_patient_too(ben: Client, cast: factories.Cast) -> None:
    code = cast.anna_patient.code
    page = upload(ben, b"date,cd4\n2026-01-05,612\n", f"/people/{code}/results/import/").url
    assert added(ben, page).url == f"{page}added/"
    assert LabResult.objects.get().patient == cast.anna_patient


def test_looking_and_answering_saves_nothing(anna: Client) -> None:
    page = upload(anna, ACTG).url
    anna.get(page)
    anna.get(page + "add/")
    anna.post(page, {"whose": "1", "start": "2020-01-01"})
    assert not LabResult.objects.exists()
