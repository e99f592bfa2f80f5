"""FHIR files as servers send them: each value gets the right verdict, and no number that does not stand in the file."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from labs.files import fhir
from labs.files.candidates import OTHER, FileError, Person, Stage, Status
from labs.units import library
from tests.labs.samples import DATA

RULES = library()
SAMPLES = DATA / "fhir"
PLUS_ONE = timezone(timedelta(hours=1))
LAB_DAY, DUTCH = date(2005, 7, 5), datetime(2013, 4, 2, 9, 30, tzinfo=PLUS_ONE)
READY, ASKED = Status.READY, Status.NEEDS_DATE


def lines(content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(fhir.lines(data, RULES))


def only(content):
    (line,) = lines(content)
    return line


def observation(**facts):
    """A viral load of 612 copies/mL, final, taken on 4 November 2026, unless said otherwise; None leaves it out."""
    made = {
        "resourceType": "Observation",
        "id": "1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "20447-9", "display": "HIV 1 RNA"}]},
        "effectiveDateTime": "2026-11-04",
        "valueQuantity": {"value": 612, "unit": "copies/mL", "code": "{copies}/mL"},
    }
    return {name: value for name, value in (made | facts).items() if value is not None}


def called(name, loinc=None):
    return {"text": name, "coding": [{"system": "http://loinc.org", "code": loinc}]} if loinc else {"text": name}


def bundle(*resources, **facts):
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries} | facts


def figures(line):
    reading = line.reading
    return reading and (reading.comparator, reading.value, reading.unit, reading.unit_text, reading.text)


# The samples


SINGLE = {
    # name: test, sign, number as printed, unit, unit as printed, range, flag, status
    "r4ex__Observation-f001": ("glucose", "=", "6.3", "mmol_l", "mmol/l", "3.1–6.2", "H", READY),
    "r4ex__Observation-f002": (OTHER, "=", "12.6", "", "mmol/l", "7.1–11.2", "H", READY),
    "r4ex__Observation-f003": (OTHER, "=", "6.2", "", "kPa", "4.8–6.0", "H", READY),
    "r4ex__Observation-f004": ("red_cells", "=", "4.12", "tera_l", "10^12/L", "", "L", READY),
    "r4ex__Observation-f005": ("hemoglobin", "=", "7.2", "g_dl", "g/dl", "7.5–10", "L", READY),
    "uscore__observation-cbc-erythrocytes": ("red_cells", "=", "4.58", "million_ul", "10*6/uL", "4.1–6.1", "N", READY),
    "uscore__observation-cbc-hematocrit": ("hematocrit", "=", "43", "percent", "%", "46–38", "N", READY),
    "uscore__observation-cbc-hemoglobin": ("hemoglobin", "=", "17", "g_dl", "g/dL", "16.5–21.5", "N", READY),
    "uscore__observation-cbc-leukocytes": ("white_cells", "=", "10", "thousand_ul", "10*3/uL", "4.5–11", "N", READY),
    "uscore__observation-cbc-mch": (OTHER, "=", "30", "", "pg", "33.2–27.5", "N", READY),
    "uscore__observation-cbc-mchc": (OTHER, "=", "34.7", "", "g/dL", "30–34", "H", READY),
    "uscore__observation-cbc-mcv": (OTHER, "=", "85", "", "fL", "87.3–82.4", "N", READY),
    "uscore__observation-cbc-platelets": ("platelets", "=", "200", "thousand_ul", "10*3/uL", "150–450", "N", READY),
    "uscore__observation-serum-bun": ("urea", "=", "10", "bun_mg_dl", "mg/dL", "5–20", "N", READY),
    "uscore__observation-serum-calcium": ("calcium", "=", "7.7", "mg_dl", "mg/dL", "8.5–10.5", "L", READY),
    "uscore__observation-serum-chloride": (OTHER, "=", "105", "", "mmol/L", "95–105", "N", READY),
    "uscore__observation-serum-co2": (OTHER, "=", "24", "", "mmol/L", "22–29", "N", READY),
    "uscore__observation-serum-creatinine": ("creatinine", "=", "1", "mg_dl", "mg/dL", "0.2–0.6", "H", READY),
    "uscore__observation-serum-glucose": ("glucose", "=", "76", "mg_dl", "mg/dL", "40–109", "N", READY),
    "uscore__observation-serum-potassium": ("potassium", "=", "5.4", "mmol_l", "mmol/L", "3.5–5.5", "N", READY),
    "uscore__observation-serum-sodium": ("sodium", "=", "137", "mmol_l", "mmol/L", "135–145", "N", READY),
    "uscore__urobilinogen": (OTHER, "=", "0.3", "", "mg/dL", "0.1–1", "N", READY),
}
OF_SEVERAL = {
    "r4ex__Observation-decimal",
    "r4ex__Observation-f205",
    "r4ex__Observation-unsat",
    "uscore__diagnosticreport-cbc",
    "uscore__diagnosticreport-metabolic-panel",
    "uscore__specimen-example-urine",
}


def sample(name):
    return lines((SAMPLES / f"{name}.json").read_bytes())


def test_every_sample_has_a_test_here():
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(SINGLE) | OF_SEVERAL


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_a_sample_of_one_result_is_read_as_it_is_printed(name):
    test, sign, number, unit, printed, printed_range, flag, status = SINGLE[name]
    (line,) = sample(name)
    assert (line.analyte, line.status, line.printed_range, line.flag) == (test, status, printed_range, flag)
    assert figures(line) == (sign, Decimal(number), unit, printed, "")
    assert str(line.reading.value) == number
    assert line.stage is Stage.FINAL
    if name.startswith("uscore"):
        assert (line.on, line.moment, line.laboratory) == (LAB_DAY, None, "Dr Ronald Bone")
        assert line.person == Person("Amy Shaw")
    else:
        assert line.on is None
        assert line.moment in (DUTCH, DUTCH + timedelta(hours=1), DUTCH + timedelta(days=3, hours=1))


def test_extreme_decimals_are_kept_digit_for_digit_or_as_text_and_ask_for_their_day():
    read = sample("r4ex__Observation-decimal")
    assert [(str(line.reading.value), line.reading.text) for line in read] == [
        ("1.0", ""),
        ("1.00", ""),
        ("1.0", ""),
        ("None", "1E-22 g"),
        ("None", "1000000000000000000 g"),
        ("None", "1.000000000000000000E-245 g"),
        ("None", "-1.000000000000000000E+245 g"),
    ]
    assert {line.status for line in read} == {ASKED}
    assert len({line.external_id for line in read}) == 7


def test_components_are_results_of_their_own_with_the_sign_of_each():
    first, second = sample("r4ex__Observation-f205")
    assert figures(first) == (">", Decimal(60), "", "mL/min/1.73m2", "")
    assert figures(second) == ("=", Decimal(60), "", "mL/min/1.73m2", "")
    assert "blacks" in first.name
    assert len(first.name) == 120
    assert {line.printed_range for line in (first, second)} == {"≥60"}
    assert first.status is ASKED, "issued says when it was reported, not when blood was taken (H32)"
    assert "MDRD" in first.note
    assert "kindey function" in first.note, "a sentence in place of a mark is a remark"


def test_a_cancelled_result_is_no_result_and_says_why():
    (line,) = sample("r4ex__Observation-unsat")
    assert (line.status, line.reading) == (Status.CANCELLED, None)
    assert "Specimen unsatisfactory" in line.reason
    assert line.note == "Tube broken in transit and sample leaked"
    (earlier,) = sample("r4ex__Observation-f001")
    assert line.external_id == earlier.external_id, "it is known as the same result over all versions"


@pytest.mark.parametrize("name", ["uscore__diagnosticreport-cbc", "uscore__diagnosticreport-metabolic-panel"])
def test_a_report_without_its_results_names_each_that_is_missing(name):
    read = sample(name)
    assert len(read) == 8
    assert {line.status for line in read} == {Status.NOT_UNDERSTOOD}
    assert all("not in this file" in line.reason and line.name for line in read)
    assert [line.place for line in read] == [f"1.{number}" for number in range(1, 9)]


def test_a_report_with_its_results_beside_it_gives_each_once_and_lends_them_its_laboratory():
    names = [
        f"cbc-{each}"
        for each in ("leukocytes", "erythrocytes", "hemoglobin", "hematocrit", "mcv", "mch", "mchc", "platelets")
    ]
    files = [json.loads((SAMPLES / f"uscore__observation-{name}.json").read_text()) for name in names]
    report = json.loads((SAMPLES / "uscore__diagnosticreport-cbc.json").read_text())
    read = lines(bundle(report, *files))
    assert [line.status for line in read] == [READY] * 8
    assert {line.laboratory for line in read} == {"Acme Laboratory, Inc"}, "an organisation goes before a person"
    assert [line.line for line in read] == list(range(2, 10))


def test_what_is_no_result_is_left_out_in_words():
    line = only((SAMPLES / "uscore__specimen-example-urine.json").read_bytes())
    assert (line.status, line.name) == (Status.SKIPPED, "Specimen")
    assert "not a blood result" in line.reason


# Values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": 20, "comparator": "<", "unit": "copies/mL"}, ("<", Decimal(20), "copies_ml", "copies/mL", "")),
        ({"value": 40, "comparator": "<=", "unit": "copies/mL"}, ("<=", Decimal(40), "copies_ml", "copies/mL", "")),
        (
            {"value": 10000000, "comparator": ">", "code": "{copies}/mL"},
            (">", Decimal(10_000_000), "copies_ml", "{copies}/mL", ""),
        ),
        ({"value": 4.2, "unit": "log copies/mL"}, ("=", Decimal("4.2"), "log10_copies_ml", "log copies/mL", "")),
        ({"value": 612, "unit": "IU/mL"}, ("=", Decimal(612), "", "IU/mL", "")),
        ({"value": 612}, ("=", Decimal(612), "", "", "")),
        ({"value": 1.250, "unit": "copies/mL"}, ("=", Decimal("1.25"), "copies_ml", "copies/mL", "")),
    ],
)
def test_a_quantity_keeps_its_sign_its_digits_and_its_unit(value, expected):
    line = only(observation(valueQuantity=value))
    assert (line.status, figures(line)) == (READY, expected)


def test_a_number_keeps_the_zeros_that_were_printed():
    line = only(json.dumps(observation()).replace("612", "612.00").encode())
    assert (line.raw, line.reading.raw, str(line.reading.value)) == ("612.00 copies/mL", "612.00", "612.00")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"valueQuantity": {"unit": "copies/mL"}}, "no number"),
        ({"valueQuantity": {"value": "612", "unit": "copies/mL"}}, "no number"),
        ({"valueQuantity": {"value": True, "unit": "copies/mL"}}, "no number"),
        ({"valueQuantity": [612]}, "no number"),
        ({"valueQuantity": {"value": 612, "comparator": "~", "unit": "copies/mL"}}, "not a sign we know"),
        ({"valueQuantity": {"value": -5, "unit": "copies/mL"}}, "is not a result of this test"),
        ({"valueQuantity": {"value": 0, "unit": "copies/mL"}}, "not what a laboratory reports"),
        ({"valueQuantity": {"value": 1, "unit": "copies/mL", "code": "{Log_copies}/mL"}}, "written as"),
        ({"valueString": "not detected"}, "two values"),
        ({"dataAbsentReason": {"text": "unknown"}}, "a reason why there is none"),
        ({"valueQuantity": None, "valueSampledData": {"data": "1 2 3"}}, "of this kind"),
        ({"valueQuantity": None, "valueString": ""}, "empty"),
        ({"valueQuantity": None, "valueInteger": "7"}, "no number"),
        ({"valueQuantity": None, "valueBoolean": "true"}, "empty"),
        ({"valueQuantity": None, "valueString": "x" * 2001}, "2,001 letters"),
        ({"modifierExtension": [{"url": "https://example.org/not"}]}, "may change what it means"),
        ({"implicitRules": "https://example.org/rules"}, "may change what it means"),
        ({"status": None}, "final"),
        ({"status": "finished"}, "final"),
    ],
)
def test_what_cannot_be_read_with_certainty_is_said_and_never_read(facts, words):
    line = only(observation(**facts))
    assert line.status is Status.NOT_UNDERSTOOD
    assert words in line.reason
    assert line.reading is None or facts.keys() & {"modifierExtension", "implicitRules", "status"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"valueString": "see below"}, "see below"),
        ({"valueString": "612"}, "612"),
        ({"valueString": "1.250 copies/mL"}, "1.250 copies/mL"),
        ({"valueCodeableConcept": {"coding": [{"display": "Reactive"}]}}, "Reactive"),
        ({"valueRange": {"low": {"value": 3, "unit": "g"}, "high": {"value": 5, "unit": "g"}}}, "3 g to 5 g"),
        ({"valueRange": {"high": {"value": 5}}}, "up to 5"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1:128"),
        ({"valueBoolean": False}, "no"),
        ({"valueDateTime": "2026-11-04"}, "2026-11-04"),
    ],
)  # fmt: skip
def test_words_stay_words(value, text):
    line = only(observation(valueQuantity=None, **value))
    assert (line.status, figures(line)) == (READY, ("=", None, "", "", text))


def test_words_that_name_a_unit_of_the_test_are_its_number():
    line = only(observation(valueQuantity=None, valueString="<20 copies/mL"))
    assert figures(line)[:3] == ("<", Decimal(20), "copies_ml")


@pytest.mark.parametrize("said", ["Not detected", "Target not detected", "undetectable"])
def test_not_detected_is_a_result_of_its_own_where_a_test_can_have_it(said):
    for value in ({"valueString": said}, {"valueCodeableConcept": {"text": said}}):
        line = only(observation(valueQuantity=None, **value))
        assert (line.reading.value, line.reading.detected, line.reading.text) == (None, False, "")
    glucose = only(observation(code=called("Glucose", "2345-7"), valueQuantity=None, valueString=said))
    assert glucose.reading.text == said


def test_a_number_that_a_note_calls_undetectable_is_no_count():
    line = only(observation(valueQuantity={"value": 999, "unit": "copies/mL"}, note=[{"text": "Undetectable."}]))
    assert figures(line) == ("=", None, "", "", "999 copies/mL (Undetectable.)")


@pytest.mark.parametrize(
    ("number", "note"),
    [(999, "Result undetectable."), (20, "Target not detected; below limit of detection 20"), (999, "None detected")],
)
def test_a_number_is_no_count_where_a_longer_note_says_that_nothing_was_found(number, note):
    line = only(observation(valueQuantity={"value": number, "unit": "copies/mL"}, note=[{"text": note}]))
    assert figures(line) == ("=", None, "", "", f"{number} copies/mL ({note})")


def test_a_note_about_something_else_that_was_not_detected_takes_no_number_away():
    potassium = observation(code=called("Potassium", "2823-3"), valueQuantity={"value": 4.1, "unit": "mmol/L"},
                            note=[{"text": "No hemolysis detected."}])  # fmt: skip
    assert figures(only(potassium))[:3] == ("=", Decimal("4.1"), "mmol_l")


@pytest.mark.parametrize(
    ("value", "marks", "expected"),
    [
        ({"value": 20, "unit": "copies/mL"}, ["<"], ("<", Decimal(20), "copies_ml", "copies/mL", "")),
        ({"value": 20, "unit": "copies/mL"}, [">"], (">", Decimal(20), "copies_ml", "copies/mL", "")),
        ({"value": 20, "comparator": "<=", "unit": "copies/mL"}, ["<"],
         ("<=", Decimal(20), "copies_ml", "copies/mL", "")),
        ({"value": 20, "comparator": "<", "unit": "copies/mL"}, [">"], ("=", None, "", "copies/mL", "<20 (>)")),
        ({"value": 20, "unit": "copies/mL"}, ["<", ">"], ("=", None, "", "copies/mL", "20 (< >)")),
    ],
)  # fmt: skip
def test_a_mark_off_the_scale_makes_a_bare_number_a_limit(value, marks, expected):
    said = [{"coding": [{"code": mark}]} for mark in marks]
    assert figures(only(observation(valueQuantity=value, interpretation=said))) == expected


@pytest.mark.parametrize(("mark", "detected"), [("ND", False), ("DET", True)])
def test_less_than_twenty_says_apart_whether_anything_was_found(mark, detected):
    value = {"value": 20, "comparator": "<", "unit": "copies/mL"}
    line = only(observation(valueQuantity=value, interpretation=[{"coding": [{"code": mark}]}]))
    assert (line.reading.comparator, line.reading.detected, line.flag) == ("<", detected, "")


def test_a_negative_value_of_another_test_is_kept_as_text():
    line = only(observation(code=called("Base excess"), valueQuantity={"value": -2, "unit": "mmol/L"}))
    assert (line.analyte, figures(line)) == (OTHER, ("=", None, "", "mmol/L", "-2 mmol/L"))


# Which test


@pytest.mark.parametrize(
    ("code", "unit", "test"),
    [
        (called("anything", "24467-3"), "/uL", "cd4"),
        (called("CD4 count"), "cells/uL", "cd4"),
        (called("Unheard of", "99999-9"), "g", OTHER),
        (called("Sodium", "2955-3"), "mmol/L", OTHER),
        (called("Creatinine", "2161-8"), "mg/dL", OTHER),
        ({"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "2955-3"}], "text": "Sodium"}, "mmol/L",
         OTHER),
        ({"coding": [{"system": "http://loinc.org/", "code": "2955-3"}], "text": "Sodium"}, "mmol/L", OTHER),
        ({"coding": [{"system": "http://loinc.org", "code": each} for each in ("2823-3", "6298-4")]}, "mmol/L",
         "potassium"),
        ({"coding": [{"system": "http://loinc.org", "code": each} for each in ("2951-2", "2823-3")]}, "mmol/L", OTHER),
        ({"coding": [{"system": "http://loinc.org", "display": "Potassium"}]}, "mmol/L", "potassium"),
        ({"coding": [{"display": "Sodium"}], "text": "Potassium"}, "mmol/L", OTHER),
        (called("Lymphocytes"), "10*3/uL", "lymphocytes"),
        (called("Lymphocytes"), "%", OTHER),
        (called("Lymphocytes", "731-0"), "%", "lymphocytes"),
        (called("Glucose, urine"), "mg/dL", OTHER),
        ({"coding": [{"system": "http://loinc.org", "code": "x", "display": "Glucose [Mass/volume] in Urine"}],
          "text": "Glucose"}, "mg/dL", OTHER),
        ({"coding": [{"system": "http://example.org", "code": "2345-7"}], "text": "Own test"}, "mg/dL", OTHER),
    ],
)  # fmt: skip
def test_the_test_is_known_by_loinc_and_by_name_only_without_one_and_never_guessed(code, unit, test):
    line = only(observation(code=code, valueQuantity={"value": 1.5, "unit": unit}))
    assert (line.status, line.analyte) == (READY, test)


def test_a_specimen_that_is_no_blood_makes_it_another_test():
    specimen = {"resourceType": "Specimen", "id": "u", "type": {"coding": [{"display": "Urine specimen"}]}}
    glucose = observation(code=called("Glucose", "2345-7"), specimen={"reference": "Specimen/u"},
                          valueQuantity={"value": 90, "unit": "mg/dL"})  # fmt: skip
    assert only(bundle(glucose, specimen)).analyte == OTHER
    assert only(bundle(glucose)).analyte == "glucose"


@pytest.mark.parametrize("category", ["vital-signs", "social-history", "survey"])
def test_vital_signs_and_habits_are_skipped_in_words(category):
    line = only(observation(category=[{"coding": [{"code": category}]}]))
    assert (line.status, line.reason) == (Status.SKIPPED, "This is not a blood result.")


def test_a_body_weight_is_skipped_too_whoever_sends_it():
    weight = observation(code=called("Weight", "29463-7"), valueQuantity={"value": 70, "unit": "kg"})
    laboratory = [{"coding": [{"code": "laboratory"}]}]
    for line in (only(weight), only(weight | {"category": laboratory})):
        assert line.status is Status.SKIPPED
        assert "ot a blood result" in line.reason


@pytest.mark.parametrize(
    ("code", "quantity", "reason"),
    [
        (called("Reported Patient Age", "21612-7"), {"value": 50, "unit": "a"}, "a person’s age"),
        (called("Age of the sample giver"), {"value": 50, "unit": "years"}, "an age or a time"),
        (called("Height", "8302-2"), {"value": 170, "unit": "cm"}, "height or weight"),
        (called("Ferritin"), {"value": 88.5, "unit": "ng/mL"}, ""),
        (called("CD4 cells", "24467-3"), {"value": 612, "unit": "/uL"}, ""),
    ],
)  # fmt: skip
def test_what_laboratories_send_about_a_person_is_left_out_and_says_why(code, quantity, reason):
    line = only(observation(code=code, category=[{"coding": [{"code": "laboratory"}]}], valueQuantity=quantity))
    assert (line.status is Status.SKIPPED, reason in line.reason) == (bool(reason), True)


# How far along


@pytest.mark.parametrize(
    ("status", "expected", "stage"),
    [
        ("registered", Status.PENDING, Stage.FINAL),
        ("preliminary", READY, Stage.PRELIMINARY),
        ("final", READY, Stage.FINAL),
        ("amended", READY, Stage.CORRECTED),
        ("corrected", READY, Stage.CORRECTED),
        ("cancelled", Status.CANCELLED, Stage.FINAL),
        ("entered-in-error", Status.WITHDRAWN, Stage.FINAL),
        ("unknown", READY, Stage.PRELIMINARY),
    ],
)
def test_every_status_has_its_verdict(status, expected, stage):
    line = only(observation(status=status))
    assert (line.status, line.stage) == (expected, stage)
    assert bool(line.reason) == (expected is not READY)


@pytest.mark.parametrize("status", ["registered", "preliminary", "final"])
def test_without_a_value_it_is_pending(status):
    absent = {"coding": [{"code": "temp-unknown", "display": "Temporarily unknown"}]}
    line = only(observation(status=status, valueQuantity=None, dataAbsentReason=absent))
    assert line.status is Status.PENDING
    assert "Temporarily unknown" in line.reason
    assert only(observation(status=status, valueQuantity=None)).status is Status.PENDING


@pytest.mark.parametrize("taken_back", [("cancelled", Status.CANCELLED), ("entered-in-error", Status.WITHDRAWN)])
def test_a_report_that_is_taken_back_takes_its_results_with_it(taken_back):
    status, expected = taken_back
    report = {"resourceType": "DiagnosticReport", "status": status, "code": called("Panel"),
              "result": [{"reference": "Observation/1"}]}  # fmt: skip
    assert only(bundle(report, observation())).status is expected


def test_results_inside_a_report_take_its_day_and_person():
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": called("Panel"),
        "subject": {"reference": "Patient/7", "display": "Anna Novak"},
        "effectiveDateTime": "2026-11-03T08:15:00+01:00",
        "performer": [{"display": "Clinic North Laboratory"}],
        "contained": [observation(id="a", effectiveDateTime=None), {"resourceType": "Specimen", "id": "s"}],
        "result": [{"reference": "#a"}],
    }
    line = only(report)
    assert (line.status, line.moment) == (READY, datetime(2026, 11, 3, 7, 15, tzinfo=UTC))
    assert (line.patient, line.person, line.laboratory) == (
        "Anna Novak (Patient/7)",
        Person("Anna Novak"),
        "Clinic North Laboratory",
    )


# When


@pytest.mark.parametrize(
    ("facts", "on", "at", "moment"),
    [
        ({"effectiveDateTime": "2026-11-04"}, date(2026, 11, 4), None, None),
        ({"effectiveDateTime": "2026-11-04T08:15:00"}, date(2026, 11, 4), time(8, 15), None),
        ({"effectiveDateTime": "2026-11-04T08:15:30.5Z"}, None, None, datetime(2026, 11, 4, 8, 15, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-11-04T08:15:00+01:00"}, None, None, datetime(2026, 11, 4, 8, 15, tzinfo=PLUS_ONE)),
        ({"effectiveDateTime": "2026-11-04T00:00:00+00:00"}, None, None, datetime(2026, 11, 4, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-11-04T00:00:00.000Z"}, date(2026, 11, 4), None, None),
        ({"effectiveDateTime": None, "effectiveInstant": "2026-11-04T08:15:00Z"}, None, None,
         datetime(2026, 11, 4, 8, 15, tzinfo=UTC)),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-11-04", "end": "2026-11-05"}},
         date(2026, 11, 4), None, None),
    ],
)  # fmt: skip
def test_the_day_is_that_of_the_draw_with_its_zone_where_the_file_says_it(facts, on, at, moment):
    line = only(observation(**facts))
    assert (line.status, line.on, line.at, line.moment) == (READY, on, at, moment)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"effectiveDateTime": "2026"}, "“2026” is not a day"),
        ({"effectiveDateTime": "2026-11"}, "“2026-11” is not a day"),
        ({"effectiveDateTime": "2026-02-30"}, "not a moment of the calendar"),
        ({"effectiveDateTime": "2026-11-04T25:00:00Z"}, "not a moment of the calendar"),
        ({"effectiveDateTime": "2026-11-04T23:59:60Z"}, "not a moment of the calendar"),
        ({"effectiveDateTime": "2026-11-04T23:59:60"}, "not a moment of the calendar"),
        ({"effectiveDateTime": "2026-11-04T08:15:75+01:00"}, "not a moment of the calendar"),
        ({"effectiveDateTime": "04.11.2026"}, "not a date we can read"),
        ({"effectiveDateTime": None}, "does not say when"),
        ({"effectiveDateTime": None, "issued": "2026-11-05T10:00:00Z"}, "does not say when"),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": "2026-11-05"}}, "does not say when"),
        ({"effectiveDateTime": None, "effectiveTiming": {"event": ["2026-11-04"]}}, "several times"),
    ],
)
def test_what_is_no_day_is_asked(facts, words):
    line = only(observation(**facts))
    assert line.status is ASKED
    assert words in line.reason
    assert line.reading is not None
    assert (line.on, line.moment) == (None, None)


def test_the_day_may_stand_on_the_specimen():
    specimen = {"resourceType": "Specimen", "id": "s", "accessionIdentifier": {"value": "A-17"},
                "collection": {"collectedDateTime": "2026-11-02"}}  # fmt: skip
    line = only(bundle(specimen, observation(effectiveDateTime=None, specimen={"reference": "Specimen/s"})))
    assert (line.on, line.specimen) == (date(2026, 11, 2), "A-17")


# Beside the value


@pytest.mark.parametrize(
    ("ranges", "printed", "note"),
    [
        ([{"text": "< 41"}], "< 41", ""),
        ([{"low": {"value": 3.6}, "high": {"value": 10.0}}], "3.6–10.0", ""),
        ([{"low": {"value": -2}, "high": {"value": 3}}], "-2 to 3", ""),
        ([{"low": {"value": 60}}], "≥60", ""),
        ([{"high": {"value": 5}}], "≤5", ""),
        ([{"low": {"value": 0.1, "unit": "mg/L"}, "high": {"value": 1, "unit": "mg/L"}}], "0.1–1 mg/L", ""),
        ([{"low": {"value": 1}}, {"low": {"value": 2}}], "", "Printed range: ≥1; ≥2"),
        ([{"low": {"value": 1}}, {"low": {"value": 9}, "type": {"text": "critical"}}], "≥1", ""),
        ([{"text": "x" * 61}], "", "Printed range: " + "x" * 61),
        ([{"appliesTo": []}], "", ""),
        ("3-5", "", ""),
    ],
)
def test_the_range_is_kept_as_printed_and_never_cut(ranges, printed, note):
    line = only(observation(referenceRange=ranges))
    assert (line.printed_range, line.note) == (printed, note)


def test_notes_flag_specimen_and_identity_are_kept():
    line = only(
        observation(
            identifier=[{"system": "urn:old", "value": "9"}, {"use": "official", "system": "urn:lab", "value": "7"}],
            interpretation=[{"coding": [{"code": "H"}]}, {"text": "high"}],
            note=[{"text": "Repeated."}, {"text": "  "}, {"text": "Checked."}],
            specimen={"reference": "Specimen/abc"},
        )
    )
    assert (line.external_id, line.flag, line.note, line.specimen) == ("urn:lab|7", "H", "Repeated.\nChecked.", "abc")


def test_the_same_id_on_another_day_is_another_result_because_files_number_from_one():
    november, december = (only(observation(effectiveDateTime=f"2026-{month}-04")) for month in (11, 12))
    assert november.external_id != december.external_id
    assert november.external_id == only(observation(status="corrected")).external_id
    entry = {"fullUrl": "https://lab.example/Observation/1", "resource": observation()}
    known = only({"resourceType": "Bundle", "type": "searchset", "entry": [entry]})
    assert known.external_id == "https://lab.example/Observation/1"


def test_an_identity_too_long_to_be_kept_is_never_cut_to_one_that_two_could_share():
    long = [only(observation(identifier=[{"value": "x" * 200 + end}])).external_id for end in "ab"]
    assert long[0] != long[1]
    assert max(map(len, long)) <= 160


def test_the_person_of_the_bundle_is_known_by_name_and_birth():
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1974-05-01", "identifier": [{"value": "MRN 7"}],
               "name": [{"given": ["Anna", "Maria"], "family": "Novak"}]}  # fmt: skip
    line = only(bundle(patient, observation(subject={"reference": "Patient/p"})))
    assert line.person == Person("Anna Maria Novak", date(1974, 5, 1), None, "MRN 7")
    year = only(bundle(patient | {"birthDate": "1974"}, observation(subject={"reference": "Patient/p"})))
    assert (year.person.born_on, year.person.birth_year) == (None, 1974)


def test_two_people_of_one_name_stay_two_and_one_person_is_named_one_way():
    anna = {"reference": "Patient/1", "display": "Anna"}
    read = lines(bundle(observation(subject=anna), observation(id="2", subject={"reference": "Patient/1"}),
                        observation(id="3", subject=anna | {"reference": "Patient/2"})))  # fmt: skip
    assert [line.patient for line in read] == ["Anna (Patient/1)", "Anna (Patient/1)", "Anna (Patient/2)"]


def test_what_two_servers_call_by_one_name_is_neither():
    patients = [
        {"fullUrl": f"https://{host}/Patient/1", "resource": {"resourceType": "Patient", "id": "1", "birthDate": year}}
        for host, year in (("a.example", "1950"), ("b.example", "1990"))
    ]
    entry = {"resource": observation(subject={"reference": "Patient/1"})}
    assert only({"resourceType": "Bundle", "type": "batch", "entry": [*patients, entry]}).person is None


# Files


def test_a_history_is_read_from_its_oldest_version_on():
    old, new = observation(status="preliminary"), observation(status="corrected")
    read = lines(bundle(new, old) | {"type": "history"})
    assert [line.stage for line in read] == [Stage.PRELIMINARY, Stage.CORRECTED]
    assert len({line.external_id for line in read}) == 1


def test_one_resource_on_each_line_is_read_line_by_line():
    content = "\r\n".join([json.dumps(observation()), "", "{broken", json.dumps(observation(id="2"))]).encode()
    read = lines(b"\xef\xbb\xbf" + content)
    assert [(line.place, line.status) for line in read] == [("1", READY), ("3", Status.NOT_UNDERSTOOD), ("4", READY)]
    whole = lines(json.dumps(bundle(observation(), observation(id="2"))).encode() + b"\n{broken")
    assert [line.place for line in whole] == ["1.1", "1.2", "2"]


def test_what_else_a_bundle_holds_is_said_once_for_each_kind():
    given = {"resourceType": "MedicationAdministration"}
    read = lines(bundle({"resourceType": "Patient", "id": "1"}, given, observation(), given, {"no": "type"}))
    assert [(line.status, line.reason) for line in read if line.status is not READY] == [
        (Status.NOT_UNDERSTOOD, "This entry holds no FHIR resource."),
        (Status.SKIPPED, "2 × MedicationAdministration: not a blood result, left out."),
    ]


def test_bundles_inside_bundles_are_opened():
    assert only(bundle(bundle(observation()))).status is READY


def test_a_panel_gives_its_members_and_no_line_of_its_own():
    panel = observation(id="p", valueQuantity=None, hasMember=[{"reference": "Observation/1"}])
    assert only(bundle(panel, observation())).name == "HIV 1 RNA"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"{", "line 1"),
        (b'{\n"resourceType": "Observation",\n"status"', "line 3"),
        (b"[]", "no FHIR resource"),
        (b"{}", "no FHIR resource"),
        (b"null", "no FHIR resource"),
        (b'{"resourceType": 7}', "no FHIR resource"),
        (b'{"resourceType": "Observation", "x": NaN}', "NaN"),
        (b'{"resourceType": "Observation", "status": "final", "status": "cancelled"}', "twice"),
        (b'{"resourceType": "Observation", "x": "\xe9"}', "line 1"),
        (b'{"a":' * 100_000, "nested so deeply"),
        ("\ufeff".encode("utf-16"), "not UTF-8"),
    ],
)
def test_what_is_no_fhir_is_refused_in_words_at_once(content, words):
    with pytest.raises(FileError, match=words):
        fhir.lines(content, RULES)


def test_characters_that_nobody_can_store_are_marked():
    line = only(observation(note=[{"text": "a\0b\ud800"}]))
    assert line.note == "a\ufffdb\ufffd"
