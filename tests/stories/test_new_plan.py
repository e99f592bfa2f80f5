"""A nurse adds a patient and makes a plan, seeing every date before it is saved."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from cycles import schedule
from cycles.models import Plan, PlannedDose
from il2tracker import ui
from il2tracker.accounts.models import Patient

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
    page.get_by_role("link", name="HIV: 4.5 million units twice a day").click()
    sound(page)
    starts_on = schedule.suggested_start(nora.today(timezone.now()) + timedelta(days=7))
    page.get_by_label("First day of the course").fill(starts_on.isoformat())
    page.get_by_label("Morning").fill("10am")
    page.get_by_label("Evening").fill("22:00")
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
