"""The last look before a mail leaves: is what it says still true? Called under the patient's lock (A2)."""

from __future__ import annotations

from datetime import datetime

from il2tracker.reminders import account_mails, kinds, sources
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.wishes import Reason

SAYS = ("says_at", "says_amount", "says_on", "says_from", "says_to")


def why_not(row: Reminder, now: datetime) -> Reason | None:
    """Why the mail must not leave at `now`; None when everything it says still holds."""
    if not kinds.POLICIES[row.kind].is_planned:
        return account_mails.why_not(row, now)
    wish = sources.wish_of(row, now)
    if wish is None:
        return sources.SOURCE_OF[row.kind].gone
    if wish.unwanted:
        return wish.unwanted
    same = row.kind == kinds.PAUSED or all(getattr(wish, name) == getattr(row, name) for name in SAYS)
    return None if same else Reason.CHANGED
