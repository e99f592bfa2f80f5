"""The morning mail to each member of a clinic while a report to call about is open: every day at 07:00 on the clinic's
clock. Urgent reports have mails of their own. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cycles import schedule
from il2tracker.reminders import kinds
from il2tracker.reminders.of_clinics import MemberFact
from il2tracker.reminders.wishes import Choices, Reason, Wish, chosen

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ToCall:
    """A report to call about. `user_id`: the patient's own; nobody is his own clinician."""

    raised_at: datetime
    user_id: int | None


Waiting = Mapping[str, Collection[ToCall]]  # by the clinic's ref


def of_members(
    members: Iterable[MemberFact], waiting: Waiting, since: datetime, until: datetime, choices: Choices
) -> Iterator[Wish]:
    """The mails that are due up to `until` and not yet expired at `since`."""
    days = ((member, day) for member in members for day in _days_of(member, since, until))
    return (wish for wish in _of_days(days, waiting, choices) if wish.expires_at > since)


def of_one(members: Iterable[MemberFact], occurrence: str, waiting: Waiting, choices: Choices) -> Iterator[Wish]:
    """The mail of that name as it should be now."""
    day = date.fromisoformat(occurrence.partition("@")[2])
    return _of_days(((member, day) for member in members), waiting, choices)


def _of_days(days: Iterable[tuple[MemberFact, date]], waiting: Waiting, choices: Choices) -> Iterator[Wish]:
    """Whoever comes after the hour of a day begins with the next one."""
    found = ((member, _wish(member, day, waiting)) for member, day in days)
    return chosen((wish for member, wish in found if member.joined_at < wish.due_at), choices)


def _wish(member: MemberFact, day: date, waiting: Waiting) -> Wish:
    due_at = schedule.moment(day, kinds.DIGEST_TIME, ZoneInfo(member.zone))
    wish = Wish(
        kind=kinds.TO_CALL,
        occurrence=member.occurrence(day),
        recipient_id=member.user_id,
        patient_id=None,
        due_at=due_at,
        expires_at=due_at + kinds.TO_CALL_EXPIRES,
        zone=member.zone,
        unwanted=None if member.is_active else Reason.NO_RECIPIENT,
    )
    if wish.unwanted is None and not _waited(member, due_at, waiting):
        return replace(wish, unwanted=Reason.EMPTY)
    return wish


def _waited(member: MemberFact, due_at: datetime, waiting: Waiting) -> bool:
    """Whether one was there before its hour: what comes later is told the next morning."""
    found = waiting.get(member.clinic_ref, ())
    return any(each.raised_at < due_at and each.user_id != member.user_id for each in found)


def _days_of(member: MemberFact, since: datetime, until: datetime) -> Iterator[date]:
    zone = ZoneInfo(member.zone)
    day, last = since.astimezone(zone).date() - ONE_DAY, until.astimezone(zone).date()
    while day <= last:
        yield day
        day += ONE_DAY
