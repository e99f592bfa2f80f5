"""HL7 messages from the upload to the results: what is sent again, corrected, taken back, and about whom."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labs.models import LabResult
from tests import factories
from tests.labs.hl7_samples import CD4, LOAD, POTASSIUM, SAMPLES, message, obx

pytestmark = pytest.mark.django_db
MINE, UPLOAD, MANY = "PID|1||4711||Anna", "/results/import/", "/people/import/"
STATES = {
    "LAB-ORU-1": {"new": 8, "no value yet": 2},
    "LAB-ORU-2": {"new": 10},
    "CANCELED": {"cancelled by the laboratory": 16, "left out": 1},
    "sn-as-quantity": {"needs a date": 1},
    "sn-as-range": {"needs a date": 1},
    "ratio-value-colon": {"needs a date": 1},
    "ratio-value-division": {"needs a date": 1},
    "sn-as-string": {"needs a date": 1},
}


def sent(client: Client, content: bytes, path: str = UPLOAD) -> str:
    """The preview of an upload."""
    answer = client.post(path, {"file": SimpleUploadedFile("results.hl7", content)})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def added(client: Client, content: bytes, **said: str) -> None:
    """Upload and confirm."""
    page = sent(client, content)
    assert client.get(page).status_code == 200
    assert client.post(f"{page}add/", said).status_code == 302


def order(*results: str, number: str = "F1", on: str = "20260304") -> bytes:
    """Results of one order of the patient without a name."""
    return message(MINE, f"OBR|1||{number}^LAB|x|||{on}", *results)


def potassium(value: str, status: str = "F", **fields: str) -> str:
    return obx(POTASSIUM, "NM", value, "mmol/L", status, **fields)


def standing() -> list[tuple[str, str]]:
    """Value and status of every standing result."""
    return [(str(r.value.normalize()), r.status) for r in LabResult.objects.standing().order_by("drawn_on", "pk")]


@pytest.mark.parametrize("name", STATES)
def test_every_sample_has_its_verdict_row_by_row_in_the_preview(
    ben: Client, cast: factories.Cast, text: Any, name: str
) -> None:
    path = next(SAMPLES.glob(f"*{name}*"))
    page = sent(ben, path.read_bytes(), MANY)
    ben.post(page, {"person0": cast.anna_patient.code})
    if "Is this the same person?" in (shown := text(ben.get(page))):
        assert "Nothing of this file can be added before somebody has looked." in shown
        ben.post(page, {"person0": cast.anna_patient.code, "same0": "on"})
        shown = text(ben.get(page))
    for state, count in STATES[name].items():
        assert f">{state}</a>: {count}<" in shown
    assert ben.post(f"{page}add/", {}).status_code == 302
    assert LabResult.objects.count() == STATES[name].get("new", 0)


def test_a_result_goes_from_preliminary_over_final_and_corrected_to_hidden_and_its_history_keeps_all(
    anna: Client, text: Any
) -> None:
    for value, status, stands in (
        ("4.1", "P", [("4.1", "preliminary")]),
        ("4.2", "F", [("4.2", "final")]),
        ("4.2", "F", [("4.2", "final")]),
        ("5.9", "C", [("5.9", "corrected")]),
        ("4.1", "P", [("5.9", "corrected")]),
    ):
        added(anna, order(potassium(value, status)))
        assert standing() == stands
    assert LabResult.objects.count() == 1
    added(anna, order(potassium("5.9", "W")))
    assert standing() == []
    assert LabResult.objects.count() == 1
    kept = [str(row.value.normalize()) for row in LabResult.history.order_by("history_date", "history_id")]
    assert list(dict.fromkeys(kept)) == ["4.1", "4.2", "5.9"]
    added(anna, order(potassium("5.9", "F")))
    assert standing() == []


def test_a_result_that_is_cancelled_after_it_was_sent_is_hidden_and_one_never_there_is_none(anna: Client) -> None:
    added(anna, order(potassium("4.1"), obx(CD4, "NM", "612", "/uL")))
    added(anna, order(potassium("", "X"), obx("2951-2^Sodium^LN", "NM", "", "mmol/L", "X")))
    assert standing() == [("612", "final")]


def test_a_message_twice_adds_nothing_and_so_does_the_same_result_in_a_table(anna: Client, text: Any) -> None:
    both = order(obx(CD4, "NM", "612", "/uL"), obx(LOAD, "SN", "<^20", "copies/mL"))
    for content in (both, both, both + both, b"date,cd4,viral load\n2026-03-04,612,<20\n"):
        page = sent(anna, content)
        anna.post(f"{page}add/")
        assert LabResult.objects.count() == 2
    assert "already there" in text(anna.get(sent(anna, both)))


def test_two_specimens_of_a_day_are_two_results_and_stay_two(anna: Client) -> None:
    for _time in range(2):
        added(
            anna, order(potassium("4.1", f14="202603040800")) + order(potassium("4.1", f14="202603041800"), number="F2")
        )
        added(anna, order(potassium("4.3"), number="F3", on="20260305"))
        added(anna, order(potassium("4.4"), number="F4", on="20260305"))
    assert sorted(value for value, _status in standing()) == ["4.1", "4.1", "4.3", "4.4"]


def test_another_value_under_one_number_that_nobody_calls_corrected_is_kept_apart(anna: Client, text: Any) -> None:
    page = sent(anna, order(potassium("4.1"), potassium("4.3")))
    shown = text(anna.get(page))
    assert ">new</a>: 1<" in shown
    assert ">conflict</a>: 1<" in shown


def test_words_and_notes_stay_words(anna: Client, text: Any) -> None:
    """H12: 999 beside "undetectable" is no count."""
    rows = (obx(LOAD, "SN", "^999", "copies/mL"), "NTE|1||undetectable",
            obx("600-7^Blood culture^LN", "ST", "see below"), r"NTE|1||No growth\.br\after 5 days")  # fmt: skip
    added(anna, order(*rows))
    load, culture = LabResult.objects.order_by("analyte__position")
    assert (load.value, load.text, load.note) == (None, "999 (undetectable)", "undetectable")
    assert (culture.value, culture.text, culture.note) == (None, "see below", "No growth\nafter 5 days")
    assert culture.test_name == "Blood culture"


def test_what_stands_beside_a_value_is_stored(anna: Client) -> None:
    added(anna, order(potassium("5.4", f7="3.5-5.1", f8="H", f23="City Laboratory"), "NTE|1||Hemolyzed"))
    result = LabResult.objects.get()
    assert (result.printed_range, result.flag, result.laboratory, result.note, result.unit) == (
        "3.5-5.1",
        "H",
        "City Laboratory",
        "Hemolyzed",
        "mmol_l",
    )
    assert result.value == Decimal("5.4")


def test_a_message_about_somebody_else_stops_for_a_human(anna: Client, cast: factories.Cast, text: Any) -> None:
    other = order(potassium("4.1")).replace(MINE.encode(), b"PID|1||4711||Zimmer^Otto||19310101")
    page = sent(anna, other)
    shown = text(anna.get(page))
    assert "Is this the same person?" in shown
    assert "Otto Zimmer" in shown
    anna.post(f"{page}add/")
    assert not LabResult.objects.exists()


def test_a_clinic_maps_the_patients_of_a_message_to_its_own(ben: Client, cast: factories.Cast, text: Any) -> None:
    content = message(MINE, "OBR|1||F1|x|||20260304", potassium("4.1"), "PID|2||4712", "OBR|1||F2|x|||20260305",
                      potassium("4.3"))  # fmt: skip
    page = sent(ben, content, MANY)
    assert "Patient “4711”" in text(ben.get(page))
    ben.post(page, {"person0": cast.anna_patient.code, "person1": cast.dan_patient.code})
    ben.post(f"{page}add/")
    kept = {(r.patient_id, str(r.value.normalize())) for r in LabResult.objects.all()}
    assert kept == {(cast.anna_patient.pk, "4.1"), (cast.dan_patient.pk, "4.3")}


def test_a_file_of_no_message_says_so_beside_the_field(anna: Client, text: Any) -> None:
    answer = anna.post(UPLOAD, {"file": SimpleUploadedFile("x.hl7", b"BHS|^~\\&\rBTS|0\r")})
    assert answer.status_code == 422
    assert "no line of it begins with MSH" in text(answer)


def test_the_samples_are_all_here() -> None:
    assert len(STATES) == len(list(Path(SAMPLES).glob("*.hl7")))
