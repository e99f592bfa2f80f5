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

    `unit` is a code of the test, "" where the printed one (`unit_text`) is not known. `says_unit` is False where
    neither the name nor a cell beside it holds one, so that `unit` is only the one that is most used here.
    """

    index: int
    name: str
    analyte: str
    unit: str
    visit: str = ""
    on: date | None = None
    unit_text: str = ""
    says_unit: bool = True


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
           "collection_date_time", "collected_at", "specimen_collected", "datum", "entnahmedatum", "abnahmedatum"},
    "time": {"time", "drawn_at", "taken_at", "time_taken", "time_drawn", "collection_time"},
    "day": {"day", "study_day", "visit_day", "day_of_study", "days"},
    "analyte": {"test", "analyte", "measure", "parameter", "marker", "test_name", "component", "investigation",
                "analysis", "exam", "untersuchung", "analyt", "messgr_e"},
    "value": {"value", "result", "result_value", "your_value", "test_result", "wert", "messwert",
              "ergebnis"},
    "unit": {"unit", "units", "unit_of_measure", "einheit"},
    "printed_range": {"range", "reference_range", "ref_range", "reference", "reference_interval", "normal_range",
                      "standard_range", "printed_range", "normal", "reference_values", "referenz", "referenzbereich",
                      "normbereich"},
    "flag": {"flag", "flags", "abnormal", "abnormal_flag", "interpretation"},
    "status": {"status", "result_status"},
    "laboratory": {"laboratory", "lab", "lab_name", "performing_lab", "performing_laboratory"},
    "note": {"note", "notes", "comment", "comments", "remark", "remarks"},
    "specimen": {"specimen", "specimen_id", "specimen_number", "accession", "accession_number", "sample_id"},
    "external_id": {"external_id", "result_id", "observation_id"},
}  # fmt: skip
LOADS = "hiv_rna|hiv_viral_load|viral_load|vl|rna"
TESTS = (  # pattern of a tidied header, test, unit; the first that fits decides, before the catalogue
    (rf"log_?10_(?:{LOADS})(?:_(?P<tail>.+))?", "hiv_rna", "log10_copies_ml"),
    (rf"(?:{LOADS})_log(?:_?10)?(?:_?(?P<tail>[^0-9_].*))?", "hiv_rna", "log10_copies_ml"),
    (rf"(?:{LOADS})(?:_(?P<tail>copies.*))?", "hiv_rna", "copies_ml"),
    (r"cd4?_?((count|cells|t_cells)_)?(percent|pct|percentage|perc)(?P<tail>)", "cd4_percent", "percent"),
    (r"cd4(?:_count|_abs|_absolute)?(?:_(?P<tail>cells.*))?", "cd4", "cells_ul"),
)
SAYS_LOG = re.compile(r"_?log(_?10)?(?![a-z0-9])_?")
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
    for shape, test, unit in TESTS:
        if found := re.fullmatch(shape, name):
            return _with_tail(Column(index, header, test, unit), found["tail"] or "")
    return _of_catalogue(index, header)


def _with_tail(column: Column, tail: str) -> Column:
    """The column in the unit that its name ends with; in no unit where that is none of this test: never in another."""
    log = "log" in column.unit or bool(SAYS_LOG.search(tail))
    bare = SAYS_LOG.sub("_", tail).strip("_").replace("_per_", "_")
    if not bare and not log:
        return column
    said = f"log10_{'copies_ml' if bare in ('', 'copies') else bare}" if log else bare
    rule = units.library()[column.analyte]
    wanted = {re.sub(r"^x(?=10)", "", each.replace("_", "")) for each in (said, said.removeprefix("cells_"))}
    for code in rule.units:
        if wanted & {re.sub(r"[^a-z0-9]", "", spelling) for spelling in units.UNITS[code].spellings}:
            return replace(column, unit=code)
    return replace(column, unit="", unit_text=f"{'log10 ' if log else ''}{_printed(column.name, tail)}")


def _printed(header: str, tail: str) -> str:
    """The end of a header that is tidied to `tail`, as it is printed."""
    ends = (header[place:] for place in range(len(header) - 1, -1, -1))
    return next((end.strip(" _()[],") for end in ends if tidy_name(end) == tail), tail)


def _of_catalogue(index: int, header: str) -> Column | None:
    """A column called as laboratories call the test, with its unit behind it: "Creatinine (µmol/L)", "ALT U/L"."""
    for name, unit in _with_units(header.strip()):
        test = catalogue.test_called(name, unit)
        rule = units.library().get(test or "")
        if rule is None:
            continue
        code = units.known_unit(rule, unit) if unit else rule.canonical_unit
        if code or not unit or name != header:
            return Column(index, header, rule.code, code, unit_text="" if code else unit, says_unit=bool(unit))
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
def column_called(text: str, unit: str = "") -> Column | None:
    """What a name in a table means ("log10 HIV RNA"): its test and unit, or None. `unit` is what stands beside it."""
    column = None if unit and catalogue.test_called(text, unit) else _column(0, text, tidy_name(text))
    if column is not None:
        return column
    test = catalogue.test_called(text, unit)
    return Column(0, text, test, units.library()[test].canonical_unit, says_unit=bool(unit)) if test else None


def which_test(text: str, unit: str = "") -> tuple[str, str] | None:
    """Test and unit that a name in a table means, or None; the unit is "" where the name has one that is not known."""
    column = column_called(text, unit)
    return (column.analyte, column.unit) if column else None


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
