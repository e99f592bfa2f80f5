"""What a clinician expects of one patient: who may say it, for how long, and what it changes."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from il2tracker.alerts.models import Alert
from il2tracker.audit.models import AuditEvent
from sideeffects.expectation_actions import LONGEST, end_expectation, expect, may_be_expected
from sideeffects.models import Expectation, Symptom
from tests import factories
from tests.factories import utc
from tests.sideeffects.test_reading import save

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 12)
TODAY = date(2026, 11, 21)


@pytest.fixture
def cast():
    with time_machine.travel(NOW, tick=False):
        cast = factories.cast()
        factories.plan(cast.anna_patient, cast.ben, starts_on=TODAY - timedelta(days=20))
        factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=TODAY - timedelta(days=20))
        yield cast


def symptom(code):
    return Symptom.objects.get(code=code)


def say(cast, code="dizzy", worst=1, until=TODAY, now=NOW, by=None, patient=None, **facts):
    return expect(
        by=by or cast.ben,
        patient=patient or cast.anna_patient,
        symptom=symptom(code),
        worst=worst,
        until=until,
        now=now,
        **facts,
    )


def rules(check_in):
    return [alert.rule for alert in check_in.alerts.order_by("rule")]


# What it changes


def test_what_is_expected_raises_nothing_until_its_day_is_over(cast):
    say(cast, until=TODAY + timedelta(days=1))
    assert rules(save(cast.anna, cast.anna_patient, severities={"dizzy": 1})) == []
    assert rules(save(cast.anna, cast.anna_patient, NOW + timedelta(days=1), severities={"dizzy": 1})) == []
    assert rules(save(cast.anna, cast.anna_patient, NOW + timedelta(days=2), severities={"dizzy": 1})) == ["T15"]


def test_nothing_is_expected_of_hours_before_it_was_said(cast):
    say(cast)
    hour = timedelta(hours=1)
    assert rules(save(cast.anna, cast.anna_patient, NOW - hour, severities={"dizzy": 1})) == ["T15"]
    assert rules(save(cast.anna, cast.anna_patient, NOW + hour, severities={"dizzy": 1})) == []


def test_worse_than_expected_is_told(cast):
    say(cast)
    assert rules(save(cast.anna, cast.anna_patient, severities={"dizzy": 2})) == ["T15"]
    assert rules(save(cast.anna, cast.anna_patient, severities={"dizzy": 3})) == ["T13"]


def test_a_red_flag_beside_what_is_expected_is_told_all_the_same(cast):
    say(cast)
    check_in = save(cast.anna, cast.anna_patient, severities={"dizzy": 1}, flags=frozenset({"fainted"}))
    assert rules(check_in) == ["T7"]


def test_it_is_about_one_patient(cast):
    say(cast)
    assert rules(save(cast.dan, cast.dan_patient, severities={"dizzy": 1})) == ["T15"]


def test_after_its_end_the_symptom_is_told_again(cast):
    row = say(cast, until=TODAY + timedelta(days=9))
    end_expectation(by=cast.ben, expectation=row, now=NOW)
    assert rules(save(cast.anna, cast.anna_patient, severities={"dizzy": 1})) == ["T15"]


def test_an_alert_that_was_raised_before_stays_open(cast):
    (alert,) = save(cast.anna, cast.anna_patient, severities={"dizzy": 1}).alerts.all()
    say(cast)
    assert Alert.objects.open().get() == alert


# Who, what and how long


@pytest.mark.parametrize("who", ["anna", "sam", "carla", "eve", "dan"])
def test_only_members_of_the_clinic_say_and_end_it(cast, who):
    person = getattr(cast, who)
    with pytest.raises(PermissionDenied):
        say(cast, by=person)
    row = say(cast)
    with pytest.raises(PermissionDenied):
        end_expectation(by=person, expectation=row, now=NOW)


@pytest.mark.parametrize(("days", "allowed"), [(-1, False), (0, True), (LONGEST.days, True), (LONGEST.days + 1, False)])
def test_it_holds_from_today_to_a_month_from_now(cast, days, allowed):
    if allowed:
        assert say(cast, until=TODAY + timedelta(days=days)).pk
        return
    with pytest.raises(ValidationError):
        say(cast, until=TODAY + timedelta(days=days))


@pytest.mark.parametrize("code", ["breathless", "low_mood", "cough", "rash", "nausea"])
def test_what_no_amber_rule_speaks_of_cannot_be_expected(cast, code):
    with pytest.raises(ValidationError):
        say(cast, code)


def test_flu_like_signs_cannot_be_expected_on_a_kidney_plan(cast):
    known = {one.code for one in may_be_expected(cast.dan_patient, TODAY)}
    assert "aches" not in known
    assert "aches" in {one.code for one in may_be_expected(cast.anna_patient, TODAY)}
    with pytest.raises(ValidationError):
        say(cast, "aches", patient=cast.dan_patient)


@pytest.mark.parametrize("worst", [0, 3])
def test_nothing_severe_and_nothing_absent_is_expected(cast, worst):
    with pytest.raises(ValidationError):
        say(cast, worst=worst)
    standing = {"patient": cast.anna_patient, "symptom": symptom("dizzy"), "until": TODAY, "set_at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        Expectation.objects.create(worst=worst, **standing)


# Saying it twice


def test_the_same_again_is_one_row_and_other_words_replace_it(cast):
    first = say(cast)
    assert say(cast, now=NOW + timedelta(hours=1)) == first
    second = say(cast, worst=2, now=NOW + timedelta(hours=2), note="New tablets.")
    first.refresh_from_db()
    assert (first.ended_by, first.ended_at) == (cast.ben, NOW + timedelta(hours=2))
    assert list(Expectation.objects.on(TODAY)) == [second]


def test_one_that_ran_out_gives_way_to_a_new_one(cast):
    say(cast)
    later = say(cast, now=NOW + timedelta(days=3), until=TODAY + timedelta(days=5))
    assert list(Expectation.objects.on(TODAY + timedelta(days=3))) == [later]


def test_the_first_end_stands(cast):
    row = say(cast)
    end_expectation(by=cast.ben, expectation=row, now=NOW)
    end_expectation(by=cast.ben, expectation=row, now=NOW + timedelta(hours=1))
    row.refresh_from_db()
    assert row.ended_at == NOW
    assert AuditEvent.objects.filter(action="sideeffects.expectation.ended").count() == 1


# The page


@pytest.fixture
def ben(client, cast):
    client.force_login(cast.ben)
    return client


def path(cast):
    return reverse("sideeffects:expected", args=[cast.anna_patient.code])


ANSWERS = {"symptom": "dizzy", "worst": "2", "until": "2026-11-28", "note": "New tablets."}


def test_a_nurse_says_and_ends_it_on_the_page(ben, cast):
    shown = ben.post(path(cast), ANSWERS, follow=True).content.decode()
    assert "Dizzy is expected until Saturday 28 November 2026. The patient can read it." in shown
    assert "Dizzy, up to moderate, until Saturday 28 November 2026" in shown
    end = reverse("sideeffects:end_expected", args=[Expectation.objects.get().ref])
    shown = ben.post(end, follow=True).content.decode()
    assert "Dizzy is no longer expected: every rule speaks of it again." in shown
    assert "Nothing. Every rule speaks as it stands." in shown
    assert "ended by Ben" in shown


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("symptom", "", "Choose the symptom."),
        ("symptom", "breathless", "Select a valid choice"),
        ("worst", "", "Choose how bad it may be."),
        ("worst", "3", "Select a valid choice"),
        ("until", "", "Enter the last day."),
        ("until", "soon", "Enter the last day as a date."),
        ("until", "2026-11-20", "Choose a day from today to Tuesday 22 December 2026."),
        ("until", "2026-12-23", "Choose a day from today to Tuesday 22 December 2026."),
    ],
)
def test_what_is_not_right_is_said_beside_its_box_and_nothing_is_lost(ben, cast, field, value, words):
    answer = ben.post(path(cast), ANSWERS | {field: value})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert words in shown
    assert "New tablets." in shown
    assert not Expectation.objects.exists()
