"""Who can see a diary, ending that at once, and who looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from il2tracker.accounts import actions, looked
from il2tracker.accounts.models import Patient, Sharing
from il2tracker.audit import log
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import facts
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> factories.Cast:
    return factories.cast()


@pytest.fixture
def anna(client: Client, cast: factories.Cast) -> Client:
    client.force_login(cast.anna)
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def with_clinic(cast: factories.Cast) -> Sharing:
    return Sharing.objects.get(patient=cast.anna_patient, clinic=cast.north)


def test_the_page_names_clinics_and_people_and_what_they_may(anna: Client) -> None:
    page = text(anna.get("/settings/sharing/"))
    assert "Clinic North" in page
    assert "its team sees everything and can make your plan" in page
    assert "Sees everything and can record for you" in page


def test_a_clinic_sees_the_diary_from_the_moment_it_is_shared(anna: Client, cast: factories.Cast) -> None:
    assert not Patient.objects.visible_to(cast.carla).exists()
    answer = anna.post("/settings/sharing/", {"clinic": "clinic-south"}, follow=True)
    assert "Clinic South can see your diary now." in text(answer)
    assert list(Patient.objects.visible_to(cast.carla)) == [cast.anna_patient]


@pytest.mark.parametrize("slug", ["", "clinic-north", "clinic-nowhere"])
def test_only_a_clinic_that_does_not_see_it_yet_can_be_chosen(anna: Client, cast: factories.Cast, slug: str) -> None:
    answer = anna.post("/settings/sharing/", {"clinic": slug})
    assert answer.status_code == 422
    assert '<a href="#id_clinic">' in text(answer)
    assert cast.anna_patient.sharings.count() == 2


def test_a_clinic_whose_time_is_over_can_be_chosen_again(anna: Client, cast: factories.Cast) -> None:
    Sharing.objects.filter(pk=with_clinic(cast).pk).update(until=timezone.now() - timedelta(days=1))
    page = text(anna.post("/settings/sharing/", {"clinic": "clinic-north"}, follow=True))
    assert "Clinic North can see your diary now." in page
    assert cast.anna_patient in Patient.objects.visible_to(cast.ben)


def test_stopping_asks_first_and_changes_nothing_by_looking(anna: Client, cast: factories.Cast) -> None:
    page = text(anna.get(f"/settings/sharing/{with_clinic(cast).ref}/stop/"))
    assert "Stop sharing with Clinic North?" in page
    assert Patient.objects.visible_to(cast.ben).filter(pk=cast.anna_patient.pk).exists()


def test_stopping_ends_it_at_once_and_asks_whom_to_call_instead(anna: Client, cast: factories.Cast) -> None:
    answer = anna.post(f"/settings/sharing/{with_clinic(cast).ref}/stop/", follow=True)
    assert answer.redirect_chain[-1][0] == "/settings/details/"
    assert "No clinic&#x27;s number is shown any more. Enter whom you will call." in text(answer)
    assert not Patient.objects.visible_to(cast.ben).filter(pk=cast.anna_patient.pk).exists()


def test_stopping_one_of_two_clinics_leaves_the_others_number(anna: Client, cast: factories.Cast) -> None:
    actions.share_with_clinic(by=cast.anna, patient=cast.anna_patient, clinic=cast.south)
    answer = anna.post(f"/settings/sharing/{with_clinic(cast).ref}/stop/")
    assert answer["Location"] == "/settings/sharing/"


def test_a_carer_who_is_stopped_sees_and_records_nothing_more(anna: Client, cast: factories.Cast) -> None:
    shared = Sharing.objects.get(person=cast.sam)
    anna.post(f"/settings/sharing/{shared.ref}/stop/")
    assert not Patient.objects.visible_to(cast.sam).exists()
    assert not Patient.objects.recordable_by(cast.sam).exists()


@pytest.mark.parametrize("who", ["ben", "carla", "dan", "sam"])
def test_nobody_else_can_stop_it_or_see_the_question(client: Client, cast: factories.Cast, who: str) -> None:
    client.force_login(getattr(cast, who))
    for method in (client.get, client.post):
        assert method(f"/settings/sharing/{with_clinic(cast).ref}/stop/").status_code == 404
    assert with_clinic(cast).revoked_at is None


def test_a_sharing_that_has_ended_cannot_be_ended_again(anna: Client, cast: factories.Cast) -> None:
    shared = actions.stop_sharing(by=cast.anna, sharing=with_clinic(cast))
    assert anna.post(f"/settings/sharing/{shared.ref}/stop/").status_code == 404


# Being told when something is not recorded


def with_sam(cast: factories.Cast) -> Sharing:
    return Sharing.objects.get(patient=cast.anna_patient, person=cast.sam)


def test_nobody_is_told_by_mail_unless_the_patient_says_so(anna: Client, cast: factories.Cast) -> None:
    assert not with_sam(cast).told_if_not_recorded
    page = text(anna.get("/settings/sharing/"))
    assert "Is not told when something is not recorded." in page
    assert "neither your name nor a medicine" in page
    assert page.count("by mail when something is not recorded") == 1  # a clinic has its own list


def test_the_patient_lets_a_person_be_told_and_ends_it_again(anna: Client, cast: factories.Cast) -> None:
    path = f"/settings/sharing/{with_sam(cast).ref}/told/"
    answer = anna.post(path, {"told": "yes"}, follow=True)
    assert answer.redirect_chain == [("/settings/sharing/", 302)]
    assert "Sam is told by mail from now on." in text(answer)
    assert "Is told by mail when something is not recorded." in text(answer)
    assert facts.carers() == {cast.anna_patient.pk: [cast.sam.pk]}
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.patient_ref) == ("accounts.sharing.told", cast.anna_patient.ref)
    answer = anna.post(path, {"told": "no"}, follow=True)
    assert "Sam is not told by mail any more." in text(answer)
    assert facts.carers() == {}
    assert AuditEvent.objects.latest("pk").action == "accounts.sharing.not_told"


def test_nobody_is_told_by_a_form_that_came_without_its_answer(anna: Client, cast: factories.Cast) -> None:
    assert anna.post(f"/settings/sharing/{with_sam(cast).ref}/told/").status_code == 302
    assert not with_sam(cast).told_if_not_recorded


def test_a_clinic_is_not_told_and_looking_changes_nothing(anna: Client, cast: factories.Cast) -> None:
    assert anna.post(f"/settings/sharing/{with_clinic(cast).ref}/told/", {"told": "yes"}).status_code == 404
    assert anna.get(f"/settings/sharing/{with_sam(cast).ref}/told/").status_code == 405
    with pytest.raises(ValidationError):
        actions.tell_if_not_recorded(by=cast.anna, sharing=with_clinic(cast), told=True)
    assert not Sharing.objects.filter(told_if_not_recorded=True).exists()


@pytest.mark.parametrize("who", ["ben", "carla", "dan", "sam"])
def test_nobody_else_lets_anybody_be_told(client: Client, cast: factories.Cast, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.post(f"/settings/sharing/{with_sam(cast).ref}/told/", {"told": "yes"}).status_code == 404
    with pytest.raises(PermissionDenied):
        actions.tell_if_not_recorded(by=getattr(cast, who), sharing=with_sam(cast), told=True)
    assert not with_sam(cast).told_if_not_recorded


def test_a_permission_that_has_ended_tells_nobody_and_begins_anew_without_it(
    anna: Client, cast: factories.Cast
) -> None:
    shared = actions.tell_if_not_recorded(by=cast.anna, sharing=with_sam(cast), told=True)
    actions.stop_sharing(by=cast.anna, sharing=shared)
    assert facts.carers() == {}
    assert anna.post(f"/settings/sharing/{shared.ref}/told/", {"told": "yes"}).status_code == 404
    with pytest.raises(ValidationError):
        actions.tell_if_not_recorded(by=cast.anna, sharing=shared, told=True)
    actions.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.sam)
    assert facts.carers() == {}


def test_a_permission_that_ended_in_another_tab_is_answered_in_words(
    anna: Client, cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found open when the page asked, ended before the lock was had."""
    shared = with_sam(cast)
    real = actions.tell_if_not_recorded

    def after_the_other_tab(**facts: Any) -> Sharing:
        actions.stop_sharing(by=cast.anna, sharing=with_sam(cast))
        return real(**facts)

    monkeypatch.setattr(actions, "tell_if_not_recorded", after_the_other_tab)
    answer = anna.post(f"/settings/sharing/{shared.ref}/told/", {"told": "yes"}, follow=True)
    assert answer.redirect_chain == [("/settings/sharing/", 302)]
    assert "Only somebody who can see your diary now can be told." in text(answer)
    assert facts.carers() == {}


