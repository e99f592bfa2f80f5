"""A sweep against a real mail server that works, refuses, hangs and breaks off."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.mail import EmailMessage
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from cycles.models import PlannedDose
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.reminders import claiming, clocks, heartbeat, mails, planning, sending
from il2tracker.reminders.models import Delivery, Heartbeat, Reminder
from tests import factories
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TOMORROW = timedelta(days=1)


@pytest.fixture(autouse=True)
def short_patience(settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 1


@pytest.fixture
def dose() -> PlannedDose:
    cast = factories.cast()
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=timezone.now().date() + TOMORROW * 10)
    return plan.cycles.get().doses.earliest("due_at")


@pytest.fixture
def row(dose: PlannedDose) -> Reminder:
    """An injection reminder that is due now."""
    outbox.plan_for(dose)
    return outbox.due("injection_due", dose)


@pytest.fixture
def date_row(dose: PlannedDose) -> Reminder:
    """A reminder of the week before a course that is due now: a kind that may be sent twice."""
    planning.plan(dose.due_at - 7 * TOMORROW)
    return outbox.due("cycle_week")


@pytest.fixture
def many(dose: PlannedDose) -> list[Reminder]:
    """Every injection reminder of the first days, all due now."""
    outbox.plan_for(dose)
    rows = Reminder.objects.filter(kind="injection_due")
    outbox.bring_to_now(rows)
    Reminder.objects.exclude(kind="injection_due").delete()
    assert rows.count() == 7
    return list(rows)


def again(row: Reminder) -> Reminder:
    return outbox.change(row, next_attempt_at=timezone.now() - SECOND)


def states() -> list[str]:
    return sorted(Reminder.objects.values_list("state", flat=True))


def test_a_due_reminder_is_sent_once_however_often_the_sweep_runs(row: Reminder, smtp_sink: SmtpSink) -> None:
    for _ in range(5):
        sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.lease_token) == ("sent", 1, None)
    assert row.handing_over_at <= row.accepted_at
    (received,) = smtp_sink.messages
    assert received.rcpt_tos == ("anna@example.org",)
    assert received.message["Message-ID"] == f"<{row.message_uuid.int}@mail.invalid>"


def test_what_is_not_due_yet_stays(row: Reminder, smtp_sink: SmtpSink) -> None:
    outbox.change(row, next_attempt_at=timezone.now() + MINUTE)
    assert sending.sweep().tried == 0
    assert smtp_sink.attempts == 0


def test_what_is_late_is_never_sent(row: Reminder, smtp_sink: SmtpSink) -> None:
    outbox.change(row, expires_at=timezone.now() - SECOND)
    assert sending.sweep().expired == 1
    row.refresh_from_db()
    assert row.state == "expired"
    assert smtp_sink.attempts == 0


def test_what_becomes_late_between_claim_and_mark_is_not_sent(row: Reminder, smtp_sink: SmtpSink) -> None:
    batch = claiming.claim()
    outbox.change(row, expires_at=timezone.now() - SECOND)
    sending.send(batch)
    row.refresh_from_db()
    assert row.state == "expired"
    assert smtp_sink.messages == []


def test_a_batch_goes_over_one_line(
    many: list[Reminder], smtp_sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="mail.log"):
        assert sending.sweep().tried == 7
    assert states() == ["sent"] * 7
    assert sum("handling connection" in line for line in caplog.messages) == 1
    assert len({received.message["Message-ID"] for received in smtp_sink.messages}) == 7
    assert [line.getMessage() for line in caplog.records if line.levelname == "ERROR"] == []


def test_who_is_asked_to_end_sends_the_mail_in_hand_and_gives_the_others_back(
    many: list[Reminder], smtp_sink: SmtpSink
) -> None:
    sending.sweep(lambda: bool(smtp_sink.messages))
    assert states() == ["planned"] * 6 + ["sent"]
    assert Reminder.objects.filter(state="planned", attempts=0, lease_until=None).count() == 6
    sending.sweep()
    assert states() == ["sent"] * 7


# What the server does


@pytest.mark.parametrize(
    ("fault", "state", "cause"),
    [
        ("mail-451", "planned", "MAIL 451"),
        ("rcpt-451", "planned", "RCPT 451"),
        ("data-451", "planned", "TEXT 451"),
        ("hang-rcpt", "planned", "TimeoutError"),
        ("rcpt-550", "dead", "RCPT 550"),
        ("data-554", "dead", "TEXT 554"),
        ("drop", "uncertain", "SMTPServerDisconnected"),
        ("hang-data", "uncertain", "TimeoutError"),
    ],
)
def test_each_fault_leaves_the_row_in_its_state_and_is_remembered(
    row: Reminder, smtp_sink: SmtpSink, fault: str, state: str, cause: str
) -> None:
    smtp_sink.fault(fault)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.last_error_class, row.attempts) == (state, cause, 1)
    assert row.failed_at is not None
    assert (row.handing_over_at is None) is (state == "planned" or fault == "rcpt-550")
    if state == "planned":
        assert row.next_attempt_at > timezone.now() + 20 * SECOND


@pytest.mark.parametrize("fault", ["mail-451", "rcpt-451", "data-451", "hang-rcpt"])
def test_a_reminder_that_was_put_off_arrives_once_when_the_server_is_well(
    row: Reminder, smtp_sink: SmtpSink, fault: str
) -> None:
    smtp_sink.fault(fault, times=1)
    sending.sweep()
    again(row)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.last_error_class) == ("sent", "")
    assert len(smtp_sink.messages) == 1


def test_a_doubtful_mail_about_a_dose_is_not_sent_a_second_time(row: Reminder, smtp_sink: SmtpSink) -> None:
    smtp_sink.fault("drop", times=1)
    sending.sweep()
    again(row)
    sending.sweep()
    assert states().count("uncertain") == 1
    assert len(smtp_sink.messages) == 1


def test_a_doubtful_mail_about_a_date_is_sent_again_under_the_same_name(
    date_row: Reminder, smtp_sink: SmtpSink
) -> None:
    smtp_sink.fault("drop", times=1)
    sending.sweep()
    again(date_row)
    sending.sweep()
    date_row.refresh_from_db()
    assert date_row.state == "sent"
    first, second = smtp_sink.messages
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_a_closed_port_gives_the_whole_batch_back_after_one_try(many: list[Reminder], smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse()
    sending.sweep()
    assert states() == ["planned"] * 7
    assert sorted(Reminder.objects.values_list("attempts", flat=True)) == [0] * 6 + [1]
    assert not Reminder.objects.filter(next_attempt_at__lt=timezone.now() + 20 * SECOND).exists()
    health = Reminder.objects.health(timezone.now())
    assert (health["retrying_count"], health["last_error_class"]) == (1, "ConnectionRefusedError")
    smtp_sink.accept()
    Reminder.objects.update(next_attempt_at=timezone.now() - SECOND)
    sending.sweep()
    assert states() == ["sent"] * 7


def test_one_refused_mail_does_not_hold_up_the_others(many: list[Reminder], smtp_sink: SmtpSink) -> None:
    smtp_sink.fault("data-554", times=1)
    sending.sweep()
    assert states() == ["dead"] + ["sent"] * 6


# What changes after the server took the address and before the lock


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Somebody changes something in the moment before the first lock is taken."""
    locked, changes = sending._locked, iter([change])

    def later(row: Reminder) -> Any:
        next(changes, lambda: None)()
        return locked(row)

    monkeypatch.setattr(sending, "_locked", later)


