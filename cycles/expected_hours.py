"""The hours in which flu-like signs are often seen after an injection (2.9, D11). Pure; moments are aware.

From the kidney leaflet: they begin two to four hours after an injection and last about twelve (K11). Sixteen hours as a
bound is the sum, app's own. The HIV source has no hours: on a HIV plan the window is borrowed, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

OFTEN_BEGINS = (timedelta(hours=2), timedelta(hours=4))  # K11
LENGTH = timedelta(hours=16)


class Window(NamedTuple):
    """From an injection to sixteen hours after the last one that falls into it, both included."""

    opens: datetime
    closes: datetime


def windows(given_at: Iterable[datetime]) -> list[Window]:
    """The union of the sixteen hours after each injection really given, in order; what touches is one window."""
    merged: list[Window] = []
    for moment in sorted(given_at):
        if merged and moment <= merged[-1].closes:
            merged[-1] = Window(merged[-1].opens, moment + LENGTH)
        else:
            merged.append(Window(moment, moment + LENGTH))
    return merged


def days(given_at: Iterable[datetime], zone: tzinfo) -> frozenset[date]:
    """The civil days of a place on which the window of any injection is open."""
    found = set[date]()
    for given in given_at:
        opens, closes = given.astimezone(zone).date(), (given + LENGTH).astimezone(zone).date()
        found |= {opens, closes}
    return frozenset(found)


def covers(given_at: Iterable[datetime], moment: datetime) -> bool:
    """Whether a moment lies within the window of any injection. It never outweighs an urgent rule (2.9)."""
    return any(timedelta(0) <= moment - given <= LENGTH for given in given_at)
