"""What stands in the calendar: courses, blood tests and the days that are too soon to test, as runs of days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import confirming, last_doses, schedule
from cycles.models import Cycle, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.today import blood
from labs import course_tests

ONE_DAY = timedelta(days=1)


class Kind(StrEnum):
    """What an entry is, in the order in which entries of one day are read. Each has its own words and shape."""

    COURSE = "course"
    HELD = "held"
    CANCELLED = "cancelled"
    DRAFT = "draft"
    DRAWN = "drawn"
    BOOKED = "booked"
    BOOKING = "booking"
    FIRST_DAY = "first day"
    REST = "rest"
    TOO_SOON = "too soon"


ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Entry:
    """One thing on one day or on several in a row. `begins_on` is day 1 of its course; `remark` goes with its name."""

    kind: Kind
    first: date
    last: date
    words: str
    detail: str = ""
    course: Cycle | None = None
    begins_on: date | None = None
    doses: tuple[PlannedDose, ...] = ()
    remark: str = ""

    def day_number(self, on: date) -> int | None:
        """1 on the first day of its course; None for what is no course."""
        return (on - self.begins_on).days + 1 if self.begins_on else None

    def on(self, day: date) -> str:
        """What it says about this one day: "2 injections", "1 of 2 recorded"."""
        return counted([dose for dose in self.doses if dose.due_on == day])


def counted(doses: list[PlannedDose]) -> str:
    """How many injections, and how many of them are recorded once one is; empty without any."""
    recorded = sum(dose.record is not None for dose in doses)
    if recorded:
        return _("%(recorded)s of %(all)s recorded") % {"recorded": recorded, "all": len(doses)}
    return ngettext("%(n)s injection", "%(n)s injections", len(doses)) % {"n": len(doses)} if doses else ""


def runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """The first and last day of every unbroken row of days."""
    first = last = None
    for day in sorted(set(days)):
        if last is None or day != last + ONE_DAY:
            if first is not None and last is not None:
                yield first, last
            first = day
        last = day
    if first is not None and last is not None:
        yield first, last


# Courses


def of_course(cycle: Cycle, doses: list[PlannedDose], today: date) -> Iterator[Entry]:
    """The dose days of a course, and its days without a dose between them. Held and cancelled ones are told as such,
    and a start that still waits for the clinic's word (R1). `cycle` carries `confirming.columns`."""
    standing = [dose for dose in doses if dose.record or cycle.wants(dose)]
    waiting = {Cycle.State.HELD: Kind.HELD, Cycle.State.CANCELLED: Kind.CANCELLED}.get(Cycle.State(cycle.state))
    if waiting:
        yield from _dose_days(cycle, waiting, [dose for dose in doses if dose not in standing])
    unconfirmed = cycle.starts_on >= today and confirming.is_unconfirmed(cycle.__dict__, cycle.starts_on)
    yield from _dose_days(cycle, Kind.COURSE, standing, _("not confirmed") if unconfirmed else "")
    days = {dose.due_on for dose in (doses if waiting else standing)}
    for first, last in runs(_between(days) - days):
        yield Entry(Kind.REST, first, last, _("rest"), begins_on=cycle.starts_on, course=cycle)


def _dose_days(cycle: Cycle, kind: Kind, doses: list[PlannedDose], remark: str = "") -> Iterator[Entry]:
    for first, last in runs(dose.due_on for dose in doses):
        own = tuple(dose for dose in doses if first <= dose.due_on <= last)
        words = {"number": cycle.number, "state": cycle.get_state_display()}
        name = _("Course %(number)s, %(state)s") if kind is not Kind.COURSE else _("Course %(number)s")
        detail = ", ".join(filter(None, [counted(list(own)), remark])) if kind is Kind.COURSE else ""
        yield Entry(kind, first, last, name % words, detail, cycle, cycle.starts_on, own if detail else (), remark)


def dose_days(shown: Iterable[Entry]) -> set[date]:
    """The days of courses that take place."""
    return {dose.due_on for entry in shown if entry.kind is Kind.COURSE for dose in entry.doses}


