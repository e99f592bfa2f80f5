from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles import schedule
from labs.loads import is_rising, rose_after_course
from labs.trends import (
    Draw,
    EarlierIL2,
    GivenDose,
    Judgement,
    Point,
    Reason,
    UnloggedDose,
    Verdict,
    between_courses,
    judge,
    readings,
    reliable,
    trend,
)

LETTERS = {
    Verdict.UNRELIABLE: "U",
    Verdict.BORDERLINE: "B",
    Verdict.RELIABLE: "R",
}
COURSE_1 = [date(2026, 3, 4) + timedelta(days=n) for n in range(5)]
DATES = st.dates(date(2000, 1, 1), date(2060, 12, 31))


def on(text):
    return date.fromisoformat(text)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def letter(last, days):
    return LETTERS[judge(Draw(last + timedelta(days=days)), [GivenDose(last)]).verdict]


def verdict_on(day, doses, unlogged=(), **more):
    return judge(Draw(on(day)), doses, unlogged, **more).verdict


# Worked examples O1, O2, O5, O10


@pytest.mark.parametrize(
    ("last", "expected"),
    [
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
    ],
)
def test_the_verdict_27_to_31_days_after_the_last_dose_is_that_of_the_worked_table(last, expected):
    assert "".join(letter(on(last), days) for days in range(27, 32)) == expected


@pytest.mark.parametrize(
    ("starts_on", "too_soon_until", "borderline", "reliable_from"),
    [
        ("2026-03-04", "2026-04-05", ["2026-04-06", "2026-04-07"], "2026-04-08"),
        ("2026-04-29", "2026-05-31", ["2026-06-01", "2026-06-02"], "2026-06-03"),
        ("2026-06-24", "2026-07-26", ["2026-07-27"], "2026-07-28"),
        ("2026-08-19", "2026-09-20", ["2026-09-21", "2026-09-22"], "2026-09-23"),
        ("2026-10-14", "2026-11-15", ["2026-11-16", "2026-11-17"], "2026-11-18"),
        ("2026-12-09", "2027-01-10", ["2027-01-11", "2027-01-12"], "2027-01-13"),
    ],
)
def test_each_course_of_the_eight_week_plan_has_its_worked_windows(
    starts_on, too_soon_until, borderline, reliable_from
):
    doses = [GivenDose(on(starts_on) + timedelta(days=n), course=1) for n in range(5)]
    assert verdict_on(too_soon_until, doses) is Verdict.UNRELIABLE
    assert [verdict_on(day, doses) for day in borderline] == [Verdict.BORDERLINE] * len(borderline)
    assert verdict_on(reliable_from, doses) is Verdict.RELIABLE
    day_before = on(reliable_from) - timedelta(days=1)
    assert judge(Draw(day_before), doses).verdict is not Verdict.RELIABLE


FOUR_DAYS = [GivenDose(day) for day in COURSE_1[:4]]


@pytest.mark.parametrize(
    ("what", "doses", "unlogged", "last_on", "until", "borderline", "reliable_from"),
    [
        ("both taken", [*FOUR_DAYS, GivenDose(on("2026-03-08"))], [], "2026-03-08", "04-05", "04-07", "04-08"),
        ("both skipped", FOUR_DAYS, [], "2026-03-07", "04-04", "04-06", "04-07"),
        ("not logged", FOUR_DAYS, [UnloggedDose(on("2026-03-08"))], "2026-03-08", "04-05", "04-07", "04-08"),
        ("after midnight", [*FOUR_DAYS, GivenDose(on("2026-03-09"))], [], "2026-03-09", "04-06", "04-08", "04-09"),
        ("extra dose", [*FOUR_DAYS, GivenDose(on("2026-03-10"))], [], "2026-03-10", "04-07", "04-09", "04-10"),
    ],
)
def test_the_last_day_of_a_course_moves_its_window_as_worked(
    what, doses, unlogged, last_on, until, borderline, reliable_from
):
    judged = judge(Draw(on(f"2026-{until}")), doses, unlogged)
    assert (judged.verdict, judged.last_dose_on) == (Verdict.UNRELIABLE, on(last_on)), what
    assert verdict_on(f"2026-{borderline}", doses, unlogged) is Verdict.BORDERLINE
    assert verdict_on(f"2026-{reliable_from}", doses, unlogged) is Verdict.RELIABLE


