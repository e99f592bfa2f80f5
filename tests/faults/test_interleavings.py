"""A change that is saved before the hand-over always wins, however writing and sending fall into each other (I5, A2).

Order of commit is what counts: each change looks at its patient's reminder inside its own transaction, where the
patient's lock keeps every mark out. What was not marked then must never be.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cycles import course_actions, version_actions
from cycles.models import PlannedDose
from il2tracker.reminders import actions, claiming, clocks, invariants, kinds, sending
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.faults import crowd
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


class Pair:
    """One patient's next reminder that is due, and everything that can make it wrong."""

    def __init__(self, dose: PlannedDose, row: Reminder) -> None:
        self.dose, self.row, self.patient, self.cycle = dose, row, dose.patient, dose.cycle
        self.user = dose.patient.user
        assert self.user is not None

    def log(self) -> None:
        factories.injection(self.patient, self.user, self.dose)

    def hold(self) -> None:
        factories.hold(self.user, self.cycle, kind="infection")

    def opt_out(self) -> None:
        actions.choose(by=self.user, switches=dict.fromkeys(kinds.SWITCHES, False), lead_minutes=15)

    def move(self) -> None:
        today = self.patient.today(timezone.now())
        later = self.cycle.starts_on + timedelta(days=7)
        course_actions.move_cycle(by=self.user, cycle=self.cycle, starts_on=later, today=today, reason="work")

    def edit_plan(self) -> None:
        """A new signed version with another hour of the evening and the morning."""
        plan, version = self.cycle.plan, self.cycle.version
        version_actions.change_plan(
            by=self.user,
            plan=plan,
            base_number=version.number,
            from_course=self.cycle.number,
            document=version.document,
            slot_times={"am": "09:00", "pm": "21:00"},
            starts_on=self.cycle.starts_on,
            now=timezone.now(),
            change_reason="an hour earlier",
        )


CHANGES: dict[str, Callable[[Pair], None]] = {
    "plan edited": Pair.edit_plan,
    "course moved": Pair.move,
    "dose logged": Pair.log,
    "opted out": Pair.opt_out,
    "hold raised": Pair.hold,
}


def pairs(count: int) -> list[Pair]:
    """So many patients with one reminder of their first injection each; none is due yet."""
    crowd.gather(count - 1, timezone.now())
    crowd.everything_due()
    firsts = PlannedDose.objects.filter(day=1, slot="am").select_related(
        "patient__user", "cycle__plan", "cycle__version", "cycle__patient"
    )
    doses = {f"c{dose.cycle_id}/d1/am": dose for dose in firsts}
    Reminder.objects.exclude(kind="injection_due", occurrence__in=doses).delete()
    Reminder.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    found = [Pair(doses[row.occurrence], row) for row in Reminder.objects.order_by("pk")]
    assert len(found) == count
    return found


class Race:
    """Two threads with connections of their own: one writes, one sends, over and over.

    The sender has further to go, so it gets a head start, which follows who came first: about half the races go
    either way on a slow machine and on a quick one.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.threads, self.head_start = chance, ThreadPoolExecutor(2), 0.02

    def run(self, pair: Pair, change: Callable[[Pair], None]) -> bool:
        """Both at once; whether the mark had been committed before the change was."""
        outbox.change(pair.row, next_attempt_at=timezone.now() - timedelta(minutes=1))
        start = threading.Barrier(2)
        sent = self.threads.submit(self._send, start)
        wait = self.head_start * self.chance.uniform(0, 2)
        written = self.threads.submit(self._write, start, wait, pair, change)
        sent.result(60)
        mail_was_first = written.result(60)
        self.head_start *= 0.8 if mail_was_first else 1.25
        return mail_was_first

    def _send(self, start: threading.Barrier) -> None:
        batch = claiming.claim()
        start.wait(60)
        sending.send(batch)

    def _write(self, start: threading.Barrier, wait: float, pair: Pair, change: Callable[[Pair], None]) -> bool:
        start.wait(60)
        time.sleep(wait)
        with transaction.atomic():
            change(pair)
            return Reminder.objects.get(pk=pair.row.pk).handing_over_at is not None

    def end(self) -> None:
        """Close what the threads opened."""
        both = threading.Barrier(2)
        for closing in [self.threads.submit(self._close, both) for _thread in range(2)]:
            closing.result(60)
        self.threads.shutdown()

    def _close(self, both: threading.Barrier) -> None:
        both.wait(60)
        connection.close()


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.faults_long)])
def test_no_mail_is_marked_after_the_change_was_committed(
    smtp_sink: SmtpSink, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    caplog.set_level("WARNING", logger="mail.log")
    chance = random.Random(count)
    race, names = Race(chance), list(CHANGES)
    marked_first = dict[int, bool]()
    won = Counter[tuple[str, str]]()
    for number, pair in enumerate(pairs(count)):
        name = names[number % len(names)]
        marked_first[pair.row.pk] = race.run(pair, CHANGES[name])
        won[name, "mail" if marked_first[pair.row.pk] else "change"] += 1
    race.end()
    outbox.bring_to_now(Reminder.objects.filter(state="planned"))
    sending.sweep()
    rows = Reminder.objects.in_bulk()
    late = [row for row in rows.values() if row.handing_over_at and not marked_first[row.pk]]
    print(f"\n{connection.vendor}: {count} interleavings, {len(late)} marks after the change; first: {dict(won)}")
    assert late == []
    assert {row.state for row in rows.values() if not marked_first[row.pk]} == {"cancelled"}
    assert len(smtp_sink.messages) == sum(marked_first.values())
    assert min(sum(won[name, side] for name in names) for side in ("mail", "change")) >= count / 10, "no race"
    assert invariants.broken(clocks.database_now()) == []
