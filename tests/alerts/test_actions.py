"""Raising, answering and acknowledging: what holds reminders back, and what ends it."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from il2tracker.accounts.actions import join_clinic
from il2tracker.accounts.models import Sharing
from il2tracker.alerts import actions
from il2tracker.alerts.models import Alert, Transition
from tests import factories

pytestmark = pytest.mark.django_db


def raised(patient, tier="RED", evidence="Much less urine", **facts):
    return actions.raise_alert(
        by=patient.user,
        patient=patient,
        rule="T2",
        tier=tier,
        title="Much less urine",
        evidence=evidence,
        source="sideeffects.checkin",
        source_ref="abc",
        now=timezone.now(),
        **facts,
    )


@pytest.mark.parametrize(
    ("tier", "asked", "holds"),
    [("EMERGENCY", None, True), ("RED", False, True), ("AMBER", None, False), ("AMBER", True, True)],
)
def test_urgent_alerts_always_hold_reminders_back_and_others_when_asked(tier, asked, holds):
    alert = raised(factories.lone_patient(), tier, holds=asked)
    assert alert.holds is holds
    assert Alert.objects.holding().exists() is holds


def test_the_same_evidence_is_told_once():
    patient = factories.lone_patient()
    assert raised(patient) == raised(patient)


def test_an_entry_that_now_says_more_is_told_anew_even_after_an_acknowledgement():
    cast = factories.cast()
    first = raised(cast.anna_patient, evidence="8 million units")
    actions.acknowledge(by=cast.ben, alert=first, now=timezone.now())
    second = raised(cast.anna_patient, evidence="18 million units")
    assert second != first
    assert second.is_open


def test_a_talk_after_the_acknowledgement_lets_reminders_go_on():
    cast = factories.cast()
    alert = raised(cast.anna_patient)
    actions.acknowledge(by=cast.ben, alert=alert, now=timezone.now())
    assert Alert.objects.holding().exists(), "being seen is only the beginning"
    actions.take_step(by=cast.ben, alert=alert, what="reached", now=timezone.now())
    assert not Alert.objects.holding().exists()


def test_the_patients_answer_is_never_an_acknowledgement():
    cast = factories.cast()
    alert = actions.answer(by=cast.anna, alert=raised(cast.anna_patient), answer="called", now=timezone.now())
    assert alert.is_open
    assert Alert.objects.holding().exists()


@pytest.mark.parametrize(("answer", "is_open"), [("called", False), ("mistake", False), ("not_reached", True)])
def test_without_a_clinic_the_answer_closes_it_unless_nobody_was_reached(answer, is_open):
    patient = factories.lone_patient()
    alert = actions.answer(by=patient.user, alert=raised(patient), answer=answer, now=timezone.now())
    assert alert.is_open is is_open


def test_not_reaching_anybody_opens_a_closed_alert_again():
    patient = factories.lone_patient()
    alert = raised(patient)
    for answer in ("called", "not_reached"):
        alert = actions.answer(by=patient.user, alert=alert, answer=answer, now=timezone.now())
    assert alert.is_open


def test_whoever_prescribes_closes_what_a_clinic_had_in_hand_that_is_gone():
    cast = factories.cast()
    alert = actions.acknowledge(by=cast.ben, alert=raised(cast.anna_patient), now=timezone.now())
    Sharing.objects.filter(patient=cast.anna_patient).update(revoked_at=timezone.now())
    actions.answer(by=cast.anna, alert=alert, answer="not_reached", now=timezone.now())
    actions.close(by=cast.anna, alert=alert, now=timezone.now())
    alert.refresh_from_db()
    assert alert.closed_at is not None
    assert not Alert.objects.waiting().exists()


def test_nobody_acknowledges_his_own_alert():
    cast = factories.cast()
    join_clinic(by=cast.eve, clinic=cast.north, user=cast.anna, title="nurse")
    with pytest.raises(PermissionDenied):
        actions.acknowledge(by=cast.anna, alert=raised(cast.anna_patient), now=timezone.now())


def test_every_step_leaves_a_transition():
    cast = factories.cast()
    alert = raised(cast.anna_patient)
    actions.answer(by=cast.anna, alert=alert, answer="called", now=timezone.now())
    actions.acknowledge(by=cast.ben, alert=alert, now=timezone.now())
    steps = Transition.objects.filter(alert_ref=alert.ref).order_by("pk").values_list("what", flat=True)
    assert list(steps) == ["raised", "answered_called", "acknowledged"]
