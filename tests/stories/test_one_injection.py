"""One injection stays one, whatever a person does with two tabs."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from cycles.models import Injection
from il2tracker.accounts.models import Patient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


def test_the_same_form_sent_from_two_tabs_leaves_one_record_and_the_second_shows_the_first(sign_in, watch):
    page = sign_in("patient")
    page.get_by_role("link", name="Record this injection").click()
    other = watch(page.context.new_page())
    other.goto(page.url)
    before = Injection.objects.count()
    page.get_by_role("button", name="Save injection").click()
    expect(page.get_by_role("status")).to_contain_text("7.5 million units")
    other.get_by_role("button", name="Save injection").click()
    expect(other.get_by_role("status")).to_contain_text("Already recorded at 9:35pm by you. Nothing was added.")
    assert Injection.objects.count() == before + 1


def test_undo_frees_the_slot_and_keeps_the_row(sign_in):
    page = sign_in("patient")
    page.get_by_role("link", name="Record this injection").click()
    page.get_by_role("button", name="Save injection").click()
    page.get_by_role("link", name="Undo").first.click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("Removed")
    anna = Patient.objects.get(user__email="patient@demo.example")
    (voided,) = Injection.objects.of(anna).filter(voided_at__isnull=False)
    assert voided.planned_dose.record is None
    page.goto("/")
    expect(page.get_by_role("link", name="Record this injection")).to_be_visible()


@pytest.mark.parametrize("now", [datetime(2026, 11, 21, 11, 30, tzinfo=UTC)])
def test_in_the_morning_the_evening_injection_is_asked_about_once_and_then_recorded(sign_in, sound, now):
    page = sign_in("patient")
    page.get_by_role("link", name="Record this injection").click()
    page.get_by_role("button", name="Save injection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Have you injected already?")
    sound(page)
    page.get_by_role("button", name="Yes, I have injected").click()
    expect(page.get_by_role("status")).to_contain_text("7.5 million units")
