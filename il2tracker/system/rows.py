"""The lines of the System page: each part of the machine, how it is, since when, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import redis
from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from il2tracker.reminders import forgetting
from il2tracker.reminders.models import Delivery, Heartbeat, Reminder, State
from il2tracker.system.health import FAILED, FAILED_SINCE, LATE, WORKING, is_late

QUEUE_LATE = timedelta(minutes=5)  # reliability.md 5, row 6: 10,000 at once are through by then
NO_EVICTION = "noeviction"


@dataclass(frozen=True)
class Row:
    """One line: what, how it is (WORKING, LATE, FAILED), since when, and what to do about it.

    `can_be_seen`: staff can say that they have looked at it.
    """

    name: str | Promise
    state: str
    words: str | Promise
    seen_at: datetime | None = None
    remedy: str | Promise = ""
    can_be_seen: bool = False


def rows(now: datetime) -> list[Row]:
    """What works and what does not."""
    beat = Heartbeat.read()
    return [
        Row(_("Web and database"), WORKING, connection.display_name),
        _ticks(_("Planner"), beat.planned_at, now),
        _ticks(_("Sender"), beat.swept_at, now),
        _queue(now, is_planned=not is_late(beat.planned_at, now)),
        *_mail(Reminder.objects.health(now)),
        *_given_up(),
        *_expired(Reminder.objects.too_late(now - FAILED_SINCE).count()),
        *_too_many(now - FAILED_SINCE),
        *_restored(Reminder.objects.ended_by_restore(now - FAILED_SINCE).count()),
        *_refused(Delivery.objects.filter(refused_address=F("user__email")).exclude(refused_address="").count()),
        _broker(),
        _zones(),
    ]


def _ticks(name: str | Promise, seen_at: datetime | None, now: datetime) -> Row:
    remedy = _("Start worker and beat again, or run “manage.py reminders --loop”.")
    if seen_at is None:
        return Row(name, LATE, _("not seen yet"), remedy=remedy)
    if is_late(seen_at, now):
        return Row(name, FAILED, _("last seen"), seen_at, remedy)
    return Row(name, WORKING, _("last seen"), seen_at)


def _queue(now: datetime, *, is_planned: bool) -> Row:
    """How many mails should have left by now, and how long the first of them has waited. What the quiet hours or the
    next day hold back waits by right. While nothing is planned, nobody knows what should have left."""
    due = Reminder.objects.filter(state=State.PLANNED, next_attempt_at__lte=now, expires_at__gt=now)
    found = due.aggregate(count=Count("pk"), oldest=Min("next_attempt_at"))
    name, count = _("Mails that are due"), found["count"]
    if not is_planned:
        return Row(name, LATE, _("%(n)s wait; what came up since is not planned yet") % {"n": count})
    if not count:
        return Row(name, WORKING, _("none waits"))
    words = ngettext("%(n)s waits, due", "%(n)s wait, the first was due", count) % {"n": count}
    if now - found["oldest"] <= QUEUE_LATE:
        return Row(name, WORKING, words, found["oldest"])
    return Row(name, LATE, words, found["oldest"], _("Start more workers, or look at what the mail server says."))


def _mail(health: dict[str, Any]) -> list[Row]:
    """The last mail that was accepted; what waits for another try."""
    accepted_at, error = health["last_accepted_at"], health["last_error_class"]
    words = _("last accepted") if accepted_at else _("none sent yet")
    found = [Row(_("Mail"), WORKING, words, accepted_at)]
    if waiting := health["retrying_count"]:
        held_up = _("%(n)s waiting for another try. Last problem: %(error)s.") % {"n": waiting, "error": error}
        remedy = _("Check IL2_SMTP_HOST, IL2_SMTP_PORT and the account, and that the mail server runs.")
        found.append(Row(_("Mail held up"), LATE, held_up, remedy=remedy))
    return found


def _given_up() -> list[Row]:
    """What nobody has looked at yet (B18)."""
    unseen = forgetting.to_be_seen()
    if not (count := unseen.count()):
        return []
    newest = unseen.exclude(last_error_class="").order_by("-failed_at")
    error = newest.values_list("last_error_class", flat=True).first() or "-"
    lost = _("%(n)s not delivered for certain. Last problem: %(error)s.") % {"n": count, "error": error}
    remedy = _("Check the mail server and the addresses. The people concerned see it in their diaries.")
    return [Row(_("Mail given up"), FAILED, lost, remedy=remedy, can_be_seen=True)]


def _expired(count: int) -> list[Row]:
    remedy = _("Worker or mail server stood still past their time. Tell the clinic that some were not reminded.")
    words = _("%(n)s since yesterday") % {"n": count}
    return [Row(_("Mail too late to send"), FAILED, words, remedy=remedy)] if count else []


def _too_many(since: datetime) -> list[Row]:
    """What its reader's own choice of mails a day cost: no part of the machine failed."""
    if not (count := Reminder.objects.too_many(since).count()):
        return []
    words = _("%(n)s did not leave since yesterday, %(doses)s of them about injections")
    found = {"n": count, "doses": Reminder.objects.doses_too_many(since).count()}
    remedy = _("These people had as many mails on one day as they chose. They can choose more in their settings.")
    return [Row(_("More mails than a day holds"), LATE, words % found, remedy=remedy)]


def _restored(count: int) -> list[Row]:
    remedy = _(
        "They may have left before the backup was put back. Tell the clinic that some were perhaps not reminded."
    )
    words = _("%(n)s since yesterday") % {"n": count}
    return [Row(_("Mail ended by a restore"), LATE, words, remedy=remedy)] if count else []


def _refused(count: int) -> list[Row]:
    """Only how many: whose they are, stands with the people."""
    remedy = _("See People and clinics: correct the address. A test mail that arrives clears it too.")
    words = ngettext("%(n)s that a mail server refuses", "%(n)s that mail servers refuse", count) % {"n": count}
    return [Row(_("Addresses"), FAILED, words, remedy=remedy)] if count else []


def _broker() -> Row:
    name, client = _("Broker"), redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        client.ping()
        policy = _policy(client)
    except redis.RedisError:
        remedy = _("Start it again. Pages work without it, and no reminder is lost: they wait in the database.")
        return Row(name, FAILED, _("does not answer"), remedy=remedy)
    finally:
        client.close()
    if policy in {"", NO_EVICTION}:
        return Row(name, WORKING, _("answers"))
    words = _("answers, but throws things away when it is full (%(policy)s)") % {"policy": policy}
    return Row(name, LATE, words, remedy=_("Set its maxmemory-policy to noeviction."))


def _policy(client: redis.Redis) -> str:
    """What it does when its memory is full; "" where it does not say."""
    try:
        found: Any = client.config_get("maxmemory-policy")
    except redis.ResponseError:  # a hosted one may forbid the question
        return ""
    return str(found.get("maxmemory-policy", ""))


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
