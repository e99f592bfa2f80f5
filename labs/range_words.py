"""What a printed range says about the result beside it, and what was understood of a box, in words for pages."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from labs import ranges, units
from labs.models import LabResult
from labs.ranges import Range
from labs.units import Reading, Rule

NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
AFTER = re.compile(
    rf"[^0-9]*{NUMBER}(?:\s*(?:-|–|—|to|~|and|bis|\.{{2,3}})\s*{NUMBER})?(?P<unit>.*)", re.DOTALL | re.IGNORECASE
)
THOUSANDS = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}\.[0-9]{3}(?![0-9])")
OR_SO = re.compile(r"\bor (?:more|less|above|below|higher|lower)\b", re.IGNORECASE)


def limits_of(rule: Rule, reading: Reading, printed_range: str) -> Range | None:
    """The range printed beside a reading, in the reading's own unit: nothing is converted (H24).

    None where it cannot be read or names another unit of the test, for "150.000" of what is counted in whole cells
    (150 thousand, or 150?), and for a reading whose unit is not known.
    """
    if not reading.unit or not printed_range or _in_another_unit(rule, reading, printed_range):
        return None
    if _may_mean_thousands(reading, printed_range):
        return None
    return ranges.printed(printed_range)


def side(rule: Rule, reading: Reading, printed_range: str) -> str | None:
    """Where a reading lies in the range printed beside it: "low", "high", "inside"; None where it cannot be known."""
    return ranges.side(limits_of(rule, reading, printed_range), reading.value, reading.comparator)


def side_of(result: LabResult) -> str | None:
    """The same for a stored result."""
    return side(result.analyte.rule, result.reading, result.printed_range)


def _in_another_unit(rule: Rule, reading: Reading, printed_range: str) -> bool:
    found = AFTER.fullmatch(printed_range)
    named = OR_SO.sub("", found["unit"]).strip(" ()[]") if found else ""
    if not named:
        return False
    unit = units.known_unit(rule, named, reading.unit)
    return not unit or rule.factors[unit] != rule.factors[reading.unit]


def _may_mean_thousands(reading: Reading, printed_range: str) -> bool:
    return bool(reading.unit) and units.UNITS[reading.unit].whole and bool(THOUSANDS.search(printed_range))


def range_echo(rule: Rule, reading: Reading | None, printed_range: str) -> str:
    """What was understood of a range: "Range: 3.6 to 10.", and that the result lies outside it."""
    limits = ranges.printed(printed_range)
    is_unclear = reading and (
        _in_another_unit(rule, reading, printed_range) or _may_mean_thousands(reading, printed_range)
    )
    if limits is None or is_unclear:
        return _("The range is kept as written. It cannot be compared.")
    said = _("Range understood: %(range)s.") % {"range": in_words(limits)}
    outside = reading is not None and side(rule, reading, printed_range) in {"low", "high"}
    return f"{said} {_('This result is outside it.')}" if outside else said


def in_words(limits: Range) -> str:
    """ "3.6 to 10", "below 41", "60 or more"."""
    low = None if limits.low is None else units.figure(limits.low)
    high = None if limits.high is None else units.figure(limits.high)
    if low is not None and high is not None:
        return _("%(low)s to %(high)s") % {"low": low, "high": high}
    if high is not None:
        return (_("up to %(high)s") if limits.high_inclusive else _("below %(high)s")) % {"high": high}
    return (_("%(low)s or more") if limits.low_inclusive else _("above %(low)s")) % {"low": low}


def understood(rule: Rule, reading: Reading) -> str:
    """What was understood of a box: "0.612 × 10⁹/L, that is 612 cells/mm³"."""
    said = units.in_words(rule, reading)
    if reading.value is not None and reading.unit and reading.unit != rule.canonical_unit:
        own = units.in_words(rule, units.in_own_unit(rule, reading))
        if own != said:
            said = _("%(written)s, that is %(own)s") % {"written": said, "own": own}
    if reading.value is not None and reading.is_upper_limit and rule.may_be_undetected:
        said += " " + _("(below what the test can count)")
    return said
