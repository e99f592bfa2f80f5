"""What the patient and the clinic read about the mails to the clinic: only what is known (H16, R15)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from il2tracker.alerts import actions, told
from il2tracker.alerts.models import Alert, Transition
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import Cast, utc

pytestmark = pytest.mark.django_db
RAISED = utc(2026, 11, 21, 21, 40)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def alert(cast: Cast) -> Alert:
    return raised(cast)


def raised(cast: Cast, tier: str = "RED", now: Any = RAISED) -> Alert:
    facts = {"title": "Much less urine", "evidence": "", "source": "sideeffects.checkin", "source_ref": "chk1234567"}
    return actions.raise_alert(by=cast.anna, patient=cast.anna_patient, rule=f"T-{tier}", tier=tier, now=now, **facts)


def to_patient(*alerts: Alert, minutes: int = 5, has_clinic: bool = True, phone: str = "") -> str:
    now = RAISED + minutes * MINUTE
    return told.to_patient(alerts, alerts[0].patient, now, "12", has_clinic=has_clinic, phone=phone)


# The machine's own words


def test_the_first_mail_is_noted_once(alert: Alert) -> None:
    actions.notified(alert=alert, at=RAISED + MINUTE)
    actions.notified(alert=alert, at=RAISED + 9 * MINUTE)
    alert.refresh_from_db()
    assert alert.notified_at == RAISED + MINUTE
    assert Transition.objects.filter(alert_ref=alert.ref, what="notified", by_ref="").count() == 1
    assert AuditEvent.objects.filter(action="alerts.notified", actor_ref="", subject_ref=alert.ref).count() == 1


def test_that_nobody_was_reached_is_noted_once(alert: Alert) -> None:
    for minutes in (60, 90):
        actions.nobody_reached(alert=alert, now=RAISED + minutes * MINUTE)
    alert.refresh_from_db()
    assert alert.nobody_reached_at == RAISED + 60 * MINUTE
    assert alert.is_open, "it still waits for a person"
    assert Transition.objects.filter(alert_ref=alert.ref, what="nobody_reached").count() == 1


def test_an_acknowledgement_that_came_first_stands(cast: Cast, alert: Alert) -> None:
    stale = Alert.objects.get(pk=alert.pk)
    actions.acknowledge(by=cast.ben, alert=alert, now=RAISED + MINUTE)
    actions.nobody_reached(alert=stale, now=RAISED + 60 * MINUTE)
    alert.refresh_from_db()
    assert alert.nobody_reached_at is None


# The patient


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(3, "Your clinic is being told by mail."), (4, "No mail to your clinic has left yet. Call now.")],
)
def test_a_mail_that_does_not_leave_is_not_called_on_its_way_for_long(alert: Alert, minutes: int, words: str) -> None:
    assert to_patient(alert, minutes=minutes) == words


def test_a_mail_that_left_is_said_with_its_time_and_that_nobody_answered(alert: Alert) -> None:
    actions.notified(alert=alert, at=RAISED + MINUTE)
    assert to_patient(alert, minutes=40) == "A mail to your clinic left at 9:41pm. Nobody has answered it yet."


def test_when_nobody_was_reached_it_asks_to_call_with_the_number(alert: Alert) -> None:
    actions.notified(alert=alert, at=RAISED + MINUTE)
    actions.nobody_reached(alert=alert, now=RAISED + 30 * MINUTE)
    words = "A mail to your clinic left at 9:41pm. Nobody has answered it. Call now"
    assert to_patient(alert, phone="020 7946 0019") == f"{words}: 020 7946 0019."
    assert to_patient(alert) == f"{words}."


def test_when_nobody_could_be_told_it_asks_to_call(alert: Alert) -> None:
    actions.nobody_reached(alert=alert, now=RAISED + MINUTE)
    assert to_patient(alert, minutes=2) == "No mail about it could be delivered to your clinic. Call now."


def test_in_an_emergency_the_teams_number_is_not_put_first(cast: Cast) -> None:
    alert = actions.nobody_reached(alert=raised(cast, "EMERGENCY"), now=RAISED + MINUTE)
    assert to_patient(alert, phone="020 7946 0019").endswith("Call now.")


def test_who_has_called_is_asked_to_call_again_only_if_it_gets_worse(cast: Cast, alert: Alert) -> None:
    alert = actions.answer(by=cast.anna, alert=alert, answer="called", now=RAISED + MINUTE)
    assert to_patient(alert) == "No mail to your clinic has left yet. Call again if it gets worse."


def test_of_several_the_one_that_is_worst_off_is_said(cast: Cast, alert: Alert) -> None:
    actions.notified(alert=alert, at=RAISED + MINUTE)
    other = raised(cast, "EMERGENCY")
    assert to_patient(alert, other, minutes=1) == "Your clinic is being told by mail."
    actions.notified(alert=other, at=RAISED + MINUTE)
    actions.nobody_reached(alert=alert, now=RAISED + 30 * MINUTE)
    assert "Nobody has answered it. Call now." in to_patient(other, alert)


def test_nothing_is_said_without_a_clinic_or_when_all_is_seen_or_only_amber(cast: Cast, alert: Alert) -> None:
    assert to_patient(alert, has_clinic=False) == ""
    assert to_patient(raised(cast, "AMBER")) == ""
    assert to_patient(actions.acknowledge(by=cast.ben, alert=alert, now=RAISED)) == ""


# The clinic


def test_the_clinic_reads_what_became_of_the_mails(cast: Cast, alert: Alert) -> None:
    def words() -> str:
        return told.to_clinic(alert, cast.anna_patient, "24")

    assert words() == ""
    alert.nobody_reached_at = RAISED
    assert words() == "No mail about it could be delivered."
    alert.notified_at = RAISED
    assert words() == "A mail left at 21:40; nobody has answered it."
    alert.nobody_reached_at = None
    assert words() == "A mail left at 21:40."


# On the pages


def page(client: Client, user: Any, url: str) -> str:
    client.force_login(user)
    return " ".join(client.get(url).content.decode().split())


@pytest.mark.parametrize("reached", [True, False])
def test_the_pages_of_patient_and_clinic_say_it(cast: Cast, client: Client, reached: bool) -> None:
    alert = raised(cast, now=timezone.now() - 50 * MINUTE)
    actions.notified(alert=alert, at=timezone.now() - 49 * MINUTE)
    if not reached:
        actions.nobody_reached(alert=alert, now=timezone.now())
    today = page(client, cast.anna, reverse("today:home"))
    assert ("Nobody has answered it yet." in today) is reached
    assert ("Nobody has answered it. Call now." in today) is not reached
    acknowledge = reverse("alerts:acknowledge", args=[alert.ref])
    for url in (reverse("clinic:panel"), reverse("clinic:patient", args=[cast.anna_patient.code]), acknowledge):
        said = page(client, cast.ben, url)
        assert "A mail left at " in said
        assert ("nobody has answered it." in said) is not reached
