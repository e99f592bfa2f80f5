"""Whether a result is there already (decision B28), and which of two versions of one result stands. Pure.

A draw without a time matches any equal value of that day. Two equal values at different times are two results.
Another value at the same time, or on the same day while one of the times is unknown, is a conflict: somebody decides,
unless the laboratory itself says that it corrects. What the sending system calls a result goes before all that.
"""

import hashlib
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from labs.files.candidates import Stage
from labs.units import Reading, Rule, canonical

LONGEST_PART = 60  # of the fingerprint; a longer one stands as its digest
UP_TO_DATE = {Stage.PRELIMINARY: 0, Stage.FINAL: 1, Stage.CORRECTED: 2}


class Match(Enum):
    """How a result stands to those that are there."""

    NEW = "new"
    THERE = "already there"
    CONFLICT = "conflict"
    CORRECTS = "correction"  # takes the place of the one that is there, which stays in the history
    OLDER = "older than what is there"


class Beside(NamedTuple):
    """What is printed beside a value; a long note stands as its digest."""

    printed_range: str = ""
    flag: str = ""
    note: str = ""

    @classmethod
    def of(cls, printed_range: str, flag: str, note: str) -> "Beside":
        """As it is compared: two notes that differ in their spaces alone are one."""
        return cls(printed_range, flag, _part(note) if note else "") if printed_range or flag or note else NOTHING

    def over(self, other: "Beside") -> "Beside":
        """This, with the other where this says nothing. A flag belongs to its range: they are said together."""
        ranged = self if self.printed_range or self.flag else other
        return Beside(self.printed_range or other.printed_range, ranged.flag, self.note or other.note)


NOTHING = Beside()


class Known(NamedTuple):
    """What identifies a result: test, day, moment if known, value in the test's own unit. `key` names its row.

    `name` is the printed name of a test outside the catalogue, `unit_text` a unit that is not known, `text` a result in
    words. `external_id` is what the sending system calls it. `withdrawn`: the laboratory took it back. `beside` is no
    part of what identifies it: only a laboratory's correction may change it alone.
    """

    patient: int
    analyte: str
    on: date
    at: datetime | None
    comparator: str
    value: Decimal | None
    specimen: str = ""
    key: int | None = None
    name: str = ""
    text: str = ""
    unit_text: str = ""
    external_id: str = ""
    stage: Stage = Stage.FINAL
    withdrawn: bool = False
    detected: bool | None = None
    laboratory: str = ""
    beside: Beside = NOTHING

    @property
    def fingerprint(self) -> str:
        """The same for the same result, whatever it was read from."""
        value = "not detected" if self.value is None else f"{self.value.normalize():f}"
        said = _part(self.text) or value
        parts = (self.test, self.on.isoformat(), self._minute(), self.comparator, said, _part(self.unit_text))
        return "|".join(part for part in (*parts, self.specimen) if part)

    @property
    def test(self) -> str:
        """The code of the test; outside the catalogue its printed name as well."""
        return f"{self.analyte}:{_part(self.name)}" if self.name else self.analyte

    def _minute(self) -> str:
        return f"{self.at.astimezone(UTC):%H:%M}" if self.at else "-"

    def says_the_same(self, other: "Known") -> bool:
        """Whether both hold the same value; "<20, detected" is another one than "<20, not detected" (H12)."""
        mine, theirs = (self.comparator, self.value), (other.comparator, other.value)
        if mine != theirs or self.unit_text != other.unit_text or {self.detected, other.detected} == {True, False}:
            return False
        return self.text == other.text or _part(self.text) == _part(other.text)

    def says_more(self, other: "Known") -> bool:
        """Whether it says of the same value what the other does not: another range, flag or note, or what was found."""
        found = self.detected is not None and self.detected != other.detected
        return found or self.beside.over(other.beside) != other.beside

    def same_moment(self, other: "Known") -> bool:
        """Whether both may be one draw: the same minute, or a time is unknown. Two specimen numbers are two draws."""
        if self.specimen and other.specimen and self.specimen != other.specimen:
            timed = self.at is not None and other.at is not None
            return timed and self._minute() == other._minute() and self.says_the_same(other)
        return self.at is None or other.at is None or self._minute() == other._minute()


def _part(text: str) -> str:
    if not text:
        return ""
    plain = " ".join(text.casefold().split())
    return plain if len(plain) <= LONGEST_PART else hashlib.sha256(plain.encode()).hexdigest()[:32]


def known(
    patient: int,
    rule: Rule,
    reading: Reading,
    on: date,
    at: datetime | None,
    specimen: str = "",
    key: int | None = None,
    *,
    name: str = "",
    external_id: str = "",
    stage: Stage = Stage.FINAL,
    withdrawn: bool = False,
    laboratory: str = "",
    beside: Beside = NOTHING,
) -> Known:
    """Identity of a reading. `name` counts only for a test outside the catalogue (a rule without units)."""
    value, unit = reading.value, reading.unit
    if value is not None and unit and unit != rule.canonical_unit:
        value = canonical(rule, value, unit)
    return Known(
        patient,
        rule.code,
        on,
        at,
        reading.comparator,
        value,
        specimen,
        key,
        "" if rule.factors else name,
        reading.text,
        "" if unit else reading.unit_text,
        external_id,
        stage,
        withdrawn,
        reading.detected,
        laboratory,
        beside,
    )


