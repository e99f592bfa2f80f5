"""A whole course on one page: its days and slots, what comes after it, and the courses before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Min
from django.http import Http404
from django.utils.translation import gettext as _

from cycles import asking, delivered, questions
from cycles.days import CourseDay, CourseDays, Slot, lay_out
from cycles.delivered import Delivered
from cycles.models import Cycle, PlannedDose
from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.today import after, blood, dates, hardest, hours, words
from il2tracker.today.board import Board, read
from sideeffects import patterns
from sideeffects.models import CheckIn

EARLIER_SHOWN = 24


@dataclass(frozen=True)
class Line:
    """One hour of the day through a course of at most a week: the slot of each day, or None where there is none."""

    time: str
    slots: list[Slot | None]


@dataclass(frozen=True)
class Earlier:
    """Another course in a line of the list: what each injection held, and what was given."""

    cycle: Cycle
    amount: str
    given: Delivered


@dataclass(frozen=True)
class Felt:
    """Beside the injections of each day the highest reading ("" = none) and the worst as `patterns.mark` says it."""

    peaks: list[str]
    worst: list[str]


@dataclass(frozen=True)
class Page:
    """What the template of the course page reads. A course of at most a week has `lines`, a longer one `weeks`."""

    board: Board
    course: CourseDays
    where: str
    lines: list[Line]
    weeks: list[tuple[CourseDay, ...]]
    hardest: hardest.Hardest | None
    felt: Felt | None
    given: Delivered
    todo: asking.ToDo | None
    hours: hours.Strip | None
    vaccines: after.Vaccines | None
    blood: blood.BloodTest
    next_dates: list[dates.NextDate]
    earlier: list[Earlier]
    older: date | None

    @property
    def is_current(self) -> bool:
        """Whether what comes after it is still to come."""
        courses = self.board.courses
        return self.course.cycle in {courses.current, courses.coming}

    @property
    def before_medicines(self) -> list[str]:
        """The medicines with the injections, by the names that the clinician entered; no word of a source (R27)."""
        return [line.strip() for line in self.course.cycle.version.premedication.splitlines() if line.strip()]

    @property
    def is_running(self) -> bool:
        """Whether today is one of its days, or it has ended today."""
        return self.course.cycle == self.board.courses.current and self.course.cycle.is_running(self.board.today)

    @property
    def is_to_come(self) -> bool:
        """Whether its list can still be ticked: day 1 is today or later."""
        return self.course.cycle.starts_on >= self.board.today

    @property
    def due(self) -> Slot | None:
        """The injection to record now, if it is of this course and nothing stops it."""
        return None if self.board.alert or self.board.held or self.board.waits_for_word else self.course.due

    @property
    def too_soon_until(self) -> date | None:
        """The last day on which CD4+ and viral load do not count."""
        counts_from = self.board.reliable_from
        return counts_from - timedelta(days=1) if counts_from and counts_from > self.board.today else None

    @property
    def rest_from(self) -> date | None:
        """The first day of the weeks without treatment at the end of a long course; None when there is no whole one."""
        after = self.course.weeks()[-1][-1].on + timedelta(days=1)
        return after if self.weeks and after < self.course.cycle.next_starts_on else None


def compose(patient: Patient, now: datetime, clock: str, *, number: int | None, before: date | None) -> Page | None:
    """The plan's course of this `number`, else the one that started last, else the coming one; None without a plan.

    Raises Http404 for a number that the plan does not have. `before` cuts the list of other courses by key.
    """
    board = read(patient, now)
    cycle = _chosen(board, number)
    if cycle is None:
        return None
    course = _laid_out(board, cycle, now)
    is_short = cycle.length <= 7
    test = blood.before_next_course(board)
    others = _others(patient, cycle, board.today, before)
    given = delivered.of_courses([cycle, *others[:EARLIER_SHOWN]], now)
    is_current = cycle in {board.courses.current, board.courses.coming}
    return Page(
        board=board,
        course=course,
        where=words.where_in_course(cycle, board.today),
        lines=_lines(course, clock) if is_short else [],
        weeks=[] if is_short else course.weeks(),
        hardest=hardest.of_course(board, cycle) if is_current and cycle.last_dose_on >= board.today else None,
        felt=_felt(patient, course) if is_short else None,
        given=given[cycle.pk],
        todo=_to_do(cycle, board.today) if is_current else None,
        hours=hours.strip(board, clock) if cycle == board.courses.current else None,
        vaccines=after.vaccines(board) if is_current else None,
        blood=test,
        next_dates=dates.next_dates(board, clock, test),
        earlier=[Earlier(other, _amount(other), given[other.pk]) for other in others[:EARLIER_SHOWN]],
        older=others[EARLIER_SHOWN - 1].starts_on if len(others) > EARLIER_SHOWN else None,
    )


def _chosen(board: Board, number: int | None) -> Cycle | None:
    courses = board.courses
    if number is None or courses.plan is None:
        return courses.current or courses.coming
    cycle = Cycle.objects.filter(plan=courses.plan, number=number).select_related("plan__protocol", "version").first()
    if cycle is None:
        raise Http404
    return cycle


def _to_do(cycle: Cycle, today: date) -> asking.ToDo | None:
    """The list of what is got ready, from the questions before the course to its last day (2.11).

    Once the course runs, only what was got ready is of use: a list with nothing ticked would only reproach.
    """
    if not cycle.goes_ahead or not cycle.starts_on - questions.OPENS_BEFORE <= today <= cycle.last_dose_on:
        return None
    todo = asking.to_do(cycle)
    return todo if todo.done or cycle.starts_on >= today else None


def _laid_out(board: Board, cycle: Cycle, now: datetime) -> CourseDays:
    if board.course and board.course.cycle == cycle:
        return board.course
    return lay_out(cycle, list(PlannedDose.objects.filter(cycle=cycle).with_records()), now)


def _lines(course: CourseDays, clock: str) -> list[Line]:
    slots = dict.fromkeys((slot.dose.slot, ui.hour(slot.dose, clock)) for slot in course.slots)
    return [Line(hour, [_slot_of(day, name) for day in course.days]) for name, hour in slots]


def _slot_of(day: CourseDay, name: str) -> Slot | None:
    return next((slot for slot in day.slots if slot.dose.slot == name), None)


def _felt(patient: Patient, course: CourseDays) -> Felt | None:
    """The highest reading and the worst severity of each day; None where nothing was said in the whole course."""
    reports = CheckIn.objects.of(patient).by_day(course.days[0].on, course.days[-1].on)
    told = [reports.get(day.on) for day in course.days]
    peaks = [each.peak if each else None for each in told]
    worst = [patterns.mark([each]) for each in told]
    if not any([*peaks, *worst]):
        return None
    return Felt([str(peak).replace("\N{NO-BREAK SPACE}", " ") if peak else "" for peak in peaks], worst)


def _others(patient: Patient, shown: Cycle, today: date, before: date | None) -> list[Cycle]:
    """Started courses other than the shown one, the newest first, one more than a page holds: one statement."""
    rows = Cycle.objects.of(patient).current(today).exclude(pk=shown.pk).select_related("version")
    if before is not None:
        rows = rows.filter(starts_on__lt=before)
    return list(rows.annotate(least=Min("doses__amount"), most=Max("doses__amount"))[: EARLIER_SHOWN + 1])


def _amount(course: Cycle) -> str:
    facts = course.__dict__
    most = ui.miu(facts["most"])
    if facts["least"] == facts["most"]:
        return most
    return _("%(least)s to %(most)s") % {"least": ui.number(facts["least"]), "most": most}
