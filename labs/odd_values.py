"""What looks odd about a reading of a file, in words: it waits until somebody says that it is right."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.utils.translation import gettext as _

from labs import units, written
from labs.files.candidates import Line
from labs.files.rows import plain
from labs.matching import Known, Shelf
from labs.units import Rule

SAYS_CELLS = re.compile(r"^(?!.*(%|percent|pct|perc\b)).*(cell|mm|ul|µl)", re.IGNORECASE)  # the unit of a count
CD4, CD4_PERCENT = "cd4", "cd4_percent"


def odd(line: Line, rule: Rule, identity: Known, shelf: Shelf, together: Collection[str], *, may_be_limit: bool) -> str:
    """The questions of the form for the same value (H11), with what the file says of units and percentages.

    `together` = the tests that stand in one row of the file with it; `may_be_limit` = the file repeats this number.
    "" = nothing is odd.
    """
    reading = line.reading
    if reading is None or not reading.unit:
        return ""
    if not line.says_unit and not rule.timing_matters and len(set(rule.factors.values())) > 1:
        unit = units.UNITS[reading.unit].words
        return _("The file names no unit. It is read in %(unit)s: is that the unit of the report?") % {"unit": unit}
    if reading.comparator != "=":
        return ""
    if rule.may_be_undetected and may_be_limit:
        words = _("“%(number)s” may mean “less than the test can count”. Say which limit it is, if it is one.")
        return words % {"number": line.raw}
    percent = line.analyte != CD4 or CD4_PERCENT in together or bool(SAYS_CELLS.search(line.name))
    percent = percent or shelf.has(identity.patient, CD4_PERCENT, identity.on)
    before = shelf.value_before(identity) if rule.jump else None
    return " ".join(written.questions(rule, reading, before=before, percent_given=percent))


def number(line: Line) -> object:
    """What a number that may be a limit is found by: its test, and the number as it is written."""
    return line.analyte, plain(line.raw)
