"""Reminders of injections: due, put off, not recorded, for a carer, and "paused" instead of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from il2tracker.reminders import kinds
from il2tracker.reminders.wishes import Choices, Owner, Reason, Wish, chosen

AFTER_LATER = timedelta(minutes=30)  # app's own: "not recorded" leaves so long after a reminder that was put off
Times = tuple[datetime, datetime]  # due and expires


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
    again_at: datetime | None = None  # the patient wants to be reminded of it once more then
    again_ref: str = ""  # names that wish

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


def of_doses(doses: Iterable[DoseFact], choices: Choices, alerts: Mapping[int, str]) -> Iterator[Wish]:
    """Reminders of every dose; a dose without a person to tell has none. `alerts`: patient → the open urgent entry."""
    found = (wish for dose in doses if dose.owner.user_id is not None for wish in _of_dose(dose, choices, alerts))
    return chosen(found, choices)


def _of_dose(dose: DoseFact, choices: Choices, alerts: Mapping[int, str]) -> Iterator[Wish]:
    user_id = dose.owner.user_id
    assert user_id is not None
    blocked = dose.blocked(alerts.get(dose.owner.patient_id))
    due = kinds.due_times(dose.due_at, dose.next_due_at, choices.lead(user_id))
    put_off = Reason.PUT_OFF if dose.again_at and dose.again_at > due[0] else None
    yield _wish(dose, kinds.INJECTION_DUE, user_id, due, blocked or put_off)
    missing = _missing_times(dose, choices)
    if missing:
        yield _wish(dose, kinds.INJECTION_MISSING, user_id, missing, blocked)
    again = dose.again_at and kinds.again_times(dose.due_at, dose.next_due_at, dose.again_at)
    if again:
        yield _wish(dose, kinds.INJECTION_AGAIN, user_id, again, blocked, f"{dose.occurrence}/{dose.again_ref}")


def of_carers(
    doses: Iterable[DoseFact], carers: Mapping[int, Iterable[int]], choices: Choices, alerts: Mapping[int, str]
) -> Iterator[Wish]:
    """ "Not recorded" for the people whom the patient lets be told. `carers`: patient → their users."""
    found = []
    for dose in doses:
        times = _missing_times(dose, choices)
        if times:
            blocked = dose.blocked(alerts.get(dose.owner.patient_id))
            told = carers.get(dose.owner.patient_id, ())
            found += [_wish(dose, kinds.CARER_MISSING, carer, times, blocked) for carer in told]
    return chosen(found, choices)


def _missing_times(dose: DoseFact, choices: Choices) -> Times | None:
    after = choices.after(dose.owner.user_id)
    if dose.again_at:
        after = max(after, dose.again_at - dose.due_at + AFTER_LATER)
    return kinds.missing_times(dose.due_at, dose.next_due_at, ZoneInfo(dose.zone), after)


def _wish(
    dose: DoseFact, kind: str, recipient_id: int, times: Times, unwanted: Reason | None, occurrence: str = ""
) -> Wish:
    return Wish(
        kind=kind,
        occurrence=occurrence or dose.occurrence,
        recipient_id=recipient_id,
        patient_id=dose.owner.patient_id,
        due_at=times[0],
        expires_at=times[1],
        zone=dose.zone,
        slot_local=dose.local.isoformat(timespec="minutes"),
        says_at=dose.due_at,
        says_amount=dose.amount,
        unwanted=unwanted,
    )


def of_pauses(doses: Iterable[DoseFact], choices: Choices, alerts: Mapping[int, str], now: datetime) -> Iterator[Wish]:
    """Instead of the next reminder that is held back: once per cause, "paused, call" (R1, "hold wins")."""
    return chosen(_pauses(doses, choices, alerts, now), choices)


def _pauses(doses: Iterable[DoseFact], choices: Choices, alerts: Mapping[int, str], now: datetime) -> Iterator[Wish]:
    told: set[tuple[int, str]] = set()
    for dose in sorted(doses, key=lambda dose: dose.due_at):
        pause, user_id = _pause(dose, alerts.get(dose.owner.patient_id)), dose.owner.user_id
        due_at, expires_at = kinds.due_times(dose.due_at, dose.next_due_at, choices.lead(user_id))
        if pause is None or user_id is None or expires_at <= now or (dose.owner.patient_id, pause) in told:
            continue
        told.add((dose.owner.patient_id, pause))
        yield _wish(dose, kinds.PAUSED, user_id, (due_at, due_at + kinds.PAUSED_EXPIRES), None, pause)


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


def slot_of(occurrence: str) -> tuple[int, int, str]:
    """Cycle, day and slot in the name of a dose's reminder: "c12/d3/am". ValueError for another kind's name."""
    cycle, day, slot, *_again = occurrence.split("/")
    return int(cycle.removeprefix("c")), int(day.removeprefix("d")), slot
