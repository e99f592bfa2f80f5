"""The demo clinic in a browser, on Saturday 21 November 2026 at 21:35 in London."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from playwright.sync_api import Browser, CDPSession, Page

from il2tracker.accounts.models import User
from tests import filled
from tests.looks import screens

NOT_THE_SEND = "[name=step], [name=told], [name=clear], [name=open], [name=nothing], [name=same], [aria-hidden]"
HEIGHTS = {320: 640, 390: 844, 1280: 900}
NEUTRAL = ("il-2", "interleukin", "aldesleukin", "proleukin", "hiv", "cd4", "viral", "cancer", "kidney", "injection")

SEEN = """() => ({
  title: document.title,
  headings: document.querySelectorAll("h1").length,
  inline: document.querySelectorAll("[style], style, script:not([src])").length,
  wide: document.documentElement.scrollWidth,
  window: window.innerWidth,
})"""

USUAL, LARGE = {"standard": 16, "fixed": 13}, {"standard": 32, "fixed": 26}
SMALL_PHONE = {"width": 320, "height": 640}
CUT = """() => {
  const cut = [...document.querySelectorAll("body *")].filter((one) => {
    const box = one.getBoundingClientRect();
    return (box.right > innerWidth + 1 || box.left < -1) && box.width > 1
      && !one.closest(".sr, .skip, .scroll, .eyebrow, svg, thead") && one.checkVisibility();
  });
  return [getComputedStyle(document.documentElement).fontSize, document.documentElement.scrollWidth,
    cut.slice(0, 3).map((one) => one.outerHTML.slice(0, 100))];
}"""


def with_large_letters(page: Page) -> list[str]:
    """What is cut off on a phone of 320 px whose browser is set to letters twice as large; the page stays open."""
    usual, phone = page.viewport_size or {}, page.context.new_cdp_session(page)
    _frame(phone, SMALL_PHONE, LARGE)
    letters, wide, cut = page.evaluate(CUT)
    _frame(phone, usual, USUAL)
    assert letters == f"{LARGE['standard']}px", "the browser did not take the setting"
    wrong = [f"with large letters cut off: {one}" for one in cut]
    return wrong if wide <= SMALL_PHONE["width"] else [f"with large letters it scrolls sideways: {wide} px", *wrong]


def _frame(session: CDPSession, size: dict[str, int], letters: dict[str, int]) -> None:
    session.send("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": 1, "mobile": False})
    session.send("Page.setFontSizes", {"fontSizes": letters})


@pytest.fixture
def clinic(settings: Any, live_server: Any) -> Iterator[Any]:
    """The filled demo behind a live server, whose clock stands at screens.NOW and ticks on."""
    settings.DEMO = True
    settings.DEFAULT_TIME_ZONE = "Europe/London"
    with time_machine.travel(screens.NOW):
        filled.fill(now=screens.NOW)
        yield live_server


@pytest.fixture
def visit(clinic: Any, browser: Browser, watch: Callable[[Page], Page]) -> Iterator[Callable[..., Page]]:
    """`visit(who, width=390, theme="light")`: a watched page, signed in as that person, not yet anywhere."""
    contexts = []

    def open_page(who: str, width: int = 390, theme: str = "light", **more: Any) -> Page:
        viewport = {"width": width, "height": HEIGHTS[width]}
        context = browser.new_context(
            base_url=clinic.url, viewport=viewport, color_scheme=theme, reduced_motion="reduce", **more
        )
        contexts.append(context)
        if who:
            client = Client()
            client.force_login(User.objects.get(email=who))
            session = client.cookies["d_session"].value
            context.add_cookies([{"name": "d_session", "value": session, "url": clinic.url}])
        return watch(context.new_page())

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def look(axe: Callable[[Page], list[str]]) -> Callable[..., list[str]]:
    """`look(page, screen)`: opens the screen and says in lines what is wrong with it."""

    def find(page: Page, screen: screens.Screen, picture: Path | None = None, *, is_large: bool = False) -> list[str]:
        answer = page.goto(screen.path)
        if screen.sends:
            with page.expect_navigation() as navigation:
                page.locator(f"main form [type=submit]:not({NOT_THE_SEND})").first.click()
            answer = navigation.value
        assert answer is not None
        wrong = []
        if answer.status != screen.status:
            wrong.append(f"answers {answer.status} instead of {screen.status}")
        seen = page.evaluate(SEEN)
        if any(word in seen["title"].lower() for word in NEUTRAL):
            wrong.append(f"its title says too much: {seen['title']}")
        if seen["headings"] != 1:
            wrong.append(f"it has {seen['headings']} main headings")
        if seen["inline"]:
            wrong.append("a style or script stands in the page")
        if seen["wide"] > seen["window"]:
            wrong.append(f"scrolls sideways: {seen['wide']} on {seen['window']}")
        if picture:
            picture.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=picture, full_page=True)
        wrong += axe(page)
        if is_large:
            wrong += with_large_letters(page)
        return [f"{screen.name} as {screen.who or 'nobody'} ({screen.path}): {line}" for line in wrong]

    return find
