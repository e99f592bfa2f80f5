"""What about a recorded injection a person has to look at before the next reminder goes out (R1, D19)."""

from decimal import Decimal

import pytest

from cycles.actions import correct_injection
from cycles.models import PlannedDose
from il2tracker.alerts.models import Alert
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    cast = factories.cast()
    factories.plan(cast.anna_patient, cast.ben)
    return cast


def first_dose(cast):
    return PlannedDose.objects.of(cast.anna_patient).first()


def test_more_than_planned_holds_the_reminders_until_the_clinic_has_looked(anna):
    factories.injection(anna.anna_patient, anna.anna, first_dose(anna), amount=Decimal(8))
    assert Alert.objects.holding().get().rule == "above-plan"


def test_being_told_to_stop_holds_the_reminders(anna):
    factories.injection(anna.anna_patient, anna.anna, first_dose(anna), state="skipped", reason="stopped")
    assert Alert.objects.holding().get().rule == "told-to-stop"


def test_an_injection_as_planned_holds_nothing(anna):
    factories.injection(anna.anna_patient, anna.anna, first_dose(anna))
    assert not Alert.objects.exists()


def test_a_correction_to_a_larger_amount_is_told_anew(anna):
    logged = factories.injection(anna.anna_patient, anna.anna, first_dose(anna), amount=Decimal(8))
    correct_injection(by=anna.anna, injection=logged.injection, now=logged.injection.recorded_at, amount=Decimal(18))
    told = Alert.objects.filter(rule="above-plan").order_by("pk").values_list("evidence", flat=True)
    assert [text.split(" million")[0] for text in told] == ["8", "18"]
