"""The check-in as a thumb and as a keyboard go through it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from cycles.models import SiteReaction
from sideeffects.actions import Answers, record_check_in
from sideeffects.models import CheckIn
from tests import factories

TOO_WIDE = """[...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".sr, .scroll"))
  .map((one) => one.outerHTML.slice(0, 100))"""

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def visit(live_server, new_context, watch) -> Callable[..., Page]:
    """`visit(path)`: the page as Anna opens it, after a check-in of an hour ago."""

    def open_page(path: str = "/check-in/", width: int = 390, **context: Any) -> Page:
        cast, client = factories.cast(), Client()
        record_check_in(
            by=cast.anna,
            patient=cast.anna_patient,
            key=uuid4(),
            answers=Answers(severities={"tired": 2, "hair_loss": 1}, none_of_flags=True),
            now=timezone.now() - timedelta(hours=1),
        )
        client.force_login(cast.anna)
        session = {"name": "d_session", "value": client.cookies["d_session"].value, "url": live_server.url}
        made = new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce", **context)
        made.add_cookies([session])
        page = watch(made.new_page())
        page.goto(f"{live_server.url}{path}")
        return page

    return open_page


def newest() -> CheckIn:
    return CheckIn.objects.newest_first()[0]


def said() -> dict[str, int]:
    return {report.symptom.code: report.severity for report in newest().reports.all()}


def tap_all(taps: list[Locator]) -> None:
    for each in taps:
        each.tap()


def test_from_today_no_symptoms_takes_two_taps(visit):
    page = visit("/", has_touch=True)
    tap_all([page.get_by_role("link", name="Log how you feel"), page.get_by_role("button", name="no symptoms today")])
    expect(page.get_by_role("status")).to_contain_text("no other symptoms")
    assert newest().no_symptoms


def test_from_today_the_same_as_last_time_takes_four_taps(visit):
    page = visit("/", has_touch=True)
    page.get_by_role("link", name="Log how you feel").tap()
    tap_all([
        page.locator("[name=none_of_flags]"),
        page.get_by_role("button", name="Same as last time"),
        page.get_by_role("button", name="Save check-in"),
    ])  # fmt: skip
    expect(page.get_by_role("status")).to_contain_text("tired (moderate)")
    assert said() == {"tired": 2, "hair_loss": 1}


def test_the_same_as_last_time_leaves_everything_else_on_the_page(visit, axe):
    page = visit()
    page.get_by_label("None of these", exact=True).check()
    page.get_by_label("Temperature, as your thermometer shows it").fill("37,2")
    page.get_by_text("Itching", exact=True).click()
    page.get_by_role("radiogroup", name="Itching: how bad").get_by_text("Mild").click()
    page.get_by_role("button", name="Same as last time").click()
    expect(page.locator("#same-done")).to_have_text("Filled in as last time. Change what is different now.")
    expect(page.get_by_role("radiogroup", name="Losing hair: how bad")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("status")).to_contain_text("37.2")
    assert said() == {"tired": 2, "hair_loss": 1, "itch": 1}


def test_the_same_as_last_time_leaves_what_is_chosen_already(visit):
    page = visit()
    page.get_by_label("None of these", exact=True).check()
    page.get_by_text("Tired", exact=True).click()
    page.get_by_role("radiogroup", name="Tired: how bad").get_by_text("Severe").click()
    page.get_by_role("button", name="Same as last time").click()
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("main")).to_contain_text("ired (severe)")
    assert said() == {"tired": 3, "hair_loss": 1}


def test_the_same_as_last_time_works_without_a_script(visit):
    page = visit(java_script_enabled=False)
    page.get_by_label("None of these", exact=True).check()
    page.get_by_label("Temperature, as your thermometer shows it").fill("37,2")
    page.get_by_role("button", name="Same as last time").click()
    expect(page.get_by_text("Filled in as last time.")).to_be_visible()
    expect(page.get_by_label("Temperature, as your thermometer shows it")).to_have_value("37,2")
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_role("status")).to_contain_text("tired (moderate)")


def test_place_and_size_are_asked_once_a_lump_is_ticked_and_go_with_the_tick(visit, axe):
    page = visit()
    where = page.get_by_label("Where is the lump?")
    expect(where).to_be_hidden()
    page.get_by_text("Lump where injected", exact=True).click()
    where.select_option("tfr")
    page.get_by_label("How wide is it?").fill("12")
    assert axe(page) == []
    page.get_by_text("Lump where injected", exact=True).click()
    expect(where).to_be_hidden()
    page.get_by_text("Lump where injected", exact=True).click()
    expect(where).to_have_value("")
    where.select_option("tfl")
    page.get_by_role("radiogroup", name="Lump where injected: how bad").get_by_text("Mild").click()
    page.get_by_label("None of these", exact=True).check()
    page.get_by_role("button", name="Save check-in").click()
    expect(page.get_by_text("left thigh, front (lump)")).to_be_visible()
    assert [lump.site for lump in SiteReaction.objects.all()] == ["tfl"]


def test_the_whole_check_in_by_keyboard(visit):
    page = visit()

    def go_to(css: str) -> None:
        for _press in range(150):
            page.keyboard.press("Tab")
            if page.evaluate("(css) => document.activeElement.matches(css)", css):
                return
        raise AssertionError(f"Tab never reaches {css}")

    go_to("[name=none_of_flags]")
    page.keyboard.press("Space")
    go_to("#id_temperature")
    page.keyboard.type("100.2")
    go_to("[name=medicine]")
    page.keyboard.press("Space")
    go_to("[name=symptoms][value=tired]")
    page.keyboard.press("Space")
    go_to("[name=how_tired]")
    page.keyboard.press("ArrowRight")
    go_to("[name=symptoms][value=lump]")
    page.keyboard.press("Space")
    go_to("[name=how_lump]")
    page.keyboard.press("Space")
    go_to("[name=lump_site]")
    page.keyboard.press("ArrowDown")
    go_to("[name=lump_size]")
    page.keyboard.type("8")
    go_to("[name=note]")
    page.keyboard.type("by keyboard")
    go_to("summary")
    page.keyboard.press("Enter")
    go_to("#id_weight")
    page.keyboard.type("72.5 kg")
    go_to("#id_pressure")
    page.keyboard.type("120/80")
    go_to("#id_stools")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("tired (moderate), lump where injected (mild)")
    saved = newest()
    facts = (saved.temperature_typed, saved.medicine, str(saved.weighed), str(saved.pressure), saved.stools, saved.note)
    assert facts == ("100.2", "not_taken", "72.5\xa0kg", "120/80\xa0mmHg", 3, "by keyboard")
    assert (SiteReaction.objects.get().site, SiteReaction.objects.get().size_mm) == ("aur", 8)


@pytest.mark.parametrize("path", ["/check-in/", "/", "change"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_twice_as_large_need_no_sideways_scroll_on_a_small_phone(visit, axe, path, scheme):
    page = visit("/check-in/" if path == "change" else path, width=320, color_scheme=scheme)
    if path == "change":
        page.goto(page.url + f"{newest().ref}/change/")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.evaluate("for (const more of document.querySelectorAll('details')) more.open = true")
    page.evaluate("for (const box of document.querySelectorAll('[name=symptoms]')) box.checked = true")
    assert "\n".join(page.evaluate(TOO_WIDE)) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert axe(page) == []
