"""How many mails one person gets in one civil day (decisions.md 1C; peers.md 3, row 7). Asked under the locks, right
before the mark, so that two senders cannot both find the last place free."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from il2tracker.reminders import kinds
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.wishes import Choices, Quiet

CAPPED = tuple(name for name, policy in kinds.POLICIES.items() if policy.is_capped)
LONGEST_WAIT = timedelta(days=60)  # nothing leaves so long after it was due; the index is by that


def is_full(row: Reminder, now: datetime, people: Choices) -> bool:
    """Whether the recipient has had enough mails on the row's civil day. Kinds that somebody waits for never count."""
    if not kinds.POLICIES[row.kind].is_capped:
        return False
    began = _midnight(row, now, days=0)
    told = Reminder.objects.filter(recipient=row.recipient, kind__in=CAPPED, handing_over_at__gte=began)
    return told.filter(due_at__gt=began - LONGEST_WAIT).count() >= people.cap(row.recipient_id)


def next_day(row: Reminder, now: datetime, quiet: Quiet) -> datetime:
    """When it may leave instead: as the next day starts, or when the quiet hours then are over if it minds them."""
    starts = _midnight(row, now, days=1)
    if not kinds.POLICIES[row.kind].waits_in_quiet_hours:
        return starts
    return quiet.until(starts, ZoneInfo(row.zone)) or starts


def _midnight(row: Reminder, now: datetime, days: int) -> datetime:
    zone = ZoneInfo(row.zone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(0), tzinfo=zone)
