"""The demo is filled by the real actions, only where invented people may live, and a second time not at all."""

import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cycles.models import Cycle, Injection, PlannedDose
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.audit.models import AuditEvent
from il2tracker.demo import actions, story
from tests import factories

pytestmark = pytest.mark.django_db


EVERYBODY = story.LIVES


@pytest.fixture(autouse=True)
def demo_mode(settings, monkeypatch):
    """Anna alone is enough here; the whole clinic is read in test_story.py."""
    settings.DEMO = True
    settings.DEFAULT_TIME_ZONE = "Europe/London"
    monkeypatch.setattr(story, "LIVES", EVERYBODY[:1])


def said(*arguments):
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def anna():
    return Patient.objects.get(user__email="patient@demo.example")


@pytest.mark.parametrize(("hour", "minute", "recorded"), [(9, 59, 6), (10, 0, 7), (23, 59, 7)])
def test_the_morning_of_day_4_is_recorded_only_when_it_is_past_and_the_evening_never(hour, minute, recorded):
    actions.fill(now=factories.utc(2026, 11, 21, hour, minute))
    assert Injection.objects.of(anna()).filter(planned_dose__cycle__number=3).count() == recorded


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_dates_and_hours_are_those_of_the_installations_zone(settings, zone):
    settings.DEFAULT_TIME_ZONE = zone
    now = factories.utc(2026, 11, 21, 10, 30)
    actions.fill(now=now)
    today = anna().today(now)
    assert Cycle.objects.of(anna()).current(today).first().day_on(today) == 4
    hours = {
        (dose.slot, dose.due_at.astimezone(anna().zone).strftime("%H:%M")) for dose in PlannedDose.objects.of(anna())
    }
    assert hours == {("am", "10:00"), ("pm", "22:00")}


def test_a_second_filling_changes_nothing_and_says_how_old_the_demo_is():
    said()
    before = [model.objects.count() for model in (User, Patient, Clinic, Cycle, PlannedDose, Injection, AuditEvent)]
    assert "filled today" in said()
    assert before == [
        model.objects.count() for model in (User, Patient, Clinic, Cycle, PlannedDose, Injection, AuditEvent)
    ]


@pytest.mark.parametrize(("days", "words"), [(0, "filled today"), (1, "1 day old"), (12, "12 days old")])
def test_the_banner_names_the_sign_ins_the_password_the_age_and_the_way_to_a_fresh_demo(days, words):
    said()
    User.objects.update(date_joined=timezone.now() - timedelta(days=days))
    banner = said("--banner")
    assert story.PASSWORD in banner
    assert words in banner
    assert "make demo-reset" in banner
    for name in ("patient", "kidney", "carer", "nurse", "doctor", "outsider", "admin"):
        assert f"{name}@demo.example" in banner
    assert "tom@demo.example" not in banner


def test_filling_the_whole_clinic_takes_a_few_seconds_of_work(monkeypatch):
    """Counted as work, not by the clock on the wall: other tests run beside this one."""
    monkeypatch.setattr(story, "LIVES", EVERYBODY)
    started = time.process_time()
    actions.fill(now=timezone.now())
    assert time.process_time() - started < 10


@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_outside_demo_mode_nothing_is_filled_or_emptied(settings, arguments):
    settings.DEMO = False
    factories.cast()
    with pytest.raises(CommandError, match="not a demo"):
        said(*arguments)
    assert User.objects.filter(is_demo=True).count() == 0
    assert Patient.objects.count() == 2


@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_a_database_with_other_people_is_left_alone(arguments):
    factories.cast()
    with pytest.raises(CommandError, match="not of the demo"):
        said(*arguments)
    assert Patient.objects.count() == 2


def test_somebody_added_later_stops_a_reset_but_not_the_next_start():
    said()
    factories.user("Lee")
    assert "filled today" in said()
    with pytest.raises(CommandError, match="not of the demo"):
        said("--reset")


def test_a_banner_without_a_demo_says_so():
    with pytest.raises(CommandError, match="not filled"):
        said("--banner")
