"""Whether a result is there already (decision B28). Pure.

A draw without a time matches any equal value of that day. Two equal values at different times are two results.
Another value at the same time, or on the same day while one of the times is unknown, is a conflict: somebody decides.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

from labs.units import Reading, Rule, in_own_unit


class Match(Enum):
    """How a result stands to those that are there."""

    NEW = "new"
    THERE = "already there"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Known:
    """What identifies a result: test, day, moment if known, value in the test's own unit. `key` names its row."""

    patient: int
    analyte: str
    on: date
    at: datetime | None
    comparator: str
    value: Decimal | None
    specimen: str = ""
    key: int | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same result, whatever it was read from."""
        value = "not detected" if self.value is None else f"{self.value.normalize():f}"
        parts = (self.analyte, self.on.isoformat(), self._minute(), self.comparator, value, self.specimen)
        return "|".join(part for part in parts if part)

    def _minute(self) -> str:
        return f"{self.at.astimezone(UTC):%H:%M}" if self.at else "-"

    def says_the_same(self, other: "Known") -> bool:
        """Whether both hold the same value."""
        return (self.comparator, self.value) == (other.comparator, other.value)

    def same_moment(self, other: "Known") -> bool:
        """Whether both may be one draw: the same minute, or a time is unknown. Two specimen numbers are two draws."""
        if self.specimen and other.specimen and self.specimen != other.specimen:
            return False
        return self.at is None or other.at is None or self._minute() == other._minute()


def known(
    patient: int,
    rule: Rule,
    reading: Reading,
    on: date,
    at: datetime | None,
    specimen: str = "",
    key: int | None = None,
) -> Known:
    """Identity of a reading."""
    own = in_own_unit(rule, reading)
    return Known(patient, rule.code, on, at, own.comparator, own.value, specimen, key)


@dataclass
class Shelf:
    """The results that are there, found by patient, test and day."""

    days: dict[tuple[int, str, date], list[Known]] = field(default_factory=lambda: defaultdict(list))
    values: dict[tuple[int, str], list[tuple[date, Decimal]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, results: Iterable[Known]) -> "Shelf":
        """A shelf filled with results."""
        shelf = cls()
        for result in results:
            shelf.add(result)
        return shelf

    def add(self, result: Known) -> None:
        """Put one more there."""
        self.days[result.patient, result.analyte, result.on].append(result)
        if result.comparator == "=" and result.value is not None:
            insort(self.values[result.patient, result.analyte], (result.on, result.value))

    def value_before(self, result: Known) -> Decimal | None:
        """The last counted value of the same test before that day, in the test's own unit."""
        values = self.values.get((result.patient, result.analyte), [])
        index = bisect_left(values, (result.on, Decimal("-Infinity")))
        return values[index - 1][1] if index else None

    def has(self, patient: int, analyte: str, on: date) -> bool:
        """Whether a result of this test is there for the day."""
        return (patient, analyte, on) in self.days

    def match(self, result: Known) -> tuple[Match, Known | None]:
        """How this result stands to those there, with the one it meets."""
        meeting = [
            other
            for other in self.days.get((result.patient, result.analyte, result.on), ())
            if result.same_moment(other)
        ]
        same = next((other for other in meeting if result.says_the_same(other)), None)
        if same is not None:
            return Match.THERE, same
        return (Match.CONFLICT, meeting[0]) if meeting else (Match.NEW, None)
