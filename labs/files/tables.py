"""Tables that people upload or paste: bytes to rows, one at a time. Pure; never raises for a bad row.

A file may be longer than the memory: it is opened anew for every pass and nothing of it is kept.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, NamedTuple

from labs.files.candidates import FileError

BROWSER_BYTES = 1_000_000  # app's own: what a browser upload may hold
BROWSER_ROWS = 5_000
BOMS = (b"\xff\xfe", b"\xfe\xff")
BYTE_ORDER_MARK = "\ufeff"
BROKEN = "\ufffd"
DELIMITERS = ",;\t|"
GAPS = "  "  # two spaces or more: how columns are pasted from a printed report
LOOKED_AT = 5_000  # of the start of a file, to see how it is written
NOT_PLAIN = re.compile("[\0'\ud800-\udfff]")  # letters for which a cell has to be looked at more closely
KEPT_AS_TEXT = re.compile(r"\A'(?=[-=+@\t\r\n＝＋－＠])")
OPEN_QUOTES = "The quotation marks of this row do not close. It and what they run over cannot be read."
TOO_LONG = "A cell of this row is too long to be a result."
Opener = Callable[[], BinaryIO]


class Row(NamedTuple):
    """One record of the file: the line it starts on, its cells, and what is wrong with it as a whole."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A file as rows under a header. `rows` reads the file again each time it is asked for.

    `headless`: the first line is a row already, and the header is what its columns are taken for.
    """

    header: tuple[str, ...]
    opened: Opener
    delimiter: str
    headless: bool = False

    @property
    def rows(self) -> Iterator[Row]:
        """Every record that is not empty, in order."""
        records = _records(self.opened, self.delimiter)
        if not self.headless:
            next(records, None)
        width = len(self.header)
        return (_checked(row, width) for row in records if row.problem or any(row.cells))


def from_bytes(data: bytes) -> Opener:
    """What is in memory, as a file to be opened."""
    return lambda: io.BytesIO(data)


def read(data: bytes | Opener, *, most_bytes: int | None = None, most_rows: int | None = None) -> Table:
    """The table in a file (comma, semicolon, tab, bar, or columns set apart by spaces). Bad rows carry their problem.

    Raises FileError for what is no table of text, is empty, or is over a limit; a file is never silently cut.
    """
    if isinstance(data, bytes):
        refuse_size(data, most_bytes)
    opened = from_bytes(data) if isinstance(data, bytes) else data
    delimiter = _delimiter(_start(opened))
    header = next(_records(opened, delimiter), None)
    if header is None or not (header.problem or any(header.cells)):
        raise FileError("This file is empty. It needs a first line that names the columns.")
    if header.problem:
        raise FileError(f"The first line cannot be read. {header.problem}")
    table = Table(header.cells, opened, delimiter)
    if most_rows is not None and (rows := sum(1 for _row in table.rows)) > most_rows:
        raise FileError(f"This file has {rows:,} rows. The limit here is {most_rows:,}: split the file.")
    return table


def refuse_size(data: bytes, most_bytes: int | None) -> None:
    """Raises FileError for a file over the limit."""
    if most_bytes is not None and len(data) > most_bytes:
        size = f"{len(data) / 1_000_000:.1f}"
        raise FileError(f"This file has {size} MB. The limit here is {most_bytes / 1_000_000:g} MB: split the file.")


def _start(opened: Opener) -> str:
    with opened() as file:
        start = file.read(LOOKED_AT)
    if start.startswith(BOMS) or start[:1000].count(0) > 2:
        raise FileError("This is not a table of text in UTF-8. Save it as “CSV UTF-8” and choose it again.")
    return start.decode("utf-8", errors="replace").removeprefix(BYTE_ORDER_MARK)


def _delimiter(start: str) -> str:
    header = start.split("\n", 1)[0].strip("\r")
    if any(mark in header for mark in DELIMITERS):
        return max(DELIMITERS, key=header.count)
    return GAPS if re.search(r"\S {2,}\S", header) else ","


def _lines(opened: Opener) -> Iterator[str]:
    with opened() as file, io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="") as text:
        yield from (line.removeprefix(BYTE_ORDER_MARK) for line in islice(text, 1))
        yield from text


def _records(opened: Opener, delimiter: str) -> Iterator[Row]:
    return _set_apart(opened) if delimiter == GAPS else _delimited(opened, delimiter)


def _set_apart(opened: Opener) -> Iterator[Row]:
    for number, line in enumerate(_lines(opened), start=1):
        cells = re.split(r" {2,}|\t", line.strip())
        yield Row(number, tuple(_clean(cell) for cell in cells), _bad_text(line))


def _delimited(opened: Opener, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(_lines(opened), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(start, (), TOO_LONG if "field larger" in str(error) else OPEN_QUOTES)
        else:
            yield _row(start, cells)


def _row(start: int, cells: Sequence[str]) -> Row:
    together = "".join(cells)
    if not NOT_PLAIN.search(together):
        return Row(start, tuple(map(str.strip, cells)))
    return Row(start, tuple(_clean(cell) for cell in cells), _bad_text(together))


def _clean(cell: str) -> str:
    """The cell without what is no part of it: space around it, and the apostrophe before what looks like a formula."""
    plain = cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", BROKEN).strip()
    return KEPT_AS_TEXT.sub("", plain).strip()


def _bad_text(text: str) -> str:
    if "\0" in text:
        return "This row holds a null character. Export the table again."
    if any("\udc80" <= letter <= "\udcff" for letter in text):
        return "This row is not UTF-8. Save the table as “CSV UTF-8” and choose it again."
    return ""


def _checked(row: Row, width: int) -> Row:
    if row.problem or len(row.cells) == width:
        return row
    if len(row.cells) > width and not any(row.cells[width:]):
        return row._replace(cells=row.cells[:width])
    return row._replace(problem=f"The first line has {width} columns, this row {len(row.cells)}.")
