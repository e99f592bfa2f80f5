"""The editor of a plan as it is sent: with a button that only redraws it, or to be checked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from django.http import QueryDict

from cycles import schedule, schedule_rows
from cycles.plan_forms import PlanForm
from cycles.protocols import Protocol, Standing
from cycles.schedule_rows import PhaseRow, Rows

_DAILY = re.compile(r"daily-(\d{1,3}(?:\.\d{1,3})?)")
Form = TypeVar("Form", bound=PlanForm)
REDRAWS = ("line-", "drop-", "phase", "daily-", "look")


def template_rows(protocol: Protocol) -> Rows:
    """The boxes that a chosen template fills; a blank one fills none."""
    return schedule_rows.BLANK if protocol.standing == Standing.BLANK else schedule_rows.of_regimen(protocol.regimen)


def open_form(form: type[Form], data: QueryDict | None, *, rows: Rows, **known: Any) -> Form:
    """The form as looked at, as changed by one of its buttons, or as sent. A schedule that was not sent stays."""
    if data is None:
        return form(rows=rows, **known)
    rows, step = schedule_rows.sent(data) or rows, data.get("step", "")
    if not step.startswith(REDRAWS):
        return form(_with_schedule(data, rows), rows=rows, **known)
    known["initial"] = {**known.get("initial", {}), **_as_typed(data)}
    return form(rows=_redrawn(rows, step, known["protocol"]), **known)


def _with_schedule(data: QueryDict, rows: Rows) -> QueryDict:
    """What was sent, with the boxes of the schedule where they were left out."""
    data = data.copy()
    for name, value in schedule_rows.boxes(rows).items():
        data.setlist(name, value if isinstance(value, list) else [data.get(name, value)])
    return data


def _as_typed(data: QueryDict) -> dict[str, Any]:
    """Every box besides the schedule as it was typed, for a page that is drawn anew and not yet judged."""
    typed = {name: data.get(name) for name in data if not re.match(r"p\d", name)}
    ticks = ("past", "fever_only_if_not_relieved")
    return {**typed, **{name: name in data for name in ticks}, "days_at_work": data.getlist("days_at_work")}


def _redrawn(rows: Rows, step: str, protocol: Protocol) -> Rows:
    daily = _DAILY.fullmatch(step)
    return with_daily(rows, Decimal(daily[1])) if daily else schedule_rows.changed(rows, step)


def with_daily(rows: Rows, daily: Decimal) -> Rows:
    """The same days with this amount a day, shared alike by the injections of the day (P48: 12 → 2 × 6)."""
    return tuple(_shared(phase, daily) for phase in rows)


def _shared(phase: PhaseRow, daily: Decimal) -> PhaseRow:
    """Where the days differ in their number of injections, or cannot be read, the boxes stay as they are."""
    counts: Counter[int] = Counter()
    try:
        for line in phase.lines:
            counts.update(dict.fromkeys(schedule.parse_days(line.days), len(line.slots)))
    except schedule.RegimenError:
        return phase
    if len(set(counts.values())) != 1 or not all(line.slots for line in phase.lines):
        return phase
    amount = schedule.plain(round(daily / next(iter(counts.values())), 3))
    return replace(phase, lines=tuple(replace(line, amount=amount) for line in phase.lines))


def with_interval(rows: Rows, days: int) -> Rows:
    """The same courses, this many days from start to start (2.6)."""
    return tuple(replace(phase, cycle_days=str(days)) for phase in rows)
