"""When the machine last worked, and whether the clock it works by can be believed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from il2tracker.reminders import clocks
from il2tracker.reminders.models import Heartbeat

SLACK = timedelta(minutes=10)


def planned(now: datetime) -> None:
    """A planning tick for the moment `now` came to its end."""
    _write(planned_at=now)


def restored() -> datetime:
    """A backup was put back, at this moment by the database's clock. Returns the moment."""
    _write(restored_at=Now())
    at = Heartbeat.read().restored_at
    assert at is not None
    return at


def swept() -> Heartbeat:
    """A sweep began, or goes on. Returns the row as it now stands."""
    _write(swept_at=Now(), boot=clocks.boot(), running_seconds=clocks.running_seconds())
    return Heartbeat.read()


def clock_jumped() -> bool:
    """Write the heartbeat; whether the database's clock moved otherwise than this computer's since the last one here.

    Nothing may expire on a clock that jumped. The next tick compares with this one, so it agrees again.
    """
    before, now = Heartbeat.read(), swept()
    if before.swept_at is None or before.running_seconds is None or before.boot != now.boot:
        return False
    assert now.swept_at is not None
    assert now.running_seconds is not None
    ran = timedelta(seconds=now.running_seconds - before.running_seconds)
    return abs((now.swept_at - before.swept_at) - ran) > SLACK


def _write(**beat: Any) -> None:
    if not Heartbeat.objects.filter(pk=1).update(**beat):
        Heartbeat.objects.update_or_create(pk=1, defaults=beat)
