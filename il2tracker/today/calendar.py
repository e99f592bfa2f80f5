"""A month of a patient's dates: as a table for wide screens and as a list for narrow ones, from the same entries."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cycles import confirming
from cycles.models import Cycle, Injection, PlannedDose
from cycles.schedule import BLOODWORK_OPENS, EARLIEST, LATEST
from il2tracker.accounts.models import Patient
from il2tracker.today import calendar_entries as entries
from il2tracker.today.calendar_entries import ORDER, Entry, Kind
from labs import course_tests

# App's own: as long as a month and four weeks after a last dose can reach into the month that is shown.
LOOK_BACK = timedelta(days=70)


@dataclass(frozen=True)
class Part:
    """An entry on one day of the table. Its name is shown where it begins and at the start of each week."""

    entry: Entry
    on: date
    is_named: bool
    goes_on: bool

    @property
    def number(self) -> int | None:
        """The day of the course, where the day has a dose."""
        return None if self.entry.kind is Kind.REST else self.entry.day_number(self.on)

    @property
    def detail(self) -> str:
        """What it says about this day, in a few words."""
        if self.is_named and self.entry.remark:
            return self.entry.remark
        if not self.is_named or self.entry.doses:
            return self.entry.on(self.on)
        if self.entry.kind is Kind.TOO_SOON:
            return _("until %(day)s") % {"day": date_format(self.entry.last, "j F")}
        return self.entry.detail


@dataclass(frozen=True)
class Day:
    """One cell of the table; days of the months around it stay empty."""

    on: date
    is_shown: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Line:
    """One line of the list."""

    entry: Entry
    when: str


@dataclass(frozen=True)
class Page:
    """What the template of the calendar reads. `plan_id`: the plan whose courses have pages under their numbers."""

    month: date
    today: date
    weeks: list[list[Day]]
    lines: list[Line]
    has_dates: bool
    plan_id: int | None

    @property
    def before(self) -> date | None:
        """First day of the month before; None where the calendar begins."""
        first = (self.month - timedelta(days=1)).replace(day=1)
        return first if first >= EARLIEST else None

    @property
    def after(self) -> date | None:
        """First day of the month after; None where the calendar ends."""
        first = (self.month + timedelta(days=31)).replace(day=1)
        return first if first <= LATEST else None

    @property
    def is_now(self) -> bool:
        """Whether today is in it."""
        return self.month == self.today.replace(day=1)


@dataclass(frozen=True)
class _Found:
    courses: list[Cycle]
    doses: dict[int, list[PlannedDose]]
    latest: Cycle | None
    loose_days: list[date]


def compose(patient: Patient, now: datetime, month: date | None = None) -> Page:
    """The month that begins on `month`, else the one of the patient's today: five statements, whatever it holds."""
    today = patient.today(now)
    first = month or today.replace(day=1)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    found = _read(patient, today, first, last)
    shown = [entry for entry in _entries(found, patient, today, first, last) if entry.last >= first]
    shown = sorted((entry for entry in shown if entry.first <= last), key=lambda one: (one.first, ORDER[one.kind]))
    return Page(
        month=first,
        today=today,
        weeks=[[_day(on, shown, first) for on in week] for week in weeks],
        lines=[Line(entry, when(entry, first)) for entry in shown if entry.kind is not Kind.REST],
        has_dates=bool(found.courses),
        plan_id=found.latest.plan_id if found.latest else None,
    )


def _read(patient: Patient, today: date, first: date, last: date) -> _Found:
    newest = Cycle.objects.of(patient).filter(plan__ended_on=None).order_by("-number").values("pk")[:1]
    near = Q(starts_on__lte=last + BLOODWORK_OPENS, last_dose_on__gte=first - LOOK_BACK)
    courses = list(
        Cycle.objects.of(patient)
        .filter(near | Q(pk__in=newest))
        .select_related("plan", "version", "bloodwork")
        .prefetch_related("plan__versions")
        .annotate(**course_tests.facts(today), **confirming.columns())
        .order_by("starts_on", "number")
    )
    doses: dict[int, list[PlannedDose]] = {}
    for dose in PlannedDose.objects.filter(cycle__in=courses).with_records():
        doses.setdefault(dose.cycle_id, []).append(dose)
    active = [cycle for cycle in courses if cycle.plan.ended_on is None]
    latest = max(active, key=lambda cycle: cycle.number, default=None)
    return _Found(courses, doses, latest, _loose_days(patient, first, last))


def _loose_days(patient: Patient, first: date, last: date) -> list[date]:
    """Days of injections that no plan knew of, and the last one before this diary."""
    given = Injection.objects.given().of(patient).filter(planned_dose=None)
    reach = (first - LOOK_BACK, last + timedelta(days=1))
    rows = given.filter(given_at__date__range=reach).values_list("given_at", "zone")
    days = [at.astimezone(ZoneInfo(zone)).date() for at, zone in rows]
    return [*days, patient.earlier_il2_on] if patient.earlier_il2_on else days


def _entries(found: _Found, patient: Patient, today: date, first: date, last: date) -> list[Entry]:
    shown: list[Entry] = []
    for cycle in found.courses:
        shown += entries.of_course(cycle, found.doses.get(cycle.pk, []), today)
        shown += entries.of_blood_test(cycle, entries.blood_test(cycle, patient, today))
    shown += entries.drafts(found.latest, first, last) if found.latest else []
    return [*shown, *entries.too_soon(_last_doses(found), entries.dose_days(shown))]


def _last_doses(found: _Found) -> list[date]:
    """The last dose of every course, given or still planned, where the timing of doses matters; and those off plan."""
    timed = [cycle for cycle in found.courses if cycle.version.timing_matters]
    days = [_last_dose(cycle, found.doses.get(cycle.pk, [])) for cycle in timed]
    return [day for day in [*days, *found.loose_days] if day] if timed else []


def _last_dose(cycle: Cycle, doses: list[PlannedDose]) -> date | None:
    days = [
        dose.record.local_given_at.date() if dose.record and dose.record.local_given_at else dose.due_on
        for dose in doses
        if (dose.record and dose.record.local_given_at) or (not dose.record and cycle.wants(dose))
    ]
    return max(days, default=None)


def _day(on: date, shown: list[Entry], month: date) -> Day:
    if (on.year, on.month) != (month.year, month.month):
        return Day(on, False, ())
    here = [entry for entry in shown if entry.first <= on <= entry.last]
    begins = on.weekday() == 0 or on.day == 1
    parts = (Part(entry, on, begins or on == entry.first, on < entry.last and on.weekday() < 6) for entry in here)
    return Day(on, True, tuple(sorted(parts, key=lambda part: ORDER[part.entry.kind])))


def when(entry: Entry, month: date) -> str:
    """The days of an entry: "Wednesday 25 to Sunday 29 November", with a year that is not the shown one's."""
    last = _named(entry.last, month, "l j F")
    if entry.first == entry.last:
        return last
    same = (entry.first.year, entry.first.month) == (entry.last.year, entry.last.month)
    first = _named(entry.first, month, "l j" if same else "l j F", year=not same)
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def _named(day: date, month: date, pattern: str, *, year: bool = True) -> str:
    return date_format(day, pattern + " Y" if year and day.year != month.year else pattern)
