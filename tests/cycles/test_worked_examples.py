"""The worked examples of the definitions, each as a table that names its id: O1, O2, O3, O5, O7, O8, O10."""

from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from cycles import schedule
from cycles.amounts import volume
from cycles.bloodwork import Before, PreCycle, before_courses
from tests.regimens import BEDTIME, HIV, KIDNEY, at, day, five_days

# O1: HIV plan, first start Wednesday 4 March 2026
# course, first day, last day, unreliable until, borderline days, reliable from, bloodwork due for it, next start
O1 = [
    (1, "2026-03-04", "2026-03-08", "2026-04-05", 2, "2026-04-08", "2026-02-18", "2026-04-29"),
    (2, "2026-04-29", "2026-05-03", "2026-05-31", 2, "2026-06-03", "2026-04-15", "2026-06-24"),
    (3, "2026-06-24", "2026-06-28", "2026-07-26", 1, "2026-07-28", "2026-06-10", "2026-08-19"),
    (4, "2026-08-19", "2026-08-23", "2026-09-20", 2, "2026-09-23", "2026-08-05", "2026-10-14"),
    (5, "2026-10-14", "2026-10-18", "2026-11-15", 2, "2026-11-18", "2026-09-30", "2026-12-09"),
    (6, "2026-12-09", "2026-12-13", "2027-01-10", 2, "2027-01-13", "2026-11-25", "2027-02-03"),
]


@pytest.mark.parametrize(("number", "first", "last", "until", "between", "reliable", "due", "following"), O1)
def test_the_dates_of_an_hiv_plan_are_those_of_o1(number, first, last, until, between, reliable, due, following):
    start = day(first)
    assert schedule.last_dose_on(HIV, number, start) == day(last)
    assert schedule.next_start(HIV, number, start) == day(following)
    assert schedule.bloodwork_due(start) == day(due)
    assert schedule.too_soon_until(day(last)) == day(until)
    assert schedule.reliable_from(day(last)) == day(reliable)
    assert (day(reliable) - day(until)).days - 1 == between


def test_every_start_and_due_day_of_o1_is_a_wednesday_38_days_after_the_last_dose():
    for previous, coming in pairwise(O1):
        due = schedule.bloodwork_due(day(coming[1]))
        assert (day(coming[1]).isoweekday(), due.isoweekday()) == (schedule.WEDNESDAY, schedule.WEDNESDAY)
        assert (due - day(previous[2])).days == 38


def test_the_window_before_course_2_of_o1_opens_on_a_reliable_day():
    opens, closes = schedule.bloodwork_window(day("2026-04-29"))
    assert (opens, closes) == (day("2026-04-08"), day("2026-04-28"))
    assert schedule.reliable_from(day("2026-03-08")) == opens


def test_the_evening_dose_before_the_clocks_change_is_eleven_hours_before_the_next():
    new_york = ZoneInfo("America/New_York")
    evening = schedule.moment(day("2026-03-07"), time(20), new_york)
    assert schedule.moment(day("2026-03-08"), time(8), new_york) - evening == timedelta(hours=11)


# O2: when a draw is late enough. U = unreliable, B = borderline, R = reliable on days +27 to +31
O2 = [
    ("2026-02-08", "UURRR"),
    ("2028-02-08", "UURRR"),
    ("2026-04-08", "UUBRR"),
    ("2026-03-08", "UUBBR"),
    ("2026-01-28", "UUBBR"),
    ("2026-01-29", "UUBRR"),
    ("2026-01-30", "UURRR"),
    ("2026-01-31", "UURRR"),
    ("2028-01-31", "UURRR"),
    ("2026-03-31", "UUBRR"),
    ("2026-07-31", "UUBBR"),
    ("2026-12-31", "UUBBR"),
    ("2026-02-28", "UURRR"),
    ("2028-02-29", "UURRR"),
]


def letter(last, draw):
    if draw <= schedule.too_soon_until(last):
        return "U"
    return "R" if draw >= schedule.reliable_from(last) else "B"


@pytest.mark.parametrize(("last", "letters"), O2)
def test_a_draw_counts_from_the_day_o2_gives(last, letters):
    assert "".join(letter(day(last), day(last) + timedelta(days=27 + n)) for n in range(5)) == letters


dates = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(dates)
def test_28_days_are_never_enough_and_31_always_and_the_answer_never_goes_back(last):
    letters = "".join(letter(last, last + timedelta(days=n)) for n in range(1, 40))
    assert letters[27] == "U"
    assert letters[30] == "R"
    assert letters.count("B") <= 2
    assert letters == "U" * letters.count("U") + "B" * letters.count("B") + "R" * letters.count("R")


