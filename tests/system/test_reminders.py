"""What a day would bring, and a test mail, on the administrator's page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from il2tracker.accounts.actions import create_user
from il2tracker.accounts.models import User
from il2tracker.reminders.models import Reminder

pytestmark = pytest.mark.django_db
PAGE = "/system/reminders/"
NOON = datetime(2026, 11, 25, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def eve() -> User:
    return create_user(by=None, email="eve@diary.example", name="Eve", is_staff=True)


def press(eve: User, seconds: int) -> Any:
    with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
        client = Client()
        client.force_login(eve)
        return client.post(f"{PAGE}test/", follow=True)


def test_the_second_press_in_a_minute_is_told_that_the_first_one_counts(eve: User) -> None:
    """R22: what it says is what it did."""
    assert "A test mail is on its way." in press(eve, 0).content.decode()
    again = press(eve, 20).content.decode()
    assert "One test mail a minute" in again
    assert "on its way" not in again
    assert Reminder.objects.count() == 1
    assert "on its way" in press(eve, 61).content.decode()


@pytest.mark.parametrize("on", ["", "2026-11-25", "soon"])
def test_the_day_is_chosen_from_a_calendar(client: Client, eve: User, on: str) -> None:
    client.force_login(eve)
    with time_machine.travel(NOON, tick=False):
        text = client.get(PAGE, {"on": on} if on else {}).content.decode()
    assert f'type="date" value="{on or "2026-11-25"}"' in text
    assert "as 2026-11-25" not in text


def test_a_day_that_cannot_be_shown_gets_words_for_people(client: Client, eve: User) -> None:
    client.force_login(eve)
    assert "Give a day from today to a year ahead." in client.get(PAGE, {"on": "2020-01-01"}).content.decode()
