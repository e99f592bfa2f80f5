"""While nobody of the clinic has confirmed a start, no reminder to inject leaves; "paused, call" goes once (R1)."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cycles import course_actions, hold_actions
from cycles.models import Cycle, PlannedDose
from il2tracker.accounts.models import Clinic
from il2tracker.reminders import claiming, planning, sending
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
LONDON = ZoneInfo("Europe/London")
START = date(2027, 3, 3)


def on(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=LONDON)


EVE = on(START - timedelta(days=1))


@pytest.fixture
def cast() -> Cast:
    everybody = factories.cast()
    factories.confirms_starts(everybody.north)
    return everybody


@pytest.fixture
def cycle(cast: Cast) -> Cycle:
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START).cycles.get()


def found(**which: Any) -> dict[str, set[str]]:
    rows = Reminder.objects.filter(**which).values_list("kind", "state", "cancel_reason")
    states: dict[str, set[str]] = {}
    for kind, state, reason in rows:
        states.setdefault(kind, set()).add(reason or state)
    return states


def test_instead_of_every_injection_one_pause_is_planned(cycle: Cycle) -> None:
    planning.plan(EVE)
    states = found()
    assert states["injection_due"] == states["injection_missing"] == {"unconfirmed"}
    assert states["paused"] == {"planned"}
    assert Reminder.objects.filter(kind="paused").count() == 1


def test_the_clinics_word_brings_the_reminders_back_and_takes_the_pause_away(cast: Cast, cycle: Cycle) -> None:
    planning.plan(EVE)
    factories.confirm(cast.ben, cycle, now=EVE)
    planning.plan(EVE)
    assert found()["injection_due"] == {"planned"}
    assert found()["paused"] == {"released"}


def test_a_clinic_that_leaves_starts_to_its_patients_holds_nothing_back(cycle: Cycle) -> None:
    Clinic.objects.update(confirms_starts=False)
    planning.plan(EVE)
    assert found()["injection_due"] == {"planned"}
    assert "paused" not in found()


@pytest.mark.parametrize("record", [{}, {"state": "skipped", "reason": "ill"}], ids=["taken", "not taken"])
def test_no_record_stands_for_the_clinics_word(cast: Cast, cycle: Cycle, record: dict[str, str]) -> None:
    """R1: whoever says what became of the first injection has not been told that the course may go on."""
    planning.plan(EVE)
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.earliest("due_at"), **record)
    planning.plan(on(START, 11))
    assert found(kind="injection_due", due_at__gt=on(START, 11))["injection_due"] == {"unconfirmed"}


def test_the_word_can_be_given_while_the_course_runs(cast: Cast, cycle: Cycle) -> None:
    planning.plan(EVE)
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.earliest("due_at"))
    factories.confirm(cast.ben, cycle, now=on(START, 11))
    planning.plan(on(START, 11))
    assert found(kind="injection_due", due_at__gt=on(START, 11))["injection_due"] == {"planned"}


def test_a_past_course_that_the_clinic_enters_while_it_runs_has_its_word(cast: Cast) -> None:
    running = factories.plan(cast.dan_patient, cast.ben, starts_on=START, now=on(START + timedelta(days=1), 9))
    planning.plan(on(START + timedelta(days=1), 9))
    later = running.cycles.get(number=1).doses.filter(due_at__gt=on(START + timedelta(days=1), 9))
    assert later.exists()
    assert found(patient=cast.dan_patient, kind="injection_due")["injection_due"] == {"planned"}


def test_a_confirmed_course_that_is_moved_waits_again(cast: Cast, cycle: Cycle) -> None:
    factories.confirm(cast.ben, cycle, now=on(START - timedelta(days=9)))
    later = START + timedelta(days=7)
    course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=later, today=START - timedelta(days=2), reason="work")
    planning.plan(on(later - timedelta(days=1)))
    assert found(due_at__gt=on(later - timedelta(days=1)))["injection_due"] == {"unconfirmed"}


def test_what_fell_into_a_hold_is_not_asked_for_after_it(cast: Cast, cycle: Cycle) -> None:
    """D18."""
    factories.confirm(cast.ben, cycle, now=EVE)
    hold = factories.hold(cast.ben, cycle, now=on(START, 9))
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.earliest("due_at"))
    hold_actions.lift_hold(by=cast.ben, hold=hold, now=on(START, 23))
    evening = PlannedDose.objects.get(cycle=cycle, day=1, slot="pm")
    assert evening.was_held
    planning.plan(on(START, 22) + timedelta(minutes=30))
    assert not Reminder.objects.filter(occurrence=f"c{cycle.pk}/d1/pm", state="planned").exists()


def test_the_last_look_stops_a_pause_when_the_word_has_come(smtp_sink: SmtpSink, cast: Cast, cycle: Cycle) -> None:
    planning.plan(EVE)
    row = outbox.due("paused", None)
    batch = claiming.claim()
    factories.confirm(cast.ben, cycle, now=EVE)
    sending.send(batch)
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "released")
    assert smtp_sink.messages == []


def test_the_pause_leaves_and_says_whom_to_call(smtp_sink: SmtpSink, cycle: Cycle) -> None:
    planning.plan(EVE)
    outbox.due("paused", None)
    sending.sweep()
    (received,) = smtp_sink.wait_for(1)
    assert (
        "Please call your clinic before your next date: 020 7946" in received.message.get_body(("plain",)).get_content()
    )
