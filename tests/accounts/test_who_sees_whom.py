"""Access rules: whose record a person may see, write and prescribe for; whom a patient calls."""

from datetime import time, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from il2tracker.accounts import access, actions
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return factories.cast()


def sees(user: User, patient: Patient) -> bool:
    return Patient.objects.visible_to(user).filter(pk=patient.pk).exists()


@pytest.mark.parametrize(
    ("name", "anna", "dan"),
    [
        ("anna", True, False),
        ("ben", True, True),
        ("carla", False, False),
        ("dan", False, True),
        ("eve", False, False),
        ("sam", True, False),
    ],
)
def test_each_person_sees_only_the_records_that_are_shared(cast, name, anna, dan):
    user = getattr(cast, name)
    assert (sees(user, cast.anna_patient), sees(user, cast.dan_patient)) == (anna, dan)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("anna", True), ("sam", True), ("ben", False), ("carla", False), ("dan", False), ("eve", False)],
)
def test_only_the_patient_and_a_granted_carer_write_the_diary(cast, name, allowed):
    assert access.may_record(getattr(cast, name), cast.anna_patient) is allowed


@pytest.mark.parametrize(
    ("name", "allowed"), [("ben", True), ("anna", False), ("sam", False), ("carla", False), ("eve", False)]
)
def test_only_the_clinic_prescribes_for_a_patient_who_has_one(cast, name, allowed):
    assert access.may_prescribe(getattr(cast, name), cast.anna_patient) is allowed


def test_a_patient_without_a_clinic_may_enter_a_plan_alone():
    patient = factories.lone_patient()
    access.require_prescribing(patient.user, patient)


def test_requiring_what_is_not_allowed_raises_permission_denied(cast):
    with pytest.raises(PermissionDenied):
        access.require_recording(cast.ben, cast.anna_patient)
    with pytest.raises(PermissionDenied):
        access.require_prescribing(cast.anna, cast.anna_patient)


def test_another_clinics_patient_is_not_found_rather_than_forbidden(cast):
    with pytest.raises(Http404):
        access.patient_or_404(cast.carla, cast.anna_patient.code)


def test_a_code_is_found_in_small_letters_too(cast):
    assert access.patient_or_404(cast.ben, cast.anna_patient.code.lower()) == cast.anna_patient


def test_a_person_without_a_record_of_his_own_is_not_found(cast):
    with pytest.raises(Http404):
        access.patient_or_404(cast.ben)


def test_ending_a_sharing_takes_effect_at_once(cast):
    sharing = Sharing.objects.get(patient=cast.anna_patient, clinic=cast.north)
    actions.stop_sharing(by=cast.anna, sharing=sharing)
    assert not sees(cast.ben, cast.anna_patient)
    assert sees(cast.ben, cast.dan_patient)


def test_only_the_patient_ends_a_sharing(cast):
    sharing = Sharing.objects.get(patient=cast.anna_patient, clinic=cast.north)
    with pytest.raises(PermissionDenied):
        actions.stop_sharing(by=cast.ben, sharing=sharing)
    assert sees(cast.ben, cast.anna_patient)


def test_a_sharing_past_its_end_counts_no_more(cast):
    Sharing.objects.filter(person=cast.sam).update(until=timezone.now() - timedelta(seconds=1))
    assert not sees(cast.sam, cast.anna_patient)
    assert not access.may_record(cast.sam, cast.anna_patient)


def test_a_deactivated_person_sees_nothing(cast):
    cast.ben.is_active = False
    assert not sees(cast.ben, cast.anna_patient)


def test_a_sharing_past_its_end_is_replaced_by_a_new_one(cast):
    Sharing.objects.filter(patient=cast.anna_patient).update(until=timezone.now() - timedelta(seconds=1))
    actions.share_with_clinic(by=cast.anna, patient=cast.anna_patient, clinic=cast.north)
    actions.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.sam, may_record=True)
    assert sees(cast.ben, cast.anna_patient)
    assert access.may_record(cast.sam, cast.anna_patient)
    assert cast.anna_patient.sharings.filter(revoked_at=None).count() == 2
    assert cast.anna_patient.sharings.count() == 4


def test_sharing_twice_keeps_one_open_sharing(cast):
    actions.share_with_clinic(by=cast.anna, patient=cast.anna_patient, clinic=cast.north)
    assert Sharing.objects.filter(patient=cast.anna_patient, clinic=cast.north).count() == 1


def test_after_a_revoked_sharing_a_new_one_may_be_opened(cast):
    old = Sharing.objects.get(patient=cast.anna_patient, clinic=cast.north)
    actions.stop_sharing(by=cast.anna, sharing=old)
    new = actions.share_with_clinic(by=cast.anna, patient=cast.anna_patient, clinic=cast.north)
    assert new.pk != old.pk
    assert sees(cast.ben, cast.anna_patient)


