"""What holds for every table, whoever made it up: tried shortly in every run, ten thousand times in the long ones."""

import csv
import io
import re
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from labs.files import days, formats
from labs.files.candidates import FileError, Line, Status
from labs.files.rows import Answers
from labs.units import library

RULES, TODAY = library(), date(2026, 11, 21)
NAMES = (
    "date",
    "Date drawn",
    "time",
    "day",
    "patient",
    "test",
    "value",
    "unit",
    "range",
    "flag",
    "status",
    "note",
    "lab",
    "result id",
    "cd4",
    "CD4+ count (cells/µL)",
    "CD4 %",
    "viral load",
    "log10 HIV RNA",
    "ALT U/L",
    "Creatinine [mg/dL]",
    "cd_2018_1",
    "cd4_2018-01-05",
    "Potassium",
    "weight",
    "",
    "x",
)
CELLS = (
    "612",
    "0,612",
    "1,250",
    "1.250,5",
    "<20",
    "> 10,000,000",
    "≤5",
    "TND",
    "not detected",
    "28 %",
    "4.2",
    "-2",
    "1e3",
    "6l2",
    "61 2",
    "see below",
    "pending",
    "cancelled",
    "CD4+ count",
    "ALT",
    "Ferritin",
    "cells/mm3",
    "10^9/L",
    "mg",
    "2026-01-05",
    "05/01/2026",
    "25/12/2025",
    "1/2/26",
    "20260105",
    "2026-01-05T08:15:00Z",
    "2026-01-05 25:61",
    "5 Jan 2026",
    "08:15",
    "final",
    "corrected",
    "preliminary",
    "entered in error",
    "H",
    "3.6-10.0",
    "",
    "  ",
    "\u0661\u0662",
    "NaN",
    "Infinity",
    "9" * 70,
    "=1+1",
    '"',
    "\0",
    "\u2028",
    "µ",
)

cells = (
    st.sampled_from(CELLS) | st.text(max_size=12) | st.from_regex(r"[<>]?[0-9]{1,7}([.,][0-9]{1,4})?", fullmatch=True)
)
headers = st.lists(st.sampled_from(NAMES) | st.text(max_size=8), min_size=1, max_size=8)
tables = st.builds(
    lambda header, rows, mark, end, bom: bom + _csv([header, *rows], mark, end),
    headers,
    st.lists(st.lists(cells, max_size=9), max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
broken = st.builds(lambda table, junk, at: table[: at % (len(table) + 1)] + junk + table[at % (len(table) + 1) :],
                   tables, st.binary(max_size=6), st.integers(0, 10_000))  # fmt: skip
pasted = st.lists(st.lists(cells, min_size=1, max_size=5).map("   ".join), max_size=8).map("\n".join).map(str.encode)
answers = st.builds(
    Answers,
    starts=st.just({}),
    column_dates=st.sampled_from([{}, {"cd_2018_1": date(2018, 3, 1)}]),
    start=st.sampled_from([None, date(2020, 1, 1)]),
    on=st.sampled_from([None, date(2026, 1, 5)]),
    order=st.sampled_from(["", days.DAY_FIRST, days.MONTH_FIRST, "?"]),
)
values = st.decimals(min_value=Decimal("0.01"), max_value=4999, places=2)
drawn = st.dates(date(1990, 1, 1), TODAY)


def _csv(rows: list[list[str]], mark: str, end: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_MINIMAL).writerows(
        [[cell.replace("\ud800", "") for cell in row] for row in rows]
    )
    return out.getvalue().encode("utf-8", "replace")


def answered(content: bytes, said: Answers) -> list[Line]:
    """Whatever the bytes are: lines with a verdict each, or words about the file; and no number that is not written."""
    try:
        file = formats.opened(content)
        asked = file.asked(RULES)
        lines = list(file.lines(said, RULES, today=TODAY))
    except FileError:
        return []
    if asked.order:
        assert len(set(days.both_ways(asked.order))) == 2
    for line in lines:
        assert line.status in Status
        assert line.status is Status.READY or line.reason or line.status is Status.WITHDRAWN
        if line.status is Status.READY:
            ready(line)
    return lines


def ready(line: Line) -> None:
    """A result has a day and a value that stands in the file."""
    assert line.reading is not None
    assert (line.on is None) != (line.moment is None)
    assert line.on is None or line.on <= TODAY
    if line.reading.value is not None:
        written_so = "".join(str(int(letter)) for letter in line.reading.raw if letter.isdecimal())
        meant = re.sub(r"\D", "", f"{line.reading.value:f}").strip("0")
        assert meant in written_so or "e" in line.reading.raw.lower(), (line.reading.value, line.reading.raw)
    else:
        assert line.reading.text or line.reading.detected is False


def comes_back(rows: list[tuple[date, Decimal]], mark: str, comma: bool, how: str) -> None:
    """A table that is written without doubt is read as it was written."""
    value = (lambda number: f"{number:f}".replace(".", ",")) if comma else (lambda number: f"{number:f}")
    table = [["date", "cd4"], *([on.strftime(how), value(number)] for on, number in rows)]
    order = days.DAY_FIRST if how == "%d/%m/%Y" else days.MONTH_FIRST if how == "%m/%d/%Y" else ""
    lines = answered(_csv(table, mark, "\n"), Answers(order=order))
    assert [(line.on, line.reading and line.reading.value) for line in lines] == rows
