"""The calendar of a course: its doses, the next start, the blood test before it, and what is early or late.

Pure: no clock, no database, no Django. Civil dates (`_on`, `date`) are the patient's own; moments are aware UTC.
Numbers carry the id of their source in domain.md; "app's own" = no source gives it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cycles.day_runs import LONGEST_CYCLE, RegimenError, parse_days
from cycles.documents import open_cycle, parse
from cycles.regimen import MIU, SLOTS, Dose, Phase, Regimen, plain

# The document and its calendar are one engine to everybody else.
__all__ = [
    "LONGEST_CYCLE",
    "MIU",
    "SLOTS",
    "Dose",
    "Phase",
    "Regimen",
    "RegimenError",
    "open_cycle",
    "parse",
    "parse_days",
    "plain",
]

# App's own: a year outside of these is a slip of the keyboard. Between them every hour has a moment in UTC.
EARLIEST, LATEST = date(1980, 1, 1), date(2200, 12, 31)

BLOODWORK_LEAD = timedelta(days=14)  # P54: blood for CD4+ and viral load two weeks before each course
BLOODWORK_OPENS = timedelta(days=21)  # X1, app's own: the earliest draw that counts for the next course
BLOODWORK_CLOSES = timedelta(days=1)  # X1, app's own: the latest draw that counts for the next course
BOOKING_CLOSES = timedelta(days=11)  # B5, app's own: the last day offered, so that results can be back (P66)
TOO_SOON = timedelta(days=28)  # P55: results within four weeks of the last dose are unreliable
ON_TIME = timedelta(hours=2)  # B8, app's own: either side of the planned time
LATE_WITHOUT_NEXT = timedelta(hours=6)  # B8, app's own: half of twelve hours, when no dose follows
MIN_GAP_TWICE_DAILY = timedelta(hours=8)  # H08 and B8, app's own
LIVE_VACCINE_MONTHS = 3  # K22: none during treatment and for three months after it
WEDNESDAY = 3  # P35, ISO weekday: with the hardest hours on days 3 to 5 they fall on Friday to Sunday


class Planned(NamedTuple):
    """One dose of a course on the patient's calendar: `day` from 1, the civil date, the hour on the wall, MIU."""

    day: int
    slot: str
    on: date
    local_time: time
    amount: Decimal | None


class Course(NamedTuple):
    """One course by the plan: its number from 1 and its first day."""

    number: int
    starts_on: date


def unroll(regimen: Regimen, number: int, starts_on: date, slot_times: Mapping[str, time]) -> list[Planned]:
    """Every dose of course `number`, in order, without an amount where none stands in MIU. KeyError for a slot."""
    phase, in_miu = regimen.phase(number), regimen.unit == MIU
    planned = [
        Planned(day, slot, starts_on + after, slot_times[slot], amount if in_miu else None)
        for day, after, slot, amount in phase.steps
    ]
    hours = [slot_times[slot] for slot in phase.slots]
    if hours != sorted(hours):
        planned.sort(key=lambda dose: (dose.day, dose.local_time))
    return planned


def courses(regimen: Regimen, starts_on: date, until: date) -> Iterator[Course]:
    """The courses that would start from `starts_on` to `until` if nothing moved them (2.2)."""
    number, last = 1, regimen.courses
    while starts_on <= until and (last is None or number <= last):
        yield Course(number, starts_on)
        starts_on, number = next_start(regimen, number, starts_on), number + 1


def next_start(regimen: Regimen, number: int, starts_on: date) -> date:
    """Start of the course after `number`: whole days from start to start (P06, K03, H10)."""
    return starts_on + timedelta(days=regimen.phase(number).cycle_days)


def last_dose_on(regimen: Regimen, number: int, starts_on: date) -> date:
    """Civil date of the last planned dose of course `number`."""
    return starts_on + timedelta(days=regimen.phase(number).last_offset)


def moment(on: date, local: time, zone: ZoneInfo) -> datetime:
    """The UTC moment of an hour on the wall: in a gap forward by the gap, if it comes twice the first (H08, A22)."""
    first = local.replace(fold=0) if local.fold else local
    return datetime.combine(on, first, zone).astimezone(UTC)


# Blood tests


def bloodwork_due(next_start: date) -> date:
    """The day on which blood for CD4+ and viral load is due before a course (P54)."""
    return next_start - BLOODWORK_LEAD


