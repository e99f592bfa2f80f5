"""Entering a panel in a real browser: by the keyboard alone, with and without scripts, on a small phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from labs.models import LabResult
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def open_as(new_context: Any, live_server: Any, watch: Callable[[Page], Page]) -> Callable[..., Page]:
    """A page of a signed-in person."""

    def open_page(user: Any, path: str, **settings: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = new_context(
            **{"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce", "locale": "en-GB", **settings}
        )
        value = client.cookies["d_session"].value
        context.add_cookies([{"name": "d_session", "value": value, "url": live_server.url}])
        page = watch(context.new_page())
        page.goto(live_server.url + path)
        return page

    return open_page


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the box with this name, or the line that opens a group, has the focus."""
    for _press in range(200):
        page.keyboard.press("Tab")
        here = page.evaluate("[document.activeElement.name, document.activeElement.textContent.trim()]")
        if name == here[0] or (here[1] or "").startswith(name):
            return
    raise AssertionError(f"Tab never comes to {name}")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_panel_is_entered_by_the_keyboard_alone(
    open_as: Callable[..., Page], cast: factories.Cast, javascript: bool
) -> None:
    page = open_as(cast.anna, "/results/add/", java_script_enabled=javascript)
    tab_to(page, "drawn_on")
    page.keyboard.type("03032026")  # the same in every order of day and month
    typed = {"laboratory": "North Lab", "cd4": "612", "cd4_range": "500-1500", "hiv_rna": "<20"}
    for name, text in typed.items():
        tab_to(page, name)
        page.keyboard.type(text)
    tab_to(page, "Liver")
    page.keyboard.press("Enter")
    for name, text in {"alt": "61", "alt_range": "7-55"}.items():
        tab_to(page, name)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Kept: CD4+ count 612")
    kept = {row.analyte.code: row for row in LabResult.objects.select_related("analyte")}
    assert set(kept) == {"cd4", "hiv_rna", "alt"}
    assert (kept["alt"].printed_range, kept["alt"].laboratory) == ("7-55", "North Lab")
    assert f"{kept['alt'].drawn_on}" == "2026-03-03"


def test_each_box_is_read_back_as_soon_as_it_is_left(open_as: Callable[..., Page], cast: factories.Cast) -> None:
    page = open_as(cast.anna, "/results/add/")
    page.fill("[name=cd4]", "0,612")
    page.select_option("[name=cd4_unit]", "giga_l")
    echo = page.locator("#id_cd4_echo")
    expect(echo).to_contain_text("Understood: 0.612 × 10⁹/L, that is 612 cells/mm³")
    page.fill("[name=cd4]", "six hundred")
    page.locator("[name=cd4_percent]").focus()
    expect(page.locator("#id_cd4_error")).to_contain_text("is not a value we can read")
    expect(page.locator("[name=cd4]")).to_have_attribute("aria-invalid", "true")
    page.fill("[name=cd4]", "612")
    page.select_option("[name=cd4_unit]", "cells_ul")
    expect(page.locator("#id_cd4_error")).to_have_text("")
    expect(page.locator("[name=cd4]")).not_to_have_attribute("aria-invalid", "true")
    assert page.locator("[name=cd4]").input_value() == "612"
    assert not LabResult.objects.exists()


def test_the_page_stays_usable_when_the_answer_is_another_page(
    open_as: Callable[..., Page], cast: factories.Cast
) -> None:
    page = open_as(cast.anna, "/results/add/")
    page.route("**/results/add/", lambda route: route.fulfill(body="<h1>Sign in</h1>"))
    page.fill("[name=cd4]", "612")
    page.locator("[name=cd4_percent]").focus()
    page.wait_for_timeout(300)
    page.unroute("**/results/add/")
    page.fill("[name=drawn_on]", "2026-03-01")
    page.get_by_role("button", name="Save results").click()
    expect(page.get_by_role("status")).to_contain_text("Kept: CD4+ count 612")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_whole_way_is_accessible_and_never_scrolls_sideways(
    open_as: Callable[..., Page], cast: factories.Cast, axe: Callable[[Page], list[str]], width: int
) -> None:
    page = open_as(cast.anna, "/results/add/", viewport={"width": width, "height": 800})
    found: list[str] = []

    def look() -> None:
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        found.extend([f"{page.url} scrolls sideways: {wide} on {seen}"] if wide > seen else [])
        found.extend(f"{page.url}: {line}" for line in axe(page))

    for group in page.locator("summary").all():
        group.click()
    page.fill("[name=drawn_on]", "2026-03-01")
    page.fill("[name=alt]", "lots")
    page.get_by_role("button", name="Save results").last.click()
    look()
    for name, text in {"alt": "61", "alt_range": "7-55", "laboratory": "North Lab", "cd4": "28"}.items():
        page.fill(f"[name={name}]", text)
    page.get_by_role("button", name="Save results").last.click()
    look()
    page.get_by_role("button", name="Yes, it is right").click()
    look()
    page.get_by_role("link", name="Sunday 1 March 2026").click()
    look()
    page.goto(page.url.replace(page.url[page.url.index("/results") :], "/results/add/"))
    look()
    page.fill("[name=drawn_on]", "2026-03-01")
    page.fill("[name=cd4]", "612")
    page.get_by_role("button", name="Save results").last.click()
    page.get_by_text("Replace it with what I typed now").click()
    look()
    page.get_by_role("button", name="Save", exact=True).click()
    look()
    assert not found, "\n".join(found)
