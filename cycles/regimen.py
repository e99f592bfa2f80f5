"""A regimen: what is injected on which day of a course, typed and pure. documents.py reads it from its document.

Amounts are what the unit says: million units (MIU), or a measure by body size that a person turns into MIU (H28).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from cycles.day_runs import write_days

MIU = "MIU"
BY_SURFACE, BY_WEIGHT = "MIU/m2", "IU/kg"
UNITS = (MIU, BY_SURFACE, BY_WEIGHT)
SLOTS = ("night", "am", "noon", "afternoon", "pm", "bedtime")  # "night" is the small hours, before the morning


@dataclass(frozen=True)
class Dose:
    """One injection of a course: `offset` days after its start (day 1 = offset 0). No amount = not entered yet."""

    offset: int
    slot: str
    amount: Decimal | None

    @property
    def week(self) -> int:
        """Week of the course, from 1."""
        return self.offset // 7 + 1


@dataclass(frozen=True)
class Phase:
    """Courses that are alike. `repeat` None = open end; `doses` are ordered by day, then slot."""

    repeat: int | None
    cycle_days: int
    doses: tuple[Dose, ...]

    @property
    def last_offset(self) -> int:
        """Offset of the last day with a dose."""
        return self.doses[-1].offset

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """The slots in use, in the order of the day."""
        used = {dose.slot for dose in self.doses}
        return tuple(slot for slot in SLOTS if slot in used)

    @cached_property
    def steps(self) -> tuple[tuple[int, timedelta, str, Decimal | None], ...]:
        """Each dose as its day from 1, its time after the start, its slot and its amount: made once, unrolled often."""
        return tuple((dose.offset + 1, timedelta(days=dose.offset), dose.slot, dose.amount) for dose in self.doses)

    @property
    def doses_a_day(self) -> int:
        """The most injections on any one day."""
        return max(len(doses) for doses in self._by_day().values())

    def daily_total(self) -> Decimal | None:
        """The largest amount of any one day; None while an amount is missing."""
        if any(dose.amount is None for dose in self.doses):
            return None
        return max(_total(doses) for doses in self._by_day().values())

    def course_total(self) -> Decimal | None:
        """The amount of one whole course; None while an amount is missing."""
        if any(dose.amount is None for dose in self.doses):
            return None
        return _total(self.doses)

    def document(self) -> dict[str, Any]:
        """The phase as it stands in a document: lines of days, slots and amount."""
        days_of = defaultdict(list)
        for dose in self.doses:
            days_of[dose.slot, dose.amount].append(dose.offset + 1)
        slots_of = defaultdict(list)
        for (slot, amount), days in days_of.items():
            slots_of[write_days(days), amount].append(slot)
        lines = [
            {"days": days, "slots": slots, "amount": None if amount is None else plain(amount)}
            for (days, amount), slots in slots_of.items()
        ]
        return {"repeat": self.repeat, "cycle_days": self.cycle_days, "doses": lines}

    def _by_day(self) -> dict[int, list[Dose]]:
        days = defaultdict(list)
        for dose in self.doses:
            days[dose.offset].append(dose)
        return days


@dataclass(frozen=True)
class Regimen:
    """A whole prescription: phases one after the other, the last of them perhaps without an end."""

    unit: str
    phases: tuple[Phase, ...]

    @property
    def courses(self) -> int | None:
        """How many courses there are; None = until somebody ends it (K04)."""
        repeats = [phase.repeat for phase in self.phases]
        return None if None in repeats else sum(repeat or 0 for repeat in repeats)

    def phase(self, number: int) -> Phase:
        """The phase that course `number` (from 1) belongs to. Raises LookupError beyond the last course."""
        first = 1
        for phase in self.phases:
            if number >= first and (phase.repeat is None or number < first + phase.repeat):
                return phase
            first += phase.repeat or 0
        raise LookupError(f"This regimen has no course {number}.")

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots in use, in the order of the day."""
        used = {slot for phase in self.phases for slot in phase.slots}
        return tuple(slot for slot in SLOTS if slot in used)

    @property
    def doses_a_day(self) -> int:
        """The most injections on any one day of any phase."""
        return max(phase.doses_a_day for phase in self.phases)

    @property
    def needs_amounts(self) -> bool:
        """Whether a clinician has to enter amounts in MIU before anybody can inject by this (2.2, H28)."""
        return bool(self.blanks)

    @property
    def blanks(self) -> tuple[tuple[int, int], ...]:
        """The (phase, week of the course), both from 1, whose injections have no amount in MIU."""
        return tuple(
            dict.fromkeys(
                (number, dose.week)
                for number, phase in enumerate(self.phases, 1)
                for dose in phase.doses
                if dose.amount is None or self.unit != MIU
            )
        )

    def daily_total(self, number: int = 1) -> Decimal | None:
        """The largest amount of any one day of course `number`, in `unit`; None while an amount is missing."""
        return self.phase(number).daily_total()

    def course_total(self, number: int = 1) -> Decimal | None:
        """The amount of the whole of course `number`, in `unit`; None while an amount is missing."""
        return self.phase(number).course_total()

    def largest_amount(self) -> Decimal | None:
        """The largest single injection; None while every amount is missing."""
        amounts = [dose.amount for phase in self.phases for dose in phase.doses if dose.amount is not None]
        return max(amounts, default=None)

    def document(self) -> dict[str, Any]:
        """The document that reads back as this regimen, with its days as short as they can be said in order."""
        return {"unit": self.unit, "phases": [phase.document() for phase in self.phases]}


def plain(amount: Decimal) -> str:
    """An amount without exponent or trailing zeros: "7.5", "18", "0.33" (H04)."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _total(doses: Iterable[Dose]) -> Decimal:
    return sum((dose.amount for dose in doses if dose.amount is not None), Decimal(0))