# O3: kidney plan, start Monday 5 January 2026
def test_the_kidney_course_of_o3_has_20_injections_in_four_weeks_and_one_week_off():
    planned = schedule.unroll(KIDNEY, 1, day("2026-01-05"), BEDTIME)
    assert [dose.on.isoformat()[5:] for dose in planned] == [
        *("01-05", "01-06", "01-07", "01-08", "01-09", "01-12", "01-13", "01-14", "01-15", "01-16"),
        *("01-19", "01-20", "01-21", "01-22", "01-23", "01-26", "01-27", "01-28", "01-29", "01-30"),
    ]
    assert schedule.next_start(KIDNEY, 1, day("2026-01-05")) == day("2026-02-09")
    assert schedule.last_dose_on(KIDNEY, 2, day("2026-02-09")) == day("2026-03-06")
    assert schedule.next_start(KIDNEY, 2, day("2026-02-09")) == day("2026-03-16")


def test_the_label_amounts_of_o3_add_up_to_279():
    planned = schedule.unroll(KIDNEY, 1, day("2026-01-05"), BEDTIME)
    nines = {dose.on.day for dose in planned if dose.amount == 9}
    assert nines == {14, 15, 16, 21, 22, 23, 28, 29, 30}
    assert sum(dose.amount for dose in planned) == 11 * 18 + 9 * 9 == 279 == KIDNEY.course_total()


@pytest.mark.parametrize("offset", range(35))
def test_a_kidney_day_is_a_dose_day_by_the_rule_of_2_2(offset):
    days = {dose.day for dose in schedule.unroll(KIDNEY, 1, day("2026-01-05"), BEDTIME)}
    assert (offset + 1 in days) == (offset < 28 and offset % 7 < 5)


# O10: what can be measured before the next course, by its length
O10 = [
    # cycle, days from the last dose at -21, -14, -1, possible on the due day
    (28, 3, 10, 23, False),
    (35, 10, 17, 30, False),
    (42, 17, 24, 37, False),
    (49, 24, 31, 44, True),
    (56, 31, 38, 51, True),
    (84, 59, 66, 79, True),
    (112, 87, 94, 107, True),
]


@pytest.mark.parametrize(("cycle_days", "at_21", "at_14", "at_1", "possible"), O10)
@given(start=dates)
def test_the_day_before_a_course_is_as_far_from_the_last_dose_as_o10_says(
    cycle_days, at_21, at_14, at_1, possible, start
):
    regimen = five_days(cycle_days)
    last, following = schedule.last_dose_on(regimen, 1, start), schedule.next_start(regimen, 1, start)
    opens, closes = schedule.bloodwork_window(following)
    distances = [(on - last).days for on in (opens, schedule.bloodwork_due(following), closes)]
    assert distances == [at_21, at_14, at_1]
    assert schedule.bloodwork_possible(last, following) is possible


@pytest.mark.parametrize(
    ("cycle_days", "before"),
    [
        (28, PreCycle(Before.NEVER)),
        (35, PreCycle(Before.SOME_MONTHS)),  # on the day before, and only after a month of 30 days or fewer
        (42, PreCycle(Before.LATER, 7)),
        (49, PreCycle(Before.DUE_DAY, 14)),
        (56, PreCycle(Before.DUE_DAY, 14)),
        (84, PreCycle(Before.DUE_DAY, 14)),
        (112, PreCycle(Before.DUE_DAY, 14)),
    ],
)
def test_the_regimen_alone_says_what_o10_says_about_the_test_before_a_course(cycle_days, before):
    assert before_courses(five_days(cycle_days)) == before


@pytest.mark.parametrize(("cycle_days", "least"), [(35, 0), (42, 7), (49, 14), (56, 21), (84, 49)])
@given(start=dates)
def test_the_earliest_reliable_day_before_a_course_of_each_length_of_o10(cycle_days, least, start):
    """D16: `least` days before the start, or up to two more after a short month; five weeks often have none at all."""
    regimen = five_days(cycle_days)
    last, following = schedule.last_dose_on(regimen, 1, start), schedule.next_start(regimen, 1, start)
    earliest = schedule.earliest_reliable_before(last, following)
    if earliest is None:
        assert cycle_days == 35
    else:
        assert max(least, 1) <= (following - earliest).days <= least + 2
        assert schedule.reliable_from(last) == earliest


