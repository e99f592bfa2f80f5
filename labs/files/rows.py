"""From the rows of an uploaded table to readings with a verdict each. Pure: what is not said is asked."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal, InvalidOperation

from cycles import clock
from cycles.schedule import EARLIEST
from labs.chart_axes import MONTHS
from labs.files.candidates import DateError, Line, Status
from labs.files.tables import Column, Kind, Layout, Row, Table, test_named
from labs.units import Reading, ReadingError, Rule, canonical
from labs.written import below, parse

LONGEST_STUDY = 20_000  # days
FLOOR_REPEATS = 3  # app's own: a low number that stands at least so often, and in a fiftieth of all, may be a floor
FLOOR_SHARE = 50
FLOOR_BELOW = Decimal(1000)
MOST_FLOORS = 6


@dataclass(frozen=True)
class Answers:
    """What people told about a table. `floors`: (test, unit) → number written → limit in the test's own unit."""

    starts: Mapping[str, date] = field(default_factory=dict)
    column_dates: Mapping[str, date] = field(default_factory=dict)
    floors: Mapping[tuple[str, str], Mapping[Decimal, Decimal]] = field(default_factory=dict)
    start: date | None = None


def readings(
    table: Table, layout: Layout, answers: Answers, rules: Mapping[str, Rule], *, today: date
) -> Iterator[Line]:
    """Every reading of the table in order, each with its status. Empty cells are no readings."""
    for row in table.rows:
        patient = _cell(row, layout.patient)
        if row.problem or layout.kind is Kind.UNKNOWN:
            words = row.problem or "No column of this table is a test that we know."
            yield Line(row.line, patient, "", " ".join(row.cells)[:60], Status.NOT_UNDERSTOOD, words)
            continue
        for column, raw in _values(row, layout):
            yield _line(row, layout, column, raw, answers, rules, today)


def _cell(row: Row, index: int | None) -> str:
    return row.cells[index] if index is not None and index < len(row.cells) else ""


def _values(row: Row, layout: Layout) -> Iterator[tuple[Column | None, str]]:
    if layout.kind is Kind.READINGS:
        yield _named_column(row, layout), _cell(row, layout.value)
        return
    for column in layout.columns:
        raw = _cell(row, column.index)
        if raw:
            yield column, raw


def _named_column(row: Row, layout: Layout) -> Column | None:
    named = test_named(_cell(row, layout.analyte))
    if named is None:
        return None
    return Column(layout.value or 0, _cell(row, layout.analyte), named[0], _cell(row, layout.unit) or named[1])


def _line(
    row: Row,
    layout: Layout,
    column: Column | None,
    raw: str,
    answers: Answers,
    rules: Mapping[str, Rule],
    today: date,
) -> Line:
    patient, name = _cell(row, layout.patient), column.name if column else _cell(row, layout.analyte)
    if column is None or column.analyte not in rules:
        words = f"We do not know the test “{name}”." if name else "This row names no test."
        return Line(row.line, patient, name, raw, Status.NOT_UNDERSTOOD, words)
    try:
        reading = _reading(rules[column.analyte], column, raw, answers)
        on = _drawn_on(row, layout, column, patient, answers, today)
        at = _drawn_at(row, layout)
    except ReadingError as error:
        return Line(row.line, patient, name, raw, Status.NOT_UNDERSTOOD, str(error), column.analyte)
    except DateError as error:
        return Line(row.line, patient, name, raw, Status.NEEDS_DATE, str(error), column.analyte)
    return Line(row.line, patient, name, raw, Status.READY, "", column.analyte, on, at, reading=reading)


def _reading(rule: Rule, column: Column, raw: str, answers: Answers) -> Reading:
    floors, number = answers.floors.get((column.analyte, column.unit), {}), _plain(raw)
    limit = None if number is None else floors.get(number)
    return parse(rule, raw, column.unit) if limit is None else below(rule, limit, raw)


def _plain(raw: str) -> Decimal | None:
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


# When


def _drawn_on(row: Row, layout: Layout, column: Column, patient: str, answers: Answers, today: date) -> date:
    on = _stated(row, layout, column, patient, answers)
    if on > today:
        raise DateError(f"{on.isoformat()} has not come yet.")
    if on < EARLIEST:
        raise DateError(f"{on.isoformat()} is too long ago to be right.")
    return on


def _stated(row: Row, layout: Layout, column: Column, patient: str, answers: Answers) -> date:
    written, day = _cell(row, layout.on), _cell(row, layout.day)
    if written:
        return read_date(written)
    if day:
        return _on_day(day, answers.starts.get(patient, answers.start))
    on = answers.column_dates.get(column.name, column.on)
    if on is None:
        raise DateError("Say when the blood was taken.")
    return on


