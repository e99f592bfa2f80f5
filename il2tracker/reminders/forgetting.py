"""How long the outbox remembers (B18): 400 days, and what was given up or left in doubt until staff have seen it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from il2tracker.accounts.models import User
from il2tracker.audit import log
from il2tracker.reminders.models import Reminder, ReminderQuerySet, State

KEPT_FOR = timedelta(days=400)
BATCH = 1000  # a tick forgets no more than so many; the next one goes on
_TO_BE_SEEN = Q(state__in=[State.DEAD, State.UNCERTAIN])
_ENDED = Q(state__in=[State.SENT, State.CANCELLED, State.EXPIRED]) | (_TO_BE_SEEN & Q(seen_by_staff_at__isnull=False))


def forget(now: datetime) -> int:
    """Delete mails that ended long ago. One statement while there are none. Returns how many went."""
    old = Reminder.objects.filter(_ENDED, due_at__lt=now - KEPT_FOR).order_by("due_at")
    pks = list(old.values_list("pk", flat=True)[:BATCH])
    return Reminder.objects.filter(_ENDED, pk__in=pks).delete()[0] if pks else 0


def to_be_seen() -> ReminderQuerySet:
    """Mails that were given up or left in doubt and that nobody has looked at yet."""
    return Reminder.objects.filter(_TO_BE_SEEN, seen_by_staff_at=None)


@transaction.atomic
def note_seen(*, by: User, now: datetime) -> int:
    """`by` has looked at what was given up until `now`; it may be forgotten one day. Returns how many there were."""
    seen = to_be_seen().filter(Q(failed_at=None) | Q(failed_at__lte=now)).update(seen_by_staff_at=now)
    if seen:
        log.record(action="reminders.given_up.seen", by=by, detail=str(seen))
    return seen
