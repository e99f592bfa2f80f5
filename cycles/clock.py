"""Times of day and amounts as people write them. Pure."""

from __future__ import annotations

import re
from datetime import time
from decimal import Decimal

_TIME = re.compile(r"(\d{1,2})(?:[:.h ]?(\d{2}))? ?(am|pm)?", re.ASCII)
_WORDS = {"midnight": time(0), "midday": time(12), "noon": time(12)}
_AMOUNT = re.compile(r"\d{1,5}(?:\.\d{1,3})?|\d{1,5},\d{1,2}", re.ASCII)


class UnclearTimeError(ValueError):
    """A time that could be morning or evening."""


def read_time(text: str, *, twelve_hours: bool = True) -> time:
    """ "9:58pm", "9.58 pm", "21:58", "2158", "midnight" → the time of day.

    Raises UnclearTimeError for "9:58" where the reader's clock has twelve hours, ValueError for anything else.
    """
    text = " ".join(text.lower().replace("a.m.", "am").replace("p.m.", "pm").split())
    if text in _WORDS:
        return _WORDS[text]
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, half = match.groups()
    if half is None and twelve_hours and 1 <= int(hours) <= 12 and not hours.startswith("0"):
        raise UnclearTimeError(text)
    return time(_hour(int(hours), half), int(minutes or 0))


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half == "pm" else 0)


def read_amount(text: str) -> Decimal:
    """ "7.5", "7,5", "18" → a decimal. Raises ValueError, also for "1,500", which could be two numbers (H04)."""
    text = text.strip()
    if not _AMOUNT.fullmatch(text):
        raise ValueError(text)
    return Decimal(text.replace(",", "."))
