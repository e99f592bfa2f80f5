"""Planning and sending beside the same work without the application, in one run: the ratios count, not the seconds.

Not collected with the tests: pytest tests/bench/reminders.py -s -p no:logging
"""

import logging
import os
import smtplib
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from cycles.models import PlannedDose
from il2tracker.reminders import mails, planning, sending
from il2tracker.reminders.models import Reminder
from tests.faults import crowd
from tests.faults.fire import forked
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

PATIENTS, ANSWERS_AFTER, MANY = 142, 0.1, 8


def timed(work: Callable[[], Any]) -> float:
    """Seconds on the wall."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sweeps(count: int) -> None:
    """So many processes that send until nothing is due."""
    for child in [forked(sending.sweep) for _sender in range(count)]:
        assert os.waitpid(child, 0)[1] == 0


def again(rows: int) -> None:
    """As if nothing had been sent."""
    assert Reminder.objects.filter(state="sent").count() == rows
    Reminder.objects.update(state="planned", handing_over_at=None, accepted_at=None, attempts=0)
    outbox.bring_to_now(Reminder.objects.all())


@pytest.mark.django_db(transaction=True)
def test_planning_and_sending(smtp_sink: SmtpSink) -> None:
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    crowd.gather(PATIENTS, timezone.now())
    then = PlannedDose.objects.earliest("due_at").due_at
    first = timed(lambda: planning.plan(then))
    planned = Reminder.objects.count()
    nothing_new = timed(lambda: planning.plan(then))
    print(f"\nplan {PATIENTS + 1} patients, {planned} rows: {first:.2f} s new, {nothing_new:.2f} s with nothing new")
    Reminder.objects.all().delete()

    rows = crowd.everything_due()
    people = Reminder.objects.select_related("recipient", "patient")
    texts = [mails.build(row, timezone.now()).message().as_bytes(linesep="\r\n") for row in people]

    def raw() -> None:
        with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as line:
            for text in texts:
                line.sendmail("diary@localhost", ["anna@example.org"], text)

    bare = timed(lambda: os.waitpid(forked(raw), 0))
    print(f"{rows} mails against an instant server; bare SMTP on one line {rows / bare:.0f}/s")
    for senders in (1, 2):
        whole = timed(lambda senders=senders: sweeps(senders))
        print(f"  {senders} sender: {rows / whole:.0f}/s, ratio {bare / whole:.2f}")
        again(rows)
    smtp_sink.takes = ANSWERS_AFTER
    slow = timed(lambda: sweeps(MANY))
    most = MANY / ANSWERS_AFTER
    print(f"at {ANSWERS_AFTER * 1000:.0f} ms with {MANY} senders: {rows / slow:.0f}/s of {most:.0f}/s possible")
    again(rows)
