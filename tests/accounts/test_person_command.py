"""manage.py person add: an installation without the demo."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from il2tracker.accounts.models import Patient, User
from tests import factories

pytestmark = pytest.mark.django_db


def add(monkeypatch: pytest.MonkeyPatch, *words: str, password: str = factories.PASSWORD) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    out = io.StringIO()
    call_command("person", "add", *words, stdout=out)
    return out.getvalue()


def test_an_administrator_is_added_and_can_sign_in(monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    said = add(monkeypatch, "eve@example.org", "--role=administrator", "--name=Eve")
    assert said == "eve@example.org can sign in now (administrator).\n"
    eve = User.objects.get(email="eve@example.org")
    assert (eve.is_administrator, eve.is_clinician, eve.patient_or_none) == (True, False, None)
    assert client.post("/sign-in/", {"login": eve.email, "password": factories.PASSWORD}).status_code == 302


def test_a_clinician_joins_the_clinic(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.clinic("Clinic North")
    words = ["ben@example.org", "--role=clinician", "--name=Ben", "--clinic=clinic-north", "--title=doctor"]
    add(monkeypatch, *words)
    ben = User.objects.get(email="ben@example.org")
    assert ben.memberships.get().title == "doctor"


def test_a_patient_of_a_clinic_is_shared_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    north = factories.clinic("Clinic North")
    add(monkeypatch, "a@example.org", "--role=patient", "--name=Anna", "--clinic=clinic-north")
    assert Patient.objects.get(user__email="a@example.org").sharings.get().clinic == north


def test_a_patient_without_clinic_gets_a_record_only_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "a@example.org", "--role=patient", "--name=Anna")
    assert not Patient.objects.exists()
    numbers = ["--team-phone=020 7946 0018", "--emergency-phone=999", "--zone=Europe/Berlin"]
    add(monkeypatch, "b@example.org", "--role=patient", "--name=Bert", *numbers)
    patient = Patient.objects.get()
    assert (patient.time_zone, patient.team_phone) == ("Europe/Berlin", "020 7946 0018")


@pytest.mark.parametrize(
    ("words", "password", "said"),
    [
        (["x@example.org", "--role=clinician", "--name=X"], factories.PASSWORD, "needs --clinic"),
        (["x@example.org", "--role=patient", "--name=X", "--clinic=no"], factories.PASSWORD, "Clinics here: none yet"),
        (["x@example.org", "--role=patient", "--name=X"], "short", "too short"),
        (["no address", "--role=patient", "--name=X"], factories.PASSWORD, "valid email"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(
    monkeypatch: pytest.MonkeyPatch, words: list[str], password: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        add(monkeypatch, *words, password=password)
    assert not User.objects.exists()


def test_an_address_is_taken_once_whatever_its_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch, "a@example.org", "--role=patient", "--name=Anna")
    with pytest.raises(CommandError, match="Somebody already signs in with this address"):
        add(monkeypatch, "A@Example.org", "--role=patient", "--name=Anna")
    assert User.objects.count() == 1
