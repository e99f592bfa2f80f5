"""The hours in which flu-like signs are often seen after an injection (2.9, D11), from the injections really given.

Never beside an open report that asks for a call (R22), and never a word of harmless (R26): a sign in these hours can
be an infection as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from cycles.expected_hours import Window, windows
from cycles.protocols import Indication
from il2tracker import ui
from il2tracker.today.board import Board

HOUR = timedelta(hours=1)
BEFORE, SHOWN, A_MARK = 6, 24, 6  # hours drawn before now, in all, and between two times of day


@dataclass(frozen=True)
class Cell:
    """One hour of the strip."""

    is_in: bool
    is_now: bool
    has_injection: bool


@dataclass(frozen=True)
class Strip:
    """The hours around now. `marks`: the time of day of every sixth; the second one is the hour of now.

    `is_borrowed`: the hours come from the kidney leaflet, and the plan is for something else (D11).
    """

    window: Window
    until: str
    cells: list[Cell]
    marks: list[str]
    is_borrowed: bool


def strip(board: Board, clock: str) -> Strip | None:
    """The strip while now lies in such hours; None otherwise and beside an open report."""
    window = now_open(board)
    version = board.courses.version
    if window is None or version is None:
        return None
    hour = board.now.astimezone(board.patient.zone).replace(minute=0, second=0, microsecond=0)
    first = board.now - (board.now.astimezone(board.patient.zone) - hour) - BEFORE * HOUR
    starts = [first + hours * HOUR for hours in range(SHOWN)]
    return Strip(
        window=window,
        until=_until(board, window.closes, clock),
        cells=[_cell(board, window, start) for start in starts],
        marks=[ui.clock(start.astimezone(board.patient.zone), clock) for start in starts[::A_MARK]],
        is_borrowed=version.indication != Indication.KIDNEY,
    )


def now_open(board: Board) -> Window | None:
    """The hours that now lies in."""
    if board.alert is not None:
        return None
    found = windows(_given(board))
    return next((window for window in found if window.opens <= board.now <= window.closes), None)


def _given(board: Board) -> list[datetime]:
    moments = (injection.given_at for injection in board.given)
    return [at for at in moments if at is not None and at <= board.now]


def _cell(board: Board, window: Window, start: datetime) -> Cell:
    end = start + HOUR
    return Cell(
        is_in=window.opens < end and start < window.closes,
        is_now=start <= board.now < end,
        has_injection=any(start <= at < end for at in _given(board)),
    )


def _until(board: Board, closes: datetime, clock: str) -> str:
    """ "2pm", "2pm tomorrow": to the hour, "about" stands before it."""
    local = (closes + HOUR / 2).astimezone(board.patient.zone).replace(minute=0)
    words = ui.clock(local, clock)
    if local.date() == board.today:
        return words
    if local.date() == board.today + timedelta(days=1):
        return _("%(time)s tomorrow") % {"time": words}
    return _("%(time)s on %(day)s") % {"time": words, "day": ui.long_day(local)}
