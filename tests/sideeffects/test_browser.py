"""The check-in in a real browser, with its script and with nothing else."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from sideeffects.models import CheckIn
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def open_check_in(live_server, new_context, watch) -> Callable[..., Page]:
    def visit(**context) -> Page:
        client = Client()
        client.force_login(factories.cast().anna)
        session = {"name": "d_session", "value": client.cookies["d_session"].value, "url": live_server.url}
        made = new_context(viewport={"width": 390, "height": 844}, **context)
        made.add_cookies([session])
        page = watch(made.new_page())
        page.goto(f"{live_server.url}/check-in/")
        return page

    return visit


def test_a_red_flag_is_two_taps_away_from_the_number(open_check_in, axe):
    page = open_check_in()
    page.get_by_label("Much less urine than usual, or none").check()
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Call Clinic North now")
    number = page.locator(".btn-call")
    expect(number).to_have_attribute("href", re.compile(r"^tel:\d+$"))
    expect(number).to_be_in_viewport()
    assert axe(page) == []
    page.get_by_role("button", name="I have called").click()
    expect(page.get_by_role("status")).to_contain_text("you have called")


def test_ticks_severities_and_the_reading_stay_together(open_check_in):
    page = open_check_in()
    how = page.get_by_role("radiogroup", name="Tired: how bad")
    expect(how).to_be_hidden()
    page.get_by_text("Tired", exact=True).click()
    how.get_by_text("Severe").click()
    page.get_by_text("Tired", exact=True).click()
    page.get_by_text("Headache", exact=True).click()
    page.get_by_role("radiogroup", name="Headache: how bad").get_by_text("Mild").click()
    page.get_by_label("Temperature, as your thermometer shows it").fill("100,2")
    expect(page.locator("#temp-echo")).to_have_text("read as 100.2 °F")
    page.get_by_label("None of these").check()
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("status")).to_contain_text("100.2\xa0°F, headache (mild).")
    assert [report.symptom.code for report in CheckIn.objects.get().reports.all()] == ["headache"]


def test_ticking_a_red_flag_takes_none_of_these_away_but_never_the_other_way_round(open_check_in):
    page = open_check_in()
    none, flag = page.get_by_label("None of these"), page.get_by_label("Short of breath")
    none.check()
    flag.check()
    expect(none).not_to_be_checked()
    none.check()
    expect(flag).to_be_checked()


def test_everything_works_without_a_script(open_check_in):
    page = open_check_in(java_script_enabled=False)
    page.get_by_text("Tired", exact=True).click()
    page.get_by_role("radiogroup", name="Tired: how bad").get_by_text("Mild").click()
    page.get_by_label("None of these").check()
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("status")).to_contain_text("tired (mild)")
