"""The calendar feed as a file (RFC 5545): CRLF, lines of at most 75 octets, a rule for each zone that is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

from il2tracker.today import feed_zones
from il2tracker.today.feed import Item
from il2tracker.today.feed_numbers import Revision

TYPE = "text/calendar; charset=utf-8"
ASKED_AGAIN = timedelta(hours=4)  # app's own: how often programs are asked to fetch; most take their own time


def write(
    items: Iterable[Item], revisions: Mapping[str, Revision], level: str, now: datetime, *, site: str, domain: str
) -> bytes:
    """The whole file. `revisions` by the names of the items; `site` is what the calendar is called, `domain` makes
    names of entries unique in the world.

    No alarm is set: reminders are a choice of their own.
    """
    items = list(items)
    file = icalendar.Calendar()
    file.add("version", "2.0")
    file.add("prodid", f"-//{site}//EN")
    file.add("method", "PUBLISH")
    file.add("calscale", "GREGORIAN")
    file.add("x-wr-calname", icalendar.vText(site))
    file.add("refresh-interval", ASKED_AGAIN, parameters={"VALUE": "DURATION"})
    file.add("x-published-ttl", "PT4H")
    for zone in _zones(items):
        file.add_component(zone)
    for item in items:
        file.add_component(_event(item, revisions[item.name], level, now, domain))
    return file.to_ical()


def _event(item: Item, revision: Revision, level: str, now: datetime, domain: str) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{item.name}@{domain}")
    event.add("dtstamp", now.replace(microsecond=0))
    event.add("last-modified", revision.changed_at.replace(microsecond=0))
    event.add("sequence", revision.number)
    starts, ends = _moments(item)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    event.add("summary", item.title(level))
    event.add("status", item.status.value)
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE" if item.is_timed else "TRANSPARENT")
    return event


def _moments(item: Item) -> tuple[datetime | date, datetime | date]:
    """Start and end on the clock of their place; in UTC where that clock shows one of them twice, since readers of
    the file disagree about which of the two is meant."""
    starts, ends = item.starts, item.ends
    if not isinstance(starts, datetime) or not isinstance(ends, datetime):
        return starts, ends
    if _comes_twice(starts) or _comes_twice(ends):
        return starts.astimezone(UTC), ends.astimezone(UTC)
    return starts, ends


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _zones(items: list[Item]) -> Iterator[icalendar.Timezone]:
    years: dict[str, set[int]] = {}
    for item in items:
        if isinstance(item.starts, datetime) and isinstance(item.starts.tzinfo, ZoneInfo):
            years.setdefault(item.starts.tzinfo.key, set()).add(item.starts.year)
    for zone in sorted(years.keys() - {"UTC"}):
        yield _zone(zone, min(years[zone]) - 1, max(years[zone]) + 1)


def _zone(zone: str, first_year: int, last_year: int) -> icalendar.Timezone:
    component = icalendar.Timezone()
    component.add("tzid", zone)
    for clock in feed_zones.clocks(zone, first_year, last_year):
        part = icalendar.TimezoneDaylight() if clock.is_summer else icalendar.TimezoneStandard()
        part.add("dtstart", clock.starts)
        part.add("tzoffsetfrom", clock.before)
        part.add("tzoffsetto", clock.offset)
        part.add("tzname", clock.name)
        component.add_component(part)
    return component
