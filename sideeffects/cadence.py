"""When a check-in is asked for. Pure: no Django.

Daily on the days of a course and two days after it, weekly between courses, never more: people who are asked every day
stop answering (peers.md 1c). Over a reading that was too high the temperature is asked for again the next day. All
numbers are app's own.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum

DAYS_AFTER = timedelta(days=2)
WEEK = timedelta(days=7)
# So long a reading over the limit is asked about while no other is entered; after that the weekly check-in asks.
FEVER_ASKED_FOR = timedelta(days=14)


class Ask(StrEnum):
    """Why a check-in is asked for."""

    FEVER = "fever"
    DAILY = "daily"
    WEEKLY = "weekly"


def asked(
    course_days: Collection[date], now: datetime, last_check_in_on: date | None, fever_on: date | None
) -> Ask | None:
    """What is asked for on the civil day of `now`, which stands on the patient's clock; None = nothing.

    course_days: every day of the courses known, begun and to come, from the first to the last injection
    fever_on: the day of the newest reading, when that was over the limit
    """
    today = now.date()
    if fever_on is not None and timedelta(0) < today - fever_on <= FEVER_ASKED_FOR:
        return Ask.FEVER
    if last_check_in_on is not None and last_check_in_on >= today:
        return None
    begun = max((day for day in course_days if day <= today), default=None)
    if begun is None:
        return None
    if today - begun <= DAYS_AFTER:
        return Ask.DAILY
    quiet_since = max(begun, last_check_in_on or begun)
    another_comes = any(day > today for day in course_days)
    return Ask.WEEKLY if another_comes and today - quiet_since >= WEEK else None
