"""From the rows of a table to readings with a verdict each. Pure: what is not said is asked."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from typing import Any

from cycles.schedule import EARLIEST
from labs import units, written
from labs.files import days
from labs.files.candidates import OTHER, DateError, Line, Stage, Status, identity
from labs.files.columns import Column, Kind, Layout, column_called
from labs.files.tables import Row, Table
from labs.units import Reading, ReadingError, Rule

UNKNOWN_TABLE = (
    "No column of this table is a test that we know. Its first line has to name the columns: date, test, value, unit."
)
LONGEST_STUDY = 20_000  # days
MOST_REMEMBERED = 20_000  # cells and dates whose meaning is kept while a file is read: results repeat themselves
LONGEST = {"name": 120, "raw": 60, "printed_range": 60, "flag": 20, "laboratory": 120, "note": 2000, "specimen": 40,
           "external_id": 160, "unit": 40, "text": 2000}  # fmt: skip
STATUSES: Mapping[str, tuple[Status, Stage]] = {
    word: meaning
    for words, meaning in (
        ("|final|f|complete|completed|validated|ok", (Status.READY, Stage.FINAL)),
        ("corrected|correction|c|amended", (Status.READY, Stage.CORRECTED)),
        ("preliminary|prelim|p|interim", (Status.READY, Stage.PRELIMINARY)),
        ("pending|registered|in process|in progress|i", (Status.PENDING, Stage.FINAL)),
        ("cancelled|canceled|x", (Status.CANCELLED, Stage.FINAL)),
        ("entered in error|entered-in-error|withdrawn|wrong|w", (Status.WITHDRAWN, Stage.FINAL)),
    )
    for word in words.split("|")
}
FLAGS = {"h", "hh", "l", "ll", "n", "a", "aa", "*", "+", "-", "high", "low", "normal", "abnormal", "critical"}
NO_VALUE = {"pending": Status.PENDING, "to follow": Status.PENDING, "in process": Status.PENDING,
            "awaited": Status.PENDING, "cancelled": Status.CANCELLED, "canceled": Status.CANCELLED,
            "not done": Status.CANCELLED, "not performed": Status.CANCELLED}  # fmt: skip
WHY = {
    Status.PENDING: "The laboratory has no value yet.",
    Status.CANCELLED: "The laboratory cancelled it.",
    Status.WITHDRAWN: "The laboratory says that this was a mistake.",
}
PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
BARE = r"[<>≤≥=\s0-9.,]*"
WORDS = r"[A-Za-z][A-Za-z ,.()-]{2,}"  # a result in words holds no digit at all: "6l2" is a slip, not a word
VALUED = (Status.READY, Status.WITHDRAWN)


@dataclass(frozen=True)
class Answers:
    """What people told about a table. `floors`: (test, unit) → number written → limit in the test's own unit.

    `on` is the day of all results of a file that names none; `order` says how 03/04/2026 is meant.
    """

    starts: Mapping[str, date] = field(default_factory=dict)
    column_dates: Mapping[str, date] = field(default_factory=dict)
    floors: Mapping[tuple[str, str], Mapping[Decimal, Decimal]] = field(default_factory=dict)
    start: date | None = None
    on: date | None = None
    order: str = ""


def readings(
    table: Table, layout: Layout, answers: Answers, rules: Mapping[str, Rule], *, today: date
) -> Iterator[Line]:
    """Every reading of the table in order, each with its status. Empty cells are no readings."""
    reader = _Reader(layout, answers, rules, today)
    for row in table.rows:
        patient = cell(row, layout.patient)
        if row.problem or layout.kind is Kind.UNKNOWN:
            words = row.problem or UNKNOWN_TABLE
            yield Line(row.line, patient, "", " ".join(row.cells)[:60], Status.NOT_UNDERSTOOD, words)
            continue
        for column, raw in values(row, layout):
            yield reader.line(row, column, raw)


def cell(row: Row, index: int | None) -> str:
    """What stands in a column of a row, "" where there is none."""
    return row.cells[index] if index is not None and index < len(row.cells) else ""


def values(row: Row, layout: Layout) -> Iterator[tuple[Column | None, str]]:
    """Each cell of a row that is a result, with the test it is of (None = no test of the catalogue)."""
    if layout.kind is Kind.READINGS:
        yield _named_column(row, layout), cell(row, layout.value)
        return
    for column in layout.columns:
        raw = cell(row, column.index)
        if raw:
            yield column, raw


def _named_column(row: Row, layout: Layout) -> Column | None:
    index, name, printed = layout.value or 0, cell(row, layout.analyte), cell(row, layout.unit)
    named = _column_named if len(name) + len(printed) <= LONGEST["name"] else _column_named.__wrapped__
    return named(index, name, printed)


@lru_cache(maxsize=4096)
def _column_named(index: int, name: str, printed: str) -> Column | None:
    """Which test a row is of, in its unit as printed; a test that the catalogue does not hold is OTHER."""
    named = column_called(name, printed)
    if named is None:
        return Column(index, name, OTHER, "", unit_text=printed) if name else None
    says = bool(printed) or named.says_unit
    return Column(index, name, named.analyte, named.unit, unit_text=printed or named.unit_text, says_unit=says)


@dataclass
class _Reader:
    """Reads the cells of one table; what the same cell meant before is remembered."""

    layout: Layout
    answers: Answers
    rules: Mapping[str, Rule]
    today: date
    known: dict[tuple[str, str, str, str], Reading | ReadingError] = field(default_factory=dict)

    def line(self, row: Row, column: Column | None, raw: str) -> Line:
        """One cell with its verdict."""
        if column is None or column.analyte not in self.rules:
            name = column.name if column else cell(row, self.layout.analyte)
            words = f"We do not know the test “{name}”." if name else "This row names no test."
            return self._line(row, name, raw, Status.NOT_UNDERSTOOD, words)
        status, reason, stage, mark = self._status(row, raw)
        said: dict[str, Any] = {} if status is Status.NOT_UNDERSTOOD else self._read(row, column, raw, status)
        words = said.pop("reason", reason)
        return self._line(
            row, column.name, raw, said.pop("status", status), words, column.analyte, mark, stage=stage, **said
        )

    def _line(
        self, row: Row, name: str, raw: str, status: Status, words: str, analyte: str = "", mark: str = "", **more: Any
    ) -> Line:
        for what, index in self.beside:
            more[what] = SHORTENED[what](cell(row, index), what)
        if mark and not more.get("flag"):
            more["flag"] = mark
        patient = cell(row, self.layout.patient)
        return Line(row.line, patient, shortened(name, "name"), shortened(raw, "raw"), status, words, analyte, **more)

    @cached_property
    def beside(self) -> list[tuple[str, int]]:
        """What this table prints beside its values, and in which columns."""
        found = ((what, getattr(self.layout, what)) for what in SHORTENED)
        return [(what, index) for what, index in found if index is not None]

    def _status(self, row: Row, raw: str) -> tuple[Status, str, Stage, str]:
        """How far the result is, why it has no value, its stage, and the laboratory's mark where that stands instead.

        A status that is none may be the mark beside the value; anything else is asked about.
        """
        word, mark = cell(row, self.layout.status), ""
        status, stage = STATUSES.get(word.casefold(), (None, Stage.FINAL))
        if status is None:
            if word.casefold() not in FLAGS:
                return Status.NOT_UNDERSTOOD, f"We do not know the status “{word}”.", stage, ""
            status, mark = Status.READY, word
        if status is Status.READY and (without := _without_value(raw)):
            return without, WHY[without], stage, mark
        return status, "", stage, mark

    def _read(self, row: Row, column: Column, raw: str, status: Status) -> dict[str, Any]:
        """Its value and its draw, or what is wrong with them. One that is no result any more needs neither."""
        try:
            reading = self._reading(column, cell(row, column.index)) if status in VALUED else None
            on, at, moment = self._drawn(row, column, cell(row, self.layout.patient))
        except (ReadingError, DateError) as error:
            if status is not Status.READY:
                return {}
            wrong = Status.NOT_UNDERSTOOD if isinstance(error, ReadingError) else Status.NEEDS_DATE
            return {"status": wrong, "reason": str(error)}
        says_unit = column.says_unit or not re.fullmatch(BARE, raw)
        return {"on": on, "at": at, "moment": moment, "reading": reading, "says_unit": says_unit}

    def _reading(self, column: Column, raw: str) -> Reading:
        """Raises ReadingError, in words, for what is no result of this test."""
        key = (column.analyte, column.unit, column.unit_text, raw)
        there = self.known.get(key)
        if there is None:
            there = self._parsed(column, raw)
            if len(self.known) < MOST_REMEMBERED:
                self.known[key] = there
        if isinstance(there, ReadingError):
            raise there
        return there

    def _parsed(self, column: Column, raw: str) -> Reading | ReadingError:
        rule, number = self.rules[column.analyte], plain(raw)
        limit = None if number is None else self.answers.floors.get((column.analyte, column.unit), {}).get(number)
        try:
            if limit is not None:
                return written.below(rule, limit, raw)
            return as_printed(rule, raw, column.unit_text) if column.analyte == OTHER else _of_test(rule, column, raw)
        except ReadingError as error:
            long_form = self.layout.kind is Kind.READINGS
            return in_text(raw) if long_form and raw.isascii() and re.fullmatch(WORDS, raw) else error

    # When

    def _drawn(self, row: Row, column: Column, patient: str) -> tuple[date | None, time | None, datetime | None]:
        """Day and clock of the draw, or its moment where a zone is named. Raises DateError."""
        written_on, clock = cell(row, self.layout.on), cell(row, self.layout.time)
        moment = days.moment_in(written_on) or days.moment_in(clock)
        if moment is not None:
            return None, None, moment
        on = self._stated(row, column, patient, written_on)
        if on > self.today:
            raise DateError(f"{on.isoformat()} has not come yet.")
        if on < EARLIEST:
            raise DateError(f"{on.isoformat()} is too long ago to be right.")
        clock = clock or days.clock_beside(written_on)
        return on, days.read_clock(clock) if clock else None, None

    def _stated(self, row: Row, column: Column, patient: str, written_on: str) -> date:
        day = cell(row, self.layout.day)
        if written_on:
            return days.read_date(written_on, self.answers.order)
        if day:
            return _on_day(day, self.answers.starts.get(patient, self.answers.start))
        on = self.answers.column_dates.get(column.name, column.on) or self.answers.on
        if on is None:
            raise DateError("Say when the blood was taken.")
        return on


def _without_value(raw: str) -> Status | None:
    """What a cell says that has no value, in words or by being empty; None for any other."""
    return NO_VALUE.get(raw.casefold()) if raw else Status.PENDING


def _of_test(rule: Rule, column: Column, raw: str) -> Reading:
    if not column.unit_text:
        return written.parse(rule, raw, column.unit)
    unit = units.known_unit(rule, column.unit_text)
    if unit:
        return written.parse(rule, raw, unit)
    found = _alone(raw)
    if found is None:
        raise ReadingError(f"“{raw}” is not a value we can read. Enter a number such as 612, or “<20”.")
    return _measured(rule, raw, found, column.unit_text)


def as_printed(rule: Rule, raw: str, unit: str) -> Reading:
    """A result of a test that the catalogue does not hold: a number where nothing else fits, otherwise its words."""
    found = _alone(raw)
    if found is None or len(raw) > LONGEST["raw"]:
        return in_text(raw, unit)
    try:
        return _measured(rule, raw, found, unit)
    except ReadingError:
        return in_text(raw, unit)


def _alone(raw: str) -> written.Figure | None:
    """A plain number and its sign, where nothing else stands beside them."""
    found = written.figure_in(raw)
    return found if found and not found.rest and PLAIN.fullmatch(found.digits) else None


def _measured(rule: Rule, raw: str, found: written.Figure, unit: str) -> Reading:
    """Raises ReadingError where the number could be two."""
    digits = found.digits
    if re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", digits):
        raise ReadingError(f"“{digits}” can be read in more than one way. Enter it without a comma.")
    reading = written.measured(rule, found.comparator, digits.replace(",", "."), shortened(unit, "unit"))
    return replace(reading, raw=shortened(raw, "raw"))


def in_text(raw: str, unit: str = "") -> Reading:
    """A result in words, as it was written."""
    return Reading("=", None, "", None, shortened(raw, "raw"), shortened(unit, "unit"), shortened(raw, "text"))


def shortened(said: str, what: str) -> str:
    """The words, with a mark where their end does not fit."""
    most = LONGEST[what]
    return said if len(said) <= most else said[: most - 1] + "…"


SHORTENED: Mapping[str, Callable[[str, str], str]] = {
    **dict.fromkeys(("printed_range", "flag", "laboratory", "note"), shortened),
    **dict.fromkeys(("specimen", "external_id"), lambda said, what: identity(said, LONGEST[what])),
}
"""What stands beside a value, with how it is cut where it is too long: never what two results could share."""


def plain(raw: str) -> Decimal | None:
    """The number that is written, if it is nothing else."""
    if not raw or raw[-1] not in "0123456789.":
        return None
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _on_day(day: str, start: date | None) -> date:
    number = plain(day)
    if number is None or number != number.to_integral_value() or abs(number) > LONGEST_STUDY:
        raise DateError(f"“{day}” is not a day of a study.")
    if start is None:
        raise DateError("Say which date was day 0.")
    return start + timedelta(days=int(number))
