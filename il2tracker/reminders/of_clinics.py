"""The weekly summary for each member of a clinic: Monday at 07:00 on the clinic's clock (decisions.md 1C). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cycles import schedule
from il2tracker.reminders import kinds
from il2tracker.reminders.wishes import Choices, Reason, Wish, chosen

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MemberFact:
    """Somebody who works in a clinic. Who works in two gets a summary of each."""

    user_id: int
    is_active: bool
    joined_at: datetime
    clinic_ref: str
    zone: str

    def occurrence(self, monday: date) -> str:
        """Civil name: a clinic that changes its zone tells nothing twice."""
        return f"{self.clinic_ref}@{monday.isoformat()}"


def of_members(
    members: Iterable[MemberFact], since: datetime, until: datetime, choices: Choices, empty: Collection[str] = ()
) -> Iterator[Wish]:
    """The summaries that are due up to `until` and not yet expired at `since`.

    `empty`: keys of those that had nothing to say when their time came; they stay unsent for who does not want these.
    """
    days = ((member, monday) for member in members for monday in _mondays_of(member, since, until))
    return _of_days(days, choices, empty)


def of_one(
    members: Iterable[MemberFact], occurrence: str, choices: Choices, empty: Collection[str] = ()
) -> Iterator[Wish]:
    """The summary of that name as it should be now."""
    monday = date.fromisoformat(occurrence.partition("@")[2])
    return _of_days(((member, monday) for member in members), choices, empty)


def _of_days(days: Iterable[tuple[MemberFact, date]], choices: Choices, empty: Collection[str]) -> Iterator[Wish]:
    found = (_wish(member, monday) for member, monday in days)
    in_time = (wish for wish, joined_at in found if joined_at < wish.due_at)
    return (_unless_empty(wish, choices, empty) for wish in chosen(in_time, choices))


def _wish(member: MemberFact, monday: date) -> tuple[Wish, datetime]:
    due_at = schedule.moment(monday, kinds.DIGEST_TIME, ZoneInfo(member.zone))
    wish = Wish(
        kind=kinds.DIGEST,
        occurrence=member.occurrence(monday),
        recipient_id=member.user_id,
        patient_id=None,
        due_at=due_at,
        expires_at=due_at + kinds.DIGEST_EXPIRES,
        zone=member.zone,
        unwanted=None if member.is_active else Reason.NO_RECIPIENT,
    )
    return wish, member.joined_at


def _mondays_of(member: MemberFact, since: datetime, until: datetime) -> Iterator[date]:
    zone = ZoneInfo(member.zone)
    return mondays(since.astimezone(zone).date() - ONE_DAY, until.astimezone(zone).date())


def mondays(first: date, last: date) -> Iterator[date]:
    """The days from first to last on which a summary is due."""
    day = first + timedelta(days=(kinds.DIGEST_DAY - first.weekday()) % 7)
    while day <= last:
        yield day
        day += timedelta(days=7)


def _unless_empty(wish: Wish, choices: Choices, empty: Collection[str]) -> Wish:
    if wish.unwanted is None and wish.key in empty and wants_no_empty(choices, wish.recipient_id):
        return replace(wish, unwanted=Reason.EMPTY)
    return wish


def wants_no_empty(choices: Choices, user_id: int | None) -> bool:
    """Whether the person wants no summary that has nothing to say."""
    return (user_id, kinds.DIGEST_EMPTY) in choices.off


def clinic_of(occurrence: str) -> str:
    """The clinic's ref in the name of a summary: "k3v9…@2026-11-23"."""
    return occurrence.partition("@")[0]
