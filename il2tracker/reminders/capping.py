"""How many mails one person gets in one civil day (decisions.md 1C; peers.md 3, row 7). Asked under the locks, right
before the mark, so that two senders cannot both find the last place free."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from il2tracker.reminders import kinds
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.wishes import Choices, Quiet

CAPPED = tuple(name for name, policy in kinds.POLICIES.items() if policy.is_capped)
ABOUT_DOSES = tuple(name for name in CAPPED if kinds.POLICIES[name].urgency == kinds.Urgency.DOSE)
LONGEST_WAIT = timedelta(days=60)  # nothing leaves so long after it was due; the index is by that


def is_full(row: Reminder, now: datetime, people: Choices) -> bool:
    """Whether the recipient has had enough mails on the row's civil day. Kinds that somebody waits for never count.

    A mail that belongs to a day leaves their places to those about injections that are still to come on it.
    """
    policy = kinds.POLICIES[row.kind]
    if not policy.is_capped:
        return False
    began = _midnight(row, now, days=0)
    counts = Q(kind__in=CAPPED, handing_over_at__gte=began)
    if policy.urgency == kinds.Urgency.DAY:
        counts |= _still_to_come(now, _midnight(row, now, days=1))
    those = Reminder.objects.filter(counts, recipient=row.recipient, due_at__gt=began - LONGEST_WAIT)
    return those.count() >= people.cap(row.recipient_id)


def _still_to_come(now: datetime, until: datetime) -> Q:
    waits = Q(state__in=[State.PLANNED, State.SENDING], handing_over_at=None)
    return waits & Q(kind__in=ABOUT_DOSES, next_attempt_at__lt=until, expires_at__gt=now)


def next_day(row: Reminder, now: datetime, quiet: Quiet) -> datetime:
    """When it may leave instead: as the next day starts, or when the quiet hours then are over if it minds them."""
    starts = _midnight(row, now, days=1)
    if not kinds.POLICIES[row.kind].waits_in_quiet_hours:
        return starts
    return quiet.until(starts, ZoneInfo(row.zone)) or starts


def _midnight(row: Reminder, now: datetime, days: int) -> datetime:
    zone = ZoneInfo(row.zone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(0), tzinfo=zone)
