"""The last look before a mail leaves: is what it says still true? Called under the patient's lock (A2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from il2tracker.reminders import facts, kinds, wishes
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.wishes import Reason, Wish

SAYS = ("says_at", "says_amount", "says_on", "says_from", "says_to")


def why_not(row: Reminder, now: datetime) -> Reason | None:
    """Why the mail must not leave at `now`; None when everything it says still holds."""
    if row.kind == kinds.PAUSED:
        return _pause_over(row)
    wish = next((wish for wish in _wishes(row, now) if wish.key == row.key), None)
    if wish is None:
        return Reason.NOT_IN_PLAN
    if wish.unwanted:
        return wish.unwanted
    same = all(getattr(wish, name) == getattr(row, name) for name in SAYS)
    return None if same else Reason.CHANGED


def _wishes(row: Reminder, now: datetime) -> Iterator[Wish]:
    choices = facts.choices(row.recipient_id)
    if "@" in row.occurrence:
        cycle = facts.cycle(wishes.cycle_of(row.occurrence), now)
        return wishes.of_cycles([cycle] if cycle else [], choices)
    dose = facts.dose(*wishes.slot_of(row.occurrence))
    return wishes.of_doses([dose] if dose else [], choices, facts.open_alerts(row.patient_id))


def _pause_over(row: Reminder) -> Reason | None:
    """A pause is told as long as its cause stands and the person still wants reminders of doses."""
    assert row.patient_id is not None
    assert row.says_at is not None
    choices = facts.choices(row.recipient_id)
    doses = facts.doses_of(row.patient_id, row.says_at, row.says_at + kinds.HORIZON)
    slot_is_live = row.says_at - timedelta(minutes=1)
    pauses = wishes.of_pauses(doses, choices, facts.open_alerts(row.patient_id), slot_is_live)
    wish = next((wish for wish in pauses if wish.key == row.key), None)
    return Reason.RELEASED if wish is None else wish.unwanted
