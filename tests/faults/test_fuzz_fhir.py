"""FHIR that nobody would send on purpose: words for all of it, no exception, and no number that is not in the file."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.files import fhir, own_json
from labs.files.candidates import FileError, Line, Status
from labs.units import library
from tests.labs.samples import DATA

RULES = library()
SAMPLES = [json.loads(path.read_text()) for path in sorted((DATA / "fhir").glob("*.json"))]
LONGEST = {"name": 120, "raw": 60, "flag": 20, "laboratory": 120, "note": 2000, "specimen": 40, "external_id": 160}
LONGEST |= {"patient": 120, "printed_range": 60}
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)

texts = st.sampled_from(
    ["", "final", "corrected", "Observation", "2026-11-04", "2026-11", "2026-11-04T08:15:00+01:00", "<", ">=", "mg/dL",
     "copies/mL", "Not detected", "<20 copies/mL", "1,250 copies/mL", "#1", "Patient/1", "http://loinc.org", "20447-9",
     "2345-7", "laboratory", "vital-signs", "H", "ND", "\x00", "entered-in-error"]
) | st.text(max_size=30)  # fmt: skip
numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | texts
NAMES = ["value", "unit", "code", "system", "comparator", "text", "coding", "display", "reference", "low", "high",
         "start", "end", "family", "given", "birthDate", "identifier", "type", "use"]  # fmt: skip
names = st.sampled_from(NAMES) | st.text(max_size=8)
junk = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
fields = st.sampled_from(
    ["id", "status", "code", "category", "subject", "effectiveDateTime", "effectivePeriod", "issued", "performer",
     "valueQuantity", "valueString", "valueCodeableConcept", "valueInteger", "valueRange", "valueRatio", "valueBoolean",
     "valueSampledData", "_valueString", "dataAbsentReason", "interpretation", "note", "referenceRange", "component",
     "hasMember", "contained", "result", "specimen", "identifier", "modifierExtension"]
)  # fmt: skip
quantities = st.fixed_dictionaries({"value": numbers}, optional={"unit": texts, "code": texts, "comparator": texts})
observations = st.builds(
    lambda known, quantity, more: {"resourceType": "Observation", "valueQuantity": quantity} | known | more,
    st.fixed_dictionaries({"status": texts, "effectiveDateTime": texts, "code": junk}),
    quantities,
    st.dictionaries(fields, junk, max_size=5),
)
resources = observations | st.dictionaries(fields | st.just("resourceType"), junk, max_size=6)
bundles = st.builds(
    lambda entries, kind: {"resourceType": "Bundle", "type": kind, "entry": entries},
    st.lists(
        st.builds(lambda resource, url: {"resource": resource, "fullUrl": url}, resources | junk, texts), max_size=4
    ),
    st.sampled_from(["collection", "history", "searchset"]),
)


@st.composite
def spoilt(draw: Any) -> Any:
    """A real resource in which one place holds something else."""
    whole = json.loads(json.dumps(draw(st.sampled_from(SAMPLES))))
    where = whole
    while isinstance(where, dict | list) and where:
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        key = draw(st.sampled_from(keys))
        if not isinstance(where[key], dict | list) or draw(st.booleans()):
            where[key] = draw(junk)
            break
        where = where[key]
    return whole


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


files = (resources | bundles | spoilt() | junk).map(written) | st.binary(max_size=300)
cut = st.builds(lambda data, at: data[: at % (len(data) + 1)], files, st.integers(0, 5000))
lists = st.lists(resources, max_size=4).map(lambda each: b"\n".join(map(written, each)))
records = st.builds(
    lambda results: written({"format": "diary-record", "version": 1, "patient": {}, "results": results}),
    st.lists(st.dictionaries(st.sampled_from(["test", "value", "unit", "comparator", "text", "taken_on", "taken_at",
                                              "detected", "unit_text", "status", "note"]), leaves | junk), max_size=3)
    | junk,
)  # fmt: skip


def numbers_in(data: bytes) -> set[Decimal]:
    """Every number that stands in the file, also inside its texts, with and without commas between thousands."""
    said = data.decode("utf-8", "replace")
    return {Decimal(number) for text in (said, said.replace(",", "")) for number in NUMBER.findall(text)}


def read(reader: Any, data: bytes) -> list[Line]:
    try:
        return list(reader.lines(data, RULES))
    except FileError as error:
        words = str(error)
    assert words
    return []


def check(reader: Any, data: bytes) -> None:
    there = numbers_in(data)
    for line in read(reader, data):
        assert line.reason or line.status is Status.READY, line
        assert all(len(getattr(line, name)) <= most for name, most in LONGEST.items()), line
        if line.status is Status.READY:
            assert line.reading is not None
            assert line.on or line.moment
        if line.reading is not None:
            assert line.reading.value is None or line.reading.value in there, line
            assert line.reading.value is None or line.reading.value >= 0
            assert line.analyte in RULES
            assert len(line.reading.text) <= 2000
            assert max(len(line.reading.raw), len(line.reading.unit_text) + 20) <= 60
        repr(line).encode("utf-8")


@settings(max_examples=60)
@given(files | cut | lists)
def test_no_fhir_file_breaks_the_reader_or_makes_it_invent_a_number(data: bytes) -> None:
    check(fhir, data)


@settings(max_examples=30)
@given(records | cut)
def test_no_record_breaks_its_reader_or_makes_it_invent_a_number(data: bytes) -> None:
    check(own_json, data)


@pytest.mark.faults_long
@settings(max_examples=12_000)
@given(files | cut | lists)
def test_thousands_of_fhir_files_break_nothing_and_invent_nothing(data: bytes) -> None:
    check(fhir, data)


@pytest.mark.faults_long
@settings(max_examples=10_000)
@given(observations.map(written))
def test_thousands_of_observations_break_nothing_and_invent_nothing(data: bytes) -> None:
    check(fhir, data)


@pytest.mark.faults_long
@settings(max_examples=10_000)
@given(records)
def test_thousands_of_records_break_nothing_and_invent_nothing(data: bytes) -> None:
    check(own_json, data)
