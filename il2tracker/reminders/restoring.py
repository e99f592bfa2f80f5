"""After a backup was put back: what was due before may have been sent after the backup was made, so it never leaves."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from il2tracker.alerts.models import Alert
from il2tracker.audit import log
from il2tracker.reminders import heartbeat
from il2tracker.reminders.claiming import ENDED, NO_LEASE
from il2tracker.reminders.models import Reminder, State


class Restored(NamedTuple):
    """What the restore ended: mails that were due and now count as too late, and mails of which nobody knows.

    `urgent`: urgent reports for which somebody is needed; the mails about them may have ended too.
    """

    at: datetime
    too_late: int
    in_doubt: int
    urgent: int


@transaction.atomic
def after_restore() -> Restored:
    """End whatever was due before this moment; the planner does the same with what has no row yet.

    To be run before the machine starts again, with nothing else working on the database. A second time does no harm.
    """
    at = heartbeat.restored()
    due = Reminder.objects.filter(state__in=[State.PLANNED, State.SENDING], due_at__lte=at)
    marked = due.filter(handing_over_at__isnull=False).update(state=State.UNCERTAIN, **NO_LEASE)
    too_late = due.filter(handing_over_at=None).update(state=State.EXPIRED, expires_at=at, **ENDED)
    doubtful = Reminder.objects.filter(state=State.UNCERTAIN, expires_at__gt=at).update(expires_at=at)
    log.record(action="reminders.restored", by=None)
    urgent = Alert.objects.waiting().filter(tier__in=Alert.URGENT).count()
    return Restored(at, too_late, max(marked, doubtful), urgent)