# O5: the last dose of course 1 is uncertain; the engine's part is what follows from the day of the last dose
@pytest.mark.parametrize(
    ("last", "until", "reliable"),
    [
        ("2026-03-08", "2026-04-05", "2026-04-08"),  # both taken, the evening skipped, or neither logged
        ("2026-03-07", "2026-04-04", "2026-04-07"),  # both skipped
        ("2026-03-09", "2026-04-06", "2026-04-09"),  # the evening dose given at 00:20
        ("2026-03-10", "2026-04-07", "2026-04-10"),  # one more, unplanned, on the 10th
    ],
)
def test_the_days_that_follow_from_each_last_dose_of_o5(last, until, reliable):
    assert schedule.too_soon_until(day(last)) == day(until)
    assert schedule.reliable_from(day(last)) == day(reliable)


def test_an_evening_dose_after_midnight_belongs_to_the_next_civil_day_of_o5():
    """D2: 00:20 on 9 March in New York is still 8 March to nobody who was there."""
    new_york = ZoneInfo("America/New_York")
    given_at = schedule.moment(day("2026-03-09"), time(0, 20), new_york)
    assert given_at == at("2026-03-09T04:20")
    assert given_at.astimezone(new_york).date() == day("2026-03-09")


# O7: live vaccines, last dose + 3 calendar months, rolled forward
O7 = [
    ("2026-01-30", "2026-04-30"),
    ("2026-01-31", "2026-05-01"),
    ("2026-02-28", "2026-05-28"),
    ("2026-03-08", "2026-06-08"),
    ("2026-03-31", "2026-07-01"),
    ("2026-05-31", "2026-08-31"),
    ("2026-08-31", "2026-12-01"),
    ("2026-11-28", "2027-02-28"),
    ("2026-11-29", "2027-03-01"),
    ("2026-11-30", "2027-03-01"),
    ("2027-11-29", "2028-02-29"),
    ("2027-11-30", "2028-03-01"),
    ("2026-12-31", "2027-03-31"),
    ("2028-02-29", "2028-05-29"),
]


@pytest.mark.parametrize(("last", "not_before"), O7)
def test_the_live_vaccine_day_of_o7(last, not_before):
    """K22, 2.13, D20."""
    assert schedule.live_vaccine_from(day(last)) == day(not_before)


@given(dates)
def test_live_vaccines_wait_three_months_by_the_calendar_and_never_less(last):
    """2.13, D20: never before the clamped day, at most a day after it, and a later dose never brings it forward."""
    clamped = last + relativedelta(months=3)
    assert schedule.live_vaccine_from(last) - clamped in {timedelta(0), timedelta(days=1)}
    assert schedule.live_vaccine_from(last + timedelta(days=1)) >= schedule.live_vaccine_from(last)
    assert (schedule.live_vaccine_from(last) - last).days >= 89


@pytest.mark.parametrize(("last", "not_before"), [("2026-01-30", "2026-04-30"), ("2026-03-06", "2026-06-06")])
def test_the_live_vaccine_days_of_a_kidney_plan_stopped_after_course_1_or_2_of_o3(last, not_before):
    assert schedule.live_vaccine_from(day(last)) == day(not_before)


# O8: volumes at 18 million units per mL
O8 = [
    ("1.5", Fraction(1, 12), "0.08", "1.44", "-4.0"),
    ("3", Fraction(1, 6), "0.17", "3.06", "2.0"),
    ("4.5", Fraction(1, 4), "0.25", "4.5", "0"),
    ("6", Fraction(1, 3), "0.33", "5.94", "-1.0"),
    ("7.5", Fraction(5, 12), "0.42", "7.56", "0.8"),
    ("9", Fraction(1, 2), "0.5", "9", "0"),
    ("12", Fraction(2, 3), "0.67", "12.06", "0.5"),
    ("15", Fraction(5, 6), "0.83", "14.94", "-0.4"),
    ("18", Fraction(1), "1", "18", "0"),
]


@pytest.mark.parametrize(("amount", "exact", "rounded", "gives", "error"), O8)
def test_the_volumes_of_o8(amount, exact, rounded, gives, error):
    found = volume(Decimal(amount), Decimal(18))
    assert (found.exact, found.rounded, found.gives) == (exact, Decimal(rounded), Decimal(gives))
    assert found.error_percent == Decimal(error)
    assert found.is_exact is (error == "0")


@pytest.mark.parametrize("amount", ["0.33", "0.5", "1", "1.49"])
def test_no_volume_is_shown_below_one_and_a_half_million_units(amount):
    """O8: two decimals would be off by 8 to 9 %."""
    assert volume(Decimal(amount), Decimal(18)) is None