def test_the_database_refuses_a_sharing_with_nobody(cast):
    with pytest.raises(IntegrityError), transaction.atomic():
        Sharing.objects.create(patient=cast.anna_patient)


def test_an_address_signs_in_one_person_whatever_its_capitals(cast):
    with pytest.raises(ValidationError, match="already signs in"):
        actions.create_user(by=None, email="ANNA@example.org", name="Another Anna")


@pytest.mark.parametrize(
    ("moment", "phone", "words"),
    [
        (factories.utc(2026, 11, 20, 7, 59), "020 7946 0019", "out of hours"),
        (factories.utc(2026, 11, 20, 8, 0), "020 7946 0018", "until 6pm (18:00) today"),
        (factories.utc(2026, 11, 20, 17, 59), "020 7946 0018", "until 6pm (18:00) today"),
        (factories.utc(2026, 11, 20, 18, 0), "020 7946 0019", "out of hours"),
        (factories.utc(2026, 11, 21, 12, 0), "020 7946 0019", "out of hours"),
        (factories.utc(2026, 7, 1, 7, 30), "020 7946 0018", "until 6pm (18:00) today"),
    ],
)
def test_the_number_to_call_follows_the_clinics_own_clock(cast, moment, phone, words):
    card = access.contact_card(cast.anna_patient, moment)
    assert (card.phone, card.phone_words) == (phone, words)
    assert card.emergency_phone == "999"
    assert card.is_complete


# 20 November 2026 is a Friday, day 5.
@pytest.mark.parametrize(
    ("days", "opens", "closes", "moment", "words"),
    [
        ("6", 8, 18, (2026, 11, 21, 12, 0), "until 6pm (18:00) today"),
        ("6", 8, 18, (2026, 11, 20, 12, 0), "out of hours"),
        ("5", 20, 2, (2026, 11, 20, 19, 59), "out of hours"),
        ("5", 20, 2, (2026, 11, 20, 20, 0), "until 2am (02:00) tomorrow"),
        ("5", 20, 2, (2026, 11, 21, 1, 59), "until 2am (02:00) today"),
        ("5", 20, 2, (2026, 11, 21, 2, 0), "out of hours"),
        ("5", 20, 2, (2026, 11, 20, 1, 0), "out of hours"),
        ("5", 8, 0, (2026, 11, 20, 23, 0), "until midnight"),
        ("5", 8, 8, (2026, 11, 21, 7, 0), "until 8am (08:00) today"),
    ],
)
def test_the_hours_are_those_of_the_clinics_own_days_also_past_midnight(cast, days, opens, closes, moment, words):
    facts = {"open_days": days, "opens_at": time(opens), "closes_at": time(closes)}
    Clinic.objects.filter(pk=cast.north.pk).update(**facts)
    assert access.contact_card(cast.anna_patient, factories.utc(*moment)).phone_words == words


@pytest.mark.parametrize("days", ["", "0", "18", "Mon", "11"])
def test_open_days_are_numbers_from_monday_to_sunday(cast, days):
    cast.north.open_days = days
    with pytest.raises(ValidationError):
        cast.north.full_clean()


def test_without_a_clinic_the_patients_own_numbers_are_shown():
    patient = factories.lone_patient()
    card = access.contact_card(patient, timezone.now())
    assert (card.phone, card.emergency_phone) == ("020 7946 0100", "999")


def test_numbers_of_ones_own_are_not_shown_while_a_clinic_is_there(cast):
    actions.update_patient(by=cast.anna, patient=cast.anna_patient, team_phone="1", emergency_phone="2")
    card = access.contact_card(cast.anna_patient, timezone.now())
    assert card.phone != "1"
    assert card.emergency_phone == "999"


def test_facts_that_are_not_the_owners_to_change_are_refused(cast):
    with pytest.raises(TypeError):
        actions.update_patient(by=cast.anna, patient=cast.anna_patient, code="AAAA")
    with pytest.raises(TypeError):
        actions.update_user(by=cast.anna, user=cast.anna, is_staff=True)


def test_a_zone_that_does_not_exist_is_refused(cast):
    with pytest.raises(ValidationError, match="no time zone"):
        actions.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="Mars/Olympus")


def test_earlier_treatment_needs_its_date(cast):
    with pytest.raises(ValidationError, match="date of the last earlier injection"):
        actions.update_patient(by=cast.anna, patient=cast.anna_patient, earlier_il2="on")


def test_nobody_prescribes_for_himself_in_the_name_of_his_own_clinic(cast):
    actions.join_clinic(by=cast.eve, clinic=cast.north, user=cast.anna, title="nurse")
    assert not access.is_member_for(cast.anna, cast.anna_patient)
    assert not access.may_prescribe(cast.anna, cast.anna_patient)
