"""Six hours without planner, sender or mail, over three slots of a day: what is told afterwards, and to whom (H02)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from cycles.models import Plan, PlannedDose, Protocol
from cycles.plan_actions import create_plan
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient
from il2tracker.reminders import clocks, invariants, planning
from il2tracker.reminders.models import Heartbeat, Reminder
from il2tracker.system import health
from tests import factories
from tests.factories import Cast
from tests.faults.processes import Machine, wait_until
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
LEAD, OUTAGE = timedelta(minutes=15), timedelta(hours=6, minutes=30)
SLOTS = {"am": timedelta(hours=6), "noon": timedelta(hours=3), "pm": timedelta(0)}
"""How long ago the reminder of each slot was due."""


@pytest.fixture
def machine(tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Machine]:
    programs = Machine(tmp_path, smtp_sink)
    yield programs
    programs.stop()


@pytest.fixture
def cast() -> Cast:
    """Anna lives where it is noon now, so that all three slots lie on one day."""
    everybody = factories.cast()
    accounts.update_patient(by=everybody.anna, patient=everybody.anna_patient, time_zone=outbox.daytime())
    everybody.anna_patient.refresh_from_db()
    return everybody


def three_a_day(cast: Cast, now: datetime) -> Plan:
    """A plan that starts today with three slots, whose reminders were due six and three hours ago and are due now."""
    patient: Patient = cast.anna_patient
    document = {
        "unit": "MIU",
        "phases": [
            {"repeat": None, "cycle_days": 56, "doses": [{"days": "1-5", "slots": [*SLOTS], "amount": "5"}]},
        ],
    }
    hours = {slot: (now - ago + LEAD).astimezone(patient.zone).strftime("%H:%M") for slot, ago in SLOTS.items()}
    protocol = Protocol.objects.get(slug="hiv-sc-7-5")
    return create_plan(
        by=cast.ben,
        patient=patient,
        protocol=protocol,
        document=document,
        slot_times=hours,
        starts_on=patient.today(now),
        now=now,
    )


def nothing_runs_since(began: datetime) -> None:
    """As the last tick before the outage left it."""
    ran = clocks.running_seconds() - OUTAGE.total_seconds()
    beat = {"planned_at": began, "swept_at": began, "boot": clocks.boot(), "running_seconds": ran}
    Heartbeat.objects.update_or_create(pk=1, defaults=beat)


@pytest.mark.parametrize("was_planned", [True, False], ids=["rows were there", "nobody planned them either"])
def test_after_an_outage_old_slots_are_over_the_current_one_is_sent_once_and_staff_are_told(
    machine: Machine, smtp_sink: SmtpSink, cast: Cast, was_planned: bool
) -> None:
    now = timezone.now()
    plan = three_a_day(cast, now)
    PlannedDose.objects.update(created_at=now - timedelta(days=1))
    if was_planned:
        planning.plan(now - OUTAGE)
    nothing_runs_since(now - OUTAGE)
    assert "silent" in str(health.complaint(now))

    loop = machine.loop()
    today = Reminder.objects.filter(kind="injection_due", occurrence__contains=f"c{plan.cycles.get(number=1).pk}/d1/")
    wait_until(lambda: today.filter(state="sent").exists(), machine)
    before = Heartbeat.read().swept_at
    wait_until(lambda: Heartbeat.read().swept_at != before, machine)
    loop.send_signal(signal.SIGTERM)
    assert loop.wait(20) == 0, machine.logs()

    ends = {row.occurrence.rpartition("/")[2]: row for row in today}
    assert {slot: row.state for slot, row in ends.items()} == {"am": "expired", "noon": "expired", "pm": "sent"}
    names = [received.message["Message-ID"].partition("@")[0].strip("<") for received in smtp_sink.messages]
    assert names.count(str(ends["pm"].message_uuid.int)) == 1
    assert not {str(ends[slot].message_uuid.int) for slot in ("am", "noon")} & set(names)
    assert invariants.broken(clocks.database_now()) == []
    staff_are_told(cast, Reminder.objects.filter(state="expired").count())


def staff_are_told(cast: Cast, count: int) -> None:
    """The banner on every page of staff and the System page name how many came too late."""
    assert str(health.complaint(clocks.database_now())).startswith(f"{count} reminders were too late to send")
    for person, page in ((cast.ben, "/people/"), (cast.eve, "/system/")):
        staff = Client()
        staff.force_login(person)
        assert f"{count} reminders were too late to send" in staff.get(page).content.decode()
    assert "Mail too late to send" in staff.get("/system/").content.decode()
