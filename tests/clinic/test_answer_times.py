"""How fast a clinic acknowledges: the middle, the longest, and what waited too long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Sharing
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.clinic import answer_times
from il2tracker.clinic.answer_times import Waited, measure
from tests import factories
from tests.factories import Cast, utc

NOW = utc(2026, 11, 21, 12)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LIMIT = 15 * MINUTE


def waited(minutes: float | None, *, ago: timedelta = DAY, is_urgent: bool = True) -> Waited:
    raised = NOW - ago
    return Waited(raised, None if minutes is None else raised + timedelta(minutes=minutes), is_urgent)


def urgent(*alerts: Waited, days: int = 30) -> answer_times.Times:
    return measure(alerts, days, LIMIT, NOW, is_urgent=True)


def test_the_middle_and_the_longest_of_those_that_somebody_acknowledged() -> None:
    found = urgent(waited(2), waited(4), waited(90), waited(None))
    assert (found.count, found.middle, found.longest, found.open) == (4, 4 * MINUTE, 90 * MINUTE, 1)


def test_of_an_even_number_the_middle_lies_between() -> None:
    assert urgent(waited(2), waited(5)).middle == 3.5 * MINUTE


@pytest.mark.parametrize(("minutes", "late"), [(15, 0), (15.1, 1), (None, 1)])
def test_late_is_what_nobody_acknowledged_in_the_clinics_minutes(minutes: float | None, late: int) -> None:
    assert urgent(waited(minutes)).late == late


@pytest.mark.parametrize(("ago", "late"), [(15 * MINUTE, 0), (16 * MINUTE, 1)])
def test_what_is_still_open_is_not_late_before_its_minutes_are_over(ago: timedelta, late: int) -> None:
    assert urgent(waited(None, ago=ago)).late == late


@pytest.mark.parametrize(("ago", "days", "count"), [(29, 30, 1), (30, 30, 0), (30, 90, 1), (90, 90, 0)])
def test_each_window_holds_its_own_days(ago: int, days: int, count: int) -> None:
    assert urgent(waited(2, ago=ago * DAY), days=days).count == count


def test_urgent_ones_and_those_to_call_about_stand_apart() -> None:
    both = [waited(2), waited(300, is_urgent=False)]
    assert measure(both, 30, LIMIT, NOW, is_urgent=True).longest == 2 * MINUTE
    amber = measure(both, 30, LIMIT, NOW, is_urgent=False)
    assert (amber.middle, amber.longest) == (300 * MINUTE, 300 * MINUTE)
    assert amber.late is None, "the minutes are for urgent ones: a call in the morning is in time"


def test_without_any_there_is_no_time_and_not_nought() -> None:
    found = urgent()
    assert (found.count, found.middle, found.longest, found.late) == (0, None, None, 0)
    assert found.middle_words == found.longest_words == ""


# On the page


def raised(patient: Any, by: Any, tier: str, minutes: int | None, ben: Any) -> None:
    alert = factories.alert(patient, by, tier=tier)
    Alert.objects.filter(pk=alert.pk).update(raised_at=timezone.now() - DAY)
    if minutes is not None:
        alert.refresh_from_db()
        alerts.acknowledge(by=ben, alert=alert, now=alert.raised_at + minutes * MINUTE)


def rows(client: Client, cast: Cast) -> list[list[str]]:
    client.force_login(cast.ben)
    found = client.get(reverse("clinic:answer_times")).context["clinics"]
    return [
        [each.middle_words, each.longest_words, str(each.late), str(each.open)]
        for answers in found
        for each in answers.times
    ]


@pytest.mark.django_db
def test_the_page_says_it_for_each_tier_and_window(client: Client) -> None:
    cast = factories.cast()
    for minutes in (3, 7, 120, None):
        raised(cast.anna_patient, cast.anna, "RED", minutes, cast.ben)
    raised(cast.dan_patient, cast.dan, "AMBER", 600, cast.ben)
    red, amber = ["7 minutes", "2 hours", "2", "1"], ["10 hours", "10 hours", "None", "0"]
    assert rows(client, cast) == [red, red, amber, amber]
    page = client.get(reverse("clinic:answer_times")).content.decode()
    assert "Not within 15 minutes" in page
    assert "Anna" not in page


@pytest.mark.django_db
def test_patients_of_others_and_those_who_stopped_sharing_do_not_count(client: Client) -> None:
    cast = factories.cast()
    raised(cast.anna_patient, cast.anna, "RED", 3, cast.ben)
    Sharing.objects.filter(patient=cast.anna_patient).update(revoked_at=timezone.now())
    assert rows(client, cast)[0] == ["", "", "0", "0"]


@pytest.mark.django_db
def test_as_many_statements_for_many_alerts_as_for_one(client: Client) -> None:
    cast = factories.cast()

    def statements() -> int:
        rows(client, cast)  # signs in
        with CaptureQueriesContext(connection) as asked:
            rows(client, cast)
        return len(asked)

    raised(cast.anna_patient, cast.anna, "RED", 3, cast.ben)
    one = statements()
    accounts.join_clinic(by=cast.eve, clinic=cast.south, user=cast.ben, title="nurse")
    for minutes in range(12):
        raised(cast.dan_patient, cast.dan, "AMBER", minutes, cast.ben)
    assert statements() == one
