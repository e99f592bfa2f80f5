"""From facts to wishes: which reminders should exist, and why one should not. Pure: no clock, no database.

The planner and the last look before a mail leaves call the same functions, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from cycles import schedule
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
    TURNED_OFF = "turned_off"
    CHANGED = "changed"
    RELEASED = "released"


# For these the row is made all the same: it comes back with its cause, and what is only switched off as mail stands in
# the person's list of the next days.
SHOWN_ALL_THE_SAME = frozenset({Reason.HELD, Reason.ALERT, Reason.UNCONFIRMED, Reason.TURNED_OFF})


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
class DoseFact:
    """One planned dose and what became of it."""

    owner: Owner
    cycle_id: int
    day: int
    slot: str
    local: datetime  # naive: the hour on the patient's wall
    zone: str
    due_at: datetime
    amount: Decimal
    next_due_at: datetime | None
    state: str  # of the cycle
    starts_on: date  # day 1 of the cycle
    inpatient: bool
    was_held: bool  # it fell into a hold; nobody catches up on it (D18)
    unconfirmed: bool  # the clinic has not confirmed the start yet
    hold_ref: str | None  # the patient's oldest open hold
    recorded: bool
    undone: bool  # recorded once, and the record was taken back

    @property
    def occurrence(self) -> str:
        """Civil name of the slot: moving house or a clock change can never make a second one."""
        return f"c{self.cycle_id}/d{self.day}/{self.slot}"

    def blocked(self, alert: str | None) -> Reason | None:
        """Why no reminder of this dose may leave, before the person's own choice."""
        if self.owner.missing():
            return self.owner.missing()
        if self.state in {"cancelled", "stopped_early"}:
            return Reason.STOPPED
        if self.inpatient:
            return Reason.ON_WARD
        if self.was_held:
            return Reason.NOT_IN_PLAN
        if self.recorded or self.undone:  # undone: perhaps given all the same, so no mail asks for it again (R9)
            return Reason.RECORDED if self.recorded else Reason.UNDONE
        return self._waits(alert)

    def _waits(self, alert: str | None) -> Reason | None:
        """For whom a dose waits that would be asked for otherwise ("hold wins", R1)."""
        if self.state == "held":
            return Reason.HELD
        if alert:
            return Reason.ALERT
        return Reason.UNCONFIRMED if self.unconfirmed else None


@dataclass(frozen=True, slots=True)
class CycleFact:
    """One course that has not started, and its bloodwork."""

    owner: Owner
    cycle_id: int
    starts_on: date
    zone: str
    state: str
    timing_matters: bool
    window: tuple[date, date] | None  # days to offer for the blood test; None = no reliable one is possible (B5)
    arranged: bool  # booked for a day to come, drawn, or the results are in

    def occurrence(self, days_before: int) -> str:
        """Civil name: a course that is moved has new ones (A4)."""
        return f"c{self.cycle_id}@{self.starts_on.isoformat()}/-{days_before}"

    def blocked(self, *, bloodwork: bool) -> Reason | None:
        """Why nothing may be said about this course, before the person's own choice."""
        if self.owner.missing():
            return self.owner.missing()
        if self.state in {"cancelled", "stopped_early"}:
            return Reason.STOPPED
        if self.state == "held":
            return Reason.HELD
        if not bloodwork:
            return None
        if not self.timing_matters or self.window is None:
            return Reason.NOT_IN_PLAN
        return Reason.ARRANGED if self.arranged else None


@dataclass(frozen=True, slots=True)
class Choices:
    """What people switched off and how early they want to be told. Nothing stored = on, DEFAULT_LEAD."""

    off: frozenset[tuple[int, str]] = frozenset()
    leads: Mapping[int, int] = field(default_factory=dict)

    def is_off(self, user_id: int | None, kind: str) -> bool:
        """Whether the person switched off the switch that governs the kind."""
        return (user_id, kinds.POLICIES[kind].preference) in self.off

    def lead(self, user_id: int | None) -> timedelta:
        """How long before a slot its reminder goes out."""
        return timedelta(minutes=self.leads.get(user_id or 0, kinds.DEFAULT_LEAD))


@dataclass(frozen=True, slots=True)
class Wish:
    """A reminder as it should be now. `says_*` is what its mail states and must still be true at the hand-over."""

    kind: str
    occurrence: str
    recipient_id: int
    patient_id: int
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

    @property
    def key(self) -> str:
        """One text per kind, recipient and occurrence: what the database keeps unique (A3)."""
        return f"{self.kind}:{self.recipient_id}:{self.occurrence}"


def of_doses(doses: Iterable[DoseFact], choices: Choices, alerts: Mapping[int, str]) -> Iterator[Wish]:
    """Reminders of every dose; a dose without a person to tell has none. `alerts`: patient → the open urgent entry."""
    for dose in doses:
        if dose.owner.user_id is not None:
            alert = alerts.get(dose.owner.patient_id)
            yield from _of_dose(dose, choices, alert)


