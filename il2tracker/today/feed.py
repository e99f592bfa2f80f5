"""What stands in the private calendar feed: the dates of a patient's courses and blood tests, named as he chose.

What each state means there:
- An injection is a short entry at its hour on its own clock. Its name in the file is made of its course, day and slot,
  so that it stays the same entry when the course moves.
- A course is an entry over its days, so that helpers see which days are taken.
- On hold: the hold wins. No injection is in the feed, neither past nor to come; the course's own entry stays, as
  tentative, because its days are not free before a person has decided. It keeps its dates until then (H22).
- A start that still waits for the clinic's word (R1): everything of the course is tentative.
- Cancelled, stopped before that day, or fallen into a hold: the entry stays as cancelled, so that programs take back
  what they showed.
- Courses behind the next one are drafts (2.2) and are not in the feed; nor are injections given on a ward (P59).

The names (ux 3.1) never say the disease, the drug or a test, on any level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import confirming
from cycles.models import Cycle, PlannedDose
from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent
from il2tracker.today import calendar_entries as entries
from labs import course_tests
from labs.models import Bloodwork

# App's own: so long a course that is over stays in the feed; the diary itself keeps everything.
KEPT = timedelta(days=92)
INJECTION_TAKES = timedelta(minutes=15)  # app's own: an entry needs a length to be seen
# What changes a course's entries without another version of its row; the access log keeps it.
BESIDE_THE_ROW = ("cycles.cycle.rezoned", "cycles.readiness.confirmed")


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
    sequence: int
    changed_at: datetime

    def title(self, level: str) -> str:
        """Its title on this level."""
        return {Level.PLAIN: self.plain, Level.FULL: self.full}.get(Level(level), _("Diary"))

    @property
    def is_timed(self) -> bool:
        """Whether it has an hour, and so takes up time."""
        return isinstance(self.starts, datetime)


@dataclass(frozen=True)
class _Revision:
    """How often something was changed since it was made, and when last."""

    number: int
    at: datetime


def items(patient: Patient, now: datetime) -> list[Item]:
    """Every entry in the order of time: five statements, whatever the history holds."""
    today = patient.today(now)
    cycles = _courses(patient, today)
    doses: dict[int, list[PlannedDose]] = {cycle.pk: [] for cycle in cycles}
    for dose in PlannedDose.objects.filter(cycle__in=cycles).order_by("due_at"):
        doses[dose.cycle_id].append(dose)
    changes, tests = _course_changes(patient, cycles), _test_changes(cycles)
    found: list[Item] = []
    for cycle in cycles:
        changed = changes[cycle.pk]
        found += [_course(cycle, changed), *_injections(cycle, doses[cycle.pk], changed)]
        found += _blood_test(cycle, patient, today, _later(changed, tests.get(cycle.pk)))
    return sorted(found, key=lambda item: (_day(item.starts), item.is_timed, item.name))


def _day(moment: datetime | date) -> str:
    return moment.isoformat()


def _courses(patient: Patient, today: date) -> list[Cycle]:
    rows = Cycle.objects.of(patient).filter(last_dose_on__gte=today - KEPT)
    rows = rows.select_related("version", "bloodwork", "readiness")
    return list(rows.annotate(**course_tests.facts(today), **confirming.columns()).order_by("starts_on", "number"))


def _ahead(cycle: Cycle) -> Status:
    """Of what is to take place: certain once nobody has to confirm the start any more."""
    waits = confirming.is_unconfirmed(cycle.__dict__, cycle.starts_on)
    return Status.TENTATIVE if waits else Status.CONFIRMED


def _course(cycle: Cycle, changed: _Revision) -> Item:
    held = cycle.state == Cycle.State.HELD
    states = {Cycle.State.HELD: Status.TENTATIVE, Cycle.State.CANCELLED: Status.CANCELLED}
    last = min(cycle.last_dose_on, max(cycle.starts_on, cycle.stopped_on or cycle.last_dose_on))
    words = (_("Course %(number)s, on hold") if held else _("Course %(number)s")) % {"number": cycle.number}
    status = states.get(Cycle.State(cycle.state), _ahead(cycle))
    return _whole_days(cycle.ref, cycle.starts_on, last, words, status, changed)


def _injections(cycle: Cycle, doses: list[PlannedDose], changed: _Revision) -> Iterator[Item]:
    if cycle.state == Cycle.State.HELD or cycle.version.inpatient:
        return
    for dose in doses:
        yield Item(
            name=f"{cycle.ref}-{dose.day}-{dose.slot}",
            starts=dose.due_at.astimezone(ZoneInfo(dose.zone)),
            ends=(dose.due_at + INJECTION_TAKES).astimezone(ZoneInfo(dose.zone)),
            plain=_("Course day %(day)s") % {"day": dose.day},
            full=_("Injection %(amount)s") % {"amount": ui.miu(dose.amount)},
            status=_ahead(cycle) if cycle.wants(dose) else Status.CANCELLED,
            sequence=changed.number,
            changed_at=changed.at,
        )


def _blood_test(cycle: Cycle, patient: Patient, today: date, changed: _Revision) -> Iterator[Item]:
    test = entries.blood_test(cycle, patient, today)
    name, booked = f"{cycle.ref}-before", test.drawn_on or test.booked_for
    if booked:
        yield _whole_days(name, booked, booked, _("Blood test"), Status.CONFIRMED, changed)
    elif test.booking:
        yield _whole_days(name, *test.booking, _("Blood test to book"), Status.TENTATIVE, changed)


def _whole_days(name: str, first: date, last: date, words: str, status: Status, changed: _Revision) -> Item:
    after = last + timedelta(days=1)
    return Item(name, first, after, words, words, status, changed.number, changed.at)


# Which revision of an entry it is (RFC 5545 3.8.7.4): counted from what is kept anyway, so that it only ever rises.


def _course_changes(patient: Patient, cycles: list[Cycle]) -> dict[int, _Revision]:
    """Versions in the course's history after the first one, moves to another clock and confirmations of its start."""
    keys = {cycle.ref: cycle.pk for cycle in cycles}
    keys |= {cycle.readiness.ref: cycle.pk for cycle in cycles if hasattr(cycle, "readiness")}
    versions = Cycle.history.filter(id__in=keys.values()).values_list("id", "history_date")
    beside = AuditEvent.objects.filter(patient_ref=patient.ref, action__in=BESIDE_THE_ROW, subject_ref__in=keys)
    rows = [*versions, *((keys[ref], at) for ref, at in beside.values_list("subject_ref", "at"))]
    counted = _revisions(rows)
    made = {cycle.pk: _Revision(0, cycle.created_at) for cycle in cycles}
    return made | {key: _Revision(max(0, row.number - 1), row.at) for key, row in counted.items()}


def _test_changes(cycles: list[Cycle]) -> dict[int, _Revision]:
    return _revisions(list(Bloodwork.history.filter(cycle__in=cycles).values_list("cycle_id", "history_date")))


def _revisions(rows: list[tuple[int, datetime]]) -> dict[int, _Revision]:
    numbers = Counter(key for key, _at in rows)
    return {key: _Revision(number, max(at for other, at in rows if other == key)) for key, number in numbers.items()}


def _later(one: _Revision, other: _Revision | None) -> _Revision:
    return _Revision(one.number + other.number, max(one.at, other.at)) if other else one
