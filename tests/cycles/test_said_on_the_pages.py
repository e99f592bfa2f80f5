"""What the HIV source says about the treatment as a whole, where a page about a plan or a course says it."""

from datetime import date
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from cycles import version_actions
from cycles.models import Plan
from sideeffects.actions import Answers, record_check_in
from tests import factories
from tests.factories import utc

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
NOW = utc(2026, 11, 21, 12)
ENTERED = {"starts_on": "2026-11-25", "time_am": "10am", "time_pm": "10pm"}
ALONE = "entered by you, not confirmed by a clinician"


@pytest.fixture(autouse=True)
def saturday_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def lee(client):
    """A patient without a clinic, with a plan of his own."""
    patient = factories.lone_patient()
    factories.plan(patient, patient.user, protocol="hiv-sc-7-5", starts_on=date(2026, 11, 18), now=NOW)
    client.force_login(patient.user)
    return patient


def read(client, name, *args, **kwargs):
    return client.get(reverse(name, args=args, kwargs=kwargs)).content.decode()


def test_a_plan_for_hiv_without_a_clinician_says_so_before_it_is_saved(client):
    """P02: experimental, and only under a doctor's eyes; the diary cannot make anybody have one, so it says it."""
    lee = factories.lone_patient()
    client.force_login(lee.user)
    text = client.post(reverse("cycles:plan_new", args=["hiv-sc-7-5"]), ENTERED).content.decode()
    assert ALONE in text
    assert not Plan.objects.exists()


def test_a_plan_for_hiv_without_a_clinician_says_so_on_every_page_that_tells_a_dose(client, lee):
    """P02: the plan, Today, and the page on which an injection is recorded."""
    assert ALONE in read(client, "cycles:plan")
    dose = Plan.objects.get().cycles.get(number=1).doses.last()
    assert "not confirmed by a clinician" in read(client, "cycles:log", dose.ref)
    assert "You entered this plan yourself. No clinician has confirmed it." in read(client, "today:home")


def test_a_change_without_a_clinician_keeps_the_mark_and_a_clinicians_signature_takes_it_away(client, cast, lee):
    """P02, B6."""
    plan = Plan.objects.get()
    version = plan.current_version
    facts = {"base_number": 1, "from_course": 2, "document": version.document, "now": NOW, "change_reason": "work"}
    facts |= {"slot_times": {"am": "09:00", "pm": "21:00"}, "starts_on": date(2027, 1, 13)}
    version_actions.change_plan(by=lee.user, plan=plan, **facts)
    assert ALONE in read(client, "cycles:plan")
    confirmed = factories.plan(cast.anna_patient, cast.ben, protocol="hiv-sc-7-5", now=NOW)
    assert confirmed.current_version.is_confirmed
    client.force_login(cast.anna)
    text = read(client, "cycles:plan")
    assert "confirmed by a clinician" in text
    assert "not confirmed by a clinician" not in text


@pytest.mark.parametrize("has_plan", [False, True])
def test_hiv_plans_are_called_experimental_and_only_together_with_hiv_medicines(client, has_plan):
    """P02, P09: where a plan is chosen, and on the plan."""
    lee = factories.lone_patient()
    client.force_login(lee.user)
    if has_plan:
        factories.plan(lee, lee.user, protocol="hiv-sc-7-5", now=NOW)
    text = read(client, "cycles:plan" if has_plan else "cycles:plan_choose")
    assert "only together with HIV medicines" in text
    assert "Not approved for HIV; experimental." in text


def test_a_change_of_il_2_leaves_the_hiv_medicines_alone(client, cast):
    """P68: the HIV medicines go on as they are, whatever happens to IL-2."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 11, 18), now=NOW)
    facts = {"base_number": 1, "from_course": 2, "document": plan.current_version.document, "change_reason": "work"}
    facts |= {"slot_times": {"am": "09:00", "pm": "21:00"}, "starts_on": date(2027, 1, 13), "now": NOW}
    version_actions.change_plan(by=cast.ben, plan=plan, **facts)
    client.force_login(cast.anna)
    assert "This is about IL-2 only: never miss or lower your HIV medicines." in read(client, "cycles:plan_update")


def test_vials_and_syringes_are_got_ready_filled_or_to_be_filled(client, cast):
    """P57: what the clinic hands out differs; the list names both, the plan how a syringe is marked."""
    facts = {"starts_on": date(2026, 11, 25), "now": NOW, "syringe_mark": "to the second mark"}
    factories.plan(cast.anna_patient, cast.ben, **facts)
    client.force_login(cast.anna)
    assert "Vials and syringes for the course are here" in read(client, "today:ready")
    assert "to the second mark" in read(client, "cycles:plan")


def test_flu_like_signs_are_called_what_nearly_everyone_has_beside_a_report_of_them(client, cast):
    """P31: for the clinician who reads what somebody felt in a course."""
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 11, 18), now=NOW)
    answers = Answers(none_of_flags=True, severities={"shivering": 2})
    said = record_check_in(by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=answers, now=NOW)
    client.force_login(cast.ben)
    text = read(client, "sideeffects:entry", said.check_in.ref)
    row = text.split("Flu-like: fever, chills, headache, muscle and joint ache")[1].split("</tr>")[0]
    assert row.count("nearly everyone") == 2
