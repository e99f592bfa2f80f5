"""Planning and sending beside the same work without the application, in one run: the ratios count, not the seconds.

Not collected with the tests: pytest tests/bench/reminders.py -s -p no:logging
"""

import smtplib
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from il2tracker.reminders import mails, planning, sending
from il2tracker.reminders.models import Reminder
from tests.faults import crowd
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

PATIENTS, MAILS = 1000, 1000


def timed(work: Callable[[], Any]) -> float:
    """Seconds on the wall."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.django_db(transaction=True)
def test_planning_and_sending(smtp_sink: SmtpSink) -> None:
    now = timezone.now()
    crowd.gather(PATIENTS, now)
    then = crowd.PlannedDose.objects.earliest("due_at").due_at
    first = timed(lambda: planning.plan(then))
    rows = Reminder.objects.count()
    again = timed(lambda: planning.plan(then))
    print(f"\nplan {PATIENTS} patients, {rows} rows: {first:.2f} s new, {again:.2f} s with nothing new")

    due = Reminder.objects.filter(kind="injection_due").order_by("pk")
    Reminder.objects.exclude(pk__in=due.values("pk")[:MAILS]).delete()
    outbox.bring_to_now(Reminder.objects.all())
    rows_with_people = Reminder.objects.select_related("recipient", "patient")
    texts = [mails.build(row, now).message().as_bytes(linesep="\r\n") for row in rows_with_people]

    def raw() -> None:
        with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as line:
            for text in texts:
                line.sendmail("diary@localhost", ["anna@example.org"], text)

    bare, whole = timed(raw), timed(sending.sweep)
    assert Reminder.objects.filter(state="sent").count() == MAILS
    print(f"send {MAILS}: {MAILS / whole:.0f}/s; bare SMTP {MAILS / bare:.0f}/s; ratio {bare / whole:.2f}")
