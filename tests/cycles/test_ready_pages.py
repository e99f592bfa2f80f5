"""The pages before a course: one question a page, hazards that make it wait at once, the list, the clinic (2.8)."""

import html
import re
from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from cycles import asking, questions, ready_actions
from cycles.course_actions import move_cycle
from cycles.models import Cycle, Hold, Preparation, Readiness, ReadinessAnswer
from il2tracker.accounts import actions as accounts
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

START = date(2026, 11, 25)
MADE = utc(2026, 10, 1, 12)
NOW = utc(2026, 11, 16, 12)
EVE = utc(2026, 11, 24, 12)
DAY_1 = utc(2026, 11, 25, 9)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def cycle(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=MADE).cycles.get()


@pytest.fixture
def see(client):
    """`see(user, path, at, **data)`: the answer, with `.text_read` as a person reads it."""

    def visit(user, path, at=NOW, **data):
        with time_machine.travel(at, tick=False):
            client.force_login(user)
            answer = client.post(path, data) if data else client.get(path)
        body = re.sub(r"<(head|title)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
        answer.text_read = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
        return answer

    return visit


def of(cast, page):
    """The carer's or clinician's address of a page."""
    return f"/people/{cast.anna_patient.code}/{page}"


# One question a page


def test_a_question_says_where_one_is_and_lets_one_stop(cast, cycle, see):
    page = see(cast.anna, "/before/2/")
    assert "Question 2 of 13" in page.text_read
    assert "Do you have a fever, or do you take antibiotics?" in page.text_read
    assert "Save and finish later" in page.text_read
    assert 'href="/before/1/"' in page.content.decode()
    assert "Your clinic decides; your answers neither cancel nor approve anything." in page.text_read


def test_an_answer_leads_to_the_next_question(cast, cycle, see):
    assert see(cast.anna, "/before/1/", answer="no").url == "/before/2/"
    assert ReadinessAnswer.objects.get().answer == "no"


def test_what_is_answered_already_is_passed_over_and_the_end_is_the_list(cast, cycle, see):
    see(cast.anna, "/before/2/", answer="no")
    assert see(cast.anna, "/before/1/", answer="no").url == "/before/3/"
    factories.answers(cast.anna, cycle, now=NOW)
    assert see(cast.anna, "/before/13/", answer="no").url == "/before/"


@pytest.mark.parametrize("data", [{"answer": "yes", "note": "a cold"}, {}])
def test_one_can_stop_at_any_question_and_keep_what_was_said(cast, cycle, see, data):
    assert see(cast.anna, "/before/5/", later="1", **data).url == "/before/"
    assert [row.note for row in ReadinessAnswer.objects.all()] == ([data["note"]] if data else [])


def test_without_an_answer_the_page_asks_again(cast, cycle, see):
    page = see(cast.anna, "/before/5/", note="since Sunday")
    assert page.status_code == 422
    assert "Choose an answer. “Not sure” is one too." in page.text_read
    assert "since Sunday" in page.content.decode()


def test_a_carer_answers_for_the_patient(cast, cycle, see):
    assert see(cast.sam, of(cast, "before/5/"), answer="no").url == of(cast, "before/6/")
    assert ReadinessAnswer.objects.get().answered_by == cast.sam


@pytest.mark.parametrize("who", ["ben", "carla"])
def test_nobody_else_answers(cast, cycle, see, who):
    assert see(getattr(cast, who), of(cast, "before/5/"), answer="no").status_code in {403, 404}
    assert not ReadinessAnswer.objects.exists()


@pytest.mark.parametrize("at", [utc(2026, 11, 10, 12), utc(2026, 11, 26, 12)], ids=["too early", "day 2"])
def test_outside_the_two_weeks_a_question_leads_to_the_list(cast, cycle, see, at):
    assert see(cast.anna, "/before/5/", at, answer="yes").url == "/before/"
    assert not ReadinessAnswer.objects.exists()


def test_no_address_says_what_is_asked(cast, cycle, see):
    """Addresses stand in logs and histories."""
    for question in questions.HAZARDS:
        path = reverse("cycles:question", args=[question.number])
        assert re.fullmatch(r"/before/\d+/", path)
        assert questions.BY_NUMBER[question.number] is question
    assert see(cast.anna, "/before/pregnancy/").status_code == 404


def test_a_question_that_is_none_is_not_found(cast, cycle, see):
    assert see(cast.anna, "/before/0/").status_code == 404
    assert see(cast.anna, "/before/15/").status_code == 404
    assert see(cast.anna, "/before/14/").url == "/before/", "nothing can be unsettled before course 1"


def test_a_blood_pressure_medicine_is_spoken_of_at_once(cast, cycle, see):
    """R28."""
    following = see(cast.anna, "/before/9/", answer="yes")
    page = see(cast.anna, following.url)
    assert questions.BY_CODE["pressure"].advice in page.text_read


def test_the_question_about_mood_names_the_crisis_line(cast, cycle, see):
    """R7."""
    type(cast.north).objects.update(crisis_phone="116 123")
    assert "do not stay alone and call 116 123 now" in see(cast.anna, "/before/13/").text_read


def test_without_a_crisis_line_it_names_the_emergency_number(see):
    """R7: never nobody, also for whoever has no clinic."""
    lee = factories.lone_patient()
    factories.plan(lee, lee.user, starts_on=START, now=MADE)
    assert "do not stay alone and call 999 now" in see(lee.user, "/before/13/").text_read


def test_a_fever_is_spoken_of_at_once(cast, cycle, see):
    """K13, B69."""
    page = see(cast.anna, see(cast.anna, "/before/2/", answer="yes").url).text_read
    assert "call your team straight away, before any injection" in page
    assert questions.BY_CODE["fever"].advice in see(cast.anna, "/before/").text_read


# Hold, at once


@pytest.mark.parametrize("code", ["infection", "pregnancy"])
@pytest.mark.parametrize("word", ["yes", "unsure"])
def test_such_an_answer_shows_at_once_whom_to_call(cast, cycle, see, code, word):
    """R16: before any more injections, whatever else is still to be answered."""
    answer = see(cast.anna, f"/before/{questions.BY_CODE[code].number}/", answer=word, note="cough", later="1")
    assert answer.url == "/waits/"
    assert Hold.objects.open().get().kind == code
    page = see(cast.anna, answer.url)
    assert "Call your clinic today, before any more injections." in page.text_read
    assert 'href="tel:02079460018"' in page.content.decode()
    assert "Reminders" not in page.text_read or "paused" in page.text_read


LONG = "I cough.\r\n" * 40


@pytest.mark.parametrize("way", [{}, {"later": "1"}])
def test_such_an_answer_counts_whatever_is_wrong_with_the_words_beside_it(cast, cycle, see, way):
    """R4, R16: nobody waits for a note to be shortened."""
    answer = see(cast.anna, "/before/7/", answer="yes", note=LONG, **way)
    assert answer.url == "/waits/"
    hold = Hold.objects.open().get()
    assert (hold.kind, len(hold.reason)) == ("pregnancy", 200)
    assert "Saved with the first 200 signs of your words." in see(cast.anna, answer.url).text_read


@pytest.mark.parametrize("way", [{}, {"later": "1"}])
def test_another_answer_is_saved_too_and_the_page_says_what_is_too_long(cast, cycle, see, way):
    page = see(cast.anna, "/before/5/", answer="unsure", note=LONG, **way)
    assert page.status_code == 422
    assert "Your answer is saved, with the first 200 signs of your words." in page.text_read
    assert "Say it in at most 200 signs." in page.text_read
    assert "Nothing is saved" not in page.text_read
    assert page.text_read.count("I cough.") == 40, "what was typed stays"
    row = ReadinessAnswer.objects.get()
    assert (row.answer, len(row.note)) == ("unsure", 200)


def test_no_needs_no_words_however_many_were_typed_before(cast, cycle, see):
    assert see(cast.anna, "/before/5/", answer="no", note=LONG).url == "/before/6/"
    assert ReadinessAnswer.objects.get().note == ""


def test_a_line_break_is_one_sign(cast, cycle, see):
    """Browsers count it so, and send two."""
    note = "\r\n".join(["123456789"] * 20)
    assert see(cast.anna, "/before/5/", answer="yes", note=note).url == "/before/6/"
    assert len(ReadinessAnswer.objects.get().note) == 199


def test_words_without_an_answer_are_not_lost_when_one_stops(cast, cycle, see):
    page = see(cast.anna, "/before/5/", note="since Sunday", later="1")
    assert page.status_code == 422
    assert "since Sunday" in page.text_read


def test_without_a_clinic_the_care_team_is_called(see):
    lee = factories.lone_patient()
    factories.plan(lee, lee.user, starts_on=START, now=MADE)
    see(lee.user, "/before/1/", answer="yes")
    page = see(lee.user, "/waits/")
    assert "Call your care team today, before any more injections." in page.text_read
    assert "020 7946 0100" in page.text_read


# The list


def test_before_the_two_weeks_it_says_when_it_opens(cast, cycle, see):
    page = see(cast.anna, "/before/", utc(2026, 11, 10, 12)).text_read
    assert "The questions open on Wednesday 11 November 2026" in page


def test_without_a_course_there_is_nothing_to_get_ready_for(cast, see):
    assert "No course to get ready for" in see(cast.anna, "/before/").text_read


def test_it_begins_with_the_first_question(cast, cycle, see):
    page = see(cast.anna, "/before/")
    assert "Answer 13 questions" in page.text_read
    assert 'href="/before/1/"' in page.content.decode()


def test_the_outcome_counts_what_a_person_needs_to_look_at_and_clears_nobody(cast, cycle, see):
    """ux 2.8; P66: results that are missing are one of them."""
    factories.answers(cast.anna, cycle, now=NOW, tired="unsure")
    page = see(cast.anna, "/before/").text_read
    assert "Your clinic needs to look at 2 things before you start." in page
    assert "Extreme tiredness : Not sure" in page.replace("</b>", "")
    assert not [word for word in ("cleared", "safe", "ready to start") if word in page.lower()]


def test_answers_of_more_than_a_week_ago_are_asked_for_again(cast, cycle, see):
    factories.answers(cast.anna, cycle, now=utc(2026, 11, 13, 12))
    page = see(cast.anna, "/before/", utc(2026, 11, 21, 12))
    assert "Answered more than a week ago." in page.text_read
    assert "Go on: 13 questions left" in page.text_read


def test_on_day_1_four_questions_are_asked_again(cast, cycle, see):
    """X7, D10."""
    factories.answers(cast.anna, cycle, now=EVE)
    page = see(cast.anna, "/before/", DAY_1).text_read
    assert "Go on: 4 questions left" in page
    assert page.count("Asked again on day 1.") == 4


def test_everything_answered_is_sent(cast, cycle, see):
    factories.answers(cast.anna, cycle, now=NOW)
    assert "Send to clinic" in see(cast.anna, "/before/").text_read
    assert see(cast.anna, "/before/", note="").url == "/before/"
    page = see(cast.anna, "/before/").text_read
    assert "nobody may have seen it yet" in page
    assert "Send to clinic" not in page
    assert Readiness.objects.get().answers.get(question="results").answer == "yes", "what the diary knew then"


def test_an_answer_after_sending_wants_to_be_sent_again(cast, cycle, see):
    factories.answers(cast.anna, cycle, now=NOW)
    see(cast.anna, "/before/", note="")
    see(cast.anna, "/before/5/", utc(2026, 11, 17, 12), answer="yes")
    page = see(cast.anna, "/before/", utc(2026, 11, 17, 12)).text_read
    assert "Answers were changed after that." in page
    assert "Send to clinic" in page


def test_unanswered_questions_are_not_sent(cast, cycle, see):
    page = see(cast.anna, "/before/", note="")
    assert page.status_code == 422
    assert "Some questions are still open." in page.text_read


def test_without_a_clinic_the_page_says_whom_to_call(see):
    lee = factories.lone_patient()
    factories.plan(lee, lee.user, starts_on=START, now=MADE)
    page = see(lee.user, "/before/").text_read
    assert "Nobody confirms a start here. Call your care team before you start: 020 7946 0100" in page
    assert "clinic" not in page.lower()


# The clinic


def confirms(see, user, path, at=NOW, note=""):
    """The start, confirmed with the form of the page as it is."""
    return see(user, path, at, note=note, shown=shown(see(user, path, at)))


def shown(page):
    """What the form says that the page shows."""
    return re.search(r'name="shown" value="([^"]+)"', page.content.decode())[1]


def test_a_day_that_the_page_did_not_show_is_not_confirmed(cast, cycle, see):
    """R1: the course was moved after the page was opened."""
    opened = shown(see(cast.ben, of(cast, "before/")))
    other = START + timedelta(days=2)
    move_cycle(by=cast.ben, cycle=cycle, starts_on=other, today=NOW.date(), reason="holiday")
    page = see(cast.ben, of(cast, "before/"), note="fine", shown=opened)
    assert page.status_code == 422
    assert "Something has changed since you opened this page. Look at it again, then confirm." in page.text_read
    assert "fine" in page.content.decode()
    assert not Readiness.objects.filter(confirmed_at__isnull=False).exists()
    see(cast.ben, of(cast, "before/"), note="fine", shown=shown(page))
    assert Readiness.objects.get().confirmed_for == other


def test_an_answer_that_the_page_did_not_show_is_not_confirmed_over(cast, cycle, see):
    factories.answers(cast.anna, cycle, now=NOW)
    opened = shown(see(cast.ben, of(cast, "before/")))
    later = NOW + timedelta(minutes=1)
    see(cast.anna, "/before/2/", later, answer="yes")
    page = see(cast.ben, of(cast, "before/"), later, note="", shown=opened)
    assert page.status_code == 422
    assert "Fever or antibiotics : Yes" in page.text_read
    assert Readiness.objects.get().confirmed_at is None


@pytest.mark.parametrize("sent", ["", "x"])
def test_a_form_that_does_not_say_what_it_showed_confirms_nothing(cast, cycle, see, sent):
    assert see(cast.ben, of(cast, "before/"), note="", shown=sent).status_code == 422


def test_the_first_day_is_looked_at_again_behind_the_lock(cast, cycle):
    """Two people at once: what counts is what stands when it is written."""
    opened = asking.read(cycle, cast.anna_patient, NOW.date()).as_shown
    stale = Cycle.objects.get(pk=cycle.pk)
    factories.answers(cast.anna, cycle, now=NOW, fever="yes")
    with pytest.raises(ValidationError, match="Something has changed"):
        ready_actions.confirm_start(by=cast.ben, cycle=stale, now=NOW, shown=opened)


def test_an_answer_that_waited_behind_the_clinics_word_counts_as_given_after_it(cast, cycle):
    """Its moment was read before it waited; the clinic has not seen it."""
    factories.confirm(cast.ben, cycle, now=NOW)
    fever = questions.BY_CODE["fever"]
    before = NOW - timedelta(seconds=1)
    ready_actions.answer_question(by=cast.anna, cycle=cycle, question=fever, answer="yes", now=before)
    assert asking.read(cycle, cast.anna_patient, NOW.date()).news


def test_a_clinician_reads_the_answers_and_confirms(cast, cycle, see):
    factories.confirms_starts(cast.north)
    factories.answers(cast.anna, cycle, now=NOW, medicine="yes")
    page = see(cast.ben, of(cast, "before/"))
    for words in ("2 things need a person.", "New or changed medicine", "The start is not confirmed", "Delay: give it"):
        assert words in page.text_read
    assert confirms(see, cast.ben, of(cast, "before/"), note="results seen").url == of(cast, "before/")
    assert Readiness.objects.get().confirmed_for == START
    page = see(cast.anna, "/before/", EVE).text_read
    assert (
        "Ben confirmed Wednesday 25 November 2026 as the first day on Monday 16 November 2026. “results seen”" in page
    )
    assert "If you feel unwell or anything has changed, call before you start." in page


def test_an_unconfirmed_start_says_whom_to_call_when_it_is_near(cast, cycle, see):
    """R12."""
    factories.confirms_starts(cast.north)
    words = "Your clinic has not confirmed this start yet."
    assert f"{words} Please call them before you start: 020 7946" in see(cast.anna, "/before/", EVE).text_read
    assert f"{words} Please" not in see(cast.anna, "/before/", NOW).text_read


def test_what_is_answered_after_the_clinics_word_is_said_to_both(cast, cycle, see):
    factories.confirm(cast.ben, cycle, now=NOW)
    later = utc(2026, 11, 20, 12)
    factories.answers(cast.anna, cycle, now=later, mood="yes")
    assert "after your clinic confirmed the start. Call them before you start: Low mood" in (
        see(cast.anna, "/before/", later).text_read
    )
    assert "Answered after you confirmed the start: Low mood" in see(cast.ben, of(cast, "before/"), later).text_read


def test_a_course_on_hold_is_not_confirmed_on_the_page(cast, cycle, see):
    factories.hold(cast.anna, cycle, "chest", kind="infection", now=NOW)
    page = see(cast.ben, of(cast, "before/"))
    assert "Lift the hold first" in page.text_read
    assert "Confirm start" not in page.text_read
    assert see(cast.ben, of(cast, "before/"), note="").status_code == 422


def test_a_reader_sees_and_writes_nothing(cast, cycle, see):
    mia = factories.user("Mia")
    accounts.share_with_person(by=cast.anna, patient=cast.anna_patient, person=mia)
    page = see(mia, of(cast, "before/"))
    assert page.status_code == 200
    assert "Answer 13" not in page.text_read
    assert see(mia, of(cast, "before/"), note="").status_code == 403


# Getting ready


def test_the_list_is_ticked_and_counted(cast, cycle, see):
    answer = see(cast.anna, "/prepare/", done=["ice", "fridge"], companion_name="", companion_phone="", nights="")
    assert answer.url == "/before/"
    page = see(cast.anna, "/before/").text_read
    assert "Saved: 2 of 9 are ready." in page
    assert "2 of 9 done" in page
    see(cast.anna, "/prepare/", done=["ice"], companion_name="")
    assert [row.item for row in Preparation.objects.all()] == ["ice"]


def test_somebody_who_stays_has_a_name(cast, cycle, see):
    """P36."""
    page = see(cast.anna, "/prepare/", done=["companion"], companion_name="", companion_phone="07700 900123")
    assert page.status_code == 422
    assert "Say who it is" in page.text_read
    assert "07700 900123" in page.content.decode()
    sam = {"companion_name": "Sam", "companion_phone": "07700 900123", "nights": "Friday to Sunday"}
    see(cast.anna, "/prepare/", done=["companion"], **sam)
    page = see(cast.anna, "/before/").text_read
    assert "Sam, 07700 900123 , Friday to Sunday" in page


def test_before_medicines_stand_there_as_the_clinician_entered_them(cast, see):
    """R27: names only."""
    terms = {"premedication": "cetirizine\nparacetamol\n"}
    factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=MADE, **terms)
    assert "My before-medicines are in the house cetirizine, paracetamol" in see(cast.anna, "/prepare/").text_read


def test_the_address_of_every_page_is_a_neutral_word():
    for name in ("today:ready", "cycles:prepare", "cycles:changed", "cycles:waits"):
        assert re.fullmatch(r"/[a-z]+/", reverse(name))
