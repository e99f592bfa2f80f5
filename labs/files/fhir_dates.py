"""When the blood of a FHIR result was taken. Pure: a year or a month is not a day, and what is not said is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from labs.files.candidates import DateError
from labs.files.fhir_json import mapping, text

MOMENT = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)(T(?P<clock>\d\d:\d\d)(?P<second>:\d\d)?(\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
MIDNIGHT_UTC = re.compile(r"T00:00(:00(\.0+)?)?Z$")


@dataclass(frozen=True)
class Taken:
    """The day, the clock without a zone, or the moment where the file says the zone; as in a Line."""

    on: date | None = None
    at: time | None = None
    moment: datetime | None = None


def taken(observation: Mapping[str, Any], *others: Any) -> Taken:
    """When it was taken by its effective[x]: the start of a period; else by the first of `others` that says a moment.

    Never by `issued`: that is when it was reported (H32). Raises DateError, in words.
    """
    if "effectiveTiming" in observation:
        raise DateError("It names several times, and not at which of them the blood was taken.")
    written = next((said for said in (taken_text(observation), *map(text, others)) if said), "")
    if not written:
        raise DateError("It does not say when the blood was taken.")
    return read_moment(written)


def taken_text(observation: Mapping[str, Any]) -> str:
    """What its effective[x] says, as written; of a period the start."""
    start = mapping(observation.get("effectivePeriod")).get("start")
    said = (observation.get("effectiveDateTime"), observation.get("effectiveInstant"), start)
    return next((words for each in said if (words := text(each))), "")


def read_moment(written: str) -> Taken:
    """A FHIR dateTime. Midnight in UTC is how machines write a day whose time they do not know: only the day is kept.

    Raises DateError for a year or month alone and for what is no day.
    """
    parts = MOMENT.fullmatch(written)
    if parts is None:
        raise DateError(f"“{written[:40]}” is not a date we can read.")
    if parts["day"] is None:
        raise DateError(f"“{written}” is not a day. A result needs the day on which the blood was taken.")
    try:
        time.fromisoformat(f"{parts['clock'] or '00:00'}{parts['second'] or ''}")
        if parts["zone"] is None or MIDNIGHT_UTC.search(written):
            return _on_the_clock(parts)
        return Taken(moment=datetime.fromisoformat(f"{written[:10]}T{parts['clock']}{parts['zone']}"))
    except ValueError:
        raise DateError(f"“{written[:40]}” is not a moment of the calendar.") from None


def _on_the_clock(parts: re.Match[str]) -> Taken:
    on = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    known = parts["clock"] is not None and parts["zone"] is None
    return Taken(on, time.fromisoformat(parts["clock"]) if known else None)


def read_birth(written: str) -> tuple[date | None, int | None]:
    """A birth date as a full date, or its year alone."""
    parts = MOMENT.fullmatch(written)
    if parts is None:
        return None, None
    try:
        return (_on_the_clock(parts).on, None) if parts["day"] else (None, int(parts["year"]))
    except ValueError:
        return None, int(parts["year"])
