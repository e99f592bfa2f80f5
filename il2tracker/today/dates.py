"""The next dates of a patient, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cycles import schedule
from cycles.bloodwork import draw_day
from cycles.days import CourseDays
from cycles.models import Cycle
from il2tracker import ui
from il2tracker.today.blood import BloodTest, Stage
from il2tracker.today.board import Board


@dataclass(frozen=True)
class NextDate:
    """A civil date and what it is."""

    on: date
    words: str


def next_dates(board: Board, clock: str, test: BloodTest) -> list[NextDate]:
    """What comes, in order. Nothing while a course is on hold or when the plan has ended (R29)."""
    if board.held or board.courses.plan is None or board.courses.plan.ended_on:
        return []
    found = [*_of_course(board, clock), *_of_tests(board, test), *_of_next(board.courses.coming)]
    return sorted((item for item in found if item.on > board.today), key=lambda item: item.on)


def blood_test_day(board: Board, booked_for: date | None) -> date | None:
    """The day of the next blood test: the booked one, else the day it is due (or the Friday before) if it can count by
    then, else the first day that counts (D16). None where timing does not matter or no such day is left."""
    coming, version = board.courses.coming, board.courses.version
    if coming is None or version is None or not version.timing_matters or not coming.goes_ahead:
        return None
    if booked_for and booked_for >= board.today:
        return booked_for
    due = draw_day(schedule.bloodwork_due(coming.starts_on), board.last_dose_on)
    earliest = board.reliable_from
    day = max(due, earliest) if earliest else due
    return day if board.today <= day < coming.starts_on else None


def _of_course(board: Board, clock: str) -> list[NextDate]:
    course = board.course
    if course is None or not course.cycle.is_running(board.today):
        return []
    dates = [NextDate(course.cycle.last_dose_on, _last_day_words(course, clock))]
    if board.due is None and board.later:
        dose = board.later.dose
        facts = {"time": ui.hour(dose, clock), "amount": ui.miu(dose.amount)}
        dates.append(NextDate(dose.due_on, _("Next injection: %(amount)s at %(time)s") % facts))
    return dates


def _last_day_words(course: CourseDays, clock: str) -> str:
    times = [ui.hour(slot.dose, clock) for slot in course.days[-1].slots]
    return _("Last day of this course: %(times)s") % {"times": _(" and ").join(times)}


def _of_tests(board: Board, test: BloodTest) -> list[NextDate]:
    day = blood_test_day(board, test.booked_for)
    if day is None or test.stage in {Stage.DRAWN, Stage.RESULTS_IN}:
        return []
    words = _("Blood test, booked.") if test.stage is Stage.BOOKED else _("Blood test.")
    counts_from = board.reliable_from
    if counts_from and counts_from > board.today:
        before = date_format(counts_from, "j F")
        words += " " + _("Results before %(date)s are too soon to count.") % {"date": before}
    return [NextDate(day, words)]


def _of_next(coming: Cycle | None) -> list[NextDate]:
    if coming is None:
        return []
    return [NextDate(coming.starts_on, _("Course %(number)s planned to start") % {"number": coming.number})]
