"""HL7 v2 results: what each segment means, and what no message may make of a number."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.files.candidates import FileError, Person, Stage, Status
from tests.labs import hl7_properties as properties
from tests.labs.hl7_samples import CD4, LOAD, OBR, PID, POTASSIUM, SAMPLES, message, msh, obx, one, read

SODIUM = "2951-2^Sodium^LN"
BANGKOK = timezone(timedelta(hours=7))


def sample(name: str) -> list[Any]:
    return read(next(SAMPLES.glob(f"*{name}*")).read_bytes())


# Messages that others wrote


def test_a_report_with_pending_and_preliminary_results_says_so_row_by_row() -> None:
    lines = sample("LAB-ORU-1")
    assert Counter(line.status for line in lines) == {Status.READY: 8, Status.PENDING: 2}
    assert [line.name for line in lines if line.status is Status.PENDING] == ["LEUKOCYTES", "HEMOGLOBIN"]
    assert all(line.reading is None for line in lines if line.status is Status.PENDING)
    assert Counter(line.stage for line in lines if line.reading) == {Stage.PRELIMINARY: 7, Stage.FINAL: 1}
    hematocrit = next(line for line in lines if line.name == "HEMATOCRIT")
    assert (hematocrit.analyte, hematocrit.reading.value, hematocrit.reading.unit) == (
        "hematocrit",
        Decimal("40.1"),
        "percent",
    )
    assert hematocrit.moment == datetime(2014, 10, 6, 8, 30, tzinfo=BANGKOK)
    assert {line.person for line in lines} == {Person("DONALD D DUCK", date(1924, 10, 10), 1924, "10006579")}
    assert {line.specimen for line in lines} == {"SpecimenID"}


def test_the_final_report_names_the_same_results_as_the_preliminary_one() -> None:
    first = {line.external_id for line in sample("LAB-ORU-1")}
    last = sample("LAB-ORU-2")
    assert {line.external_id for line in last} == first
    assert Counter((line.status, line.stage) for line in last) == {(Status.READY, Stage.FINAL): 10}


def test_a_unit_that_is_none_of_the_test_is_kept_as_printed() -> None:
    """13.4 g/dL that is sent as "g/l-1" is neither 13.4 g/L nor 13.4 g/dL (H11)."""
    hemoglobin = next(line for line in sample("LAB-ORU-2") if line.name == "HEMOGLOBIN")
    assert (hemoglobin.reading.value, hemoglobin.reading.unit, hemoglobin.reading.unit_text) == (
        Decimal("13.4"),
        "",
        "g/l-1",
    )


def test_a_rejected_specimen_has_only_cancelled_results_and_the_reason() -> None:
    lines = sample("CANCELED")
    assert Counter(line.status for line in lines) == {Status.CANCELLED: 16, Status.SKIPPED: 1}
    assert {line.note for line in lines if line.status is Status.CANCELLED} == {"Specimen rejected / not processed"}
    assert all(line.reading is None for line in lines if line.status is Status.CANCELLED)
    assert lines[0].name == "Reported Patient Age"
    assert lines[0].on == date(2023, 4, 11)
    assert {line.laboratory for line in lines} == {"Centers for Disease Control and Prevention"}
    assert lines[1].printed_range == "<1 = Susceptible, >= 1 = Resistant"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sn-as-quantity", ">1.3"),
        ("sn-as-range", "-1-3"),
        ("ratio-value-colon", '"1:3'),
        ("ratio-value-division", '"1/3'),
        ("sn-as-string", "-1+3"),
    ],
)
def test_structured_numerics_that_are_no_single_number_stay_text_and_need_a_date(name: str, text: str) -> None:
    (line,) = sample(name)
    assert line.status is Status.NEEDS_DATE
    assert line.reading.text == text
    assert line.reading.value is None


# Numbers and words


@pytest.mark.parametrize(
    ("test", "kind", "value", "unit", "comparator", "number", "code"),
    [
        (POTASSIUM, "NM", "4.1", "mmol/L", "=", "4.1", "mmol_l"),
        (POTASSIUM, "NM", "+4.1", "mmol/L^millimole per litre^UCUM", "=", "4.1", "mmol_l"),
        (POTASSIUM, "NM", "4.10", "meq/L", "=", "4.10", "meq_l"),
        (LOAD, "SN", "<^20", "copies/mL", "<", "20", "copies_ml"),
        (LOAD, "SN", ">^10000000", "copies/mL", ">", "10000000", "copies_ml"),
        (LOAD, "SN", "<=^20", "copies/mL", "<=", "20", "copies_ml"),
        (LOAD, "SN", "^1250", "copies/mL", "=", "1250", "copies_ml"),
        (LOAD, "SN", "=^1250", "copies/mL", "=", "1250", "copies_ml"),
        (LOAD, "ST", "<20", "copies/mL", "<", "20", "copies_ml"),
        (LOAD, "ST", "< 20 copies/mL", "", "<", "20", "copies_ml"),
        (LOAD, "TX", "≤20", "copies/mL", "<=", "20", "copies_ml"),
        (LOAD, "CWE", "1^<20^L", "copies/mL", "<", "20", "copies_ml"),
        (LOAD, "NM", "<20", "copies/mL", "<", "20", "copies_ml"),
        (LOAD, "ST", "1,250", "copies/mL", "=", "1250", "copies_ml"),
        (POTASSIUM, "ST", "5.4", "mmol/L", "=", "5.4", "mmol_l"),
        (POTASSIUM, "ST", "5,4", "mmol/L", "=", "5.4", "mmol_l"),
        (CD4, "NM", "612", "/uL", "=", "612", "cells_ul"),
        (CD4, "NM", "0.612", "10*9/L", "=", "0.612", "giga_l"),
        (CD4, "NM", "612", "", "=", "612", ""),
        (CD4, "NM", "612", "stars", "=", "612", ""),
    ],
)
def test_a_value_is_read_exactly_with_its_unit(
    test: str, kind: str, value: str, unit: str, comparator: str, number: str, code: str
) -> None:
    line = one(obx(test, kind, value, unit))
    assert (line.status, line.reason) == (Status.READY, "")
    reading = line.reading
    assert reading is not None
    assert (reading.comparator, str(reading.value), reading.unit, reading.text) == (comparator, number, code, "")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("SN", "^100^-^200", "100-200"),
        ("SN", "^1^:^128", "1:128"),
        ("SN", "^2^+", "2+"),
        ("SN", "<>^5", "<>5"),
        ("SN", "about^5", "about5"),
        ("SN", "^4.1^^5", "4.1 5"),
        ("SN", "999", "999"),
        ("NM", "4.1~4.3", "4.1\n4.3"),
        ("NM", "see below", "see below"),
        ("NM", "1-3", "1-3"),
        ("ST", "1+", "1+"),
        ("ST", "1:128", "1:128"),
        ("ST", "4.1-4.3", "4.1-4.3"),
        ("ST", "<4.1>", "<4.1>"),
        ("ST", "4.1 (hemolyzed)", "4.1 (hemolyzed)"),
        ("ST", "5 days", "5 days"),
        ("ST", "see below", "see below"),
        ("ST", "4.1~4.3", "4.1\n4.3"),
        ("ST", "4.1 mg/dL", "4.1 mg/dL"),
        ("ST", "4.1 meq/L", "4.1 meq/L"),
        ("TX", "line one~line two", "line one\nline two"),
        ("FT", r"no\.br\growth", "no\ngrowth"),
        ("CE", "123^Mixed growth^L", "Mixed growth"),
        ("CWE", "^^^456^Other words^L", "Other words"),
        ("CE", "POS", "POS"),
        ("DT", "20260304", "20260304"),
        ("TM", "0815", "0815"),
        ("XX", "4.1", "4.1"),
        ("TS", "20260304081500", "20260304081500"),
    ],
)
def test_what_is_no_single_number_is_kept_as_text(kind: str, value: str, text: str) -> None:
    line = one(obx(POTASSIUM, kind, value, "mmol/L"))
    assert line.status is Status.READY
    assert line.reading is not None
    assert line.reading.value is None
    assert line.reading.text == text


@pytest.mark.parametrize(
    ("test", "kind", "value", "words"),
    [
        (POTASSIUM, "NM", "-4.1", "not a result of this test"),
        (POTASSIUM, "NM", "41000", "cannot be right"),
        (POTASSIUM, "ST", "99", "cannot be right"),
        (LOAD, "NM", "0", "0 is not what a laboratory reports"),
        (CD4, "ST", "1.250", "can be 1250 or 1.25"),
        (POTASSIUM, "ED", "^application^pdf^Base64^JVBERi0=", "holds a document"),
        ("x^Long story^L", "TX", "a" * 2001, "2,001 letters"),
    ],
)
def test_what_cannot_be_a_result_is_refused_in_words(test: str, kind: str, value: str, words: str) -> None:
    unit = {POTASSIUM: "mmol/L", LOAD: "copies/mL", CD4: "/uL"}.get(test, "")
    line = one(obx(test, kind, value, unit))
    assert line.status is Status.NOT_UNDERSTOOD
    assert line.reading is None
    assert words in line.reason


@pytest.mark.parametrize("value", ["not detected", "Not Detected", "TND", "target not detected"])
def test_not_detected_is_a_result_of_its_own_where_a_test_can_have_it(value: str) -> None:
    """H12: it has no limit, and is no number."""
    for kind, sent in (("ST", value), ("CWE", f"260415000^{value}^SCT")):
        reading = one(obx(LOAD, kind, sent)).reading
        assert reading is not None
        assert (reading.value, reading.detected, reading.raw) == (None, False, value)
    words = one(obx(POTASSIUM, "ST", value)).reading
    assert words is not None
    assert (words.text, words.detected) == (value, None)


def test_below_the_limit_but_detected_is_not_the_same_as_not_detected() -> None:
    found = {sent: one(obx(LOAD, "ST", sent, "copies/mL")).reading for sent in ("<20 detected", "<20, not detected")}
    assert {sent: (r.comparator, r.value, r.detected) for sent, r in found.items() if r} == {
        "<20 detected": ("<", 20, True),
        "<20, not detected": ("<", 20, False),
    }


@pytest.mark.parametrize(
    ("kind", "value", "note", "text"),
    [
        ("SN", "^999", "HIV-1 RNA undetectable", "999 (HIV-1 RNA undetectable)"),
        ("SN", "=^999", "See below", "999 (See below)"),
        ("SN", "^0", "Below the limit of quantification", "0 (Below the limit of quantification)"),
        ("NM", "999", "target not detected", "999 (target not detected)"),
    ],
)
def test_a_bare_number_whose_note_says_otherwise_is_no_number(kind: str, value: str, note: str, text: str) -> None:
    line = one(obx(LOAD, kind, value, "copies/mL"), f"NTE|1|L|{note}")
    assert line.status is Status.READY
    assert line.reading is not None
    assert (line.reading.value, line.reading.text, line.note) == (None, text, note)


def test_a_note_about_the_only_result_of_an_order_speaks_of_it_too() -> None:
    order = [OBR, "NTE|1|L|undetectable"]
    assert one(*order, obx(LOAD, "SN", "^999", "copies/mL")).reading.text == "999 (undetectable)"
    both = read(message(*order, obx(LOAD, "SN", "^1250", "copies/mL"), obx(POTASSIUM, "NM", "4.1", "mmol/L")))
    assert [line.reading.value for line in both] == [1250, Decimal("4.1")]
    assert {line.note for line in both} == {"undetectable"}


def test_a_number_keeps_its_value_beside_a_note_that_leaves_it_alone() -> None:
    for note in ("Slightly hemolyzed", "Detected by PCR", "See you in March", "Fasting"):
        line = one(obx(LOAD, "SN", "^1250", "copies/mL"), f"NTE|1|L|{note}")
        assert line.reading.value == 1250
    censored = one(obx(LOAD, "SN", "<^20", "copies/mL"), "NTE|1|L|undetectable")
    assert (censored.reading.comparator, censored.reading.value) == ("<", 20)


def test_an_empty_value_is_no_result_yet() -> None:
    for kind, value in (("NM", ""), ("NM", '""'), ("SN", "^^"), ("CWE", "^^L"), ("ST", " "), ("TX", "~~"), ("", "")):
        line = one(obx(POTASSIUM, kind, value, "mmol/L"))
        assert (line.status, line.reading) == (Status.PENDING, None), (kind, value)
        assert line.on == date(2026, 3, 4)
    corrected = one(obx(POTASSIUM, "NM", "", "mmol/L", "C"))
    assert corrected.status is Status.NOT_UNDERSTOOD
    assert "corrects this result, and sends no value" in corrected.reason


def test_a_text_sent_line_by_line_is_one_result_with_the_notes_of_its_last_line() -> None:
    culture = "600-7^Blood culture^LN"
    rows = [obx(culture, "TX", text) for text in ("No growth", "after 48 hours", "in 2 bottles")]
    line = one(*rows, "NTE|1|L|Final report")
    assert line.reading.text == "No growth\nafter 48 hours\nin 2 bottles"
    assert line.note == "Final report"
    numbers = read(message(obx(POTASSIUM, "NM", "4.1", "mmol/L"), obx(POTASSIUM, "NM", "4.3", "mmol/L")))
    assert [line.reading.value for line in numbers] == [Decimal("4.1"), Decimal("4.3")]


def test_two_values_of_one_test_in_one_order_are_told_apart_by_nothing_so_neither_takes_the_others_place() -> None:
    rows = [obx(POTASSIUM, "NM", "4.1", "mmol/L"), obx(POTASSIUM, "NM", "4.3", "mmol/L")]
    assert [line.external_id for line in read(message(*rows))] == ["", ""]
    rows[1] = obx(POTASSIUM, "NM", "4.3", "mmol/L", "C")
    assert len({line.external_id for line in read(message(*rows))}) == 1
    rows[1] = obx(POTASSIUM, "NM", "4.3", "mmol/L", sub="2")
    assert len({line.external_id for line in read(message(*rows))}) == 2


# How far a result is


@pytest.mark.parametrize(
    ("code", "status", "stage"),
    [
        ("F", Status.READY, Stage.FINAL),
        ("U", Status.READY, Stage.FINAL),
        ("C", Status.READY, Stage.CORRECTED),
        ("P", Status.READY, Stage.PRELIMINARY),
        ("R", Status.READY, Stage.PRELIMINARY),
        ("S", Status.READY, Stage.PRELIMINARY),
        ("I", Status.PENDING, Stage.FINAL),
        ("X", Status.CANCELLED, Stage.FINAL),
        ("N", Status.CANCELLED, Stage.FINAL),
        ("O", Status.CANCELLED, Stage.FINAL),
        ("D", Status.WITHDRAWN, Stage.FINAL),
        ("W", Status.WITHDRAWN, Stage.FINAL),
        ("Z", Status.NOT_UNDERSTOOD, Stage.FINAL),
        ("", Status.NOT_UNDERSTOOD, Stage.FINAL),
    ],
)
def test_the_status_of_the_laboratory_decides_what_a_row_is(code: str, status: Status, stage: Stage) -> None:
    line = one(obx(POTASSIUM, "NM", "4.1", "mmol/L", code))
    assert (line.status, line.stage) == (status, stage)
    assert (line.reading is not None) == (status in (Status.READY, Status.WITHDRAWN))
    assert bool(line.reason) == (status is not Status.READY)


def test_a_result_without_a_status_has_that_of_its_order() -> None:
    order = OBR + "|" * 18 + "P"
    assert one(order, obx(POTASSIUM, "NM", "4.1", "mmol/L", "")).stage is Stage.PRELIMINARY
    assert one(order, obx(POTASSIUM, "NM", "4.1", "mmol/L", "F")).stage is Stage.FINAL
    partial = OBR + "|" * 18 + "A"
    assert one(partial, obx(POTASSIUM, "NM", "4.1", "mmol/L", "")).status is Status.NOT_UNDERSTOOD


# When


@pytest.mark.parametrize(
    ("written", "on", "at", "moment"),
    [
        ("20260304", date(2026, 3, 4), None, None),
        ("20260304+0100", date(2026, 3, 4), None, None),
        ("2026030408", date(2026, 3, 4), None, None),
        ("202603040815", date(2026, 3, 4), time(8, 15), None),
        ("20260304081530", date(2026, 3, 4), time(8, 15, 30), None),
        ("20260304081530.1234", date(2026, 3, 4), time(8, 15, 30), None),
        ("202603040815-0500", None, None, datetime(2026, 3, 4, 13, 15, tzinfo=UTC)),
        ("20260304081530+0530", None, None, datetime(2026, 3, 4, 2, 45, 30, tzinfo=UTC)),
        ("20240229", date(2024, 2, 29), None, None),
    ],
)
def test_a_draw_is_dated_as_exactly_as_the_message_says(written: str, on: Any, at: Any, moment: Any) -> None:
    result = obx(POTASSIUM, "NM", "4.1", "mmol/L")
    own, specimen = obx(POTASSIUM, "NM", "4.1", "mmol/L", f14=written), f"SPM|1|S1||BLD|||||||||||||{written}"
    for segments in ([own], [f"OBR|1||F1|x|||{written}", result], ["OBR|1||F1|x", result, specimen]):
        line = one(*segments)
        assert (line.status, line.on, line.at, line.moment) == (Status.READY, on, at, moment)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "does not say when"),
        ("2026", "is not a day. A result needs the day"),
        ("202603", "is not a day. A result needs the day"),
        ("20260304^Y", "is not a day. A result needs the day"),
        ("20260230", "not a moment of the calendar"),
        ("20261301", "not a moment of the calendar"),
        ("202603042561", "not a moment of the calendar"),
        ("202603040815+9900", "not a moment of the calendar"),
        ("00000000", "not a moment of the calendar"),
        ("99991231", "has not come yet"),
        ("19010101", "too long ago to be right"),
        ("4 March 2026", "not a date of HL7"),
        ("2026-03-04", "not a date of HL7"),
        ("٢٠٢٦٠٣٠٤", "not a date of HL7"),
    ],
)
def test_a_draw_without_a_day_needs_a_date(written: str, words: str) -> None:
    line = one("OBR|1||F1|x", obx(POTASSIUM, "NM", "4.1", "mmol/L", f14=written))
    assert (line.status, line.on, line.moment) == (Status.NEEDS_DATE, None, None)
    assert line.reading.value == Decimal("4.1")
    assert words in line.reason


def test_a_midnight_that_stands_for_a_day_is_a_day() -> None:
    """TS.2 of HL7 2.3: how exact the sender is."""
    line = one(obx(POTASSIUM, "NM", "4.1", "mmol/L", f14="20260304000000^D"))
    assert (line.on, line.at) == (date(2026, 3, 4), None)


def test_the_time_of_reporting_is_never_the_time_of_the_draw() -> None:
    """H32: neither MSH-7 nor OBR-22 nor OBR-14 (received) is when blood was taken."""
    received = "OBR|1||F1|x||||||||||20260306080000||||||||20260307080000|||F"
    assert one(received, obx(POTASSIUM, "NM", "4.1", "mmol/L")).status is Status.NEEDS_DATE


def test_the_result_says_when_before_the_order_and_the_order_before_the_specimen() -> None:
    specimen = "SPM|1|S1||BLD|||||||||||||20260301"
    result = obx(POTASSIUM, "NM", "4.1", "mmol/L", f14="20260303")
    assert one("OBR|1||F1|x|||20260302", result, specimen).on == date(2026, 3, 3)
    result = obx(POTASSIUM, "NM", "4.1", "mmol/L")
    assert one("OBR|1||F1|x|||20260302", result, specimen).on == date(2026, 3, 2)
    assert one("OBR|1||F1|x", result, specimen).on == date(2026, 3, 1)
    assert one("OBR|1||F1|x", specimen, result).on == date(2026, 3, 1)
    two = one("OBR|1||F1|x", result, specimen, "SPM|2|S2||BLD|||||||||||||20260302")
    assert (two.status, two.specimen) == (Status.NEEDS_DATE, "")


def test_the_zone_of_the_message_is_that_of_its_times_but_makes_no_time_of_a_day() -> None:
    head = msh(at="20260305100000-0500")
    timed = one(obx(POTASSIUM, "NM", "4.1", "mmol/L", f14="202603040815"), head=head)
    assert timed.moment == datetime(2026, 3, 4, 13, 15, tzinfo=UTC)
    dated = one(obx(POTASSIUM, "NM", "4.1", "mmol/L", f14="20260304"), head=head)
    assert (dated.on, dated.moment) == (date(2026, 3, 4), None)


# Which test, whose, from where


@pytest.mark.parametrize(
    ("identifier", "analyte", "name"),
    [
        ("2823-3^Potassium^LN", "potassium", "Potassium"),
        ("K^Kalium^L^2823-3^Potassium SerPl^LN", "potassium", "Kalium"),
        ("^Potassium", "potassium", "Potassium"),
        ("24467-3^^LN", "cd4", "24467-3"),
        ("99999-9^Potassium^LN", "other", "Potassium"),
        ("2823-3^Potassium^LN^2951-2^Sodium^LN", "other", "Potassium"),
        ("XYZ^Zinc^L", "other", "Zinc"),
        ("2823-3^Rubbish^L", "other", "Rubbish"),
    ],
)
def test_a_test_is_known_by_its_loinc_and_by_name_only_where_no_loinc_says_otherwise(
    identifier: str, analyte: str, name: str
) -> None:
    line = one(obx(identifier, "NM", "4.1", "mmol/L"))
    assert (line.status, line.analyte, line.name) == (Status.READY, analyte, name)


@pytest.mark.parametrize(
    ("kind", "value", "mark", "expected"),
    [
        ("NM", "20", "<", ("<", 20, "")),
        ("ST", "20", "<", ("<", 20, "")),
        ("NM", "10000000", ">", (">", 10_000_000, "")),
        ("SN", "<^20", "<", ("<", 20, "")),
        ("SN", "<^20", ">", ("=", None, "<20 (>)")),
        ("NM", "20", "L", ("=", 20, "")),
    ],
)
def test_a_mark_off_the_scale_makes_a_bare_number_a_limit(
    kind: str, value: str, mark: str, expected: tuple[str, int | None, str]
) -> None:
    reading = one(obx(LOAD, kind, value, "copies/mL", f8=mark)).reading
    assert reading is not None
    assert (reading.comparator, reading.value, reading.text) == expected


def test_a_note_about_something_else_that_was_not_detected_takes_no_number_away() -> None:
    line = one(obx(POTASSIUM, "NM", "4.1", "mmol/L"), "NTE|1|L|No hemolysis detected")
    assert line.reading is not None
    assert (str(line.reading.value), line.reading.text) == ("4.1", "")


def test_a_name_is_not_enough_where_the_specimen_is_no_blood() -> None:
    """Sodium in urine stands among the possible numbers of sodium in blood."""
    result = obx("NA^Sodium^L", "NM", "140", "mmol/L")
    for specimen in ("UR^Urine^HL70487", "^Random urine", "CSF", "STL"):
        assert one(result, f"SPM|1|S1||{specimen}").analyte == "other"
        assert one(OBR + "|" * 8 + specimen, result).analyte == "other"
    for specimen in ("BLD^Blood", "SER", "PLAS^Plasma", "^EDTA whole blood", ""):
        assert one(result, f"SPM|1|S1||{specimen}").analyte == "sodium"


def test_the_patient_is_whom_the_message_names() -> None:
    line = one(obx(POTASSIUM, "NM", "4.1", "mmol/L"))
    assert line.patient == "4711"
    assert line.person == Person("Anna Maria Novak", date(1980, 3, 15), 1980, "4711")
    for born, said in (("1980", (None, 1980)), ("198003", (None, 1980)), ("19800231", (None, 1980)), ("", (None, None)),
                       ("19800315000000", (date(1980, 3, 15), 1980)), ("x", (None, None))):  # fmt: skip
        person = one(f"PID|1||1||A^B||{born}", obx(POTASSIUM, "NM", "4.1", "mmol/L")).person
        assert (person.born_on, person.birth_year) == said
    nobody = read(message(obx(POTASSIUM, "NM", "4.1", "mmol/L")).replace(PID.encode(), b"ZPI|x"))[0]
    assert (nobody.patient, nobody.person) == ("", None)


def test_several_patients_of_one_message_keep_their_own_results() -> None:
    other = "PID|2||4712||Weiss^Bea||19751224"
    lines = read(
        message(
            PID,
            OBR,
            obx(POTASSIUM, "NM", "4.1", "mmol/L"),
            other,
            "OBR|1||F2|x|||20260305",
            obx(POTASSIUM, "NM", "4.3", "mmol/L"),
        )
    )
    assert [(line.patient, line.person.name, line.reading.value) for line in lines] == [
        ("4711", "Anna Maria Novak", Decimal("4.1")),
        ("4712", "Bea Weiss", Decimal("4.3")),
    ]
    assert [line.on for line in lines] == [date(2026, 3, 4), date(2026, 3, 5)]


def test_what_stands_beside_a_value_is_kept() -> None:
    fields = {"f7": "3.5-5.1", "f8": "H~A", "f15": "L1^Ward lab^L", "f23": "City Laboratory^L"}
    segments = [OBR, "NTE|1|L|Order note", obx(POTASSIUM, "NM", "5.4", "mmol/L", **fields), "NTE|1|L|Hemolyzed~Repeat"]
    line = one(*segments)
    assert (line.printed_range, line.flag, line.laboratory) == ("3.5-5.1", "H, A", "City Laboratory")
    assert line.note == "Order note\nHemolyzed\nRepeat"
    assert line.external_id == "LAB|F1 2026-03-04|2823-3|"
    assert line.specimen == "F1"
    assert one(obx(POTASSIUM, "NM", "5.4", "mmol/L", f15="L1^Ward lab^L")).laboratory == "Ward lab"
    assert one(obx(POTASSIUM, "NM", "5.4", "mmol/L", f15="L1")).laboratory == "L1"
    assert one(obx(POTASSIUM, "NM", "5.4", "mmol/L")).laboratory == "CITYLAB"


def test_the_number_of_the_order_may_stand_in_the_common_order_and_the_specimen_has_its_own() -> None:
    result, specimen = obx(POTASSIUM, "NM", "5.4", "mmol/L"), "SPM|1|PL9^S77&CITYLAB||BLD"
    line = one("ORC|RE|P9|F9^CITY", "OBR|1|||x|||20260304", result, specimen)
    assert (line.external_id, line.specimen) == ("CITY|F9 2026-03-04|2823-3|", "S77")
    unnamed = one("OBR|1|||x|||20260304", result)
    assert (unnamed.external_id, unnamed.specimen) == ("", "")


def test_a_short_number_of_an_order_is_another_order_on_another_day() -> None:
    """A laboratory that counts its orders from 1 each morning corrects nothing by that."""
    result = obx(POTASSIUM, "NM", "5.4", "mmol/L")
    ids = {
        number: {one(f"OBR|1||{number}^LAB|x|||{day}", result).external_id for day in ("20260304", "20260305")}
        for number in ("0001", "26-000815")
    }
    assert {number: len(found) for number, found in ids.items()} == {"0001": 2, "26-000815": 1}
    assert ids["26-000815"] == {"LAB|26-000815|2823-3|"}
    moment = one("OBR|1||0001^LAB|x|||20260304081500+0700", result)
    assert moment.external_id == "LAB|0001 2026-03-04|2823-3|"


def test_a_row_is_shown_as_a_report_prints_it() -> None:
    assert one(obx(LOAD, "SN", "<^20", "copies/mL")).raw == "<20"
    assert one(obx(LOAD, "SN", "^100^-^200")).raw == "100-200"
    assert one(obx(LOAD, "ST", "a^b")).raw == "a^b"
    assert one(obx(LOAD, "SN", "<^20", "copies/mL", "X")).raw == "<20"


def test_what_is_too_long_for_its_place_is_shortened_visibly_or_told_apart() -> None:
    order = f"OBR|1||{'9' * 300}^LAB|x|||20260304"
    line = one(order, obx(f"2823-3^{'K' * 300}^LN", "NM", "5.4", "mmol/L", f7="r" * 61, f8="f" * 30, f23="c" * 130),
               f"NTE|1||{'n' * 3000}")  # fmt: skip
    assert line.status is Status.READY
    assert (line.name, line.flag, line.laboratory) == ("K" * 119 + "…", "f" * 19 + "…", "c" * 119 + "…")
    assert (line.printed_range, line.note[:20], len(line.note)) == ("", "Printed range: rrrrr", 2000)
    assert (len(line.external_id), len(line.specimen)) == (71, 40)
    other = one(order.replace("9^", "8^"), obx("2823-3", "NM", "5.4", "mmol/L"))
    assert other.external_id != line.external_id


# Bytes


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n"])
@pytest.mark.parametrize("around", [(b"", b""), (b"\xef\xbb\xbf", b""), (b"\x0b", b"\x1c\r"), (b"\n\n  ", b"\n")])
def test_line_ends_a_byte_order_mark_and_framing_change_nothing(end: str, around: tuple[bytes, bytes]) -> None:
    data = message(obx(POTASSIUM, "NM", "4.1", "mmol/L"), obx(SODIUM, "NM", "140", "mmol/L"), end=end)
    lines = read(around[0] + data + around[1])
    assert [(line.status, line.analyte, line.reading.value) for line in lines] == [
        (Status.READY, "potassium", Decimal("4.1")),
        (Status.READY, "sodium", 140),
    ]


def test_messages_one_after_another_and_in_batches_are_all_read() -> None:
    one_message = message(obx(POTASSIUM, "NM", "4.1", "mmol/L"))
    two_framed = b"\x0b" + one_message + b"\x1c\r\x0b" + one_message + b"\x1c\r"
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + one_message * 3 + b"BTS|3\rBHS|^~\\&\r" + one_message + b"BTS|1\rFTS|2\r"
    assert [len(read(data)) for data in (one_message * 2, two_framed, batch)] == [2, 2, 4]
    assert {line.status for line in read(batch)} == {Status.READY}
    assert [line.line for line in read(one_message * 2)] == [4, 8]


def test_a_batch_with_fewer_messages_than_it_says_or_without_an_end_is_said_to_be_cut() -> None:
    two = message(obx(POTASSIUM, "NM", "4.1", "mmol/L")) * 2
    for trailer, words in (
        (b"BTS|3\r", "The batch says that it holds 3 messages. Here are 2."),
        (b"", "This batch (BHS) has no end (BTS): the file may be cut."),
        (b"BTS|02\r", ""),
        (b"BTS\r", ""),
        (b"BTS|many\r", ""),
    ):
        lines = read(b"BHS|^~\\&\r" + two + trailer)
        assert [line.status for line in lines[:2]] == [Status.READY, Status.READY]
        assert [line.reason for line in lines[2:]] == ([words] if words else [])


def test_a_laboratory_called_msh_begins_no_message() -> None:
    """The library counts the letters; a name with them is no second message."""
    lines = read(message(obx(POTASSIUM, "NM", "4.1", "mmol/L", f23="MSH Mount Sinai"), "NTE|1||MSH|was here"))
    assert [line.laboratory for line in lines] == ["MSH Mount Sinai"]


def test_a_message_may_have_separators_of_its_own() -> None:
    plain = message(obx("2823-3^Potassium^LN", "SN", "<^4.1", "mmol/L", f8="L~A"), "NTE|1||a\\F\\b")
    own = plain.decode().translate(str.maketrans({"|": "#", "^": "*", "~": "!", "\\": "?", "&": "$"}))
    line = read(own.encode())[0]
    assert (line.reading.comparator, line.reading.value, line.flag, line.note) == ("<", Decimal("4.1"), "L, A", "a#b")


def test_a_sign_that_a_message_does_not_name_separates_nothing() -> None:
    data = message(obx("x^AT&T ~ test^L", "ST", "a&b~c\\F\\d"), head=msh().replace(r"|^~\&|", "|^|"))
    (line,) = read(data)
    assert (line.name, line.reading.text) == ("AT&T ~ test", "a&b~c\\F\\d")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"5\E\F\E\6", "5\\F\\6"),
        (r"µ \XC2B5\ \X41\ ", "µ µ A"),
        (r"one\.br\two\.sp2\three\.in4\four", "one\ntwo\n\nthree    four"),
        (r"\H\bold\N\ text", "bold text"),
        (r"kept \Z1\ and \C2842\ and \X4\ and \.xx\ ", r"kept \Z1\ and \C2842\ and \X4\ and \.xx\\"[:-1]),
        (r"not closed \F", r"not closed \F"),
        (r"a\b \F\ c", r"a\b | c"),
        (r"the \X0D\end\X00\.", "the \nend\ufffd."),
    ],
)
def test_escapes_mean_what_the_standard_says_and_others_stay_as_they_stand(written: str, meant: str) -> None:
    assert one(obx("x^Remark^L", "TX", "see " + written)).reading.text == "see " + meant


def test_an_escape_that_is_not_closed_takes_nothing_away() -> None:
    """The library drops what follows: "5\\120" would become 5."""
    line = one(obx(POTASSIUM, "NM", "5\\120", "mmol/L"))
    assert (line.reading.value, line.reading.text) == (None, "5\\120")


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("", "utf-8"),
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "iso8859-1"),
        ("8859/1", "utf-8"),
        ("8859/15", "iso8859-15"),
    ],
)
def test_letters_are_read_in_the_character_set_of_the_message(charset: str, codec: str) -> None:
    text = message("PID|1||1||Müller^Zoë||1980", obx(POTASSIUM, "NM", "4.1", "mmol/L"), head=msh(charset=charset))
    (line,) = read(text.decode().encode(codec))
    assert (line.status, line.person.name) == (Status.READY, "Zoë Müller")


def test_letters_outside_the_character_set_are_refused_with_the_line() -> None:
    rows = [obx(POTASSIUM, "NM", "4.1", "mmol/L"), obx(SODIUM, "NM", "140", "mmol/L"), "NTE|1||Käse"]
    for charset, codec, words in (("", "latin-1", "UTF-8"), ("ASCII", "utf-8", "ASCII"), ("ASCII", "latin-1", "ASCII")):
        lines = read(message(*rows, head=msh(charset=charset)).decode().encode(codec))
        assert [line.status for line in lines] == [Status.READY, Status.NOT_UNDERSTOOD]
        assert (
            lines[1].reason == f"Line 6 (NTE) holds letters that are not in the character set of the message ({words})."
        )


def test_nothing_is_believed_under_a_patient_or_an_order_that_cannot_be_read() -> None:
    for broken in ("PID|1||1||Müller^Zoë||1980", "OBR|1||F1|Käse|||20260304", "SPM|1|S1||Käse"):
        lines = read(message(broken, obx(POTASSIUM, "NM", "4.1", "mmol/L")).decode().encode("latin-1"))
        assert {line.status for line in lines} == {Status.NOT_UNDERSTOOD}
        assert {line.reading for line in lines} == {None}


@pytest.mark.parametrize("charset", ["8859/99", "ISO IR87", "BIG-5", "nonsense"])
def test_a_character_set_we_do_not_know_is_refused_with_its_place(charset: str) -> None:
    lines = read(message(obx(POTASSIUM, "NM", "4.1", "mmol/L"), head=msh(charset=charset)))
    assert [(line.line, line.status) for line in lines] == [(1, Status.NOT_UNDERSTOOD)]
    assert f"“{charset.upper()}”" in lines[0].reason


# What is no message, or not one of ours


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (msh(kind="ADT^A01"), "This message is ADT^A01, not results"),
        (msh(kind="ORU^R30"), "This message is ORU^R30, not results"),
        (msh(kind="ORU"), "This message is ORU, not results"),
        (msh(kind=""), "This message is nothing, not results"),
        (msh(version="2.2"), "version “2.2”"),
        (msh(version="2.7"), "version “2.7”"),
        (msh(version="3"), "version “3”"),
        (msh(version=""), "version “”"),
        (r"MSH|^^\&|LIS|||||", "separators"),
        (r"MSH|^~\&#!?|LIS|||||", "separators"),
        (r"MSH|abcd|LIS|||||", "separators"),
        (r"MSH||LIS|||||", "separators"),
        (r"MSH|^~\&", "separators"),
    ],
)
def test_a_message_that_is_not_ours_is_refused_in_words_and_the_next_is_read(head: str, words: str) -> None:
    other = message(obx(POTASSIUM, "NM", "4.1", "mmol/L"), head=head)
    lines = read(other + message(obx(POTASSIUM, "NM", "4.3", "mmol/L")))
    assert [line.status for line in lines] == [Status.NOT_UNDERSTOOD, Status.READY]
    assert words in lines[0].reason
    assert (lines[0].line, lines[0].reading) == (1, None)


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.5.1^USA"])
def test_versions_2_3_to_2_6_are_read(version: str) -> None:
    assert one(obx(POTASSIUM, "NM", "4.1", "mmol/L"), head=msh(version=version)).status is Status.READY


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"date,cd4\n2026-01-05,612\n", "no line of it begins with MSH"),
        (PID.encode(), "no line of it begins with MSH"),
        (b"MSH", "no line of it begins with MSH"),
        (b"MSHA|x", "no line of it begins with MSH"),
        (b"FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r", "no line of it begins with MSH"),
        (message(obx(POTASSIUM, "NM", "4.1")).decode().encode("utf-16"), "not an HL7 message of text"),
        (message(obx(POTASSIUM, "NM", "4.1")).decode().encode("utf-16-le"), "not an HL7 message of text"),
        (bytes(range(256)), "no line of it begins with MSH"),
    ],
)
def test_a_file_without_any_message_is_refused_as_a_whole(data: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        read(data)


def test_a_line_that_is_no_segment_takes_the_result_before_it_along() -> None:
    """A value with a line break in it is cut: "41" may have been "4" and "1"."""
    lines = read(message(obx(POTASSIUM, "NM", "4.1", "mmol/L"), "12|mmol/L", obx(SODIUM, "NM", "140", "mmol/L")))
    assert [line.status for line in lines] == [Status.NOT_UNDERSTOOD, Status.READY]
    assert "Line 5, after this result, is no segment" in lines[0].reason
    above = read(message(PID, "free text", OBR, obx(POTASSIUM, "NM", "4.1", "mmol/L")))
    assert [(line.line, line.status) for line in above] == [(3, Status.NOT_UNDERSTOOD), (5, Status.READY)]
    before = read(b"Dear colleague,\r" + message(obx(POTASSIUM, "NM", "4.1", "mmol/L")))
    assert [line.status for line in before] == [Status.NOT_UNDERSTOOD, Status.READY]


def test_a_file_that_ends_within_a_result_does_not_make_a_smaller_number_of_it() -> None:
    order = OBR + "|" * 18 + "F"
    whole = message(order, obx(CD4, "NM", "612", "/uL"))
    for length in range(whole.index(b"OBX"), len(whole) + 1):
        for line in read(whole[:length]):
            assert line.status is not Status.READY or line.reading.value == 612


def test_a_segment_of_separators_is_refused_before_it_is_split() -> None:
    lines = read(message(obx(POTASSIUM, "NM", "4.1", "mmol/L"), obx(SODIUM, "NM", "^" * 5000, "mmol/L")))
    assert [line.status for line in lines] == [Status.READY, Status.NOT_UNDERSTOOD]
    assert "too many parts" in lines[1].reason


def test_a_null_character_is_refused_with_the_line() -> None:
    lines = read(message(obx(POTASSIUM, "NM", "4.1\0", "mmol/L"), obx(SODIUM, "NM", "140", "mmol/L")))
    assert [line.status for line in lines] == [Status.NOT_UNDERSTOOD, Status.READY]
    assert "null character" in lines[0].reason
    assert "\0" not in lines[0].raw


def test_a_message_without_results_says_so() -> None:
    lines = read(message(OBR)[: message(OBR).index(b"OBX")] if b"OBX" in message(OBR) else message(OBR))
    assert [line.reason for line in lines] == ["This message holds no results."]


# Whatever comes


@given(properties.broken() | st.binary(max_size=400))
def test_no_broken_message_raises_or_makes_a_number_up(data: bytes) -> None:
    properties.check(data)


@given(st.lists(properties.SENT, min_size=1, max_size=6), properties.SIGNS, st.sampled_from(["\r", "\n", "\r\n"]),
       st.booleans())  # fmt: skip
def test_every_whole_message_is_read_as_it_was_meant(results: Any, signs: str, end: str, batch: bool) -> None:
    properties.comes_back(results, signs, end, batch)
