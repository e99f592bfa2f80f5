"""Contrast of every pair of colours used together, in light and dark, from the stylesheet itself (WCAG 1.4.3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css"
TOKENS = (CSS / "tokens.css").read_text(encoding="utf-8")
GROUNDS = ("canvas", "surface", "sunken")


def block(selector: str) -> dict[str, str]:
    """name → hex of the first block that `selector` opens."""
    body = TOKENS.split(f"{selector} {{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--c-([a-z0-9-]+): (#[0-9A-F]{6});", body))


LIGHT = block(":root")
DARK = LIGHT | block(':root[data-theme="dark"]')
THEMES = {"light": LIGHT, "dark": DARK}


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #RRGGBB colours."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-2", "accent", "danger") for ground in GROUNDS],
    *[(state, f"{state}-soft") for state in ("ok", "warn", "danger", "info", "accent")],
    *[("ink", f"{state}-soft") for state in ("ok", "warn", "danger", "info", "accent")],
    ("ink-2", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent-strong", "accent-soft"),
    ("on-danger", "danger"),
    ("on-emergency", "emergency"),
    ("ink", "band"),
    *[(f"on-sev-{step}", f"sev-{step}") for step in range(4)],
    ("threshold", "surface"),
]
SHAPES = [
    *[("field", ground) for ground in GROUNDS],
    ("cd4", "surface"),
    ("cd4", "band"),
    ("vl", "surface"),
    ("vl", "band"),
    ("skin-line", "surface"),
    ("focus", "focus-ring"),
    ("danger", "surface"),
    ("accent", "canvas"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_has_a_contrast_of_at_least_4_5(theme: str, ink: str, ground: str) -> None:
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_shapes_that_mean_something_have_a_contrast_of_at_least_3(theme: str, shape: str, ground: str) -> None:
    assert contrast(THEMES[theme][shape], THEMES[theme][ground]) >= 3


@pytest.mark.parametrize("ground", GROUNDS)
def test_one_of_the_two_focus_rings_stands_out_on_every_ground(ground: str) -> None:
    for colours in THEMES.values():
        assert max(contrast(colours[ring], colours[ground]) for ring in ("focus", "focus-ring")) >= 3


def test_the_two_ways_to_dark_are_the_same() -> None:
    assert block(':root:not([data-theme="light"])') == block(':root[data-theme="dark"]')


def test_every_token_that_is_used_exists_and_no_other_file_holds_a_colour() -> None:
    known = set(re.findall(r"(--[a-z0-9-]+):", TOKENS))
    for file in CSS.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        own = set(re.findall(r"(--[a-z0-9-]+):", text))
        used = set(re.findall(r"var\((--[a-z0-9-]+)", text))
        assert used <= known | own, f"{file.name}: {used - known - own}"
        if file.name != "tokens.css":
            assert not re.search(r":[^;{]*#[0-9A-Fa-f]{3,8}\b", text), file.name
            assert not re.search(r"\b(rgb|hsl)a?\(", text), file.name


def test_the_known_black_and_white_have_the_known_contrast() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
