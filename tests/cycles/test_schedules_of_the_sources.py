"""Every schedule on record (domain.md 3.3, 2.1) as a document, unrolled whole.

Each row says in plain numbers which days have how many injections of how much, counted from the first day; the document
has to come to exactly these.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, WEEKLY, rrule

from cycles import schedule

START = date(2026, 3, 4)
HOURS = {slot: time(hour) for slot, hour in zip(schedule.SLOTS, (0, 8, 12, 16, 20, 22), strict=True)}


def phase(*lines: tuple[str, list[str], str | None], repeat: int | None = None, cycle: int = 56) -> dict[str, Any]:
    doses = [{"days": days, "slots": slots, "amount": amount} for days, slots, amount in lines]
    return {"repeat": repeat, "cycle_days": cycle, "doses": doses}


def five(amount: str | None, slots: list[str], repeat: int | None = None, cycle: int = 56) -> dict[str, Any]:
    return phase(("1-5", slots, amount), repeat=repeat, cycle=cycle)


ONCE, TWICE = ["am"], ["am", "pm"]


@dataclass(frozen=True)
class Row:
    """A schedule: `starts` of its first courses, and all injections of these as days after the first start."""

    phases: list[dict[str, Any]]
    starts: list[int]
    days: Counter[int]
    total: str | None
    unit: str = "MIU"
    courses: int | None = None


def runs(starts: Iterable[int], days: Iterable[int], a_day: int = 1) -> Counter[int]:
    """`a_day` injections on these days (0 = the first) of courses that begin on these days."""
    days = list(days)
    return Counter({start + day: a_day for start in starts for day in days})


def every(step: int, courses: int) -> list[int]:
    return [step * number for number in range(courses)]


WORKDAYS_4_WEEKS = [7 * week + day for week in range(4) for day in range(5)]

ROWS = {
    "HIV, 9 million units a day (P06)": Row([five("4.5", TWICE)], every(56, 3), runs(every(56, 3), range(5), 2), "135"),
    "HIV, 15 million units a day (P06)": Row(
        [five("7.5", TWICE)], every(56, 3), runs(every(56, 3), range(5), 2), "225"
    ),
    "HIV, CD4 25 to 200: 4.5 twice a day every 6 weeks": Row(
        [five("4.5", TWICE, cycle=42)], every(42, 4), runs(every(42, 4), range(5), 2), "180"
    ),
    "HIV, ILIADE: 6 twice a day in weeks 0, 8 and 16": Row(
        [five("6", TWICE, repeat=3)], [0, 7 * 8, 7 * 16], runs([0, 56, 112], range(5), 2), "180", courses=3
    ),
    "HIV: 3 twice a day every 4 weeks": Row(
        [five("3", TWICE, cycle=28)], every(28, 6), runs(every(28, 6), range(5), 2), "180"
    ),
    **{
        f"HIV, Davey 1999: {amount} twice a day every {weeks} weeks": Row(
            [five(amount, TWICE, cycle=7 * weeks)],
            every(7 * weeks, 3),
            runs(every(7 * weeks, 3), range(5), 2),
            str(30 * Decimal(amount)),
        )
        for amount in ("1.5", "7.5")
        for weeks in (4, 8)
    },
    "HIV, ANRS 048: 3 per m² twice a day every 8 weeks": Row(
        [five("3", TWICE)], every(56, 3), runs(every(56, 3), range(5), 2), "90", unit="MIU/m2"
    ),
    "HIV, continuous drip of 5 days, one entry a day (P58)": Row(
        [five("12", ONCE)], every(56, 3), runs(every(56, 3), range(5)), "180"
    ),
    "HIV, low dose every day without an end (P15)": Row(
        [phase(("1-28", ["bedtime"], "1"), cycle=28)], every(28, 4), runs([0], range(112)), "112"
    ),
    "HIV, extended to 12 weeks (P64)": Row(
        [five("7.5", TWICE, repeat=3), five("7.5", TWICE, cycle=84)],
        [0, 56, 112, 168, 252, 336],
        runs([0, 56, 112, 168, 252, 336], range(5), 2),
        "450",
    ),
    "HIV, extended to 12 weeks and after three courses to 16 (P65)": Row(
        [five("7.5", TWICE, repeat=2), five("7.5", TWICE, repeat=3, cycle=84), five("7.5", TWICE, cycle=112)],
        [0, 56, 112, 196, 280, 364, 476],
        runs([0, 56, 112, 196, 280, 364, 476], range(5), 2),
        "525",
    ),
    "HIV, once or twice a year (P70)": Row(
        [five("7.5", TWICE, repeat=2, cycle=182), five("7.5", TWICE, cycle=364)],
        [0, 182, 364, 728],
        runs([0, 182, 364, 728], range(5), 2),
        "300",
    ),
    "HIV, NIH: once a year (P12)": Row(
        [five("7.5", TWICE, cycle=364)], every(364, 5), runs(every(364, 5), range(5), 2), "375"
    ),
    "HIV, NIH: every 39 months, the mean": Row(
        [five("7.5", TWICE, cycle=1187)], every(1187, 3), runs(every(1187, 3), range(5), 2), "225"
    ),
    "HIV, NIH: every 400 weeks": Row(
        [five("7.5", TWICE, cycle=2800)], every(2800, 3), runs(every(2800, 3), range(5), 2), "225"
    ),
    "kidney, 5 on and 2 off for 4 of 5 weeks, no amounts (K03)": Row(
        [phase(("1-5 8-12 15-19 22-26", ["bedtime"], None), cycle=35)],
        every(35, 3),
        runs(every(35, 3), WORKDAYS_4_WEEKS),
        None,
    ),
    "kidney, label: 279 in 20 doses of 35 days": Row(
        [
            phase(
                ("1-5 8-9 15-16 22-23", ["bedtime"], "18"),
                ("10-12 17-19 24-26", ["bedtime"], "9"),
                cycle=35,
            )
        ],
        [0],
        runs([0], WORKDAYS_4_WEEKS),
        "279",
    ),
    "kidney, courses of 6 weeks": Row(
        [phase(("1-5 8-12 15-19 22-26 29-33 36-40", ["bedtime"], "9"), repeat=2, cycle=63)],
        [0, 63],
        runs([0, 63], [7 * week + day for week in range(6) for day in range(5)]),
        "540",
        courses=2,
    ),
    "kidney, induction of 8 weeks, then 4 weeks on and 2 off": Row(
        [
            phase(("1-5 8-12 15-19 22-26 29-33 36-40 43-47 50-54", ["bedtime"], "9"), repeat=1, cycle=56),
            phase(("1-5 8-12 15-19 22-26", ["bedtime"], "9"), cycle=42),
        ],
        [0, 56, 98],
        runs([0], [7 * week + day for week in range(8) for day in range(5)]) + runs([56, 98], WORKDAYS_4_WEEKS),
        "720",
    ),
    "kidney, by surface: twice on days 1 and 2, once on days 3 to 5, 4 weeks, every 4 months": Row(
        [
            phase(
                ("1-2 8-9 15-16 22-23", TWICE, "1"),
                ("3-5 10-12 17-19 24-26", ONCE, "1"),
                cycle=120,
            )
        ],
        [0, 120],
        runs([0, 120], [7 * week + day for week in range(4) for day in (0, 1)], 2)
        + runs([0, 120], [7 * week + day for week in range(4) for day in (2, 3, 4)]),
        "56",
        unit="MIU/m2",
    ),
    "kidney, drip: 18 per m² for 5 days, 2 of rest, 5 days, 3 weeks of rest, twice, then maintenance": Row(
        [phase(("1-5 8-12", ONCE, "18"), repeat=2, cycle=33), five("18", ONCE, cycle=28)],
        [0, 33, 66, 94],
        runs([0, 33], [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]) + runs([66, 94], range(5)),
        "540",
        unit="MIU/m2",
    ),
    "kidney, the same drip with 6 days of rest": Row(
        [phase(("1-5 12-16", ONCE, "18"), repeat=2, cycle=37)],
        [0, 37],
        runs([0, 37], [0, 1, 2, 3, 4, 11, 12, 13, 14, 15]),
        "360",
        unit="MIU/m2",
        courses=2,
    ),
    "kidney, high dose into a vein: every 8 hours, 14 doses, 9 days of rest, once more": Row(
        [phase(("1-5", ["am", "afternoon"], "600000"), ("2-5", ["night"], "600000"), repeat=2, cycle=14)],
        [0, 14],
        runs([0, 14], [0], 2) + runs([0, 14], range(1, 5), 3),
        "16800000",
        unit="IU/kg",
        courses=2,
    ),
    **{
        f"chronic GVHD: {weeks} weeks daily, 4 weeks of pause, then on": Row(
            [
                phase((f"1-{7 * weeks}", ["bedtime"], "1"), repeat=1, cycle=7 * (weeks + 4)),
                phase(("1-28", ["bedtime"], "1"), cycle=28),
            ],
            [0, 7 * (weeks + 4), 7 * (weeks + 8)],
            runs([0], [*range(7 * weeks), *range(7 * (weeks + 4), 7 * (weeks + 12))]),
            str(7 * weeks + 56),
            unit="MIU/m2",
        )
        for weeks in (8, 12)
    },
    "chronic GVHD, lowered by a quarter and by half": Row(
        [
            phase(("1-28", ["bedtime"], "1"), repeat=1, cycle=28),
            phase(("1-28", ["bedtime"], "0.75"), repeat=1, cycle=28),
            phase(("1-28", ["bedtime"], "0.5"), cycle=28),
        ],
        [0, 28, 56],
        runs([0], range(84)),
        "63",
        unit="MIU/m2",
    ),
    **{
        f"GVHD prevention: {amount} per m² three times a week, {weeks} weeks": Row(
            [phase((days, ["bedtime"], amount), repeat=1, cycle=7 * weeks)],
            [0],
            runs([0], [7 * week + day for week in range(weeks) for day in (0, 2, 4)]),
            str(3 * weeks * Decimal(amount)),
            unit="MIU/m2",
            courses=1,
        )
        for amount, weeks, days in (("0.1", 6, "1-36/7 3-38/7 5-40/7"), ("0.2", 12, "1-78/7 3-80/7 5-82/7"))
    },
    "lupus: every other day for 2 weeks, 2 weeks off, three times": Row(
        [phase(("1-14/2", ["bedtime"], "1"), repeat=3, cycle=28)],
        every(28, 3),
        runs(every(28, 3), range(0, 14, 2)),
        "21",
        courses=3,
    ),
    "hepatitis C vasculitis: 1.5 first, then 3 in weeks 3, 6 and 9": Row(
        [five("1.5", ONCE, repeat=1, cycle=14), five("3", ONCE, repeat=3, cycle=21)],
        [0, 7 * 2, 7 * 5, 7 * 8],
        runs([0, 14, 35, 56], range(5)),
        "52.5",
        courses=4,
    ),
    **{
        f"type 1 diabetes: {amount} on 5 days": Row(
            [five(amount, ONCE, repeat=1, cycle=5)], [0], runs([0], range(5)), str(5 * Decimal(amount)), courses=1
        )
        for amount in ("0.33", "1", "3")
    },
    "type 1 diabetes: 0.26 per m² every third day": Row(
        [phase(("1-27/3", ONCE, "0.26"), cycle=27)], every(27, 4), runs([0], range(0, 108, 3)), "9.36", unit="MIU/m2"
    ),
    "ALS: 2 on 5 days every 28 days for 18 months": Row(
        [five("2", ONCE, repeat=20, cycle=28)], every(28, 20), runs(every(28, 20), range(5)), "200", courses=20
    ),
    "maintenance: 4.5 three times a week for 6 months": Row(
        [phase(("1-85/7 3-87/7 5-89/7", ["bedtime"], "4.5"), repeat=2, cycle=91)],
        [0, 91],
        runs([0], [7 * week + day for week in range(26) for day in (0, 2, 4)]),
        "351",
        courses=2,
    ),
    "three times a week in a cycle that is no multiple of seven": Row(
        [phase(("1-36/7 3-38/7 5-40/7", ONCE, "1"), cycle=40)],
        [0, 40],
        runs([0, 40], [day for day in range(40) if day % 7 in (0, 2, 4)]),
        "36",
    ),
    "TRANSREG: 1 on 5 days, then every 2 weeks": Row(
        [five("1", ONCE, repeat=1, cycle=14), phase(("1", ONCE, "1"), repeat=13, cycle=14)],
        every(14, 14),
        runs([0], [*range(5), *range(14, 14 * 14, 14)]),
        "18",
        courses=14,
    ),
    "three times a day": Row(
        [five("1", ["am", "noon", "bedtime"])], every(56, 2), runs(every(56, 2), range(5), 3), "30"
    ),
    "week by week less": Row(
        [
            phase(
                ("1-5", ONCE, "9"),
                ("8-12", ONCE, "6"),
                ("15-19", ONCE, "3"),
                ("22-26", ONCE, "1.5"),
                cycle=35,
            )
        ],
        [0],
        runs([0], WORKDAYS_4_WEEKS),
        "97.5",
    ),
}
by_name = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def read(row: Row) -> schedule.Regimen:
    return schedule.parse({"unit": row.unit, "phases": row.phases})


@by_name
def test_every_schedule_on_record_unrolls_to_exactly_its_counted_days(row: Row) -> None:
    regimen = read(row)
    last = START + timedelta(days=row.starts[-1])
    courses = list(schedule.courses(regimen, START, last))
    assert [(course.starts_on - START).days for course in courses] == row.starts
    planned = list(chain.from_iterable(schedule.unroll(regimen, *course, HOURS) for course in courses))
    assert Counter((dose.on - START).days for dose in planned) == row.days


@by_name
def test_every_schedule_on_record_adds_up(row: Row) -> None:
    regimen = read(row)
    totals = [regimen.course_total(number) for number in range(1, len(row.starts) + 1)]
    assert (None if None in totals else sum(totals)) == (None if row.total is None else Decimal(row.total))


@by_name
def test_every_schedule_on_record_comes_back_from_its_document_and_ends_where_it_should(row: Row) -> None:
    regimen = read(row)
    assert schedule.parse(regimen.document()) == regimen
    assert regimen.courses == row.courses
    assert regimen.needs_amounts == (row.unit != "MIU" or row.total is None)


@by_name
def test_amounts_by_body_size_are_never_shown_as_million_units(row: Row) -> None:
    """H28: nothing here multiplies."""
    planned = schedule.unroll(read(row), 1, START, HOURS)
    assert all((dose.amount is None) == (row.unit != "MIU" or row.total is None) for dose in planned)


def test_courses_every_28_days_for_18_months_are_twenty_whatever_the_start() -> None:
    for start in (date(2026, 1, 31), date(2027, 9, 1), date(2028, 2, 29)):
        until = start + relativedelta(months=18) - timedelta(days=1)
        assert len(list(rrule(DAILY, interval=28, dtstart=start, until=until))) == 20


def test_three_times_a_week_falls_on_the_same_weekdays_all_the_way_through() -> None:
    row = ROWS["maintenance: 4.5 three times a week for 6 months"]
    monday = date(2026, 3, 2)
    courses = schedule.courses(read(row), monday, monday + timedelta(days=181))
    planned = chain.from_iterable(schedule.unroll(read(row), *course, HOURS) for course in courses)
    expected = rrule(WEEKLY, byweekday=(0, 2, 4), dtstart=monday, count=78)
    assert [dose.on for dose in planned] == [found.date() for found in expected]


def test_every_eight_hours_is_every_eight_hours_for_fourteen_doses() -> None:
    regimen = read(ROWS["kidney, high dose into a vein: every 8 hours, 14 doses, 9 days of rest, once more"])
    hours = [24 * (dose.day - 1) + dose.local_time.hour for dose in schedule.unroll(regimen, 1, START, HOURS)]
    assert hours == list(range(8, 8 + 14 * 8, 8))
