"""Five years of doses beside plain date arithmetic, in one run: the ratios count, not the seconds.

Measured on a sample of plans and multiplied: the work is the same for each plan, so 1,000 say what 100,000 cost.
Not collected with the tests: pytest tests/bench/engine.py -s -p no:logging
"""

import time
import timeit
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as hour
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cycles import schedule
from cycles.outlook import look_ahead

PLANS, SAMPLE, DAYS = 100_000, 1000, 5 * 365
ZONE = ZoneInfo("America/New_York")
FIRST = date(2026, 1, 1)
TWICE = {"am": hour(8), "pm": hour(20)}
BEDTIME = {"bedtime": hour(22)}


def plan(cycle_days: int, days: str, slots: list[str]) -> schedule.Regimen:
    lines = [{"days": days, "slots": slots, "amount": "7.5"}]
    return schedule.parse({"unit": "MIU", "phases": [{"repeat": None, "cycle_days": cycle_days, "doses": lines}]})


KINDS = {
    "5 days of 8 weeks, twice daily": (plan(56, "1-5", ["am", "pm"]), TWICE),
    "5 on 2 off, 4 weeks of 5": (plan(35, "1-5 8-12 15-19 22-26", ["bedtime"]), BEDTIME),
}


def seconds(work: Callable[[], Any]) -> float:
    """Seconds of the processor, the best of three: other work on the machine does not count."""
    return min(timeit.repeat(work, timer=time.process_time, number=1, repeat=3))


def starts() -> list[date]:
    return [FIRST + timedelta(days=number % 56) for number in range(SAMPLE)]


def as_ordinals(regimen: schedule.Regimen, begin: date, slots: int) -> list[int]:
    """The least that any calendar has to do: whole numbers of days, once for each injection."""
    phase, day = regimen.phases[0], begin.toordinal()
    offsets = sorted({dose.offset for dose in phase.doses})
    courses = range(day, day + DAYS, phase.cycle_days)
    return [start + offset for start in courses for offset in offsets for _ in range(slots)]


def as_datetimes(regimen: schedule.Regimen, begin: date, hours: Sequence[hour]) -> list[datetime]:
    """Naive datetimes, one addition for each injection."""
    phase, end = regimen.phases[0], begin + timedelta(days=DAYS)
    offsets = sorted({dose.offset for dose in phase.doses})
    found, start = [], begin
    while start < end:
        found += [datetime.combine(start, at) + timedelta(days=offset) for offset in offsets for at in hours]
        start += timedelta(days=phase.cycle_days)
    return found


def unrolled(regimen: schedule.Regimen, begin: date, hours: dict[str, hour]) -> list[schedule.Planned]:
    """The engine: every dose with its day, slot, hour and amount."""
    courses = schedule.courses(regimen, begin, begin + timedelta(days=DAYS - 1))
    return [dose for course in courses for dose in schedule.unroll(regimen, *course, hours)]


def moments(doses: Sequence[schedule.Planned]) -> list[datetime]:
    return [schedule.moment(dose.on, dose.local_time, ZONE) for dose in doses]


def naive_moments(found: Sequence[datetime]) -> list[datetime]:
    return [at.replace(tzinfo=ZONE).astimezone(schedule.UTC) for at in found]


@pytest.mark.parametrize("kind", KINDS)
def test_five_years_of_doses(kind: str) -> None:
    regimen, hours = KINDS[kind]
    begins, clock = starts(), list(hours.values())
    doses = [unrolled(regimen, begin, hours) for begin in begins]
    walls = [as_datetimes(regimen, begin, clock) for begin in begins]
    assert [[datetime.combine(dose.on, dose.local_time) for dose in each] for each in doses] == walls
    assert [moments(each) for each in doses[:50]] == [naive_moments(each) for each in walls[:50]]
    ordinals = seconds(lambda: [as_ordinals(regimen, begin, len(clock)) for begin in begins])
    naive = seconds(lambda: [as_datetimes(regimen, begin, clock) for begin in begins])
    engine = seconds(lambda: [unrolled(regimen, begin, hours) for begin in begins])
    zoned = seconds(lambda: [naive_moments(each) for each in walls])
    in_utc = seconds(lambda: [moments(each) for each in doses])
    scale, each = PLANS / SAMPLE, len(doses[0])
    print(f"\n{kind}: {each} doses in five years; {SAMPLE} plans measured, times {scale:.0f}")
    print(f"  day ordinals {ordinals * scale:6.2f} s | naive datetimes {naive * scale:6.1f} s")
    print(f"  engine       {engine * scale:6.1f} s, {engine / naive:.2f} of naive, {engine / ordinals:.1f} of ordinals")
    print(f"  to UTC: plain {zoned * scale:6.1f} s, engine {in_utc * scale:6.1f} s, {in_utc / zoned:.2f} of plain")
    print(f"  engine with UTC {(engine + in_utc) * scale:6.1f} s, {(engine + in_utc) / (naive + zoned):.2f} of plain")


def test_the_rest_of_the_engine() -> None:
    regimen, hours = KINDS["5 days of 8 weeks, twice daily"]
    document = regimen.document()
    work: dict[str, Callable[[], Any]] = {
        "read a document": lambda: [schedule.parse(document) for _ in range(SAMPLE)],
        "write a document": lambda: [regimen.document() for _ in range(SAMPLE)],
        "preview of a plan": lambda: [
            look_ahead(regimen, begin, hours, hardest="3-5", timing_matters=True) for begin in starts()
        ],
        "first reliable day": lambda: [schedule.reliable_from(begin) for begin in starts()],
        "live-vaccine day": lambda: [schedule.live_vaccine_from(begin) for begin in starts()],
    }
    print()
    for name, run in work.items():
        print(f"  {name:20} {seconds(run) / SAMPLE * 1e6:7.1f} µs")
