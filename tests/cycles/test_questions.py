"""What is asked before a course and when an answer counts (2.11, D10, X7, ux 2.8)."""

from datetime import date, timedelta

import pytest

from cycles import preparation, questions
from cycles.questions import BY_CODE, HAZARDS, Given, Standing

START = date(2026, 11, 25)
DAY_BEFORE = START - timedelta(days=1)


def given(answer, days_before=1):
    return Given(answer, START - timedelta(days=days_before))


# What is asked

SOURCES = (
    *("P21", "P22", "P23", "P24", "P25", "P26", "P27", "P28", "P29", "P30", "P33", "K18", "K19", "K20", "K21", "K22"),
    *("M4", "M5", "M12", "R17", "R28", "W25", "W26", "H20"),
)


@pytest.mark.parametrize("source", SOURCES)
def test_every_row_of_the_sources_about_a_start_has_its_question(source):
    assert [question.code for question in HAZARDS if source in question.source.split(", ")], source


def test_an_infection_is_asked_for_now_and_not_for_some_weeks():
    """W26: "in the last 4 weeks" stands in no source."""
    assert BY_CODE["infection"].ask == "Do you have an infection now, or are you still on treatment for one?"


def test_nobody_is_told_to_stop_a_blood_pressure_medicine():
    """R28, H20."""
    assert BY_CODE["pressure"].advice == (
        "You take a blood-pressure medicine. With IL-2 your blood pressure can fall dangerously. Talk to your doctor "
        "before day 1. Do not change it on your own."
    )


def test_a_live_vaccine_is_asked_for_without_a_number_of_months():
    """W25: no rule about vaccines before a course stands in the source."""
    asked = BY_CODE["vaccine"]
    assert asked.ask == "Is a live vaccine planned, or did you have one recently?"
    assert "even after" in asked.why


@pytest.mark.parametrize(("code", "hold"), [("infection", "infection"), ("pregnancy", "pregnancy")])
def test_two_answers_put_a_course_on_hold(code, hold):
    assert BY_CODE[code].hold == hold
    assert {question.code for question in HAZARDS if question.hold} == {"infection", "pregnancy"}


def test_four_questions_are_asked_again_on_day_1():
    """D10, X7."""
    assert {q.code for q in HAZARDS if q.on_day_1} == {"infection", "fever", "medicine", "pregnancy"}


def test_the_first_course_is_not_asked_about_a_last_one():
    assert {q.code for q in questions.asked(2)} - {q.code for q in questions.asked(1)} == {"settled"}


def test_no_question_clears_anybody_or_blames():
    said = " ".join(f"{q.ask} {q.hint} {q.why} {q.advice}" for q in HAZARDS).lower()
    assert not [word for word in ("cleared", "safe to", "missed", "double", "skip") if word in said]


def test_every_question_fits_its_column():
    assert max(len(question.code) for question in HAZARDS) <= 20
    assert len(BY_CODE) == len(HAZARDS)


# When an answer counts


@pytest.mark.parametrize(("day", "is_open"), [(-15, False), (-14, True), (-1, True), (0, True), (1, False)])
def test_the_questions_are_open_from_14_days_before_until_day_1(day, is_open):
    assert questions.is_open(START, START + timedelta(days=day)) is is_open


@pytest.mark.parametrize(
    ("code", "answer", "days_before", "today", "expected"),
    [
        ("tired", "no", 7, START, Standing.ANSWERED),
        ("tired", "no", 8, START, Standing.AGAIN),
        ("tired", "no", 14, START - timedelta(days=7), Standing.ANSWERED),
        ("tired", "no", 14, START - timedelta(days=6), Standing.AGAIN),
        ("infection", "no", 1, DAY_BEFORE, Standing.ANSWERED),
        ("infection", "no", 1, START, Standing.AGAIN),
        ("infection", "no", 0, START, Standing.ANSWERED),
        ("infection", "no", 9, START + timedelta(days=1), Standing.ANSWERED),
        ("tired", "yes", 1, DAY_BEFORE, Standing.LOOK),
        ("tired", "unsure", 1, DAY_BEFORE, Standing.LOOK),
        ("tired", "yes", 12, START, Standing.LOOK),
    ],
)
def test_answers_count_a_week_and_four_of_them_only_on_day_1(code, answer, days_before, today, expected):
    assert questions.standing(BY_CODE[code], given(answer, days_before), START, today) is expected


def test_a_question_without_an_answer_is_open():
    assert questions.standing(BY_CODE["tired"], None, START, START) is Standing.OPEN


def test_old_answers_are_asked_for_again_whatever_they_were():
    answers = {"tired": given("yes", 9), "mood": given("no", 1), "infection": given("no", 1)}
    left = questions.still_to_ask(
        [BY_CODE[code] for code in ("infection", "tired", "mood", "scan")], answers, START, START
    )
    assert [question.code for question in left] == ["infection", "tired", "scan"]


# What is got ready


def codes(**facts):
    facts = {"course": 2, "inpatient": False, "indication": "hiv", "premedication": "cetirizine", **facts}
    return [item.code for item in preparation.items(**facts)]


@pytest.mark.parametrize("source", ["P32", "P33", "M11", "P39", "P36", "P35", "P56", "K06", "P37", "K17"])
def test_every_row_about_getting_ready_has_its_item(source):
    assert [item for item in preparation.ITEMS if source in item.source.split(", ")]


def test_before_medicines_are_listed_only_when_a_clinician_entered_them():
    """R27."""
    assert "premedication" in codes()
    assert "premedication" not in codes(premedication=" \n")


def test_hiv_medicines_are_asked_about_only_on_an_hiv_plan():
    assert "together" not in codes(indication="kidney")


def test_a_course_on_a_ward_needs_nothing_in_the_house():
    assert codes(inpatient=True) == ["together", "companion", "children", "time_off", "number"]


def test_in_the_first_course_somebody_stays_overnight():
    """P36."""
    first = preparation.items(course=1, inpatient=False, indication="kidney", premedication="")
    assert "overnight" in next(item.hint for item in first if item.code == "companion")


@pytest.mark.parametrize(("day", "asks"), [(-8, False), (-7, True), (0, True), (1, False)])
def test_today_asks_for_it_from_a_week_before(day, asks):
    assert preparation.is_time(START, START + timedelta(days=day)) is asks


def test_what_is_no_longer_on_the_list_does_not_count():
    wanted = preparation.items(course=2, inpatient=True, indication="kidney", premedication="")
    assert preparation.done(wanted, {"companion", "ice"}) == 1
