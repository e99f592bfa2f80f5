"""The regimen document, read and checked, pure.

A document is plain JSON, copied into every plan, so that editing a protocol never rewrites history::

    {"unit": "MIU",
     "phases": [{"repeat": null, "cycle_days": 56,
                 "doses": [{"days": "1-5", "slots": ["am", "pm"], "amount": "7.5"}]}]}

``repeat``      how many courses the phase lasts; null = until somebody ends it, in the last phase only
``cycle_days``  whole days from the start of one course to the start of the next (P06, K03)
``days``        days of the course from 1, as in day_runs.py: "1-5", "1-26/3", "1-5 8-12", or a list of numbers
``slots``       names from `SLOTS`; the plan says at which hour each of them is
``amount``      per injection, a decimal as text, greater than 0; null = a clinician enters it in the plan
``unit``        "MIU"; or "MIU/m2", "IU/kg", which nothing here ever converts (H28)
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from cycles.day_runs import LONGEST_CYCLE, read_days, require
from cycles.regimen import BY_WEIGHT, SLOTS, UNITS, Dose, Phase, Regimen

# App's own: more than any schedule on record asks for, and less than would drown a database.
MOST_PHASES, MOST_COURSES, MOST_DOSES = 50, 1000, 1000

OPEN_CYCLE = 28  # A14, app's own: a regimen without pauses still comes in courses, of four weeks

_AMOUNT = re.compile(r"\d{1,7}(?:\.\d{1,3})?", re.ASCII)
_LIMITS = {BY_WEIGHT: Decimal(10_000_000)}  # 600,000 IU/kg is on record
_LIMIT = Decimal(100_000)


def parse(document: Any) -> Regimen:
    """Read a document (see the module's text). Raises RegimenError with the place and the reason."""
    fields = _fields(document, "document", {"unit", "phases"})
    unit = fields["unit"]
    require(unit in UNITS, "unit", f"must be one of {', '.join(UNITS)}")
    items = _filled_list(fields["phases"], "phases", MOST_PHASES)
    phases = tuple(_parse_phase(item, unit, f"phases[{index}]") for index, item in enumerate(items))
    for index, phase in enumerate(phases[:-1]):
        require(phase.repeat is not None, f"phases[{index}].repeat", "only the last phase may be without an end")
    return Regimen(unit, phases)


def open_cycle(step: int) -> int:
    """Days of a course that goes on without a pause, a dose every `step` days: 28, or 27 for every third (A14).

    The last course's rhythm goes on in the next one, so its length is a multiple of the step.
    """
    return max(step, OPEN_CYCLE // step * step)


def _parse_phase(item: Any, unit: str, place: str) -> Phase:
    fields = _fields(item, place, {"repeat", "cycle_days", "doses"})
    repeat, cycle_days = fields["repeat"], fields["cycle_days"]
    whole = repeat is None or _is_whole(repeat, 1, MOST_COURSES)
    require(whole, f"{place}.repeat", f"must be null or a whole number from 1 to {MOST_COURSES}")
    require(_is_whole(cycle_days, 1, LONGEST_CYCLE), f"{place}.cycle_days", f"must be 1 to {LONGEST_CYCLE}")
    doses: dict[tuple[int, int], Dose] = {}
    for index, line in enumerate(_filled_list(fields["doses"], f"{place}.doses", MOST_DOSES)):
        for dose in _parse_line(line, unit, cycle_days, f"{place}.doses[{index}]"):
            key = dose.offset, SLOTS.index(dose.slot)
            require(key not in doses, f"{place}.doses[{index}]", f"day {dose.offset + 1} {dose.slot} stands twice")
            doses[key] = dose
        require(len(doses) <= MOST_DOSES, f"{place}.doses", f"a course has at most {MOST_DOSES} injections")
    return Phase(repeat, cycle_days, tuple(doses[key] for key in sorted(doses)))


def _parse_line(line: Any, unit: str, cycle_days: int, place: str) -> list[Dose]:
    fields = _fields(line, place, {"days", "slots", "amount"})
    days = _parse_days(fields["days"], f"{place}.days")
    require(max(days) <= cycle_days, f"{place}.days", f"day {max(days)} is outside a cycle of {cycle_days} days")
    slots = _filled_list(fields["slots"], f"{place}.slots", len(SLOTS))
    require(all(slot in SLOTS for slot in slots), f"{place}.slots", f"must be among {', '.join(SLOTS)}")
    amount = _parse_amount(fields["amount"], unit, f"{place}.amount")
    return [Dose(day - 1, slot, amount) for day in days for slot in slots]


def _parse_days(value: Any, place: str) -> list[int]:
    if isinstance(value, str):
        return read_days(value, place)
    days = _filled_list(value, place, LONGEST_CYCLE)
    whole = all(_is_whole(day, 1, LONGEST_CYCLE) for day in days)
    require(whole, place, f"must name days from 1 on, up to {LONGEST_CYCLE}")
    return sorted(days)


def _parse_amount(value: Any, unit: str, place: str) -> Decimal | None:
    if value is None:
        return None
    readable = isinstance(value, str) and _AMOUNT.fullmatch(value) is not None
    require(readable, place, 'must be null or a decimal as text, such as "7.5"')
    amount, limit = Decimal(value), _LIMITS.get(unit, _LIMIT)
    require(amount > 0, place, "must be greater than 0")
    require(amount < limit, place, f"must be less than {limit} {unit}")
    return amount


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _fields(value: Any, place: str, names: set[str]) -> dict[str, Any]:
    require(isinstance(value, dict), place, "must be an object")
    wrong = sorted(str(name)[:20] for name in names ^ set(value))[:5]
    require(not wrong, place, f"must have exactly {', '.join(sorted(names))}; check {', '.join(wrong)}")
    return dict(value)


def _filled_list(value: Any, place: str, most: int) -> list[Any]:
    require(isinstance(value, list) and bool(value), place, "must be a list with at least one entry")
    require(len(value) <= most, place, f"has more than {most} entries")
    return list(value)
