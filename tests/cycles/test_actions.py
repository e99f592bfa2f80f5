"""What is written about injections, and what is refused."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import actions
from cycles.models import Injection
from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 1, 12)
START = date(2026, 3, 4)  # the plan of O1


@pytest.fixture(autouse=True)
def first_of_march():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW)


@pytest.fixture
def cycle(plan):
    return plan.cycles.get()


def test_a_dose_of_another_patient_is_never_recorded(cast, cycle):
    with pytest.raises(PermissionDenied):
        factories.injection(cast.dan_patient, cast.dan, cycle.doses.first(), at=NOW)
    assert not Injection.objects.exists()


def test_the_key_of_another_patient_shows_nothing(cast, cycle):
    first = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    with pytest.raises(PermissionDenied):
        factories.injection(cast.dan_patient, cast.dan, key=first.idempotency_key, amount=3, at=NOW)


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "taken", "given_at": NOW, "amount": None},
        {"state": "taken", "given_at": NOW, "amount": Decimal(0)},
        {"state": "taken", "given_at": None, "amount": Decimal(3)},
        {"state": "skipped", "given_at": NOW, "amount": None, "reason": "forgot"},
        {"state": "skipped", "reason": ""},
        {"state": "perhaps", "given_at": NOW, "amount": Decimal(3)},
        {"state": "taken", "given_at": NOW + timedelta(minutes=3), "amount": Decimal(3)},
    ],
)
def test_half_a_record_is_refused(cast, cycle, facts):
    """2.14: taken or taken in part with time and amount, or not taken with a reason; nothing between."""
    with pytest.raises(ValidationError):
        actions.log_injection(
            by=cast.anna, patient=cast.anna_patient, dose=cycle.doses.first(), key=uuid4(), now=NOW, **facts
        )
    assert not Injection.objects.exists()


def test_the_zone_is_kept_with_each_injection(cast, cycle):
    """H09: changing the profile's zone changes nothing that was recorded."""
    record = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="Asia/Tokyo")
    record.refresh_from_db()
    assert (record.zone, record.local_given_at.hour) == ("Europe/London", 12)


def test_a_removed_entry_is_not_changed(cast, cycle):
    record = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    factories.void(cast.anna, record)
    with pytest.raises(ValidationError, match="was removed"):
        actions.correct_injection(by=cast.anna, injection=record, now=NOW, site="tfl")


def test_removing_twice_keeps_the_first_removal(cast, cycle):
    record = factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW).injection
    factories.void(cast.anna, record)
    first = record.voided_at
    actions.void_injection(by=cast.anna, injection=record, now=NOW + timedelta(hours=1))
    record.refresh_from_db()
    assert record.voided_at == first


def test_no_access_log_holds_a_clinical_value(cast, cycle):
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW, note="rash on both arms")
    events = AuditEvent.objects.filter(action__startswith="cycles.")
    assert set(events.values_list("detail", flat=True)) == {""}
