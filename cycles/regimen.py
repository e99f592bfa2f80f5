"""The regimen document: what is injected on which day of a course, typed, checked and pure.

A document is plain JSON, copied into every plan, so that editing a protocol never rewrites history::

    {"unit": "MIU",
     "phases": [{"repeat": null, "cycle_days": 56,
                 "doses": [{"days": "1-5", "slots": ["am", "pm"], "amount": "7.5"}]}]}

``repeat``      how many courses the phase lasts; null = until somebody ends it, in the last phase only
``cycle_days``  whole days from the start of one course to the start of the next (P06, K03)
``days``        days of the course from 1: "3", "1-5", "1-26/3" (every third day), "1-5 8-12", or a list of numbers
``slots``       names from `SLOTS`; the plan says at which hour each of them is
``amount``      per injection, a decimal as text, greater than 0; null = a clinician enters it in the plan
``unit``        "MIU"; or "MIU/m2", "IU/kg", which nothing here ever converts (H28)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any

MIU = "MIU"
UNITS = (MIU, "MIU/m2", "IU/kg")
SLOTS = ("am", "noon", "pm", "bedtime")
LONGEST_CYCLE = 3660  # days; intervals of up to about 400 weeks are on record (domain.md 3.1)

_RUN = re.compile(r"(\d{1,4})(?:-(\d{1,4})(?:/(\d{1,4}))?)?", re.ASCII)
_AMOUNT = re.compile(r"\d{1,5}(?:\.\d{1,3})?", re.ASCII)


class RegimenError(ValueError):
    """A document that is not a regimen: `place` is the spot ("phases[0].cycle_days"), `reason` what is wrong."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


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
        used = {dose.slot for phase in self.phases for dose in phase.doses}
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

    def with_amounts(self, amounts: Mapping[tuple[int, int], Decimal]) -> Regimen:
        """The same days in MIU, with `amounts` per injection for all `blanks`. Raises RegimenError for one left out."""
        blanks = set(self.blanks)
        for blank in blanks:
            _require(amounts.get(blank, Decimal(0)) > 0, "amounts", "phase {} week {} has no amount".format(*blank))
        filled = (
            replace(
                phase,
                doses=tuple(
                    replace(dose, amount=amounts[number, dose.week]) if (number, dose.week) in blanks else dose
                    for dose in phase.doses
                ),
            )
            for number, phase in enumerate(self.phases, 1)
        )
        return Regimen(MIU, tuple(filled))

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
        """The shortest document that `parse` reads back as this regimen."""
        return {"unit": self.unit, "phases": [_phase_document(phase) for phase in self.phases]}


def parse(document: Any) -> Regimen:
    """Read a document (see the module's text). Raises RegimenError with the place and the reason."""
    fields = _fields(document, "document", {"unit", "phases"})
    _require(fields["unit"] in UNITS, "unit", f"must be one of {', '.join(UNITS)}")
    items = _filled_list(fields["phases"], "phases")
    phases = tuple(_parse_phase(item, f"phases[{index}]") for index, item in enumerate(items))
    for index, phase in enumerate(phases[:-1]):
        _require(phase.repeat is not None, f"phases[{index}].repeat", "only the last phase may be without an end")
    return Regimen(fields["unit"], phases)


def parse_days(text: str) -> tuple[int, ...]:
    """The day numbers in "1-5", "1-26/3" or "1-5 8-12", in order. Raises RegimenError."""
    return tuple(sorted(_days(text, "days")))


def _parse_phase(item: Any, place: str) -> Phase:
    fields = _fields(item, place, {"repeat", "cycle_days", "doses"})
    repeat, cycle_days = fields["repeat"], fields["cycle_days"]
    _require(repeat is None or _is_whole(repeat, 1), f"{place}.repeat", "must be null or a whole number from 1")
    _require(_is_whole(cycle_days, 1, LONGEST_CYCLE), f"{place}.cycle_days", f"must be 1 to {LONGEST_CYCLE}")
    doses: dict[tuple[int, str], Dose] = {}
    for index, line in enumerate(_filled_list(fields["doses"], f"{place}.doses")):
        for dose in _parse_line(line, cycle_days, f"{place}.doses[{index}]"):
            key = dose.offset, dose.slot
            twice = f"day {dose.offset + 1} {dose.slot} stands twice"
            _require(key not in doses, f"{place}.doses[{index}]", twice)
            doses[key] = dose
    return Phase(repeat, cycle_days, tuple(sorted(doses.values(), key=_order)))


