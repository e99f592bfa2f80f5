"""What stands in the private calendar feed: the dates of a patient's courses and blood tests, named as he chose.

What each state means there:
- An injection is a short entry at its hour on its own clock. Its name in the file is made of its course, day and slot,
  so that it stays the same entry when the course moves.
- A course is an entry over its days, so that helpers see which days are taken.
- On hold: the hold wins. No injection is in the feed, neither past nor to come; the course's own entry stays, as
  tentative, because its days are not free before a person has decided. It keeps its dates until then (H22). An open
  report that holds the reminders back (R1) does the same with every course that is not over.
- A start that still waits for the clinic's word (R1): everything of the course is tentative.
- Cancelled, stopped before that day, or fallen into a hold: the entry stays as cancelled, so that programs take back
  what they showed.
- Courses behind the next one are drafts (2.2) and are not in the feed; nor are injections given on a ward (P59).

The names (ux 3.1) never say the disease, the drug or which test, on any level. "Blood test" and "Injection" stand only
where their owner chose to be told more than "Diary".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import confirming
from cycles.models import Cycle, Hold, PlannedDose
from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.today import calendar_entries as entries
from labs import course_tests

# App's own: so long a course that is over stays in the feed; the diary itself keeps everything.
KEPT = timedelta(days=92)
INJECTION_TAKES = timedelta(minutes=15)  # app's own: an entry needs a length to be seen


class Level(models.TextChoices):
    """How much the names say (ux 3.1)."""

    DISCREET = "discreet", gettext_lazy("Discreet")
    PLAIN = "plain", gettext_lazy("Plain")
    FULL = "full", gettext_lazy("Full")


class Status(models.TextChoices):
    """What a calendar program is told (RFC 5545 3.8.1.11)."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Item:
    """One entry. `starts` and `ends` are moments on their own clock, or the first day and the day after the last."""

    name: str
    starts: datetime | date
    ends: datetime | date
    plain: str
    full: str
    status: Status

    def title(self, level: str) -> str:
        """Its title on this level."""
        return {Level.PLAIN: self.plain, Level.FULL: self.full}.get(Level(level), _("Diary"))

    @property
    def is_timed(self) -> bool:
        """Whether it has an hour, and so takes up time."""
        return isinstance(self.starts, datetime)

    def digest(self, level: str) -> str:
        """Another one as soon as anything of the entry reads differently on this level."""
        hours = [f"{moment.isoformat()} {getattr(moment, 'tzinfo', None)}" for moment in (self.starts, self.ends)]
        return hashlib.sha256("|".join([*hours, self.title(level), self.status]).encode()).hexdigest()[:16]


def items(patient: Patient, now: datetime) -> list[Item]:
    """Every entry in the order of time: two statements, whatever the history holds."""
    today = patient.today(now)
    cycles = _courses(patient, today)
    doses: dict[int, list[PlannedDose]] = {cycle.pk: [] for cycle in cycles}
    for dose in PlannedDose.objects.filter(cycle__in=cycles).order_by("due_at"):
        doses[dose.cycle_id].append(dose)
    found: list[Item] = []
    for cycle in cycles:
        waits = _waits(cycle, today)
        found += [_course(cycle, waits=waits), *([] if waits else _injections(cycle, doses[cycle.pk]))]
        found += _blood_test(cycle, patient, today)
    return sorted(found, key=lambda item: (_day(item.starts), item.is_timed, item.name))


def _day(moment: datetime | date) -> str:
    return moment.isoformat()


def _courses(patient: Patient, today: date) -> list[Cycle]:
    rows = Cycle.objects.of(patient).filter(last_dose_on__gte=today - KEPT)
    rows = rows.select_related("version", "bloodwork", "readiness")
    rows = rows.annotate(**course_tests.facts(today), **confirming.columns(), is_held_back=_is_held_back())
    return list(rows.order_by("starts_on", "number"))


def _is_held_back() -> Q:
    """For rows of a patient: whether a report or a hold stands that lets no reminder to inject leave."""
    alerts, holds = Alert.objects.holding(), Hold.objects.open()
    return Q(*(Exists(rows.filter(patient=OuterRef("patient"))) for rows in (alerts, holds)), _connector=Q.OR)


def _waits(cycle: Cycle, today: date) -> bool:
    """Whether no injection of it is announced before a person has decided."""
    stands = cycle.state == Cycle.State.PLANNED and cycle.last_dose_on >= today
    return cycle.state == Cycle.State.HELD or (stands and cycle.__dict__["is_held_back"])


def _ahead(cycle: Cycle) -> Status:
    """Of what is to take place: certain once nobody has to confirm the start any more."""
    waits = confirming.is_unconfirmed(cycle.__dict__, cycle.starts_on)
    return Status.TENTATIVE if waits else Status.CONFIRMED


def _course(cycle: Cycle, *, waits: bool) -> Item:
    last = min(cycle.last_dose_on, max(cycle.starts_on, cycle.stopped_on or cycle.last_dose_on))
    words = (_("Course %(number)s, on hold") if waits else _("Course %(number)s")) % {"number": cycle.number}
    status = Status.CANCELLED if cycle.state == Cycle.State.CANCELLED else _ahead(cycle)
    return _whole_days(cycle.ref, cycle.starts_on, last, words, Status.TENTATIVE if waits else status)


def _injections(cycle: Cycle, doses: list[PlannedDose]) -> Iterator[Item]:
    if cycle.version.inpatient:
        return
    for dose in doses:
        yield Item(
            name=f"{cycle.ref}-{dose.day}-{dose.slot}",
            starts=dose.due_at.astimezone(ZoneInfo(dose.zone)),
            ends=(dose.due_at + INJECTION_TAKES).astimezone(ZoneInfo(dose.zone)),
            plain=_("Course day %(day)s") % {"day": dose.day},
            full=_("Injection %(amount)s") % {"amount": ui.miu(dose.amount)},
            status=_ahead(cycle) if cycle.wants(dose) else Status.CANCELLED,
        )


def _blood_test(cycle: Cycle, patient: Patient, today: date) -> Iterator[Item]:
    test = entries.blood_test(cycle, patient, today)
    name, booked = f"{cycle.ref}-before", test.drawn_on or test.booked_for
    if booked:
        yield _whole_days(name, booked, booked, _("Blood test"), Status.CONFIRMED)
    elif test.booking:
        yield _whole_days(name, *test.booking, _("Blood test to book"), Status.TENTATIVE)


def _whole_days(name: str, first: date, last: date, words: str, status: Status) -> Item:
    return Item(name, first, last + timedelta(days=1), words, words, status)
