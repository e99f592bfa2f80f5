"""Today, put together from the logs: the plan and injections, how the patient feels, blood tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cycles.days import Slot
from cycles.models import PlanVersion
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient
from il2tracker.today import dates, gap, words
from il2tracker.today.board import Board, Mode, gap_dates, read

SHOWN_TO_CATCH_UP = 6
NARROW, WIDE = 358, 590


@dataclass(frozen=True)
class Page:
    """What the template of Today reads."""

    board: Board
    heading: str
    where: str
    next_dates: list[dates.NextDate]
    picture: gap.Dates | None
    drawings: tuple[gap.Gap, ...]

    @property
    def version(self) -> PlanVersion | None:
        """The plan version whose fever limit the care card names."""
        return self.board.courses.version

    @property
    def has_clinic(self) -> bool:
        """Whether a clinic is there to add the plan."""
        return access.open_clinic(self.board.patient) is not None

    @property
    def catch_up(self) -> list[Slot]:
        """The latest injections without a record; the course page lists them all."""
        return self.board.missing[-SHOWN_TO_CATCH_UP:]


def compose(patient: Patient, now: datetime, clock: str) -> Page:
    """Everything on Today, in a fixed number of statements."""
    board = read(patient, now)
    test_on = dates.blood_test_day(board, None)
    picture = gap_dates(board, test_on) if board.mode is Mode.CALM else None
    return Page(
        board=board,
        heading=heading(board, clock),
        where=where(board),
        next_dates=dates.next_dates(board, clock),
        picture=picture,
        drawings=_draw(picture),
    )


def heading(board: Board, clock: str) -> str:
    """The one thing that matters now, in words."""
    if board.alert:
        paused = board.due or board.later or board.courses.coming
        return _("Call the clinic before your next injection") if paused else _("Call the clinic")
    if board.mode is Mode.DOSE and board.due:
        return words.when(board.due.dose, board.today, clock)
    return {
        Mode.NO_PLAN: _("No plan yet"),
        Mode.ENDED: _("Your plan has ended"),
        Mode.HELD: _("Your course is on hold"),
    }.get(board.mode, nothing_due(board))


def nothing_due(board: Board) -> str:
    """Whether the day had injections that are all recorded, or none at all."""
    today = next((day for day in board.strip if day.on == board.today), None)
    return _("Nothing more today") if today and today.slots else _("Nothing due today")


def where(board: Board) -> str:
    """Course and day for the line above the heading; empty without a plan."""
    cycle = board.courses.current
    if board.mode in {Mode.NO_PLAN, Mode.ENDED} or cycle is None:
        return ""
    return words.where_in_course(cycle, board.today)


def _draw(picture: gap.Dates | None) -> tuple[gap.Gap, ...]:
    if picture is None:
        return ()
    return gap.draw(picture, "narrow", NARROW), gap.draw(picture, "wide", WIDE)
