"""How the next entries of the feed would be called on each level, before anybody chooses one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.today.feed import Item, Level, Status, items

EXAMPLE = Decimal("7.5")


@dataclass(frozen=True)
class Line:
    """One entry: when it is, and its title."""

    when: str
    title: str


@dataclass(frozen=True)
class Sample:
    """A level, what it says in a sentence, and the patient's own next entries on it."""

    level: Level
    says: str
    lines: list[Line]


def samples(patient: Patient, now: datetime, clock: str) -> list[Sample]:
    """Each level with the next injection, the next whole days and the next blood test: at most three lines."""
    today = patient.today(now)
    standing = (item for item in items(patient, now) if item.status is not Status.CANCELLED)
    chosen = _one_of_each(item for item in standing if _is_ahead(item, now, today))
    return [
        Sample(level, _says(level), [Line(_when(item, clock), item.title(level)) for item in chosen]) for level in Level
    ]


def _is_ahead(item: Item, now: datetime, today: date) -> bool:
    return item.ends > now if isinstance(item.ends, datetime) else item.ends > today


def _one_of_each(ahead: Iterable[Item]) -> list[Item]:
    """The first of each sort: an hour, a course, a blood test."""
    first: dict[tuple[bool, bool], Item] = {}
    for item in ahead:
        first.setdefault((item.is_timed, item.name.endswith("-before")), item)
    return list(first.values())


def _says(level: Level) -> str:
    return {
        Level.DISCREET: _("Every entry is called “Diary”."),
        Level.PLAIN: _("“Course day 4”, “Course 3”, “Blood test”. No amounts."),
        Level.FULL: _("“Injection %(amount)s”, “Course 3”, “Blood test”.") % {"amount": ui.miu(EXAMPLE)},
    }[level]


def _when(item: Item, clock: str) -> str:
    day = ui.long_day(_day(item.starts))
    if isinstance(item.starts, datetime):
        return _("%(day)s, %(time)s") % {"day": day, "time": ui.clock(item.starts, clock)}
    last = item.ends - timedelta(days=1)
    if last == item.starts:
        return day
    return _("%(first)s to %(last)s") % {"first": day, "last": ui.long_day(_day(last))}


def _day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