def test_a_mail_goes_to_the_address_that_holds_at_the_hand_over(
    row: Reminder, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: User.objects.filter(pk=row.recipient_id).update(email="new@example.org"))
    sending.sweep()
    row.refresh_from_db()
    (received,) = smtp_sink.messages
    assert received.rcpt_tos == (received.message["To"],) == ("new@example.org",)
    assert (row.state, row.attempts) == ("sent", 1), "the server was asked anew, and that is no failed attempt"


def test_a_mail_says_no_more_than_the_patient_wants_at_the_hand_over(
    row: Reminder, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    Patient.objects.update(privacy="full")
    meanwhile(monkeypatch, lambda: Patient.objects.update(privacy="discreet"))
    written: list[str] = []
    build = sending.mails.build

    def noted(row: Reminder, now: datetime) -> Any:
        assert row.patient is not None
        written.append(row.patient.privacy)
        return build(row, now)

    monkeypatch.setattr(sending.mails, "build", noted)
    sending.sweep()
    assert written == ["discreet"]
    assert (states().count("sent"), len(smtp_sink.messages)) == (1, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"is_active": False}, "no_recipient"), ({"is_active": True}, "")],
    ids=["left", "still there"],
)
def test_nobody_gets_mail_who_has_left(
    row: Reminder, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], reason: str
) -> None:
    meanwhile(monkeypatch, lambda: User.objects.filter(pk=row.recipient_id).update(**change))
    sending.sweep()
    row.refresh_from_db()
    assert (row.cancel_reason, len(smtp_sink.messages)) == (reason, 0 if reason else 1)


