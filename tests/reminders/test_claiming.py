"""The state machine, one row of its table per test. Every change is refused when the row is somebody else's."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from il2tracker.accounts.models import Patient
from il2tracker.reminders import actions, claiming, clocks
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.wishes import Reason
from tests import factories
from tests.reminders import outbox

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def anna() -> Patient:
    return factories.cast().anna_patient


def claimed(patient: Patient, **facts: Any) -> Reminder:
    outbox.row(patient, **facts)
    (row,) = claiming.claim().rows
    return row


def marked(patient: Patient, **facts: Any) -> Reminder:
    row = claimed(patient, **facts)
    assert claiming.mark(row)
    return row


def state(row: Reminder) -> str:
    row.refresh_from_db()
    return row.state


# planned


def test_a_due_row_is_claimed_once_with_a_lease_and_counts_an_attempt(anna: Patient) -> None:
    row = claimed(anna)
    assert (row.state, row.attempts) == (State.SENDING, 1)
    assert row.lease_until > timezone.now() + 100 * SECOND
    assert claiming.claim().rows == []


@pytest.mark.parametrize(
    "not_yet",
    [
        {"next_attempt_at": timezone.now() + timedelta(days=1)},
        {"expires_at": timezone.now() - MINUTE},
        {"state": State.EXPIRED},
        {"state": State.CANCELLED, "cancel_reason": "held"},
        {"state": State.DEAD},
    ],
    ids=["not due", "expired", "ended", "cancelled", "dead"],
)
def test_nothing_else_is_claimed(anna: Patient, not_yet: dict[str, Any]) -> None:
    outbox.row(anna, **not_yet)
    assert claiming.claim().rows == []


def test_a_claim_takes_a_batch_the_oldest_first(anna: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claiming, "BATCH", 2)
    ages = [outbox.row(anna, next_attempt_at=timezone.now() - minutes * MINUTE) for minutes in (1, 3, 2)]
    assert [row.pk for row in claiming.claim().rows] == [ages[1].pk, ages[2].pk]
    assert [row.pk for row in claiming.claim().rows] == [ages[0].pk]


def test_what_is_urgent_comes_before_what_is_older(anna: Patient) -> None:
    old = outbox.row(anna, urgency=2, next_attempt_at=timezone.now() - 9 * MINUTE)
    urgent = [outbox.row(anna, urgency=1, next_attempt_at=timezone.now() - minutes * MINUTE) for minutes in (1, 3)]
    assert claiming.claim().rows == [urgent[1], urgent[0], old]


def test_a_batch_comes_with_its_people_in_as_many_statements_however_many_rows(
    anna: Patient, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        outbox.row(anna)
    rows = claiming.claim().rows
    with django_assert_num_queries(0):
        assert {(row.recipient, row.patient) for row in rows} == {(anna.user, anna)}


def test_a_batch_may_be_sent_as_long_as_its_last_row_could_still_be_marked(anna: Patient, settings: Any) -> None:
    settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT = 300, 20
    outbox.row(anna)
    started = clocks.running_seconds()
    batch = claiming.claim()
    assert 280 <= batch.until - started < 310
    assert abs(batch.now - timezone.now()) < 10 * MINUTE
    assert {row.lease_token for row in batch.rows} == {batch.token}
    assert 120 * SECOND < batch.rows[0].lease_until - timezone.now() <= 301 * SECOND


def test_a_planned_row_whose_time_is_over_expires(anna: Patient) -> None:
    late, live = outbox.row(anna, expires_at=timezone.now() - SECOND), outbox.row(anna)
    assert claiming.expire() == 1
    assert (state(late), state(live)) == (State.EXPIRED, State.PLANNED)


# sending, not marked


def test_a_mark_sets_the_moment_and_renews_the_lease(anna: Patient) -> None:
    row = claimed(anna)
    outbox.change(row, lease_until=timezone.now() + 60 * SECOND)
    assert claiming.mark(row)
    row.refresh_from_db()
    assert row.handing_over_at is not None
    assert row.lease_until > timezone.now() + 100 * SECOND
    assert not claiming.mark(row), "and only once"


@pytest.mark.parametrize(
    ("trouble", "ends_as"),
    [
        ({"expires_at": Now()}, State.EXPIRED),
        ({"lease_until": timezone.now() + 5 * SECOND}, State.PLANNED),
    ],
    ids=["its time is over", "the lease is shorter than the mail server may take"],
)
def test_a_mark_is_refused(anna: Patient, trouble: dict[str, Any], ends_as: str) -> None:
    row = claimed(anna)
    outbox.change(row, **trouble)
    assert not claiming.mark(row)
    assert not claiming.unmarkable(row)
    assert state(row) == ends_as
    assert row.lease_token is None


def test_a_row_may_be_cancelled_until_it_is_marked(anna: Patient) -> None:
    row = claimed(anna)
    assert claiming.cancel(row, Reason.RECORDED)
    assert (state(row), row.cancel_reason) == (State.CANCELLED, "recorded")
    other = marked(anna)
    assert not claiming.cancel(other, Reason.RECORDED)


def test_quiet_hours_put_a_row_off_and_give_it_two_hours_more(anna: Patient) -> None:
    row = claimed(anna)
    morning = timezone.now() + timedelta(hours=8)
    assert claiming.hold(row, morning)
    assert (state(row), row.attempts, row.next_attempt_at) == (State.PLANNED, 0, morning)
    assert row.expires_at == morning + timedelta(hours=2)


def test_quiet_hours_never_shorten_a_life(anna: Patient) -> None:
    later = timezone.now() + timedelta(days=5)
    row = claimed(anna, expires_at=later)
    claiming.hold(row, timezone.now() + timedelta(hours=8))
    row.refresh_from_db()
    assert row.expires_at == later


def test_a_mail_too_many_waits_for_another_day_and_lives_no_longer(anna: Patient) -> None:
    row = claimed(anna)
    expires, tomorrow = row.expires_at, timezone.now() + timedelta(days=1)
    assert claiming.put_off(row, tomorrow)
    assert (state(row), row.waits_for, row.attempts, row.next_attempt_at) == (State.PLANNED, "cap", 0, tomorrow)
    assert row.expires_at == expires
    outbox.change(row, next_attempt_at=Now())
    (row,) = claiming.claim().rows
    assert row.waits_for == "", "it waits for nothing any more"


def test_an_unmarked_row_of_a_silent_sender_was_certainly_not_sent(anna: Patient) -> None:
    row = outbox.lapse(claimed(anna))
    assert claiming.recover() == 1
    assert (state(row), row.lease_token) == (State.PLANNED, None)
    assert claiming.claim().rows == [row]


def test_a_row_of_a_silent_sender_queues_behind_those_that_wait_longer(anna: Patient) -> None:
    row = outbox.lapse(claimed(anna))
    other = outbox.row(anna, next_attempt_at=timezone.now() - SECOND)
    outbox.change(row, next_attempt_at=timezone.now() - MINUTE)
    claiming.recover()
    assert claiming.claim().rows == [other, row]


def test_it_is_said_how_many_rows_were_taken_back(anna: Patient) -> None:
    unmarked = [outbox.lapse(claimed(anna)) for _ in range(2)]
    lost = [outbox.lapse(marked(anna)) for _ in range(3)]
    again = [doubtful(anna, "cycle_week") for _ in range(4)]
    outbox.change(again[0], attempts=7)
    assert claiming.recover() == 9
    assert [state(row) for row in (*unmarked, *lost, *again)] == ["planned"] * 2 + ["uncertain"] * 3 + ["planned"] * 4


@pytest.mark.parametrize("before", [0, 7, 100])
def test_a_sender_that_is_lost_before_the_mark_costs_no_attempt(anna: Patient, before: int) -> None:
    row = outbox.lapse(claimed(anna, attempts=before))
    assert claiming.recover() == 1
    assert (state(row), row.attempts, row.last_error_class) == (State.PLANNED, before, "")


def test_attempts_never_fall_below_none(anna: Patient) -> None:
    row = outbox.lapse(claimed(anna))
    outbox.change(row, attempts=0)
    claiming.recover()
    assert (state(row), row.attempts) == (State.PLANNED, 0)


# marked


def test_250_makes_it_sent(anna: Patient) -> None:
    row = marked(anna, last_error_class="RCPT 451", failed_at=timezone.now())
    assert claiming.accepted(row)
    assert (state(row), row.last_error_class) == (State.SENT, "")
    assert row.accepted_at >= row.handing_over_at


def test_a_refusal_for_now_clears_the_mark_and_waits(anna: Patient) -> None:
    row = marked(anna)
    assert claiming.try_again(row, "TEXT 451", count=True)
    assert (state(row), row.handing_over_at, row.attempts) == (State.PLANNED, None, 1)
    assert row.last_error_class == "TEXT 451"
    assert row.next_attempt_at > timezone.now() + 20 * SECOND


def test_the_eighth_refusal_is_the_last(anna: Patient) -> None:
    row = claimed(anna, attempts=6)
    claiming.try_again(row, "RCPT 451", count=True)
    assert state(row) == State.PLANNED
    outbox.change(row, next_attempt_at=Now())
    (row,) = claiming.claim().rows
    claiming.try_again(row, "RCPT 451", count=True)
    assert (state(row), row.attempts) == (State.DEAD, 8)


def test_a_server_in_trouble_never_makes_a_row_dead(anna: Patient) -> None:
    row = claimed(anna, attempts=100)
    claiming.try_again(row, "ConnectionRefusedError", count=False)
    assert (state(row), row.attempts) == (State.PLANNED, claiming.PATIENCE)


def test_a_refusal_for_good_ends_it(anna: Patient) -> None:
    row = claimed(anna)
    assert claiming.give_up(row, "RCPT 550")
    assert (state(row), row.last_error_class) == (State.DEAD, "RCPT 550")


def test_a_missing_answer_leaves_doubt(anna: Patient) -> None:
    row = marked(anna)
    assert claiming.doubt(row, "TimeoutError")
    assert state(row) == State.UNCERTAIN
    assert row.handing_over_at is not None


def test_a_marked_row_of_a_silent_sender_is_doubtful(anna: Patient) -> None:
    row = outbox.lapse(marked(anna))
    claiming.recover()
    assert (state(row), row.last_error_class) == (State.UNCERTAIN, "SenderLost")
    assert timezone.now() < row.next_attempt_at <= timezone.now() + 30 * SECOND, "its answer may still come"


# uncertain


def doubtful(patient: Patient, kind: str, **facts: Any) -> Reminder:
    row = marked(patient, kind=kind)
    claiming.doubt(row, "TimeoutError")
    return outbox.change(row, **{"next_attempt_at": Now(), **facts})


@pytest.mark.parametrize("kind", ["bloodwork_book", "bloodwork_due", "cycle_week", "cycle_day", "paused"])
def test_a_doubtful_mail_about_a_date_is_sent_again_with_the_same_message_id(anna: Patient, kind: str) -> None:
    row = doubtful(anna, kind)
    message_uuid = row.message_uuid
    claiming.recover()
    assert (state(row), row.handing_over_at, row.message_uuid) == (State.PLANNED, None, message_uuid)


@pytest.mark.parametrize("kind", ["injection_due", "injection_missing"])
def test_a_doubtful_mail_about_a_dose_stays_doubtful(anna: Patient, kind: str) -> None:
    row = doubtful(anna, kind)
    assert claiming.recover() == 0
    assert state(row) == State.UNCERTAIN


@pytest.mark.parametrize(
    "facts",
    [
        {"attempts": 8},
        {"expires_at": timezone.now() - MINUTE},
        {"next_attempt_at": timezone.now() + timedelta(days=1)},
    ],
    ids=["eight attempts", "over", "not yet"],
)
def test_a_doubtful_mail_is_not_sent_again_without_end(anna: Patient, facts: dict[str, Any]) -> None:
    row = doubtful(anna, "cycle_week", **facts)
    claiming.recover()
    assert state(row) == State.UNCERTAIN


def test_a_slow_senders_late_answer_settles_the_doubt(anna: Patient) -> None:
    row = outbox.lapse(marked(anna, kind="injection_due"))
    claiming.recover()
    assert claiming.accepted(row)
    assert state(row) == State.SENT


def test_a_slow_sender_that_surely_did_not_send_frees_the_row(anna: Patient) -> None:
    row = outbox.lapse(marked(anna, kind="injection_due"))
    claiming.recover()
    assert claiming.try_again(row, "Frozen", count=False)
    assert (state(row), row.handing_over_at) == (State.PLANNED, None)


# What a delivery report says later


@pytest.mark.parametrize("answer", [claiming.accepted, lambda row: claiming.doubt(row, "TimeoutError")])
def test_a_mail_that_came_back_is_given_up(anna: Patient, answer: Callable[[Reminder], bool]) -> None:
    row = marked(anna)
    answer(row)
    assert claiming.bounced(row.message_uuid, "BOUNCE 5.1.1")
    assert (state(row), row.last_error_class, row.accepted_at) == (State.DEAD, "BOUNCE 5.1.1", None)
    assert row.failed_at is not None
    assert not claiming.bounced(row.message_uuid, "BOUNCE 5.1.1"), "and only once"


def test_a_report_changes_nothing_about_a_mail_that_never_left(anna: Patient) -> None:
    row = outbox.row(anna)
    assert not claiming.bounced(row.message_uuid, "BOUNCE 5.1.1")
    (row,) = claiming.claim().rows
    assert not claiming.bounced(row.message_uuid, "BOUNCE 5.1.1")
    assert state(row) == State.SENDING


def test_of_a_cause_only_as_much_is_kept_as_there_is_room_for(anna: Patient) -> None:
    row = claimed(anna)
    claiming.give_up(row, "x" * 61)
    row.refresh_from_db()
    assert row.last_error_class == "x" * 60


def test_a_new_failure_wants_to_be_seen_again(anna: Patient) -> None:
    row = marked(anna)
    claiming.doubt(row, "TimeoutError")
    outbox.change(row, seen_by_staff_at=Now())
    claiming.give_up(row, "RCPT 550")
    assert (state(row), row.seen_by_staff_at) == (State.DEAD, None)


# An address that was typed


def typed(**facts: Any) -> Reminder:
    now = timezone.now()
    times = {"due_at": now, "next_attempt_at": now, "expires_at": now + MINUTE, "zone": "UTC"}
    key = f"typed:{Reminder.objects.count()}"
    facts = {**times, "address": "anna@example.org", "kind": "password_reset", **facts}
    return Reminder.objects.create(key=key, occurrence="x", **facts)


def expired_at_the_mark(row: Reminder) -> Any:
    outbox.change(row, expires_at=Now())
    claiming.unmarkable(row)


@pytest.mark.parametrize(
    "end",
    [
        lambda row: claiming.cancel(row, Reason.UNKNOWN_ADDRESS),
        lambda row: claiming.give_up(row, "RCPT 550"),
        expired_at_the_mark,
    ],
    ids=["cancelled", "dead", "expired"],
)
def test_a_typed_address_ends_with_its_row(anna: Patient, end: Callable[[Reminder], Any]) -> None:
    typed()
    (row,) = claiming.claim().rows
    end(row)
    assert (state(row) in {State.CANCELLED, State.DEAD, State.EXPIRED}, row.address) == (True, "")


@pytest.mark.parametrize("minutes", [-31, 0, 31])
def test_a_mail_posted_by_a_computer_with_a_wrong_clock_leaves_at_once_and_lives_its_half_hour(minutes: int) -> None:
    there = timezone.now() + minutes * MINUTE
    row = actions.post(by=None, kind="password_reset", address="anna@example.org", now=there)
    life = row.expires_at - clocks.database_now()
    assert 29 * MINUTE < life <= 30 * MINUTE
    assert row.due_at == there, "what the mail says of when it was asked for"
    assert claiming.claim().rows == [row]


def test_a_typed_address_does_not_outlive_its_time(anna: Patient) -> None:
    row = typed(expires_at=timezone.now() - SECOND)
    claiming.expire()
    assert (state(row), row.address) == (State.EXPIRED, "")


def test_at_the_mark_the_person_takes_the_place_of_the_typed_address(anna: Patient) -> None:
    typed()
    (row,) = claiming.claim().rows
    row.recipient = anna.user
    assert claiming.mark(row)
    row.refresh_from_db()
    assert (row.recipient, row.address) == (anna.user, "")


# Whose row it is


def every_change(row: Reminder) -> list[bool]:
    return [
        claiming.mark(row),
        claiming.unmarkable(row),
        claiming.cancel(row, Reason.HELD),
        claiming.hold(row, timezone.now()),
        claiming.give_back(row, MINUTE),
        claiming.put_off(row, timezone.now()),
        claiming.accepted(row),
        claiming.try_again(row, "x", count=True),
        claiming.give_up(row, "x"),
        claiming.doubt(row, "x"),
    ]


def test_a_sender_that_lost_its_lease_changes_nothing(anna: Patient) -> None:
    mine = outbox.lapse(claimed(anna))
    claiming.recover()
    (theirs,) = claiming.claim().rows
    assert mine.pk == theirs.pk
    assert not any(every_change(mine))
    assert (state(theirs), theirs.attempts) == (State.SENDING, 1)


@pytest.mark.parametrize("end", [State.SENT, State.DEAD, State.EXPIRED])
def test_an_end_is_an_end(anna: Patient, end: str) -> None:
    row = marked(anna)
    accepted_at = row.due_at if end == State.SENT else None
    outbox.change(row, state=end, accepted_at=accepted_at, handing_over_at=row.due_at)
    assert not any(every_change(row))
    assert claiming.recover() == claiming.expire() == 0


# What the database itself refuses


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "lost"},
        {"state": "sending"},
        {"state": "sent"},
        {"state": "uncertain"},
        {"state": "cancelled"},
        {"cancel_reason": "held"},
        {"handing_over_at": timezone.now()},
        {"state": "cancelled", "cancel_reason": "held", "handing_over_at": timezone.now()},
        {"accepted_at": timezone.now()},
        {"state": "sent", "accepted_at": timezone.now()},
    ],
)
def test_the_database_refuses_impossible_rows(anna: Patient, facts: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.row(anna, **facts)


@pytest.mark.parametrize("field", ["key", "message_uuid"])
def test_a_reminder_and_a_message_exist_once(anna: Patient, field: str) -> None:
    value: Any = uuid.uuid4() if field == "message_uuid" else "once"
    outbox.row(anna, **{field: value})
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.row(anna, **{"key": "other", field: value})


# Back-off


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (60, 900)])
def test_the_wait_doubles_up_to_a_quarter_of_an_hour_a_fifth_more_or_less(attempts: int, seconds: int) -> None:
    waits = [claiming.back_off(attempts).total_seconds() for _ in range(200)]
    assert 0.8 * seconds <= min(waits) < 0.9 * seconds
    assert 1.1 * seconds < max(waits) <= 1.2 * seconds


def test_the_lease_is_always_longer_than_the_mail_server_may_take(settings: Any) -> None:
    settings.REMINDER_LEASE_SECONDS, settings.EMAIL_TIMEOUT = 5, 20
    assert (claiming.lease(), claiming.smtp_timeout()) == (21 * SECOND, 20 * SECOND)
    settings.REMINDER_LEASE_SECONDS = 120
    assert claiming.lease() == 120 * SECOND
