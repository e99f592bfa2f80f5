"""What another time zone would change, before it is saved (H09): the hours of courses to come follow, a course that
has begun keeps its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from cycles import schedule
from cycles.models import Cycle, PlannedDose
from il2tracker import ui
from il2tracker.accounts.models import Patient


@dataclass(frozen=True)
class Hour:
    """An injection before and after: "10pm in London, which is 5pm in New York". `new` is empty where nothing moves."""

    dose: PlannedDose
    old: str
    new: str


@dataclass(frozen=True)
class Course:
    """A course with the hours of one of its days."""

    cycle: Cycle
    hours: list[Hour]


@dataclass(frozen=True)
class Change:
    """`follows`: courses whose hours move to the new clock; `stays`: begun ones with injections still to come."""

    place: str
    old_now: str
    new_now: str
    follows: list[Course]
    stays: list[Course]


def preview(patient: Patient, zone: str, now: datetime, clock: str) -> Change:
    """What saving this zone now would do: three statements."""
    new = ZoneInfo(zone)
    today = now.astimezone(new).date()
    follows: list[Course] = []
    stays: list[Course] = []
    for cycle, doses in _going_on(patient, now):
        begun = cycle.starts_on <= today or any(dose.record for dose in doses)
        ahead = [dose for dose in doses if dose.due_at > now]
        first = [dose for dose in ahead if dose.due_on == ahead[0].due_on]
        hours = [_hour(dose, new, clock, stays=begun) for dose in first]
        if hours:
            (stays if begun else follows).append(Course(cycle, hours))
    return Change(place(zone), _at(now, patient.zone, clock), _at(now, new, clock), follows, stays)


def _going_on(patient: Patient, now: datetime) -> list[tuple[Cycle, list[PlannedDose]]]:
    cycles = list(Cycle.objects.of(patient).going_on(patient.today(now)).order_by("starts_on"))
    doses: dict[int, list[PlannedDose]] = {cycle.pk: [] for cycle in cycles}
    for dose in PlannedDose.objects.filter(cycle__in=cycles).with_records().order_by("due_at"):
        doses[dose.cycle_id].append(dose)
    return [(cycle, doses[cycle.pk]) for cycle in cycles]


def _hour(dose: PlannedDose, new: ZoneInfo, clock: str, *, stays: bool) -> Hour:
    old = ZoneInfo(dose.zone)
    was = _both(dose.due_at, old, new, clock)
    if stays:
        return Hour(dose, was, "")
    return Hour(dose, was, _both(schedule.moment(dose.due_on, dose.local_time, new), new, old, clock))


def _both(moment: datetime, one: ZoneInfo, other: ZoneInfo, clock: str) -> str:
    """A moment on two clocks, with the day of the second where it is another one."""
    here, there = moment.astimezone(one), moment.astimezone(other)
    facts = {"here": place(one.key), "there": place(other.key), "time": ui.clock(here, clock)}
    facts |= {"other": ui.clock(there, clock), "day": date_format(there, "l j F")}
    if here.utcoffset() == there.utcoffset():
        return _("%(time)s in %(here)s, and in %(there)s too") % facts
    if here.date() == there.date():
        return _("%(time)s in %(here)s, which is %(other)s in %(there)s") % facts
    return _("%(time)s in %(here)s, which is %(other)s on %(day)s in %(there)s") % facts


def _at(now: datetime, zone: ZoneInfo, clock: str) -> str:
    local = now.astimezone(zone)
    return _("%(time)s on %(day)s") % {"time": ui.clock(local, clock), "day": ui.long_day(local)}


def place(zone: str) -> str:
    """ "New York" for "America/New_York"."""
    return zone.rpartition("/")[2].replace("_", " ")
