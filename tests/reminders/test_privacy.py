"""The page on which a patient chooses how much mails say, and the mail that it shows."""

import re
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import SecretLink
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import mails, planning, sample, unsubscribing
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import Cast

pytestmark = pytest.mark.django_db
PAGE = "/settings/privacy/"
NOW = datetime(2027, 1, 4, 12, tzinfo=ZoneInfo("Europe/London"))
LEVELS = ("discreet", "plain", "full")


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def anna(client: Client, cast: Cast) -> Client:
    client.force_login(cast.anna)
    return client


def mail(kind: str, level: str) -> str:
    return f"{PAGE}mail/{kind}/{level}/"


def test_at_first_mails_are_discreet_and_what_is_chosen_is_kept(anna: Client, cast: Cast) -> None:
    assert checked(anna.get(PAGE).content.decode()) == ["discreet"]
    answer = anna.post(PAGE, {"privacy": "full"}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "Saved." in answer.content.decode()
    assert checked(answer.content.decode()) == ["full"]
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.privacy == "full"
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.detail) == ("accounts.patient.changed", "privacy")


def checked(page: str) -> list[str]:
    return re.findall(r'name="privacy" value="(\w+)" checked', page)


@pytest.mark.parametrize("level", ["", "FULL", "everything", "discreet,full"])
def test_a_level_that_is_not_offered_is_refused(anna: Client, cast: Cast, level: str) -> None:
    answer = anna.post(PAGE, {"privacy": level})
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.privacy == "discreet"


def test_looking_at_another_level_changes_nothing(anna: Client, cast: Cast) -> None:
    page = anna.get(PAGE, {"kind": "booking", "privacy": "full"}).content.decode()
    assert checked(page) == ["full"]
    assert f'src="{mail("booking", "full")}"' in page
    assert '<option value="booking" selected>' in page
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.privacy == "discreet"


def test_what_is_asked_for_and_does_not_exist_is_the_first_mail_on_the_level_that_counts(anna: Client) -> None:
    page = anna.get(PAGE, {"kind": "red_flag", "privacy": "loud"}).content.decode()
    assert f'src="{mail("hour", "discreet")}"' in page


@pytest.mark.parametrize("path", [mail("hour", "loud"), mail("red_flag", "full"), mail("injection_due", "full")])
def test_only_the_mails_of_the_list_can_be_looked_at(anna: Client, path: str) -> None:
    assert anna.get(path).status_code == 404


@pytest.mark.parametrize("kind", sample.KINDS)
def test_each_level_stands_on_the_page_with_its_own_subject(anna: Client, kind: str) -> None:
    page = unescape(anna.get(PAGE, {"kind": kind}).content.decode())
    subjects = [subject_of(anna, kind, level) for level in LEVELS]
    assert re.findall(r"<b>([^<]+)</b><br>From ", page) == subjects
    assert len(set(subjects)) >= 2


def test_the_page_promises_only_what_is_so_on_each_level(anna: Client) -> None:
    """What the calendar shows is chosen on a page of its own, so nothing of it stands beside a level."""
    page = " ".join(unescape(anna.get(PAGE).content.decode()).split())
    assert "No mail says your name. The first two levels also leave out your condition and the medicine." in page
    assert page.count("Whoever sees such a mail can tell what you are treated for.") == 1
    assert "On every level" not in page
    assert "In a calendar" not in page
    assert "What your own calendar shows is chosen where its link is made." in page


def subject_of(client: Client, kind: str, level: str) -> str:
    found = re.search(r"<title>([^<]+)</title>", client.get(mail(kind, level)).content.decode())
    assert found
    return unescape(found.group(1))


def start(cast: Cast, days: int) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=cast.anna_patient.today(NOW) + timedelta(days=days), now=NOW)


