"""Which days may be the hardest: the source's at first, after two courses a person's own (P34)."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.models import Cycle
from il2tracker.alerts.actions import acknowledge, take_step
from sideeffects.actions import Answers, record_check_in
from tests.factories import utc
from tests.today.conftest import EVENING

pytestmark = pytest.mark.django_db
OWN = "In your last two courses days 3 and 4 felt the hardest, but serious effects can start on any day."
SOURCE = (
    "Many people feel worst on days 3 to 5, but serious effects can start on any day. "
    "Source: Project Inform, about February 2007. After two courses with check-ins your own days stand here."
)
STARTS = [date(2026, 7, 29), date(2026, 9, 23), date(2026, 11, 18)]


@pytest.fixture
def anna(cast, on_course):
    """On day 4 of course 3."""
    on_course(cast.anna_patient, cast.ben, starts_on=STARTS[0])
    return cast.anna_patient


def felt(patient, starts_on, severities, **answers):
    for day, severity in enumerate(severities):
        if severity is not None:
            at = utc(starts_on.year, starts_on.month, starts_on.day, 12) + timedelta(days=day)
            told = Answers(none_of_flags=True, severities={"tired": severity}, **answers)
            record_check_in(by=patient.user, patient=patient, key=uuid4(), answers=told, now=at)


def both(see, patient):
    return see(patient.user).text_read, see(patient.user, "/course/").text_read


def test_before_two_courses_the_days_are_those_of_the_source_with_its_name(see, anna):
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    for text in both(see, anna):
        assert SOURCE in text
        assert "In your last two courses" not in text


def test_after_two_courses_a_persons_own_days_stand_in_their_place(see, anna):
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    for text in both(see, anna):
        assert OWN in text
        assert "Many people" not in text
    assert "Your own – – harder harder –" in both(see, anna)[1]


def test_what_is_said_in_the_running_course_does_not_change_its_forecast(see, anna):
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    felt(anna, STARTS[2], [3, 3, 1])
    for text in both(see, anna):
        assert OWN in text


def test_a_course_that_was_stopped_early_is_no_measure(see, cast, anna):
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    Cycle.objects.filter(number=2).update(state="stopped_early", stopped_on=STARTS[1] + timedelta(days=3))
    for text in both(see, anna):
        assert SOURCE in text


def test_a_course_hardly_spoken_of_is_no_measure(see, anna):
    felt(anna, STARTS[0], [None, None, 3, 3, None])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    for text in both(see, anna):
        assert SOURCE in text


def test_the_entries_of_another_patient_are_no_measure(see, cast, anna):
    felt(cast.dan_patient, STARTS[0], [1, 1, 3, 3, 1])
    felt(cast.dan_patient, STARTS[1], [1, 1, 2, 3, 1])
    for text in both(see, anna):
        assert SOURCE in text


def test_beside_an_open_urgent_report_nothing_reads_like_a_forecast(see, cast, anna):
    """R22."""
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    answers = Answers(flags=frozenset({"fainted"}))
    record_check_in(by=anna.user, patient=anna, key=uuid4(), answers=answers, now=utc(2026, 11, 21, 20))
    for text in both(see, anna):
        assert "hardest" not in text
        assert "harder" not in text
        assert "feel worst" not in text


def test_a_report_in_hand_hides_them_until_it_is_closed(see, cast, anna):
    """R22: also days after somebody spoke with the patient, when Today no longer says that it was seen."""
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    answers, at = Answers(flags=frozenset({"fainted"})), utc(2026, 11, 18, 20)
    check_in = record_check_in(by=anna.user, patient=anna, key=uuid4(), answers=answers, now=at).check_in
    alert = acknowledge(by=cast.ben, alert=check_in.alerts.get(), now=at)
    take_step(by=cast.ben, alert=alert, what="reached", now=at + timedelta(hours=1))
    for text in both(see, anna):
        assert "hardest" not in text
        assert "has seen it" not in text
    take_step(by=cast.ben, alert=alert, what="closed", note="Better.", now=at + timedelta(hours=2))
    for text in both(see, anna):
        assert OWN in text


def test_a_course_that_is_over_has_no_forecast(see, anna):
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    text = see(anna.user, "/course/", at=utc(2026, 11, 30, 12)).text_read
    assert "hardest" not in text


def test_todays_page_takes_no_statement_more_for_a_persons_own_days(client, cast, anna):
    def count():
        client.force_login(cast.anna)
        with time_machine.travel(EVENING, tick=False), CaptureQueriesContext(connection) as found:
            assert client.get("/").status_code == 200
        return len(found)

    felt(anna, STARTS[1], [1, 1, 2, 3, 1])
    one = count()
    felt(anna, STARTS[0], [1, 1, 3, 3, 1])
    assert count() <= one


def test_the_worst_of_each_day_stands_beside_the_injections_and_the_hottest(see, anna):
    from sideeffects.units import parse_temperature

    felt(anna, STARTS[2], [1, None, 2], temperature=parse_temperature("38.4"), temperature_typed="38.4")
    text = both(see, anna)[1].replace("\xa0", " ")
    assert "Hottest 38.4 °C – 38.4 °C – –" in text
    assert "Worst 1 – 2 – –" in text
    told = Answers(flags=frozenset({"fainted"}), no_symptoms=True)
    record_check_in(by=anna.user, patient=anna, key=uuid4(), answers=told, now=utc(2026, 11, 19, 12))
    assert "Worst 1 ! urgent sign 2 – –" in both(see, anna)[1]


def test_a_course_of_which_nothing_was_said_has_no_such_rows(see, anna):
    text = both(see, anna)[1]
    assert "Worst" not in text
    assert "Hottest" not in text
