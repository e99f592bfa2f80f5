"""After a course: live vaccines (2.13, D20) and what may still be there (P41)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from cycles import schedule
from cycles.models import PlannedDose
from cycles.protocols import Indication
from il2tracker.today.board import Board
from sideeffects import asking

STILL_ASKED = timedelta(days=7)  # app's own: so long after the last day of a course Today asks what is still there


@dataclass(frozen=True)
class Vaccines:
    """What is said about live vaccines. `not_before` None: not during treatment.

    `is_borrowed`: the rule comes from the kidney leaflet, and the plan is for something else.
    """

    not_before: date | None
    is_borrowed: bool


def vaccines(board: Board) -> Vaccines | None:
    """During a plan and, until the day has come, after it; None where nothing is to be said (K22, R24)."""
    plan, version = board.courses.plan, board.courses.version
    if plan is None or version is None:
        return None
    is_borrowed = version.indication != Indication.KIDNEY
    if plan.ended_on is None:
        return Vaccines(None, is_borrowed)
    last = last_injection_on(board)
    not_before = schedule.live_vaccine_from(last) if last else None
    return Vaccines(not_before, is_borrowed) if not_before and not_before > board.today else None


def last_injection_on(board: Board) -> date | None:
    """The civil day of the last injection of any plan: given, or planned without a record (D1), or before the diary."""
    given = [at.date() for at in (injection.local_given_at for injection in board.given) if at]
    unlogged = PlannedDose.objects.counting().unlogged().of(board.patient).filter(due_at__lte=board.now)
    planned = unlogged.order_by("-due_on").values_list("due_on", flat=True).first()
    return max((day for day in (*given, planned, board.patient.earlier_il2_on) if day), default=None)


def asks_what_stays(board: Board) -> bool:
    """Whether effects may linger from a course that ended in the last days; never beside an open report (R22)."""
    current = board.courses.current
    if current is None or board.alert is not None or not current.goes_ahead:
        return False
    last = asking.ended_on(current)
    return last < board.today <= last + STILL_ASKED
