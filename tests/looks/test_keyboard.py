"""The Tab key reaches everything, and what has the focus is never hidden behind the bar at the bottom (WCAG 2.4.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.looks import screens

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

REACHABLE = "a[href], button, select, textarea, summary, input:not([type=hidden])"
FOCUS = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const row = here.closest("label, .chip, .choice") ?? here;
  const seen = row.getBoundingClientRect();
  const bar = document.querySelector(".tabs, .actionbar");
  const inBar = bar?.contains(here) ?? false;
  const fixed = bar && getComputedStyle(bar).position === "fixed";
  const floor = fixed && !inBar ? bar.getBoundingClientRect().top : innerHeight;
  const ring = [row, here].some((part) => getComputedStyle(part).outlineStyle !== "none");
  here.dataset.walked = "yes";
  return {what: here.outerHTML.slice(0, 120), hidden: seen.bottom <= 0 || seen.top >= floor, ring};
}"""


def walk(page: Page, at_most: int = 250) -> list[dict[str, Any]]:
    """Press Tab until the page is left: what had the focus, in order."""
    steps = []
    for _press in range(at_most):
        page.keyboard.press("Tab")
        step = page.evaluate(FOCUS)
        if step is None:
            return steps
        steps.append(step)
    raise AssertionError(f"the Tab key never leaves {page.url}")


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.looks)])
def test_tab_reaches_everything_and_the_focus_is_always_seen(visit: Callable[..., Page], width: int) -> None:
    wrong = []
    for screen in screens.all_screens():
        if not screen.is_main:
            continue
        page = visit(screen.who, width)
        page.goto(screen.path)
        steps = walk(page)
        wrong += [f"{screen.path} {width}: hidden: {step['what']}" for step in steps if step["hidden"]]
        wrong += [f"{screen.path} {width}: no ring: {step['what']}" for step in steps if not step["ring"]]
        missed = (
            page.locator(REACHABLE)
            .filter(visible=True)
            .evaluate_all(
                """(all) => all.filter((one) => !one.dataset.walked && one.tabIndex >= 0 && !one.disabled
                 && !(one.type === "radio" && one.name)).map((one) => one.outerHTML.slice(0, 120))"""
            )
        )
        wrong += [f"{screen.path} {width}: not reached: {one}" for one in missed]
        page.context.close()
    assert not wrong, "\n".join(wrong)


def test_the_first_tab_offers_to_skip_to_the_page(visit: Callable[..., Page]) -> None:
    page = visit(screens.ANNA)
    page.goto("/settings/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_the_summary_of_errors_has_the_focus_and_its_links_lead_into_the_box(visit: Callable[..., Page]) -> None:
    page = visit(screens.ANNA)
    page.goto("/settings/details/")
    page.fill("#id_name", "")
    page.click("main [type=submit]")
    assert page.locator(".error-summary").evaluate("(summary) => summary === document.activeElement")
    page.click(".error-summary a")
    assert page.locator("#id_name").evaluate("(box) => box === document.activeElement")


def test_a_form_goes_once_however_often_it_is_tapped(visit: Callable[..., Page]) -> None:
    page = visit(screens.ANNA)
    page.goto("/settings/display/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    page.locator("main [type=submit]").dblclick()
    page.get_by_text("this is how your pages look now").wait_for()
    assert sent == ["POST"]


def test_everything_works_without_a_script(visit: Callable[..., Page]) -> None:
    page = visit(screens.ANNA, java_script_enabled=False)
    page.goto("/settings/display/")
    page.get_by_label("Dark").check()
    page.locator("main [type=submit]").click()
    assert page.get_by_text("this is how your pages look now").is_visible()
    assert page.locator("html").get_attribute("data-theme") == "dark"