def _between(days: set[date]) -> set[date]:
    if not days:
        return set()
    first, last = min(days), max(days)
    return {first + timedelta(days=away) for away in range((last - first).days)}


def drafts(latest: Cycle, first: date, last: date) -> Iterator[Entry]:
    """Courses behind the newest one, as they would come if nothing changed (2.2): never more than a drawing.

    Nothing follows a course on hold until a person has decided, nor a plan that has ended.
    """
    if latest.state == Cycle.State.HELD or latest.plan.ended_on is not None:
        return
    number, starts_on, version = latest.number, latest.starts_on, latest.version
    while version.regimen.courses is None or number < version.regimen.courses:
        starts_on = schedule.next_start(version.regimen, number, starts_on)
        number += 1
        if starts_on > last:
            return
        terms = [terms for terms in latest.plan.versions.all() if terms.first_course <= number]
        version = max(terms, key=lambda terms: terms.number)
        if schedule.last_dose_on(version.regimen, number, starts_on) >= first:
            days = {dose.on for dose in schedule.unroll(version.regimen, number, starts_on, version.times)}
            words, detail = _("Course %(number)s") % {"number": number}, _("if nothing changes")
            for begins, ends in runs(days):
                yield Entry(Kind.DRAFT, begins, ends, words, detail, begins_on=starts_on)


# Blood tests


@dataclass(frozen=True)
class BloodTest:
    """The test before a course (P54): the day it is booked for or was drawn, else the days to book (B5), else the
    first day on which one counts (D16). All None where there is nothing to say."""

    booked_for: date | None = None
    drawn_on: date | None = None
    booking: tuple[date, date] | None = None
    counts_from: date | None = None


def blood_test(course: Cycle, patient: Patient, today: date) -> BloodTest:
    """Where the test before this course stands. `course` carries `course_tests.facts` and its blood test's row."""
    if not course.version.timing_matters or not course.goes_ahead:
        return BloodTest()
    row = blood.kept(course)
    drawn, booked = (blood.near(course, day) for day in ((row.drawn_on, row.booked_for) if row else (None, None)))
    if drawn or booked or course.starts_on <= today or not course_tests.lacking(course, patient):
        return BloodTest(booked if not drawn else None, drawn)
    last = last_doses.last_dose_on(course, patient)
    booking = schedule.booking_window(last, course.starts_on)
    earliest = schedule.earliest_reliable_before(last, course.starts_on) if last and not booking else None
    return BloodTest(booking=booking, counts_from=earliest)


def of_blood_test(course: Cycle, test: BloodTest) -> Iterator[Entry]:
    """The test before a course as entries: at most one of them."""
    before = _("before course %(number)s") % {"number": course.number}
    if test.drawn_on:
        yield Entry(Kind.DRAWN, test.drawn_on, test.drawn_on, _("Blood taken"), before, course)
    if test.booked_for:
        yield Entry(Kind.BOOKED, test.booked_for, test.booked_for, _("Blood test, booked"), before, course)
    if test.booking:
        yield Entry(Kind.BOOKING, *test.booking, _("Book blood test"), before, course)
    if test.counts_from:
        words = _("A blood test counts from today on")
        yield Entry(Kind.FIRST_DAY, test.counts_from, test.counts_from, words, before, course)


def too_soon(last_doses_on: Iterable[date], dose_days: set[date]) -> Iterator[Entry]:
    """The days after each last dose on which CD4+ and viral load do not count (P55, P52), without the dose days."""
    days: dict[date, date] = {}
    for last in last_doses_on:
        until = schedule.reliable_from(last)
        for away in range(1, (until - last).days):
            day = last + timedelta(days=away)
            days[day] = max(until, days.get(day, until))
    for first, last in runs(days.keys() - dose_days):
        counts = date_format(days[last], "j F")
        detail = _("CD4+ and viral load count again from %(day)s") % {"day": counts}
        yield Entry(Kind.TOO_SOON, first, last, _("Too soon to test"), detail)
