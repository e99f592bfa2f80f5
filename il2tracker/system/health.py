"""Whether the machine works: read for /healthz, the System page and the line that staff see when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, QuerySet, Subquery, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from il2tracker.reminders.models import Heartbeat, Reminder, State

SWEEP_LATE = timedelta(minutes=3)  # decisions.md 1C: the staff banner comes after three minutes
FAILED_SINCE = timedelta(days=1)  # how long a mail that was given up stays in the banner
WORKING, LATE, FAILED = "working", "late", "failed"


@dataclass(frozen=True)
class Row:
    """One line of the System page: what, how it is (WORKING, LATE, FAILED), since when, and what to do about it."""

    name: str | Promise
    state: str
    words: str | Promise
    seen_at: datetime | None = None
    remedy: str | Promise = ""


def pulse(now: datetime) -> dict[str, Any]:
    """For /healthz: status, database, sweep_age_seconds (None before the first sweep). Never raises."""
    try:
        swept_at = Heartbeat.read().swept_at
    except DatabaseError:
        return {"status": FAILED, "database": FAILED, "sweep_age_seconds": None}
    age = None if swept_at is None else round((now - swept_at).total_seconds())
    return {
        "status": LATE if is_late(swept_at, now) else WORKING,
        "database": WORKING,
        "sweep_age_seconds": age,
    }


def is_late(swept_at: datetime | None, now: datetime) -> bool:
    """Whether reminders have not been looked at for so long that staff must know."""
    return swept_at is None or now - swept_at > SWEEP_LATE


def complaint(now: datetime) -> str | Promise:
    """One sentence for staff when reminders do not go out; "" when they do. One statement, answered by indexes: the
    shared cache lies in the same database and would cost as much."""
    failing = Reminder.objects.exclude(last_error_class="").filter(failed_at__gte=now - FAILED_SINCE)
    row = (
        Heartbeat.objects.annotate(
            given_up=_count(failing.filter(state__in=[State.DEAD, State.UNCERTAIN])),
            held_up=_count(failing.filter(state__in=[State.PLANNED, State.SENDING])),
            too_late=_count(Reminder.objects.too_late(now - FAILED_SINCE)),
        )
        .values("swept_at", "given_up", "held_up", "too_late")
        .first()
    )
    if row is None or is_late(row["swept_at"], now):
        return _("Reminders are not going out: the worker has been silent for more than 3 minutes.")
    if row["held_up"]:
        return _("Reminders are held up: the mail server does not take them. They are tried again.")
    if row["too_late"]:
        return _too_late(row["too_late"])
    if row["given_up"]:
        return _("In the past day some reminders could not be delivered.")
    return ""


def _too_late(count: int) -> str:
    return ngettext(
        "%(n)s reminder was too late to send since yesterday. See in your list who may have missed it.",
        "%(n)s reminders were too late to send since yesterday. See in your list who may have missed them.",
        count,
    ) % {"n": count}


def _count(reminders: QuerySet[Reminder]) -> Subquery:
    """How many, as a subquery: 0 when none (grouping by nothing gives no row, which is null, which is false)."""
    return Subquery(reminders.annotate(one=Value(1)).order_by().values("one").annotate(n=Count("pk")).values("n"))


def rows(now: datetime) -> list[Row]:
    """The lines of the System page."""
    beat = Heartbeat.read()
    return [
        Row(_("Web and database"), WORKING, connection.display_name),
        _scheduler(beat, now),
        *_mail(Reminder.objects.health(now)),
        *_expired(Reminder.objects.too_late(now - FAILED_SINCE).count()),
        _broker(),
        _zones(),
    ]


def _scheduler(beat: Heartbeat, now: datetime) -> Row:
    name, remedy = _("Worker and scheduler"), _("Start worker and beat again, or run “manage.py reminders --loop”.")
    if beat.swept_at is None:
        return Row(name, LATE, _("not seen yet"), remedy=remedy)
    if is_late(beat.swept_at, now):
        return Row(name, FAILED, _("last seen"), beat.swept_at, remedy)
    return Row(name, WORKING, _("last seen"), beat.swept_at)


def _mail(health: dict[str, Any]) -> list[Row]:
    """The last mail that was accepted; what waits for another try; what was given up."""
    accepted_at, error = health["last_accepted_at"], health["last_error_class"]
    words = _("last accepted") if accepted_at else _("none sent yet")
    found = [Row(_("Mail"), WORKING, words, accepted_at)]
    waiting, given_up = health["retrying_count"], health["dead_count"] + health["uncertain_count"]
    if waiting:
        held_up = _("%(n)s waiting for another try. Last problem: %(error)s.") % {"n": waiting, "error": error}
        remedy = _("Check IL2_SMTP_HOST, IL2_SMTP_PORT and the account, and that the mail server runs.")
        found.append(Row(_("Mail held up"), LATE, held_up, remedy=remedy))
    if given_up:
        lost = _("%(n)s not delivered for certain. Last problem: %(error)s.") % {"n": given_up, "error": error}
        remedy = _("Check the e-mail addresses of the people concerned, and call them.")
        found.append(Row(_("Mail given up"), FAILED, lost, remedy=remedy))
    return found


def _expired(count: int) -> list[Row]:
    remedy = _("Worker or mail server stood still past their time. Tell the clinic: these people were not reminded.")
    words = _("%(n)s since yesterday") % {"n": count}
    return [Row(_("Mail too late to send"), FAILED, words, remedy=remedy)] if count else []


def _broker() -> Row:
    name, client = _("Broker"), redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        remedy = _("Start it again. Pages work without it, and no reminder is lost: they wait in the database.")
        return Row(name, FAILED, _("does not answer"), remedy=remedy)
    finally:
        client.close()
    return Row(name, WORKING, _("answers"))


def _zones() -> Row:
    name = _("Time zone data")
    try:
        ZoneInfo("Pacific/Auckland")
    except ZoneInfoNotFoundError:
        return Row(name, FAILED, _("missing"), remedy=_("Install the system's tzdata package."))
    system = next((Path(folder, "tzdata.zi") for folder in TZPATH if Path(folder, "tzdata.zi").exists()), None)
    if system is None:
        return Row(name, WORKING, f"tzdata {version('tzdata')}")
    with system.open(encoding="ascii") as file:
        return Row(name, WORKING, file.readline().removeprefix("# version ").strip())
