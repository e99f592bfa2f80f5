"""DOSE-1 (domain 2.5 with D21, R18), goals (D5, M6) and the six-month clock (2.7 with D8): worked examples O9, O11."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from cycles import advice, schedule
from cycles.advice import CourseDose, CourseFelt, Dose, Progress, Reading, dose_finding, lower

FIFTEEN = CourseFelt(3, Decimal(15), 2)


def on(text):
    return date.fromisoformat(text)


def reading(day, cells, comparator="="):
    return Reading(on(day), Decimal(cells), comparator)


# The dose step


@pytest.mark.parametrize(
    "ladder",
    [
        [("15", "7.5"), ("12", "6"), ("9", "4.5"), ("6", "3"), ("3", "1.5"), None],
        [("10", "5"), ("7", "3.5"), ("4", "2"), ("1", "0.5"), None],
    ],
    ids=["O9 the ladder of the source", "O9 off the ladder"],
)
def test_o9_each_step_is_three_million_units_a_day_and_the_last_one_leads_nowhere(ladder):
    for before, after in pairwise(ladder):
        down = lower(Decimal(before[0]), 2)
        assert (down and (schedule.plain(down.daily), schedule.plain(down.per_injection))) == after


@pytest.mark.parametrize(("daily", "total"), [("15", 75), ("12", 60), ("9", 45), ("6", 30), ("3", 15)])
def test_o9_a_course_is_five_days_of_it(daily, total):
    each = schedule.plain(Decimal(daily) / 2)
    document = {
        "unit": "MIU",
        "phases": [
            {
                "repeat": None,
                "cycle_days": 56,
                "doses": [{"days": "1-5", "slots": ["am", "pm"], "amount": each}],
            }
        ],
    }
    assert schedule.parse(document).course_total() == total


@pytest.mark.parametrize("daily", ["3", "2", "0.5"])
def test_d21_nothing_is_left_at_three_million_units_or_less(daily):
    assert lower(Decimal(daily), 2) is None


def test_d21_the_amount_of_an_injection_is_exact_or_not_given():
    assert lower(Decimal("10.5"), 2).per_injection == Decimal("3.75")
    assert lower(Decimal(12), 1).per_injection == 9
    assert lower(Decimal(10), 3).per_injection is None


@pytest.mark.parametrize(("daily", "said"), [("15", False), ("12", False), ("11", True), ("9", True)])
def test_p62_is_said_below_nine(daily, said):
    assert lower(Decimal(daily), 2).is_below_studied is said


@pytest.mark.parametrize(
    ("lines", "even"),
    [
        ([("1-5", ["am", "pm"], "7.5")], True),
        ([("1-5", ["am"], "15")], True),
        ([("1-4", ["am", "pm"], "7.5"), ("5", ["am"], "7.5")], False),
        ([("1-2", ["am"], "18"), ("3-5", ["am"], "9")], False),
        ([("1-5", ["am"], "7.5"), ("1-5", ["pm"], "4.5")], False),
    ],
)
def test_a_days_amount_can_be_lowered_only_where_every_day_is_alike(lines, even):
    doses = [{"days": days, "slots": slots, "amount": amount} for days, slots, amount in lines]
    document = {"unit": "MIU", "phases": [{"repeat": None, "cycle_days": 56, "doses": doses}]}
    assert advice.is_even(schedule.parse(document).phase(1)) is even


def ask(course=FIFTEEN, **more):
    asked = {"step": Decimal(3), "next_daily": Decimal(15), "held": False, "running": False, **more}
    return dose_finding(course, **asked)


@pytest.mark.parametrize(
    ("course", "more", "outcome"),
    [
        (FIFTEEN, {}, Dose.NOT_DIFFICULT),
        (replace(FIFTEEN, severe=True), {}, Dose.SUGGEST),
        (replace(FIFTEEN, stopped=True), {}, Dose.SUGGEST),
        (replace(FIFTEEN, severe=True, urgent=True), {}, Dose.REVIEW),
        (replace(FIFTEEN, urgent=True), {}, Dose.REVIEW),
        (replace(FIFTEEN, severe=True), {"held": True}, Dose.HOLD),
        (replace(FIFTEEN, urgent=True), {"held": True, "running": True}, Dose.HOLD),
        (replace(FIFTEEN, severe=True), {"running": True}, Dose.RUNNING),
        (replace(FIFTEEN, severe=True), {"step": None}, Dose.NOT_COVERED),
        (replace(FIFTEEN, severe=True), {"step": None, "held": True}, Dose.NOT_COVERED),
        (replace(FIFTEEN, severe=True, daily=None), {}, Dose.NOT_COVERED),
        (replace(FIFTEEN, severe=True), {"next_daily": Decimal(12)}, Dose.CHANGED),
        (replace(FIFTEEN, severe=True), {"next_daily": None}, Dose.SUGGEST),
        (replace(FIFTEEN, severe=True, daily=Decimal(3)), {"next_daily": Decimal(3)}, Dose.LOWEST),
        (None, {}, Dose.NO_COURSE),
        (None, {"held": True}, Dose.HOLD),
    ],
)
def test_dose_1_asks_after_one_very_difficult_course_and_never_while_something_is_held(course, more, outcome):
    found = ask(course, **more)
    assert found.outcome is outcome
    assert found.asks is (outcome in {Dose.SUGGEST, Dose.REVIEW, Dose.LOWEST})
    assert (found.lower is not None) is (outcome is Dose.SUGGEST)


def test_r18_a_red_alert_never_leads_to_a_number():
    assert ask(replace(FIFTEEN, severe=True, stopped=True, urgent=True)).lower is None


def test_2_5_nothing_ever_steps_up():
    for daily in range(1, 19):
        down = lower(Decimal(daily), 2)
        assert down is None or down.daily < daily


# Goals


@pytest.mark.parametrize(
    ("kind", "number", "baseline", "goal"),
    [
        ("above", 600, None, 600),
        ("above", 600, 422, 600),
        ("rise", 150, 422, 572),
        ("percent", 200, 422, 844),
        ("percent", 150, 333, Decimal("499.5")),
        ("rise", 150, None, None),
        ("percent", 200, None, None),
        ("above", None, 422, None),
        ("rise", None, 422, None),
    ],
)
def test_d5_m6_a_goal_is_a_count_a_rise_or_a_share_of_the_baseline(kind, number, baseline, goal):
    assert advice.effective_goal(kind, number, None if baseline is None else Decimal(baseline)) == goal


@pytest.mark.parametrize(
    ("cells", "comparator", "above"),
    [
        (600, "=", False),
        (601, "=", True),
        (601, "<", False),
        (601, "<=", False),
        (600, ">", False),
        (600, ">=", False),
        (601, ">=", True),
        (1500, ">", True),
        (599, "=", False),
    ],
)
def test_d5_a_goal_is_passed_only_strictly(cells, comparator, above):
    assert reading("2026-06-10", cells, comparator).is_above(Decimal(600)) is above


# The six-month clock

O11 = [CourseDose(on("2026-03-04"), "sc", Decimal(15)), CourseDose(on("2026-08-19"), "sc", Decimal(12))]


def test_o11_the_clock_starts_again_with_the_dose():
    """P63, D8: six months at one dose before anything is concluded from it."""
    since = advice.dose_since(O11)
    assert since == on("2026-08-19")
    found = advice.progress([], since, on("2026-09-04"))
    assert (found.outcome, found.until) == (Progress.TOO_EARLY, on("2027-02-19"))
    assert advice.progress([], since, on("2027-02-18")).outcome is Progress.TOO_EARLY
    assert advice.progress([], since, on("2027-02-19")).outcome is Progress.NOT_ENOUGH


@pytest.mark.parametrize(
    ("courses", "since"),
    [
        ([], None),
        (O11[:1], "2026-03-04"),
        ([*O11, CourseDose(on("2026-10-14"), "sc", Decimal(12))], "2026-08-19"),
        ([*O11, CourseDose(on("2026-10-14"), "civ", Decimal(12))], "2026-10-14"),
        ([*O11, CourseDose(on("2026-10-14"), "sc", Decimal(15))], "2026-10-14"),
        (list(reversed(O11)), "2026-08-19"),
    ],
)
def test_d8_a_change_of_dose_or_route_starts_it_again(courses, since):
    assert advice.dose_since(courses) == (since and on(since))


BEFORE = reading("2026-01-14", 388)


@pytest.mark.parametrize(
    ("since", "values", "expected"),
    [
        ("2026-02-01", [508, 612], Progress.RISE),
        ("2026-02-01", [900, 380, 390], Progress.NO_CLEAR_RISE),
        ("2026-02-01", [388, 388], Progress.NO_CLEAR_RISE),
        ("2026-02-01", [612], Progress.NOT_ENOUGH),
        ("2026-01-01", [508, 612], Progress.NOT_ENOUGH),
    ],
)
def test_d8_after_six_months_the_median_of_the_last_two_is_compared_with_the_last_before(since, values, expected):
    after = [reading(f"2026-0{6 + n}-01", value) for n, value in enumerate(values)]
    limit = reading("2026-09-20", 20, "<")
    found = advice.progress([*after, limit, BEFORE], on(since), on("2026-12-01"))
    assert found.outcome is expected
    said_something = expected in {Progress.RISE, Progress.NO_CLEAR_RISE}
    assert found.inputs == ((BEFORE, *after[-2:]) if said_something else ())


# The fingerprint


def test_a_fingerprint_is_the_same_for_the_same_facts_only():
    facts = {"doses": [[on("2026-06-28"), Decimal("7.5")]], "goal": Decimal(600)}
    same = {"goal": Decimal(600), "doses": [[on("2026-06-28"), Decimal("7.5")]]}
    assert advice.digest(advice.DOSE, facts) == advice.digest(advice.DOSE, same)
    others = [
        (advice.EARLY, facts),
        (replace(advice.DOSE, version=2), facts),
        (advice.DOSE, {**facts, "goal": Decimal(500)}),
        (advice.DOSE, {**facts, "doses": [[on("2026-06-28"), Decimal(6)]]}),
    ]
    assert len({advice.digest(*other) for other in [*others, (advice.DOSE, facts)]}) == 5
