"""What stands in a row of the clinician's list, read for the rows of one page only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.clinic import words
from il2tracker.clinic.worklist import Facts, Reason
from labs import facts as labs
from labs import glances


@dataclass(frozen=True)
class Row:
    """One patient of the list, in words."""

    facts: Facts
    reasons: list[Reason]
    course: str
    last_given: str
    plan: str
    next: str
    next_what: str
    glance: glances.Glance
    timed: bool

    @property
    def first(self) -> Reason:
        """Why the patient stands here."""
        return self.reasons[0]

    @property
    def others(self) -> list[Reason]:
        """What else there is to look at."""
        return self.reasons[1:]

    @property
    def initials(self) -> str:
        """Initials and age."""
        patient = self.facts.patient
        return ", ".join(filter(None, [words.initials(patient), words.age(patient, self.facts.today)]))


def compose(page: Sequence[tuple[Facts, list[Reason]]], now: datetime, clock: str) -> list[Row]:
    """The rows of these patients: the six statements of the trend, however long the page and the histories."""
    results = labs.load([facts.patient for facts, _reasons in page], now, labs.SERIES)
    return [_row(facts, found, results[facts.patient.pk], clock) for facts, found in page]


def _row(facts: Facts, found: list[Reason], results: labs.Facts, clock: str) -> Row:
    cycles = {cycle.pk: cycle for cycle in results.cycles}
    current = cycles[facts.current.cycle.pk] if facts.current else None
    coming = cycles[facts.coming.cycle.pk] if facts.coming else None
    newest = current or coming
    when, what = _next(facts, clock)
    return Row(
        facts=facts,
        reasons=found,
        course=words.course(current, coming, facts.today) or _("no plan"),
        last_given=_last_given(facts, clock),
        plan=words.plan(newest.version, newest.number) if newest else "",
        next=when,
        next_what=what,
        glance=glances.glance(results),
        timed=newest is None or newest.version.timing_matters,
    )


def _last_given(facts: Facts, clock: str) -> str:
    """When the last injection of a running course was given, as far as it is recorded."""
    if not (facts.in_course and facts.current and facts.current.last_given_at):
        return ""
    at = facts.current.last_given_at.astimezone(facts.patient.zone)
    day = _("today") if at.date() == facts.today else ui.short_day(at)
    return _("last injection %(day)s %(time)s") % {"day": day, "time": ui.clock(at, clock)}


def _next(facts: Facts, clock: str) -> tuple[str, str]:
    current, coming = facts.current, facts.coming
    if current and facts.in_course and current.next_due_at:
        return words.next_dose(current.next_due_at, facts.patient, facts.today, clock)
    if coming is None or not coming.cycle.goes_ahead:
        return _("no date"), ""
    if coming.booked_for and coming.booked_for >= facts.today:
        return ui.short_day(coming.booked_for), _("blood test")
    return ui.short_day(coming.cycle.starts_on), _("course %(number)s") % {"number": coming.cycle.number}
