"""Emptying the demo and filling it anew, with real transactions and the append-only triggers in place."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from cycles.models import Injection, Protocol
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from il2tracker.audit.models import AuditEvent
from il2tracker.demo import actions, living, story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def demo_mode(settings, monkeypatch):
    """Anna alone is enough here; the whole clinic is read in test_story.py."""
    settings.DEMO = True
    monkeypatch.setattr(story, "LIVES", story.LIVES[:1])


def reset():
    call_command("demo", "--reset", stdout=StringIO())


def test_a_reset_brings_the_first_state_back_and_drops_what_was_added():
    actions.fill(now=timezone.now())
    before = Injection.objects.count(), Patient.objects.count(), Protocol.objects.count()
    event = log.record(action="tests.added", by=None)
    Patient.objects.create(time_zone="UTC", name="Imported")
    reset()
    assert before == (Injection.objects.count(), Patient.objects.count(), Protocol.objects.count())
    assert not AuditEvent.objects.filter(pk=event.pk, action="tests.added").exists()
    assert User.objects.filter(is_demo=True).count() == User.objects.count() > 0


def test_a_reset_of_an_empty_database_fills_it():
    reset()
    assert Patient.objects.exists()


def test_the_log_is_append_only_again_after_a_reset():
    reset()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AuditEvent.objects.all().delete()


def test_a_reset_that_fails_half_way_leaves_everything_as_it_was(monkeypatch):
    actions.fill(now=timezone.now())
    before = Injection.objects.count()
    monkeypatch.setattr(living, "_inject", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        actions.reset(now=timezone.now())
    assert Injection.objects.count() == before
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AuditEvent.objects.all().delete()
