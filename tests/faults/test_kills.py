"""The promise of reliability.md 2b under fire: senders are killed at random moments while thousands of mails are due.

Minutes long, so only `make faults` runs it.
"""

import os
import random
import signal
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from il2tracker.reminders import clocks, invariants, sending
from il2tracker.reminders.models import Reminder, State
from tests.faults import crowd
from tests.smtp_sink import SmtpSink

pytestmark = [pytest.mark.faults_long, pytest.mark.django_db(transaction=True)]
SENDERS = 3


def sender() -> int:
    """A process of its own that sweeps once; the process id."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sending.sweep()
            code = 0
        finally:
            os._exit(code)
    return child


def open_rows() -> int:
    """What is neither at an end nor to be left in doubt for ever."""
    waits = Reminder.objects.filter(state__in=[State.PLANNED, State.SENDING]).count()
    return waits + Reminder.objects.filter(state=State.UNCERTAIN, kind="cycle_day").count()


def send_under_fire(kills: int, chance: random.Random) -> int:
    """Keep SENDERS alive until nothing is open; kill one of them every now and then. Returns how many were killed."""
    alive, killed, deadline = set[int](), 0, time.monotonic() + 1200
    while open_rows():
        assert time.monotonic() < deadline
        while len(alive) < SENDERS:
            alive.add(sender())
        time.sleep(chance.uniform(0.02, 0.3))
        if killed < kills:
            os.kill(chance.choice(sorted(alive)), signal.SIGKILL)
            killed += 1
        for child in list(alive):
            if os.waitpid(child, os.WNOHANG)[0]:
                alive.remove(child)
    for child in alive:
        os.waitpid(child, 0)
    return killed


@pytest.mark.parametrize(("patients", "kills", "seed"), [(1000, 100, 1), (1000, 100, 2), (1000, 100, 3)])
def test_nothing_is_lost_silently_and_no_dose_mail_is_doubled(
    smtp_sink: SmtpSink, settings: Any, patients: int, kills: int, seed: int
) -> None:
    settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT = 15, 3
    now = timezone.now()
    crowd.gather(patients, now)
    rows = crowd.everything_due(now)
    assert rows == 11 * (patients + 1)

    killed = send_under_fire(kills, random.Random(seed))

    arrived = Counter(str(mail.message["Message-ID"]).strip("<>").partition("@")[0] for mail in smtp_sink.messages)
    ends = {str(row.message_uuid.int): row for row in Reminder.objects.all()}
    assert len(ends) == rows, "nothing is deleted"
    assert {row.state for row in ends.values()} <= {State.SENT, State.UNCERTAIN}
    assert [name for name, row in ends.items() if row.state == State.SENT and not arrived[name]] == []
    doses = {name for name, row in ends.items() if row.kind == "injection_due"}
    assert [name for name in doses if arrived[name] > 1] == [], "no dose mail twice"
    copies = sum(count - 1 for name, count in arrived.items() if name not in doses)
    doubtful = sum(row.state == State.UNCERTAIN for row in ends.values())
    print(f"seed {seed}: {killed} kills, {rows} rows, {doubtful} doubtful, {copies} copies of date mails")
    assert killed >= kills
    assert copies <= killed
    assert doubtful <= killed
    assert set(arrived) <= set(ends)
    assert invariants.broken(clocks.database_now()) == []