Day = tuple[int, str, date]
Name = tuple[int, str]


@dataclass
class Shelf:
    """The results that are there, found by patient, test and day, or by what the sending system calls them."""

    days: dict[Day, list[Known]] = field(default_factory=lambda: defaultdict(list))
    named: dict[Name, list[Known]] = field(default_factory=lambda: defaultdict(list))
    values: dict[Name, list[tuple[date, Decimal]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, results: Iterable[Known]) -> "Shelf":
        """A shelf filled with results."""
        shelf = cls()
        for result in results:
            shelf.add(result)
        return shelf

    def add(self, result: Known) -> None:
        """Put one more there."""
        self.days[result.patient, result.test, result.on].append(result)
        if result.external_id:
            self.named[result.patient, result.external_id].append(result)
        if result.comparator == "=" and result.value is not None and not result.unit_text and not result.withdrawn:
            values = self.values[result.patient, result.analyte]
            if values and values[-1] > (result.on, result.value):
                insort(values, (result.on, result.value))
            else:
                values.append((result.on, result.value))

    def replace(self, old: Known, new: Known) -> None:
        """Put a newer version in the place of one that is there."""
        self._take(old)
        self.add(new)

    def _take(self, old: Known) -> None:
        self.days[old.patient, old.test, old.on].remove(old)
        if old.external_id:
            self.named[old.patient, old.external_id].remove(old)
        values = self.values.get((old.patient, old.analyte), [])
        if old.value is not None and (old.on, old.value) in values:
            values.remove((old.on, old.value))

    def value_before(self, result: Known) -> Decimal | None:
        """The last counted value of the same test before that day, in the test's own unit."""
        values = self.values.get((result.patient, result.analyte), [])
        index = bisect_left(values, (result.on, Decimal("-Infinity")))
        return values[index - 1][1] if index else None

    def has(self, patient: int, analyte: str, on: date) -> bool:
        """Whether a result of this test is there for the day."""
        return any(not other.withdrawn for other in self.days.get((patient, analyte, on), ()))

    def match(self, result: Known) -> tuple[Match, Known | None]:
        """How this result stands to those there, with the one it meets."""
        named = self.called(result)
        if named is not None:
            return _version(result, named)
        meeting = self.meeting(result)
        same = next((other for other in meeting if result.says_the_same(other)), None)
        if same is not None:
            return _version(result, same)
        standing = [other for other in meeting if not other.withdrawn and not _apart(result, other)]
        if not standing:
            return Match.NEW, None
        return _version(result, standing[0]) if len(standing) == 1 else (Match.CONFLICT, standing[0])

    def called(self, result: Known) -> Known | None:
        """The result that its sender calls the same; the standing one before one that was taken back."""
        if not result.external_id:
            return None
        named = self.named.get((result.patient, result.external_id), ())
        same = [other for other in named if other.test == result.test]
        return next((other for other in same if not other.withdrawn), None) or next(iter(same), None)

    def meeting(self, result: Known) -> list[Known]:
        """The results of the same test that may be of the same draw; those that were taken back last."""
        there = self.days.get((result.patient, result.test, result.on))
        if not there:
            return []
        if len(there) == 1:
            return list(there) if result.same_moment(there[0]) else []
        return sorted((other for other in there if result.same_moment(other)), key=lambda other: other.withdrawn)


def _apart(result: Known, other: Known) -> bool:
    """Whether the sender itself tells two rows of one file apart."""
    both = result.external_id and other.external_id and result.fingerprint != other.fingerprint
    return bool(both) and result.external_id != other.external_id and other.key is None


def _one_source(result: Known, other: Known) -> bool:
    """Whether both may come from one laboratory: nobody corrects what another one, or a person, has written."""
    specimen = bool(result.specimen) and result.specimen == other.specimen
    return specimen or result.laboratory.casefold() == other.laboratory.casefold()


def _version(result: Known, there: Known) -> tuple[Match, Known]:
    """Which of two versions of one result stands: a preliminary one never goes before a final one."""
    same = result.says_the_same(there) and result.same_moment(there) and result.on == there.on
    newer = UP_TO_DATE[result.stage] - UP_TO_DATE[there.stage]
    called_the_same = bool(result.external_id) and result.external_id == there.external_id
    if there.withdrawn:
        return (Match.OLDER if same or newer < 0 else Match.NEW), there
    first_final = there.stage is Stage.PRELIMINARY and newer > 0
    corrected = result.stage is Stage.CORRECTED and (called_the_same or _one_source(result, there))
    told_apart = bool(result.external_id and there.external_id) and not called_the_same
    if same:
        amends = corrected and not told_apart and result.says_more(there)
        return (Match.CORRECTS if first_final or amends else Match.THERE), there
    if newer < 0 and (called_the_same or result.stage is Stage.PRELIMINARY):
        return Match.OLDER, there
    by_laboratory = called_the_same or first_final or corrected
    return (Match.CORRECTS if by_laboratory and not told_apart else Match.CONFLICT), there