def test_a_verdict_is_unconfirmed_only_where_the_unlogged_dose_decides_it():
    unlogged = [UnloggedDose(on("2026-03-08"))]
    assert not judge(Draw(on("2026-04-04")), FOUR_DAYS, unlogged).unconfirmed
    assert judge(Draw(on("2026-04-05")), FOUR_DAYS, unlogged).unconfirmed
    assert not judge(Draw(on("2026-04-06")), FOUR_DAYS, unlogged).unconfirmed
    assert judge(Draw(on("2026-04-07")), FOUR_DAYS, unlogged).unconfirmed
    assert not judge(Draw(on("2026-04-08")), FOUR_DAYS, unlogged).unconfirmed


def test_without_any_logged_dose_an_unlogged_course_makes_a_later_draw_unreliable_and_unconfirmed():
    judged = judge(Draw(on("2026-03-20")), [], [UnloggedDose(day) for day in COURSE_1])
    assert (judged.verdict, judged.unconfirmed) == (Verdict.UNRELIABLE, True)


@pytest.mark.parametrize(
    ("cycle_days", "at_21", "at_14", "at_1"),
    [(28, "U", "U", "U"), (35, "U", "U", "BR"), (42, "U", "U", "R"), (49, "U", "R", "R"), (56, "R", "R", "R")],
)
def test_the_reading_before_a_course_counts_by_cycle_length_as_worked(cycle_days, at_21, at_14, at_1):
    for start in (on("2026-03-04") + timedelta(days=7 * n) for n in range(60)):
        doses = [GivenDose(start + timedelta(days=n)) for n in range(5)]
        following = start + timedelta(days=cycle_days)
        for before, allowed in ((21, at_21), (14, at_14), (1, at_1)):
            judged = judge(Draw(following - timedelta(days=before)), doses)
            assert LETTERS[judged.verdict] in allowed


# Properties


@given(DATES)
def test_28_days_after_a_dose_never_count_and_31_days_always_do(last):
    assert letter(last, 28) == "U"
    assert letter(last, 31) == "R"


@given(DATES)
def test_the_verdict_never_goes_back_as_days_pass_and_a_few_days_early_lasts_two_days_at_most(last):
    letters = "".join(letter(last, days) for days in range(60))
    assert letters == "".join(sorted(letters, key="UBR".index))
    assert letters.count("B") <= 2


@given(st.lists(DATES, min_size=1, max_size=12), DATES)
def test_only_the_last_dose_before_the_draw_matters(days, drawn_on):
    doses = [GivenDose(day) for day in days]
    before = [day for day in days if day <= drawn_on]
    alone = judge(Draw(drawn_on), [GivenDose(max(before))] if before else [])
    assert judge(Draw(drawn_on), doses) == alone


@given(st.lists(DATES, max_size=8), st.lists(DATES, max_size=4), DATES)
def test_unlogged_doses_never_make_a_reading_more_reliable(days, open_days, drawn_on):
    order = [Verdict.UNRELIABLE, Verdict.BORDERLINE, Verdict.RELIABLE, Verdict.BASELINE]
    doses, unlogged = [GivenDose(day) for day in days], [UnloggedDose(day) for day in open_days]
    with_them, without = judge(Draw(drawn_on), doses, unlogged), judge(Draw(drawn_on), doses)
    assert order.index(with_them.verdict) <= order.index(without.verdict)


# The same day, and courses that go on


@pytest.mark.parametrize(
    ("drawn_at", "given_at", "verdict"),
    [
        (None, "2026-03-04T20:00", Verdict.UNRELIABLE),
        ("2026-03-04T08:00", None, Verdict.UNRELIABLE),
        ("2026-03-04T08:00", "2026-03-04T20:00", Verdict.BASELINE),
        ("2026-03-04T21:00", "2026-03-04T20:00", Verdict.UNRELIABLE),
        ("2026-03-04T20:00", "2026-03-04T20:00", Verdict.BASELINE),
    ],
)
def test_on_the_day_of_a_dose_the_draw_is_after_it_unless_both_times_say_otherwise(drawn_at, given_at, verdict):
    dose = GivenDose(on("2026-03-04"), at(given_at) if given_at else None)
    assert judge(Draw(on("2026-03-04"), at(drawn_at) if drawn_at else None), [dose]).verdict is verdict


def test_a_dose_dated_tomorrow_in_another_zone_but_given_before_the_draw_counts():
    dose = GivenDose(on("2026-03-05"), at("2026-03-04T18:00"))
    assert judge(Draw(on("2026-03-04"), at("2026-03-04T19:00")), [dose]).verdict is Verdict.UNRELIABLE


def test_a_draw_between_two_doses_of_one_course_is_unreliable_however_far_apart_they_are():
    doses = [GivenDose(on("2026-01-01"), course=1), GivenDose(on("2026-03-01"), course=1)]
    judged = judge(Draw(on("2026-02-20")), doses)
    assert (judged.verdict, judged.reason) == (Verdict.UNRELIABLE, Reason.DURING)


