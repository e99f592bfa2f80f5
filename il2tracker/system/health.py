"""Whether the machine works: read for /healthz and for the line that staff see on every page when it does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, QuerySet, Subquery, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from il2tracker.reminders import forgetting
from il2tracker.reminders.models import Heartbeat, Reminder, State

SILENT_AFTER = timedelta(minutes=3)  # decisions.md 1C: whatever the settings say of how often the machine works
FAILED_SINCE = timedelta(days=1)  # how long a mail that was given up stays in the banner, unless it is seen before
WORKING, LATE, FAILED = "working", "late", "failed"


def pulse(now: datetime) -> dict[str, Any]:
    """For /healthz: status, database, and how old the last planning and the last sweep are, in seconds (None before
    the first). Never raises."""
    try:
        beat = Heartbeat.read()
    except DatabaseError:
        return {"status": FAILED, "database": FAILED, "plan_age_seconds": None, "sweep_age_seconds": None}
    is_silent = is_late(beat.planned_at, now) or is_late(beat.swept_at, now)
    return {
        "status": LATE if is_silent else WORKING,
        "database": WORKING,
        "plan_age_seconds": _age(beat.planned_at, now),
        "sweep_age_seconds": _age(beat.swept_at, now),
    }


def _age(seen_at: datetime | None, now: datetime) -> int | None:
    return None if seen_at is None else round((now - seen_at).total_seconds())


def is_late(seen_at: datetime | None, now: datetime) -> bool:
    """Whether a part of the machine has been silent for so long that staff must know."""
    return seen_at is None or now - seen_at > SILENT_AFTER


def complaint(now: datetime) -> str | Promise:
    """One sentence for staff when reminders do not go out; "" when they do. One statement, answered by indexes: the
    shared cache lies in the same database and would cost as much."""
    failing = Reminder.objects.exclude(last_error_class="").filter(failed_at__gte=now - FAILED_SINCE)
    unseen = forgetting.to_be_seen().exclude(last_error_class="").filter(failed_at__gte=now - FAILED_SINCE)
    row = (
        Heartbeat.objects.annotate(
            given_up=_count(unseen),
            held_up=_count(failing.filter(state__in=[State.PLANNED, State.SENDING])),
            too_late=_count(Reminder.objects.too_late(now - FAILED_SINCE)),
        )
        .values("planned_at", "swept_at", "given_up", "held_up", "too_late")
        .first()
    )
    found: dict[str, Any] = {**(row or {})}
    return _silence(found, now) or _trouble(found)


def _silence(row: dict[str, Any], now: datetime) -> str | Promise:
    if is_late(row.get("swept_at"), now):
        return _("Reminders are not going out: the sender has been silent for more than 3 minutes.")
    if is_late(row["planned_at"], now):
        return _("New reminders are not being planned: the planner has been silent for more than 3 minutes.")
    return ""


def _trouble(row: dict[str, Any]) -> str | Promise:
    if row["held_up"]:
        return _("Reminders are held up: the mail server does not take them. They are tried again.")
    if row["too_late"]:
        return _too_late(row["too_late"])
    if row["given_up"]:
        return _("In the past day some reminders could not be delivered.")
    return ""


def _too_late(count: int) -> str:
    return ngettext(
        "%(n)s reminder was too late to send since yesterday.",
        "%(n)s reminders were too late to send since yesterday.",
        count,
    ) % {"n": count}


def _count(reminders: QuerySet[Reminder]) -> Subquery:
    """How many, as a subquery: 0 when none (grouping by nothing gives no row, which is null, which is false)."""
    return Subquery(reminders.annotate(one=Value(1)).order_by().values("one").annotate(n=Count("pk")).values("n"))
