"""Today in the two weeks before a course: the clinic's word (R12), the questions, what is to be got ready (2.1)."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles import questions, ready_actions
from cycles.models import Cycle
from tests import factories
from tests.factories import utc
from tests.today.test_home import heading, result, statements

pytestmark = pytest.mark.django_db

START = date(2026, 11, 25)
WEEK_BEFORE = utc(2026, 11, 18, 12)
EVE = utc(2026, 11, 24, 12)
DAY_1 = utc(2026, 11, 25, 9)
NOT_YET = "Your clinic has not confirmed"


@pytest.fixture
def cycle(cast):
    factories.confirms_starts(cast.north)
    made = utc(2026, 10, 1, 12)
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=made).cycles.get()


def test_the_eve_of_a_start_without_the_clinics_word_says_whom_to_call(cast, cycle, see):
    """R12."""
    page = see(cast.anna, at=EVE)
    assert "Your clinic has not confirmed tomorrow yet. Please call them before you start:" in page.text_read
    assert re.search(r'btn-danger[^>]*href="tel:02079460018"', page.content.decode())


def test_the_eve_of_a_confirmed_start_says_when_it_was_confirmed(cast, cycle, see):
    """R12."""
    factories.confirm(cast.ben, cycle, now=WEEK_BEFORE)
    said = "Your next date is tomorrow, confirmed by your clinic on Wednesday 18 November 2026."
    page = see(cast.anna, at=EVE).text_read
    assert f"{said} If you feel unwell or anything has changed, call before you start." in page
    assert NOT_YET not in page


def test_on_day_1_without_the_clinics_word_the_injection_is_said_but_not_asked_for(cast, cycle, see):
    """R1, R12: recording what is done stays possible."""
    page = see(cast.anna, at=DAY_1)
    assert heading(page) == "Call your clinic before you start"
    assert "Your clinic has not confirmed today yet." in page.text_read
    assert "Record this injection" not in page.text_read
    assert "Record an injection that is done" in page.text_read


def test_a_record_never_replaces_the_clinics_word(cast, cycle, see):
    """R1, R12: an injection that was given or left out says nothing about what the clinic thinks of the start."""
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.earliest("due_at"))
    page = see(cast.anna, at=utc(2026, 11, 25, 21, 55))
    assert heading(page) == "Call your clinic before you start"
    assert NOT_YET in page.text_read


def test_the_day_after_it_still_waits(cast, cycle, see):
    page = see(cast.anna, at=DAY_1 + timedelta(days=1))
    assert "Your clinic has not confirmed this start." in page.text_read


def test_the_confirmed_first_day_is_like_every_other(cast, cycle, see):
    factories.confirm(cast.ben, cycle, now=WEEK_BEFORE)
    page = see(cast.anna, at=DAY_1)
    assert heading(page) == "This morning at 10am"
    assert "Record this injection" in page.text_read
    assert "Day 1: infection, fever, medicines and pregnancy are asked again." in page.text_read


def test_a_clinic_that_leaves_starts_to_its_patients_is_not_waited_for(cast, cycle, see):
    type(cast.north).objects.update(confirms_starts=False)
    page = see(cast.anna, at=EVE).text_read
    assert "Your next date is tomorrow." in page
    assert NOT_YET not in page


@pytest.mark.parametrize(("days", "is_there"), [(15, False), (14, True), (0, True)])
def test_the_questions_are_offered_from_two_weeks_before(cast, cycle, see, days, is_there):
    page = see(cast.anna, at=DAY_1 - timedelta(days=days)).text_read
    assert ("Get ready for course 1" in page) is is_there


@pytest.mark.parametrize(("days", "is_there"), [(8, False), (7, True)])
def test_what_is_to_be_got_ready_is_counted_in_the_last_week(cast, cycle, see, days, is_there):
    """ux 2.1."""
    page = see(cast.anna, at=DAY_1 - timedelta(days=days)).text_read
    assert ("Getting ready: 0 of 9 done." in page) is is_there


def test_it_says_how_far_one_is_and_what_needs_a_person(cast, cycle, see):
    page = see(cast.anna, at=WEEK_BEFORE).text_read
    assert "13 questions, about 3 minutes." in page
    factories.answers(cast.anna, cycle, now=WEEK_BEFORE, mood="yes")
    page = see(cast.anna, at=WEEK_BEFORE).text_read
    assert "Every question has an answer. They are not sent yet." in page
    assert "Your clinic needs to look at 2 things before you start." in page, "the mood, and the missing results"
    ready_actions.send_answers(by=cast.anna, cycle=cycle, now=WEEK_BEFORE, known={})
    assert "Your answers are sent." in see(cast.anna, at=WEEK_BEFORE).text_read


def say(cast, cycle, code, word, at):
    """One answer."""
    question = questions.BY_CODE[code]
    ready_actions.answer_question(by=cast.anna, cycle=cycle, question=question, answer=word, now=at)


def test_answers_that_do_not_count_any_more_are_not_counted(cast, cycle, see):
    """ux 2.8: after a week all of them are asked again, whether they were sent or not."""
    factories.answers(cast.anna, cycle, now=WEEK_BEFORE - timedelta(days=7))
    ready_actions.send_answers(by=cast.anna, cycle=cycle, now=WEEK_BEFORE - timedelta(days=7), known={})
    assert "Your answers are sent." in see(cast.anna, at=WEEK_BEFORE).text_read
    page = see(cast.anna, at=WEEK_BEFORE + timedelta(days=1)).text_read
    assert "13 questions, about 3 minutes." in page
    assert "are sent" not in page
    for code in ("tired", "mood"):
        say(cast, cycle, code, "no", WEEK_BEFORE + timedelta(days=1))
    assert "2 of 13 questions are answered." in see(cast.anna, at=WEEK_BEFORE + timedelta(days=1)).text_read


def test_the_week_is_counted_in_the_patients_days(cast, cycle, see):
    type(cast.anna_patient).objects.filter(pk=cast.anna_patient.pk).update(time_zone="Pacific/Auckland")
    late = utc(2026, 11, 14, 11, 30)  # 15 November there, half past midnight
    factories.answers(cast.anna, cycle, now=late)
    assert "Every question has an answer." in see(cast.anna, at=utc(2026, 11, 22, 10, 30)).text_read
    assert "13 questions, about 3 minutes." in see(cast.anna, at=utc(2026, 11, 22, 11, 30)).text_read


def test_an_answer_after_sending_is_not_called_sent(cast, cycle, see):
    factories.answers(cast.anna, cycle, now=WEEK_BEFORE)
    ready_actions.send_answers(by=cast.anna, cycle=cycle, now=WEEK_BEFORE, known={})
    later = WEEK_BEFORE + timedelta(hours=1)
    say(cast, cycle, "mood", "yes", later)
    assert "Every question has an answer. They are not sent yet." in see(cast.anna, at=later).text_read


def test_today_counts_as_the_page_before_the_course_does(cast, cycle, see):
    factories.answers(cast.anna, cycle, now=WEEK_BEFORE, mood="yes")
    result(cast.anna_patient, cast.ben, date(2026, 11, 12))
    for path in ("/", "/before/"):
        assert "needs to look at 1 thing before" in see(cast.anna, path, at=WEEK_BEFORE).text_read


def test_a_course_on_hold_asks_for_nothing(cast, cycle, see):
    """R29, D19: in words, with whom to call."""
    factories.hold(cast.anna, cycle, "chest", kind="infection", now=WEEK_BEFORE)
    page = see(cast.anna, at=WEEK_BEFORE).text_read
    assert "Get ready" not in page
    assert "Course 1 is on hold: an infection. Clinic North decides when it goes on." in page
    assert "Reason given: chest" in page


def test_something_has_changed_can_be_said_from_today_and_from_record(cast, cycle, see):
    for path in ("/", "/diary/add/"):
        assert 'href="/changed/"' in see(cast.anna, path, at=WEEK_BEFORE).content.decode()


def test_without_a_clinic_the_care_team_is_called(see):
    lee = factories.lone_patient()
    factories.plan(lee, lee.user, starts_on=START, now=utc(2026, 10, 1, 12))
    page = see(lee.user, at=EVE).text_read
    assert "Nobody confirms a start here. Call your care team before you start: 020 7946 0100" in page
    assert "Your clinic" not in page


def test_it_costs_no_statement(cast, cycle, client):
    factories.answers(cast.anna, cycle, now=WEEK_BEFORE, mood="yes")
    before = statements(client, cast.anna, WEEK_BEFORE)
    calm = statements(client, cast.anna, utc(2026, 10, 20, 12))
    assert before == calm


def test_the_page_before_the_course_costs_the_same_however_much_was_answered(cast, cycle, client, see):
    def count():
        with CaptureQueriesContext(connection) as found:
            assert see(cast.anna, "/before/", at=WEEK_BEFORE).status_code == 200
        return len(found)

    few = count()
    factories.answers(cast.anna, cycle, now=WEEK_BEFORE, mood="yes")
    ready_actions.send_answers(by=cast.anna, cycle=Cycle.objects.get(), now=WEEK_BEFORE, known={})
    assert count() <= few + 2  # who sent, and their answers


def test_the_course_page_waits_for_the_clinics_word_too(cast, cycle, see):
    page = see(cast.anna, "/course/", at=DAY_1).text_read
    assert "Your clinic has not confirmed this start yet. Please call them before you start: 020 7946" in page
    assert "Record the next injection" not in page


def test_the_course_page_of_a_course_on_hold_says_why_and_whom_to_call(cast, cycle, see):
    factories.hold(cast.anna, cycle, "chest", kind="infection", now=WEEK_BEFORE)
    page = see(cast.anna, "/course/", at=WEEK_BEFORE).text_read
    assert "Your course is on hold An infection : chest" in page
    assert "before any more injections." in page
