"""How long the outbox remembers (B18), and that a tick pays nothing for it while there is nothing to forget."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import forgetting, planning
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=401)
MARK = {"handing_over_at": LONG_AGO}
SEEN = {"seen_by_staff_at": LONG_AGO}
SENT = {"state": "sent", "accepted_at": LONG_AGO, **MARK}


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def anna(cast: Cast) -> Patient:
    return cast.anna_patient


@pytest.mark.parametrize(
    "facts",
    [
        SENT,
        {"state": "cancelled", "cancel_reason": "recorded"},
        {"state": "expired"},
        {"state": "dead", **SEEN},
        {"state": "uncertain", **MARK, **SEEN},
    ],
    ids=lambda facts: str(facts["state"]),
)
def test_what_ended_400_days_ago_is_forgotten(anna: Patient, facts: dict[str, Any]) -> None:
    outbox.row(anna, due_at=LONG_AGO, **facts)
    outbox.row(anna, due_at=LONG_AGO + timedelta(days=2), **facts)
    assert forgetting.forget(NOW) == 1
    assert Reminder.objects.count() == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "planned"},
        {"state": "sending", "lease_token": "0" * 32, "lease_until": NOW},
        {"state": "dead"},
        {"state": "uncertain", **MARK},
    ],
    ids=lambda facts: str(facts["state"]),
)
def test_what_is_open_or_was_never_looked_at_is_kept(anna: Patient, facts: dict[str, Any]) -> None:
    outbox.row(anna, due_at=LONG_AGO, **facts)
    assert forgetting.forget(NOW) == 0
    assert Reminder.objects.count() == 1


def test_a_tick_of_the_planner_forgets_a_batch_and_the_next_one_goes_on(
    anna: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for _ in range(3):
        outbox.row(anna, due_at=LONG_AGO, **SENT)
    sent = Reminder.objects.filter(state="sent")
    planning.plan(NOW)
    assert sent.count() == 1
    planning.plan(NOW)
    assert sent.count() == 0


def test_when_there_is_nothing_to_forget_it_costs_one_statement(anna: Patient, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        outbox.row(anna, **{**SENT, "accepted_at": NOW, "handing_over_at": NOW})
    with django_assert_num_queries(1):
        assert forgetting.forget(NOW) == 0


def test_an_administrator_who_has_seen_what_was_given_up_lets_it_be_forgotten(cast: Cast, anna: Patient) -> None:
    dead = outbox.row(anna, state="dead", failed_at=NOW)
    doubtful = outbox.row(anna, state="uncertain", failed_at=NOW, **MARK)
    open_row = outbox.row(anna)
    assert forgetting.note_seen(by=cast.eve, now=NOW) == 2
    seen = {row.pk: row.seen_by_staff_at for row in Reminder.objects.all()}
    assert seen == {dead.pk: NOW, doubtful.pk: NOW, open_row.pk: None}
    event = AuditEvent.objects.get(action="reminders.given_up.seen")
    assert (event.actor_ref, event.patient_ref, event.detail) == (cast.eve.ref, "", "2")
    assert forgetting.note_seen(by=cast.eve, now=NOW) == 0
    assert AuditEvent.objects.filter(action="reminders.given_up.seen").count() == 1


def test_what_failed_after_the_page_was_read_is_not_seen(cast: Cast, anna: Patient) -> None:
    outbox.row(anna, state="dead", failed_at=NOW + timedelta(minutes=1))
    assert forgetting.note_seen(by=cast.eve, now=NOW) == 0
    assert forgetting.to_be_seen().count() == 1
