"""Pages of Today at a fixed moment: Saturday 21 November 2026, 9:35pm in London."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from cycles.models import Plan, PlannedDose
from cycles.plan_actions import open_next_cycle
from il2tracker.accounts.models import Patient, User
from tests import factories
from tests.factories import utc

EVENING = utc(2026, 11, 21, 21, 35)


@pytest.fixture
def cast() -> factories.Cast:
    return factories.cast()


@pytest.fixture
def see(client: Client) -> Callable[..., Any]:
    """`see(user, path, at)`: the answer, with `.text` as a person reads it."""

    def visit(user: User, path: str = "/", at: datetime = EVENING, **data: Any) -> Any:
        with time_machine.travel(at, tick=False):
            client.force_login(user)
            answer = client.post(path, data) if data else client.get(path)
        answer.text_read = readable(answer.content.decode())
        return answer

    return visit


def readable(page: str) -> str:
    """The words of a page in one line, without the tags."""
    body = re.sub(r"<(head|title|desc)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture
def on_course() -> Callable[..., Plan]:
    """`on_course(patient, by, starts_on)`: a plan, everything due before `until` recorded except `open_doses`."""

    def make(
        patient: Patient,
        by: User,
        starts_on: date = date(2026, 11, 18),
        *,
        until: datetime = EVENING,
        open_doses: tuple[tuple[int, str], ...] = (),
        **terms: Any,
    ) -> Plan:
        with time_machine.travel(utc(2026, 1, 1), tick=False):
            plan = factories.plan(patient, by, starts_on=starts_on, **terms)
        open_next_cycle(plan=plan, today=patient.today(until), past=True)
        for dose in PlannedDose.objects.filter(patient=patient, due_at__lt=until):
            if (dose.day, dose.slot) not in open_doses:
                factories.injection(patient, patient.user, dose, now=dose.due_at, site="tfr")
        return plan

    return make