# Who looked


def test_who_looked_lists_the_others_and_not_oneself(anna: Client, cast: factories.Cast) -> None:
    log.record(action="clinic.patient.opened", by=cast.ben, patient=cast.anna_patient)
    log.record(action="labs.result.added", by=cast.anna, patient=cast.anna_patient)
    log.record(action="clinic.patient.opened", by=cast.carla, patient=cast.dan_patient)
    log.record(action="reminders.mail.sent", by=None, patient=cast.anna_patient)
    page = text(anna.get("/settings/looked/"))
    assert "<td>Ben</td> <td>looked at your page</td>" in page
    assert "Carla" not in page
    assert "your results" not in page
    assert "your reminders" not in page


def test_what_one_person_did_in_one_sitting_is_told_once(anna: Client, cast: factories.Cast) -> None:
    with time_machine.travel("2026-11-20 23:30Z", tick=False) as clock:
        for minutes, action in [(0, "clinic.patient.opened"), (10, "clinic.patient.opened"), (5, "labs.trend.opened")]:
            clock.shift(minutes * 60)
            log.record(action=action, by=cast.ben, patient=cast.anna_patient)
        clock.shift(3600)
        log.record(action="labs.trend.opened", by=cast.ben, patient=cast.anna_patient)
    rows, _older = looked.looks(cast.anna_patient)
    assert [(look.what, look.times) for look in rows[:3]] == [
        ("looked at your results", 1),
        ("looked at your results", 1),
        ("looked at your page", 2),
    ]
    page = text(anna.get("/settings/looked/"))
    assert "Friday 20 November 2026, 11:30pm to 11:40pm" in page
    assert 'looked at your page <span class="meta">2 times</span>' in page


