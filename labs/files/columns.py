"""What each column of a table seems to hold. Pure; what a header does not say is asked, never guessed.

Three layouts: one reading per row; one draw per row, a column per test; one row per patient, a column per visit.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import lru_cache

from labs import catalogue, units
from labs.files.candidates import FileError


class Kind(Enum):
    """How a table is laid out."""

    READINGS = "one reading per row"
    DRAWS = "one draw per row"
    VISITS = "one column per visit"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Column:
    """A column of readings: which test, in which unit, and the visit it names in a wide table.

    `unit` is a code of the test, "" where the printed one (`unit_text`) is not known.
    """

    index: int
    name: str
    analyte: str
    unit: str
    visit: str = ""
    on: date | None = None
    unit_text: str = ""


@dataclass(frozen=True)
class Layout:
    """Which column holds what. None = not there."""

    kind: Kind
    patient: int | None = None
    on: int | None = None
    time: int | None = None
    day: int | None = None
    analyte: int | None = None
    value: int | None = None
    unit: int | None = None
    printed_range: int | None = None
    flag: int | None = None
    status: int | None = None
    laboratory: int | None = None
    note: int | None = None
    specimen: int | None = None
    external_id: int | None = None
    columns: tuple[Column, ...] = ()
    unused: tuple[str, ...] = ()


ROLES = {
    "patient": {"patient", "id", "patient_id", "patientid", "subject", "subject_id", "pid", "code", "person", "mrn"},
    "on": {"date", "drawn", "drawn_on", "taken", "taken_on", "collected", "collected_on", "sample_date", "draw_date",
           "date_taken", "date_drawn", "date_collected", "collection_date", "specimen_date", "date_time", "datetime",
           "collection_date_time", "collected_at", "specimen_collected"},
    "time": {"time", "drawn_at", "taken_at", "time_taken", "time_drawn", "collection_time"},
    "day": {"day", "study_day", "visit_day", "day_of_study", "days"},
    "analyte": {"test", "analyte", "measure", "parameter", "marker", "test_name", "component", "investigation",
                "analysis", "exam"},
    "value": {"value", "result", "result_value", "your_value", "test_result"},
    "unit": {"unit", "units", "unit_of_measure"},
    "printed_range": {"range", "reference_range", "ref_range", "reference", "reference_interval", "normal_range",
                      "standard_range", "printed_range", "normal", "reference_values"},
    "flag": {"flag", "flags", "abnormal", "abnormal_flag", "interpretation"},
    "status": {"status", "result_status"},
    "laboratory": {"laboratory", "lab", "lab_name", "performing_lab", "performing_laboratory"},
    "note": {"note", "notes", "comment", "comments", "remark", "remarks"},
    "specimen": {"specimen", "specimen_id", "specimen_number", "accession", "accession_number", "sample_id"},
    "external_id": {"external_id", "result_id", "observation_id"},
}  # fmt: skip
TESTS = (  # pattern of a tidied header, test, unit; the first that fits decides, before the catalogue
    (r"log_?10_(hiv_rna|vl|viral_load|rna).*|(hiv_rna|vl|viral_load|rna)_log(_?10)?.*", "hiv_rna", "log10_copies_ml"),
    (r"(hiv_)?(viral_load|rna)(_copies.*)?|vl(_copies.*)?|hiv_rna(_copies.*)?", "hiv_rna", "copies_ml"),
    (r"cd4?_?(count_)?(percent|pct|percentage|perc)|cd4_$", "cd4_percent", "percent"),
    (r"cd4(_count|_cells.*|_abs|_absolute)?(_cells.*)?", "cd4", "cells_ul"),
)
VISIT = re.compile(
    r"(?P<test>cd4_percent|cd4_pct|cd4?|vl|viral_load|hiv_rna|rna)_(?P<visit>(19|20)\d\d\D.*|(19|20)\d\d)"
)
VISIT_TESTS = {"cd": "cd4", "cd4": "cd4", "cd4_percent": "cd4_percent", "cd4_pct": "cd4_percent"}
OWN_UNITS = {"cd4": "cells_ul", "cd4_percent": "percent", "hiv_rna": "copies_ml"}
IN_BRACKETS = re.compile(r"(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")
PASTED = ("Test", "Value", "Unit", "Range")  # what a list without a first line of names holds


def detect(header: Sequence[str]) -> Layout:
    """Layout of a table by the names of its columns. Kind.UNKNOWN when no test can be recognised."""
    names = [tidy_name(name) for name in header]
    roles = {role: _index(names, known) for role, known in ROLES.items()}
    taken = {index for index in roles.values() if index is not None}
    found = (_column(index, header[index], name) for index, name in enumerate(names) if index not in taken)
    columns = tuple(column for column in found if column)
    taken |= {column.index for column in columns}
    unused = tuple(header[index] for index in range(len(header)) if index not in taken)
    kind = _kind(roles, columns)
    return Layout(kind, **roles, columns=() if kind is Kind.READINGS else columns, unused=unused)


def _kind(roles: dict[str, int | None], columns: Sequence[Column]) -> Kind:
    if roles["analyte"] is not None and roles["value"] is not None:
        return Kind.READINGS
    if any(column.visit for column in columns):
        return Kind.VISITS
    return Kind.DRAWS if columns else Kind.UNKNOWN


def tidy_name(name: str) -> str:
    """A header in small letters with single underscores: "CD4+ count" is "cd4_count"."""
    name = name.casefold().replace("µ", "u").replace("μ", "u").replace("%", " percent ").replace("+", " ")
    return re.sub(r"[^a-z0-9]+", "_", name).strip("_")


def _index(names: Sequence[str], known: set[str]) -> int | None:
    return next((index for index, name in enumerate(names) if name in known), None)


def _column(index: int, header: str, name: str) -> Column | None:
    visit = VISIT.fullmatch(name)
    if visit:
        test = VISIT_TESTS.get(visit["test"], "hiv_rna")
        return Column(index, header, test, OWN_UNITS[test], visit["visit"], date_in(visit["visit"]))
    known = next(((test, unit) for shape, test, unit in TESTS if re.fullmatch(shape, name)), None)
    if known:
        return Column(index, header, *known)
    return _of_catalogue(index, header)


def _of_catalogue(index: int, header: str) -> Column | None:
    """A column called as laboratories call the test, with its unit behind it: "Creatinine (µmol/L)", "ALT U/L"."""
    for name, unit in _with_units(header.strip()):
        test = catalogue.test_called(name, unit)
        rule = units.library().get(test or "")
        if rule is None:
            continue
        code = units.known_unit(rule, unit) if unit else rule.canonical_unit
        if code or not unit or name != header:
            return Column(index, header, rule.code, code, unit_text="" if code else unit)
    return None


def _with_units(header: str) -> list[tuple[str, str]]:
    shapes = [(header, "")]
    if bracketed := IN_BRACKETS.fullmatch(header):
        shapes.append((bracketed["name"], bracketed["unit"].strip()))
    words = re.split(r"[ _]+", header)
    shapes += [
        (" ".join(words), ""),
        *((" ".join(words[:n]), " ".join(words[n:])) for n in range(len(words) - 1, 0, -1)),
    ]
    return [(name.rstrip(" ,"), unit) for name, unit in shapes]


@lru_cache(maxsize=4096)
def which_test(text: str, unit: str = "") -> tuple[str, str] | None:
    """Test and unit that a name in a table means ("log10 HIV RNA"), or None. `unit` is what stands beside it."""
    column = None if unit and catalogue.test_called(text, unit) else _column(0, text, tidy_name(text))
    if column is not None:
        return column.analyte, column.unit
    test = catalogue.test_called(text, unit)
    return (test, units.library()[test].canonical_unit) if test else None


def is_headless(first: Sequence[str]) -> bool:
    """Whether the first line is a result already: "CD4+ count, 612, cells/mm³", as lists are pasted from a report."""
    if not 2 <= len(first) <= len(PASTED) or detect(first).kind is Kind.READINGS:
        return False
    return which_test(first[0]) is not None and bool(re.match(r"[<>≤≥]?\s*\d", first[1]))


def with_tests(layout: Layout, header: Sequence[str], tests: Mapping[str, tuple[str, str]]) -> Layout:
    """The layout with columns that somebody named: header → test and unit. Raises FileError for a column not there."""
    columns = {column.name: column for column in layout.columns}
    for name, (analyte, unit) in tests.items():
        if name not in header:
            raise FileError(f"There is no column “{name}”.")
        known = columns.get(name, Column(header.index(name), name, analyte, unit))
        columns[name] = replace(known, analyte=analyte, unit=unit)
    kind = Kind.DRAWS if layout.kind is Kind.UNKNOWN and columns else layout.kind
    unused = tuple(name for name in layout.unused if name not in tests)
    return replace(layout, kind=kind, columns=tuple(columns.values()), unused=unused)


def date_in(visit: str) -> date | None:
    """The date a visit's name spells out ("2018-01-05"); a year and a number are not a date."""
    parts = re.fullmatch(r"(\d{4})_(\d{2})_(\d{2})", visit)
    try:
        return date(*map(int, parts.groups())) if parts else None
    except ValueError:
        return None
