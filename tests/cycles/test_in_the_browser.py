"""Recording in a real browser: with and without scripts, in both themes, on a small phone."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cycles.models import Injection
from cycles.site_actions import report_reaction
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def dose(cast):
    """Tonight's dose of a course, with the hours around now so that nothing is early or late."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=cast.anna_patient.today(timezone.now()))
    return plan.cycles.get(number=1).doses.get(day=1, slot="pm")


@pytest.fixture
def open_as(new_context, live_server, watch):
    """A page of a signed-in person."""

    def open_page(user, path, **settings):
        client = Client()
        client.force_login(user)
        context = new_context(**{"viewport": {"width": 390, "height": 844}, **settings})
        cookie = {"name": "d_session", "value": client.cookies["d_session"].value, "url": live_server.url}
        context.add_cookies([cookie])
        page = watch(context.new_page())
        page.goto(live_server.url + path)
        return page

    return open_page


def answer_early(page):
    """The dose may be hours away when the test runs: then the page asks once."""
    early = page.get_by_role("button", name="Yes, I have injected")
    if early.count():
        early.click()


@pytest.mark.parametrize("javascript", [True, False])
def test_one_tap_on_the_page_saves_what_the_plan_says(open_as, cast, dose, javascript):
    page = open_as(cast.anna, f"/diary/add/{dose.ref}/", java_script_enabled=javascript)
    page.get_by_role("button", name="Save injection").click()
    answer_early(page)
    page.get_by_role("status").get_by_text("Recorded: 7.5 million units").wait_for()
    record = Injection.objects.get()
    assert (record.planned_dose, record.site) == (dose, "aur")


def test_the_drawing_presses_the_same_choices_as_the_list(open_as, cast, dose):
    page = open_as(cast.anna, f"/diary/add/{dose.ref}/")
    page.locator(".bm-hit--tfl").click()
    assert page.locator("input[name=site]:checked").get_attribute("value") == "tfl"
    page.get_by_label("Buttock, upper outer, Left", exact=False).check()
    page.get_by_role("button", name="Save injection").click()
    answer_early(page)
    page.get_by_role("status").get_by_text("left buttock").wait_for()


def test_time_fields_show_only_when_they_are_needed_and_an_error_takes_the_focus(open_as, cast, dose):
    page = open_as(cast.anna, f"/diary/add/{dose.ref}/")
    assert not page.get_by_label("Time", exact=True).is_visible()
    page.get_by_label("Earlier").check()
    page.get_by_label("Time", exact=True).fill("9:58")
    page.get_by_role("button", name="Save injection").click()
    summary = page.locator(".error-summary")
    summary.wait_for()
    assert page.title().startswith("Error:")
    assert summary.evaluate("element => element === document.activeElement")
    summary.get_by_role("link", name="Write 9:58am or 9:58pm.").click()
    assert page.get_by_label("Time", exact=True).evaluate("element => element === document.activeElement")
    assert page.get_by_label("Time", exact=True).input_value() == "9:58"


def test_the_form_on_a_small_dark_phone_has_no_fault_and_nothing_sideways(open_as, cast, dose, axe):
    page = open_as(cast.anna, f"/diary/add/{dose.ref}/", viewport={"width": 320, "height": 640}, color_scheme="dark")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    broken = page.locator(".site small").evaluate_all(
        "found => found.filter(item => item.scrollWidth > item.clientWidth + 1).map(item => item.textContent)"
    )
    assert broken == []


def test_a_resting_place_warns_when_it_is_chosen_by_key_and_saves_all_the_same(open_as, cast, dose):
    """P40, D22: the warning stands beside the list, without a script; what happened can be recorded."""
    facts = {"kind": "lump", "noticed_on": dose.due_on - timedelta(days=40), "now": timezone.now()}
    report_reaction(by=cast.anna, patient=cast.anna_patient, site="aul", **facts)
    page = open_as(cast.anna, f"/diary/add/{dose.ref}/", java_script_enabled=False)
    warning = page.get_by_text("This place rests until it has cleared.")
    assert not warning.is_visible()
    page.locator("#site-aur").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("input[name=site]:checked").get_attribute("value") == "aul"
    assert warning.is_visible()
    page.get_by_role("button", name="Save injection").click()
    answer_early(page)
    page.get_by_role("status").get_by_text("Rests: lump since").wait_for()


def test_a_sore_place_is_noted_and_cleared_with_the_keyboard_alone(open_as, cast, dose):
    injection = factories.injection(cast.anna_patient, cast.anna, at=timezone.now(), amount=1, site="tfr").injection
    page = open_as(cast.anna, f"/diary/entry/{injection.ref}/")
    page.get_by_role("button", name="This place is sore").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Noted: right thigh, front, sore.").wait_for()
    page.get_by_role("button", name="It has cleared").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("The place is free again.").wait_for()
