"""Who needs a person first, and why, in words. The order is fixed (ux 2.10); every reason is recomputed when read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from enum import IntEnum

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import confirming, last_doses, schedule
from cycles.bloodwork import draw_day
from cycles.models import Cycle, Hold, Injection, PlannedDose
from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.clinic import of_alerts, outside, readiness
from labs import course_tests, to_see
from labs.facts import CD4, VIRAL_LOAD
from labs.models import ToSee
from sideeffects.models import CheckIn

STARTS_SOON = timedelta(days=14)  # P54: results are due two weeks before a course
GRACE = timedelta(minutes=60)  # decisions.md 2: an injection counts as not recorded an hour after its time
QUIET = timedelta(days=2)  # decisions.md 2: nothing recorded for two days in a course
STILL_ASKED = timedelta(days=7)  # app's own: so long after a course its open injections stay on the list


class Rank(IntEnum):
    """The fixed order of the list. The gaps are kinds of reason that come with later parts of the diary."""

    UNANSWERED = 0
    URGENT = 1
    DOSES = 2
    OUTSIDE = 3
    READINESS = 4
    RESULTS = 5
    CHANGED = 6
    IN_HAND = 7
    QUIET = 8
    NOTHING = 9


LEVELS = {
    **dict.fromkeys((Rank.UNANSWERED, Rank.URGENT), 1),
    **dict.fromkeys((Rank.DOSES, Rank.OUTSIDE, Rank.READINESS, Rank.RESULTS), 2),
    **dict.fromkeys((Rank.CHANGED, Rank.IN_HAND, Rank.QUIET), 3),
    Rank.NOTHING: 0,
}


@dataclass(frozen=True)
class Reason:
    """Why a patient is on the list: `words`, one line of `detail`, and since when, which orders equal ranks."""

    rank: Rank
    words: str
    detail: str
    since: str
    alert: Alert | None = None
    is_hold: bool = False

    @property
    def level(self) -> int:
        """1 urgent, 2 act, 3 look, 0 nothing: colour and sign on the page."""
        return LEVELS[self.rank]


@dataclass(frozen=True)
class Seen:
    """A course with what the list asks of it; the row carries what course_tests reads. Moments are UTC."""

    cycle: Cycle
    timing: bool
    booked_for: date | None
    next_due_at: datetime | None
    missing: int | None
    missing_first: datetime | None
    last_given_at: datetime | None
    last_injection_at: datetime | None
    last_check_in_at: datetime | None
    asks_clinic: bool
    confirmed_for: date | None
    sent_at: datetime | None
    looks: str | None

    @property
    def waits(self) -> bool:
        """Whether it is on hold."""
        return self.cycle.state == Cycle.State.HELD

    @property
    def is_unconfirmed(self) -> bool:
        """Whether its start waits for the clinic's word, and its reminders with it (R1)."""
        return self.cycle.goes_ahead and confirming.is_unconfirmed(vars(self), self.cycle.starts_on)


FACTS = [each.name for each in fields(Seen) if each.name != "cycle"]


@dataclass
class Facts:
    """What is known of one patient before anything is said about it. Civil dates are the patient's."""

    patient: Patient
    today: date
    alerts: list[Alert] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    to_see: list[ToSee] = field(default_factory=list)
    current: Seen | None = None
    coming: Seen | None = None

    @property
    def seen(self) -> list[Seen]:
        """The courses that the list asks about."""
        return [seen for seen in (self.current, self.coming) if seen]

    @property
    def in_course(self) -> bool:
        """Whether today is one of a course's days."""
        return self.current is not None and self.current.cycle.is_running(self.today)

    @property
    def starts_soon(self) -> bool:
        """Whether a course that goes ahead starts within two weeks."""
        coming = self.coming.cycle if self.coming else None
        return coming is not None and coming.goes_ahead and coming.starts_on - self.today <= STARTS_SOON

    @property
    def missing(self) -> int:
        """Injections of the course that started last without a record, as long as they are asked for."""
        current = self.current
        if current is None or self.today > current.cycle.last_dose_on + STILL_ASKED:
            return 0
        return current.missing or 0

    @property
    def unreported_holds(self) -> list[Hold]:
        """Open holds without an open alert that stands on the list for them: only a person lifts one (H22)."""
        reported = {alert.source_ref for alert in self.alerts if alert.is_open}
        return [hold for hold in self.holds if hold.ref not in reported]

    @property
    def last_dose_on(self) -> date | None:
        """The last injection before the next course as far as anybody knows (A11)."""
        return last_doses.last_dose_on(self.coming.cycle, self.patient) if self.coming else None


def gather(patients: QuerySet[Patient], now: datetime) -> list[Facts]:
    """Facts about these patients, in at most six statements however many there are."""
    facts = {patient.pk: Facts(patient, patient.today(now)) for patient in patients}
    for alert in Alert.objects.not_closed().filter(patient__in=patients).order_by("raised_at", "pk"):
        facts[alert.patient_id].alerts.append(alert)
    for hold in Hold.objects.open().filter(patient__in=patients).order_by("raised_at", "pk"):
        facts[hold.patient_id].holds.append(hold)
    for patient_id, rows in to_see.unseen(patients).items():
        facts[patient_id].to_see = rows
    for cycle in _cycles(patients, now):
        _place(facts[cycle.patient_id], cycle)
    return list(facts.values())


