"""What a plan will mean before it is saved."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from cycles.outlook import look_ahead
from cycles.schedule import parse

TIMES = {"am": time(10), "pm": time(22)}
START = date(2026, 3, 4)


def outlook(cycle_days=56, *, amount="7.5", hardest="3-5", timing_matters=True, days="1-5"):
    doses = [{"days": days, "slots": ["am", "pm"], "amount": amount}]
    regimen = parse({"unit": "MIU", "phases": [{"repeat": None, "cycle_days": cycle_days, "doses": doses}]})
    return look_ahead(regimen, START, TIMES, hardest=hardest, timing_matters=timing_matters)


def test_the_first_course_of_o1():
    ahead = outlook()
    assert (ahead.starts_on, ahead.last_dose_on, ahead.next_start) == (START, date(2026, 3, 8), date(2026, 4, 29))
    assert (ahead.injections, ahead.daily_total, ahead.course_total) == (10, 15, 75)
    assert ahead.too_soon_until == date(2026, 4, 5)
    baseline, second = ahead.bloodwork
    assert (baseline.due_on, baseline.booking) == (date(2026, 2, 18), (date(2026, 2, 18), date(2026, 2, 21)))
    assert (second.due_on, second.booking) == (date(2026, 4, 15), (date(2026, 4, 15), date(2026, 4, 18)))


@pytest.mark.parametrize(
    ("weeks", "booking", "earliest"),
    [(4, None, None), (5, None, None), (6, None, date(2026, 4, 8)), (7, (date(2026, 4, 8), date(2026, 4, 11)), None)],
)
def test_short_cycles_name_the_first_reliable_day_or_say_that_there_is_none(weeks, booking, earliest):
    test = outlook(weeks * 7).bloodwork[1]
    assert (test.booking, test.earliest) == (booking, earliest)


def test_days_carry_their_doses_their_week_and_whether_they_are_hard():
    ahead = outlook(days="1-2 8")
    assert [(day.number, day.week, len(day.doses)) for day in ahead.days] == [(1, 1, 2), (2, 1, 2), (8, 2, 2)]
    assert ahead.has_weeks
    assert [day.on - START for day in outlook().hard_days] == [timedelta(days=n) for n in (2, 3, 4)]


def test_a_day_of_unlike_doses_has_no_common_amount():
    doses = [{"days": "1", "slots": ["am"], "amount": "3"}, {"days": "1", "slots": ["pm"], "amount": "6"}]
    regimen = parse({"unit": "MIU", "phases": [{"repeat": 1, "cycle_days": 7, "doses": doses}]})
    [day] = look_ahead(regimen, START, TIMES, hardest="", timing_matters=True).days
    assert day.each is None
    assert [dose.amount for dose in day.doses] == [Decimal(3), Decimal(6)]


def test_where_timing_does_not_matter_nothing_is_promised_about_blood():
    ahead = outlook(timing_matters=False, hardest="")
    assert (ahead.bloodwork, ahead.too_soon_until, ahead.hard_days) == ((), None, [])
