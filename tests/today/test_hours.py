"""The hours in which flu-like signs are often seen after an injection (2.9, D11, K11, R5, R22, R26)."""

from datetime import date, timedelta

import pytest

from cycles.models import PlannedDose
from il2tracker.accounts import actions as accounts
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 16)
OFTEN = "Often seen after an injection: until about"
R5 = (
    "Fever and shivering often start 2 to 4 hours after an injection and last about 12 hours. "
    "They can also be an infection. If you took fever medicine, a reading may be lower than your real temperature."
)


@pytest.fixture
def kidney(cast, on_course):
    """Dan injects at bedtime on weekdays; everything up to Friday evening is recorded."""
    return on_course(cast.dan_patient, cast.ben, starts_on=MONDAY, protocol="kidney-label", until=utc(2026, 11, 21))


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (utc(2026, 11, 20, 22), "2pm tomorrow"),
        (utc(2026, 11, 21, 9), "2pm"),
        (utc(2026, 11, 21, 14), "2pm"),
        (utc(2026, 11, 21, 14, 1), None),
        (utc(2026, 11, 20, 21, 59), None),
    ],
)
def test_sixteen_hours_after_an_injection_are_named_in_the_patient_s_time(cast, see, kidney, at, until):
    """K11: they begin after 2 to 4 hours and last about 12; from the moment of the injection really given."""
    text = see(cast.dan, at=at).text_read
    assert (f"{OFTEN} {until}" in text) is (until is not None)
    assert (OFTEN in text) is (until is not None)


def test_it_says_what_r5_says_with_the_plan_s_limit_and_the_number(cast, see, kidney):
    text = see(cast.dan, at=utc(2026, 11, 21, 9)).text_read
    assert R5 in text
    assert "If you feel worse or it goes over 38 °C (100.5 °F or more), call" in text
    assert "borrowed" not in text
    assert "harmless" not in text
    assert "expected" not in text.lower()


def test_on_a_hiv_plan_the_hours_are_said_to_be_borrowed(cast, see, on_course):
    """D11: the source knows only one injection a day."""
    on_course(cast.anna_patient, cast.ben)
    text = see(cast.anna).text_read
    assert f"{OFTEN} 2am tomorrow" in text
    assert "These hours are borrowed from a kidney cancer leaflet" in text
    assert R5 in see(cast.anna, "/course/").text_read


def test_two_injections_a_day_make_one_window(cast, see, on_course):
    """D11: the union over all injections."""
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 21, 23))
    strip = see(cast.anna, at=utc(2026, 11, 21, 23)).context["page"].hours
    assert strip.window.opens == utc(2026, 11, 18, 10)
    assert strip.window.closes == utc(2026, 11, 22, 14)


def test_it_follows_the_hour_really_given_not_the_planned_one(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((4, "am"),))
    dose = PlannedDose.objects.get(cycle__number=1, day=4, slot="am")
    factories.injection(cast.anna_patient, cast.anna, dose, at=utc(2026, 11, 21, 13), now=utc(2026, 11, 21, 13, 5))
    assert f"{OFTEN} 5am tomorrow" in see(cast.anna).text_read


def test_what_was_not_taken_opens_no_window(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((3, "am"), (3, "pm"), (4, "am")))
    for day, slot in ((3, "am"), (3, "pm"), (4, "am")):
        dose = PlannedDose.objects.get(cycle__number=1, day=day, slot=slot)
        facts = {"state": "skipped", "reason": "ill", "now": dose.due_at}
        factories.injection(cast.anna_patient, cast.anna, dose, **facts)
    assert OFTEN not in see(cast.anna).text_read


@pytest.mark.parametrize("path", ["/", "/course/"])
def test_it_never_stands_beside_an_open_red_flag(cast, see, on_course, path):
    """R22."""
    on_course(cast.anna_patient, cast.ben)
    factories.alert(cast.anna_patient, cast.anna)
    text = see(cast.anna, path).text_read
    assert OFTEN not in text
    assert "Fever and shivering often start" not in text


def test_the_strip_has_a_day_of_hours_with_now_and_the_injections(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    strip = see(cast.anna).context["page"].hours
    assert len(strip.cells) == 24
    assert [index for index, cell in enumerate(strip.cells) if cell.is_now] == [6]
    assert [cell.is_in for cell in strip.cells] == [True] * 11 + [False] * 13
    assert [index for index, cell in enumerate(strip.cells) if cell.has_injection] == []
    assert strip.marks == ["3pm", "9pm", "3am", "9am"]


def test_in_a_zone_of_odd_minutes_the_hours_are_those_of_the_wall(cast, see, on_course):
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="Asia/Kolkata")
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 21, 6))
    page = see(cast.anna, at=utc(2026, 11, 21, 6))  # 11:30 in Kolkata
    assert page.context["page"].hours.marks == ["5am", "11am", "5pm", "11pm"]
    assert f"{OFTEN} 2am tomorrow" in page.text_read


def test_no_hours_without_an_injection(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 18, 9))
    assert OFTEN not in see(cast.anna, at=utc(2026, 11, 18, 9) + timedelta(minutes=5)).text_read
