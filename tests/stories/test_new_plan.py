"""A nurse adds a patient and makes a plan, seeing every date before it is saved."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from cycles import schedule
from cycles.models import Plan, PlannedDose
from il2tracker import ui
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.demo import story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def test_a_plan_is_shown_in_full_before_it_is_saved(sign_in, sound):
    page = sign_in("nurse", width=1280)
    page.get_by_role("link", name="Add a patient").click()
    page.get_by_label("Name").fill("Nora Hill")
    page.get_by_label("Year of birth").fill("1970")
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Add the patient").click()
    nora = Patient.objects.get(name="Nora Hill")
    page.goto(f"/people/{nora.code}/plan/new/")
    sound(page)
    page.get_by_role("link", name="HIV: 4.5 million units twice a day for 5 days, every 8 weeks").click()
    sound(page)
    starts_on = schedule.suggested_start(nora.today(timezone.now()) + timedelta(days=7))
    page.get_by_label("First day of the course").fill(starts_on.isoformat())
    page.get_by_label("Time of the morning injection").fill("10am")
    page.get_by_label("Time of the evening injection").fill("22:00")
    page.get_by_role("button", name="Show every date").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check every date")
    sound(page)
    rows = page.get_by_role("table").first.locator("tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text(ui.long_day(starts_on))
    expect(rows.first).to_contain_text("4.5 million units")
    expect(rows.last).to_contain_text(ui.long_day(starts_on + timedelta(days=4)))
    expect(page.locator("main")).to_contain_text(ui.long_day(starts_on + timedelta(days=56)))
    assert not Plan.objects.of(nora).exists()
    page.get_by_role("button", name="Save this plan").click()
    expect(page.get_by_role("status")).to_be_visible()
    plan = Plan.objects.of(nora).get()
    assert (plan.current_version.number, plan.current_version.signed_title) == (1, "Ben Lind, nurse")
    doses = PlannedDose.objects.of(nora)
    days = [starts_on + timedelta(days=day) for day in range(5)]
    assert [dose.due_on for dose in doses.filter(slot="am")] == days
    sound(page)


@pytest.fixture
def max_wood(clinic):
    """A patient of Clinic North without a plan, who signs in as max@demo.example."""
    ben, facts = User.objects.get(email="nurse@demo.example"), {"password": story.PASSWORD, "is_demo": True}
    user = accounts.create_user(by=ben, email="max@demo.example", name="Max Wood", **facts)
    north = Clinic.objects.get(slug="clinic-north")
    return accounts.create_patient(by=ben, clinic=north, user=user, birth_year=1958, earlier_il2="never")


class Hand:
    """Does things on a page by keyboard, and counts them."""

    def __init__(self, page):
        self.page, self.steps = page, 0

    def press(self, role, name):
        self.steps += 1
        self.page.get_by_role(role, name=name).press("Enter")

    def fill(self, label, text):
        self.steps += 1
        self.page.get_by_label(label).fill(text)


def test_the_label_profile_takes_a_day_and_an_hour_and_the_patient_sees_it(max_wood, sign_in, sound):
    """3.3: 20 doses and 279 million units in 35 days, seen before they are signed. By keyboard, and without help."""
    page = sign_in("nurse", width=1280)
    page.goto(f"/people/{max_wood.code}/plan/new/")
    hand = Hand(page)
    hand.press("link", "Kidney cancer: 5 days on, 2 days off, 18 and 9")
    total = "18 million units a day at most, 279 million units a course in 20 injections"
    expect(page.get_by_text(total)).to_be_visible()
    starts_on = max_wood.today(timezone.now()) + timedelta(days=2)
    hand.fill("First day of the course", starts_on.isoformat())
    hand.fill("Time of the injection", "9pm")
    hand.press("textbox", "Time of the injection")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check every date")
    expect(page.locator("main")).to_contain_text("279 million units in 20 injections")
    expect(page.locator("main")).to_contain_text(ui.long_day(starts_on + timedelta(days=35)))
    expect(page.get_by_role("table").first.get_by_text("9pm")).to_have_count(20)
    sound(page)
    hand.press("button", "Save this plan")
    expect(page.get_by_role("status")).to_be_visible()
    assert hand.steps <= 8
    assert PlannedDose.objects.of(max_wood).filter(cycle__number=1).count() == 20

    patient = sign_in("max", width=390)
    expect(patient.get_by_role("main")).to_contain_text("Course 1")
    patient.goto("/plan/")
    expect(patient.get_by_role("main")).to_contain_text("279 million units")
    expect(patient.get_by_role("main")).to_contain_text("Ben Lind, nurse")
    sound(patient)


def test_totals_follow_what_one_types_and_the_patient_reads_the_change(sign_in, sound):
    """H06, B7: the amounts as they are typed; a running course stays as it is; who has read it is kept."""
    page = sign_in("nurse", width=390)
    anna = Patient.objects.get(user__email="patient@demo.example")
    page.goto(f"/people/{anna.code}/plan/change/")
    sound(page)
    each = page.get_by_role("textbox", name="Each injection")
    for typed, words in (
        ("6", "= 12 million units a day, 60 million units a course in 10 injections"),
        ("4,5", "= 9 million units a day, 45 million units a course in 10 injections"),
        ("0.33", "= 0.66 million units a day, 3.3 million units a course in 10 injections"),
    ):
        each.fill(typed)
        expect(page.get_by_text(words)).to_be_visible()
    page.get_by_role("button", name="12 a day").click()
    expect(each).to_have_value("6")
    page.get_by_label("Why the plan changes").fill("Severe tiredness on days 4 and 5")
    page.get_by_role("button", name="Show every date").click()
    expect(page.get_by_role("heading", level=2, name="What changes")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="Sign this change").click()
    expect(page.get_by_role("status")).to_contain_text("The change is signed.")
    version = Plan.objects.of(anna).get().current_version
    assert (version.number, version.regimen.daily_total(), version.read_at) == (2, 12, None)
    sound(page)

    patient = sign_in("patient", width=390)
    expect(patient.get_by_role("heading", level=1)).to_have_text("Tonight at 10pm")
    expect(patient.locator(".key")).to_have_text("7.5 million units")
    patient.get_by_role("link", name="Read what changes").click()
    expect(patient.get_by_role("main")).to_contain_text("6 million units instead of 7.5 million units")
    sound(patient)
    patient.get_by_role("button", name="I have read it").click()
    expect(patient.get_by_role("button", name="I have read it")).to_have_count(0)
    version.refresh_from_db()
    assert version.read_by == anna.user
    page.goto(f"/people/{anna.code}/plan/")
    expect(page.get_by_role("main")).to_contain_text("Read by Anna Marsh")