def _on_day(day: str, start: date | None) -> date:
    number = _plain(day)
    if number is None or number != number.to_integral_value() or abs(number) > LONGEST_STUDY:
        raise DateError(f"“{day}” is not a day of a study.")
    if start is None:
        raise DateError("Say which date was day 0.")
    return start + timedelta(days=int(number))


def read_date(text: str) -> date:
    """Date written as 2026-11-04, 4 November 2026 or 25/11/2026. DateError, also when day and month could swap."""
    words = re.sub(r"[T ]\d{1,2}:\d{2}.*$", "", text.strip())
    for shape, order in (
        (r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", "ymd"),
        (r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", "?"),
    ):
        parts = re.fullmatch(shape, words)
        if parts:
            return _date(text, [int(part) for part in parts.groups()], order)
    parts = re.fullmatch(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{4})", words)
    months = [month.casefold() for month in MONTHS]
    if parts and parts[2][:3].casefold() in months:
        return _date(text, [int(parts[3]), months.index(parts[2][:3].casefold()) + 1, int(parts[1])], "ymd")
    raise DateError(f"“{text}” is not a date we can read. Write it as 2026-11-04.")


def _date(text: str, numbers: list[int], order: str) -> date:
    if order == "?":
        first, second, year = numbers
        if first <= 12 and second <= 12 and first != second:
            raise DateError(f"“{text}” can be two different days. Write it as 2026-11-04.")
        numbers = [year, second, first] if second <= 12 else [year, first, second]
    try:
        return date(*numbers)
    except ValueError:
        raise DateError(f"“{text}” is not a day of the calendar.") from None


def _drawn_at(row: Row, layout: Layout) -> time | None:
    beside = re.search(r"[T ](\d{1,2}:\d{2}.*)$", _cell(row, layout.on))
    text = _cell(row, layout.time) or (beside[1] if beside else "")
    return read_clock(text) if text else None


def read_clock(text: str) -> time:
    """A time as "8:15 PM", "08:15" or "08:15:30", read like one typed in a form. DateError also for an offset."""
    words = re.sub(r"(\d:\d{2}):\d{2}(\.\d+)?", r"\1", text.strip())
    if re.search(r"(\bz|\dz|utc|gmt|[+-]\d{1,2}(:?\d{2})?)$", words, re.IGNORECASE):
        raise DateError(f"“{text}” names a time zone. Write the time on the patient’s own clock, without it.")
    try:
        return clock.read_time(words, twelve_hours=False)
    except ValueError:
        raise DateError(f"“{text}” is not a time we can read. Write it as 08:15 or 8:15pm.") from None


# What has to be asked


@dataclass(frozen=True)
class Asked:
    """The questions a table raises: whose rows, which dates, which numbers are floors (with how often they stand)."""

    patients: tuple[str, ...]
    needs_start: bool
    visits: tuple[str, ...]
    floors: tuple[tuple[tuple[str, str], Decimal, int], ...]


def asked(table: Table, layout: Layout, rules: Mapping[str, Rule]) -> Asked:
    """Everything that somebody has to say before the readings of this table can be dated and read."""
    rows = [row for row in table.rows if not row.problem]
    patients = dict.fromkeys(_cell(row, layout.patient) for row in rows) if layout.patient is not None else {}
    dated = layout.on is not None
    return Asked(
        patients=tuple(patients),
        needs_start=not dated and layout.day is not None,
        visits=tuple(c.name for c in layout.columns if c.visit and c.on is None and not dated and layout.day is None),
        floors=tuple(_possible_floors(rows, layout, rules)),
    )


def _possible_floors(
    rows: list[Row], layout: Layout, rules: Mapping[str, Rule]
) -> Iterator[tuple[tuple[str, str], Decimal, int]]:
    """0, the lowest number where nothing says "<", and low numbers that stand there again and again."""
    written: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for column, raw in _values(row, layout):
            if column and column.analyte in rules and rules[column.analyte].may_be_undetected:
                written.setdefault((column.analyte, column.unit), []).append(raw)
    for key, raws in written.items():
        for number, count in _low_numbers(rules[key[0]], key[1], raws)[:MOST_FLOORS]:
            yield key, number, count


def _low_numbers(rule: Rule, unit: str, raws: list[str]) -> list[tuple[Decimal, int]]:
    counts = Counter(number for raw in raws if (number := _plain(raw)) is not None and number >= 0)
    limited = any("<" in raw for raw in raws)
    low = [] if limited or not counts else [min(counts)]
    often = max(FLOOR_REPEATS, len(raws) // FLOOR_SHARE)
    low += [n for n, count in counts.items() if count >= often and _copies(rule, unit, n) <= FLOOR_BELOW]
    if 0 in counts:
        low.append(Decimal(0))
    return [(number, counts[number]) for number in sorted(set(low))]


def _copies(rule: Rule, unit: str, number: Decimal) -> Decimal:
    return canonical(
        rule, min(number, Decimal(9)) if "log" in unit else number, unit if unit in rule.units else "copies_ml"
    )
