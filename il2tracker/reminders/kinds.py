"""The kinds of reminder and their numbers (decisions.md 2). Pure: no clock, no database.

A kind knows when it is due, when it stops being useful, whether it waits for the end of the night,
and what happens when nobody knows whether a mail server took it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

BLOODWORK_BOOK = "bloodwork_book"
BLOODWORK_DUE = "bloodwork_due"
CYCLE_WEEK = "cycle_week"
CYCLE_DAY = "cycle_day"
INJECTION_DUE = "injection_due"
INJECTION_MISSING = "injection_missing"
PAUSED = "paused"

SEND_TIME = time(9)  # local hour of the kinds that belong to a day, not to an hour
DEFAULT_LEAD = 15  # minutes before the slot
LEADS = (0, 5, 15, 30, 60)
DUE_EXPIRES = timedelta(minutes=90)  # after the slot
MISSING_AFTER = timedelta(minutes=60)
MISSING_EXPIRES = timedelta(hours=3)
BEFORE_NEXT_SLOT = timedelta(hours=2)  # nothing about a slot goes out when the next one is this near
PAUSED_EXPIRES = timedelta(hours=24)
NIGHT_ENDS = time(6)  # the "not recorded" nudge never leaves between midnight and this hour (B2)
QUIET_FROM, QUIET_TO = time(22), time(7)
AFTER_QUIET = timedelta(hours=2)  # what the quiet hours held back may still leave for so long


@dataclass(frozen=True, slots=True)
class DayKind:
    """A kind that is due a number of days before a course starts, at SEND_TIME."""

    name: str
    days_before: int
    expires_days_before: int
    expires_time: time
    is_bloodwork: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What the sender must know about a kind."""

    resend_when_uncertain: bool
    waits_in_quiet_hours: bool
    preference: str  # the switch in the settings that governs it


DAY_KINDS = (
    DayKind(BLOODWORK_BOOK, 21, 14, SEND_TIME, is_bloodwork=True),
    DayKind(BLOODWORK_DUE, 14, 9, SEND_TIME, is_bloodwork=True),
    DayKind(CYCLE_WEEK, 7, 2, SEND_TIME),
    DayKind(CYCLE_DAY, 1, 0, time(8)),
)

# A doubtful mail about a dose is never sent again: the next nudge heals it (H02).
POLICIES = {
    **{kind.name: Policy(True, True, kind.name) for kind in DAY_KINDS},
    INJECTION_DUE: Policy(False, False, INJECTION_DUE),
    INJECTION_MISSING: Policy(False, False, INJECTION_MISSING),
    PAUSED: Policy(True, False, INJECTION_DUE),
}
# What a person can switch on and off, in the order of the settings page.
SWITCHES = (INJECTION_DUE, INJECTION_MISSING, CYCLE_WEEK, CYCLE_DAY, BLOODWORK_BOOK, BLOODWORK_DUE)
RESENT = tuple(name for name, policy in POLICIES.items() if policy.resend_when_uncertain)

HORIZON = timedelta(days=3)
# The longest time between being due and expiring; older occurrences are nobody's business any more.
LOOK_BACK = timedelta(days=max(kind.days_before - kind.expires_days_before for kind in DAY_KINDS) + 1)
DOSE_LOOK_BACK = MISSING_EXPIRES


def due_times(slot_at: datetime, next_slot_at: datetime | None, lead: timedelta) -> tuple[datetime, datetime]:
    """When the reminder of a slot is due and when it expires (B1)."""
    return slot_at - lead, _before_next(slot_at + DUE_EXPIRES, next_slot_at, slot_at)


def missing_times(slot_at: datetime, next_slot_at: datetime | None, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """When the "not recorded" nudge is due and expires; None when all its time lies in the night (B2)."""
    due, expires = slot_at + MISSING_AFTER, _before_next(slot_at + MISSING_EXPIRES, next_slot_at, slot_at)
    local = due.astimezone(zone)
    if local.time() < NIGHT_ENDS:
        due = _at(local, NIGHT_ENDS)
    else:
        expires = min(expires, _at(local + timedelta(days=1), time(0)))
    return (due, expires) if due < expires else None


def _before_next(expires: datetime, next_slot_at: datetime | None, slot_at: datetime) -> datetime:
    if next_slot_at is None:
        return expires
    return min(expires, max(next_slot_at - BEFORE_NEXT_SLOT, slot_at))


def _at(local: datetime, hour: time) -> datetime:
    return datetime.combine(local.date(), hour, tzinfo=local.tzinfo).astimezone(UTC)


def quiet_until(now: datetime, zone: ZoneInfo) -> datetime | None:
    """End of the quiet hours that hold at `now` on the clock of `zone`; None outside them."""
    local = now.astimezone(zone)
    if QUIET_TO <= local.time() < QUIET_FROM:
        return None
    day = local if local.time() < QUIET_TO else local + timedelta(days=1)
    return _at(day, QUIET_TO)
