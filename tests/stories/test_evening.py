"""The main job, end to end: an evening injection, a red flag, and the nurse who sees both."""

import pytest
from playwright.sync_api import expect

from cycles.models import Injection
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.demo import story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def lives():
    """Everybody: her nurse finds her among others."""
    return story.LIVES


def anna():
    return Patient.objects.get(user__email="patient@demo.example")


def test_anna_logs_the_evening_and_a_red_flag_and_her_nurse_sees_both(sign_in, sound):
    page = sign_in("patient", width=390)
    sound(page)
    expect(page.get_by_text("Course 3, day 4 of 5").first).to_be_visible()
    expect(page.locator(".key")).to_have_text("7.5 million units")
    page.get_by_role("link", name="Record this injection").click()
    sound(page)
    page.get_by_role("button", name="Save injection").click()
    expect(page.get_by_role("status")).to_contain_text("7.5 million units")
    sound(page)
    injection = Injection.objects.standing().of(anna()).latest("given_at")
    assert (injection.planned_dose.day, injection.planned_dose.slot, injection.state) == (4, "pm", "taken")

    page.goto("/check-in/")
    sound(page)
    page.get_by_label("Much less urine than usual, or none").check()
    page.get_by_role("textbox", name="Temperature").fill("38,6")
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Call Clinic North now")
    expect(page.locator("main a[href^='tel:']").first).to_have_attribute("href", "tel:02079460018")
    sound(page)
    alert = Alert.objects.holding().of(anna()).get()
    assert (alert.patient, alert.rule) == (anna(), "T2")

    nurse = sign_in("nurse", width=1280)
    sound(nurse)
    first = nurse.locator("table.panel tbody tr").first
    expect(first).to_contain_text("Much less urine")
    expect(first).to_contain_text("7KQM")
    expect(first).to_contain_text("3, day 4 of 5")
    expect(first).to_contain_text("Last injection today")
    first.get_by_role("button", name="Acknowledge").click()
    expect(nurse.get_by_role("status").first).to_contain_text("You acknowledged")
    alert.refresh_from_db()
    assert alert.acknowledged_by.email == "nurse@demo.example"

    nurse.goto("/people/")
    nurse.get_by_role("link", name="7KQM").first.click()
    expect(nurse.get_by_role("heading", level=1)).to_contain_text("Anna Marsh")
    expect(nurse.locator("#course")).to_contain_text("8 of 8")
    expect(nurse.locator("#trend")).to_contain_text("CD4+ 612")
    expect(nurse.locator("#trend")).to_contain_text("no fewer infections or deaths")
    sound(nurse)
    nurse.locator("#trend").get_by_role("link", name="Longer times").click()
    expect(nurse.get_by_role("img").first).to_be_visible()
    sound(nurse)
