"""The trend in a browser: read point by point by keyboard and pointer, complete without the script, on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.looks.screens import ANNA, BEN

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]
CD4 = "[data-chart=cd4] .plot.wide svg.points"
SAID = re.compile(r"^[\w, ]+, \w+day \d+ \w+ 2026, [\w ]+$")


@pytest.fixture
def trend(visit: Callable[..., Page]) -> Page:
    page = visit(ANNA, 1280)
    page.goto("/results/trend/")
    return page


def said(page: Page) -> str:
    return page.locator("[data-chart-read]").inner_text()


def test_the_arrow_keys_move_from_point_to_point_and_enter_goes_to_the_row(trend: Page) -> None:
    trend.locator(CD4).focus()
    assert said(trend) == "612, reliable, Wednesday 4 November 2026"
    expect(trend.locator(f"{CD4} .c-read text")).to_have_text(["612, reliable", "Wednesday 4 November 2026"])
    trend.keyboard.press("ArrowLeft")
    assert said(trend) == "840, too soon, Wednesday 14 October 2026"
    trend.keyboard.press("Home")
    assert said(trend).startswith("388, before any injection")
    trend.keyboard.press("ArrowLeft")
    assert said(trend).startswith("388")
    trend.keyboard.press("End")
    trend.keyboard.press("Enter")
    target = trend.evaluate("document.querySelector(':target').textContent")
    assert "Wednesday 4 November 2026" in target
    trend.keyboard.press("Escape")
    expect(trend.locator(f"{CD4} .c-read")).to_have_count(0)


def test_a_chart_is_one_stop_of_the_tab_key(trend: Page) -> None:
    stops = trend.evaluate("[...document.querySelectorAll('.plot.wide [tabindex=\"0\"]')].map(e => e.localName)")
    assert stops == ["svg", "svg"]
    assert trend.locator(".plot.wide a:not([tabindex])").count() == 0


def test_the_pointer_reads_the_nearest_point(trend: Page) -> None:
    chart = trend.locator(CD4)
    chart.scroll_into_view_if_needed()
    point = trend.locator(f"{CD4} a").nth(-1).bounding_box()
    assert point is not None
    trend.mouse.move(point["x"] + 20, point["y"] + 20)
    assert said(trend) == "612, reliable, Wednesday 4 November 2026"
    trend.mouse.move(5, 5)
    expect(trend.locator(f"{CD4} .c-read")).to_have_count(0)


@pytest.mark.parametrize("key", ["cd4", "hiv_rna"])
def test_what_is_read_out_is_what_the_links_say_without_the_script(trend: Page, key: str) -> None:
    chart = f"[data-chart={key}] .plot.wide svg.points"
    labels = [link.get_attribute("aria-label") for link in trend.locator(f"{chart} a").all()]
    trend.locator(chart).focus()
    trend.keyboard.press("Home")
    for label in labels:
        value, day, _word = label.split(", ")
        assert said(trend).startswith(value)
        assert said(trend).endswith(day)
        trend.keyboard.press("ArrowRight")


def test_without_the_script_every_point_leads_to_its_row(visit: Callable[..., Page]) -> None:
    page = visit(ANNA, 390, java_script_enabled=False)
    page.goto("/results/trend/")
    shown = page.locator("[data-chart=cd4] .plot.narrow svg.points a")
    rows = page.locator("td[data-test=cd4]:not(:empty)")
    assert shown.count() == rows.count() > 5
    for link in shown.all():
        assert SAID.match(link.get_attribute("aria-label") or "")
        assert page.locator(link.get_attribute("href") or "").count() == 1
    assert page.locator("[data-chart=cd4] .plot.narrow a:not([tabindex])").count() == 1


@pytest.mark.parametrize("who", [ANNA, BEN])
def test_on_paper_are_name_dates_drawings_and_table_and_no_navigation(
    visit: Callable[..., Page], who: str, tmp_path: Path
) -> None:
    page = visit(who, 1280, "dark")
    page.goto("/results/trend/" if who == ANNA else "/people/7KQM/results/trend/")
    page.emulate_media(media="print")
    for text in ("Anna", "Printed on Saturday 21 November 2026", "Results up to Wednesday 4 November 2026"):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.locator(".plot.wide").first).to_be_visible()
    expect(page.locator("table.ledger").last).to_be_visible()
    for hidden in (".tabs", ".ranges", ".points", ".plot.narrow", ".topbar", ".actions", ".back"):
        assert all(not each.is_visible() for each in page.locator(hidden).all()), hidden
    page.pdf(path=tmp_path / "trend.pdf")
    assert (tmp_path / "trend.pdf").stat().st_size > 10_000


def test_the_read_out_leaves_the_page_without_faults(trend: Page, axe: Callable[[Page], list[str]]) -> None:
    trend.locator(CD4).focus()
    assert axe(trend) == []
    assert not any(Path(name).suffix == "" for name in _scripts(trend))


def _scripts(page: Page) -> list[Any]:
    return page.evaluate("[...document.scripts].map(script => script.src)")
