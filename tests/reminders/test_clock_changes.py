"""Reminders in the weeks when the clocks change, and of patients who move: every civil slot once, at its hour.

The moments of the switch days are written out by hand (H08, A22): a slot in the gap moves forward by the gap, one that
comes twice is meant the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from cycles.models import Cycle, Protocol
from cycles.plan_actions import create_plan
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient
from il2tracker.reminders import planning
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
LEAD, DAYS, EVENING = timedelta(minutes=15), 7, "12:30"
DOCUMENT = {
    "unit": "MIU",
    "phases": [{"repeat": None, "cycle_days": 56, "doses": [{"days": "1-7", "slots": ["am", "pm"], "amount": "5"}]}],
}


class Switch(NamedTuple):
    """A zone, the day of its switch, an hour that the switch meets, and the moment that is meant by it."""

    zone: str
    day: date
    hour: str
    moment: datetime
    wall: str  # what the patient's clock shows then


SWITCHES = {
    "New York, forward": Switch("America/New_York", date(2027, 3, 14), "02:30", utc(2027, 3, 14, 7, 30), "03:30"),
    "New York, back": Switch("America/New_York", date(2027, 11, 7), "01:30", utc(2027, 11, 7, 5, 30), "01:30"),
    "London, forward": Switch("Europe/London", date(2027, 3, 28), "01:30", utc(2027, 3, 28, 1, 30), "02:30"),
    "London, back": Switch("Europe/London", date(2027, 10, 31), "01:30", utc(2027, 10, 31, 0, 30), "01:30"),
    "Lord Howe, forward": Switch("Australia/Lord_Howe", date(2027, 10, 3), "02:15", utc(2027, 10, 2, 15, 45), "02:45"),
    "Lord Howe, back": Switch("Australia/Lord_Howe", date(2027, 4, 4), "01:45", utc(2027, 4, 3, 14, 45), "01:45"),
    "Santiago, forward": Switch("America/Santiago", date(2027, 9, 5), "00:30", utc(2027, 9, 5, 4, 30), "01:30"),
    "Santiago, back": Switch("America/Santiago", date(2027, 4, 3), "23:30", utc(2027, 4, 4, 2, 30), "23:30"),
}


def course_of(patient: Patient, starts_on: date, hour: str) -> Cycle:
    """Seven days, twice a day: at the hour that the switch meets, and one half of a day away from it."""
    hours = sorted([hour, EVENING])
    plan = create_plan(
        by=patient.user,
        patient=patient,
        protocol=Protocol.objects.get(slug="hiv-sc-7-5"),
        document=DOCUMENT,
        slot_times={"am": hours[0], "pm": hours[1]},
        starts_on=starts_on,
        now=datetime.combine(starts_on - timedelta(days=20), time(12), tzinfo=patient.zone),
    )
    return plan.cycles.get(number=1)


def living_in(zone: str) -> Patient:
    lone = factories.lone_patient()
    return accounts.update_patient(by=lone.user, patient=lone, time_zone=zone)


def ticks(first: datetime, last: datetime, near: datetime) -> Iterator[datetime]:
    """Every three hours through the week, and every ten minutes around the switch."""
    now = first
    while now < last:
        yield now
        now += timedelta(minutes=10) if abs(now - near) < timedelta(hours=1) else timedelta(hours=3)


def live_through(first: datetime, last: datetime, near: datetime) -> None:
    """Plan at every tick; what has come due is sent, as a sender would."""
    for now in ticks(first, last, near):
        planning.plan(now)
        due = Reminder.objects.filter(state="planned", due_at__lte=now)
        due.update(state="sent", handing_over_at=now, accepted_at=now)


def slots() -> dict[str, datetime]:
    """Civil name of each slot told → the moment that its mail names."""
    rows = list(Reminder.objects.filter(kind="injection_due", state="sent"))
    assert all(row.due_at == row.says_at - LEAD for row in rows if row.says_at)
    found = {row.occurrence.partition("/")[2]: row.says_at for row in rows if row.says_at}
    assert len(found) == len(rows), "a slot has two rows"
    assert len(set(found.values())) == len(rows), "two mails at one moment"
    return found


@pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
def test_through_a_week_with_a_switch_each_slot_is_told_once_at_its_civil_hour(switch: Switch) -> None:
    zone = ZoneInfo(switch.zone)
    starts_on = switch.day - timedelta(days=3)
    course_of(living_in(switch.zone), starts_on, switch.hour)
    began = datetime.combine(starts_on, time(0), tzinfo=zone) - timedelta(days=1)
    live_through(began, began + timedelta(days=DAYS + 2), switch.moment)

    told = slots()
    assert set(told) == {f"d{day}/{slot}" for day in range(1, DAYS + 1) for slot in ("am", "pm")}
    walls = {name: at.astimezone(zone) for name, at in told.items()}
    on_switch = next(name for name, at in told.items() if at == switch.moment)
    assert on_switch.startswith("d4/")
    assert (walls[on_switch].date(), walls[on_switch].strftime("%H:%M")) == (switch.day, switch.wall)
    others = {(wall.date(), wall.strftime("%H:%M")) for name, wall in walls.items() if name != on_switch}
    civil = {(starts_on + timedelta(days=day), hour) for day in range(DAYS) for hour in (switch.hour, EVENING)}
    assert others == civil - {(switch.day, switch.hour)}


# Moving house


LONDON, NEW_YORK, SYDNEY = "Europe/London", "America/New_York", "Australia/Sydney"
START = date(2027, 6, 7)


@pytest.mark.parametrize("to", [NEW_YORK, SYDNEY])
def test_who_moves_in_mid_course_is_told_each_slot_once_at_the_hours_it_began_with(to: str) -> None:
    """H09: the course that runs keeps its clock; no slot is told again by the new one, and none is left out."""
    patient = living_in(LONDON)
    course_of(patient, START, "08:00")
    began = datetime.combine(START, time(0), tzinfo=patient.zone) - timedelta(days=1)
    moved = began + timedelta(days=4)
    live_through(began, moved, moved)
    before = slots()
    assert len(before) == 2 * 3
    accounts.update_patient(by=patient.user, patient=patient, time_zone=to)
    live_through(moved, began + timedelta(days=DAYS + 2), moved)
    told = slots()
    assert before.items() <= told.items()
    assert set(told) == {f"d{day}/{slot}" for day in range(1, DAYS + 1) for slot in ("am", "pm")}
    assert {at.astimezone(ZoneInfo(LONDON)).strftime("%H:%M") for at in told.values()} == {"08:00", EVENING}


@pytest.mark.parametrize("to", [NEW_YORK, SYDNEY])
def test_the_course_after_the_move_is_told_by_the_new_clock(to: str) -> None:
    patient = living_in(LONDON)
    course_of(patient, START, "08:00")
    planning.plan(datetime.combine(START + timedelta(days=1), time(12), tzinfo=patient.zone))
    following = Cycle.objects.get(number=2)
    accounts.update_patient(by=patient.user, patient=patient, time_zone=to)
    Reminder.objects.all().delete()
    began = datetime.combine(following.starts_on, time(0), tzinfo=ZoneInfo(to)) - timedelta(days=1)
    live_through(began, began + timedelta(days=DAYS + 2), began)
    told = slots()
    assert len(told) == 2 * DAYS
    assert {at.astimezone(ZoneInfo(to)).strftime("%H:%M") for at in told.values()} == {"08:00", EVENING}


def test_a_week_without_a_switch_gives_the_same_number() -> None:
    """So that the count of the switch weeks says something: 14 slots in seven days, whatever the clock did."""
    course_of(living_in("Asia/Tokyo"), START, "08:00")
    began = datetime.combine(START, time(0), tzinfo=ZoneInfo("Asia/Tokyo")) - timedelta(days=1)
    live_through(began, began + timedelta(days=DAYS + 2), began)
    assert len(slots()) == 2 * DAYS
