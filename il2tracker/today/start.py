"""The course to get ready for as Today says it: the clinic's word, the questions, the list (2.1, 2.8, R12).

Everything comes with the statement that reads the courses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import asking, confirming, preparation, questions
from cycles.models import Cycle, Preparation, ReadinessAnswer
from cycles.reactions import Joined
from il2tracker import ui
from il2tracker.accounts.models import Patient, Sharing
from labs import course_tests


def columns(patient: Patient, today: date) -> dict[str, Any]:
    """Annotations of a queryset of courses of the patient that `of` reads."""
    answers = ReadinessAnswer.objects.filter(readiness__cycle=OuterRef("pk"))
    fresh, of_today = (
        answers.filter(answered_at__gte=datetime.combine(day, time(0), tzinfo=patient.zone))
        for day in (today - questions.FRESH_FOR, today)
    )
    return {
        **confirming.columns(),
        "has_clinic": Exists(Sharing.objects.open().filter(patient=OuterRef("patient"), clinic__isnull=False)),
        "confirmed_at": F("readiness__confirmed_at"),
        "sent_at": F("readiness__sent_at"),
        "newest_answer_at": Subquery(answers.order_by("-answered_at").values("answered_at")[:1]),
        "fresh": _joined(fresh, "question", "readiness__cycle"),
        "of_today": _joined(of_today, "question", "readiness__cycle"),
        "looks": _joined(answers.exclude(answer=questions.NO), "question", "readiness__cycle"),
        "ticked": _joined(Preparation.objects.filter(cycle=OuterRef("pk")), "item", "cycle"),
    }


def _joined(rows: QuerySet[Any], name: str, group: str) -> Subquery:
    return Subquery(rows.order_by().values(group).annotate(all=Joined(name)).values("all"))


@dataclass(frozen=True)
class Start:
    """A course within two weeks of its first day, or one whose first day has passed without the clinic's word."""

    cycle: Cycle
    today: date
    has_clinic: bool
    is_unconfirmed: bool
    confirmed_on: date | None
    asked: int
    answered: int
    looks: int
    is_sent: bool
    wanted: int
    ready: int

    @property
    def is_near(self) -> bool:
        """Tomorrow, today, or past: from now on the missing word is said with the number to call (R12)."""
        return (self.cycle.starts_on - self.today).days <= 1

    def waits(self, cycle: Cycle | None) -> bool:
        """Whether this very course waits for the clinic's word."""
        return self.is_unconfirmed and cycle is not None and cycle == self.cycle

    @property
    def shows_list(self) -> bool:
        """Whether what is to be got ready is counted on Today."""
        return preparation.is_time(self.cycle.starts_on, self.today)

    @property
    def may_answer(self) -> bool:
        """Whether its questions are open."""
        return questions.is_open(self.cycle.starts_on, self.today)

    @property
    def is_asked_again(self) -> bool:
        """Whether day 1 has come, on which four questions are asked again (X7)."""
        return self.cycle.starts_on == self.today

    @property
    def word(self) -> str:
        """What the clinic has said about this first day; empty where no clinic is asked (R12)."""
        facts = {
            "when": _when(self.cycle.starts_on, self.today),
            "on": ui.long_day(self.confirmed_on) if self.confirmed_on else "",
        }
        if self.confirmed_on:
            return _("%(when)s, confirmed by your clinic on %(on)s.") % facts
        if not self.is_unconfirmed:
            return _("%(when)s.") % facts
        if self.cycle.starts_on < self.today:
            return _("Your clinic has not confirmed this start.")
        days = (self.cycle.starts_on - self.today).days
        day = {0: _("today"), 1: _("tomorrow")}.get(days, ui.long_day(self.cycle.starts_on))
        return _("Your clinic has not confirmed %(day)s yet.") % {"day": day}

    @property
    def outcome(self) -> str:
        """How many answers need a person; never more than that."""
        if not self.looks:
            return ""
        if not self.has_clinic:
            words = ngettext("%(n)s answer needs a person.", "%(n)s answers need a person.", self.looks)
        else:
            words = ngettext(
                "Your clinic needs to look at %(n)s thing before you start.",
                "Your clinic needs to look at %(n)s things before you start.",
                self.looks,
            )
        return words % {"n": self.looks}


def _when(starts_on: date, today: date) -> str:
    days = (starts_on - today).days
    if days == 1:
        return _("Your next date is tomorrow")
    return (
        _("Your first day is today") if days == 0 else _("Your next date is %(day)s") % {"day": ui.long_day(starts_on)}
    )


def of(courses: Iterable[Cycle | None], patient: Patient, today: date) -> Start | None:
    """The start that Today speaks of, from courses with `columns`; None in calm weeks and while a course waits."""
    known = [cycle for cycle in courses if cycle is not None and cycle.goes_ahead]
    cycle = confirming.course_to_prepare(known, today)
    if cycle is None or today < questions.opens_on(cycle.starts_on):
        return None
    row = cycle.__dict__
    unconfirmed = confirming.is_unconfirmed(row, cycle.starts_on)
    if cycle.starts_on < today and not unconfirmed:
        return None
    codes = {question.code for question in questions.asked(cycle.number)}
    answered = codes & _answered(row, cycle.starts_on, today)
    is_sent = row["sent_at"] is not None and row["newest_answer_at"] <= row["sent_at"]
    wanted = asking.wanted(cycle)
    confirmed = row["confirmed_at"] if row["confirmed_for"] == cycle.starts_on else None
    return Start(
        cycle=cycle,
        today=today,
        has_clinic=row["has_clinic"],
        is_unconfirmed=unconfirmed,
        confirmed_on=patient.today(confirmed) if confirmed else None,
        asked=len(codes),
        answered=len(answered),
        looks=len((codes | {"viral_load"}) & _split(row["looks"])) + _lacks_results(cycle, patient),
        is_sent=is_sent and answered == codes,
        wanted=len(wanted),
        ready=preparation.done(wanted, _split(row["ticked"])),
    )


def _answered(row: dict[str, Any], starts_on: date, today: date) -> set[str]:
    """The questions with an answer that still counts: of this week, and of today where day 1 asks again."""
    again = {question.code for question in questions.HAZARDS if question.on_day_1 and today == starts_on}
    return _split(row["fresh"]) - again | _split(row["of_today"])


def _lacks_results(cycle: Cycle, patient: Patient) -> bool:
    """P66: counted here as on the page before the course; `cycle` comes with the columns of course_tests."""
    return cycle.version.timing_matters and bool(course_tests.lacking(cycle, patient))


def _split(codes: str | None) -> set[str]:
    return set(codes.split(",")) if codes else set()
