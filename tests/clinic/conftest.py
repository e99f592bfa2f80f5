"""The clinician's pages at a fixed moment: Saturday 21 November 2026, 9:35pm in London."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from cycles.models import PlannedDose
from cycles.plan_actions import open_next_cycle
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.actions import raise_alert
from il2tracker.alerts.models import Alert
from labs import written
from labs.actions import Drawn, add_results, save
from labs.models import Analyte, LabResult
from sideeffects.actions import Answers, record_check_in
from tests import factories
from tests.factories import utc

NOW = utc(2026, 11, 21, 21, 35)
TODAY = date(2026, 11, 21)


@pytest.fixture
def cast() -> factories.Cast:
    return factories.cast()


@pytest.fixture
def see(client: Client) -> Callable[..., Any]:
    """`see(user, path, at)`: the answer, with `.text_read` as a person reads it."""

    def visit(user: User, path: str = "/people/", at: datetime = NOW, **data: Any) -> Any:
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
def north(cast: factories.Cast) -> North:
    return North(cast)


class North:
    """Patients of Clinic North, made day by day before TODAY."""

    def __init__(self, cast: factories.Cast) -> None:
        self.cast = cast

    def patient(self, name: str, *, started: int | None = None, recorded: bool = True, **plan: Any) -> Patient:
        """A patient with an account; `started` = days since the plan's first day (negative: still to come)."""
        person = factories.user(name)
        patient = accounts.create_patient(
            by=self.cast.ben, clinic=self.cast.north, user=person, birth_year=1970, earlier_il2="never"
        )
        if started is not None:
            self.plan(patient, started, recorded=recorded, **plan)
        return patient

    def plan(self, patient: Patient, started: int, *, recorded: bool = True, **plan: Any) -> None:
        """A plan that began so many days ago, with everything due recorded or nothing."""
        with time_machine.travel(utc(2026, 1, 1), tick=False):
            made = factories.plan(patient, self.cast.ben, starts_on=TODAY - timedelta(days=started), **plan)
        open_next_cycle(plan=made, today=TODAY, past=True)
        for dose in PlannedDose.objects.filter(patient=patient, due_at__lt=NOW) if recorded else ():
            factories.injection(patient, patient.user, dose, now=dose.due_at, site="tfr")

    def alert(self, patient: Patient, tier: str, title: str, *, minutes: int) -> Alert:
        """An open alert, raised so many minutes ago."""
        return raise_alert(
            by=patient.user,
            patient=patient,
            rule="T2",
            tier=tier,
            title=title,
            evidence="38.6 °C at 9:20pm.",
            source="sideeffects.checkin",
            source_ref=uuid4().hex[:10],
            now=NOW - timedelta(minutes=minutes),
        )

    def result(self, patient: Patient, days_ago: int, *, cd4: str = "612", load: str = "<20") -> None:
        """A draw of both tests."""
        tests = {test.code: test for test in Analyte.objects.all()}
        typed = {"cd4": cd4, "hiv_rna": load}
        readings = {tests[code]: written.parse(tests[code].rule, text) for code, text in typed.items() if text}
        drawn = Drawn(TODAY - timedelta(days=days_ago))
        add_results(by=self.cast.ben, patient=patient, drawn=drawn, readings=readings, now=NOW)

    def measured(self, patient: Patient, test: str, value: str, printed: str, *, days_ago: int = 1, **more: Any) -> Any:
        """A safety test with the range printed beside it, entered at `at` by `by` (now, the patient)."""
        analyte = Analyte.objects.get(code=test)
        facts = {"zone": "Europe/London", "source": "patient", "entered_by": patient.user, **more}
        at = facts.pop("at", NOW)
        result = LabResult(
            patient=patient,
            analyte=analyte,
            value=value,
            unit=analyte.canonical_unit,
            raw=value,
            printed_range=printed,
            drawn_on=TODAY - timedelta(days=days_ago),
            fingerprint=f"{test} {value} {days_ago}",
            **facts,
        )
        with time_machine.travel(at, tick=False):
            save(facts["entered_by"], result)
        return result

    def check_in(self, patient: Patient, *, hours_ago: int = 0, **answers: Any) -> None:
        """What the patient said."""
        at = NOW - timedelta(hours=hours_ago)
        answers = {"none_of_flags": True, **answers}
        record_check_in(by=patient.user, patient=patient, key=uuid4(), answers=Answers(**answers), now=at)
