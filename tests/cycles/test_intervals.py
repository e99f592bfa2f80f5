"""INT-1, the table of domain 2.6 with D5–D9, M6 and A15: worked example O4 and every row, each by its name."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from cycles.advice import Reading
from cycles.intervals import Course, Outcome, Situation, gaps, interval_finding

GOAL = Decimal(600)
ASKED = Situation(base=56, goal=GOAL)
THREE, FOUR = replace(ASKED, sustained=3), replace(ASKED, sustained=4)


def on(text):
    return date.fromisoformat(text)


def course(number, starts, interval, **more):
    first = on(starts)
    return Course(number, first, first, first + timedelta(days=4), interval, **more)


def reading(text, cells):
    return Reading(on(text), Decimal(cells))


# O4. Each step: number, start, planned interval, reliable readings of its gap, what the rule says then.
# Unreliable and borderline draws (H2: 912 on 03-28, 820 on 09-21) never get here: labs.trends leaves them out.
H1 = [
    ("H1 gap 1", "2026-03-04", 56, [("2026-04-15", 540)], Outcome.AT_OR_BELOW, {}),
    ("H1 gap 2", "2026-04-29", 56, [("2026-06-10", 640)], Outcome.NOT_SUSTAINED, {"count": 1, "needed": 2}),
    ("H1 gap 3", "2026-06-24", 56, [("2026-08-05", 655)], Outcome.SUGGEST, {"proposed": 84}),
    ("H1 gap 4", "2026-08-19", 84, [("2026-10-28", 702)], Outcome.COUNTING, {"count": 1, "needed": 3}),
    ("H1 gap 5", "2026-11-11", 84, [("2027-01-20", 688)], Outcome.COUNTING, {"count": 2, "needed": 3}),
    ("H1 gap 6", "2027-02-03", 84, [("2027-04-14", 655)], Outcome.SUGGEST, {"proposed": 112}),
    ("H1 gap 7, declined before", "2027-04-28", 84, [("2027-07-07", 661)], Outcome.SUGGEST, {"proposed": 112}),
]
H2 = [
    ("H2 gap 1, only an unreliable 912", "2026-03-04", 56, [], Outcome.NEEDS_READING, {}),
    ("H2 gap 2, 600 is not over 600", "2026-04-29", 56, [("2026-06-10", 600)], Outcome.AT_OR_BELOW, {}),
    ("H2 gap 3", "2026-06-24", 56, [("2026-08-05", 601)], Outcome.NOT_SUSTAINED, {"count": 1}),
    ("H2 gap 4, 820 is borderline", "2026-08-19", 56, [("2026-09-30", 610)], Outcome.SUGGEST, {"proposed": 84}),
]
H3 = [
    ("H3 gap 1", "2026-03-04", 84, [("2026-05-13", 700)], Outcome.COUNTING, {"count": 1}),
    ("H3 gap 2, nothing", "2026-05-27", 84, [], Outcome.NEEDS_READING, {"course": 2}),
    ("H3 gap 3", "2026-08-19", 84, [("2026-10-28", 690)], Outcome.GAP_UNKNOWN, {"course": 2}),
    ("H3 gap 4", "2026-11-11", 84, [("2027-01-20", 685)], Outcome.GAP_UNKNOWN, {"course": 2}),
    ("H3 gap 5, hold closed", "2027-02-03", 84, [("2027-04-14", 640)], Outcome.SUGGEST, {"proposed": 112}),
    ("H3 gap 6", "2027-04-28", 84, [("2027-07-07", 600)], Outcome.REVIEW_INTERVAL, {}),
]
STEPS = [(history, n) for history in (H1, H2, H3) for n in range(1, len(history) + 1)]


def told(history, upto):
    steps = history[:upto]
    courses = [course(n, step[1], step[2]) for n, step in enumerate(steps, 1)]
    return courses, [reading(*each) for step in steps for each in step[3]]


@pytest.mark.parametrize(("history", "upto"), STEPS, ids=[history[n - 1][0] for history, n in STEPS])
def test_o4_the_three_histories_by_the_wording_of_d6(history, upto):
    *_, outcome, facts = history[upto - 1]
    found = interval_finding(*told(history, upto), ASKED)
    assert found.outcome is outcome
    assert {name: getattr(found, name) for name in facts} == facts
    assert found.asks is (outcome is Outcome.SUGGEST)


def test_o4_h2_the_suggestion_rests_on_601_and_610_alone():
    found = interval_finding(*told(H2, 4), ASKED)
    assert [reading.cells for reading in found.inputs] == [601, 610]


def test_o4_h2_without_the_610_a_reliable_reading_is_needed():
    courses, readings = told(H2, 4)
    assert interval_finding(courses, readings[:-1], ASKED).outcome is Outcome.NEEDS_READING


def test_o4_h3_an_open_infection_comes_first():
    assert interval_finding(*told(H3, 5), replace(ASKED, held=True)).outcome is Outcome.HOLD


def test_o4_h1_a_declined_suggestion_comes_back_with_other_inputs():
    sixth, seventh = (interval_finding(*told(H1, upto), ASKED) for upto in (6, 7))
    assert sixth.inputs != seventh.inputs
    assert [reading.cells for reading in seventh.inputs] == [688, 655, 661]


# The rows of the table


def eights(*values, interval=56, **more):
    """Courses every `interval` days from 4 March 2026, with one reliable reading (or several, or none) in each gap."""
    courses, readings = [], []
    for n, cells in enumerate(values):
        starts = on("2026-03-04") + timedelta(days=interval * n)
        courses.append(Course(n + 1, starts, starts, starts + timedelta(days=4), interval))
        many = cells if isinstance(cells, tuple) else (cells,)
        readings += [
            Reading(starts + timedelta(days=40 + k), Decimal(each)) for k, each in enumerate(many) if each is not None
        ]
    return courses, readings


@pytest.mark.parametrize(
    ("row", "history", "asked", "outcome"),
    [
        ("an open hold", eights(640, 655), replace(ASKED, held=True), Outcome.HOLD),
        ("no reliable reading in the present gap", eights(640, None), ASKED, Outcome.NEEDS_READING),
        ("the newest is 600, base", eights(640, 600), ASKED, Outcome.AT_OR_BELOW),
        ("the newest is 600, longer", eights(640, 600, interval=84), ASKED, Outcome.REVIEW_INTERVAL),
        ("base, high once", eights(640), ASKED, Outcome.NOT_SUSTAINED),
        ("base, high twice, sustained is 3", eights(640, 640), THREE, Outcome.NOT_SUSTAINED),
        ("base, high three times, sustained is 4", eights(*[640] * 3), FOUR, Outcome.NOT_SUSTAINED),
        ("base, high three times, sustained is 3", eights(*[640] * 3), THREE, Outcome.SUGGEST),
        ("base, a gap between without a reading", eights(640, None, 640), ASKED, Outcome.NOT_SUSTAINED),
        ("base, high twice", eights(640, 655), ASKED, Outcome.SUGGEST),
        ("longer, two cycles", eights(640, 655, interval=84), ASKED, Outcome.COUNTING),
        ("longer, three cycles all high", eights(640, 655, 601, interval=84), ASKED, Outcome.SUGGEST),
        ("longer, sustained does not matter", eights(*[640] * 3, interval=84), FOUR, Outcome.SUGGEST),
        ("longer, one of three unknown", eights(640, None, 640, interval=84), ASKED, Outcome.GAP_UNKNOWN),
        ("longer, one of three not high", eights(640, (640, 590), 640, interval=84), ASKED, Outcome.GAP_NOT_HIGH),
        ("longer, the fourth last is not asked", eights(500, *[640] * 3, interval=84), ASKED, Outcome.SUGGEST),
        ("D9: 590 and then 650 in one gap", eights(640, (590, 650)), ASKED, Outcome.NOT_EVERY),
        ("D9: 650 and then 590 in one gap", eights(640, (650, 590)), ASKED, Outcome.AT_OR_BELOW),
        ("D9: base of 42 days", eights(640, 655, interval=42), replace(ASKED, base=42), Outcome.NOT_COVERED),
        ("D9: shorter than the base", eights(640, 655, interval=42), ASKED, Outcome.NOT_COVERED),
        ("not a plan under the skin for HIV", eights(640, 655), replace(ASKED, base=None), Outcome.NOT_COVERED),
        ("D5: no goal", eights(640, 655), Situation(base=56, goal=None, has_goal=False), Outcome.NO_GOAL),
        ("M6: a goal without its baseline", eights(640, 655), Situation(base=56, goal=None), Outcome.NO_BASELINE),
        ("A15: a course is running", eights(640, 655), replace(ASKED, running=True), Outcome.RUNNING),
        ("no course yet", ([], []), ASKED, Outcome.NO_COURSE),
        ("the coming course has 84 already", eights(640, 655), replace(ASKED, next_interval=84), Outcome.CHANGED),
        ("the coming course has the same", eights(640, 655), replace(ASKED, next_interval=56), Outcome.SUGGEST),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)  # fmt: skip
def test_every_row_of_2_6(row, history, asked, outcome):
    assert interval_finding(*history, asked).outcome is outcome, row


def test_p53_every_step_is_four_weeks_and_none_ever_shortens():
    for interval in (56, 84, 112, 140, 364):
        found = interval_finding(*eights(*[700] * 4, interval=interval), ASKED)
        assert found.proposed == interval + 28


def test_two_readings_of_one_day_count_by_the_lower_one():
    courses, readings = eights(640, 655)
    same_day = replace(readings[-1], cells=Decimal(598))
    assert interval_finding(courses, [*readings, same_day], ASKED).outcome is Outcome.AT_OR_BELOW


def test_a15_a_gap_ends_with_the_next_course_that_was_given():
    courses = [course(1, "2026-03-04", 56), course(3, "2026-06-24", 56)]
    readings = [reading("2026-04-15", 640), reading("2026-06-10", 650), reading("2026-08-05", 660)]
    first, second = gaps(courses, readings)
    assert [each.cells for each in first.readings] == [640, 650]
    assert first.start_to_start == 112
    assert [each.cells for each in second.readings] == [660]
    assert interval_finding(courses, readings, ASKED).outcome is Outcome.SUGGEST


def test_a15_the_interval_is_that_of_the_version_not_of_the_calendar():
    """A course a week late is still a cycle of eight weeks, not of nine."""
    courses = [course(1, "2026-03-04", 56), course(2, "2026-05-06", 56)]
    readings = [reading("2026-04-15", 640), reading("2026-06-17", 655)]
    assert interval_finding(courses, readings, ASKED).proposed == 84


def test_d6_a_gap_that_was_cut_short_is_no_cycle_at_its_interval():
    courses, readings = eights(640, 655, 700, interval=84)
    early = [replace(each, starts_on=each.starts_on - timedelta(days=1)) for each in courses[2:]]
    found = interval_finding([*courses[:2], *early], readings, ASKED)
    assert (found.outcome, found.count) == (Outcome.COUNTING, 1)


def test_d6_high_gaps_at_another_interval_do_not_count():
    longer, read_before = eights(640, 655, interval=84)
    back = course(3, "2026-08-19", 56)
    found = interval_finding([*longer, back], [*read_before, reading("2026-09-30", 700)], ASKED)
    assert (found.outcome, found.count) == (Outcome.NOT_SUSTAINED, 1)


@pytest.mark.parametrize(("interval", "values", "count"), [(56, (640, 655), 1), (84, (640, 655, 700), 2)])
def test_a_course_stopped_early_is_not_counted_as_completed(interval, values, count):
    courses, readings = eights(*values, interval=interval)
    cut = [*courses[:-1], replace(courses[-1], stopped_early=True)]
    found = interval_finding(cut, readings, ASKED)
    assert found.outcome in {Outcome.NOT_SUSTAINED, Outcome.COUNTING}
    assert found.count == count


def test_a_course_stopped_early_between_does_not_break_the_run_but_its_gap_must_be_high():
    for cells, outcome in ((655, Outcome.SUGGEST), (None, Outcome.NOT_SUSTAINED)):
        courses, readings = eights(640, cells, 660)
        courses[1] = replace(courses[1], stopped_early=True)
        assert interval_finding(courses, readings, ASKED).outcome is outcome


def test_what_is_used_are_the_readings_of_the_gaps_that_count_and_no_older_ones():
    courses, readings = eights(610, 640, (655, 660))
    found = interval_finding(courses, readings, ASKED)
    assert [each.cells for each in found.inputs] == [640, 655, 660]


def test_the_order_in_which_facts_arrive_does_not_matter():
    courses, readings = eights(610, 640, (655, 660))
    assert interval_finding(courses[::-1], readings[::-1], ASKED) == interval_finding(courses, readings, ASKED)