def _place(known: Facts, cycle: Cycle) -> None:
    seen = Seen(cycle, **{name: getattr(cycle, name) for name in FACTS})
    if cycle.starts_on <= known.today:
        known.current = seen
    elif known.coming is None:
        known.coming = seen


def _cycles(patients: QuerySet[Patient], now: datetime) -> Iterable[Cycle]:
    """Of every active plan the course that started last and those to come; one day of slack for the zones."""
    going_on = Cycle.objects.exclude(state=Cycle.State.CANCELLED).filter(plan__ended_on__isnull=True)
    started = now.date() - timedelta(days=1)
    followed = going_on.filter(plan=OuterRef("plan"), starts_on__gt=OuterRef("starts_on"), starts_on__lte=started)
    rows = going_on.filter(~Exists(followed), patient__in=patients).order_by("starts_on")
    return rows.annotate(
        timing=F("version__timing_matters"),
        booked_for=F("bloodwork__booked_for"),
        sent_at=F("readiness__sent_at"),
        looks=readiness.answers_to_look_at(),
        **confirming.columns(),
        **_of_doses(now),
        **_of_records(),
        **course_tests.facts(),
    )


def _of_doses(now: datetime) -> dict[str, Subquery]:
    doses = PlannedDose.objects.asked_for().filter(cycle=OuterRef("pk")).order_by("due_at")
    due = doses.filter(due_at__lt=now - GRACE)
    return {
        "next_due_at": Subquery(doses.filter(due_at__gt=now).values("due_at")[:1]),
        "missing": Subquery(due.order_by().values("cycle").annotate(count=Count("pk")).values("count")),
        "missing_first": Subquery(due.values("due_at")[:1]),
    }


def _of_records() -> dict[str, Subquery]:
    given = Injection.objects.given().filter(patient=OuterRef("patient")).order_by("-given_at")
    recorded = Injection.objects.standing().filter(planned_dose__cycle=OuterRef("pk")).order_by("-recorded_at")
    check_ins = CheckIn.objects.filter(patient=OuterRef("patient")).newest_first()
    return {
        "last_given_at": Subquery(given.values("given_at")[:1]),
        "last_injection_at": Subquery(recorded.values("recorded_at")[:1]),
        "last_check_in_at": Subquery(check_ins.values("recorded_at")[:1]),
    }


# Reasons


def reasons(known: Facts, now: datetime, clock: str) -> list[Reason]:
    """Every reason why somebody has to look at this patient, the first one first; never empty."""
    found = [_of_alert(alert, known, now, clock) for alert in known.alerts]
    if known.missing >= 2:
        found.append(_of_missing(known))
    found += _of_unseen(known)
    found += [_of_hold(hold, known) for hold in known.unreported_holds]
    found += [_of_wait(seen.cycle) for seen in known.seen if seen.waits and not known.holds]
    if start := readiness.course_to_look_at(known.current, known.coming, known.today):
        found.append(_of_readiness(known, start))
    if lacks := missing_results(known):
        found.append(_of_results(known, lacks))
    if _is_quiet(known, now):
        found.append(_of_silence(known, clock))
    return sorted(found, key=lambda reason: (reason.rank, reason.since)) or [_nothing(known)]


def _of_alert(alert: Alert, known: Facts, now: datetime, clock: str) -> Reason:
    at = alert.raised_at.astimezone(known.patient.zone)
    day = "" if at.date() == known.today else f"{ui.short_day(at)} "
    words = _("%(what)s, %(when)s") % {"what": alert.title, "when": day + ui.clock(at, clock)}
    return Reason(_rank(alert), words, of_alerts.detail(alert, known.patient, now, clock), _since(alert), alert)


def _rank(alert: Alert) -> Rank:
    """Whoever cannot reach anybody comes first of all, also after an acknowledgement; what is in hand after whatever
    nobody has answered."""
    cannot_reach = alert.is_waiting and alert.patient_answer == Alert.Answer.NOT_REACHED
    if cannot_reach or (alert.is_open and alert.is_urgent and alert.nobody_reached_at):
        return Rank.UNANSWERED
    if alert.is_in_hand:
        return Rank.IN_HAND
    return Rank.URGENT if alert.is_urgent else Rank.DOSES


def _since(alert: Alert) -> str:
    since = alert.patient_answered_at if alert.is_lifted and alert.patient_answered_at else alert.raised_at
    return since.isoformat()


def _of_missing(known: Facts) -> Reason:
    first = known.current.missing_first if known.current else None
    assert first is not None
    words = ngettext("%(n)s injection not recorded", "%(n)s injections not recorded", known.missing)
    detail = _("The first on %(day)s.") % {"day": ui.long_day(first.astimezone(known.patient.zone))}
    return Reason(Rank.DOSES, words % {"n": known.missing}, detail, first.isoformat())


