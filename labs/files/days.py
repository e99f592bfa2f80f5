"""Days and times as files write them. Pure; what can be two days is asked, never guessed."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache, wraps
from typing import TypeVar

from cycles import clock
from labs.chart_axes import MONTHS
from labs.files.candidates import DateError

Told = TypeVar("Told")

DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
LONGEST_DATE = 60  # letters, with a time, a zone and room for mistakes
NO_TIME = re.compile(r"[T ]00:00(:00(\.0+)?)?(Z|[+-]00:00)\s*$")
SHORT_MONTHS = [month[:3].casefold() for month in MONTHS]
YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})")
YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")
DAY_MONTH = re.compile(r"(\d{1,2})\.?[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})")
MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})")
CLOCK = re.compile(r"[T ]+\d{1,2}:\d{2}.*$")
ZONE = re.compile(r"(\bz|\dz|utc|gmt|[+-]\d{1,2}(:?\d{2})?)$", re.IGNORECASE)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})")


@lru_cache(maxsize=8192)
def read_date(text: str, order: str = "") -> date:
    """Date written as 2026-11-04, 4 November 2026 or 25/11/2026; `order` says how 03/04/2026 is meant ("" = unsaid).

    Raises DateError, also when day and month could swap.
    """
    words = CLOCK.sub("", text.strip())
    if shape := YEAR_FIRST.fullmatch(words):
        if shape[2] or len(words) == 8:
            return _day(text, int(shape[1]), int(shape[3]), int(shape[4]))
    elif shape := YEAR_LAST.fullmatch(words):
        return _year_last(text, int(shape[1]), int(shape[2]), int(shape[3]), order)
    elif (shape := DAY_MONTH.fullmatch(words)) and shape[2][:3].casefold() in SHORT_MONTHS:
        return _day(text, int(shape[3]), SHORT_MONTHS.index(shape[2][:3].casefold()) + 1, int(shape[1]))
    elif (shape := MONTH_DAY.fullmatch(words)) and shape[1][:3].casefold() in SHORT_MONTHS:
        return _day(text, int(shape[3]), SHORT_MONTHS.index(shape[1][:3].casefold()) + 1, int(shape[2]))
    raise DateError(f"“{text}” is not a date we can read. Write it as 2026-11-04.")


def _year_last(text: str, first: int, second: int, year: int, order: str) -> date:
    if first > 12 or (order == DAY_FIRST and second <= 12):
        return _day(text, year, second, first)
    if second > 12 or order == MONTH_FIRST or first == second:
        return _day(text, year, first, second)
    where = "" if order else " above"  # a whole file that was looked through in vain (“?”) is read by a command
    raise DateError(f"“{text}” can be two different days. Say{where} how the dates of this file are written.")


def _day(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateError(f"“{text}” is not a day of the calendar.") from None


def _remembered(read: Callable[[str], Told]) -> Callable[[str], Told]:
    """A file says the same few days again and again. What is longer than any date is not kept in memory."""
    kept = lru_cache(maxsize=8192)(read)

    @wraps(read)
    def once(text: str) -> Told:
        return kept(text) if len(text) <= LONGEST_DATE else read(text)

    return once


@_remembered
def order_shown(text: str) -> str:
    """What a date tells about the order of its file: DAY_FIRST, MONTH_FIRST, "?" if it can be both, "" if nothing."""
    shape = YEAR_LAST.fullmatch(CLOCK.sub("", text.strip()))
    first, second = (int(shape[1]), int(shape[2])) if shape else (0, 0)
    if first == second or max(first, second) > 31:
        return ""
    if max(first, second) <= 12:
        return "?"
    return DAY_FIRST if first > second else MONTH_FIRST


def both_ways(text: str) -> tuple[date, date]:
    """A date that can be two days, read with the day first and with the month first."""
    return read_date(text, DAY_FIRST), read_date(text, MONTH_FIRST)


@_remembered
def moment_in(text: str) -> datetime | None:
    """The moment that a text names together with its zone ("2026-11-04T08:15:00+01:00"), or None."""
    if not MOMENT.fullmatch(text.strip()) or NO_TIME.search(text):
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise DateError(f"“{text}” is not a time we can read. Write it as 2026-11-04 08:15.") from None


@_remembered
def clock_beside(text: str) -> str:
    """The time of day that stands behind a date, "" if there is none: midnight in UTC is what machines write then."""
    if NO_TIME.search(text):
        return ""
    beside = CLOCK.search(text)
    return beside[0].lstrip("T ") if beside else ""


def read_clock(text: str) -> time:
    """A time as "8:15 PM", "08:15" or "08:15:30", read like one typed in a form. DateError also for an offset."""
    words = re.sub(r"(\d:\d{2}):[0-5]\d(\.\d+)?", r"\1", text.strip())
    if ZONE.search(words):
        raise DateError(f"“{text}” names a time zone. Write the time on the patient’s own clock, without it.")
    try:
        return clock.read_time(words, twelve_hours=False)
    except ValueError:
        raise DateError(f"“{text}” is not a time we can read. Write it as 08:15 or 8:15pm.") from None