OWN = {"hour": 0, "not-added": 0, "booking": 21, "not-arrived": 3, "week-before": 7}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", OWN)
def test_what_is_shown_is_the_very_mail_that_will_be_sent(cast: Cast, name: str, level: str) -> None:
    """But for its secrets, and its links lead nowhere."""
    days = OWN[name]
    start(cast, days or 1)
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, privacy=level)
    shown = sample.sample(cast.anna_patient, cast.anna, name, level, NOW)
    planning.plan(NOW)
    row = Reminder.objects.filter(kind=sample.KINDS[name]).earliest("due_at")
    sent = mails.build(row, row.due_at)
    assert shown.is_own
    assert (shown.subject, shown.sender) == (sent.subject, sent.from_email)
    assert neutral(shown.page) == neutral(str(sent.alternatives[0].content))


def neutral(page: str) -> str:
    return re.sub(r' href="[^"]+"', "", re.sub(r"/([un])/[\w-]{22}", r"/\1/TOKEN", page))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", sample.KINDS)
def test_without_a_plan_an_example_is_shown_and_says_so(cast: Cast, anna: Client, name: str, level: str) -> None:
    shown = sample.sample(cast.anna_patient, cast.anna, name, level, NOW)
    assert not shown.is_own
    assert "An example: no such mail is on its way." in anna.get(PAGE, {"kind": name}).content.decode()
    dates = {"hour": "Tuesday 5 January", "not-added": "Tuesday 5 January", "booking": "Tuesday 12 January"}
    assert dates.get(name, "January") in shown.page


def test_on_hold_the_mail_that_would_not_be_sent_is_an_example(cast: Cast) -> None:
    start(cast, 1)
    assert sample.sample(cast.anna_patient, cast.anna, "hour", "plain", NOW).is_own
    factories.alert(cast.anna_patient, cast.anna)
    assert not sample.sample(cast.anna_patient, cast.anna, "hour", "plain", NOW).is_own


def test_nothing_is_written_and_no_address_in_it_opens_anything(cast: Cast, anna: Client) -> None:
    start(cast, 1)
    events = AuditEvent.objects.count()
    for name in sample.KINDS:
        for level in LEVELS:
            page = anna.get(mail(name, level)).content.decode()
            assert "href" not in page
            tokens = re.findall(r"/[un]/([\w-]+)", page)
            assert tokens
            assert all(unsubscribing.find(token) is None for token in tokens)
    anna.get(PAGE)
    assert not SecretLink.objects.exists()
    assert not Reminder.objects.exists()
    assert AuditEvent.objects.count() == events


def test_a_level_that_is_shown_is_not_the_level_of_the_patient(cast: Cast) -> None:
    sample.sample(cast.anna_patient, cast.anna, "hour", "full", NOW)
    assert cast.anna_patient.privacy == "discreet"


@pytest.mark.parametrize("who", ["ben", "sam", "eve"])
def test_whoever_keeps_no_diary_has_no_such_page_and_no_way_to_it(client: Client, cast: Cast, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(PAGE).status_code == 404
    assert client.get(mail("hour", "full")).status_code == 404
    assert PAGE not in client.get("/settings/").content.decode()


def test_the_settings_lead_to_it(anna: Client) -> None:
    assert f'href="{PAGE}"' in anna.get("/settings/").content.decode()


def test_the_form_goes_with_its_token_only_when_it_is_saved(cast: Cast) -> None:
    """Looking at another mail puts nothing secret into an address."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.anna)
    form = client.get(PAGE).content.decode().partition('<form class="narrow-form"')[2].partition("</form>")[0]
    assert 'method="get"' in form
    (token,) = re.findall(r'<button[^>]*formmethod="post"[^>]*name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert form.count("csrfmiddlewaretoken") == 1
    assert client.post(PAGE, {"privacy": "plain"}).status_code == 403
    assert client.post(PAGE, {"privacy": "plain", "csrfmiddlewaretoken": token}).status_code == 302


def test_blood_tests_are_shown_only_to_whom_a_plan_asks_for_them(client: Client, cast: Cast) -> None:
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label")
    factories.plan(cast.anna_patient, cast.ben)
    for person, asked in ((cast.dan, False), (cast.anna, True)):
        client.force_login(person)
        page = client.get(PAGE).content.decode()
        assert ("Blood test to book" in page) is asked
        assert "Injection due" in page
