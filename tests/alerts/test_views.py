"""The clinic acknowledges, the patient answers."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from il2tracker import ui
from il2tracker.alerts.actions import acknowledge, raise_alert
from il2tracker.alerts.actions import answer as answer_of
from il2tracker.alerts.models import Alert, Transition
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return factories.cast()


def alert_of(cast, rule="T2", patient=None, by=None, title="Much less urine", now=None):
    return raise_alert(
        by=by or cast.anna,
        patient=patient or cast.anna_patient,
        rule=rule,
        tier="RED",
        title=title,
        evidence="Reported: much less urine.",
        source="sideeffects.checkin",
        source_ref="abcdefghjk",
        now=now or timezone.now(),
    )


def path(name, alert):
    return reverse(f"alerts:{name}", args=[alert.ref])


def messages_of(response):
    return [str(message) for message in response.wsgi_request._messages]


def test_a_nurse_acknowledges_with_a_note_and_is_back_on_the_patients_page(cast, client):
    alert = alert_of(cast)
    client.force_login(cast.ben)
    response = client.post(path("acknowledge", alert), {"note": "Called her, coming in."})
    assert response.headers["Location"] == reverse("clinic:patient", args=[cast.anna_patient.code])
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.note) == (cast.ben, "Called her, coming in.")
    assert alert.acknowledged_at is not None
    assert messages_of(response)[0].startswith("You acknowledged “Much less urine”")
    assert [row.what for row in Transition.objects.filter(alert_ref=alert.ref)] == ["raised", "acknowledged"]


@pytest.mark.parametrize("page", ["clinic:panel", "clinic:patient", "clinic:alert", "alerts:acknowledge"])
def test_what_the_patient_wrote_after_the_page_was_opened_is_read_before_it_is_acknowledged(cast, client, page):
    alert = alert_of(cast)
    client.force_login(cast.ben)
    where = {"clinic:panel": [], "clinic:patient": [cast.anna_patient.code]}.get(page, [alert.ref])
    assert 'name="read" value=""' in client.get(reverse(page, args=where)).content.decode()
    answer_of(by=cast.anna, alert=alert, answer="not_reached", now=timezone.now())
    refused = client.post(path("acknowledge", alert), {"note": "I ring her.", "read": ""})
    body = refused.content.decode()
    assert refused.status_code == 422
    assert "The patient wrote meanwhile. It is not acknowledged yet: read it first." in body
    assert "“I cannot reach them”" in body
    assert "I ring her." in body
    mark = html.unescape(re.findall(r'name="read" value="([^"]+)"', body)[-1])
    client.post(path("acknowledge", alert), {"note": "I ring her.", "read": mark})
    alert.refresh_from_db()
    assert alert.acknowledged_by == cast.ben


def test_a_later_urgent_report_stands_beside_the_refusal_with_its_page(cast, client):
    alert = alert_of(cast)
    later = alert_of(cast, rule="T3", title="Short of breath", now=alert.raised_at + timedelta(minutes=3))
    client.force_login(cast.ben)
    refused = client.post(path("acknowledge", alert), {"note": "I ring her.", "read": ""})
    body = refused.content.decode()
    assert refused.status_code == 422
    at = ui.in_zone(later.raised_at, later.patient)
    page = reverse("clinic:alert", args=[later.ref])
    assert f'{ui.short_day(at)} {ui.clock(at, cast.ben)}: <a href="{page}">Short of breath</a>' in body
    assert "Reported later" not in client.get(path("acknowledge", later)).content.decode()


def test_a_note_may_be_left_out(cast, client):
    alert = alert_of(cast)
    client.force_login(cast.ben)
    client.post(path("acknowledge", alert))
    assert not Alert.objects.open().exists()


def test_a_second_acknowledgement_shows_the_first_and_changes_nothing(cast, client):
    alert = alert_of(cast)
    acknowledge(by=cast.ben, alert=alert, note="mine", now=timezone.now() - timedelta(minutes=5))
    first = Alert.objects.get()
    nina = factories.user("Nina")
    factories.accounts.join_clinic(by=None, clinic=cast.north, user=nina, title="nurse")
    client.force_login(nina)
    response = client.post(path("acknowledge", alert), {"note": "other"})
    assert "was acknowledged already, by Ben" in messages_of(response)[0]
    again = Alert.objects.get()
    assert (again.note, again.acknowledged_by, again.acknowledged_at) == ("mine", cast.ben, first.acknowledged_at)
    page = client.get(path("acknowledge", alert)).content.decode()
    assert "Acknowledged by Ben" in page
    assert "<textarea" not in page


def test_looking_at_the_form_acknowledges_nothing(cast, client):
    alert = alert_of(cast)
    client.force_login(cast.ben)
    page = client.get(path("acknowledge", alert)).content.decode()
    assert "not acknowledged" in page
    assert "rule T2" in page
    assert "Anna, born 1974" in page
    assert Alert.objects.open().count() == 1


def test_a_note_that_is_too_long_is_kept_and_nothing_is_acknowledged(cast, client):
    alert = alert_of(cast)
    client.force_login(cast.ben)
    response = client.post(path("acknowledge", alert), {"note": "x" * 1001})
    assert response.status_code == 422
    assert "Keep the note under 1,000 characters." in response.content.decode()
    assert "x" * 1001 in response.content.decode()
    assert Alert.objects.open().count() == 1


@pytest.mark.parametrize(
    ("who", "acknowledges", "answers"),
    [
        ("anna", 403, 302),
        ("sam", 403, 302),
        ("ben", 302, 403),
        ("carla", 404, 404),
        ("dan", 404, 404),
        ("eve", 404, 404),
    ],
)
def test_only_the_clinic_acknowledges_and_only_who_records_answers(cast, client, who, acknowledges, answers):
    alert = alert_of(cast)
    client.force_login(getattr(cast, who))
    assert client.post(path("answer", alert), {"answer": "called"}).status_code == answers
    assert client.post(path("acknowledge", alert)).status_code == acknowledges


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("called", "Noted: you have called."),
        ("not_reached", "If you cannot get through, call 999. Your report is at the top of your clinic’s list."),
        ("mistake", "The report stays, so that your clinic can check with you."),
    ],
)
def test_an_answer_is_kept_and_never_acknowledges(cast, client, answer, said):
    alert, other = alert_of(cast), alert_of(cast, "T3")
    client.force_login(cast.anna)
    response = client.post(path("answer", alert), {"answer": answer, "also": [other.ref], "next": "/check-in/x/now/"})
    assert response.headers["Location"] == "/check-in/x/now/"
    assert said in messages_of(response)[0]
    assert {row.patient_answer for row in Alert.objects.all()} == {answer}
    assert Alert.objects.open().count() == 2


def test_without_a_clinic_saying_that_one_has_called_closes_it(cast, client):
    patient = factories.lone_patient()
    alert = alert_of(cast, patient=patient, by=patient.user)
    client.force_login(patient.user)
    client.post(path("answer", alert), {"answer": "not_reached"})
    assert Alert.objects.open().count() == 1
    client.post(path("answer", alert), {"answer": "called"})
    assert Alert.objects.open().count() == 0


def test_without_a_clinic_nobody_is_said_to_check(cast, client):
    patient = factories.lone_patient()
    client.force_login(patient.user)
    alert = alert_of(cast, patient=patient, by=patient.user)
    response = client.post(path("answer", alert), {"answer": "mistake"})
    assert messages_of(response) == ["Noted: ticked by mistake. The report stays in your diary."]


def test_references_that_are_none_are_passed_over(cast, client):
    alert = alert_of(cast)
    client.force_login(cast.anna)
    client.post(path("answer", alert), {"answer": "mistake", "also": ["\0", "x" * 500]})
    alert.refresh_from_db()
    assert alert.patient_answer == "mistake"


def test_an_answer_reaches_no_alert_of_another_patient(cast, client):
    alert, dans = alert_of(cast), alert_of(cast, patient=cast.dan_patient, by=cast.dan)
    client.force_login(cast.anna)
    client.post(path("answer", alert), {"answer": "mistake", "also": [dans.ref]})
    dans.refresh_from_db()
    assert dans.patient_answer == ""


def test_an_unknown_answer_is_asked_for_again(cast, client):
    alert = alert_of(cast)
    client.force_login(cast.anna)
    response = client.post(path("answer", alert), {"answer": "perhaps"})
    assert response.status_code == 422
    assert "Choose what happened." in response.content.decode()


def test_nobody_is_sent_to_another_site(cast, client):
    client.force_login(cast.anna)
    response = client.post(path("answer", alert_of(cast)), {"answer": "called", "next": "https://elsewhere.example/"})
    assert response.headers["Location"] == "/"


def test_an_answer_is_never_taken_by_a_link(cast, client):
    client.force_login(cast.anna)
    assert client.get(path("answer", alert_of(cast)), {"answer": "called"}).status_code == 405
