"""Ten thousand reminders at one moment, and a mail server that thinks about each of them (goal 6)."""

from __future__ import annotations

import random
import statistics
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from il2tracker.accounts.models import User
from il2tracker.reminders import clocks, invariants
from il2tracker.reminders.models import Reminder
from tests.faults import crowd, fire
from tests.faults.processes import Machine, wait_until
from tests.services import free_port
from tests.smtp_sink import SmtpSink

pytestmark = [pytest.mark.faults_long, pytest.mark.database("postgres"), pytest.mark.django_db(transaction=True)]
PATIENTS, SENDERS = 10_000 // sum(crowd.EACH.values()), 8
ANSWERS_AFTER, EVERY = 0.1, 1.0  # seconds: of the mail server, and between two looks at a page
MOST_MINUTES, SLOWEST = timedelta(minutes=5), 0.5


class Reader:
    """Somebody who looks at a page every second, from another process than the one that serves it."""

    def __init__(self, port: int, user: User) -> None:
        client = Client()
        client.force_login(user)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers = {"Host": "diary.example", "Cookie": cookies}
        self.request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)
        self.seconds, self.last = list[float](), 0.0

    def look(self) -> None:
        """Once, and remember how long it took. Raises URLError for a page that does not come."""
        begun = time.monotonic()
        with urllib.request.urlopen(self.request, timeout=30) as answer:
            assert answer.url == self.request.full_url, "not signed in"
            answer.read()
        self.seconds.append(time.monotonic() - begun)

    def tick(self) -> None:
        """If it is time."""
        if time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            self.look()


@pytest.fixture
def reader(tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Reader]:
    """One patient of the crowd before the real web server."""
    crowd.gather(PATIENTS, timezone.now())
    machine, port = Machine(tmp_path, smtp_sink), free_port()
    machine.web(port)
    somebody = Reader(port, User.objects.get(email="p1@example.org"))

    def answers() -> bool:
        try:
            somebody.look()
        except OSError:
            return False
        return True

    wait_until(answers, machine)
    for _look in range(20):
        somebody.look()
    somebody.seconds.clear()
    yield somebody
    machine.stop()


def test_ten_thousand_at_once_are_accepted_within_five_minutes_and_pages_stay_quick(
    reader: Reader, smtp_sink: SmtpSink, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="mail.log")
    smtp_sink.takes, settings.SWEEP_EVERY_SECONDS = ANSWERS_AFTER, 1
    rows, began = crowd.everything_due(), clocks.database_now()
    fire.send_all(fire.Loops(SENDERS), 0, random.Random(0), disturb=lambda done: reader.tick())
    accepted = list(Reminder.objects.order_by("accepted_at").values_list("accepted_at", flat=True))
    took = accepted[-1] - began
    p95 = statistics.quantiles(reader.seconds, n=20)[-1]
    rate = rows / took.total_seconds()
    print(f"\n{rows} mails at {ANSWERS_AFTER * 1000:.0f} ms with {SENDERS} senders: {took}, {rate:.0f}/s")
    print(f"  {len(reader.seconds)} pages meanwhile: median {statistics.median(reader.seconds):.3f} s, p95 {p95:.3f} s")
    result = fire.settle_up(smtp_sink, rows)
    assert (result.sent, result.copies) == (rows, 0)
    assert invariants.broken(clocks.database_now()) == []
    assert took < MOST_MINUTES
    assert p95 < SLOWEST
