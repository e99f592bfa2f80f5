"""A schedule as the boxes of a form: phases with lines, as typed. From and to the names under which they are sent.

Phase 1, line 2: `p1_repeat`, `p1_days`, `p1l2_days`, `p1l2_slots`, `p1l2_amount`, and `p1l2_per`, the amount by body
size that the template names (H28).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cycles.day_runs import parse_days, write_days
from cycles.regimen import MIU, Phase, Regimen

_LINE = re.compile(r"p(\d{1,2})l(\d{1,3})_days")
_STEP = re.compile(r"(line|drop)-(\d{1,2})(?:-(\d{1,3}))?")
MOST_PHASES, MOST_LINES = 12, 40  # app's own: more boxes than any schedule on record fills


@dataclass(frozen=True)
class LineRow:
    """One line as typed: which days, at which times of the day, how much."""

    days: str = ""
    slots: tuple[str, ...] = ()
    amount: str = ""
    per: str = ""


@dataclass(frozen=True)
class PhaseRow:
    """Courses that are alike, as typed: how many, days from start to start, lines."""

    repeat: str = ""
    cycle_days: str = ""
    lines: tuple[LineRow, ...] = (LineRow(),)


Rows = tuple[PhaseRow, ...]
BLANK: Rows = (PhaseRow(),)


def of_regimen(regimen: Regimen) -> Rows:
    """The boxes of a regimen. Where an amount is to be entered, each week of the course has a line of its own."""
    return tuple(_phase(phase, regimen.unit) for phase in regimen.phases)


def _phase(phase: Phase, unit: str) -> PhaseRow:
    document = phase.document()
    lines = [line for entry in document["doses"] for line in _lines(entry, unit)]
    return PhaseRow(str(document["repeat"] or ""), str(document["cycle_days"]), tuple(lines))


def _lines(entry: Mapping[str, Any], unit: str) -> list[LineRow]:
    slots, amount = tuple(entry["slots"]), entry["amount"]
    if amount is not None:
        return [LineRow(entry["days"], slots, *((amount, "") if unit == MIU else ("", amount)))]
    weeks: dict[int, list[int]] = {}
    for day in parse_days(entry["days"]):
        weeks.setdefault((day - 1) // 7, []).append(day)
    return [LineRow(write_days(days), slots) for days in weeks.values()]


def with_per(rows: Rows, template: Rows) -> Rows:
    """The same lines with the amounts by body size of a template's lines that have the same days and times."""
    known = {(line.days, line.slots): line.per for phase in template for line in phase.lines}
    return tuple(
        replace(phase, lines=tuple(replace(line, per=known.get((line.days, line.slots), "")) for line in phase.lines))
        for phase in rows
    )


def sent(values: Any) -> Rows | None:
    """What was sent (a QueryDict); None when the schedule was not part of it."""
    places = sorted({(int(phase), int(line)) for phase, line in _LINE.findall(" ".join(values))})
    phases: dict[int, list[LineRow]] = {}
    for phase, line in places[: MOST_PHASES * MOST_LINES]:
        phases.setdefault(phase, []).append(_sent_line(values, f"p{phase}l{line}"))
    return (
        tuple(
            PhaseRow(values.get(f"p{phase}_repeat", ""), values.get(f"p{phase}_days", ""), tuple(lines))
            for phase, lines in phases.items()
        )
        or None
    )


def _sent_line(values: Any, name: str) -> LineRow:
    texts = (values.get(f"{name}_{part}", "") for part in ("days", "amount", "per"))
    days, amount, per = texts
    return LineRow(days, tuple(values.getlist(f"{name}_slots")), amount, per)


def boxes(rows: Rows) -> dict[str, Any]:
    """The value of every box by its name."""
    found: dict[str, Any] = {}
    for number, phase in enumerate(rows, 1):
        found |= {f"p{number}_repeat": phase.repeat, f"p{number}_days": phase.cycle_days}
        for index, line in enumerate(phase.lines, 1):
            name = f"p{number}l{index}"
            found |= {f"{name}_days": line.days, f"{name}_slots": list(line.slots)}
            found |= {f"{name}_amount": line.amount, f"{name}_per": line.per}
    return found


def changed(rows: Rows, step: str) -> Rows:
    """After one of the buttons: "phase", "line-1", "drop-1-2", "drop-2". One line of one phase always stays."""
    if step == "phase":
        return (*rows, PhaseRow())[:MOST_PHASES]
    match = _STEP.fullmatch(step)
    if match is None:
        return rows
    what, phase, line = match[1], int(match[2]) - 1, int(match[3] or 0) - 1
    if not 0 <= phase < len(rows):
        return rows
    if what == "line":
        return _put(rows, phase, (*rows[phase].lines, LineRow())[:MOST_LINES])
    if match[3] is None:
        return rows[:phase] + rows[phase + 1 :] or rows
    return _put(rows, phase, _without(rows[phase].lines, line))


def _put(rows: Rows, phase: int, lines: Sequence[LineRow]) -> Rows:
    return (*rows[:phase], replace(rows[phase], lines=tuple(lines)), *rows[phase + 1 :])


def _without(lines: tuple[LineRow, ...], line: int) -> tuple[LineRow, ...]:
    return lines[:line] + lines[line + 1 :] or lines


def slots(rows: Rows) -> set[str]:
    """The times of the day in use."""
    return {slot for phase in rows for line in phase.lines for slot in line.slots}
