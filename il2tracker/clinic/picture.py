"""One patient on one page: why now, trend, the current course day by day, side effects, plan, who looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from cycles import delivered, questions
from cycles.days import CourseDays, lay_out
from cycles.delivered import Delivered
from cycles.models import Cycle, Plan, PlannedDose, PlanVersion, current_plan
from il2tracker.accounts import looked
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.models import Alert
from il2tracker.clinic import effects, outside, suggestions, words
from il2tracker.clinic.heat import Week, weeks
from il2tracker.clinic.suggestion_words import Card, card
from labs import facts, to_see
from labs import picture as trends
from labs.ledger import Line, newest_safety
from labs.models import ToSee
from sideeffects.models import CheckIn, catalogue

COURSES_SHOWN = 3
LOOKS_SHOWN = 6


@dataclass(frozen=True)
class Version:
    """One version of the plan, in words."""

    version: PlanVersion
    prescription: str


@dataclass(frozen=True)
class Look:
    """Somebody who opened or changed the record on a day, the last time first."""

    on: date
    who: str
    at: datetime
    times: int


@dataclass(frozen=True)
class Page:
    """What the template of a patient's page reads; nothing in it needs another statement.

    `said`: whether anything was said about side effects in the courses that are drawn, also that there were none.
    """

    patient: Patient
    now: datetime
    today: date
    alerts: list[Alert]
    trend: trends.Picture
    suggestions: list[Card]
    plan: Plan | None
    versions: list[Version]
    course: CourseDays | None
    coming: Cycle | None
    held: Cycle | None
    weeks: list[Week]
    effects: list[effects.Multiple]
    said: bool
    courses: list[Cycle]
    given: list[tuple[Cycle, Delivered]]
    looks: list[Look]
    unseen: list[ToSee]
    safety: list[Line]

    @property
    def to_see(self) -> list[tuple[ToSee, str, str]]:
        """What nobody of the clinic has seen yet: in words, and when it was taken and who entered it."""
        return [(row, outside.what(row), outside.source(row)) for row in self.unseen]

    @property
    def to_decide(self) -> list[Card]:
        """The suggestions that wait for a decision."""
        return [each for each in self.suggestions if each.suggestion.is_open]

    @property
    def not_to_decide(self) -> list[Card]:
        """What the other rules say: nothing, not yet, or decided already."""
        return [each for each in self.suggestions if not each.suggestion.is_open]

    @property
    def age(self) -> str:
        """Age in years, as far as the year of birth tells."""
        return words.age(self.patient, self.today)

    @property
    def prepares(self) -> Cycle | None:
        """The course before which the questions are open, or that is on its first days: its answers can be read."""
        coming = self.coming if self.coming and questions.opens_on(self.coming.starts_on) <= self.today else None
        running = self.course.cycle if self.course and self.course.cycle.is_running(self.today) else None
        return coming or running

    @property
    def is_untimed(self) -> bool:
        """Whether the plan is one on which CD4+ and viral load are not looked at."""
        return bool(self.versions) and not self.versions[0].version.timing_matters

    @property
    def course_words(self) -> str:
        """ "Course 3, day 4 of 5"."""
        current = self.course.cycle if self.course else None
        return _("Course %(which)s") % {"which": words.course(current, self.coming, self.today)}

    @property
    def recorded_words(self) -> str:
        """ "7 of 8 due recorded"."""
        return words.recorded(self.course, self.now) if self.course else ""


def compose(patient: Patient, viewer: User, now: datetime) -> Page:
    """Everything on the page, in a number of statements that does not depend on how much there is."""
    today = patient.today(now)
    plan = current_plan(patient)
    cycles = _cycles(plan)
    started = [cycle for cycle in cycles if cycle.starts_on <= today][:COURSES_SHOWN]
    coming = [cycle for cycle in cycles if cycle.starts_on > today]
    course = _course(started[0], now) if started else None
    symptoms, record = catalogue(), facts.load([patient], now, facts.TIMED)
    days = CheckIn.objects.of(patient).by_day(started[-1].starts_on, today) if started else {}
    return Page(
        patient=patient,
        now=now,
        today=today,
        alerts=_alerts(patient),
        trend=trends.picture(patient, viewer, now, for_clinic=True, known=record[patient.pk]),
        suggestions=[card(each) for each in suggestions.of_patient(patient, viewer, now, loaded=record)],
        plan=plan,
        versions=_versions(plan),
        course=course,
        coming=coming[-1] if coming else None,
        held=next((cycle for cycle in reversed(cycles) if cycle.state == Cycle.State.HELD), None),
        weeks=weeks(course, days, symptoms, today, viewer.clock) if course else [],
        effects=effects.multiples(started[::-1], days, symptoms, today),
        said=effects.is_told(started, days, today),
        courses=started[::-1],
        given=list(zip(started, delivered.of_courses(started, now).values(), strict=True)),
        looks=_looks(patient),
        unseen=to_see.unseen(Patient.objects.filter(pk=patient.pk)).get(patient.pk, []),
        safety=newest_safety(patient),
    )


def _alerts(patient: Patient) -> list[Alert]:
    """Those for which a person is needed, then those in hand; the most urgent of each first."""
    found = Alert.objects.not_closed().of(patient).most_urgent_first()
    return sorted(found, key=lambda alert: not alert.is_waiting)


def _cycles(plan: Plan | None) -> list[Cycle]:
    if plan is None:
        return []
    rows = Cycle.objects.filter(plan=plan).exclude(state=Cycle.State.CANCELLED).select_related("version")
    return list(rows.order_by("-starts_on")[: COURSES_SHOWN + 1])


def _course(cycle: Cycle, now: datetime) -> CourseDays:
    return lay_out(cycle, list(PlannedDose.objects.filter(cycle=cycle).with_records()), now)


def _versions(plan: Plan | None) -> list[Version]:
    if plan is None:
        return []
    newest_first = sorted(plan.versions.all(), key=lambda version: -version.number)
    return [Version(version, words.prescription(version)) for version in newest_first]


def _looks(patient: Patient) -> list[Look]:
    """The newest looks, those of one person on one day together whatever they opened."""
    by_day: dict[tuple[date, str], list[looked.Look]] = {}
    for look in looked.looks(patient)[0]:
        by_day.setdefault((patient.today(look.last_at), look.who), []).append(look)
    return [
        Look(on, who, found[0].last_at.astimezone(patient.zone), sum(look.times for look in found))
        for (on, who), found in by_day.items()
    ][:LOOKS_SHOWN]
