"""What a patient's home page shows, read in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import F, Subquery

from cycles import last_doses, places, schedule, sites
from cycles.days import CourseDay, CourseDays, Slot, lay_out
from cycles.models import Cycle, Injection, Plan, PlannedDose, PlanVersion, SiteReaction
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.reminders import snoozing
from il2tracker.today import gap, start
from labs import course_tests

# App's own: a course of ten injections and two spare; enough to know the place that is unused for longest.
PLACES_REMEMBERED = 40
READY_DAYS = 7
COURSES_READ = 5  # one to come, the current one and three before it, one of which may have been stopped early


class Mode(StrEnum):
    """What comes first on the page."""

    NO_PLAN = "no plan"
    ENDED = "ended"
    HELD = "held"
    DOSE = "dose"
    RESTING = "resting"
    CALM = "calm"


@dataclass(frozen=True)
class Courses:
    """The course that started last and the one that has not started, of the patient's newest plan.

    `earlier`: the last ones that started, with the current one, the newest first: enough to tell its hardest days.
    """

    plan: Plan | None
    current: Cycle | None
    coming: Cycle | None
    earlier: tuple[Cycle, ...] = ()

    @property
    def resting(self) -> list[str]:
        """Codes of the places that are sore or have a lump, from `read_courses`."""
        row = self.current or self.coming
        return (row.__dict__["resting"] or "").split(",") if row else []

    @property
    def version(self) -> PlanVersion | None:
        """The plan version that counts today."""
        cycle = self.current or self.coming
        return cycle.version if cycle else None

    @property
    def unread(self) -> PlanVersion | None:
        """A version that changed the plan and that the patient has not confirmed having read (2.12)."""
        cycle, runs = self.coming or self.current, self.plan is not None and self.plan.ended_on is None
        return cycle.version if runs and cycle and cycle.version.is_unread else None


@dataclass(frozen=True)
class Board:
    """Today. `course` is the running course, or the one that ended last with what is still open in it.

    `alert`: an urgent report that waits for the clinic; else `seen`: one of the last day that somebody there has seen.
    `is_urgent`: an urgent report is not closed, whoever has seen it.
    `given`: the last injections really given, the newest first.
    """

    patient: Patient
    now: datetime
    today: date
    courses: Courses
    course: CourseDays | None
    alert: Alert | None
    seen: Alert | None
    is_urgent: bool
    given: list[Injection]
    place: str
    start: start.Start | None

    @property
    def mode(self) -> Mode:
        """Which of the page's first parts is shown."""
        if self.courses.version is None:
            return Mode.NO_PLAN
        if self.courses.plan and self.courses.plan.ended_on:
            return Mode.ENDED
        if self.held:
            return Mode.HELD
        if self.due:
            return Mode.DOSE
        running = self.courses.current is not None and self.courses.current.is_running(self.today)
        return Mode.RESTING if running else Mode.CALM

    @property
    def held(self) -> Cycle | None:
        """The course that a person put on hold, if one is."""
        cycles = (self.courses.current, self.courses.coming)
        return next((cycle for cycle in cycles if cycle and cycle.state == Cycle.State.HELD), None)

    @property
    def due(self) -> Slot | None:
        """The injection to record now."""
        return self.course.due if self.course else None

    @property
    def can_put_off(self) -> bool:
        """Whether the reminder of the injection to record now may still come later: while it is not late (B8), and
        not in the two hours before the next one (B1)."""
        if self.due is None:
            return False
        return snoozing.is_in_time(self.due.dose.due_at, self.later.dose.due_at if self.later else None, self.now)

    @property
    def waits_for_word(self) -> bool:
        """Whether the injection to record now is of a course that the clinic has not confirmed (R1, R12)."""
        return self.due is not None and self.start is not None and self.start.waits(self.courses.current)

    @property
    def later(self) -> Slot | None:
        """The next injection after that."""
        return self.course.later if self.course else None

    @property
    def missing(self) -> list[Slot]:
        """Past injections of the course about which nothing is recorded."""
        return self.course.missing if self.course and not self.held else []

    @property
    def strip(self) -> tuple[CourseDay, ...]:
        """The days shown as a strip: the whole course, or its week."""
        running = self.course is not None and self.course.cycle.is_running(self.today)
        return self.course.week_of(self.today) if self.course and running else ()

    @property
    def last_dose_on(self) -> date | None:
        """The last injection before the next course, as far as it is known: given, or still planned."""
        course = self.courses.coming or self.courses.current
        return last_doses.last_dose_on(course, self.patient) if course else None

    @property
    def reliable_from(self) -> date | None:
        """The first day on which a blood test counts again; None where timing does not matter."""
        timed = self.courses.version is not None and self.courses.version.timing_matters
        return schedule.reliable_from(self.last_dose_on) if timed and self.last_dose_on else None