def bloodwork_window(next_start: date) -> tuple[date, date]:
    """First and last day whose reliable draw counts for the course that starts then (X1)."""
    return next_start - BLOODWORK_OPENS, next_start - BLOODWORK_CLOSES


def too_soon_until(last_dose_on: date) -> date:
    """The last day on which CD4+ and viral load are still unreliable, 28 days after the last dose (P55)."""
    return last_dose_on + TOO_SOON


def reliable_from(last_dose_on: date) -> date:
    """The first day that is more than 28 days (P55) and at least a calendar month (P52) after the last dose (C1)."""
    return max(too_soon_until(last_dose_on) + timedelta(days=1), add_months(last_dose_on, 1))


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def earliest_reliable_before(last_dose_on: date, next_start: date) -> date | None:
    """The first day on which a reliable test is possible before the next course, if there is one (D16)."""
    earliest = reliable_from(last_dose_on)
    return earliest if earliest < next_start else None


def bloodwork_possible(last_dose_on: date | None, next_start: date) -> bool:
    """Whether a draw on the due day would be reliable (2.4): not below seven weeks. No dose before = a baseline."""
    return last_dose_on is None or reliable_from(last_dose_on) <= bloodwork_due(next_start)


def booking_window(last_dose_on: date | None, next_start: date) -> tuple[date, date] | None:
    """First and last day to offer for booking (B5): from the due day on, and only reliable days. None = no such day."""
    opens, closes = bloodwork_due(next_start), next_start - BOOKING_CLOSES
    if last_dose_on is not None:
        opens = max(opens, reliable_from(last_dose_on))
    return (opens, closes) if opens <= closes else None


def live_vaccine_from(last_dose_on: date) -> date:
    """No live vaccine before this day: three months after the last dose, never shortened by a month's end (2.13, D20).

    Where the third month has no such day it is the first of the next one (O7). `last_dose_on` counts doses that nobody
    recorded as given (D1).
    """
    clamped = add_months(last_dose_on, LIVE_VACCINE_MONTHS)
    return clamped if clamped.day == last_dose_on.day else clamped + timedelta(days=1)


# Early, late, too close


class Timing(Enum):
    """How a given dose stands to its planned time (B8)."""

    EARLY = "early"
    ON_TIME = "on time"
    LATE = "late"
    TOO_LATE = "too late"


def timing(
    planned_at: datetime, moment: datetime, next_planned_at: datetime | None, late_after: timedelta | None
) -> Timing:
    """Compare a moment with the planned one. Late ends at the plan's own limit, else midway to the next dose (B8)."""
    delay = moment - planned_at
    if delay < -ON_TIME:
        return Timing.EARLY
    if delay <= ON_TIME:
        return Timing.ON_TIME
    return Timing.LATE if moment <= late_until(planned_at, next_planned_at, late_after) else Timing.TOO_LATE


def late_until(planned_at: datetime, next_planned_at: datetime | None, late_after: timedelta | None) -> datetime:
    """The last moment at which a dose is late and no more: the plan's own limit, else midway to the next dose (B8)."""
    if late_after is None:
        late_after = (next_planned_at - planned_at) / 2 if next_planned_at else LATE_WITHOUT_NEXT
    return planned_at + late_after


def default_min_gap(doses_a_day: int) -> timedelta | None:
    """The shortest time between two doses when the plan names none: 8 hours for two a day, else no rule (B8)."""
    return MIN_GAP_TWICE_DAILY if doses_a_day == 2 else None


def gap_too_short(previous_given_at: datetime, given_at: datetime, min_gap: timedelta | None) -> bool:
    """Whether two doses are closer in real hours than `min_gap`, whichever was first (H08)."""
    return min_gap is not None and abs(given_at - previous_given_at) < min_gap


# Choosing a start


def suggested_start(after: date, weekday: int = WEDNESDAY) -> date:
    """The first such day after a day, by ISO weekday: a Wednesday where nothing speaks against it (P35)."""
    return after + timedelta(days=(weekday - after.isoweekday() - 1) % 7 + 1)


def hardest_days(starts_on: date, hardest: str) -> tuple[date, ...]:
    """The dates of a protocol's hardest days ("3-5", P34); none where the protocol names none (M2)."""
    return tuple(starts_on + timedelta(days=day - 1) for day in parse_days(hardest)) if hardest else ()
