"""The month in a real browser: a table where there is room, a list where there is none, and never both."""

from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest
import time_machine
from django.test import Client
from playwright.sync_api import Page, expect

from tests.factories import utc

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

EVENING = utc(2026, 11, 21, 21, 35)


@pytest.fixture
def open_as(new_context, live_server, watch) -> Callable[..., Page]:
    """A page of a signed-in person at the fixed moment."""

    def open_page(user, path, width, **settings):
        client = Client()
        client.force_login(user)
        context = new_context(viewport={"width": width, "height": 844}, **settings)
        cookie = {"name": "d_session", "value": client.cookies["d_session"].value, "url": live_server.url}
        context.add_cookies([cookie])
        page = watch(context.new_page())
        page.goto(live_server.url + path)
        return page

    with time_machine.travel(EVENING):
        yield open_page


@pytest.mark.parametrize(("width", "shown"), [(320, "list"), (767, "list"), (768, "table"), (1280, "table")])
def test_a_screen_reader_meets_each_course_in_one_of_the_two(cast, on_course, open_as, width, shown):
    on_course(cast.anna_patient, cast.ben)
    page = open_as(cast.anna, "/calendar/", width)
    main = page.get_by_role("main")
    expect(main.get_by_role("table", name="November 2026")).to_have_count(int(shown == "table"))
    expect(main.get_by_role("link", name="Course 1")).to_have_count(1)
    assert page.locator(".agenda").is_visible() == (shown == "list")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if shown == "table":
        today = main.get_by_role("cell", name="Saturday 21 November")
        expect(today).to_have_attribute("aria-current", "date")
        expect(main.get_by_role("columnheader")).to_have_count(7)


def test_the_days_of_a_course_make_one_bar(cast, on_course, open_as):
    on_course(cast.anna_patient, cast.ben)
    page = open_as(cast.anna, "/calendar/", 1280)
    boxes = [bit.bounding_box() for bit in page.locator(".bit--course").all()]
    assert len(boxes) == 5
    assert len({(round(box["y"]), round(box["height"])) for box in boxes}) == 1
    for one, following in pairwise(boxes):
        assert following["x"] - (one["x"] + one["width"]) <= 1.5


def test_the_months_are_walked_by_keyboard(cast, on_course, open_as):
    on_course(cast.anna_patient, cast.ben)
    page = open_as(cast.anna, "/calendar/", 1280, java_script_enabled=False)
    page.get_by_role("link", name="December 2026").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("December 2026")
    page.get_by_role("navigation", name="Month").get_by_role("link", name="Today").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("November 2026")


def test_five_tabs_fit_side_by_side_on_the_smallest_phone(cast, open_as):
    page = open_as(cast.anna, "/calendar/", 320)
    tabs = page.get_by_role("navigation", name="Main").get_by_role("link")
    assert [tab.inner_text().strip() for tab in tabs.all()] == ["Today", "Record", "Calendar", "Results", "More"]
    boxes = [tab.bounding_box() for tab in tabs.all()]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert all(tab.evaluate("(one) => one.scrollWidth <= one.clientWidth") for tab in tabs.all())
    expect(tabs.nth(2)).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("javascript", [True, False])
def test_the_chosen_titles_are_seen_before_they_are_saved_and_the_link_once(cast, on_course, open_as, javascript):
    on_course(cast.anna_patient, cast.ben, date(2026, 11, 18))
    page = open_as(cast.anna, "/settings/calendar/", 390, java_script_enabled=javascript)
    preview = page.locator(".preview")
    expect(preview.get_by_text("Injection 7.5 million units")).to_be_hidden()
    page.get_by_role("radio", name="Full").check()
    expect(preview.get_by_text("Injection 7.5 million units")).to_be_visible()
    expect(preview.get_by_text("Course day 4")).to_be_hidden()
    page.get_by_role("button", name="Make my link").click()
    expect(page.locator("#address")).to_contain_text(".ics")
    page.reload()
    expect(page.locator("#address")).to_have_count(0)
    expect(page.get_by_role("radio", name="Full")).to_be_checked()
