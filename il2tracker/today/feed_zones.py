"""The rules of a time zone as a calendar file carries them: every change of its clock in a stretch of years. Pure.

A calendar program must not need to know the zone by its name (RFC 5545 3.6.5). The changes are read from the time zone
data that the plan's own moments come from, so that both agree to the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY, ONE_SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Clock:
    """One setting of a zone's clock. `starts` is the wall time of the change on the clock before it, as RFC 5545
    asks; `before` and `offset` are what was and is to be added to UTC."""

    starts: datetime
    before: timedelta
    offset: timedelta
    name: str
    is_summer: bool


@lru_cache(maxsize=256)
def clocks(zone: str, first_year: int, last_year: int) -> tuple[Clock, ...]:
    """The setting at the start of `first_year`, then each change until the end of `last_year`."""
    place = ZoneInfo(zone)
    moment, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    found = [_clock(moment, place, _offset(moment, place))]
    while moment < end:
        following = moment + ONE_DAY
        if _offset(following, place) != _offset(moment, place):
            changed = _change(moment, following, place)
            found.append(_clock(changed, place, _offset(moment, place)))
        moment = following
    return tuple(found)


def _change(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """The first second of the new offset between two moments."""
    old = _offset(before, place)
    while after - before > ONE_SECOND:
        middle = before + timedelta(seconds=(after - before) // ONE_SECOND // 2)
        before, after = (middle, after) if _offset(middle, place) == old else (before, middle)
    return after


def _clock(moment: datetime, place: ZoneInfo, before: timedelta) -> Clock:
    local = moment.astimezone(place)
    wall = (moment + before).replace(tzinfo=None)
    return Clock(wall, before, _offset(moment, place), local.tzname() or "", bool(local.dst()))


def _offset(moment: datetime, place: ZoneInfo) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta()