def _of_dose(dose: DoseFact, choices: Choices, alert: str | None) -> Iterator[Wish]:
    user_id = dose.owner.user_id
    times = {
        kinds.INJECTION_DUE: kinds.due_times(dose.due_at, dose.next_due_at, choices.lead(user_id)),
        kinds.INJECTION_MISSING: kinds.missing_times(dose.due_at, dose.next_due_at, ZoneInfo(dose.zone)),
    }
    for kind, window in times.items():
        if window is not None:
            off = Reason.TURNED_OFF if choices.is_off(user_id, kind) else None
            yield _dose_wish(dose, kind, dose.occurrence, window, dose.blocked(alert) or off)


def _dose_wish(
    dose: DoseFact, kind: str, occurrence: str, window: tuple[datetime, datetime], unwanted: Reason | None
) -> Wish:
    assert dose.owner.user_id is not None
    return Wish(
        kind=kind,
        occurrence=occurrence,
        recipient_id=dose.owner.user_id,
        patient_id=dose.owner.patient_id,
        due_at=window[0],
        expires_at=window[1],
        zone=dose.zone,
        slot_local=dose.local.isoformat(timespec="minutes"),
        says_at=dose.due_at,
        says_amount=dose.amount,
        unwanted=unwanted,
    )


def of_pauses(doses: Iterable[DoseFact], choices: Choices, alerts: Mapping[int, str], now: datetime) -> Iterator[Wish]:
    """Instead of the next reminder that is held back: once per cause, "paused, call" (R1, "hold wins")."""
    told: set[tuple[int, str]] = set()
    for dose in sorted(doses, key=lambda dose: dose.due_at):
        pause = _pause(dose, alerts.get(dose.owner.patient_id))
        due_at, expires_at = kinds.due_times(dose.due_at, dose.next_due_at, choices.lead(dose.owner.user_id))
        if pause is None or expires_at <= now or (dose.owner.patient_id, pause) in told:
            continue
        told.add((dose.owner.patient_id, pause))
        off = Reason.TURNED_OFF if choices.is_off(dose.owner.user_id, kinds.PAUSED) else None
        yield _dose_wish(dose, kinds.PAUSED, pause, (due_at, due_at + kinds.PAUSED_EXPIRES), off)


def _pause(dose: DoseFact, alert: str | None) -> str | None:
    """The civil name of the cause: another hold is another one, and a course that is moved waits for another word."""
    start = f"c{dose.cycle_id}@{dose.starts_on.isoformat()}"
    causes = {
        Reason.HELD: f"held/{dose.hold_ref}" if dose.hold_ref else f"{start}/held",
        Reason.ALERT: f"alert/{alert}",
        Reason.UNCONFIRMED: f"{start}/unconfirmed",
    }
    reason = dose.blocked(alert)
    return causes.get(reason) if reason else None


def of_cycles(cycles: Iterable[CycleFact], choices: Choices) -> Iterator[Wish]:
    """Reminders that are due some days before a course starts."""
    for cycle in cycles:
        if cycle.owner.user_id is not None:
            for kind in kinds.DAY_KINDS:
                yield _cycle_wish(cycle, kind, choices)


def _cycle_wish(cycle: CycleFact, kind: kinds.DayKind, choices: Choices) -> Wish:
    assert cycle.owner.user_id is not None
    off = Reason.TURNED_OFF if choices.is_off(cycle.owner.user_id, kind.name) else None
    window = cycle.window if kind.is_bloodwork else None
    return Wish(
        kind=kind.name,
        occurrence=cycle.occurrence(kind.days_before),
        recipient_id=cycle.owner.user_id,
        patient_id=cycle.owner.patient_id,
        due_at=_before(cycle, kind.days_before, kinds.SEND_TIME),
        expires_at=_before(cycle, kind.expires_days_before, kind.expires_time),
        zone=cycle.zone,
        says_on=cycle.starts_on,
        says_from=window[0] if window else None,
        says_to=window[1] if window else None,
        unwanted=cycle.blocked(bloodwork=kind.is_bloodwork) or off,
    )


def _before(cycle: CycleFact, days: int, hour: time) -> datetime:
    return schedule.moment(cycle.starts_on - timedelta(days=days), hour, ZoneInfo(cycle.zone))


def slot_of(occurrence: str) -> tuple[int, int, str]:
    """Cycle, day and slot in the name of a dose: "c12/d3/am". ValueError for another kind's name."""
    cycle, day, slot = occurrence.split("/")
    return int(cycle.removeprefix("c")), int(day.removeprefix("d")), slot


def cycle_of(occurrence: str) -> int:
    """The cycle in the name of a course's day: "c13@2026-11-25/-14"."""
    return int(occurrence.removeprefix("c").partition("@")[0])
