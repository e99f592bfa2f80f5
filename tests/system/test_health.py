"""What machines and staff are told when the installation works, and when it does not."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from cycles.models import Cycle
from il2tracker.accounts.actions import create_clinic, create_user, join_clinic
from il2tracker.accounts.models import User
from il2tracker.reminders import planning, restoring, sending
from il2tracker.reminders.models import Delivery, Heartbeat, Reminder, State
from il2tracker.system import health, mail_catcher, views
from il2tracker.system.rows import Row, rows
from tests import factories
from tests.services import Broker
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


def worked(ago: timedelta = timedelta(seconds=5), **otherwise: timedelta) -> None:
    """Planner and sender were last seen so long ago."""
    now = timezone.now()
    beat = {name: now - otherwise.get(name, ago) for name in ("planned_at", "swept_at")}
    Heartbeat.objects.update_or_create(pk=1, defaults=beat)


def reminder(**facts: Any) -> Reminder:
    now = timezone.now()
    usual = {
        "key": f"k{Reminder.objects.count()}",
        "kind": "injection_due",
        "occurrence": "c1/d1/am",
        "zone": "UTC",
        "due_at": now,
        "expires_at": now + timedelta(hours=1),
        "next_attempt_at": now,
    }
    return Reminder.objects.create(**{**usual, **facts})


@pytest.fixture
def eve() -> User:
    return create_user(by=None, email="eve@diary.example", name="Eve", is_staff=True)


@pytest.fixture
def ben() -> User:
    nurse = create_user(by=None, email="ben@diary.example", name="Ben")
    phones = {"day_phone": "1", "night_phone": "2", "emergency_phone": "3"}
    clinic = create_clinic(by=None, slug="north", name="North", time_zone="Europe/London", **phones)
    join_clinic(by=None, clinic=clinic, user=nurse, title="Nurse")
    return nurse


@pytest.fixture
def anna() -> User:
    return create_user(by=None, email="anna@diary.example", name="Anna")


# /healthz


@pytest.mark.parametrize(
    ("ago", "status"), [(timedelta(0), 200), (timedelta(seconds=170), 200), (timedelta(seconds=182), 503)]
)
@pytest.mark.parametrize(("part", "age"), [("planned_at", "plan_age_seconds"), ("swept_at", "sweep_age_seconds")])
def test_healthz_fails_once_planner_or_sender_were_silent_for_three_minutes(
    client: Client, part: str, age: str, ago: timedelta, status: int, settings: Any
) -> None:
    settings.PLAN_EVERY_SECONDS = settings.SWEEP_EVERY_SECONDS = 3600  # whatever the settings say
    worked(**{part: ago})
    answer = client.get("/healthz")
    assert answer.status_code == status
    assert answer.json()["database"] == "working"
    assert abs(answer.json()[age] - ago.total_seconds()) <= 8


def test_healthz_fails_before_the_first_sweep(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    never = {"plan_age_seconds": None, "sweep_age_seconds": None}
    assert answer.json() == {"status": "late", "database": "working", **never}


def test_healthz_says_so_when_the_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def broken() -> None:
        raise OperationalError("the database is gone")

    monkeypatch.setattr(Heartbeat, "read", broken)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "failed"


# The line on every page of staff


def test_nothing_is_complained_about_while_all_works() -> None:
    worked()
    reminder(state=State.PLANNED)
    assert health.complaint(timezone.now()) == ""


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("swept_at", "Reminders are not going out: the sender has been silent for more than 3 minutes."),
        ("planned_at", "New reminders are not being planned: the planner has been silent for more than 3 minutes."),
    ],
)
def test_a_silent_part_is_the_first_complaint_and_is_named(part: str, words: str) -> None:
    worked(**{part: timedelta(minutes=4)})
    reminder(attempts=1, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    assert health.complaint(timezone.now()) == words


def test_before_the_first_tick_nothing_goes_out() -> None:
    assert "not going out" in health.complaint(timezone.now())


def test_mail_that_waits_for_another_try_is_complained_about() -> None:
    worked()
    reminder(attempts=1, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    assert "held up" in health.complaint(timezone.now())


@pytest.mark.parametrize(("hours", "said"), [(1, True), (25, False)])
def test_mail_that_was_given_up_is_complained_about_for_a_day(hours: int, said: bool) -> None:
    worked()
    failed_at = timezone.now() - timedelta(hours=hours)
    reminder(state=State.DEAD, attempts=8, last_error_class="SMTPRecipientsRefused", failed_at=failed_at)
    assert ("could not be delivered" in health.complaint(timezone.now())) is said


@pytest.mark.parametrize(("hours", "said"), [(1, True), (25, False)])
def test_mail_that_was_too_late_to_send_is_counted_for_a_day(client: Client, eve: User, hours: int, said: bool) -> None:
    worked()
    for _ in range(2):
        reminder(state=State.EXPIRED, expires_at=timezone.now() - timedelta(hours=hours))
    reminder(state=State.CANCELLED, cancel_reason="recorded", expires_at=timezone.now() - timedelta(hours=1))
    complaint = health.complaint(timezone.now())
    assert complaint.startswith("2 reminders were too late to send since yesterday.") if said else complaint == ""
    client.force_login(eve)
    assert ("Mail too late to send" in client.get("/system/").content.decode()) is said


def test_what_the_cap_held_back_is_nobodys_failure_and_has_its_own_line(client: Client, eve: User) -> None:
    worked()
    over = timezone.now() - timedelta(hours=1)
    reminder(state=State.EXPIRED, expires_at=over, waits_for="cap", next_attempt_at=over + timedelta(hours=4))
    reminder(state=State.EXPIRED, expires_at=over, waits_for="cap", next_attempt_at=over, kind="cycle_day")
    assert health.complaint(timezone.now()) == ""
    assert line("Mail too late to send") is None
    found = line("More mails than a day holds")
    assert found is not None
    assert (found.state, found.words) == (health.LATE, "2 did not leave since yesterday, 1 of them about injections")


def test_what_waited_for_the_next_day_and_could_have_left_then_was_too_late(client: Client) -> None:
    worked()
    over = timezone.now() - timedelta(hours=1)
    reminder(state=State.EXPIRED, expires_at=over, waits_for="cap", next_attempt_at=over - timedelta(hours=4))
    assert str(health.complaint(timezone.now())).startswith("1 reminder was too late")
    assert line("More mails than a day holds") is None


def test_what_a_restore_ended_is_nobodys_failure_and_has_its_own_line(client: Client) -> None:
    for hours in (5, 1):  # the first one was over before the restore
        past = timezone.now() - timedelta(hours=hours)
        reminder(due_at=past, next_attempt_at=past, expires_at=past + timedelta(hours=3))
    Reminder.objects.filter(expires_at__lt=timezone.now()).update(state=State.EXPIRED)
    restoring.after_restore()
    worked()
    assert str(health.complaint(timezone.now())).startswith("1 reminder was too late")
    found = line("Mail ended by a restore")
    assert found is not None
    assert (found.state, found.words) == (health.LATE, "1 since yesterday")


def test_the_complaint_takes_one_statement_however_much_there_is(django_assert_num_queries: Any) -> None:
    worked()
    for _ in range(5):
        reminder(attempts=1, last_error_class="Timeout", failed_at=timezone.now())
    with django_assert_num_queries(1):
        health.complaint(timezone.now())


@pytest.mark.parametrize(("who", "told"), [("eve", True), ("ben", True), ("anna", False)])
def test_clinicians_and_administrators_are_told_and_patients_are_not(
    who: str, told: bool, request: pytest.FixtureRequest, rf: Any, django_assert_max_num_queries: Any
) -> None:
    from il2tracker.system.context import banner

    page = rf.get("/")
    page.user = request.getfixturevalue(who)
    assert bool(str(banner(page)["staff_banner"])) is told


# The System page


def test_the_system_page_names_what_fails_and_what_to_do(client: Client, eve: User) -> None:
    worked(timedelta(hours=1))
    reminder(attempts=3, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    reminder(state=State.DEAD, attempts=8, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    client.force_login(eve)
    text = client.get("/system/").content.decode()
    assert "Reminders are not going out" in text  # the line on every page of staff
    assert "Planner" in text
    assert "Sender" in text
    assert "60 minutes ago" in text
    assert "manage.py reminders --loop" in text
    assert "ConnectionRefusedError" in text
    assert "IL2_SMTP_HOST" in text
    assert "does not answer" in text  # the tests' settings name no broker


def test_the_system_page_is_calm_when_all_works(broker: Broker, settings: Any) -> None:
    settings.REDIS_URL = broker.url
    worked()
    assert {row.state for row in rows(timezone.now())} == {health.WORKING}


def line(name: str) -> Row | None:
    return next((row for row in rows(timezone.now()) if row.name == name), None)


@pytest.mark.parametrize(
    ("minutes", "state", "words"),
    [(None, health.WORKING, "none waits"), (4, health.WORKING, "1 waits, due"), (6, health.LATE, "1 waits, due")],
)
def test_the_queue_is_late_after_five_minutes(minutes: int | None, state: str, words: str) -> None:
    worked()
    due = timezone.now() - timedelta(minutes=minutes or 0)
    if minutes:
        reminder(next_attempt_at=due)
    reminder(next_attempt_at=timezone.now() + timedelta(hours=8), waits_for="quiet", due_at=due)
    found = line("Mails that are due")
    assert found is not None
    assert (found.state, found.words) == (state, words)
    assert found.seen_at == (due if minutes else None)


def test_the_number_of_waiting_mails_and_the_oldest_one_stand_there() -> None:
    worked()
    for minutes in (1, 2, 7):
        reminder(next_attempt_at=timezone.now() - timedelta(minutes=minutes))
    found = line("Mails that are due")
    assert found is not None
    assert found.words == "3 wait, the first was due"
    assert found.seen_at is not None
    assert timezone.now() - found.seen_at > timedelta(minutes=6)


def test_while_the_planner_is_silent_nobody_says_that_no_mail_waits() -> None:
    found = line("Mails that are due")
    assert found is not None
    assert (found.state, found.words) == (health.LATE, "0 wait; what came up since is not planned yet")


def test_refused_addresses_are_counted_and_nobody_is_named(client: Client, eve: User, anna: User, ben: User) -> None:
    assert line("Addresses") is None
    Delivery.objects.create(user=anna, refused_address=anna.email)
    Delivery.objects.create(user=ben, refused_address="an-earlier@diary.example")
    client.force_login(eve)
    text = client.get("/system/").content.decode()
    assert "1 that a mail server refuses" in text
    assert anna.email not in text
    assert "People" in text


def test_what_was_given_up_stays_until_an_administrator_has_seen_it(client: Client, eve: User) -> None:
    worked()
    failed = timezone.now() - timedelta(minutes=1)
    reminder(state=State.DEAD, last_error_class="RCPT 550", failed_at=failed)
    reminder(state=State.UNCERTAIN, handing_over_at=failed, last_error_class="TimeoutError", failed_at=failed)
    client.force_login(eve)
    text = client.get("/system/").content.decode()
    assert "2 not delivered for certain." in text
    assert health.complaint(timezone.now())
    assert client.post("/system/seen/").headers["Location"] == "/system/"
    assert "not delivered for certain" not in client.get("/system/").content.decode()
    assert health.complaint(timezone.now()) == ""
    assert Reminder.objects.exclude(seen_by_staff_at=None).count() == 2


@pytest.mark.parametrize(("policy", "state"), [("noeviction", health.WORKING), ("allkeys-lru", health.LATE)])
def test_a_broker_that_throws_things_away_is_named(broker: Broker, settings: Any, policy: str, state: str) -> None:
    settings.REDIS_URL = broker.url
    redis.Redis.from_url(broker.url).config_set("maxmemory-policy", policy)
    found = line("Broker")
    assert found is not None
    assert found.state == state


def test_a_broker_that_does_not_say_is_believed(broker: Broker, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_args: Any) -> None:
        raise redis.ResponseError("unknown command CONFIG")

    settings.REDIS_URL = broker.url
    monkeypatch.setattr(redis.Redis, "config_get", forbidden)
    found = line("Broker")
    assert found is not None
    assert found.state == health.WORKING


# What would be sent


def test_a_day_shows_hours_kinds_and_numbers_and_nobodys_name(client: Client) -> None:
    cast = factories.cast()
    for patient in (cast.anna_patient, cast.dan_patient):
        factories.plan(patient, cast.ben, starts_on=patient.today(timezone.now()) + timedelta(days=10))
    day = cast.anna_patient.today(timezone.now()) + timedelta(days=10)
    client.force_login(cast.eve)
    answer = client.get("/system/reminders/", {"on": day.isoformat()})
    found = {(each.at.hour, each.kind): (each.to_send, each.sent, each.not_sent) for each in answer.context["sums"]}
    assert found[9, "Injection due"] == (2, 0, 0)
    assert found[23, "Injection not recorded"] == (2, 0, 0)
    text = answer.content.decode()
    assert not [word for word in (cast.anna_patient.code, cast.dan_patient.code, "Anna", "anna@") if word in text]
    assert not Reminder.objects.exists(), "it only looks"


def test_sent_and_not_sent_are_counted_apart(client: Client) -> None:
    cast = factories.cast()
    day = cast.anna_patient.today(timezone.now()) + timedelta(days=10)
    for patient in (cast.anna_patient, cast.dan_patient):
        factories.plan(patient, cast.ben, starts_on=day)
    planning.plan(Cycle.objects.earliest("pk").doses.earliest("due_at").due_at - timedelta(minutes=15))
    now = timezone.now()
    own = Reminder.objects.filter(kind="injection_due", occurrence__endswith="/d1/am")
    own.filter(recipient=cast.anna).update(state="sent", handing_over_at=now, accepted_at=now)
    own.filter(recipient=cast.dan).update(state="expired")
    client.force_login(cast.eve)
    sums = client.get("/system/reminders/", {"on": day.isoformat()}).context["sums"]
    (found,) = [each for each in sums if each.kind == "Injection due" and each.at.hour == 9]
    assert (found.to_send, found.sent, found.not_sent) == (0, 1, 1)


@pytest.mark.parametrize("on", ["2020-01-01", "soon", "2026-02-30", "9999-01-01"])
def test_a_day_that_cannot_be_shown_gets_words(client: Client, eve: User, on: str) -> None:
    client.force_login(eve)
    answer = client.get("/system/reminders/", {"on": on})
    assert answer.status_code == 422
    assert "Give a day from today" in answer.content.decode()


def test_without_a_day_it_is_today(client: Client, eve: User) -> None:
    client.force_login(eve)
    answer = client.get("/system/reminders/")
    assert (answer.status_code, answer.context["day"]) == (200, timezone.now().date())


def test_an_administrator_sends_herself_a_test_mail_and_sees_what_became_of_it(
    client: Client, eve: User, smtp_sink: SmtpSink
) -> None:
    client.force_login(eve)
    assert client.post("/system/reminders/test/").headers["Location"] == "/system/reminders/"
    assert "planned" in client.get("/system/reminders/").content.decode()
    smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    text = client.get("/system/reminders/").content.decode()
    assert "given up (RCPT 550)" in text
    assert smtp_sink.attempts == 1


def test_the_test_mail_arrives(client: Client, eve: User, smtp_sink: SmtpSink) -> None:
    client.force_login(eve)
    client.post("/system/reminders/test/")
    sending.sweep()
    assert [received.rcpt_tos for received in smtp_sink.messages] == [("eve@diary.example",)]
    assert Reminder.objects.get().state == "sent"


@pytest.mark.parametrize(
    "path", ["/system/", "/system/reminders/", "/system/mail/", "/system/mail/20260101T000000000000/"]
)
def test_only_administrators_find_the_pages(client: Client, anna: User, ben: User, path: str) -> None:
    assert client.get(path).status_code == 302
    for user in (anna, ben):
        client.force_login(user)
        assert client.get(path).status_code == 404


# Sent mail, in the demo


@pytest.fixture
def caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """One mail in the folder; its name."""
    message = EmailMessage()
    message["Subject"], message["To"] = "A reminder <b>", "anna@diary.example"
    message.set_content("Open your diary <script>alert(1)</script>")
    (tmp_path / "20260102T030405000006.eml").write_bytes(bytes(message))
    monkeypatch.setattr(views, "MAIL", tmp_path)
    settings.DEMO = True
    return "20260102T030405000006"


def test_an_administrator_reads_the_demos_mail(client: Client, eve: User, caught: str) -> None:
    client.force_login(eve)
    listed = client.get("/system/mail/").content.decode()
    assert "A reminder &lt;b&gt;" in listed
    text = client.get(f"/system/mail/{caught}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "anna@diary.example" in text


def test_outside_the_demo_there_is_no_mail_page(client: Client, eve: User, caught: str, settings: Any) -> None:
    settings.DEMO = False
    client.force_login(eve)
    assert client.get("/system/mail/").status_code == 404
    assert client.get(f"/system/mail/{caught}/").status_code == 404


@pytest.mark.parametrize("name", ["20260102T030405000007", "secret-key", "..", ""])
def test_only_names_that_the_catcher_gives_are_read(tmp_path: Path, caught: str, name: str) -> None:
    (tmp_path / "secret-key.eml").write_text("not a mail")
    assert mail_catcher.find(tmp_path, name) is None
