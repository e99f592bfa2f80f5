"""Days of a course that may be the hardest: a person's own after two courses, before that those of the source (P34).

None beside an urgent report that is not closed (R22): then nothing on the page may read like a forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from cycles import schedule
from cycles.models import Cycle
from il2tracker.today.board import Board
from sideeffects import own_days
from sideeffects.models import DayOfReports


@dataclass(frozen=True)
class Hardest:
    """Their dates, a sentence that says who says so, and whether they are the patient's own."""

    dates: frozenset[date]
    words: str
    is_own: bool


def _is_barred(board: Board) -> bool:
    return board.alert is not None or board.is_urgent


def measures(board: Board) -> list[Cycle]:
    """The courses whose days tell of the one that runs today; none where Today shows no days of a course."""
    if board.course is None or not board.strip or _is_barred(board):
        return []
    cycle = board.course.cycle
    return own_days.measures(cycle, board.courses.earlier, cycle.starts_on)


def of_today(board: Board, told: Mapping[date, DayOfReports]) -> Hardest | None:
    """Of the course that runs today, from what was said in those courses: no statement."""
    if board.course is None or not board.strip:
        return None
    cycle = board.course.cycle
    days = own_days.hardest(cycle, measures(board), told)
    return _own(cycle, days) if days else of_source(board, cycle)


def of_course(board: Board, cycle: Cycle) -> Hardest | None:
    """Of a course that runs or comes; None when nobody knows, and beside an open report. One statement."""
    days = own_days.read(cycle, board.courses.earlier, min(cycle.starts_on, board.today))
    if _is_barred(board):
        return None
    return _own(cycle, days) if days else of_source(board, cycle)


def _own(cycle: Cycle, days: tuple[int, ...]) -> Hardest:
    facts = {"days": own_days.in_words(days, cycle.length)}
    words = _("In your last two courses %(days)s felt the hardest, but serious effects can start on any day.") % facts
    return Hardest(frozenset(cycle.starts_on + timedelta(days=day - 1) for day in days), words, is_own=True)


def of_source(board: Board, cycle: Cycle) -> Hardest | None:
    """M2: a protocol whose source names no days has none."""
    named = cycle.plan.protocol.hardest_days
    if not named or _is_barred(board):
        return None
    facts = {"days": _(" to ").join(named.split("-"))}
    words = _("Many people feel worst on days %(days)s, but serious effects can start on any day.") % facts
    # P34 stands in this source alone, whatever plan quotes it.
    words += " " + _(
        "Source: Project Inform, about February 2007. After two courses with check-ins your own days stand here."
    )
    return Hardest(frozenset(schedule.hardest_days(cycle.starts_on, named)), words, is_own=False)
