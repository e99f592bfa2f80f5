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


@pytest.mark.parametrize(
    ("protocol", "amount", "sc", "raised"),
    [
        ("kidney-civ", Decimal(30), False, False),
        ("kidney-civ", Decimal(30), True, True),
        ("kidney-civ", Decimal(18), True, False),
        ("hiv-civ", Decimal(12), True, True),
    ],
)
def test_what_is_too_much_follows_the_route_of_the_plan_and_not_the_ward_it_began_on(protocol, amount, sc, raised):
    """W6, H04: told by the clinic or not, under the skin an injection never holds what a drip does."""
    cast = factories.cast()
    lines = [{"days": "1-5", "slots": ["am"], "amount": "9"}]
    document = {"unit": "MIU", "phases": [{"repeat": None, "cycle_days": 56, "doses": lines}]}
    terms = {"route": "sc", "inpatient": False} if sc else {}
    factories.plan(cast.anna_patient, cast.ben, protocol=protocol, document=document, **terms)
    factories.injection(cast.anna_patient, cast.anna, first_dose(cast), amount=amount, reason="told")
    assert Alert.objects.filter(rule="above-plan").exists() is raised
