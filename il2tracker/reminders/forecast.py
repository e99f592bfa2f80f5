"""What would be sent on a day, as plans and choices stand now. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from il2tracker.accounts.models import Patient
from il2tracker.reminders import facts, kinds, sources
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.wishes import Choices, Wish

EASTERNMOST, WESTERNMOST = timedelta(hours=14), timedelta(hours=12)  # where a day begins first and ends last
ONE_DAY, FURTHEST = timedelta(days=1), timedelta(days=366)
ENDS = (State.SENT, State.DEAD, State.UNCERTAIN, State.EXPIRED)
NEXT_DAY = "cap"  # instead of a reason: there are enough mails on that day


@dataclass(frozen=True, slots=True)
class Line:
    """One mail. `at`: when it would leave, on the clock of the person it is about. `why_not`: "" when it would."""

    at: datetime
    code: str
    wish: Wish
    why_not: str


def on(day: date, now: datetime) -> list[Line]:
    """What is due on the civil date `day`, each where the patient lives, in order of the clock."""
    begins = datetime.combine(day, time(0), tzinfo=UTC) - EASTERNMOST
    people = facts.choices()
    found = _lines(sources.wanted(max(begins, now), begins), people)
    there = sorted((line for line in found if line.at.date() == day), key=lambda line: (line.at.time(), line.wish.key))
    ended = _ended(begins)
    return [_as_it_ended(line, ended) for line in _capped(there, people)]


def parse(text: str, now: datetime) -> date:
    """A day that is not over everywhere and no more than a year ahead. Raises ValueError."""
    day = date.fromisoformat(text)
    if not (now - WESTERNMOST).date() <= day <= (now + FURTHEST).date():
        raise ValueError(text)
    return day


def soon(now: datetime) -> list[Line]:
    """What is wanted from now on, as far ahead as rows are made, in order of time."""
    return sorted(_lines(sources.wanted(now, now), facts.choices()), key=lambda line: (line.at, line.wish.key))


def _lines(wishes: Iterator[Wish], people: Choices) -> list[Line]:
    found = list(wishes)
    named = Patient.objects.filter(pk__in={wish.patient_id for wish in found if wish.patient_id})
    codes = dict(named.values_list("pk", "code"))
    return [
        Line(_leaves(wish, people), codes.get(wish.patient_id or 0, ""), wish, wish.unwanted or "") for wish in found
    ]


def _ended(begins: datetime) -> dict[str, str]:
    """Key → state of what has already left or ended on the day."""
    done = Reminder.objects.filter(due_at__gte=begins - ONE_DAY, state__in=ENDS)
    return dict(done.values_list("key", "state"))


def _as_it_ended(line: Line, ended: dict[str, str]) -> Line:
    return replace(line, why_not=ended.get(line.wish.key, line.why_not))


def _leaves(wish: Wish, people: Choices) -> datetime:
    zone = ZoneInfo(wish.zone)
    until = people.quiet(wish.recipient_id).until(wish.due_at, zone)
    waits = until is not None and kinds.may_wait(wish.kind, wish.expires_at, until)
    return (until if until and waits else wish.due_at).astimezone(zone)


def _capped(lines: list[Line], people: Choices) -> Iterator[Line]:
    told: Counter[int] = Counter()
    for line in lines:
        counts = kinds.POLICIES[line.wish.kind].is_capped and not line.why_not
        told[line.wish.recipient_id] += counts
        is_over = counts and told[line.wish.recipient_id] > people.cap(line.wish.recipient_id)
        yield replace(line, why_not=NEXT_DAY) if is_over else line
