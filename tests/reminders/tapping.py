"""An evening on which a mail with one-tap addresses has come: Wednesday 3 March 2027, London, injection at 22:00."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.test import Client

from cycles.models import PlannedDose
from il2tracker.accounts.models import SecretLink
from il2tracker.reminders import one_tap, planning, tokens
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import Cast

START, SIGNED = date(2027, 3, 3), datetime(2027, 1, 4, 12, tzinfo=UTC)
SLOT = datetime(2027, 3, 3, 22, tzinfo=UTC)
MAILED, NOW = SLOT - timedelta(minutes=15), SLOT + timedelta(minutes=5)


def evening(cast: Cast, **terms: Any) -> PlannedDose:
    """Anna's injection of 22:00; the one of the morning is recorded."""
    factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=SIGNED, **terms)
    morning, tonight = PlannedDose.objects.filter(patient=cast.anna_patient).order_by("due_at")[:2]
    factories.injection(cast.anna_patient, cast.anna, morning, now=morning.due_at + timedelta(minutes=1))
    return tonight


def row(dose: PlannedDose, kind: str = "injection_due", now: datetime = MAILED) -> Reminder:
    """The planned reminder of a slot, as a sender has it in hand."""
    planning.plan(now)
    rows = Reminder.objects.select_related("recipient", "patient")
    return rows.get(kind=kind, occurrence__startswith=f"c{dose.cycle_id}/d{dose.day}/{dose.slot}")


def path(url: str) -> str:
    """What a browser asks for."""
    return urlsplit(url).path


def mailed(dose: PlannedDose, purpose: str = "done", kind: str = "injection_due", now: datetime = MAILED) -> str:
    """The address in the mail, without its host."""
    return path(one_tap.links(row(dose, kind, now), now)[f"{purpose}_url"])


def link_of(address: str) -> SecretLink:
    """The row behind an address."""
    return SecretLink.objects.get(token_hash=tokens.digest(address.removeprefix("/n/")))


def undo_path(page: str) -> str:
    """Where the button of the result page leads."""
    found = re.search(r'<form method="post" action="([^"]+)"', page)
    assert found
    return found[1]


def everything() -> dict[str, Any]:
    """Every row of every table, so that nothing can have changed unseen."""
    models = apps.get_models(include_auto_created=True)
    return {model._meta.label: sorted(map(repr, model._default_manager.values_list())) for model in models}


def stranger(**how: Any) -> Client:
    """A browser that nobody has signed in with."""
    return Client(**how)
