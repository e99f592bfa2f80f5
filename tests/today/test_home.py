"""The patient's home page: what to do now, what is open, what comes next."""

import re
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.course_actions import stop_cycle
from cycles.models import Cycle, PlannedDose
from cycles.plan_actions import end_plan
from il2tracker.accounts import actions as accounts
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from labs import written
from labs.actions import Drawn, add_results, book_bloodwork, record_drawn
from labs.models import Analyte
from sideeffects.actions import Answers, record_check_in
from sideeffects.units import parse_temperature
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

EVENING = utc(2026, 11, 21, 21, 35)


def heading(answer):
    return re.search(r"<h1>(.*?)</h1>", answer.content.decode(), re.DOTALL)[1].strip()


def red_flag(patient, by, tier="RED", title="much less urine than usual", at=EVENING):
    return alerts.raise_alert(
        by=by,
        patient=patient,
        rule="T2",
        tier=tier,
        title=title,
        evidence="",
        source="sideeffects.checkin",
        source_ref="abc",
        now=at,
    )


def result(patient, by, on, cd4="612", load="<20"):
    tests = {test.code: test for test in Analyte.objects.all()}
    readings = {tests[code]: written.parse(tests[code].rule, text) for code, text in (("cd4", cd4), ("hiv_rna", load))}
    add_results(by=by, patient=patient, drawn=Drawn(on), readings=readings, now=utc(2027, 6, 1))


# In a course


def test_the_evening_of_day_four_says_what_when_and_where(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna)
    assert heading(page) == "Tonight at 10pm"
    for words in (
        "Saturday 21 November 2026 Course 1, day 4 of 5",
        "7.5 million units",
        "under the skin, due in 25 minutes",
        "Suggested place: abdomen, upper left",
        "Day 4, Sat 21 1 of 2 recorded",
    ):
        assert words in page.text_read
    dose = PlannedDose.objects.get(cycle__number=1, day=4, slot="pm")
    assert f'href="/diary/add/{dose.ref}/"' in page.content.decode()
    assert f'href="/diary/add/{dose.ref}/not-taken/"' in page.content.decode()


@pytest.mark.parametrize(
    ("at", "offered"), [(EVENING, True), (utc(2026, 11, 21, 23, 54), True), (utc(2026, 11, 21, 23, 55), False)]
)
def test_a_reminder_can_be_put_off_while_its_injection_is_not_late(cast, see, on_course, at, offered):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna, at=at)
    assert "Record this injection" in page.text_read
    assert ("Remind me later" in page.text_read) is offered


@pytest.mark.parametrize(("hours", "stays"), [(0, True), (23, True), (24, False)])
def test_a_report_that_was_seen_is_no_all_clear_and_stays_for_a_day(cast, see, on_course, hours, stays):
    on_course(cast.anna_patient, cast.ben)
    report = red_flag(cast.anna_patient, cast.anna, at=EVENING)
    alerts.acknowledge(by=cast.ben, alert=report, now=EVENING)
    alerts.take_step(by=cast.ben, alert=report, what="reached", now=EVENING)
    page = see(cast.anna, at=EVENING + timedelta(hours=hours))
    said = "Ben has seen it on Sat 21 Nov at 9:35pm. That is not an all-clear: speak to them before your next injection"
    assert (said in page.text_read) is stays
    if stays:
        assert page.text_read.index(said) < page.text_read.index("Call 020 7946 0019")
    if hours == 0:
        assert page.text_read.index(said) < page.text_read.index("Record this injection")


@pytest.mark.parametrize("tier", ["RED", "AMBER"])
def test_a_report_that_holds_reminders_back_stays_until_the_clinic_has_spoken_with_her(cast, see, on_course, tier):
    on_course(cast.anna_patient, cast.ben)
    report = red_flag(cast.anna_patient, cast.anna, tier=tier)
    Alert.objects.update(holds=True)
    alerts.acknowledge(by=cast.ben, alert=report, now=EVENING)
    later, said = EVENING + timedelta(hours=36), "speak to them before your next injection"
    assert said in see(cast.anna, at=later).text_read
    alerts.take_step(by=cast.ben, alert=report, what="reached", now=later)
    assert said not in see(cast.anna, at=later).text_read


