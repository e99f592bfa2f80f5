"""Results as light rows: what `LabResult` says under the same names, without the price of a model for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from labs.models import LabResult, LabResultQuerySet, rules
from labs.units import UNITS, Reading, Rule, in_own_unit, library

NARROW: tuple[str, ...] = ("pk", "patient_id", "ref", "analyte__code", "drawn_on", "drawn_at")
NARROW += ("comparator", "value", "unit", "detected", "raw", "source", "batch_id", "status")
ROWS_AT_ONCE = 20_000
WIDE = (*NARROW, "laboratory", "zone", "text", "unit_text", "entered_by_id", "entered_by__name")


class Test:
    """A test of the catalogue as results name it. Its facts are read of every row there is: plain attributes."""

    __test__ = False  # not a test of pytest

    def __init__(self, rule: Rule) -> None:
        self.rule, self.code, self.name = rule, rule.code, rule.name
        self.timing_matters, self.unit_words = rule.timing_matters, UNITS[rule.canonical_unit].words


@cache
def test(code: str) -> Test:
    """The test with this code. The catalogue is the file that is shipped; the table holds the same by migration."""
    return Test(library().get(code) or rules()[code])


class Person(NamedTuple):
    """Who entered a result."""

    pk: int
    name: str


class Kept(NamedTuple):
    """One standing result. The fields after `status` are empty where only numbers were asked for."""

    pk: int
    patient_id: int
    ref: str
    code: str
    drawn_on: date
    drawn_at: datetime | None
    comparator: str
    value: Decimal | None
    unit: str
    detected: bool | None
    raw: str
    source: str
    batch_id: int | None
    status: str
    laboratory: str = ""
    zone: str = ""
    text: str = ""
    unit_text: str = ""
    entered_by_id: int | None = None
    entered_by_name: str | None = None

    @property
    def analyte(self) -> Test:
        """Its test."""
        return test(self.code)

    @property
    def reading(self) -> Reading:
        """What was written, as numbers."""
        return Reading(self.comparator, self.value, self.unit, self.detected, self.raw, self.unit_text, self.text)

    @property
    def own_value(self) -> Decimal | None:
        """The value in the test's own unit; None where it has none, or its unit is not known."""
        rule = test(self.code).rule
        if self.unit == rule.canonical_unit:
            return self.value
        return in_own_unit(rule, self.reading).value if self.unit else None

    @property
    def local_drawn_at(self) -> datetime | None:
        """When blood was taken, on the clock of the place where it was recorded."""
        return self.drawn_at.astimezone(ZoneInfo(self.zone)) if self.drawn_at else None

    @property
    def entered_by(self) -> Person | None:
        """Who entered it, if it was a person."""
        return Person(self.entered_by_id, self.entered_by_name or "") if self.entered_by_id else None


Result = LabResult | Kept


def rows(found: LabResultQuerySet, columns: tuple[str, ...] = WIDE) -> Iterator[Kept]:
    """These results as light rows, oldest first, in one statement."""
    ordered: Any = found.order_by("drawn_on", "drawn_at", "analyte__position", "pk")
    return (Kept(*row) for row in ordered.values_list(*columns).iterator(ROWS_AT_ONCE))
