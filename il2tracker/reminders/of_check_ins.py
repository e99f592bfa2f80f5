"""The mail that asks how a patient is, for those who want it: at 09:00 of a day on which Today asks too. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cycles import schedule
from il2tracker.reminders import kinds
from il2tracker.reminders.wishes import Choices, Owner, Wish, chosen
from sideeffects.cadence import Ask, asked

ONE_DAY = timedelta(days=1)
FEVER = "/fever"


@dataclass(frozen=True, slots=True)
class CheckInFact:
    """`course_days`: the days of courses known; `last_on`: of the newest check-in; `fever_on`: of the newest reading,
    when that was over the limit. Civil dates are the patient's."""

    owner: Owner
    zone: str
    course_days: frozenset[date]
    last_on: date | None
    fever_on: date | None


def of_patients(found: Iterable[CheckInFact], since: datetime, until: datetime, choices: Choices) -> Iterator[Wish]:
    """What is asked up to `until` and not yet over at `since`, as things stand now."""
    days = ((fact, day) for fact in found for day in _days_of(fact, since, until))
    return chosen((wish for fact, day in days if (wish := _wish(fact, day)) is not None), choices)


def of_one(found: Iterable[CheckInFact], occurrence: str, choices: Choices) -> Iterator[Wish]:
    """The mail of that name as it should be now."""
    day = date.fromisoformat(occurrence.removesuffix(FEVER).partition("@")[2])
    return chosen((wish for fact in found if (wish := _wish(fact, day)) is not None), choices)


def is_about_fever(occurrence: str) -> bool:
    """Whether a reading over the limit is asked about again."""
    return occurrence.endswith(FEVER)


def _wish(fact: CheckInFact, day: date) -> Wish | None:
    zone = ZoneInfo(fact.zone)
    due_at = schedule.moment(day, kinds.SEND_TIME, zone)
    ask = asked(fact.course_days, due_at.astimezone(zone), fact.last_on, fact.fever_on)
    if ask is None or fact.owner.user_id is None:
        return None
    return Wish(
        kind=kinds.CHECK_IN,
        occurrence=f"check@{day.isoformat()}{FEVER if ask is Ask.FEVER else ''}",
        recipient_id=fact.owner.user_id,
        patient_id=fact.owner.patient_id,
        due_at=due_at,
        expires_at=schedule.moment(day, kinds.CHECK_IN_ENDS, zone),
        zone=fact.zone,
        unwanted=fact.owner.missing(),
    )


def _days_of(fact: CheckInFact, since: datetime, until: datetime) -> Iterator[date]:
    zone = ZoneInfo(fact.zone)
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        yield day
        day += ONE_DAY
