"""Where wishes come from: for each family of kinds the planner's wide question and the narrow one of the last look.

A kind that is planned belongs to exactly one source.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import DatabaseError
from django.db.models import Max, Min

from il2tracker.accounts.models import Patient
from il2tracker.reminders import (
    clinic_mails,
    facts,
    facts_of_check_ins,
    facts_of_clinics,
    facts_of_courses,
    kinds,
    of_alerts,
    of_calls,
    of_check_ins,
    of_clinics,
    of_courses,
    of_doses,
    of_plans,
)
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.of_doses import DoseFact
from il2tracker.reminders.wishes import Choices, Reason, Wish

LONGEST_LEAD = timedelta(minutes=max(kinds.LEADS))
LONGEST_LATER = timedelta(minutes=max(kinds.LATERS))
LONGEST_DAYS_BEFORE = max(kind.days_before for kind in kinds.DAY_KINDS)
ONE_DAY = timedelta(days=1)
MOST_UNKNOWN = 200  # so many patients in a row of whom nothing can be found out: then it is not about patients
logger = logging.getLogger(__name__)


class Everybody:
    """What is asked once for all patients."""

    @cached_property
    def choices(self) -> Choices:
        """What everybody chose."""
        return facts.choices()

    @cached_property
    def alerts(self) -> Mapping[int, str]:
        """Whose reminders of doses an open alert holds back."""
        return facts.open_alerts()

    @cached_property
    def carers(self) -> Mapping[int, list[int]]:
        """Who is told when a patient has not recorded something."""
        return facts.carers()


@dataclass(frozen=True)
class Round:
    """One planning tick: what is due between `since` and `until` is wished for as it stands at `now`.

    `patients`: only those between these two numbers, both included.
    """

    now: datetime
    since: datetime
    patients: tuple[int, int] | None = None
    everybody: Everybody = field(default_factory=Everybody)

    @property
    def until(self) -> datetime:
        """How far ahead rows are made."""
        return self.now + kinds.HORIZON

    @cached_property
    def doses(self) -> list[DoseFact]:
        """Every dose that any kind in this window may be about."""
        since = self.since - kinds.DOSE_LOOK_BACK - LONGEST_LATER
        return facts.doses_between(since, self.until + LONGEST_LEAD, **self.whose())

    def whose(self, patient: str = "patient") -> dict[str, Any]:
        """For a question whose path to the patient this is."""
        if self.patients is None:
            return {}
        return {f"{patient}__gte": self.patients[0], f"{patient}__lte": self.patients[1]}

    def holds(self, wish: Wish) -> bool:
        """Whether a wish belongs to this tick."""
        return wish.due_at <= self.until and wish.expires_at > self.since

    def halves(self) -> list[Round]:
        """The same tick for half of the patients at a time, however far apart their keys; none for only one."""
        if self.patients is None:
            return self._of_all()
        there = list(Patient.objects.filter(pk__range=self.patients).order_by("pk").values_list("pk", flat=True))
        half = len(there) // 2
        return [replace(self, patients=(part[0], part[-1])) for part in (there[:half], there[half:])] if half else []

    def _of_all(self) -> list[Round]:
        ends = Patient.objects.aggregate(first=Min("pk"), last=Max("pk"))
        return [replace(self, patients=(ends["first"], ends["last"]))] if ends["first"] else []


@dataclass(frozen=True)
class Source:
    """`every`: the wishes of all people in a round; `one`: those that a row's own facts give rise to now.

    `gone`: why a row is not wanted of which the facts no longer speak. `by_patient`: what fails for all can be asked
    again for some.
    """

    kinds: tuple[str, ...]
    every: Callable[[Round], Iterable[Wish]]
    one: Callable[[Reminder, datetime], Iterable[Wish]]
    gone: Reason = Reason.NOT_IN_PLAN
    by_patient: bool = True


def _all_doses(tick: Round) -> Iterator[Wish]:
    yield from of_doses.of_doses(tick.doses, tick.everybody.choices, tick.everybody.alerts)
    yield from of_doses.of_carers(tick.doses, tick.everybody.carers, tick.everybody.choices, tick.everybody.alerts)


def _one_dose(row: Reminder, now: datetime) -> Iterator[Wish]:
    dose = facts.dose(*of_doses.slot_of(row.occurrence))
    if dose is None or row.patient_id is None:
        return
    chosen, alerts = facts.choices(row.recipient_id, dose.owner.user_id), facts.open_alerts(row.patient_id)
    if row.kind == kinds.CARER_MISSING:
        yield from of_doses.of_carers([dose], facts.carers(row.patient_id), chosen, alerts)
    else:
        yield from of_doses.of_doses([dose], chosen, alerts)


def _all_pauses(tick: Round) -> Iterator[Wish]:
    return of_doses.of_pauses(tick.doses, tick.everybody.choices, tick.everybody.alerts, tick.now)


def _one_pause(row: Reminder, now: datetime) -> Iterator[Wish]:
    """A pause is told as long as its cause stands."""
    assert row.patient_id is not None
    assert row.says_at is not None
    doses = facts.doses_of(row.patient_id, row.says_at, row.says_at + kinds.HORIZON)
    slot_is_live = row.says_at - timedelta(minutes=1)
    chosen, alerts = facts.choices(row.recipient_id), facts.open_alerts(row.patient_id)
    return of_doses.of_pauses(doses, chosen, alerts, slot_is_live)


def _all_courses(tick: Round) -> Iterator[Wish]:
    last_start = tick.until.date() + timedelta(days=LONGEST_DAYS_BEFORE) + ONE_DAY
    starts = facts_of_courses.cycles_starting(tick.since.date() - ONE_DAY, last_start, tick.now, **tick.whose())
    return of_courses.of_cycles(starts, tick.everybody.choices)


def _one_course(row: Reminder, now: datetime) -> Iterator[Wish]:
    cycle = facts_of_courses.cycle(of_courses.cycle_of(row.occurrence), now)
    return of_courses.of_cycles([cycle] if cycle else [], facts.choices(row.recipient_id))


def _all_plans(tick: Round) -> Iterator[Wish]:
    return of_plans.of_plans(
        facts_of_courses.versions_to_read(tick.since, **tick.whose("plan__patient")), tick.everybody.choices
    )


def _one_plan(row: Reminder, now: datetime) -> Iterator[Wish]:
    version = facts_of_courses.version(*of_plans.version_of(row.occurrence))
    return of_plans.of_plans([version] if version else [], facts.choices(row.recipient_id))


def _all_reports(tick: Round) -> Iterator[Wish]:
    reports = facts_of_clinics.reports(tick.since, **tick.whose())
    members = {user_id for report in reports for user_id in report.people}
    return of_alerts.of_alerts(reports, facts.choices(None, *members))


def _one_report(row: Reminder, now: datetime) -> Iterator[Wish]:
    assert row.patient_id is not None
    assert row.says_at is not None
    report = facts_of_clinics.report(row.patient_id, row.says_at, row.occurrence)
    return of_alerts.of_alerts([report] if report else [], facts.choices(row.recipient_id))


def _all_digests(tick: Round) -> Iterator[Wish]:
    """Only one whose hour has come may have had nothing to say."""
    members = facts_of_clinics.members()
    under_way = of_clinics.of_members(members, tick.now, tick.now, tick.everybody.choices)
    has_come = any(wish.due_at <= tick.now < wish.expires_at for wish in under_way)
    empty = facts_of_clinics.empty_digests(tick.now) if has_come else ()
    return of_clinics.of_members(members, tick.since, tick.until, tick.everybody.choices, empty)


def _one_digest(row: Reminder, now: datetime) -> Iterator[Wish]:
    """Whether it has anything to say is found out now, and only for who wants no empty one."""
    members = facts_of_clinics.members(user=row.recipient_id, clinic__ref=of_clinics.clinic_of(row.occurrence))
    chosen = facts.choices(row.recipient_id)
    asks = bool(members) and of_clinics.wants_no_empty(chosen, row.recipient_id)
    empty = {row.key} if asks and clinic_mails.is_empty(row, now) else ()
    return of_clinics.of_one(members, row.occurrence, chosen, empty)


def _all_check_ins(tick: Round) -> Iterator[Wish]:
    choices = tick.everybody.choices
    found = facts_of_check_ins.of_all(choices, tick.now, **tick.whose("pk"))
    return of_check_ins.of_patients(found, tick.since, tick.until, choices)


def _one_check_in(row: Reminder, now: datetime) -> Iterator[Wish]:
    assert row.patient_id is not None
    found = facts_of_check_ins.of_patient(row.patient_id, now)
    return of_check_ins.of_one(found, row.occurrence, facts.choices(row.recipient_id))


def _all_calls(tick: Round) -> Iterator[Wish]:
    waiting = facts_of_clinics.calls_waiting()
    members = facts_of_clinics.members(clinic__ref__in=waiting) if waiting else []
    return of_calls.of_members(members, waiting, tick.since, tick.until, tick.everybody.choices)


def _one_call(row: Reminder, now: datetime) -> Iterator[Wish]:
    clinic_ref = of_clinics.clinic_of(row.occurrence)
    members = facts_of_clinics.members(user=row.recipient_id, clinic__ref=clinic_ref)
    waiting = facts_of_clinics.calls_waiting(patient__sharings__clinic__ref=clinic_ref)
    return of_calls.of_one(members, row.occurrence, waiting, facts.choices(row.recipient_id))


SOURCES = (
    Source(kinds.DOSE_KINDS, _all_doses, _one_dose),
    Source((kinds.PAUSED,), _all_pauses, _one_pause, Reason.RELEASED),
    Source(tuple(kind.name for kind in kinds.DAY_KINDS), _all_courses, _one_course),
    Source((kinds.PLAN_CHANGED,), _all_plans, _one_plan),
    Source((kinds.CHECK_IN,), _all_check_ins, _one_check_in),
    Source((kinds.RED_FLAG,), _all_reports, _one_report, Reason.NO_RECIPIENT),
    Source((kinds.DIGEST,), _all_digests, _one_digest, Reason.NO_RECIPIENT, by_patient=False),
    Source((kinds.TO_CALL,), _all_calls, _one_call, Reason.EMPTY, by_patient=False),
)
SOURCE_OF = {kind: source for source in SOURCES for kind in source.kinds}


@dataclass
class Found:
    """The wishes of a round, and what could not be found out: whole kinds, or (kind, patient)."""

    wishes: list[Wish] = field(default_factory=list)
    unknown_kinds: set[str] = field(default_factory=set)
    unknown: set[tuple[str, int]] = field(default_factory=set)

    def is_known(self, kind: str, patient_id: int | None) -> bool:
        """Whether it was found out what this patient is to be told of the kind."""
        return kind not in self.unknown_kinds and (kind, patient_id) not in self.unknown


def find(now: datetime, since: datetime, sources: Iterable[Source] = SOURCES) -> Found:
    """Every reminder that is due within the horizon and had not expired at `since`, with the reason if unwanted.

    What fails for one patient or in one family keeps nobody else's from being found. Raises only for the database.
    """
    tick, found = Round(now, since), Found()
    for source in sources:
        _ask(source, tick, found)
    return found


def wanted(now: datetime, since: datetime) -> Iterator[Wish]:
    """The wishes alone."""
    return iter(find(now, since).wishes)


def _ask(source: Source, tick: Round, found: Found) -> None:
    """All at once; if that fails, half of the patients at a time, until only those are left who cannot be asked."""
    before, rounds, unknown, cause = len(found.wishes), [tick], set[int](), ""
    while rounds and len(unknown) < MOST_UNKNOWN + len(found.wishes) - before:
        each = rounds.pop()
        try:
            found.wishes += [wish for wish in source.every(each) if each.holds(wish)]
        except DatabaseError:
            raise
        except Exception as error:
            cause, halves = type(error).__name__, each.halves() if source.by_patient else []
            rounds += halves
            if each.patients and not halves:
                unknown.add(each.patients[0])
    if rounds or (cause and _are_all(unknown)):
        found.unknown_kinds.update(source.kinds)
    found.unknown.update((kind, patient) for kind in source.kinds for patient in unknown)
    if cause:  # its class only: its words may hold what nobody may read
        numbers = ", ".join(map(str, sorted(unknown)))
        logger.error("No reminders of %s for patients %s: %s", ", ".join(source.kinds), numbers or "of all", cause)


def _are_all(unknown: Collection[int]) -> bool:
    """Whether there is nobody else, or nobody in particular could be named."""
    others = Patient.objects.filter(user__isnull=False).exclude(pk__in=unknown)
    return not unknown or not others.exists()


def wish_of(row: Reminder, now: datetime) -> Wish | None:
    """What the facts of this moment say about a planned row; None when they no longer speak of it."""
    return next((wish for wish in SOURCE_OF[row.kind].one(row, now) if wish.key == row.key), None)
