"""Another time zone: shown before it is saved, followed at once by what has not begun, never by what has (H09)."""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from cycles.models import Cycle, PlannedDose
from il2tracker.audit.models import AuditEvent
from il2tracker.today import actions
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

EVENING = utc(2026, 11, 21, 21, 35)
PAGE = "/settings/time-zone/"
NEW_YORK = "America/New_York"


def zones(patient, number):
    return set(PlannedDose.objects.filter(patient=patient, cycle__number=number).values_list("zone", flat=True))


def test_the_page_says_by_which_clock_the_person_lives(cast, see):
    page = see(cast.anna, PAGE)
    assert "London It is 9:35pm there, Saturday 21 November 2026." in page.text_read
    assert '<option value="Europe/London" selected>' in page.content.decode()


def test_choosing_shows_both_clocks_and_saves_nothing(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna, PAGE, time_zone=NEW_YORK)
    assert page.status_code == 200
    for words in (
        "Nothing is saved yet",
        "London 9:35pm on Saturday 21 November 2026",
        "New York 4:35pm on Saturday 21 November 2026",
        "Course 1 keeps its hours",
        "Saturday 21 November 2026, evening 10pm in London, which is 5pm in New York",
        "Course 2 moves to the new clock",
        "It still starts on Wednesday 13 January 2027, at the same hours on the new clock.",
        "10am in London, which is 5am in New York 10am in New York, which is 3pm in London",
        "10pm in New York, which is 3am on Thursday 14 January in London",
    ):
        assert words in page.text_read, words
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.time_zone == "Europe/London"
    assert zones(cast.anna_patient, 2) == {"Europe/London"}


def test_saving_moves_the_coming_course_at_once_and_leaves_the_running_one(cast, see, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    answer = see(cast.anna, PAGE, time_zone=NEW_YORK, step="save")
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert "Saved. Your days follow the clock of New York." in see(cast.anna, PAGE).text_read
    patient.refresh_from_db()
    assert patient.time_zone == NEW_YORK
    assert (zones(patient, 1), zones(patient, 2)) == ({"Europe/London"}, {NEW_YORK})
    first = PlannedDose.objects.filter(cycle__number=2, patient=patient).first()
    assert (first.due_on, f"{first.local_time:%H:%M}") == (date(2027, 1, 13), "10:00")
    assert first.due_at.astimezone(ZoneInfo(NEW_YORK)).hour == 10
    log = AuditEvent.objects.filter(patient_ref=patient.ref, action="cycles.cycle.rezoned")
    assert list(log.values_list("subject_ref", flat=True)) == [Cycle.objects.get(patient=patient, number=2).ref]


def test_the_preview_and_the_change_agree_where_the_new_day_has_begun_already(cast, see, on_course):
    """In Auckland the course's first day is there: it has begun, and keeps the hours of London."""
    patient = cast.anna_patient
    on_course(patient, cast.ben, date(2026, 11, 22), until=utc(2026, 11, 1))
    page = see(cast.anna, PAGE, time_zone="Pacific/Auckland")
    assert "Course 1 keeps its hours" in page.text_read
    assert "moves to the new clock" not in page.text_read
    see(cast.anna, PAGE, time_zone="Pacific/Auckland", step="save")
    assert zones(patient, 1) == {"Europe/London"}


def test_a_place_with_the_same_clock_says_so(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna, PAGE, time_zone="Europe/Lisbon")
    assert "10am in London, and in Lisbon too" in page.text_read


def test_without_a_course_to_come_only_the_days_follow(cast, see):
    page = see(cast.anna, PAGE, time_zone="Asia/Kolkata")
    assert "only your days and reminders follow the new clock" in page.text_read
    see(cast.anna, PAGE, time_zone="Asia/Kolkata", step="save")
    assert "Kolkata It is 3:05am there, Sunday 22 November 2026." in see(cast.anna, PAGE).text_read


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "posix/Europe/London", "Europe/London"])
@pytest.mark.parametrize("step", ["", "check"])
def test_only_another_real_time_zone_is_taken(cast, see, zone, step):
    answer = see(cast.anna, PAGE, time_zone=zone, step=step)
    assert answer.status_code == 422
    assert 'href="#id_time_zone"' in answer.content.decode()


def test_saving_twice_does_no_harm(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    for _click in range(2):
        assert see(cast.anna, PAGE, time_zone=NEW_YORK, step="save").status_code == 302
    assert AuditEvent.objects.filter(action="cycles.cycle.rezoned").count() == 1


def test_an_invented_zone_is_not_saved_by_leaving_the_check_out(cast, see):
    assert see(cast.anna, PAGE, time_zone="Europe/Atlantis", step="save").status_code == 422
    with pytest.raises(ValidationError):
        actions.change_zone(by=cast.anna, patient=cast.anna_patient, zone="Europe/Atlantis", now=EVENING)


def test_nobody_else_changes_by_which_clock_a_patient_lives(cast):
    for other in (cast.ben, cast.sam):
        with pytest.raises(PermissionDenied):
            actions.change_zone(by=other, patient=cast.anna_patient, zone=NEW_YORK, now=EVENING)


def test_a_course_that_was_begun_early_keeps_its_hours_and_the_page_says_so(cast, see, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    dose = PlannedDose.objects.filter(patient=patient, cycle__number=2).first()
    factories.injection(patient, cast.anna, dose, at=EVENING, now=EVENING)
    page = see(cast.anna, PAGE, time_zone=NEW_YORK)
    assert "Course 2 keeps its hours" in page.text_read
    see(cast.anna, PAGE, time_zone=NEW_YORK, step="save")
    assert zones(patient, 2) == {"Europe/London"}


def test_the_settings_lead_there_and_the_details_do_not_ask(cast, see):
    assert f'href="{PAGE}"' in see(cast.anna, "/settings/").content.decode()
    assert f'href="{PAGE}"' not in see(cast.ben, "/settings/").content.decode()
    assert not re.search('name="time_zone"', see(cast.anna, "/settings/details/").content.decode())
