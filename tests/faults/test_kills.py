"""The promise of reliability.md 2b under fire: senders are killed at random moments while thousands of mails are due.

A short form runs always; the long ones only by `make faults`, each on the database that it is about.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from il2tracker.reminders import claiming
from tests import services
from tests.faults import crowd, fire
from tests.faults.fire import SENDERS, Both, Loops, Pool, Senders
from tests.faults.processes import Machine
from tests.services import Broker, Postgres
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
long, on_postgres, on_sqlite = pytest.mark.faults_long, pytest.mark.database("postgres"), pytest.mark.database("sqlite")
CROWD = sum(crowd.EACH.values())
THOUSAND, THREE_THOUSAND, TEN_THOUSAND = 1000 // CROWD, 3000 // CROWD, 10_000 // CROWD  # patients, and one more
ANSWERS_AFTER = 0.02  # seconds: a real server thinks, and that is when a kill leaves a doubt


@pytest.fixture(autouse=True)
def patience(settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Seconds for what lasts minutes, in forked senders too; and no word from the mail server about each command."""
    settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT, settings.SWEEP_EVERY_SECONDS = 8, 5, 0.5
    monkeypatch.setattr(claiming, "FIRST_BACK_OFF", timedelta(seconds=2))
    caplog.set_level("WARNING", logger="mail.log")


def run(
    sink: SmtpSink,
    senders: Callable[[], Senders],
    *,
    patients: int,
    kills: int,
    seed: int,
    disturb: Callable[[int], None] = lambda done: None,
) -> fire.Result:
    """Gather, send under fire, settle up, and say what it came to."""
    sink.takes = ANSWERS_AFTER
    crowd.gather(patients, timezone.now())
    rows, began = crowd.everything_due(), time.monotonic()
    assert rows >= CROWD * patients
    killed = fire.send_all(senders(), kills, random.Random(seed), disturb=disturb)
    seconds = time.monotonic() - began
    result = fire.settle_up(sink, rows)
    print(f"\n{connection.vendor}, seed {seed}: {killed} kills, {result}; {seconds:.0f} s")
    assert killed == kills
    return result


def test_a_thousand_mails_and_fifteen_kills(
    smtp_sink: SmtpSink, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of the rows, so small batches: a kill strands as large a part of the work as in the long form."""
    settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT, settings.SWEEP_EVERY_SECONDS = 5, 3, 0.2
    monkeypatch.setattr(claiming, "BATCH", 20)
    monkeypatch.setattr(claiming, "FIRST_BACK_OFF", timedelta(seconds=0.5))
    result = run(smtp_sink, Loops, patients=THOUSAND, kills=15, seed=0)
    assert result.copies <= 15
    assert result.doubtful <= 15


@long
@on_postgres
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_silently_and_no_dose_mail_is_doubled(smtp_sink: SmtpSink, seed: int) -> None:
    result = run(smtp_sink, Loops, patients=TEN_THOUSAND, kills=100, seed=seed)
    assert result.copies <= 100
    assert result.doubtful <= 100


@long
@on_sqlite
def test_the_same_on_sqlite(smtp_sink: SmtpSink) -> None:
    result = run(smtp_sink, Loops, patients=THREE_THOUSAND, kills=50, seed=4)
    assert result.copies <= 50
    assert result.doubtful <= 50


@long
@on_postgres
def test_the_same_while_the_mail_server_puts_off_and_breaks_off(smtp_sink: SmtpSink) -> None:
    """5 % of the mails get 451, half of them only after the text; 1 % of the lines drop when the text was read."""
    smtp_sink.sometimes(5, rcpt_451=0.025, data_451=0.025, drop=0.01)
    result = run(smtp_sink, Loops, patients=TEN_THOUSAND, kills=100, seed=5)
    print(f"  {dict(smtp_sink.played)}")
    drops = smtp_sink.played["drop"]
    assert drops > 50
    assert smtp_sink.played["rcpt-451"] + smtp_sink.played["data-451"] > 300
    assert result.copies <= 100 + drops
    assert result.doubtful <= 100 + drops


@long
@on_postgres
def test_the_same_while_the_broker_is_killed_and_emptied_every_two_seconds(
    smtp_sink: SmtpSink, broker: Broker, tmp_path: Path
) -> None:
    """A real worker and beat send, and beside them loops that need no broker, because a worker needs two seconds to
    find its broker again. Nothing of value is lost with what the broker held."""
    machine = Machine(tmp_path, smtp_sink, broker.url)
    machine.environment |= {"IL2_REMINDER_LEASE": "8", "IL2_SMTP_TIMEOUT": "5", "IL2_PLAN_EVERY": "86400"}
    crashes, pools = Crashes(broker, every=2), list[Pool]()

    def senders() -> Senders:
        pools.append(Pool(machine))
        return Both(pools[0], Loops(SENDERS - 1))

    result = run(smtp_sink, senders, patients=TEN_THOUSAND, kills=100, seed=6, disturb=lambda done: crashes.tick())
    print(f"  {crashes.count} crashes of the broker, {sum(pools[0].restarts.values())} restarts of worker or beat")
    assert crashes.count > 20
    assert result.copies <= 100
    assert result.doubtful <= 100


class Crashes:
    """Kills the broker with all it knows, every so many seconds, and starts it again."""

    def __init__(self, broker: Broker, every: float) -> None:
        self.broker, self.every, self.count = broker, every, 0
        self.last = time.monotonic()

    def tick(self) -> None:
        """Now, if it is time."""
        if time.monotonic() - self.last > self.every:
            self.broker.crash()
            self.broker.start()
            self.count, self.last = self.count + 1, time.monotonic()


@pytest.fixture
def own_postgres(transactional_db: None) -> Iterator[Postgres]:
    """A server of this test's own that keeps what was committed; the test's connections point to it."""
    server = Postgres(durable=True)
    server.start()
    before = {name: connection.settings_dict[name] for name in ("HOST", "PORT", "NAME", "USER")}
    connection.close()
    connection.settings_dict.update(HOST="127.0.0.1", PORT=server.port, NAME="postgres", USER="diary")
    call_command("migrate", verbosity=0)
    yield server
    connection.close()
    connection.settings_dict.update(before)
    server.stop()


@long
@on_postgres
def test_the_same_while_the_database_is_stopped_hard_four_times(smtp_sink: SmtpSink, own_postgres: Postgres) -> None:
    """Every statement and every line breaks off; the senders that live go on when it is back."""
    moments = [2000, 4000, 6000, 8000]

    def stop_hard(done: int) -> None:
        if moments and done >= moments[0]:
            moments.pop(0)
            own_postgres.crash()
            time.sleep(1)
            own_postgres.start()

    result = run(smtp_sink, Loops, patients=TEN_THOUSAND, kills=100, seed=7, disturb=stop_hard)
    assert moments == []
    broken = 100 + 4 * fire.SENDERS
    assert result.copies <= broken
    assert result.doubtful <= broken
    assert services.NOT_HAD == {}
