"""The blood test before the next course: where it stands, and the last results in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from cycles import schedule
from cycles.bloodwork import draw_day
from cycles.models import Cycle
from il2tracker.accounts.models import Patient
from il2tracker.today.board import Board
from labs import course_tests, facts, glances
from labs.models import Bloodwork


class Stage(StrEnum):
    """What the patient is told about the test. NONE: there is no course, or timing does not matter on this plan."""

    NONE = "none"
    AHEAD = "ahead"
    BOOKED = "booked"
    OVERDUE = "overdue"
    DRAWN = "drawn"
    RESULTS_IN = "results in"
    TOO_SHORT = "too short"


@dataclass(frozen=True)
class BloodTest:
    """The test before `cycle`. `due_on` is two weeks before it (P54), or the Friday before that weekend (2.4)."""

    cycle: Cycle | None
    stage: Stage
    due_on: date | None = None
    booked_for: date | None = None
    drawn_on: date | None = None


def kept(cycle: Cycle | None) -> Bloodwork | None:
    """What was written down about the test before a course; the row comes with the course."""
    return getattr(cycle, "bloodwork", None) if cycle else None


def before_next_course(board: Board) -> BloodTest:
    """Where the test before the coming course stands."""
    coming = board.courses.coming
    if coming is None or not coming.goes_ahead or not coming.version.timing_matters:
        return BloodTest(None, Stage.NONE)
    row = kept(coming)
    booked_for, drawn_on = (near(coming, day) for day in ((row.booked_for, row.drawn_on) if row else (None, None)))
    due_on = draw_day(schedule.bloodwork_due(coming.starts_on), board.last_dose_on)
    stage = _stage(board, coming, due_on, booked_for, drawn_on)
    return BloodTest(coming, stage, due_on, booked_for, drawn_on)


def near(coming: Cycle, day: date | None) -> date | None:
    """The day if it belongs to this course: it may have been moved away from an appointment."""
    opens, closes = schedule.bloodwork_window(coming.starts_on)
    return day if day and opens <= day <= closes else None


def _stage(board: Board, coming: Cycle, due_on: date, booked_for: date | None, drawn_on: date | None) -> Stage:
    if not course_tests.lacking(coming, board.patient):
        return Stage.RESULTS_IN
    if drawn_on:
        return Stage.DRAWN
    if booked_for and booked_for >= board.today:
        return Stage.BOOKED
    if not schedule.bloodwork_possible(board.last_dose_on, coming.starts_on):
        return Stage.TOO_SHORT
    return Stage.OVERDUE if due_on < board.today else Stage.AHEAD


def last_results(patient: Patient, now: datetime) -> glances.Glance:
    """The last CD4+ count and viral load that count: six statements."""
    return glances.glance(facts.load([patient], now, facts.SERIES)[patient.pk])
