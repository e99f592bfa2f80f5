"""Before a course: a patient answers on a phone, the course waits, a nurse lifts the hold and confirms the start."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from cycles import questions
from cycles.models import Cycle, Hold
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, User
from il2tracker.demo import story
from tests import factories
from tests.stories.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

STARTS_ON = NOW.date() + timedelta(days=9)


@pytest.fixture
def lives():
    """Both clinics with their staff are enough."""
    return ()


@pytest.fixture
def nora(clinic):
    """A patient of Clinic North whose first course starts in nine days. She signs in as nora@demo.example."""
    ben, facts = User.objects.get(email="nurse@demo.example"), {"password": story.PASSWORD, "is_demo": True}
    user = accounts.create_user(by=ben, email="nora@demo.example", name="Nora Hill", **facts)
    north = Clinic.objects.get(slug="clinic-north")
    patient = accounts.create_patient(by=ben, clinic=north, user=user, birth_year=1970, earlier_il2="never")
    factories.plan(patient, ben, starts_on=STARTS_ON)
    return patient


def go_on(page, word):
    page.get_by_label(word, exact=True).check()
    page.get_by_role("button", name="Save and continue").click()


def test_an_infection_before_a_course_stops_it_until_the_nurse_lifts_the_hold_and_confirms(nora, sign_in, sound):
    """2.11, R16: whom to call at once; rank 4 on the clinic's list; nothing goes on without a person."""
    page = sign_in("nora", width=390)
    page.get_by_role("link", name="Get ready").click()
    page.get_by_role("link", name="Answer 13 questions").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Do you have an infection now")
    go_on(page, "Yes")
    expect(page.get_by_role("heading", level=1)).to_have_text("Call your clinic today, before any more injections.")
    expect(page.locator("main a[href='tel:02079460018']").first).to_be_visible()
    sound(page)
    assert Hold.objects.open().get(patient=nora).kind == Hold.Kind.INFECTION
    page.goto("/before/")
    page.get_by_role("link", name="Go on: 12 questions left").click()
    for _question in questions.asked(1)[1:]:
        go_on(page, "No")
    page.get_by_role("button", name="Send to clinic").click()
    expect(page.get_by_role("main")).to_contain_text("2 things before you start")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Call the clinic before your next injection")
    expect(page.get_by_role("main")).to_contain_text("Course 1 is on hold: an infection.")
    expect(page.get_by_role("main")).not_to_contain_text("million units")
    sound(page)

    nurse = sign_in("nurse", width=1280)
    row = nurse.locator("table.panel tbody tr").filter(has_text=nora.code)
    expect(row).to_contain_text("Course 1 waits: an infection")
    row.get_by_role("button", name="Acknowledge").click()
    expect(nurse.get_by_role("status").first).to_contain_text("You acknowledged")
    nurse.goto("/people/")
    expect(row).to_contain_text("Readiness answers need a person: infection")
    sound(nurse)
    nurse.goto(f"/people/{nora.code}/before/")
    expect(nurse.get_by_role("button", name="Confirm start")).to_have_count(0)
    nurse.get_by_role("link", name="Why it waits", exact=True).click()
    nurse.get_by_role("link", name="This is over: lift it").click()
    nurse.get_by_label("Why it is over").fill("Antibiotics finished, no fever.")
    nurse.get_by_role("button", name="Lift this hold").click()
    expect(nurse.get_by_role("status")).to_contain_text("Course 1 goes on.")
    nurse.goto(f"/people/{nora.code}/before/")
    sound(nurse)
    nurse.get_by_role("button", name="Confirm start").click()
    expect(nurse.get_by_role("status")).to_be_visible()
    nurse.goto("/people/")
    expect(row).not_to_contain_text("Readiness answers")

    page.goto("/")
    expect(page.get_by_role("main")).to_contain_text("confirmed")
    assert Cycle.objects.of(nora).get().readiness.confirmed_for == STARTS_ON