def test_an_open_report_outranks_one_that_was_seen(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    alerts.acknowledge(by=cast.ben, alert=red_flag(cast.anna_patient, cast.anna), now=EVENING)
    alerts.raise_alert(
        by=cast.anna,
        patient=cast.anna_patient,
        rule="T7",
        tier="RED",
        title="fainted",
        evidence="",
        source="sideeffects.checkin",
        source_ref="def",
        now=EVENING,
    )
    page = see(cast.anna)
    assert "You reported: fainted" in page.text_read
    assert "all-clear" not in page.text_read


def test_amount_and_clock_are_as_the_person_reads_them(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    accounts.update_user(by=cast.anna, user=cast.anna, clock="24")
    assert heading(see(cast.anna)) == "Tonight at 22:00"


def test_a_late_injection_stays_first_until_midway_to_the_next(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((4, "am"),), until=utc(2026, 11, 21, 13))
    page = see(cast.anna, at=utc(2026, 11, 21, 13))
    assert heading(page) == "This morning at 10am"
    assert "not recorded yet, due 3 hours ago" in page.text_read


def test_what_is_too_late_is_asked_for_calmly_below(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((4, "am"), (2, "pm")))
    page = see(cast.anna)
    assert heading(page) == "Tonight at 10pm"
    assert "Not recorded Nothing is written down for these." in page.text_read
    assert "Thursday 19 November 2026, 10pm Record it" in page.text_read
    assert "Do not take extra to make up. Not sure what to do? Call 020 7946 0019" in page.text_read
    assert not re.search(r"missed|skip(?! to)|double|non-complian", page.text_read, re.IGNORECASE)


def test_after_midnight_the_evening_s_injection_is_still_the_one(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    assert heading(see(cast.anna, at=utc(2026, 11, 22, 0, 40))) == "Last night at 10pm"


def test_when_the_day_is_recorded_the_page_says_what_comes(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 21, 22, 30))
    page = see(cast.anna, at=utc(2026, 11, 21, 22, 30))
    assert heading(page) == "Nothing more today"
    assert "Your next injection is on Sunday 22 November 2026 at 10am: 7.5 million units." in page.text_read
    assert "Record this injection" not in page.text_read


def test_the_hardest_days_are_those_of_the_protocol(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    on_course(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 11, 9))
    assert (
        "Many people feel worst on days 3 to 5, but serious effects can start on any day." in see(cast.anna).text_read
    )
    assert "worst" not in see(cast.dan).text_read


def test_the_next_dates_of_a_course_name_the_test_and_when_it_counts(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    text = see(cast.anna).text_read
    assert "Sunday 22 November 2026 Last day of this course: 10am and 10pm" in text
    assert "Wednesday 30 December 2026 Blood test. Results before 22 December are too soon to count." in text
    assert "Wednesday 13 January 2027 Course 2 planned to start" in text


def test_a_kidney_plan_shows_its_week_and_no_blood_test(cast, see, on_course):
    on_course(
        cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 11, 9), open_doses=((10, "bedtime"),)
    )
    page = see(cast.dan)
    assert heading(page) == "Nothing due today"
    assert "Course 1, week 2 of 5" in page.text_read
    assert "Your next injection is on Monday 23 November 2026 at 10pm: 18 million units." in page.text_read
    assert page.content.decode().count("<li") >= 7
    assert "Sat 21 rest" in page.text_read
    assert "Wednesday 18 November 2026, 10pm Record it" in page.text_read
    assert "Blood test" not in page.text_read
    assert "over 38 °C" in page.text_read.replace("\xa0", " ")


def test_how_the_person_felt_last_stands_in_a_sentence(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    answers = Answers(
        none_of_flags=True,
        temperature=parse_temperature("38.3"),
        temperature_typed="38.3",
        severities={"tired": 2, "shaking": 0},
    )
    record_check_in(
        by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=answers, now=utc(2026, 11, 21, 14, 10)
    )
    assert "Written today at 2:10pm: 38.3 °C, tired (moderate)." in see(cast.anna).text_read.replace("\xa0", " ")
    tomorrow = see(cast.anna, at=utc(2026, 11, 22, 9)).text_read
    assert "Written on Saturday 21 November 2026 at 2:10pm" in tomorrow


def test_a_plan_nobody_confirmed_says_so(see, on_course):
    lee = factories.lone_patient()
    on_course(lee, lee.user)
    assert "No clinician has confirmed it." in see(lee.user).text_read


def test_the_person_named_to_be_there_has_a_number(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    accounts.update_patient(
        by=cast.anna, patient=cast.anna_patient, companion_name="Sam", companion_phone="07700 900123"
    )
    assert 'href="tel:07700900123"' in see(cast.anna).content.decode()


# What outranks an injection


def test_an_open_red_flag_outranks_the_injection(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    alert = red_flag(cast.anna_patient, cast.anna)
    page = see(cast.anna)
    assert heading(page) == "Call the clinic before your next injection"
    assert "You reported: much less urine than usual" in page.text_read
    assert "Do not wait for someone to call you." in page.text_read
    assert 'href="tel:02079460019"' in page.content.decode()
    for absent in ("Record this injection", "Suggested place", "worst on days"):
        assert absent not in page.text_read
    alerts.acknowledge(by=cast.ben, alert=alert, now=EVENING)
    assert heading(see(cast.anna)) == "Tonight at 10pm"


def test_what_is_done_can_be_recorded_beside_a_red_flag(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    red_flag(cast.anna_patient, cast.anna)
    page = see(cast.anna)
    assert "Record it here only if it is already done." in page.text_read
    assert f"/diary/add/{PlannedDose.objects.get(cycle__number=1, day=4, slot='pm').ref}/" in page.content.decode()


def test_an_emergency_names_the_emergency_number_first(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    red_flag(cast.anna_patient, cast.anna, tier="EMERGENCY", title="chest pain")
    page = see(cast.anna)
    assert heading(page) == "Get help now"
    assert page.text_read.index("Still so? Call 999") < page.text_read.index("Call 020 7946 0019")


def test_without_a_clinic_nobody_is_said_to_read_the_report(see, on_course):
    lee = factories.lone_patient()
    on_course(lee, lee.user)
    red_flag(lee, lee.user)
    page = see(lee.user)
    assert heading(page) == "Call your care team before your next injection"
    assert "Your clinic" not in page.text_read


def test_what_an_injection_reported_has_the_same_answers_before_and_after_somebody_has_seen_it(cast, see, on_course):
    """It has no page of numbers of its own, so that Today is where a patient says that nobody can be reached."""
    on_course(cast.anna_patient, cast.ben, open_doses=((4, "am"),))
    dose = PlannedDose.objects.get(cycle__number=1, day=4, slot="am")
    factories.injection(cast.anna_patient, cast.anna, dose, now=dose.due_at, amount=Decimal(8))
    alert = Alert.objects.get(rule="above-plan")
    form = f'<form action="/alerts/{alert.ref}/answer/" method="post">'
    page = see(cast.anna).content.decode()
    assert form in page
    assert 'value="not_reached"' in page
    alerts.acknowledge(by=cast.ben, alert=alert, now=EVENING)
    page = see(cast.anna)
    assert "has seen it" in page.text_read
    assert form in page.content.decode()
    alerts.answer(by=cast.anna, alert=alert, answer="not_reached", now=EVENING + timedelta(minutes=1))
    assert list(Alert.objects.waiting()) == [alert]


def test_an_amber_alert_does_not_interrupt(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    red_flag(cast.anna_patient, cast.anna, tier="AMBER", title="tired, severe")
    assert heading(see(cast.anna)) == "Tonight at 10pm"


def test_a_held_course_names_no_amount_and_whom_to_call(cast, see, on_course):
    plan = on_course(cast.anna_patient, cast.ben)
    factories.hold(cast.ben, plan.cycles.get(number=1), "fever")
    page = see(cast.anna)
    assert heading(page) == "Your course is on hold"
    assert "Reason given: fever" in page.text_read
    assert "million units" not in page.text_read
    assert "Next dates" not in page.text_read
    assert "020 7946 0019" in page.text_read


# Without a plan


def test_without_a_plan_the_clinic_adds_it(cast, see):
    page = see(cast.anna)
    assert heading(page) == "No plan yet"
    assert "Your clinic adds the plan." in page.text_read
    assert "Enter my plan" not in page.text_read
    assert 'href="/results/add/"' in page.content.decode()


def test_without_a_clinic_the_person_can_enter_the_plan(see):
    page = see(factories.lone_patient().user)
    assert "Enter my plan" in page.text_read
    assert 'href="/plan/new/"' in page.content.decode()


def test_an_ended_plan_asks_for_nothing(cast, see, on_course):
    plan = on_course(cast.anna_patient, cast.ben)
    end_plan(by=cast.ben, plan=plan, on=date(2026, 11, 21), reason="pregnant")
    page = see(cast.anna)
    assert heading(page) == "Your plan has ended"
    assert "It ended on Saturday 21 November 2026." in page.text_read
    assert "Record this injection" not in page.text_read


# Between courses


@pytest.fixture
def between(cast, on_course):
    """10 December: the first course is over, the second starts on 13 January."""
    return on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23))


CALM = utc(2026, 12, 10, 12)


def test_calm_weeks_say_the_next_date_and_the_last_result(cast, see, between):
    result(cast.anna_patient, cast.ben, date(2026, 11, 4))
    page = see(cast.anna, at=CALM)
    assert heading(page) == "Nothing due today"
    assert "Between courses 1 and 2" in page.text_read
    assert "Your next date is Wednesday 30 December 2026 , in 20 days: Blood test." in page.text_read
    assert "CD4+ count 612 on Wednesday 4 November 2026, reliable. Viral load less than 20 ." in page.text_read
    assert "10 of 10 injections recorded." in page.text_read
    assert "Unwell, or not sure?" in page.text_read


def test_the_picture_of_calm_weeks_has_its_words(cast, see, between):
    page = see(cast.anna, at=CALM).content.decode()
    assert page.count('role="img"') == 2
    assert "Blood tests are too soon until Monday 21 December 2026. Today is Thursday 10 December 2026." in page


def test_a_result_that_came_too_soon_is_not_the_last_result(cast, see, between):
    result(cast.anna_patient, cast.ben, date(2026, 12, 1), cd4="958")
    assert "No result that counts yet." in see(cast.anna, at=CALM).text_read


def test_signs_to_call_for_stay_a_week_after_a_course(cast, see, between):
    assert "Call now if you have:" in see(cast.anna, at=utc(2026, 11, 29, 12)).text_read
    assert "Call now if you have:" not in see(cast.anna, at=utc(2026, 11, 30, 12)).text_read


def test_where_the_blood_test_stands(cast, see, between):
    coming = Cycle.objects.get(number=2)
    assert "Add the appointment" in see(cast.anna, at=CALM).text_read
    book_bloodwork(by=cast.anna, cycle=coming, booked_for=date(2026, 12, 31))
    assert "Thursday 31 December 2026 Blood test, booked." in see(cast.anna, at=CALM).text_read
    late = see(cast.anna, at=utc(2027, 1, 2, 12)).text_read
    assert "The blood test for course 2 was due on Wednesday 30 December 2026." in late
    record_drawn(by=cast.anna, cycle=coming, drawn_on=date(2026, 12, 31), now=utc(2027, 1, 2))
    assert "No result is here yet. Please call your clinic" in see(cast.anna, at=utc(2027, 1, 2, 12)).text_read
    result(cast.anna_patient, cast.ben, date(2026, 12, 31))
    assert "A result for course 2 is in. Your clinic decides" in see(cast.anna, at=utc(2027, 1, 2, 12)).text_read


# Who else arrives here, and what it costs


def test_people_without_a_diary_go_to_their_work(cast, see):
    assert see(cast.ben).url == "/people/"
    assert see(cast.eve).url == "/system/"
    assert see(cast.sam).url == "/settings/"


def test_nobody_sees_it_without_signing_in(client):
    assert client.get("/").url.startswith("/sign-in/")


def test_the_title_is_neutral(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    assert "<title>Today · Diary</title>" in see(cast.anna).content.decode()


def statements(client, user, at):
    with time_machine.travel(at, tick=False):
        client.force_login(user)
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get("/").status_code == 200
    return len(found)


def test_the_number_of_statements_does_not_grow_with_the_record(cast, client, on_course):
    on_course(cast.anna_patient, cast.ben)
    few = statements(client, cast.anna, EVENING)
    for minutes in range(40):
        answers = Answers(none_of_flags=True, severities={"tired": 1, "nausea": 2})
        at = EVENING - timedelta(minutes=minutes)
        record_check_in(by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=answers, now=at)
        factories.injection(cast.anna_patient, cast.anna, at=at, amount="1")
    assert statements(client, cast.anna, EVENING) <= few + 2  # the first check-in brings its symptoms
    assert few <= 12


def every(days):
    """A document: 7.5 million units twice a day for five days, every so many days."""
    doses = [{"days": "1-5", "slots": ["am", "pm"], "amount": "7.5"}]
    return {"unit": "MIU", "phases": [{"repeat": None, "cycle_days": days, "doses": doses}]}


def test_six_weeks_apart_the_first_day_that_counts_is_named(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23), document=every(42))
    text = see(cast.anna, at=CALM).text_read
    assert "Tuesday 22 December 2026 Blood test. Results before 22 December are too soon to count." in text
    assert "On this plan no blood test counts two weeks before the next course." in text


def test_four_weeks_apart_no_day_is_named(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23), document=every(28))
    text = see(cast.anna, at=utc(2026, 12, 1, 12)).text_read
    assert "Blood test." not in text
    assert "Wednesday 16 December 2026 Course 2 planned to start" in text


def test_days_and_hours_are_those_of_the_patient_s_zone(cast, see, on_course):
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="America/New_York")
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 22, 2))
    page = see(cast.anna, at=utc(2026, 11, 22, 2, 30))
    assert heading(page) == "Tonight at 10pm"
    assert "Saturday 21 November 2026 Course 1, day 4 of 5" in page.text_read
    assert "due in 30 minutes" in page.text_read


def test_on_the_day_of_a_stop_no_day_of_the_course_is_counted_any_more(cast, see, on_course):
    """2.2: stopped early is a state with its reason."""
    plan = on_course(cast.anna_patient, cast.ben)
    stop_cycle(by=cast.ben, cycle=plan.cycles.get(number=1), on=date(2026, 11, 21), reason="rash")
    text = see(cast.anna).text_read
    assert "Saturday 21 November 2026 Course 1, stopped early" in text
    assert "day 4 of 5" not in text
    assert "1, stopped 21 Nov" in see(cast.ben, f"/people/{cast.anna_patient.code}/").text_read
