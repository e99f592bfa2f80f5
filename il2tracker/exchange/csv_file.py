"""Results as a table that spreadsheets open and our own import reads back."""

from __future__ import annotations

from il2tracker.exchange import cells, record
from il2tracker.exchange.record import Judged, Results
from labs.models import LabResult

HEADER = (
    "taken",
    "test",
    "value",
    "unit",
    "range",
    "flag",
    "status",
    "laboratory",
    "note",
    "specimen",
    "result id",
    "counts",
    "why",
    "entered by",
)
"""Names of columns are part of the format, not of the language. `counts` and `why` are worked out at every export."""
FOUND = {True: " detected", False: " not detected", None: ""}


def write(known: Results) -> str:
    """The table, oldest draw first; a header alone where there is no result."""
    return cells.table(HEADER, (_row(each) for each in known.judged))


def _row(each: Judged) -> tuple[str, ...]:
    result = each.result
    return (
        record.taken(result),
        record.test_name(result),
        _value(result),
        record.printed_unit(result),
        result.printed_range,
        result.flag,
        result.status,
        result.laboratory,
        result.note,
        result.specimen,
        result.external_id,
        record.verdict(each),
        record.why(each),
        str(result.get_source_display()),
    )


def _value(result: LabResult) -> str:
    if result.text:
        return result.text
    if result.value is None:
        return "not detected"
    sign = "" if result.comparator == "=" else result.comparator
    return f"{sign}{record.digits(result)}{FOUND[result.detected]}"