def test_a_mail_says_what_holds_at_the_hand_over(
    dose: PlannedDose, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R1: a number to call that was changed a moment ago must not leave any more."""
    planning.plan(dose.due_at - TOMORROW)
    row = outbox.due("cycle_day")
    meanwhile(monkeypatch, lambda: Clinic.objects.update(day_phone="020 7946 0555", night_phone="020 7946 0556"))
    sending.sweep()
    name = f"<{row.message_uuid.int}@mail.invalid>"
    received = next(mail for mail in smtp_sink.messages if mail.message["Message-ID"] == name)
    assert "020 7946 0556" in received.message.get_body(("plain",)).get_content()
    assert b"020 7946 0018" not in received.raw


def test_a_person_who_is_erased_meanwhile_takes_the_mail_along(
    row: Reminder, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: Reminder.objects.get(pk=row.pk).delete() and None)
    sending.sweep()
    assert smtp_sink.messages == []
    assert not Reminder.objects.filter(pk=row.pk).exists()


# Mails without a patient


@pytest.fixture
def short_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(row: Reminder, now: datetime) -> EmailMessage:
        assert row.recipient is not None
        return EmailMessage("Diary", "Hello.\n", to=[row.recipient.email])

    monkeypatch.setattr(sending.mails, "build", build)


def posted(**facts: Any) -> Reminder:
    facts = {"kind": "password_reset", "zone": outbox.daytime(), **facts}
    now = timezone.now()
    times = {"due_at": now, "next_attempt_at": now, "expires_at": now + 30 * MINUTE}
    return Reminder.objects.create(key=f"posted:{Reminder.objects.count()}", occurrence="x", **times, **facts)


def test_a_typed_address_finds_its_person_when_it_is_sent_and_is_not_kept(
    short_mails: None, smtp_sink: SmtpSink
) -> None:
    anna = factories.user("Anna")
    row = posted(address="ANNA@example.org")
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.recipient, row.address) == ("sent", anna, "")
    assert [received.rcpt_tos for received in smtp_sink.messages] == [("anna@example.org",)]


@pytest.mark.parametrize("whose", ["nobody", "left"])
def test_a_typed_address_of_nobody_ends_without_a_mail(short_mails: None, smtp_sink: SmtpSink, whose: str) -> None:
    if whose == "left":
        User.objects.filter(pk=factories.user("Anna").pk).update(is_active=False)
    row = posted(address="anna@example.org")
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.cancel_reason, row.address) == ("cancelled", "unknown_address", "")
    assert smtp_sink.attempts == 0


def test_a_typed_address_is_known_again_at_the_second_try(short_mails: None, smtp_sink: SmtpSink) -> None:
    anna = factories.user("Anna")
    row = posted(address="anna@example.org")
    smtp_sink.fault("data-451", times=1)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.recipient, row.address) == ("planned", anna, "")
    again(row)
    sending.sweep()
    row.refresh_from_db()
    assert row.state == "sent"


def test_a_line_that_breaks_after_a_text_does_not_hold_up_the_others(many: list[Reminder], smtp_sink: SmtpSink) -> None:
    smtp_sink.fault("drop", times=1)
    sending.sweep()
    assert states() == ["sent"] * 6 + ["uncertain"]


# What goes wrong in one mail


def a_text_that_fails(many: list[Reminder], monkeypatch: pytest.MonkeyPatch) -> None:
    build = mails.build

    def stumble(row: Reminder, now: datetime) -> Any:
        if row.pk == many[3].pk:
            raise ValueError(row.recipient.email)
        return build(row, now)

    monkeypatch.setattr(sending.mails, "build", stumble)


def a_zone_that_is_gone(many: list[Reminder], monkeypatch: pytest.MonkeyPatch) -> None:
    Reminder.objects.filter(pk=many[3].pk).update(zone="Europe/Atlantis")


def an_address_that_cannot_be_one(many: list[Reminder], monkeypatch: pytest.MonkeyPatch) -> None:
    person = factories.user("Zoe")
    User.objects.filter(pk=person.pk).update(email="zoe@example.org\nBcc: all@example.org")
    Reminder.objects.filter(pk=many[3].pk).update(recipient=person)


@pytest.mark.parametrize("trouble", [a_text_that_fails, a_zone_that_is_gone, an_address_that_cannot_be_one])
def test_a_mail_that_cannot_be_written_does_not_hold_up_the_others_and_is_given_up_at_last(
    many: list[Reminder],
    smtp_sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Any,
) -> None:
    trouble(many, monkeypatch)
    sending.sweep()
    assert states() == ["planned"] + ["sent"] * 6
    broken = Reminder.objects.get(pk=many[3].pk)
    assert (broken.attempts, broken.handing_over_at) == (1, None)
    assert broken.last_error_class
    said = f"Reminder {broken.pk} cannot be written: {broken.last_error_class} in "
    assert any(line.startswith(said) for line in caplog.messages)
    for _ in range(8):
        Reminder.objects.filter(state="planned").update(next_attempt_at=timezone.now() - SECOND)
        sending.sweep()
    assert states() == ["dead"] + ["sent"] * 6
    assert "@example.org" not in "".join(line for line in caplog.messages if "Reminder" in line)


@pytest.mark.parametrize(
    ("part", "trouble", "said"),
    [
        ("mails.prepare", KeyError, "A batch cannot be prepared: KeyError in stumble, line "),
        ("mails.prepare", IntegrityError, "A batch cannot be prepared: IntegrityError in stumble, line "),
        ("planning.plan_reports", KeyError, "Urgent reports cannot be planned: KeyError in stumble, line "),
    ],
)
def test_a_batch_leaves_although_what_comes_before_it_fails(
    many: list[Reminder],
    smtp_sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: str,
    trouble: type[Exception],
    said: str,
) -> None:
    def stumble(*_args: Any) -> None:
        raise trouble("anna@example.org")

    monkeypatch.setattr(f"il2tracker.reminders.sending.{part}", stumble)
    sending.sweep()
    assert states() == ["sent"] * 7
    assert any(line.startswith(said) for line in caplog.messages)
    assert "anna@example.org" not in "".join(line for line in caplog.messages if "cannot" in line)


@pytest.mark.parametrize("part", ["mails.prepare", "planning.plan_reports", "mails.build"])
def test_a_database_that_is_gone_ends_the_sweep(
    many: list[Reminder], smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def gone(*_args: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(f"il2tracker.reminders.sending.{part}", gone)
    with pytest.raises(OperationalError):
        sending.sweep()
    assert smtp_sink.messages == []


def test_a_sweep_says_what_it_took_back_and_what_it_tried(many: list[Reminder], smtp_sink: SmtpSink) -> None:
    for row in claiming.claim().rows:
        outbox.lapse(row)
    outbox.change(many[0], expires_at=timezone.now() - SECOND)
    assert sending.sweep() == sending.Swept(recovered=7, expired=1, tried=6)


def test_a_mail_that_breaks_after_its_mark_is_in_doubt(
    row: Reminder, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = mails.build

    def unreadable(row: Reminder, now: datetime) -> Any:
        mail = build(row, now)
        monkeypatch.setattr(mail, "message", lambda: 1 / 0)
        return mail

    monkeypatch.setattr(sending.mails, "build", unreadable)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.last_error_class, smtp_sink.messages) == ("uncertain", "ZeroDivisionError", [])


# Quiet hours


@pytest.fixture
def night() -> datetime:
    """The zone of the rows is moved so that it is two in the morning there; the moment when quiet hours end."""
    now = timezone.now()
    Reminder.objects.update(zone=f"Etc/GMT{(now.hour - 2 + 11) % 24 - 11:+d}")
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=5)


def test_what_may_wait_waits_for_the_morning_and_lives_two_hours_longer(
    date_row: Reminder, night: datetime, smtp_sink: SmtpSink
) -> None:
    sending.sweep()
    date_row.refresh_from_db()
    assert (date_row.state, date_row.next_attempt_at) == ("planned", night)
    assert date_row.expires_at == night + timedelta(hours=2)
    assert smtp_sink.attempts == 0


def test_the_planner_leaves_what_quiet_hours_put_off(
    dose: PlannedDose, date_row: Reminder, night: datetime, smtp_sink: SmtpSink
) -> None:
    a_week_before = dose.due_at - 7 * TOMORROW
    nine = a_week_before.astimezone(ZoneInfo("Europe/London")).replace(hour=9, minute=0)
    as_planned = {"due_at": nine, "zone": "Europe/London"}
    sending.sweep()
    outbox.change(date_row, **as_planned, expires_at=a_week_before + 6 * TOMORROW)
    planning.plan(a_week_before)
    date_row.refresh_from_db()
    assert (date_row.state, date_row.next_attempt_at) == ("planned", night)


def test_a_reminder_of_a_dose_does_not_wait(row: Reminder, night: datetime, smtp_sink: SmtpSink) -> None:
    sending.sweep()
    row.refresh_from_db()
    assert row.state == "sent"


def test_what_is_about_an_injection_leaves_in_quiet_hours_only_if_its_reader_lets_it(
    row: Reminder, night: datetime, smtp_sink: SmtpSink
) -> None:
    """It was due before them and comes late: it is of no use when they are over."""
    Delivery.objects.create(user=row.recipient, doses_pass=False)
    expires_at = Reminder.objects.get(pk=row.pk).expires_at
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.waits_for, row.next_attempt_at) == ("planned", "quiet", night)
    assert (row.expires_at, row.attempts, smtp_sink.messages) == (expires_at, 0, [])
    assert smtp_sink.attempts == 0, "the server is not even asked"
    outbox.change(row, state="expired")
    assert not Reminder.objects.too_late(row.created_at).exists(), "its reader chose it: no machine stood still"


@pytest.mark.parametrize(("passes", "state"), [(True, "sent"), (False, "planned")])
def test_the_word_that_reminders_are_paused_waits_where_the_reminders_would(
    dose: PlannedDose, smtp_sink: SmtpSink, passes: bool, state: str
) -> None:
    factories.hold(dose.patient.user, dose.cycle, "fever")
    outbox.plan_for(dose)
    row = outbox.due("paused")
    Delivery.objects.create(user=row.recipient, doses_pass=passes)
    now = timezone.now()
    Reminder.objects.update(zone=f"Etc/GMT{(now.hour - 2 + 11) % 24 - 11:+d}")
    sending.sweep()
    row.refresh_from_db()
    assert row.state == state


# The clocks


def test_a_sweep_leaves_a_heartbeat(smtp_sink: SmtpSink) -> None:
    sending.sweep()
    assert abs(timezone.now() - Heartbeat.read().swept_at) < 30 * SECOND


@pytest.mark.parametrize("jump", [-11 * MINUTE, 11 * MINUTE, timedelta(days=1)])
def test_after_a_jump_of_the_clock_one_sweep_does_nothing(
    row: Reminder, smtp_sink: SmtpSink, caplog: pytest.LogCaptureFixture, jump: timedelta
) -> None:
    late = outbox.row(row.patient, expires_at=timezone.now() - SECOND)
    heartbeat.swept()
    Heartbeat.objects.update(swept_at=Heartbeat.read().swept_at - jump)
    assert sending.sweep().in_doubt
    assert "The database's clock jumped by more than 0:10:00: this sweep does nothing." in caplog.messages
    late.refresh_from_db()
    assert late.state == "planned"
    assert not sending.sweep().in_doubt
    late.refresh_from_db()
    assert late.state == "expired"
    assert "sent" in states()


@pytest.mark.parametrize(
    "before",
    [
        {"boot": "another computer"},
        {"running_seconds": None},
        {"swept_at": None},
    ],
)
def test_a_clock_that_cannot_be_compared_is_believed(before: dict[str, Any], smtp_sink: SmtpSink) -> None:
    heartbeat.swept()
    Heartbeat.objects.update(**{"swept_at": datetime(2020, 1, 1, tzinfo=UTC), **before})
    assert not sending.sweep().in_doubt


def test_a_long_sleep_of_the_computer_is_no_jump(smtp_sink: SmtpSink) -> None:
    heartbeat.swept()
    before = Heartbeat.read()
    Heartbeat.objects.update(
        swept_at=before.swept_at - timedelta(hours=8), running_seconds=before.running_seconds - 8 * 3600
    )
    assert not sending.sweep().in_doubt


def test_the_databases_clock_is_the_one_that_counts() -> None:
    assert abs(clocks.database_now() - timezone.now()) < 5 * SECOND
    assert clocks.running_seconds() > 0


def test_a_batch_ends_with_its_lease_and_the_rest_is_free_at_once(many: list[Reminder], smtp_sink: SmtpSink) -> None:
    batch = claiming.claim()
    sending.send(batch._replace(until=0.0))
    assert states() == ["planned"] * 6 + ["sent"]
    assert smtp_sink.attempts == 1
    assert sending.sweep().tried == 6
