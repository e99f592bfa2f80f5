"""The demo clinic behind a live server, at 21:35 in London on Saturday 21 November 2026: day 4 of Anna's course 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect

from il2tracker.demo import story
from il2tracker.demo.roles import Life
from tests import filled

NOW = datetime(2026, 11, 21, 21, 35, tzinfo=UTC)
HEIGHTS = {390: 844, 1280: 900}

expect.set_options(timeout=10_000)


@pytest.fixture
def now() -> datetime:
    """When the demo was filled and the story begins; a test may say otherwise by its own `now`."""
    return NOW


@pytest.fixture
def lives() -> tuple[Life, ...]:
    """Who lives in the clinic: Anna alone, because the whole demo takes seconds; a test may say otherwise."""
    return story.LIVES[:1]


@pytest.fixture
def clinic(
    settings: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch, now: datetime, lives: tuple[Life, ...]
) -> Iterator[Any]:
    settings.DEMO = True
    settings.DEFAULT_TIME_ZONE = "Europe/London"
    monkeypatch.setattr(story, "LIVES", lives)
    with time_machine.travel(now):
        filled.fill(now=now)
        yield live_server


@pytest.fixture
def open_browser(clinic: Any, browser: Browser, watch: Callable[[Page], Page]) -> Iterator[Callable[..., Page]]:
    """`open_browser(width=390, theme="light")`: a watched page in a browser of its own, at the sign-in."""
    contexts = []

    def start(width: int = 390, theme: str = "light") -> Page:
        context = browser.new_context(
            base_url=clinic.url,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=theme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = watch(context.new_page())
        page.goto("/")
        return page

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(open_browser: Callable[..., Page]) -> Callable[..., Page]:
    """`sign_in("patient", width=390, theme="light")`: the first page after signing in by the form."""

    def enter(name: str, **how: Any) -> Page:
        page = open_browser(**how)
        page.get_by_label("E-mail address").fill(f"{name}@demo.example")
        page.get_by_label("Password").fill(story.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")
        return page

    return enter


@pytest.fixture
def sound(axe: Callable[[Page], list[str]]) -> Callable[[Page], None]:
    """`sound(page)`: axe finds nothing in light and in dark, and nothing scrolls sideways."""

    def check(page: Page) -> None:
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            assert axe(page) == [], f"{page.url}, {theme}"
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= seen, page.url

    return check