def test_courses_of_the_same_number_in_two_plans_are_two_courses():
    doses = [GivenDose(on("2026-01-01"), course=1, plan=1), GivenDose(on("2026-03-01"), course=1, plan=2)]
    assert judge(Draw(on("2026-02-20")), doses).verdict is Verdict.RELIABLE


# Before any dose, and where timing does not matter


@pytest.mark.parametrize(
    ("earlier", "verdict", "reason"),
    [
        (EarlierIL2(), Verdict.BASELINE, Reason.BEFORE_ANY),
        (EarlierIL2(known=False), Verdict.UNKNOWN, Reason.EARLIER_UNKNOWN),
        (EarlierIL2(last_on=on("2026-03-01")), Verdict.UNKNOWN, Reason.BEFORE_EARLIER),
        (EarlierIL2(last_on=on("2026-02-01")), Verdict.UNRELIABLE, Reason.TOO_SOON),
        (EarlierIL2(last_on=on("2025-02-01")), Verdict.RELIABLE, Reason.LONG_ENOUGH),
    ],
)
def test_before_the_first_dose_here_earlier_treatment_decides(earlier, verdict, reason):
    judged = judge(Draw(on("2026-02-20")), [GivenDose(on("2026-03-04"))], earlier=earlier)
    assert (judged.verdict, judged.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("earlier_on", "doses", "drawn_on", "verdict", "last_on"),
    [
        ("2026-03-20", ["2026-03-04"], "2026-04-10", Verdict.UNRELIABLE, "2026-03-20"),
        ("2026-03-20", ["2026-03-04"], "2026-04-20", Verdict.RELIABLE, "2026-03-20"),
        ("2026-03-01", ["2026-03-04"], "2026-04-10", Verdict.RELIABLE, "2026-03-04"),
        ("2026-03-01", ["2026-03-04"], "2026-03-03", Verdict.UNRELIABLE, "2026-03-01"),
        ("2026-03-01", [], "2026-03-01", Verdict.UNRELIABLE, "2026-03-01"),
        ("2026-03-01", [], "2026-04-01", Verdict.RELIABLE, "2026-03-01"),
        ("2026-05-01", ["2026-03-04"], "2026-04-10", Verdict.RELIABLE, "2026-03-04"),
        ("2026-05-01", [], "2026-04-10", Verdict.UNKNOWN, None),
    ],
)
def test_the_last_injection_of_an_earlier_treatment_is_one_dose_more(earlier_on, doses, drawn_on, verdict, last_on):
    given_here, earlier = [GivenDose(on(day)) for day in doses], EarlierIL2(last_on=on(earlier_on))
    judged = judge(Draw(on(drawn_on)), given_here, earlier=earlier)
    assert (judged.verdict, judged.last_dose_on) == (verdict, last_on and on(last_on))


def test_an_earlier_treatment_does_not_end_a_course_that_goes_on():
    doses = [GivenDose(on("2026-01-01"), course=1), GivenDose(on("2026-03-01"), course=1)]
    judged = judge(Draw(on("2026-02-20")), doses, earlier=EarlierIL2(last_on=on("2025-12-01")))
    assert judged.reason is Reason.DURING


def test_a_dose_here_replaces_what_is_unknown_of_earlier_treatment():
    judged = judge(Draw(on("2026-06-20")), [GivenDose(on("2026-03-04"))], earlier=EarlierIL2(known=False))
    assert judged.verdict is Verdict.RELIABLE


def test_a_test_for_which_timing_does_not_matter_is_not_judged():
    assert judge(Draw(on("2026-03-05")), [GivenDose(on("2026-03-04"))], applies=False).verdict is Verdict.NOT_APPLICABLE


def test_doses_of_a_plan_without_timing_leave_a_reading_unjudged_unless_an_older_dose_still_makes_it_too_soon():
    kidney = GivenDose(on("2026-03-20"), timing=False)
    assert verdict_on("2026-03-21", [kidney]) is Verdict.NOT_APPLICABLE
    assert verdict_on("2026-03-19", [kidney]) is Verdict.BASELINE
    assert verdict_on("2026-03-21", [GivenDose(on("2026-03-10")), kidney]) is Verdict.UNRELIABLE
    assert verdict_on("2026-03-21", [GivenDose(on("2026-01-10")), kidney]) is Verdict.NOT_APPLICABLE


# Series


def point(day, value, verdict=Verdict.RELIABLE, comparator="="):
    judgement = Judgement(verdict, Reason.LONG_ENOUGH)
    return Point(on(day), None if value is None else Decimal(value), comparator, judgement)


