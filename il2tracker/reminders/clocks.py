"""The two clocks of the machine: the database's says what time it is, the computer's own says how long things took.

Only the database's clock decides what is due, expired or lapsed, so that a worker with a wrong clock does no harm.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from django.db import connection
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(delay: timedelta) -> ExpressionWrapper:
    """The database's now plus `delay`, for use inside a statement."""
    return ExpressionWrapper(Now() + Value(delay, DurationField()), output_field=DateTimeField())


def database_now() -> datetime:
    """The database's now, aware; whole seconds on SQLite. In a transaction of PostgreSQL the time it began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (value,) = cursor.fetchone()
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


@cache
def boot() -> str:
    """Names this start of this computer; empty where there is no such name."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text(encoding="ascii").strip() if file.exists() else ""


def running_seconds() -> float:
    """How long this computer has run, asleep or awake. Nobody can set this clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
