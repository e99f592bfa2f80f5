"""Which format a file is in, and its readings: one way in for tables, FHIR and HL7. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from labs.files import asking, columns, fhir, hl7_messages, own_json, rows, tables
from labs.files.asking import Asked
from labs.files.candidates import FileError, Line, Status
from labs.files.columns import PASTED, Kind, Layout
from labs.files.rows import Answers
from labs.files.tables import BROWSER_BYTES, Opener, Table
from labs.units import Rule

TABLE, FHIR, HL7, RECORD = "table", "fhir", "hl7", "record"
READERS = {FHIR: fhir.lines, HL7: hl7_messages.lines, RECORD: own_json.lines}
MESSAGE_BYTES = 20_000_000
"""App's own: messages and records are read whole and need some ten times their size; a table is read row by row."""
MESSAGE = re.compile(rb"(MSH|FHS|BHS)[^\w\s]")
NO_READER = {
    b"%PDF": "This is a PDF. Copy the table out of it and paste it instead.",
    b"PK\x03\x04": "This is a workbook. Save the table in it as “CSV UTF-8” and choose that file.",
    b"\xd0\xcf\x11\xe0": "This is a workbook. Save the table in it as “CSV UTF-8” and choose that file.",
    b"<": "This is XML or a web page, which is not read here. Ask for JSON, HL7 or a table.",
}


def format_of(start: bytes) -> str:
    """TABLE, FHIR, HL7 or RECORD (our own), by how the file begins. Raises FileError for what nobody here reads."""
    plain = start[:200].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b")
    if plain.startswith((b"{", b"[")):
        return RECORD if own_json.is_own(start) else FHIR
    if MESSAGE.match(plain):
        return HL7
    for mark, words in NO_READER.items():
        if plain.startswith(mark):
            raise FileError(words)
    return TABLE


@dataclass(frozen=True)
class File:
    """A file that was recognised. `table` and `layout` are there for tables only, `data` for messages only."""

    format: str
    data: bytes = b""
    table: Table | None = None
    layout: Layout | None = None
    read: list[Line] = field(default_factory=list, compare=False, repr=False)

    @property
    def unused(self) -> tuple[str, ...]:
        """The columns of a table that are not read."""
        return self.layout.unused if self.layout else ()

    @property
    def by_column(self) -> bool:
        """Whether a test is the name of a column, not written in each row."""
        return self.layout is not None and self.layout.kind is not Kind.READINGS

    @property
    def by_line(self) -> bool:
        """Whether people find a reading by its line in the file; else by its place among the entries."""
        return self.format in (TABLE, HL7)

    def asked(self, rules: Mapping[str, Rule]) -> Asked:
        """What somebody has to say before its readings can be dated and read."""
        if self.table is None or self.layout is None:
            return asking.about(self._message(rules))
        return asking.asked(self.table, self.layout, rules)

    def lines(self, answers: Answers, rules: Mapping[str, Rule], *, today: date) -> Iterator[Line]:
        """Every reading in order, each with its status. A table is read anew, one row at a time."""
        if self.table is None or self.layout is None:
            return (_dated(line, answers) for line in self._message(rules))
        return rows.readings(self.table, self.layout, answers, rules, today=today)

    def refuse_rows(self, rules: Mapping[str, Rule], most: int) -> None:
        """Raises FileError for a message with more results than that; a table was counted when it was opened."""
        if self.table is None and (count := sum(1 for _line in self._message(rules))) > most:
            raise FileError(f"This file holds {count:,} results. The limit here is {most:,}: split the file.")

    def _message(self, rules: Mapping[str, Rule]) -> Iterable[Line]:
        """Its lines; those of a short file are read once, however often they are asked for."""
        if len(self.data) > BROWSER_BYTES:
            return READERS[self.format](self.data, rules)
        if not self.read:
            self.read.extend(READERS[self.format](self.data, rules))
        return self.read


def opened(
    data: bytes | Opener,
    tests: Mapping[str, tuple[str, str]] | None = None,
    *,
    most_bytes: int | None = None,
    most_rows: int | None = None,
) -> File:
    """A file in its format. `tests` are columns that somebody named. Raises FileError for what cannot be read.

    A table may be of any length unless a limit is given; everything else has at most MESSAGE_BYTES.
    """
    if isinstance(data, bytes):
        tables.refuse_size(data, most_bytes)
    form = format_of(_start(data))
    if form != TABLE:
        return File(form, _whole(data))
    table = tables.read(data, most_rows=most_rows)
    if columns.is_headless(table.header):
        table = replace(table, header=PASTED[: len(table.header)], headless=True)
    layout = columns.with_tests(columns.detect(table.header), table.header, tests or {})
    return File(TABLE, table=table, layout=layout)


def lines(data: bytes, answers: Answers, rules: Mapping[str, Rule], *, today: date) -> Iterator[Line]:
    """The readings of a file of any format. Raises FileError for what cannot be read at all."""
    return opened(data).lines(answers, rules, today=today)


def _dated(line: Line, answers: Answers) -> Line:
    """A result that names no day, on the day that somebody said."""
    if line.status is not Status.NEEDS_DATE or answers.on is None or line.reading is None:
        return line
    return replace(line, status=Status.READY, reason="", on=answers.on, at=None, moment=None)


def _start(data: bytes | Opener) -> bytes:
    if isinstance(data, bytes):
        return data[:200]
    with data() as file:
        return file.read(200)


def _whole(data: bytes | Opener) -> bytes:
    """All of a message; of one that is too long no more than shows it."""
    with (tables.from_bytes(data) if isinstance(data, bytes) else data)() as file:
        whole = file.read(MESSAGE_BYTES + 1)
    if len(whole) > MESSAGE_BYTES:
        raise FileError(
            f"Messages and records are read whole, up to {MESSAGE_BYTES / 1_000_000:g} MB. This file is longer: split "
            "it. A table can have any length."
        )
    return whole
