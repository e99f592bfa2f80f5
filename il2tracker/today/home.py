"""Today, put together from the logs: the plan and injections, how the patient feels, blood tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from cycles.days import Slot
from cycles.models import PlanVersion
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient
from il2tracker.alerts import told
from il2tracker.alerts.models import Alert
from il2tracker.today import after, blood, dates, feel, gap, hardest, hours, words
from il2tracker.today.board import Board, Mode, gap_dates, read
from labs.glances import Glance

SHOWN_TO_CATCH_UP = 6
NARROW, WIDE = 358, 590
STILL_NEAR = timedelta(days=7)  # app's own: so long after a course the signs to call for stay on the page
WITH_RESULTS = {Mode.CALM, Mode.ENDED, Mode.NO_PLAN}


@dataclass(frozen=True)
class Page:
    """What the template of Today reads. `has_clinic` is looked up only where a sentence depends on it.

    `told`: whether the clinic has been told of the open report, or has called about one that it has seen, in words.
    """

    board: Board
    has_clinic: bool
    told: str
    heading: str
    where: str
    felt: feel.Felt
    blood: blood.BloodTest
    results: Glance | None
    next_dates: list[dates.NextDate]
    hours: hours.Strip | None
    hardest: hardest.Hardest | None
    vaccines: after.Vaccines | None
    picture: gap.Dates | None
    drawings: tuple[gap.Gap, ...]

    @property
    def version(self) -> PlanVersion | None:
        """The plan version whose fever limit the care card names."""
        return self.board.courses.version

    @property
    def is_quiet(self) -> bool:
        """Weeks in which no injection of the last course is near: the contact card needs no alarm."""
        board = self.board
        over = board.courses.current is None or board.today > board.courses.current.last_dose_on + STILL_NEAR
        return board.mode is Mode.CALM and board.alert is None and over

    @property
    def asks_what_stays(self) -> bool:
        """Whether the question of how one feels is about what is still there after a course (P41)."""
        return after.asks_what_stays(self.board)

    @property
    def catch_up(self) -> list[Slot]:
        """The latest injections without a record; the course page lists them all."""
        return self.board.missing[-SHOWN_TO_CATCH_UP:]


def compose(patient: Patient, now: datetime, clock: str) -> Page:
    """Everything on Today, in a fixed number of statements."""
    board = read(patient, now)
    felt = feel.read(board, clock)
    has_clinic = bool(board.alert or board.mode is Mode.NO_PLAN) and access.open_clinic(patient) is not None
    results = blood.last_results(patient, now) if board.mode in WITH_RESULTS else None
    test = blood.before_next_course(board)
    test_on = dates.blood_test_day(board, test.booked_for)
    picture = gap_dates(board, test_on) if board.mode is Mode.CALM else None
    return Page(
        board=board,
        has_clinic=has_clinic,
        told=_told(board, patient, now, clock, has_clinic=has_clinic),
        heading=alarm(board, has_clinic=has_clinic) if board.alert else heading(board, clock),
        where=where(board),
        felt=felt,
        blood=test,
        results=results,
        next_dates=dates.next_dates(board, clock, test),
        hours=hours.strip(board, clock),
        hardest=hardest.of_today(board, felt.told),
        vaccines=after.vaccines(board) if board.mode is Mode.ENDED else None,
        picture=picture,
        drawings=_draw(picture),
    )


def _told(board: Board, patient: Patient, now: datetime, clock: str, *, has_clinic: bool) -> str:
    if board.alert is None and board.seen is not None:
        return told.of_the_call(board.seen, patient, clock)
    return told.to_patient(filter(None, [board.alert]), patient, now, clock, has_clinic=has_clinic)


def alarm(board: Board, *, has_clinic: bool) -> str:
    """What an open urgent report asks for; it outranks everything else (R1)."""
    if board.alert and board.alert.tier == Alert.Tier.EMERGENCY:
        return _("Get help now")
    if not (board.due or board.later or board.courses.coming):
        return _("Call the clinic") if has_clinic else _("Call your care team")
    if has_clinic:
        return _("Call the clinic before your next injection")
    return _("Call your care team before your next injection")


def heading(board: Board, clock: str) -> str:
    """The one thing that matters now, in words."""
    if board.mode is Mode.DOSE and board.waits_for_word:
        return _("Call your clinic before you start")
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
