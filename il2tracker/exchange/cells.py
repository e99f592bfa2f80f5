"""Cells of a table that no spreadsheet takes for a formula. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\ufeff"
"""Stands first in the file: without it Excel reads µ and ≤ as other letters. Our own import reads over it."""
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


def harmless(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would work out; "-2" is a number and stays one."""
    if cell.startswith(STARTS_A_FORMULA) and not PLAIN_NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table by RFC 4180: commas, CRLF, quotation marks where a cell needs them."""
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()
