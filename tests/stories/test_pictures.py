"""The pictures of README.md, taken from the running application. Only `make pictures` keeps them."""

import os
import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "pictures"


@pytest.fixture
def folder(tmp_path):
    return KEPT if os.environ.get("IL2_PICTURES") == "1" else tmp_path


def test_the_pictures_of_the_readme_can_be_taken_at_any_time(sign_in, folder):
    phone = sign_in("patient", width=390)
    phone.screenshot(path=folder / "today-390.png")
    screen = sign_in("patient", width=1280)
    screen.goto("/results/trend/")
    screen.screenshot(path=folder / "results-1280.png")
    clinic = sign_in("nurse", width=1280)
    clinic.screenshot(path=folder / "panel-1280.png")
    named = re.findall(r"docs/pictures/([\w-]+\.png)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(picture.name for picture in folder.iterdir())


def test_the_readme_names_only_pictures_that_are_there():
    named = re.findall(r"\((docs/[^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert named
    assert all((ROOT / path).is_file() for path in named)