def _parse_line(line: Any, cycle_days: int, place: str) -> list[Dose]:
    fields = _fields(line, place, {"days", "slots", "amount"})
    days = _days(fields["days"], f"{place}.days")
    _require(max(days) <= cycle_days, f"{place}.days", f"day {max(days)} is outside a cycle of {cycle_days} days")
    slots = _filled_list(fields["slots"], f"{place}.slots")
    _require(all(slot in SLOTS for slot in slots), f"{place}.slots", f"must be among {', '.join(SLOTS)}")
    amount = _parse_amount(fields["amount"], f"{place}.amount")
    return [Dose(day - 1, slot, amount) for day in days for slot in slots]


def _days(value: Any, place: str) -> list[int]:
    if isinstance(value, str):
        days = [day for run in value.split() for day in _run(run, place)]
    else:
        days = _filled_list(value, place)
    _require(bool(days) and all(_is_whole(day, 1) for day in days), place, "must name days from 1 on")
    return days


def _run(text: str, place: str) -> range:
    match = _RUN.fullmatch(text)
    if match is None:
        raise RegimenError(place, f"cannot read {text!r}")
    first, last, step = (int(group) if group else None for group in match.groups())
    _require(step != 0 and (last is None or last >= (first or 0)), place, f"{text!r} runs backwards or stands still")
    return range(first or 0, (last or first or 0) + 1, step or 1)


def _parse_amount(value: Any, place: str) -> Decimal | None:
    if value is None:
        return None
    readable = isinstance(value, str) and _AMOUNT.fullmatch(value) is not None
    _require(readable, place, 'must be null or a decimal as text, such as "7.5"')
    _require(Decimal(value) > 0, place, "must be greater than 0")
    return Decimal(value)


def _phase_document(phase: Phase) -> dict[str, Any]:
    days_of = defaultdict(list)
    for dose in phase.doses:
        days_of[dose.slot, dose.amount].append(dose.offset + 1)
    slots_of = defaultdict(list)
    for (slot, amount), days in days_of.items():
        slots_of[_days_text(days), amount].append(slot)
    lines = [
        {"days": days, "slots": slots, "amount": None if amount is None else plain(amount)}
        for (days, amount), slots in slots_of.items()
    ]
    return {"repeat": phase.repeat, "cycle_days": phase.cycle_days, "doses": lines}


def _days_text(days: list[int]) -> str:
    """[1, 2, 3, 8] → "1-3 8". Days that follow each other share the same distance to their place in the list."""
    runs = defaultdict(list)
    for place, day in zip(count(), days, strict=False):
        runs[day - place].append(day)
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs.values())


def plain(amount: Decimal) -> str:
    """An amount without exponent or trailing zeros: "7.5", "18", "0.33" (H04)."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _total(doses: Any) -> Decimal:
    return sum((dose.amount for dose in doses), Decimal(0))


def _order(dose: Dose) -> tuple[int, int]:
    return dose.offset, SLOTS.index(dose.slot)


def _is_whole(value: Any, least: int, most: float = float("inf")) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _fields(value: Any, place: str, names: set[str]) -> dict[str, Any]:
    _require(isinstance(value, dict), place, "must be an object")
    wrong = sorted(map(str, names ^ set(value)))
    _require(not wrong, place, f"must have exactly {', '.join(sorted(names))}; check {', '.join(wrong)}")
    return dict(value)


def _filled_list(value: Any, place: str) -> list[Any]:
    _require(isinstance(value, list) and bool(value), place, "must be a list with at least one entry")
    return list(value)


def _require(holds: bool, place: str, reason: str) -> None:
    if not holds:
        raise RegimenError(place, reason)
