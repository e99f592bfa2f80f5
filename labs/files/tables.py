"""Tables that people upload: bytes to rows, and what each column seems to hold. Pure; never raises for bad content.

Two layouts: long (one reading per row, or one row per draw with a column per test) and wide (one row per patient, one
column per visit). What a header does not say is asked, never guessed: dates, floors, whose rows they are.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from labs.files.candidates import FileError

BROWSER_BYTES = 1_000_000  # app's own: what a browser upload may hold
BROWSER_ROWS = 5_000
BOMS = (b"\xff\xfe", b"\xfe\xff")
BYTE_ORDER_MARK = "\ufeff"
BROKEN = "\ufffd"
DELIMITERS = ",;\t|"
OPEN_QUOTES = "The quotation marks of this row do not close. It and what they run over cannot be read."


@dataclass(frozen=True)
class Row:
    """One record of the file: the line it starts on, its cells, and what is wrong with it as a whole."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A file as rows under a header."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read(data: bytes, *, most_bytes: int | None = None, most_rows: int | None = None) -> Table:
    """Rows of a CSV file (comma, semicolon, tab or bar). Bad rows carry their problem and stay in place.

    Raises FileError for what is no table of text, is empty, or is over a limit; a file is never silently cut.
    """
    if most_bytes is not None and len(data) > most_bytes:
        size = f"{len(data) / 1_000_000:.1f}"
        raise FileError(f"This file has {size} MB. The limit here is {most_bytes / 1_000_000:g} MB: split the file.")
    text = _text(data)
    records = list(_records(text))
    if not records or not (records[0].problem or any(records[0].cells)):
        raise FileError("This file is empty. It needs a first line that names the columns.")
    table = _under_header(records)
    if most_rows is not None and len(table.rows) > most_rows:
        raise FileError(f"This file has {len(table.rows):,} rows. The limit here is {most_rows:,}: split the file.")
    return table


def _text(data: bytes) -> str:
    if data.startswith(BOMS) or data[:1000].count(0) > 2:
        raise FileError("This is not a table of text in UTF-8. Save it as “CSV UTF-8” and choose it again.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="surrogateescape").removeprefix(BYTE_ORDER_MARK)


def _records(text: str) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = tuple(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            long = "A cell of this row is too long to be a result."
            yield Row(start, (), long if "field larger" in str(error) else OPEN_QUOTES)
        else:
            yield Row(start, tuple(_clean(cell) for cell in cells), _bad_text(cells))


def _delimiter(text: str) -> str:
    header = text[:5000].split("\n", 1)[0]
    return max(DELIMITERS, key=header.count) if any(mark in header for mark in DELIMITERS) else ","


def _clean(cell: str) -> str:
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", BROKEN).strip()


def _bad_text(cells: Sequence[str]) -> str:
    if any("\0" in cell for cell in cells):
        return "This row holds a null character. Export the table again."
    if any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
        return "This row is not UTF-8. Save the table as “CSV UTF-8” and choose it again."
    return ""


def _under_header(records: list[Row]) -> Table:
    header, *rows = records
    if header.problem:
        raise FileError(f"The first line cannot be read. {header.problem}")
    width = len(header.cells)
    return Table(header.cells, tuple(_checked(row, width) for row in rows if row.problem or any(row.cells)))


def _checked(row: Row, width: int) -> Row:
    if row.problem or len(row.cells) == width:
        return row
    if len(row.cells) > width and not any(row.cells[width:]):
        return replace(row, cells=row.cells[:width])
    return replace(row, problem=f"The first line has {width} columns, this row {len(row.cells)}.")


# What the columns hold


class Kind(Enum):
    """How a table is laid out."""

    READINGS = "one reading per row"
    DRAWS = "one draw per row"
    VISITS = "one column per visit"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Column:
    """A column of readings: which test, in which unit, and the visit it names in a wide table."""

    index: int
    name: str
    analyte: str
    unit: str
    visit: str = ""
    on: date | None = None


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
    columns: tuple[Column, ...] = ()
    unused: tuple[str, ...] = ()


ROLES = {
    "patient": {"patient", "id", "patient_id", "patientid", "subject", "subject_id", "pid", "code", "person"},
    "on": {"date", "drawn", "drawn_on", "taken", "taken_on", "collected", "collected_on", "sample_date", "draw_date"},
    "time": {"time", "drawn_at", "taken_at", "time_taken"},
    "day": {"day", "study_day", "visit_day", "day_of_study", "days"},
    "analyte": {"test", "analyte", "measure", "parameter", "marker"},
    "value": {"value", "result"},
    "unit": {"unit", "units"},
}
TESTS = (  # pattern of a tidied header, test, unit; the first that fits decides
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


def detect(header: Sequence[str]) -> Layout:
    """Layout of a table by the names of its columns. Kind.UNKNOWN when no test can be recognised."""
    names = [tidy_name(name) for name in header]
    roles = {role: _index(names, known) for role, known in ROLES.items()}
    columns = tuple(column for index, name in enumerate(names) if (column := _column(index, header[index], name)))
    taken = {index for index in roles.values() if index is not None} | {column.index for column in columns}
    unused = tuple(header[index] for index in range(len(header)) if index not in taken)
    return Layout(_kind(roles, columns), **roles, columns=columns, unused=unused)


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
    return next((Column(index, header, test, unit) for shape, test, unit in TESTS if re.fullmatch(shape, name)), None)


def test_named(text: str) -> tuple[str, str] | None:
    """Test and unit that a name in a table means ("CD4+ count", "log10 HIV RNA"), or None."""
    column = _column(0, text, tidy_name(text))
    return (column.analyte, column.unit) if column else None


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
