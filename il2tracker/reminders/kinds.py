"""The kinds of reminder and their numbers (decisions.md 2). Pure: no clock, no database.

A kind knows when it is due, when it stops being useful, whether it waits for the end of the night,
and what happens when nobody knows whether a mail server took it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

BLOODWORK_BOOK = "bloodwork_book"
BLOODWORK_DUE = "bloodwork_due"
BLOODWORK_OVERDUE = "bloodwork_overdue"
RESULTS_MISSING = "results_missing"
CYCLE_WEEK = "cycle_week"
CYCLE_DAY = "cycle_day"
INJECTION_DUE = "injection_due"
INJECTION_AGAIN = "injection_again"
INJECTION_MISSING = "injection_missing"
CARER_MISSING = "carer_missing"
PAUSED = "paused"
PLAN_CHANGED = "plan_changed"
CHECK_IN = "check_in"
RED_FLAG = "red_flag"
DIGEST = "digest"
TO_CALL = "to_call"
PASSWORD_RESET = "password_reset"
PASSWORD_CHANGED = "password_changed"
TEST = "test"

SEND_TIME = time(9)  # local hour of the kinds that belong to a day, not to an hour
DEFAULT_LEAD = 15  # minutes before the slot
LEADS = (0, 5, 15, 30, 60)
DUE_EXPIRES = timedelta(minutes=90)  # after the slot
DEFAULT_AFTER = 60  # minutes after the slot: "not recorded"
AFTERS = (30, 60)
MISSING_EXPIRES = timedelta(hours=3)
BEFORE_NEXT_SLOT = timedelta(hours=2)  # nothing about a slot goes out when the next one is this near
CHECK_IN_ENDS = time(21)  # app's own: a question about a day is of no use when the day is over
PAUSED_EXPIRES = timedelta(hours=24)
RED_FLAG_EXPIRES = timedelta(hours=24)
DIGEST_DAY, DIGEST_TIME, DIGEST_EXPIRES = 0, time(7), timedelta(hours=24)  # Monday, in the clinic's zone
TO_CALL_EXPIRES = timedelta(hours=12)  # app's own: every day at the hour of the digest, while it is still that day
ACCOUNT_EXPIRES = timedelta(minutes=30)
LATERS = (15, 30, 60)  # minutes for which a reminder can be put off
NIGHT_ENDS = time(6)  # the "not recorded" nudge never leaves between midnight and this hour (B2)
QUIET_FROM, QUIET_TO = time(22), time(7)
AFTER_QUIET = timedelta(hours=2)  # what the quiet hours held back may still leave for so long
MOST_PER_DAY = 8  # mails to one person; red flags and account mails do not count
CAPS = (4, 6, 8)  # the fewest that hold two injections a day and what is said when one is not recorded


class Urgency(IntEnum):
    """Which rows a sweep takes first."""

    NOW = 0  # a red flag, a password: somebody waits for it
    DOSE = 1
    DAY = 2


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
    """What the sender must know about a kind.

    `preference`: the switch that governs it; "" = nobody can switch it off. `is_planned`: the planner recomputes it;
    the others are posted once, by an action. `is_capped`: counts towards the mails of a day and waits beyond them.
    """

    resend_when_uncertain: bool
    waits_in_quiet_hours: bool
    preference: str
    urgency: Urgency = Urgency.DAY
    is_planned: bool = True
    is_capped: bool = True


DAY_KINDS = (
    DayKind(BLOODWORK_BOOK, 21, 14, SEND_TIME, is_bloodwork=True),
    DayKind(BLOODWORK_DUE, 14, 9, SEND_TIME, is_bloodwork=True),
    DayKind(BLOODWORK_OVERDUE, 9, 3, SEND_TIME, is_bloodwork=True),
    DayKind(CYCLE_WEEK, 7, 2, SEND_TIME),
    DayKind(RESULTS_MISSING, 3, 1, time(18), is_bloodwork=True),
    DayKind(CYCLE_DAY, 1, 0, time(8)),
)

# A doubtful mail about a dose is never sent again: the next nudge heals it (H02).
POLICIES = {
    **{kind.name: Policy(True, True, kind.name) for kind in DAY_KINDS},
    INJECTION_DUE: Policy(False, False, INJECTION_DUE, Urgency.DOSE),
    INJECTION_AGAIN: Policy(False, False, INJECTION_DUE, Urgency.DOSE),
    INJECTION_MISSING: Policy(False, False, INJECTION_MISSING, Urgency.DOSE),
    CARER_MISSING: Policy(False, False, CARER_MISSING, Urgency.DOSE),
    PAUSED: Policy(True, False, INJECTION_DUE, Urgency.DOSE),
    PLAN_CHANGED: Policy(True, True, PLAN_CHANGED),
    CHECK_IN: Policy(True, True, CHECK_IN),
    RED_FLAG: Policy(True, False, "", Urgency.NOW, is_capped=False),
    DIGEST: Policy(True, False, DIGEST, is_capped=False),
    TO_CALL: Policy(True, False, TO_CALL, is_capped=False),
    PASSWORD_RESET: Policy(True, False, "", Urgency.NOW, is_planned=False, is_capped=False),
    PASSWORD_CHANGED: Policy(True, False, "", Urgency.NOW, is_planned=False, is_capped=False),
    TEST: Policy(True, False, "", Urgency.NOW, is_planned=False, is_capped=False),
}
DOSE_KINDS = (INJECTION_DUE, INJECTION_AGAIN, INJECTION_MISSING, CARER_MISSING)
# What a patient can switch on and off, in the order of the settings page; then carers and clinicians.
SWITCHES = (
    *(INJECTION_DUE, INJECTION_MISSING, CYCLE_WEEK, CYCLE_DAY),
    *(BLOODWORK_BOOK, BLOODWORK_DUE, BLOODWORK_OVERDUE, RESULTS_MISSING, PLAN_CHANGED, CHECK_IN),
)
OFF_AT_FIRST = frozenset({CHECK_IN})  # comes only to who asked for it; the others come unless somebody says no
DIGEST_EMPTY = "digest_empty"  # a switch without a kind: the digest also when it has nothing to say
CARER_SWITCHES = (CARER_MISSING,)
CLINIC_SWITCHES = (TO_CALL, DIGEST, DIGEST_EMPTY)
ALL_SWITCHES = (*SWITCHES, *CARER_SWITCHES, *CLINIC_SWITCHES)
RESENT = tuple(name for name, policy in POLICIES.items() if policy.resend_when_uncertain)
PLANNED = tuple(name for name, policy in POLICIES.items() if policy.is_planned)

HORIZON = timedelta(days=3)
# The longest time between being due and expiring; older occurrences are nobody's business any more.
LOOK_BACK = timedelta(days=max(kind.days_before - kind.expires_days_before for kind in DAY_KINDS) + 1)
DOSE_LOOK_BACK = MISSING_EXPIRES


def due_times(slot_at: datetime, next_slot_at: datetime | None, lead: timedelta) -> tuple[datetime, datetime]:
    """When the reminder of a slot is due and when it expires (B1)."""
    return slot_at - lead, _before_next(slot_at + DUE_EXPIRES, next_slot_at, slot_at)


def again_times(
    slot_at: datetime, next_slot_at: datetime | None, again_at: datetime
) -> tuple[datetime, datetime] | None:
    """When a reminder that was put off comes again and expires; None when it would come too late to be of use."""
    expires = _before_next(again_at + DUE_EXPIRES, next_slot_at, slot_at)
    return (again_at, expires) if again_at < expires else None


def missing_times(
    slot_at: datetime,
    next_slot_at: datetime | None,
    zone: ZoneInfo,
    after: timedelta = timedelta(minutes=DEFAULT_AFTER),
) -> tuple[datetime, datetime] | None:
    """When the "not recorded" nudge is due and expires; None when all its time lies in the night (B2)."""
    due, expires = slot_at + after, _before_next(slot_at + MISSING_EXPIRES, next_slot_at, slot_at)
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


def quiet_until(now: datetime, zone: ZoneInfo, starts: time = QUIET_FROM, ends: time = QUIET_TO) -> datetime | None:
    """End of the quiet hours that hold at `now` on the clock of `zone`; None outside them. Equal hours = none."""
    local = now.astimezone(zone)
    crosses_midnight = starts > ends
    after_start, before_end = local.time() >= starts, local.time() < ends
    is_quiet = (after_start or before_end) if crosses_midnight else (after_start and before_end)
    if not is_quiet:
        return None
    day = local + timedelta(days=1) if crosses_midnight and after_start else local
    return _at(day, ends)


def may_wait(kind: str, expires_at: datetime, until: datetime) -> bool:
    """Whether a mail of the kind waits for the end of the quiet hours. A change of the plan that applies before they
    are over does not: it is to be read first (R13)."""
    if kind == PLAN_CHANGED and expires_at <= until:
        return False
    return POLICIES[kind].waits_in_quiet_hours