SEEN_STAYS = timedelta(hours=24)  # app's own: so long Today says that a report was seen, and that this clears nothing


def read(patient: Patient, now: datetime) -> Board:
    """Everything of the plan and the injections that Today needs: five statements, however long the history."""
    today = patient.today(now)
    courses = read_courses(patient, today)
    course = None
    if courses.current:
        doses = PlannedDose.objects.filter(cycle=courses.current).with_records()
        course = lay_out(courses.current, list(doses), now)
    alerts = list(Alert.objects.of(patient).on_today(now - SEEN_STAYS).select_related("acknowledged_by"))
    given = list(Injection.objects.given().of(patient).order_by("-given_at")[:PLACES_REMEMBERED])
    return Board(
        patient=patient,
        now=now,
        today=today,
        courses=courses,
        course=course,
        alert=next((alert for alert in alerts if alert.is_waiting), None),
        seen=next((alert for alert in alerts if alert.is_shown and not alert.is_waiting), None),
        is_urgent=any(alert.is_urgent and alert.closed_at is None for alert in alerts),
        given=given,
        place=suggested_place(given, courses.resting),
        start=start.of((courses.current, courses.coming), patient, today),
    )


def read_courses(patient: Patient, today: date) -> Courses:
    """The newest plan's course that started last and the one to come, in one statement."""
    newest_plan_first = F("plan__ended_on").desc(nulls_first=True)
    cycles = list(
        Cycle.objects.of(patient)
        .exclude(state=Cycle.State.CANCELLED)
        .select_related("plan__protocol", "version", "bloodwork")
        .annotate(**start.columns(patient, today), **course_tests.facts(today))
        .annotate(resting=Subquery(SiteReaction.objects.open().codes()))
        .order_by(newest_plan_first, "-starts_on")[:COURSES_READ]
    )
    plan = cycles[0].plan if cycles else None
    cycles = [cycle for cycle in cycles if plan and cycle.plan_id == plan.pk]
    return Courses(
        plan=plan,
        current=next((cycle for cycle in cycles if cycle.starts_on <= today), None),
        coming=next((cycle for cycle in reversed(cycles) if cycle.starts_on > today), None),
        earlier=tuple(cycle for cycle in cycles if cycle.starts_on <= today),
    )


def suggested_place(given: list[Injection], resting: Collection[str]) -> str:
    """The place that the log form will suggest, in words; empty when none is left (K14, P40)."""
    code = places.suggestion(given, helped=False, resting=resting)
    return sites.BY_CODE[code].words if code else ""


def gap_dates(board: Board, test_on: date | None) -> gap.Dates | None:
    """What the picture of the weeks between two courses shows; None while there are not two courses."""
    current, coming = board.courses.current, board.courses.coming
    if not (current and coming and board.reliable_from and board.last_dose_on):
        return None
    return gap.Dates(
        from_number=current.number,
        course_ended_on=board.last_dose_on,
        course_days=max(1, (board.last_dose_on - current.starts_on).days + 1),
        too_soon_until=board.reliable_from - timedelta(days=1),
        today=board.today,
        test_on=test_on,
        next_number=coming.number,
        next_starts_on=coming.starts_on,
        next_days=coming.length,
    )
