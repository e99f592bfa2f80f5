"""The page of switches, and the page behind the address at the foot of every mail."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from il2tracker.accounts.models import SecretLink
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import facts, kinds, unsubscribing
from il2tracker.reminders.models import Preference
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox

pytestmark = pytest.mark.django_db
PAGE = "/settings/reminders/"
ALL_ON = dict.fromkeys(kinds.SWITCHES, "on")


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def anna(client: Client, cast: Cast) -> Client:
    client.force_login(cast.anna)
    return client


def test_at_first_everything_is_on_15_minutes_before(anna: Client) -> None:
    page = anna.get(PAGE).content.decode()
    assert page.count("checked") == len(kinds.SWITCHES)
    assert '<option value="15" selected>15 minutes before</option>' in page


def test_what_is_chosen_is_kept_and_shown(anna: Client, cast: Cast) -> None:
    answer = anna.post(PAGE, {**ALL_ON, "lead_minutes": "60", "cycle_week": ""}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "Your reminders are saved." in page
    assert page.count("checked") == len(kinds.SWITCHES) - 1
    assert '<option value="60" selected>' in page
    choices = facts.choices(cast.anna.pk)
    assert choices.off == {(cast.anna.pk, "cycle_week")}
    assert choices.leads == {cast.anna.pk: 60}
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.patient_ref) == ("reminders.preferences.chosen", cast.anna_patient.ref)


def test_another_persons_switches_are_left_alone(anna: Client, cast: Cast) -> None:
    anna.post(PAGE, {"lead_minutes": "15"})
    assert facts.choices(cast.dan.pk).off == frozenset()


@pytest.mark.parametrize("lead", ["", "7", "-15", "soon", "15.0"])
def test_a_lead_that_is_not_offered_is_refused_and_the_switches_kept(anna: Client, lead: str) -> None:
    answer = anna.post(PAGE, {"cycle_day": "on", "lead_minutes": lead})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert page.count("checked") == 1
    assert not Preference.objects.exists()


def test_what_could_not_be_delivered_is_told_to_the_person_it_was_for(anna: Client, cast: Cast) -> None:
    outbox.row(cast.dan_patient, state="dead")
    outbox.row(cast.anna_patient, state="dead", due_at=timezone.now() - timedelta(days=31))
    for page in (PAGE, "/"):
        assert "could not be delivered" not in anna.get(page).content.decode().lower()
    for state, words in (("dead", "refused by the mail server"), ("expired", "too late to send")):
        row = outbox.row(cast.anna_patient, state=state)
        assert words in anna.get(PAGE).content.decode()
        assert "A mail to you could not be delivered." in anna.get("/").content.decode()
        row.delete()


def test_what_comes_is_listed_also_what_only_the_mail_is_off_for(anna: Client, cast: Cast) -> None:
    assert "No reminder is due in the next three days." in anna.get(PAGE).content.decode()
    outbox.row(cast.anna_patient)
    outbox.row(cast.anna_patient, state="cancelled", cancel_reason="held")
    outbox.row(cast.dan_patient)
    page = anna.get(PAGE).content.decode()
    assert page.count("<li><span>One week before a course") == 1
    assert "you switched it off" not in page
    outbox.row(cast.anna_patient, state="cancelled", cancel_reason="turned_off")
    assert "you switched it off" in anna.get(PAGE).content.decode()


def test_who_keeps_no_diary_has_no_such_page(client: Client, cast: Cast) -> None:
    client.force_login(cast.ben)
    assert client.get(PAGE).status_code == 404
    client.logout()
    assert client.get(PAGE)["Location"].startswith("/sign-in/")


# The address in the mail


def address(cast: Cast, kind: str = "injection_due") -> str:
    return "/" + unsubscribing.link(cast.anna, kind).split("/", 3)[3]


def test_the_address_is_permanent_per_person_and_kind_and_only_its_hash_is_kept(cast: Cast) -> None:
    first, second = address(cast), address(cast)
    assert first == second
    assert len({first, address(cast, "cycle_day"), address(cast, "injection_missing")}) == 3
    token = first.removeprefix("/u/")
    assert len(token) == 22
    assert SecretLink.objects.filter(subject="injection_due").count() == 1
    assert token not in str(list(SecretLink.objects.values()))


def test_a_pause_is_stopped_with_the_reminders_it_stands_for(cast: Cast) -> None:
    assert address(cast, "paused") == address(cast, "injection_due")


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client: Client, cast: Cast, method: str) -> None:
    for _ in range(2):
        assert getattr(client, method)(address(cast)).status_code == 200
    assert not Preference.objects.exists()


def test_one_click_without_sign_in_cookie_or_page_stops_that_kind_at_once(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(address(cast), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not answer.cookies
    assert facts.choices(cast.anna.pk).off == {(cast.anna.pk, "injection_due")}
    assert AuditEvent.objects.latest("pk").action == "reminders.preference.off_by_link"
    assert strict.post(address(cast)).status_code == 200
    assert Preference.objects.count() == 1


def test_stopping_keeps_the_lead_for_later(anna: Client, cast: Cast) -> None:
    anna.post(PAGE, {**ALL_ON, "lead_minutes": "60"})
    anna.post(address(cast))
    assert Preference.objects.get(kind="injection_due").lead_minutes == 60


def test_the_page_says_nothing_about_anybody(client: Client, cast: Cast) -> None:
    from tests.reminders.test_mails import leaks

    for answer in (client.get(address(cast)), client.post(address(cast))):
        page = answer.content.decode()
        main = page[page.index("<main") : page.index("</main>")]
        assert "a time of day" in main
        assert leaks(main.encode()) == []
        assert "anna" not in page.lower()
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page


@pytest.mark.parametrize("token", ["x", "A" * 22, "A" * 500])
def test_an_address_we_never_gave_is_not_there(client: Client, cast: Cast, token: str) -> None:
    assert client.get(f"/u/{token}").status_code == 404
    assert client.post(f"/u/{token}").status_code == 404


def test_a_revoked_address_is_not_there(client: Client, cast: Cast) -> None:
    path = address(cast)
    SecretLink.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert client.post(path).status_code == 404
