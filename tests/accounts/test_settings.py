"""What people may change about themselves, and the first questions to somebody without a clinic."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from il2tracker.accounts import actions
from il2tracker.accounts.models import Patient, User
from tests import factories

pytestmark = pytest.mark.django_db

DETAILS = {
    "name": "Anna Marsh",
    "birth_year": "1974",
    "temperature_unit": "F",
    "companion_name": "Sam",
    "companion_phone": "07700 900123",
    "earlier_il2": "on",
    "earlier_il2_on": "2025-06-01",
    "nadir_cd4": "212",
    "nadir_on": "2011-05-01",
}
START = {"name": "Nina", "time_zone": "Europe/Berlin", "earlier_il2": "unknown"}
NUMBERS = {"team_phone": "020 7946 0018", "emergency_phone": "999"}


@pytest.fixture
def cast() -> factories.Cast:
    return factories.cast()


@pytest.fixture
def anna(client: Client, cast: factories.Cast) -> Client:
    client.force_login(cast.anna)
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_every_settings_page_asks_strangers_to_sign_in(client: Client) -> None:
    for page in ("", "start/", "details/", "display/", "sharing/", "looked/"):
        assert client.get(f"/settings/{page}")["Location"].startswith("/sign-in/")


def test_details_are_saved_and_said_so(anna: Client, cast: factories.Cast) -> None:
    answer = anna.post("/settings/details/", DETAILS)
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    patient = cast.anna_patient
    patient.refresh_from_db()
    kept = {name: str(getattr(patient, name)) for name in DETAILS}
    assert kept == DETAILS


def test_what_was_typed_stays_beside_what_is_wrong(anna: Client, cast: factories.Cast) -> None:
    answer = anna.post("/settings/details/", {**DETAILS, "birth_year": "3074", "companion_phone": "call me"})
    page = text(answer)
    assert answer.status_code == 422
    assert "<title>Error: My details" in page
    assert page.count("Enter a year between") == 2
    assert 'value="3074"' in page
    assert 'value="call me"' in page
    assert '<a href="#id_companion_phone">Their number: enter a telephone number' in page
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.birth_year == 1974


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"earlier_il2": ""}, "Say whether there was a treatment before"),
        ({"earlier_il2_on": ""}, "Enter the day of the last injection, or choose another answer."),
        ({"earlier_il2": "never"}, "There is a day here: choose “Yes”, or leave the day empty."),
        ({"earlier_il2_on": "2126-01-01"}, "This day has not come yet."),
        ({"earlier_il2_on": "0001-01-01"}, "Check the year: 1 cannot be right."),
        ({"nadir_cd4": ""}, "Enter the lowest count as well"),
        ({"nadir_cd4": "9000"}, "less than or equal to 5000"),
    ],
)
def test_what_was_before_the_diary_has_to_fit_together(anna: Client, typed: dict[str, str], words: str) -> None:
    answer = anna.post("/settings/details/", {**DETAILS, **typed})
    assert answer.status_code == 422
    assert words in text(answer)


def test_the_time_zone_is_no_detail_that_is_saved_in_passing(anna: Client, cast: factories.Cast) -> None:
    assert "time_zone" not in text(anna.get("/settings/details/"))
    anna.post("/settings/details/", {**DETAILS, "time_zone": "America/New_York"})
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.time_zone == "Europe/London"


def test_a_clinics_patient_is_not_asked_for_numbers_of_his_own(anna: Client) -> None:
    assert "team_phone" not in text(anna.get("/settings/details/"))
    anna.post("/settings/details/", {**DETAILS, **NUMBERS})
    assert Patient.objects.get(user__name="Anna").team_phone == ""


def test_without_a_clinic_both_numbers_are_mandatory(anna: Client, cast: factories.Cast) -> None:
    for sharing in cast.anna_patient.sharings.all():
        actions.stop_sharing(by=cast.anna, sharing=sharing)
    answer = anna.post("/settings/details/", {**DETAILS, "team_phone": "", "emergency_phone": " "})
    assert answer.status_code == 422
    assert text(answer).count("Enter the local emergency number.") == 2
    assert anna.post("/settings/details/", {**DETAILS, **NUMBERS}).status_code == 302
    assert "020 7946 0018" in text(anna.get("/settings/"))


def test_staff_change_their_name_only(client: Client, cast: factories.Cast) -> None:
    client.force_login(cast.ben)
    assert "time_zone" not in text(client.get("/settings/details/"))
    assert client.post("/settings/details/", {"name": ""}).status_code == 422
    client.post("/settings/details/", {"name": "Ben Okri", "is_staff": "on"})
    cast.ben.refresh_from_db()
    assert (cast.ben.name, cast.ben.is_staff) == ("Ben Okri", False)


def test_the_chosen_colours_and_clock_hold_on_every_page(anna: Client) -> None:
    assert 'data-theme="auto"' in text(anna.get("/settings/display/"))
    anna.post("/settings/display/", {"theme": "dark", "clock": "24"})
    page = text(anna.get("/settings/looked/"))
    assert 'data-theme="dark"' in page
    assert '<meta name="color-scheme" content="dark">' in page


def test_an_invented_colour_is_refused(anna: Client, cast: factories.Cast) -> None:
    answer = anna.post("/settings/display/", {"theme": "pink", "clock": "24"})
    assert answer.status_code == 422
    assert '<a href="#id_theme">' in text(answer)
    cast.anna.refresh_from_db()
    assert (cast.anna.theme, cast.anna.clock) == ("auto", "12")


def test_the_first_questions_sent_twice_at_once_make_one_diary(client: Client, monkeypatch: Any) -> None:
    nina = factories.user("Nina")
    client.force_login(nina)
    monkeypatch.setattr(User, "patient_or_none", None)  # what both requests read before either wrote
    for leads_to in ("/settings/reminders/", "/"):
        answer = client.post("/settings/start/", {**START, **NUMBERS})
        assert (answer.status_code, answer["Location"]) == (302, leads_to)
    assert Patient.objects.filter(user=nina).count() == 1


def test_a_person_without_clinic_starts_a_diary_with_the_numbers_to_call(client: Client) -> None:
    person = factories.user("Nina")
    client.force_login(person)
    assert client.get("/")["Location"] == "/settings/start/"
    answer = client.post("/settings/start/", {**START, "team_phone": ""})
    assert answer.status_code == 422
    assert "Enter the number of your care team." in text(answer)
    assert not Patient.objects.filter(user=person).exists()
    page = client.post("/settings/start/", {**START, **NUMBERS}, follow=True)
    assert "These reminders come by e-mail: leave them so, or choose." in text(page), "asked at set-up (B3)"
    patient = Patient.objects.get(user=person)
    assert (patient.time_zone, patient.team_phone, patient.emergency_phone) == ("Europe/Berlin", "020 7946 0018", "999")


@pytest.mark.parametrize("who", ["anna", "ben"])
def test_nobody_starts_a_second_diary_and_staff_none(client: Client, cast: factories.Cast, who: str) -> None:
    client.force_login(getattr(cast, who))
    answer = client.post("/settings/start/", {"name": "X", "time_zone": "UTC", **NUMBERS})
    assert answer["Location"] == "/"
    assert Patient.objects.count() == 2


def test_a_carer_finds_the_diaries_shared_with_him_until_the_sharing_ends(client: Client, cast: factories.Cast) -> None:
    client.force_login(cast.sam)
    page = text(client.get("/settings/"))
    assert "Anna’s diary" in page
    assert f'href="/people/{cast.anna_patient.code}/course/"' in page
    actions.stop_sharing(by=cast.anna, sharing=cast.sam.sharings.get())
    assert "’s diary" not in text(client.get("/settings/"))


def test_a_clinician_finds_a_diary_shared_with_him_personally_here(client: Client, cast: factories.Cast) -> None:
    actions.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.carla)
    client.force_login(cast.carla)
    assert f"/people/{cast.anna_patient.code}/course/" in text(client.get("/settings/"))
    client.force_login(cast.ben)
    assert "/course/" not in text(client.get("/settings/"))


@pytest.mark.parametrize("address", ["/diary/entry/%00/", "/settings/looked/?before=%00", "/people/%00/results/"])
def test_an_address_with_a_nul_is_not_found(client, address):
    client.force_login(factories.cast().anna)
    assert client.get(address).status_code == 404
