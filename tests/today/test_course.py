"""The page of a whole course, and the blood test before the next one."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.course_actions import stop_cycle
from cycles.models import Cycle, Injection, PlannedDose, Preparation
from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from labs.models import Bloodwork
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
EVENING = utc(2026, 11, 21, 21, 35)


@pytest.fixture
def page_of(see):
    return lambda user, path="/course/", **facts: see(user, path, **facts)


def test_every_slot_leads_to_its_entry_or_to_the_form(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((2, "pm"),))
    page = page_of(cast.anna).content.decode()
    recorded = Injection.objects.standing()
    assert recorded.count() == 6
    assert all(f"/diary/entry/{injection.ref}/" in page for injection in recorded)
    for day, slot in ((2, "pm"), (4, "pm")):
        assert f"/diary/add/{PlannedDose.objects.get(cycle__number=1, day=day, slot=slot).ref}/" in page
    assert f"/diary/add/{PlannedDose.objects.get(cycle__number=1, day=5, slot='am').ref}/" not in page


def test_the_grid_says_hours_days_and_states(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((2, "pm"),))
    text = page_of(cast.anna).text_read
    assert "Course 1, day 4 of 5" in text
    assert "Wed 18 Thu 19 Fri 20 Sat 21 Sun 22" in text
    assert "Thursday 19 November 2026, 10pm: not recorded" in text
    assert "1 injection is not recorded." in text
    assert "Often – – harder harder harder" in text


def test_after_the_course_stand_the_days_that_do_not_count(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    text = page_of(cast.anna).text_read
    assert "Until Monday 21 December 2026 CD4+ and viral load are too soon to count." in text
    assert "Wednesday 30 December 2026 Blood test." in text


def test_a_course_of_weeks_is_a_grid_of_weeks(cast, page_of, on_course):
    on_course(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 11, 9))
    text = page_of(cast.dan).text_read
    for row in ("9 Nov", "16 Nov", "23 Nov", "30 Nov", "7 Dec no treatment until 14 December"):
        assert row in text
    assert "rest , today" in text
    assert "too soon" not in text


def test_earlier_courses_are_listed_and_open(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben, starts_on=date(2026, 7, 29), open_doses=((4, "pm"),))
    page = page_of(cast.anna)
    assert "Course 2 23 September 2026 to 27 September 2026 7.5 million units 9 of 10" in page.text_read
    earlier = page_of(cast.anna, "/course/?course=1")
    assert "Saturday 1 August 2026, 10pm: not recorded" in earlier.text_read
    assert "What comes next" not in earlier.text_read


def test_not_taken_is_counted_apart(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben, starts_on=date(2026, 9, 23), open_doses=((5, "pm"),))
    dose = PlannedDose.objects.get(cycle__number=1, day=5, slot="pm")
    factories.injection(cast.anna_patient, cast.anna, dose, state="skipped", reason="too_ill")
    text = page_of(cast.anna, at=utc(2026, 11, 21, 21)).text_read
    assert "9 of 10, 67.5 of 75 million units 1 not taken" in text


def test_the_course_says_how_much_of_it_was_given(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((2, "pm"),))
    assert "Given so far 6 of 10, 45 of 75 million units (1 not recorded)" in page_of(cast.anna).text_read


def test_a_course_stopped_early_keeps_what_it_was_planned_to_hold(cast, page_of, on_course):
    """2.2: a state with its reason, not a row of missed injections."""
    plan = on_course(cast.anna_patient, cast.ben)
    stop_cycle(by=cast.ben, cycle=plan.cycles.get(number=1), on=date(2026, 11, 20), reason="rash")
    text = page_of(cast.anna).text_read
    assert "Course 1, stopped early" in text
    assert "day 4 of 5" not in text
    assert "Given 7 of 10, 52.5 of 75 million units" in text
    assert "not recorded" not in text
    assert "Reason given: rash" in text


def test_what_was_got_ready_stands_there_from_two_weeks_before_to_the_last_day(cast, page_of, on_course):
    """2.11, D10: a list, never a gate; once the course runs only what is ready is worth a word."""
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 1))
    for at, shown in ((utc(2026, 11, 3, 12), False), (utc(2026, 11, 4, 12), True), (utc(2026, 11, 22, 12), False)):
        assert ("Getting ready 0 of" in page_of(cast.anna, at=at).text_read) is shown
    course = Cycle.objects.get(number=1)
    Preparation.objects.create(patient=course.patient, cycle=course, item="ice", done_at=utc(2026, 11, 17))
    for at, shown in ((utc(2026, 11, 22, 12), True), (utc(2026, 11, 23, 12), False)):
        assert ("Getting ready 1 of" in page_of(cast.anna, at=at).text_read) is shown
    assert "Tick them off" in page_of(cast.anna, at=utc(2026, 11, 18, 8)).text_read
    assert "Tick them off" not in page_of(cast.anna, at=utc(2026, 11, 19, 8)).text_read
    nurse = page_of(cast.ben, f"/people/{cast.anna_patient.code}/course/", at=utc(2026, 11, 18, 8)).text_read
    assert "Getting ready 1 of" in nurse
    assert "Tick them off" not in nurse


def test_who_stays_and_the_medicines_as_entered_stand_on_the_page(cast, page_of, on_course):
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, companion_name="Sam", companion_phone="07700 1")
    on_course(cast.anna_patient, cast.ben, premedication="Cetirizine\nParacetamol")
    text = page_of(cast.anna).text_read
    assert "Somebody with you Sam 07700 1" in text
    assert "Medicines with the injections Cetirizine Paracetamol" in text


def test_the_page_costs_the_same_however_many_courses_there_were(cast, client, on_course):
    def count():
        client.force_login(cast.anna)
        with time_machine.travel(EVENING, tick=False), CaptureQueriesContext(connection) as found:
            assert client.get("/course/").status_code == 200
        return len(found)

    on_course(cast.anna_patient, cast.ben, starts_on=date(2026, 7, 29))
    few = count()
    course = Cycle.objects.get(number=1)
    facts = {"patient": course.patient, "plan": course.plan, "version": course.version}
    for number in range(30, 50):
        first = course.starts_on - timedelta(days=14 * (number - 29))
        Cycle.objects.create(**facts, number=number, starts_on=first, last_dose_on=first)
    factories.injection(cast.anna_patient, cast.anna, at=utc(2026, 7, 1), amount=1)
    assert count() == few


@pytest.mark.parametrize("query", ["course=9", "course=x", "course=99999", "before=yesterday"])
def test_an_address_that_names_nothing_is_not_found(cast, page_of, on_course, query):
    on_course(cast.anna_patient, cast.ben)
    assert page_of(cast.anna, f"/course/?{query}").status_code == 404


def test_the_list_of_earlier_courses_goes_on_by_key(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben, starts_on=date(2026, 7, 29))
    text = page_of(cast.anna, "/course/?before=2026-09-23").text_read
    assert "Course 1 29 July 2026" in text
    assert "Course 2 23 September" not in text


def test_a_stopped_course_says_when(cast, page_of, on_course):
    plan = on_course(cast.anna_patient, cast.ben)
    stop_cycle(by=cast.ben, cycle=plan.cycles.get(number=1), on=date(2026, 11, 20), reason="rash")
    text = page_of(cast.anna).text_read
    assert "stopped early, nothing planned after Friday 20 November 2026" in text
    assert "Record the next injection" not in text


def test_without_a_plan_the_page_says_what_it_will_show(cast, page_of):
    assert "No course planned" in page_of(cast.anna).text_read


# Other people


def test_the_clinic_reads_it_and_the_patient_can_see_that(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = page_of(cast.ben, f"/people/{cast.anna_patient.code}/course/")
    assert page.status_code == 200
    assert "/diary/add/" not in page.content.decode()
    event = AuditEvent.objects.get(action="today.course.opened")
    assert (event.actor_ref, event.patient_ref) == (cast.ben.ref, cast.anna_patient.ref)


def test_a_carer_who_may_record_gets_the_links(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = page_of(cast.sam, f"/people/{cast.anna_patient.code}/course/")
    assert f"/diary/add/{PlannedDose.objects.get(cycle__number=1, day=4, slot='pm').ref}/" in page.content.decode()


def test_another_clinic_finds_nothing(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    for path in ("course/", "appointment/"):
        assert page_of(cast.carla, f"/people/{cast.anna_patient.code}/{path}").status_code == 404


# The blood test before the next course

FORM = "/appointment/"


def test_the_appointment_is_kept_and_named(cast, page_of, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    answer = page_of(cast.anna, FORM, booked_for="2026-12-30", drawn_on="")
    assert (answer.status_code, answer.url) == (302, "/")
    assert Bloodwork.objects.get().cycle == Cycle.objects.get(number=2)
    text = see(cast.anna).text_read
    assert "Saved: the blood test is booked for Wednesday 30 December 2026." in text
    assert "Wednesday 30 December 2026 Blood test, booked." in text


LATER = utc(2026, 12, 28, 12)  # the weeks before the second course have begun


def test_it_can_be_emptied_again(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    page_of(cast.anna, FORM, at=LATER, booked_for="2026-12-30", drawn_on="2026-12-28")
    page_of(cast.anna, FORM, at=LATER, booked_for="", drawn_on="")
    row = Bloodwork.objects.get()
    assert (row.booked_for, row.drawn_on) == (None, None)
    assert row.history.count() > 2


def test_an_appointment_of_before_the_course_was_moved_is_not_named(cast, page_of, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page_of(cast.anna, FORM, booked_for="2026-12-30", drawn_on="")
    Bloodwork.objects.update(booked_for=date(2026, 12, 1))
    assert "Blood test, booked." not in see(cast.anna).text_read


def test_an_appointment_that_is_over_may_stay_when_the_draw_is_added(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    page_of(cast.anna, FORM, booked_for="2026-12-24", drawn_on="")
    assert page_of(cast.anna, FORM, at=LATER, booked_for="2026-12-24", drawn_on="2026-12-24").status_code == 302
    assert Bloodwork.objects.get().drawn_on == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"booked_for": "2026-12-27"}, "This day is over."),
        ({"booked_for": "1999-01-01"}, "The test for this course is between"),
        ({"drawn_on": "1999-01-01"}, "Wednesday 23 December 2026 and Tuesday 12 January 2027."),
        ({"drawn_on": "2026-12-22"}, "The test for this course is between"),
    ],
)
def test_a_day_that_cannot_count_for_the_course_is_refused_with_the_days_that_can(
    cast, page_of, on_course, typed, complaint
):
    on_course(cast.anna_patient, cast.ben)
    answer = page_of(cast.anna, FORM, at=LATER, **typed)
    assert answer.status_code == 422
    assert answer.text_read.count(complaint) == 2
    assert not Bloodwork.objects.exists()


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"booked_for": "soon"}, "Enter the day as a date, like 2026-11-04."),
        ({"booked_for": "2027-01-13"}, "The test for this course is between"),
        ({"drawn_on": "2026-11-22"}, "This day has not come yet."),
        ({"booked_for": "2026-12-30", "drawn_on": "0000-00-00"}, "Enter the day as a date"),
    ],
)
def test_what_cannot_be_is_asked_again_with_what_was_typed(cast, page_of, on_course, typed, complaint):
    on_course(cast.anna_patient, cast.ben)
    answer = page_of(cast.anna, FORM, **typed)
    assert answer.status_code == 422
    assert answer.text_read.count(complaint) == 2
    assert re.search("<title>Error: ", answer.content.decode())
    assert all(f'value="{value}"' in answer.content.decode() for value in typed.values())
    assert not Bloodwork.objects.exists()


def test_the_nurse_may_keep_it_too(cast, page_of, on_course):
    on_course(cast.anna_patient, cast.ben)
    path = f"/people/{cast.anna_patient.code}{FORM}"
    answer = page_of(cast.ben, path, booked_for="2026-12-29", drawn_on="")
    assert answer.url == f"/people/{cast.anna_patient.code}/course/"
    assert Bloodwork.objects.get().booked_for == date(2026, 12, 29)


def test_a_plan_on_which_timing_does_not_matter_has_no_such_page(cast, page_of, on_course):
    on_course(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 11, 9))
    assert page_of(cast.dan, FORM).status_code == 404
