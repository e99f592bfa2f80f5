"""What machines and staff are told when the installation works, and when it does not."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from il2tracker.accounts.actions import create_clinic, create_user, join_clinic
from il2tracker.accounts.models import User
from il2tracker.reminders.models import Heartbeat, Reminder, State
from il2tracker.system import health, mail_catcher, views
from tests.services import Broker

pytestmark = pytest.mark.django_db


def swept(ago: timedelta) -> None:
    Heartbeat.objects.update_or_create(pk=1, defaults={"swept_at": timezone.now() - ago})


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
    ("ago", "status"), [(timedelta(0), 200), (timedelta(seconds=179), 200), (timedelta(seconds=182), 503)]
)
def test_healthz_fails_once_reminders_were_not_looked_at_for_three_minutes(
    client: Client, ago: timedelta, status: int
) -> None:
    swept(ago)
    answer = client.get("/healthz")
    assert answer.status_code == status
    assert answer.json()["database"] == "working"
    assert abs(answer.json()["sweep_age_seconds"] - ago.total_seconds()) <= 2


def test_healthz_fails_before_the_first_sweep(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "late", "database": "working", "sweep_age_seconds": None}


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
    swept(timedelta(seconds=5))
    reminder(state=State.PLANNED)
    assert health.complaint(timezone.now()) == ""


def test_a_silent_worker_is_the_first_complaint() -> None:
    swept(timedelta(minutes=4))
    assert "silent" in health.complaint(timezone.now())


def test_mail_that_waits_for_another_try_is_complained_about() -> None:
    swept(timedelta(seconds=5))
    reminder(attempts=1, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    assert "held up" in health.complaint(timezone.now())


@pytest.mark.parametrize(("hours", "said"), [(1, True), (25, False)])
def test_mail_that_was_given_up_is_complained_about_for_a_day(hours: int, said: bool) -> None:
    swept(timedelta(seconds=5))
    failed_at = timezone.now() - timedelta(hours=hours)
    reminder(state=State.DEAD, attempts=8, last_error_class="SMTPRecipientsRefused", failed_at=failed_at)
    assert ("could not be delivered" in health.complaint(timezone.now())) is said


@pytest.mark.parametrize(("hours", "said"), [(1, True), (25, False)])
def test_mail_that_was_too_late_to_send_is_counted_for_a_day(client: Client, eve: User, hours: int, said: bool) -> None:
    swept(timedelta(seconds=5))
    for _ in range(2):
        reminder(state=State.EXPIRED, expires_at=timezone.now() - timedelta(hours=hours))
    reminder(state=State.CANCELLED, cancel_reason="recorded", expires_at=timezone.now() - timedelta(hours=1))
    complaint = health.complaint(timezone.now())
    assert complaint.startswith("2 reminders were too late to send since yesterday.") if said else complaint == ""
    client.force_login(eve)
    assert ("Mail too late to send" in client.get("/system/").content.decode()) is said


def test_the_complaint_takes_one_statement_however_much_there_is(django_assert_num_queries: Any) -> None:
    swept(timedelta(seconds=5))
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
    swept(timedelta(hours=1))
    reminder(attempts=3, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    reminder(state=State.DEAD, attempts=8, last_error_class="ConnectionRefusedError", failed_at=timezone.now())
    client.force_login(eve)
    text = client.get("/system/").content.decode()
    assert "Reminders are not going out" in text  # the line on every page of staff
    assert "60 minutes ago" in text
    assert "manage.py reminders --loop" in text
    assert "ConnectionRefusedError" in text
    assert "IL2_SMTP_HOST" in text
    assert "does not answer" in text  # the tests' settings name no broker


def test_the_system_page_is_calm_when_all_works(broker: Broker, settings: Any) -> None:
    settings.REDIS_URL = broker.url
    swept(timedelta(seconds=5))
    assert {row.state for row in health.rows(timezone.now())} == {health.WORKING}


@pytest.mark.parametrize("path", ["/system/", "/system/mail/", "/system/mail/20260101T000000000000/"])
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