def _of_unseen(known: Facts) -> list[Reason]:
    """Results outside their range, and entries of the clinic that others changed, until a person has seen them."""
    outer = [row for row in known.to_see if row.why == ToSee.Why.OUTSIDE]
    changed = [row for row in known.to_see if row.why != ToSee.Why.OUTSIDE]
    return [
        Reason(rank, outside.in_words(rows), outside.detail(rows), outside.since(rows))
        for rank, rows in ((Rank.OUTSIDE, outer), (Rank.CHANGED, changed))
        if rows
    ]


def _of_hold(hold: Hold, known: Facts) -> Reason:
    facts = {"kind": hold.get_kind_display(), "day": ui.long_day(hold.raised_at.astimezone(known.patient.zone))}
    detail = _("Since %(day)s; nothing is asked for until somebody lifts it.") % facts
    words = f"{hold.reason.rstrip('.')}. {detail}" if hold.reason else detail
    return Reason(Rank.READINESS, _("On hold: %(kind)s") % facts, words, hold.raised_at.isoformat(), is_hold=True)


def _of_wait(cycle: Cycle) -> Reason:
    """A course that waits although every hold is lifted: its own first day passed meanwhile."""
    words = _("Course %(number)s waits") % {"number": cycle.number}
    return Reason(Rank.READINESS, words, cycle.reason, cycle.starts_on.isoformat(), is_hold=True)


def _of_readiness(known: Facts, start: Seen) -> Reason:
    """What was answered and needs a person first; else that the start waits for the clinic's word."""
    words = readiness.looks_in_words(start.looks) if start.looks else _("Start not confirmed")
    detail = readiness.detail(start, known.today)
    return Reason(Rank.READINESS, words, detail, start.cycle.starts_on.isoformat())


def missing_results(known: Facts) -> list[tuple[str, date | None]]:
    """Which of the two tests have no result that counts for the course that starts soon, each with its newest draw.

    Reliable and in the window (2.4, D17). Nothing is asked where no draw can count by then, or while it is booked.
    """
    coming = known.coming
    if not (known.starts_soon and coming and coming.timing):
        return []
    starts_on = coming.cycle.starts_on
    if not schedule.bloodwork_possible(known.last_dose_on, starts_on):
        return []
    if coming.booked_for and coming.booked_for >= known.today:
        return []
    names = {CD4: "CD4+", VIRAL_LOAD: _("viral load")}
    newest = course_tests.newest(coming.cycle)
    return [(names[code], newest[code]) for code in course_tests.lacking(coming.cycle, known.patient)]


def _of_results(known: Facts, lacks: list[tuple[str, date | None]]) -> Reason:
    assert known.coming is not None
    starts_on = known.coming.cycle.starts_on
    newest = max((on for _name, on in lacks if on), default=None)
    too_soon = newest and known.last_dose_on and newest > known.last_dose_on
    facts = {
        "tests": _(" and ").join(name for name, _on in lacks),
        "course": ui.ago(starts_on, known.today),
        "due": ui.long_day(draw_day(schedule.bloodwork_due(starts_on), known.last_dose_on)),
        "drawn": ui.long_day(newest) if newest else "",
        "days": (newest - known.last_dose_on).days if newest and known.last_dose_on else 0,
    }
    if newest and course_tests.unsettled(known.coming.cycle, known.patient):
        words = _("Not known whether there was IL-2 before this diary")
        detail = _("No blood result counts until it is noted. Course %(course)s.") % facts
    elif too_soon:
        words = _("Only results taken too soon: %(tests)s") % facts
        detail = _("%(drawn)s, %(days)s days after the last injection. Course %(course)s.") % facts
    else:
        words = _("Blood results missing: %(tests)s") % facts
        detail = _("Due %(due)s. Course %(course)s.") % facts
    return Reason(Rank.RESULTS, words, detail, starts_on.isoformat())


def _is_quiet(known: Facts, now: datetime) -> bool:
    """Two days in a course without any entry, although an injection fell due meanwhile."""
    return known.in_course and known.missing > 0 and now - QUIET >= _recorded_or_start(known)


def _recorded_or_start(known: Facts) -> datetime:
    seen = known.current
    assert seen is not None
    start = datetime.combine(seen.cycle.starts_on, time(0), tzinfo=known.patient.zone)
    return max(filter(None, [seen.last_injection_at, seen.last_check_in_at, start]))


def _of_silence(known: Facts, clock: str) -> Reason:
    since = _recorded_or_start(known).astimezone(known.patient.zone)
    words = _("Nothing recorded since %(day)s, %(time)s") % {"day": ui.short_day(since), "time": ui.clock(since, clock)}
    return Reason(Rank.QUIET, words, _("In a course, and injections were due."), since.isoformat())


def _nothing(known: Facts) -> Reason:
    coming = known.coming.cycle.starts_on.isoformat() if known.coming else "9999"
    booked = known.coming.booked_for if known.coming else None
    detail = _("Blood test booked for %(day)s.") % {"day": ui.long_day(booked)} if booked else ""
    if known.current is None and known.coming is None:
        detail = _("No plan yet.")
    return Reason(Rank.NOTHING, _("Nothing waits here"), detail, ("0" if known.in_course else "1") + coming)
