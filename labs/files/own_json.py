"""The record that this software writes as JSON, read back: the results in it as candidates. Pure.

The format is described in docs/record.md. Everything in it besides results is left where it is.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labs import written
from labs.files.candidates import OTHER, DateError, FileError, Line, Person, Stage, Status, identity
from labs.files.fhir_dates import Taken, read_moment
from labs.files.fhir_json import Number, decoded, mapping, parsed, passage, sequence, text
from labs.units import Reading, ReadingError, Rule

FORMAT, VERSION = "diary-record", "1"
MARK = b'"format": "diary-record"'
LOOKED_AT = 200  # bytes: the mark stands at the very beginning
STAGES = {stage.value: stage for stage in Stage}


def is_own(data: bytes) -> bool:
    """Whether the file says in its first line that it is a record of this software."""
    return MARK in data[:LOOKED_AT]


def lines(data: bytes, rules: Mapping[str, Rule]) -> Iterator[Line]:
    """Every result of the record. Raises FileError for what is no record, or one of a version that is not known."""
    try:
        record = mapping(parsed(decoded(data)))
    except json.JSONDecodeError as error:
        raise FileError(f"This JSON cannot be read: something is wrong in line {error.lineno}.") from None
    if text(record.get("format")) != FORMAT:
        raise FileError("This JSON is not a record of this diary.")
    if record.get("version") != Number(VERSION):
        raise FileError("This record was written by another version of the diary, which is not known here.")
    return _lines(record, rules)


def _lines(record: Mapping[str, Any], rules: Mapping[str, Rule]) -> Iterator[Line]:
    person = _person(mapping(record.get("patient")))
    for place, result in enumerate(sequence(record.get("results")), 1):
        yield _line(place, mapping(result), person, rules)


def _person(patient: Mapping[str, Any]) -> Person:
    year = patient.get("birth_year")
    born = int(year) if isinstance(year, Number) and year.isdecimal() and len(year) == 4 else None
    return Person(text(patient.get("name")), None, born, text(patient.get("code")))


def _line(place: int, result: Mapping[str, Any], person: Person, rules: Mapping[str, Rule]) -> Line:
    rule = rules.get(text(result.get("test")), rules[OTHER])
    line = Line(
        place,
        person.number,
        text(result.get("name"))[:120],
        text(result.get("raw"))[:60],
        Status.READY,
        analyte=rule.code,
        stage=STAGES.get(text(result.get("status")), Stage.FINAL),
        printed_range=text(result.get("range"))[:60],
        flag=text(result.get("flag"))[:20],
        laboratory=text(result.get("laboratory"))[:120],
        note=passage(result.get("note"))[:2000],
        specimen=identity(text(result.get("specimen")), 40),
        external_id=identity(text(result.get("external_id")), 160),
        person=person,
    )
    try:
        when = _taken(result)
        return replace(line, on=when.on, moment=when.moment, reading=_reading(rule, result))
    except ReadingError as error:
        return replace(line, status=Status.NOT_UNDERSTOOD, reason=str(error))
    except DateError as error:
        return replace(line, status=Status.NEEDS_DATE, reason=str(error))


def _taken(result: Mapping[str, Any]) -> Taken:
    return read_moment(text(result.get("taken_at")) or text(result.get("taken_on")))


def _reading(rule: Rule, result: Mapping[str, Any]) -> Reading:
    """The reading as it was kept, checked like one that a machine sends."""
    said, printed, raw = passage(result.get("text")), text(result.get("unit_text"))[:40], text(result.get("raw"))[:60]
    if said:
        return Reading("=", None, "", None, raw, printed, said[:2000])
    detected = result.get("detected") if isinstance(result.get("detected"), bool) else None
    if not text(result.get("value")):
        if detected is not False or not rule.may_be_undetected:
            raise ReadingError("This result has no value.")
        return replace(written.parse(rule, "not detected"), raw=raw)
    unit = text(result.get("unit"))
    known = unit if unit in rule.factors else printed
    reading = written.measured(rule, text(result.get("comparator")), text(result.get("value")), known)
    return replace(reading, detected=detected, raw=raw, unit_text=printed) if reading.value is not None else reading
