"""Every screen as its people see it: axe, console, policy, sideways scroll, and a title that says nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.looks import screens

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


def walk(visit: Callable[..., Any], look: Callable[..., list[str]], shown: list[screens.Screen], *frames: Any) -> None:
    """Open all screens, one browser window a person, and fail with everything that is wrong at once.

    On a phone in light each is looked at in large letters too.
    """
    wrong = []
    for who, theirs in groupby(sorted(shown, key=lambda screen: screen.who), key=lambda screen: screen.who):
        own = list(theirs)
        for width, theme, folder in frames:
            page = visit(who, width, theme)
            for number, screen in enumerate(own):
                picture = folder and folder / f"{screen.file_name}-{number}-{width}-{theme}.png"
                is_large = (width, theme) == (390, "light")
                lines = look(page, screen, picture, is_large=is_large)
                wrong += [f"{width} {theme}: {line}" for line in lines]
            page.context.close()
    assert not wrong, "\n".join(wrong)


def test_every_address_is_on_the_list(clinic: Any) -> None:
    listed = {screen.name for screen in screens.all_screens()} - {"error-403", "error-404"} | set(screens.NOT_A_SCREEN)
    assert set(screens.addresses()) == listed


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (320, "dark")])
def test_the_main_screens_are_right_on_a_phone(
    visit: Callable[..., Any], look: Callable[..., list[str]], width: int, theme: str
) -> None:
    walk(visit, look, [screen for screen in screens.all_screens() if screen.is_main], (width, theme, None))


@pytest.mark.looks
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 320, 1280])
def test_every_screen_is_right_everywhere_and_leaves_a_picture(
    visit: Callable[..., Any], look: Callable[..., list[str]], width: int, theme: str
) -> None:
    walk(visit, look, screens.all_screens(), (width, theme, ROOT / "var" / "looks"))