ANNA = [
    point("2026-01-14", 388, Verdict.BASELINE),
    point("2026-07-15", 422, Verdict.BASELINE),
    point("2026-08-12", 958, Verdict.UNRELIABLE),
    point("2026-09-09", 508),
    point("2026-10-14", 840, Verdict.BORDERLINE),
    point("2026-11-04", 612),
]


def test_only_readings_that_count_are_joined_in_order_of_time():
    assert [int(each.value) for each in reliable(reversed(ANNA))] == [388, 422, 508, 612]


def test_the_change_is_from_the_newest_reading_before_the_first_course():
    said = trend(ANNA)
    assert (said.last.value, said.before_first.value, said.change, said.left_out) == (612, 422, 190, 2)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [point("2026-09-09", 508)],
        [point("2026-07-15", 422, Verdict.BASELINE)],
        [point("2026-07-15", 20, Verdict.BASELINE, "<"), point("2026-09-09", 508)],
        [point("2026-07-15", 422, Verdict.UNKNOWN), point("2026-09-09", 508)],
    ],
)
def test_without_two_counted_readings_on_both_sides_no_change_is_named(points):
    assert trend(points).change is None


@pytest.mark.parametrize(
    ("points", "rose"),
    [
        ([point("2026-07-15", 20, comparator="<"), point("2026-08-12", 64, Verdict.UNRELIABLE)], True),
        ([point("2026-07-15", 20, comparator="<"), point("2026-08-12", 60, Verdict.UNRELIABLE)], False),
        ([point("2026-07-15", None), point("2026-08-12", 21, Verdict.UNRELIABLE)], True),
        ([point("2026-07-15", 20, comparator="<"), point("2026-08-12", 900)], False),
        ([point("2026-07-15", 20), point("2026-08-12", 400, Verdict.UNRELIABLE, "<")], False),
        ([point("2026-08-12", 64, Verdict.UNRELIABLE)], False),
        ([], False),
    ],
)
def test_a_viral_load_that_rose_soon_after_a_course_is_noticed_though_it_does_not_count(points, rose):
    assert rose_after_course(points) is rose


@pytest.mark.parametrize(
    ("points", "rising"),
    [
        ([point("2026-07-15", 20, comparator="<"), point("2026-08-12", 64, Verdict.UNRELIABLE)], True),
        ([point("2026-07-15", 20, comparator="<"), point("2026-09-09", 64)], True),
        ([point("2026-07-15", 20, comparator="<"), point("2026-09-09", 63)], False),
        ([point("2026-07-15", 100), point("2026-09-09", 1000, comparator="<")], False),
        ([point("2026-07-15", 100), point("2026-09-09", 400), point("2026-11-04", 410)], False),
        ([point("2026-07-15", None), point("2026-09-09", 5000)], True),
        ([point("2026-07-15", None), point("2026-09-09", 400)], True),
        ([point("2026-07-15", None), point("2026-09-09", 60)], False),
        ([point("2026-07-15", 4000), point("2026-08-12", None), point("2026-09-09", 5000)], True),
        ([point("2026-07-15", 20, comparator="<"), point("2026-08-12", 50), point("2026-09-09", 55)], True),
        ([point("2026-07-15", None), point("2026-08-12", 60), point("2026-09-09", 55)], True),
        ([point("2026-07-15", 60), point("2026-08-12", 60), point("2026-09-09", 55)], False),
        ([point("2026-07-15", 20, comparator="<"), point("2026-09-09", None)], False),
        ([point("2026-07-15", 100000, comparator=">"), point("2026-09-09", 400000)], False),
        ([point("2026-07-15", 50000), point("2026-09-09", 10000000, comparator=">")], True),
        ([point("2026-07-15", 5000)], False),
        ([], False),
    ],
)
def test_p67_a_viral_load_rises_by_half_a_step_or_more_from_one_that_counts(points, rising):
    assert is_rising(points) is rising


def test_rules_read_numbers_that_count_and_an_interval_only_those_between_courses():
    points = [
        point("2026-09-30", 610),
        point("2026-07-15", 422, Verdict.BASELINE),
        point("2026-09-21", 820, Verdict.BORDERLINE),
        point("2026-09-28", 912, Verdict.UNRELIABLE),
        point("2026-10-01", 640, Verdict.UNKNOWN),
        point("2026-10-02", None),
    ]
    assert [each.cells for each in readings(points)] == [422, 610]
    assert [each.cells for each in between_courses(points)] == [610]


def test_the_day_from_which_a_draw_counts_is_the_one_of_the_schedule():
    judged = judge(Draw(on("2026-03-20")), [GivenDose(on("2026-03-08"))])
    assert judged.reliable_from == schedule.reliable_from(on("2026-03-08")) == on("2026-04-08")
