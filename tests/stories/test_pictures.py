"""The pictures of README.md, taken from the running application. Only `make pictures` keeps them."""

import os
import re
from pathlib import Path
from uuid import uuid4

import pytest

from il2tracker.accounts.models import Patient
from il2tracker.demo import story
from il2tracker.reminders import heartbeat
from il2tracker.reminders.models import Heartbeat
from sideeffects import actions as sideeffects
from tests.stories.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "pictures"


@pytest.fixture
def folder(tmp_path):
    return KEPT if os.environ.get("IL2_PICTURES") == "1" else tmp_path


@pytest.fixture
def lives():
    """Everybody."""
    return story.LIVES


@pytest.fixture
def working(clinic):
    """As if the worker had just looked: no picture shows the warning that it is silent."""
    heartbeat.planned(NOW)
    Heartbeat.objects.update(swept_at=NOW)


def report_less_urine():
    anna = Patient.objects.get(user__email="patient@demo.example")
    answers = sideeffects.Answers(flags=frozenset({"urine_less"}))
    sideeffects.record_check_in(by=anna.user, patient=anna, key=uuid4(), answers=answers, now=NOW)


def test_the_pictures_of_the_readme_can_be_taken_at_any_time(working, sign_in, folder):
    phone = sign_in("patient", width=390)
    phone.screenshot(path=folder / "today-390.png")
    screen = sign_in("patient", width=1280)
    screen.goto("/results/trend/")
    screen.set_viewport_size({"width": 1280, "height": 1700})
    screen.screenshot(path=folder / "results-1280.png")
    screen.goto("/calendar/")
    screen.set_viewport_size({"width": 1280, "height": 900})
    screen.screenshot(path=folder / "calendar-1280.png")
    report_less_urine()
    clinic = sign_in("nurse", width=1280)
    clinic.screenshot(path=folder / "panel-1280.png")
    clinic.goto("/people/7KQM/plan/change/")
    clinic.get_by_role("textbox", name="Each injection").fill("6")
    clinic.screenshot(path=folder / "plan-1280.png")
    shown = re.findall(r"docs/pictures/([\w-]+\.png)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(picture.name for picture in folder.iterdir())
    assert all((KEPT / name).is_file() for name in shown)
