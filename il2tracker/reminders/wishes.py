"""A wish: one reminder as it should be now, and why it should not leave. Pure: no clock, no database.

What is wished for is worked out in of_doses, of_courses and their neighbours. The planner and the last look before a
mail leaves call the same functions, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from il2tracker.reminders import kinds


class Reason(StrEnum):
    """Why a reminder is not wanted."""

    NO_RECIPIENT = "no_recipient"
    PLAN_ENDED = "plan_ended"
    NOT_IN_PLAN = "not_in_plan"
    STOPPED = "stopped"
    ON_WARD = "on_ward"
    RECORDED = "recorded"
    UNDONE = "undone"
    HELD = "held"
    ALERT = "alert"
    UNCONFIRMED = "unconfirmed"
    ARRANGED = "arranged"
    READ = "read"
    ANSWERED = "answered"
    EMPTY = "empty"
    PUT_OFF = "put_off"
    TURNED_OFF = "turned_off"
    QUIET = "quiet"
    REFUSED = "refused"
    UNKNOWN_ADDRESS = "unknown_address"
    CHANGED = "changed"
    RELEASED = "released"


# For these the row is made all the same: it comes back with its cause, and what is only not mailed stands in the
# person's list of the next days.
ONLY_NOT_MAILED = frozenset({Reason.TURNED_OFF, Reason.QUIET, Reason.REFUSED})
SHOWN_ALL_THE_SAME = frozenset({Reason.HELD, Reason.ALERT, Reason.UNCONFIRMED, Reason.PUT_OFF}) | ONLY_NOT_MAILED


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose reminder it is and whether he or she can get mail."""

    patient_id: int
    user_id: int | None
    is_active: bool
    plan_ended: bool

    def missing(self) -> Reason | None:
        """Why nobody can be reminded of anything."""
        if self.user_id is None or not self.is_active:
            return Reason.NO_RECIPIENT
        return Reason.PLAN_ENDED if self.plan_ended else None


@dataclass(frozen=True, slots=True)
class Quiet:
    """Somebody's quiet hours, and whether reminders of injections come all the same (B2). Equal hours = never quiet."""

    starts: time = kinds.QUIET_FROM
    ends: time = kinds.QUIET_TO
    doses_pass: bool = True

    def until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """End of the quiet hours that hold at `now`; None outside them."""
        return kinds.quiet_until(now, zone, self.starts, self.ends)


@dataclass(frozen=True, slots=True)
class Choices:
    """What people chose, by user, where it differs from the start.

    `off`: switches turned off; `on`: those turned on that are off at first. `leads`, `afters`: minutes before a slot
    and after it. `caps`: mails a day. `refused`: people whose address a mail server refuses.
    """

    off: frozenset[tuple[int, str]] = frozenset()
    on: frozenset[tuple[int, str]] = frozenset()
    leads: Mapping[int, int] = field(default_factory=dict)
    afters: Mapping[int, int] = field(default_factory=dict)
    quiets: Mapping[int, Quiet] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)
    refused: frozenset[int] = frozenset()

    def is_off(self, user_id: int | None, kind: str) -> bool:
        """Whether the switch that governs the kind is off: by the person's choice, or as it is at first."""
        switch = kinds.POLICIES[kind].preference
        if switch in kinds.OFF_AT_FIRST:
            return (user_id, switch) not in self.on
        return (user_id, switch) in self.off

    def lead(self, user_id: int | None) -> timedelta:
        """How long before a slot its reminder goes out."""
        return timedelta(minutes=self.leads.get(user_id or 0, kinds.DEFAULT_LEAD))

    def after(self, user_id: int | None) -> timedelta:
        """How long after a slot it counts as not recorded."""
        return timedelta(minutes=self.afters.get(user_id or 0, kinds.DEFAULT_AFTER))

    def quiet(self, user_id: int | None) -> Quiet:
        """The person's quiet hours."""
        return self.quiets.get(user_id or 0, Quiet())

    def cap(self, user_id: int | None) -> int:
        """How many mails a day at most."""
        return self.caps.get(user_id or 0, kinds.MOST_PER_DAY)


@dataclass(frozen=True, slots=True)
class Wish:
    """A reminder as it should be now. `says_*` is what its mail states and must still be true at the hand-over.

    `patient_id` is None where it is about no single patient. `wait`: it is tried at the latest so long after it is
    first wished for, because the clock by which it is due is not the database's.
    """

    kind: str
    occurrence: str
    recipient_id: int
    patient_id: int | None
    due_at: datetime
    expires_at: datetime
    zone: str
    slot_local: str = ""
    says_at: datetime | None = None
    says_amount: Decimal | None = None
    says_on: date | None = None
    says_from: date | None = None
    says_to: date | None = None
    unwanted: Reason | None = None
    wait: timedelta | None = None

    @property
    def key(self) -> str:
        """One text per kind, recipient and occurrence: what the database keeps unique (A3)."""
        return f"{self.kind}:{self.recipient_id}:{self.occurrence}"

    def first_try(self, now: datetime) -> datetime:
        """When it is tried first, if it is wished for at `now`."""
        return self.due_at if self.wait is None else min(self.due_at, now + self.wait)


def chosen(found: Iterable[Wish], choices: Choices) -> Iterator[Wish]:
    """The same wishes, with why a recipient does not want or cannot have one, where nothing else speaks first."""
    for wish in found:
        reason = wish.unwanted or _own_reason(wish, choices)
        yield replace(wish, unwanted=reason) if reason else wish


def _own_reason(wish: Wish, choices: Choices) -> Reason | None:
    if choices.is_off(wish.recipient_id, wish.kind):
        return Reason.TURNED_OFF
    if wish.recipient_id in choices.refused and wish.kind != kinds.RED_FLAG:
        return Reason.REFUSED
    quiet = choices.quiet(wish.recipient_id)
    is_quiet = wish.kind in kinds.DOSE_KINDS and not quiet.doses_pass and quiet.until(wish.due_at, ZoneInfo(wish.zone))
    return Reason.QUIET if is_quiet else None
