"""What can be seen without a browser: nothing inline, nothing heavy, nothing that the failure page could miss."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
PAGES = [file for file in (ROOT / "templates").rglob("*.html") if "emails" not in file.parts]
FIRST_VIEW = [
    "vendor/bootstrap.min.css",
    *[f"css/{name}.css" for name in ("tokens", "base", "diary", "data", "clinic")],
    "js/diary.js",
    "img/icons.svg",
    "img/favicon.svg",
]
HOOKS = {"patient", "check-in", "place-map", "sheet--map"}
"""Classes that scripts, tests or later rules hold on to."""
FONT = STATIC / "fonts" / "atkinson-hyperlegible-next-latin-wght-normal.woff2"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "templates")))
def test_no_page_holds_a_style_or_a_script_of_its_own(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


def test_no_page_names_a_class_that_no_stylesheet_knows() -> None:
    sheets = [*(STATIC / "css").glob("*.css"), STATIC / "vendor" / "bootstrap.min.css"]
    known = {name for sheet in sheets for name in re.findall(r"\.([a-zA-Z_][\w-]*)", sheet.read_text(encoding="utf-8"))}
    for page in PAGES:
        text = re.sub(r"[\w-]*{{.*?}}[\w-]*|{%.*?%}", " ", page.read_text(encoding="utf-8"))
        named = {name for names in re.findall(r'class="([^"]*)"', text) for name in names.split()}
        assert named <= known | HOOKS, f"{page.name}: {named - known - HOOKS}"


def test_the_first_view_weighs_less_than_100_kb() -> None:
    packed = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in FIRST_VIEW)
    assert packed + FONT.stat().st_size < 100_000


def test_our_script_stays_small() -> None:
    assert (STATIC / "js" / "diary.js").stat().st_size <= 10_000


def test_no_stylesheet_names_a_file_that_is_not_there() -> None:
    for sheet in STATIC.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text
        for name in re.findall(r'url\("?([^")]+)"?\)', text):
            assert name.startswith(("data:", "#")) or (sheet.parent / name).is_file(), f"{sheet.name}: {name}"


def test_everything_taken_from_others_stands_beside_its_licence() -> None:
    for folder in ("fonts", "vendor", "img"):
        assert list((STATIC / folder).glob("LICENSE-*.txt")), folder


def test_the_failure_page_needs_nothing_but_files() -> None:
    text = (ROOT / "templates" / "500.html").read_text(encoding="utf-8")
    assert set(re.findall(r"{[%{]\s*(\w+)", text)) == {"comment", "endcomment"}
    for name in re.findall(r'"/static/([^"]+)"', text):
        assert (STATIC / name).is_file()
