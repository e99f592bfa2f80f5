"""Reminders that are due some days before a course starts: its bloodwork, "in a week", "tomorrow". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cycles import schedule
from il2tracker.reminders import kinds
from il2tracker.reminders.wishes import Choices, Owner, Reason, Wish, chosen


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
    arranged: bool  # booked for a day to come, or drawn
    results_in: bool  # reliable ones of these weeks
    draw_on: date | None = None  # the day the test is due, where that is the Friday before a weekend (2.4)

    def occurrence(self, days_before: int) -> str:
        """Civil name: a course that is moved has new ones (A4)."""
        return f"c{self.cycle_id}@{self.starts_on.isoformat()}/-{days_before}"

    def blocked(self, kind: kinds.DayKind) -> Reason | None:
        """Why nothing of this kind may be said about this course, before the person's own choice.

        Booked or drawn ends what asks for the draw, results end all (B4); no nagging where no reliable draw is
        possible before the start (2.4).
        """
        if self.owner.missing():
            return self.owner.missing()
        if self.state in {"cancelled", "stopped_early"}:
            return Reason.STOPPED
        if self.state == "held":
            return Reason.HELD
        return self._bloodwork(kind) if kind.is_bloodwork else None

    def _bloodwork(self, kind: kinds.DayKind) -> Reason | None:
        if not self.timing_matters or self.window is None:
            return Reason.NOT_IN_PLAN
        is_done = self.results_in or (self.arranged and kind.name != kinds.RESULTS_MISSING)
        return Reason.ARRANGED if is_done else None


def of_cycles(cycles: Iterable[CycleFact], choices: Choices) -> Iterator[Wish]:
    """Reminders that are due some days before a course starts."""
    asked = ((cycle, kind) for cycle in cycles if cycle.owner.user_id is not None for kind in kinds.DAY_KINDS)
    return chosen((_wish(cycle, kind) for cycle, kind in asked), choices)


def _wish(cycle: CycleFact, kind: kinds.DayKind) -> Wish:
    assert cycle.owner.user_id is not None
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
        unwanted=cycle.blocked(kind),
    )


def _before(cycle: CycleFact, days: int, hour: time) -> datetime:
    on = cycle.starts_on - timedelta(days=days)
    if cycle.draw_on and on == schedule.bloodwork_due(cycle.starts_on):
        on = cycle.draw_on
    return schedule.moment(on, hour, ZoneInfo(cycle.zone))


def cycle_of(occurrence: str) -> int:
    """The cycle in the name of a course's day: "c13@2026-11-25/-14"."""
    return int(occurrence.removeprefix("c").partition("@")[0])
