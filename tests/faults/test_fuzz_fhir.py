"""FHIR that nobody would send on purpose: words for all of it, no exception, and no number that is not in the file."""

import json
import math
import random
import re
import struct
from collections import Counter
from collections.abc import Callable, Sequence
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

TEXTS = [
    "", "final", "corrected", "Observation", "2026-11-04", "2026-11", "2026-11-04T08:15:00+01:00", "<", ">=", "mg/dL",
    "copies/mL", "Not detected", "<20 copies/mL", "1,250 copies/mL", "#1", "Patient/1", "http://loinc.org", "20447-9",
    "2345-7", "21612-7", "laboratory", "vital-signs", "H", "ND", "\x00", "entered-in-error", "less than 20 copies/mL",
]  # fmt: skip
NAMES = ["value", "unit", "code", "system", "comparator", "text", "coding", "display", "reference", "low", "high",
         "start", "end", "family", "given", "birthDate", "identifier", "type", "use"]  # fmt: skip
FIELDS = ["id", "status", "code", "category", "subject", "effectiveDateTime", "effectivePeriod", "issued", "performer",
          "valueQuantity", "valueString", "valueCodeableConcept", "valueInteger", "valueRange", "valueRatio",
          "valueBoolean", "valueSampledData", "_valueString", "dataAbsentReason", "interpretation", "note",
          "referenceRange", "component", "hasMember", "contained", "result", "specimen", "identifier",
          "modifierExtension"]  # fmt: skip
OF_A_RESULT = ["test", "value", "unit", "comparator", "text", "taken_on", "taken_at", "detected", "unit_text", "status",
               "note"]  # fmt: skip
DEEPEST = 4


class Chance:
    """Decides by bytes what a file holds: one draw of hypothesis an example, which still makes a bad one smaller.

    A draw for every letter and every key cost 20 ms an example, a hundred times what reading it does. Where the bytes
    end, everything is the first of its kind.
    """

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def bytes(self, count: int) -> bytes:
        taken = self.data[self.place : self.place + count]
        self.place += count
        return taken.ljust(count, b"\0")

    def below(self, count: int) -> int:
        return int.from_bytes(self.bytes(1 if count <= 256 else 2)) % count

    def one(self, some: Sequence[Any]) -> Any:
        return some[self.below(len(some))]

    def few(self, most: int, make: Callable[[], Any]) -> list[Any]:
        return [make() for _each in range(self.below(most + 1))]

    def text(self, longest: int = 30) -> str:
        if self.below(3) < 2:
            return str(self.one(TEXTS))
        kinds = (lambda: chr(self.below(128)), lambda: chr(32 + self.below(95)), self._letter)
        kind = self.one(kinds)
        return "".join(self.few(longest, kind))

    def _letter(self) -> str:
        """Any letter of Unicode, whole or half."""
        return chr(int.from_bytes(self.bytes(3)) % 0x110000)

    def number(self) -> int | float:
        size = self.below(14)
        if self.below(2):
            return int.from_bytes(self.bytes(size), signed=True)
        (found,) = struct.unpack("d", self.bytes(8))
        return float(found) if math.isfinite(found) else size + 0.5

    def leaf(self) -> Any:
        kinds: tuple[Callable[[], Any], ...] = (self.text, self.number, lambda: None, lambda: bool(self.below(2)))
        return self.one(kinds)()

    def junk(self, depth: int = DEEPEST) -> Any:
        shape = self.below(4) if depth else 0
        if shape < 2:
            return self.leaf()
        if shape == 2:
            return self.few(3, lambda: self.junk(depth - 1))
        return dict(self.few(4, lambda: (self.name(), self.junk(depth - 1))))

    def name(self) -> str:
        return self.text(8) if self.below(4) == 3 else str(self.one(NAMES))

    def some(self, names: Sequence[str], most: int) -> dict[str, Any]:
        return dict(self.few(most, lambda: (self.one(names), self.junk())))

    def observation(self) -> dict[str, Any]:
        quantity = {"value": self.number()} | dict(self.few(3, lambda: (self.one(NAMES[1:5]), self.text())))
        known = {"status": self.text(), "effectiveDateTime": self.text(), "code": self.junk()}
        return {"resourceType": "Observation", "valueQuantity": quantity} | known | self.some(FIELDS, 5)

    def resource(self) -> Any:
        return self.observation() if self.below(3) else self.some([*FIELDS, "resourceType"], 6)

    def bundle(self) -> Any:
        entries = self.few(4, lambda: {"resource": self.one((self.resource, self.junk))(), "fullUrl": self.text()})
        kind = self.one(["collection", "history", "searchset"])
        return {"resourceType": "Bundle", "type": kind, "entry": entries}

    def spoilt(self) -> Any:
        """A real resource in which one place holds something else."""
        whole = json.loads(json.dumps(self.one(SAMPLES)))
        where = whole
        while isinstance(where, dict | list) and where:
            key = self.one(list(where) if isinstance(where, dict) else range(len(where)))
            if not isinstance(where[key], dict | list) or self.below(2):
                where[key] = self.junk()
                break
            where = where[key]
        return whole

    def file(self) -> bytes:
        """A resource, a bundle, a real one with a fault, junk, bytes, lines; at times cut off."""
        kind = self.below(7)
        if kind == 5:
            data = self.bytes(self.below(300))
        elif kind == 6:
            data = b"\n".join(self.few(4, lambda: written(self.resource())))
        else:
            data = written((self.resource, self.resource, self.bundle, self.spoilt, self.junk)[kind]())
        return data[: self.below(5000) % (len(data) + 1)] if self.below(4) == 3 else data

    def record(self) -> bytes:
        results = self.few(3, lambda: self.some(OF_A_RESULT, 8)) if self.below(5) else self.junk()
        return written({"format": "diary-record", "version": 1, "patient": {}, "results": results})


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


chances = st.binary(min_size=200, max_size=1500).map(Chance)
files, records = chances.map(Chance.file), chances.map(Chance.record)
observations = chances.map(lambda chance: written(chance.observation()))


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


def test_chance_makes_every_kind_of_file_and_many_that_are_read() -> None:
    """What is made up must not be so odd that the reader refuses it at the door."""
    found: Counter[str] = Counter()
    for seed in range(400):
        data = Chance(random.Random(seed).randbytes(600)).file()
        found.update({line.status.name for line in read(fhir, data)} or {"refused"})
        found["with a value"] += any(line.reading is not None for line in read(fhir, data))
    assert found["READY"] > 5, found
    assert found["with a value"] > 15, found
    assert found["refused"] < 250, found
    assert {"NEEDS_DATE", "NOT_UNDERSTOOD", "SKIPPED"} <= set(found), found


@settings(max_examples=60)
@given(files)
def test_no_fhir_file_breaks_the_reader_or_makes_it_invent_a_number(data: bytes) -> None:
    check(fhir, data)


@settings(max_examples=30)
@given(records | files)
def test_no_record_breaks_its_reader_or_makes_it_invent_a_number(data: bytes) -> None:
    check(own_json, data)


@pytest.mark.faults_long
@settings(max_examples=12_000)
@given(files)
def test_thousands_of_fhir_files_break_nothing_and_invent_nothing(data: bytes) -> None:
    check(fhir, data)


@pytest.mark.faults_long
@settings(max_examples=10_000)
@given(observations)
def test_thousands_of_observations_break_nothing_and_invent_nothing(data: bytes) -> None:
    check(fhir, data)


@pytest.mark.faults_long
@settings(max_examples=10_000)
@given(records)
def test_thousands_of_records_break_nothing_and_invent_nothing(data: bytes) -> None:
    check(own_json, data)
