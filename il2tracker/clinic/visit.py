"""One page for a visit, with the same zones in the same places for ever (ux 2.14): what a person takes along on paper.

A who, when, until when · B a sentence and four numbers · C drawings of CD4+ and viral load · D the last two courses
E questions · F medicines and holds · G lines to write on. A zone without facts stays, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from cycles import delivered
from cycles.days import CourseDays, lay_out
from cycles.delivered import Delivered
from cycles.models import Cycle, Hold, Injection, Medication, Plan, PlannedDose, PlanVersion, current_plan
from il2tracker.accounts import access
from il2tracker.accounts.access import ContactCard
from il2tracker.accounts.models import Patient, User
from il2tracker.clinic import heat, words
from il2tracker.clinic.heat import Week
from labs import draws, facts, safety, trends
from labs import picture as labs
from labs.facts import CD4, VIRAL_LOAD, Facts
from labs.models import LabResult
from labs.trends import Point
from sideeffects.models import CheckIn, DayOfReports, catalogue
from sideeffects.units import Temperature

COURSES = 2


@dataclass(frozen=True)
class Hottest:
    """The highest temperature of a course and when it was."""

    reading: Temperature
    on: date
    day: int


@dataclass(frozen=True)
class Course:
    """One of the last courses: its grid for page 1, `done` of `due` injections recorded, its whole table for page 2."""

    days: CourseDays
    weeks: list[Week]
    all_weeks: list[Week]
    given: Delivered
    done: int
    due: int
    hottest: Hottest | None
    today: date

    @property
    def cycle(self) -> Cycle:
        """The course itself."""
        return self.days.cycle

    @property
    def dates(self) -> str:
        """ "18 to 22 November 2026"."""
        first, last = self.cycle.starts_on, self.cycle.last_dose_on
        pattern = "j" if (first.year, first.month) == (last.year, last.month) else "j F"
        return _("%(first)s to %(last)s") % {"first": date_format(first, pattern), "last": date_format(last, "j F Y")}


@dataclass(frozen=True)
class Page:
    """What the template reads. `until`: when something of it was last written; None while nothing is."""

    patient: Patient
    now: datetime
    today: date
    until: datetime | None
    card: ContactCard
    version: PlanVersion | None
    course_words: str
    trend: labs.Picture
    cd4: Point | None
    viral_load: Point | None
    courses: list[Course]
    holds: list[Hold]
    others: list[Medication]
    safety: safety.Page | None

    @property
    def who(self) -> str:
        """The name, or only the code where the patient chose to be discreet."""
        return _("Code %(code)s") % {"code": self.patient.code} if self.is_discreet else self.patient.label

    @property
    def is_discreet(self) -> bool:
        """Whether the paper names nobody."""
        return self.patient.privacy == "discreet"

    @property
    def last_course(self) -> Course | None:
        """The course that runs, or ran last."""
        return self.courses[-1] if self.courses else None

    @property
    def is_untimed(self) -> bool:
        """Whether the plan is one on which CD4+ and viral load are not looked at."""
        return self.version is not None and not self.version.timing_matters

    @property
    def prescription(self) -> str:
        """What the plan says now, in a line."""
        return words.prescription(self.version) if self.version else ""

    @property
    def medicines(self) -> list[str]:
        """The medicines before an injection, as the clinician wrote them."""
        lines = self.version.premedication.splitlines() if self.version else []
        return [line.strip() for line in lines if line.strip()]


def compose(patient: Patient, viewer: User, now: datetime, *, tables: bool = False) -> Page:
    """Everything on the page, in a number of statements that does not depend on how much there is."""
    today, plan = patient.today(now), current_plan(patient)
    known = facts.load([patient], now)[patient.pk]
    cycles = _cycles(patient)
    started = [cycle for cycle in cycles if cycle.starts_on <= today][:COURSES]
    coming = [cycle for cycle in cycles if cycle.starts_on > today]
    counts, loads = (_last(known, code) for code in (CD4, VIRAL_LOAD))
    for_clinic = access.is_member_for(viewer, patient)
    shown = "all" if tables else "1"
    version = _version(plan, started)
    with_safety = tables or (version is not None and not version.timing_matters)
    return Page(
        patient=patient,
        now=now,
        today=today,
        until=_until(patient),
        card=access.contact_card(patient, now),
        version=version,
        course_words=words.course(started[0] if started else None, coming[-1] if coming else None, today),
        trend=labs.picture(patient, viewer, now, chosen=shown, for_clinic=for_clinic, known=known),
        cd4=counts,
        viral_load=loads,
        courses=_courses(started[::-1], viewer, now, today),
        holds=list(Hold.objects.open().of(patient)),
        others=list(Medication.objects.of(patient).taken_on(today)),
        safety=safety.page(patient, now, chosen=shown, for_clinic=for_clinic) if with_safety else None,
    )


def _cycles(patient: Patient) -> list[Cycle]:
    """The newest courses of any plan, the last one first."""
    rows = Cycle.objects.of(patient).exclude(state=Cycle.State.CANCELLED).select_related("version", "plan__protocol")
    return list(rows.order_by("-starts_on")[: COURSES + 1])


def _version(plan: Plan | None, started: list[Cycle]) -> PlanVersion | None:
    """What holds for the course that runs or ran last; before the first one, what the plan says."""
    if plan is None:
        return None
    own = [cycle for cycle in started if cycle.plan_id == plan.pk]
    return own[0].version if own else plan.current_version


def _last(known: Facts, code: str) -> Point | None:
    return trends.trend(draws.series(draws.judged(known), code)).last


def _until(patient: Patient) -> datetime | None:
    """When an injection, a check-in or a result was last written or changed, on the patient's clock."""
    newest = [
        rows.history.filter(patient_id=patient.pk).aggregate(at=Max("history_date"))["at"]
        for rows in (Injection, CheckIn, LabResult)
    ]
    return max((at for at in newest if at), default=None)


def _courses(started: list[Cycle], viewer: User, now: datetime, today: date) -> list[Course]:
    if not started:
        return []
    symptoms, given = catalogue(), delivered.of_courses(started, now)
    reports = CheckIn.objects.of(started[0].patient).by_day(started[0].starts_on, today)
    found = []
    for cycle in started:
        days = lay_out(cycle, list(PlannedDose.objects.filter(cycle=cycle).with_records()), now)
        within = {day.on: reports[day.on] for day in days.days if day.on in reports}
        done, due = words.due(days, now)
        found.append(
            Course(
                days=days,
                weeks=[week for week in heat.in_short(days, within, symptoms) if week.days[0].on <= today],
                all_weeks=heat.weeks(days, within, symptoms, today, viewer.clock),
                given=given[cycle.pk],
                done=done,
                due=due,
                hottest=_hottest(within, cycle),
                today=today,
            )
        )
    return found


def _hottest(reports: dict[date, DayOfReports], cycle: Cycle) -> Hottest | None:
    measured = [(report.peak, on) for on, report in sorted(reports.items()) if report.peak]
    if not measured:
        return None
    reading, on = max(measured, key=lambda each: each[0].fahrenheit)
    return Hottest(reading, on, (on - cycle.starts_on).days + 1)
