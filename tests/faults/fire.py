"""Keeps senders alive and kills them until nothing is left to send; then counts what arrived against what is written.

The parts are shared by the short form in every run and by the long ones of `make faults`; only the numbers differ.
"""

from __future__ import annotations

import io
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import NamedTuple, Protocol

import psutil
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection, connections
from django.db.models.functions import Now

from il2tracker.reminders import clocks, invariants, kinds, planning
from il2tracker.reminders.models import Reminder, State
from tests.faults import crowd
from tests.faults.processes import Machine
from tests.smtp_sink import Received, SmtpSink

SENDERS = 4
LONGEST_REST = 30  # seconds before a program that ended is started again
GONE = (OperationalError, InterfaceError)
"""What Django raises while its database is away."""


class Senders(Protocol):
    """Whoever sends, to be killed at any moment."""

    def keep(self) -> None:
        """Start whoever is missing."""

    def kill(self, chance: random.Random) -> bool:
        """SIGKILL one of them; False when there was nobody."""

    def stop(self) -> None:
        """End them all."""


def forked(work: Callable[[], object]) -> int:
    """A process of its own that does `work` and ends; the process id. Its exit code is 0 when nothing was raised."""
    connections.close_all()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        code = 1
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def _end_with(parent: int) -> None:
    """A test that is killed itself leaves nobody behind who would send for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def loop() -> None:
    """`manage.py reminders --loop` without its planner, which would put the rows back that the tests have moved."""
    planning.plan = lambda: planning.Planned(0, 0, 0, 0)  # type: ignore[assignment]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        call_command("reminders", "--loop")


class Loops:
    """So many processes that sweep for ever."""

    def __init__(self, count: int = SENDERS) -> None:
        self.count, self.alive = count, set[int]()

    def keep(self) -> None:
        """Bury the dead, fill the ranks."""
        self.alive = {child for child in self.alive if not os.waitpid(child, os.WNOHANG)[0]}
        while len(self.alive) < self.count:
            self.alive.add(forked(loop))

    def kill(self, chance: random.Random) -> bool:
        os.kill(chance.choice(sorted(self.alive)), signal.SIGKILL)
        return True

    def stop(self) -> None:
        """Ask them to end, as a supervisor would, and wait."""
        for child in self.alive:
            os.kill(child, signal.SIGTERM)
        for child in self.alive:
            os.waitpid(child, 0)
        self.alive = set()


class Pool:
    """The children of a Celery worker, which a beat wakes through a broker. Restarts both when they end, each time a
    little later, as a supervisor does: Celery's own programs do not survive every loss of their broker."""

    def __init__(self, machine: Machine) -> None:
        self.restarts = {"worker": 0, "beat": 0}
        self.machine, self.starts = machine, {"worker": machine.worker, "beat": machine.beat}
        self.running = {name: start() for name, start in self.starts.items()}
        self.not_before = dict.fromkeys(self.starts, 0.0)

    def keep(self) -> None:
        """The worker replaces its children itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                self._again(name)

    def _again(self, name: str) -> None:
        now = time.monotonic()
        if not self.not_before[name]:
            self.not_before[name] = now + min(2 ** self.restarts[name], LONGEST_REST)
        elif now >= self.not_before[name]:
            self.running[name] = self.starts[name]()
            self.restarts[name], self.not_before[name] = self.restarts[name] + 1, 0.0

    def kill(self, chance: random.Random) -> bool:
        try:
            children = [c for c in psutil.Process(self.running["worker"].pid).children() if c.status() != "zombie"]
            if children:
                chance.choice(children).kill()
        except psutil.NoSuchProcess:
            return False
        return bool(children)

    def stop(self) -> None:
        self.machine.stop()


class Both:
    """Two kinds of senders side by side; a kill hits one kind or the other."""

    def __init__(self, *kinds: Senders) -> None:
        self.kinds = kinds

    def keep(self) -> None:
        for kind in self.kinds:
            kind.keep()

    def kill(self, chance: random.Random) -> bool:
        return chance.choice(self.kinds).kill(chance)

    def stop(self) -> None:
        for kind in self.kinds:
            kind.stop()


def open_rows() -> int:
    """What is neither at an end nor to be left in doubt for ever."""
    waits = Reminder.objects.filter(state__in=[State.PLANNED, State.SENDING]).count()
    return waits + Reminder.objects.filter(state=State.UNCERTAIN, kind__in=kinds.RESENT).count()


def left(before: int) -> int:
    """How many rows are open; as many as before while the database is away."""
    try:
        return open_rows()
    except GONE:
        connection.close()
        return before


def is_at_work() -> bool:
    """Whether somebody holds a row: a kill that hits nobody proves nothing."""
    try:
        return Reminder.objects.filter(state=State.SENDING, lease_until__gt=Now()).exists()
    except GONE:
        connection.close()
        return False


def send_all(
    senders: Senders, kills: int, chance: random.Random, *, disturb: Callable[[int], None] = lambda done: None
) -> int:
    """Until nothing is open; meanwhile `kills` of them at random moments, spread over the work.

    `disturb(done)` is called some ten times a second with the number of rows that are done. Returns how many were
    killed, always `kills`.
    """
    rows = still = open_rows()
    moments = sorted(chance.sample(range(rows * 9 // 10), kills))
    killed, deadline = 0, time.monotonic() + 1800
    try:
        while still:
            assert time.monotonic() < deadline, f"{still} rows are still open"
            senders.keep()
            time.sleep(chance.uniform(0.02, 0.1))
            disturb(rows - still)
            if killed < kills and rows - still >= moments[killed] and is_at_work():
                killed += senders.kill(chance)
            still = left(still)
    finally:
        senders.stop()
    return killed


@dataclass(frozen=True)
class Result:
    """What a run came to. `copies`: mails that came more than once; `doubtful`: rows left "perhaps sent"."""

    rows: int
    sent: int
    doubtful: int
    doubtful_but_arrived: int
    copies: int
    again: int  # rows that were claimed more than once

    def __str__(self) -> str:
        words = f"{self.rows} rows: {self.sent} sent, {self.doubtful} doubtful ({self.doubtful_but_arrived} arrived)"
        return f"{words}, {self.copies} copies of date mails, {self.again} tried again"


def settle_up(sink: SmtpSink, rows: int) -> Result:
    """Compare the rows with the mails, and fail on whatever was lost, doubled, renamed or is against an invariant."""
    ends = {str(row.message_uuid.int): row for row in Reminder.objects.select_related("recipient")}
    mails = [Mail.read(received) for received in sink.messages]
    arrived = Counter(mail.name for mail in mails)
    assert len(ends) == rows, "a row is gone or new"
    assert set(arrived) <= set(ends), "a mail has a name that no row gave it"
    others = [row for row in ends.values() if row.state not in {State.SENT, State.UNCERTAIN}]
    assert [(str(row), row.cancel_reason, row.last_error_class, row.attempts) for row in others] == [], "another end"
    assert [name for name, row in ends.items() if row.state == State.SENT and not arrived[name]] == [], "lost silently"
    doses = {name for name, row in ends.items() if row.kind in crowd.DOSES}
    assert [name for name in doses if arrived[name] > 1] == [], "a dose mail came twice"
    _refuse_two_names(mails, ends)
    assert invariants.broken(clocks.database_now()) == []
    doubtful = [name for name, row in ends.items() if row.state == State.UNCERTAIN]
    assert set(doubtful) <= doses, "a date mail stays in doubt"
    return Result(
        rows=rows,
        sent=rows - len(doubtful),
        doubtful=len(doubtful),
        doubtful_but_arrived=sum(arrived[name] for name in doubtful),
        copies=sum(count - 1 for count in arrived.values() if count > 1),
        again=sum(row.attempts > 1 for row in ends.values()),
    )


class Mail(NamedTuple):
    """What names a mail: its address, the switch that its foot stops, and its Message-ID."""

    to: str
    switch: str
    name: str

    @classmethod
    def read(cls, received: Received) -> Mail:
        """Only the head: ten thousand whole mails take minutes to read."""
        head = BytesHeaderParser(policy=compat32).parsebytes(received.raw.partition(b"\r\n\r\n")[0])
        (to,) = received.rcpt_tos
        return cls(to, str(head["List-Unsubscribe"]), str(head["Message-ID"]).strip(" \r\n<>").partition("@")[0])


def _refuse_two_names(mails: list[Mail], ends: dict[str, Reminder]) -> None:
    """A copy under another Message-ID would hide: so count names per person and kind by what else a mail carries."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mail in mails:
        names[mail.to, mail.switch].add(mail.name)
    for (to, _switch), found in names.items():
        (kind,) = {ends[name].kind for name in found}
        assert {ends[name].recipient.email for name in found} == {to}  # type: ignore[union-attr]
        assert len(found) <= crowd.EACH[kind], f"{to} got {len(found)} of {kind}"