def test_who_looked_pages_by_key_without_a_gap_or_a_repeat(anna: Client, cast: factories.Cast) -> None:
    for _visit in range(looked.PAGE):
        log.record(action="clinic.patient.opened", by=cast.ben, patient=cast.anna_patient)
        log.record(action="clinic.patient.opened", by=cast.sam, patient=cast.anna_patient)
    events = AuditEvent.objects.filter(patient_ref=cast.anna_patient.ref).exclude(actor_ref=cast.anna.ref).count()
    told, key = [], None
    while True:
        page, older = looked.looks(cast.anna_patient, before=key)
        told += page
        if older is None:
            break
        assert len(page) == looked.PAGE
        key = older
    assert sum(look.times for look in told) == events
    assert [look.last_at for look in told] == sorted((look.last_at for look in told), reverse=True)
    assert 'href="?before=' in text(anna.get("/settings/looked/"))
    assert "Older" not in text(anna.get(f"/settings/looked/?before={key}"))


def test_a_page_key_that_is_no_key_is_not_found(anna: Client) -> None:
    assert anna.get("/settings/looked/?before=x").status_code == 404


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("cycles.injection.logged", "changed your injections and plan"),
        ("labs.trend.opened", "looked at your results"),
        ("sideeffects.checkin.opened", "looked at how you felt"),
        ("accounts.sharing.opened", "changed your details"),
        ("clinic.patient.opened", "looked at your page"),
        ("clinic.panel.opened", "looked at the clinic’s list, with your line"),
        ("today.course.opened", "looked at your course"),
        ("alerts.alert.opened", "looked at an urgent report"),
        ("elsewhere.thing.done", "changed your page"),
    ],
)
def test_an_action_is_said_in_words(action: str, words: str) -> None:
    assert looked.in_words(action) == words
