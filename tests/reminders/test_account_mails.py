"""Account mails: who gets one is found out when it leaves, what was typed is kept no longer, and nothing leaves but by
the outbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import allauth.account
import pytest
from allauth.account.adapter import get_adapter
from allauth.core import context
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils import timezone

from il2tracker.accounts.models import User
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import account_mails, actions, claiming, clocks, invariants, kinds, mails, sending
from il2tracker.reminders.adapter import MailPastTheOutboxError
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.reminders import outbox
from tests.reminders.test_mails import leaks, parsed
from tests.smtp_sink import Received, SmtpSink

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden_account"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LINK = re.compile(r"https?://[^\s<>\"]+/sign-in/forgot/\w{10}-\d+/")
NEW = "seven quiet green boats"


@pytest.fixture
def anna() -> User:
    return factories.user("Anna")


def ask(address: str, **headers: str) -> Reminder:
    """Somebody types an address on the page; the row that comes of it."""
    answer = Client(headers=headers).post("/sign-in/forgot/", {"email": address})
    assert answer.status_code == 302, answer.content.decode()
    return Reminder.objects.latest("pk")


def sent(sink: SmtpSink) -> list[Received]:
    """What the mail server has after one sweep."""
    sending.sweep()
    return sink.messages


def link_in(received: Received) -> str:
    return received_link(received.message.get_body(("plain",)).get_content())  # type: ignore[union-attr]


def received_link(text: str) -> str:
    (link,) = LINK.findall(text)
    return str(link)


def path(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def after(row: Reminder) -> tuple[str, str, str, int | None]:
    row.refresh_from_db()
    return row.state, row.cancel_reason, row.address, row.recipient_id


# From the page to the mail and back


def test_the_mail_opens_the_page_for_a_new_password(anna: User, smtp_sink: SmtpSink) -> None:
    row = ask(anna.email)
    (mail,) = sent(smtp_sink)
    assert mail.rcpt_tos == (anna.email,)
    client = Client()
    page = client.get(path(link_in(mail)))["Location"]
    assert client.post(page, {"password1": NEW, "password2": NEW}).status_code == 302
    assert Client().post("/sign-in/", {"login": anna.email, "password": NEW}).status_code == 302
    assert after(row) == ("sent", "", "", anna.pk)
    (_reset, told) = sent(smtp_sink)
    assert told.message["Subject"] == "Your password for Diary was changed"
    assert invariants.broken(clocks.database_now()) == []


@pytest.mark.parametrize("typed", ["ANNA@Example.ORG", "  anna@example.org ", "Anna@EXAMPLE.org"])
def test_capitals_and_spaces_do_not_matter(anna: User, smtp_sink: SmtpSink, typed: str) -> None:
    User.objects.filter(pk=anna.pk).update(email="aNNa@example.org")
    ask(typed)
    (mail,) = sent(smtp_sink)
    assert mail.rcpt_tos == ("aNNa@example.org",), "to the address as it is kept, never as it was typed"


def nobody(user: User) -> None:
    user.delete()


def barred(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def of_the_demo(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_demo=True)


@pytest.mark.parametrize("make", [nobody, barred, of_the_demo])
def test_an_address_that_nobody_signs_in_with_gets_no_mail_and_is_not_kept(
    anna: User, smtp_sink: SmtpSink, make: Callable[[User], None]
) -> None:
    make(anna)
    row = ask("anna@example.org")
    assert sent(smtp_sink) == []
    assert after(row) == ("cancelled", "unknown_address", "", None)


def test_in_the_demo_its_people_get_their_mail(anna: User, smtp_sink: SmtpSink, settings: Any) -> None:
    of_the_demo(anna)
    settings.DEMO = True
    ask(anna.email)
    assert len(sent(smtp_sink)) == 1


def test_a_person_who_is_barred_after_asking_gets_no_link(anna: User, smtp_sink: SmtpSink) -> None:
    row = ask(anna.email)
    (batch_row,) = claiming.claim().rows
    batch_row.recipient = account_mails.recipient(batch_row)
    barred(anna)
    claiming.give_back(batch_row, timedelta(0))
    assert sent(smtp_sink) == []
    assert after(row)[0] == "cancelled"


def test_one_person_gets_three_links_an_hour_however_often_somebody_asks(anna: User, smtp_sink: SmtpSink) -> None:
    for _time in range(5):
        ask(anna.email)
        sending.sweep()
    ask("dan@example.org")
    assert len(sent(smtp_sink)) == 3
    states = Reminder.objects.order_by("pk").values_list("state", "cancel_reason", "address")
    assert list(states)[3:5] == [("cancelled", "answered", "")] * 2
    Reminder.objects.filter(state="sent").update(handing_over_at=timezone.now() - HOUR - MINUTE)
    ask(anna.email)
    assert len(sent(smtp_sink)) == 4


def test_five_requests_at_once_make_three_mails(anna: User, smtp_sink: SmtpSink) -> None:
    for _time in range(5):
        ask(anna.email)
    assert len(sent(smtp_sink)) == 3


# What was typed


def wait_too_long(row: Reminder, sink: SmtpSink) -> None:
    outbox.change(row, expires_at=timezone.now() - HOUR)


def refuse(row: Reminder, sink: SmtpSink) -> None:
    sink.fault("rcpt-550")


def never_answer(row: Reminder, sink: SmtpSink) -> None:
    sink.fault("data-451")
    outbox.change(row, attempts=claiming.MAX_ATTEMPTS - 1)


def nothing(row: Reminder, sink: SmtpSink) -> None:
    """All goes well."""


@pytest.mark.parametrize("fate", [nothing, wait_too_long, refuse, never_answer])
@pytest.mark.parametrize("address", ["anna@example.org", "nobody@example.org"])
def test_no_typed_address_is_left_when_a_row_has_ended(
    anna: User, smtp_sink: SmtpSink, address: str, fate: Callable[[Reminder, SmtpSink], None]
) -> None:
    row = ask(address)
    fate(row, smtp_sink)
    sending.sweep()
    state, _reason, kept, recipient = after(row)
    assert state in {"sent", "cancelled", "expired", "dead"}
    assert kept == ""
    known_by_then = address == anna.email and fate is not wait_too_long
    assert recipient == (anna.pk if known_by_then else None)


def test_a_mail_that_comes_late_still_knows_whose_it_is(anna: User, smtp_sink: SmtpSink) -> None:
    row = ask(anna.email)
    smtp_sink.fault("data-451", times=1)
    assert sent(smtp_sink) == []
    assert row.state == "planned"
    outbox.change(row, next_attempt_at=timezone.now() - MINUTE)
    assert len(sent(smtp_sink)) == 1


def test_no_secret_lies_in_the_outbox(anna: User, smtp_sink: SmtpSink) -> None:
    row = ask(anna.email)
    (mail,) = sent(smtp_sink)
    key = path(link_in(mail)).rstrip("/").rpartition("-")[2]
    row.refresh_from_db()
    assert key not in repr(Reminder.objects.filter(pk=row.pk).values().get())


# What the mails say


@pytest.fixture
def neutral_names(settings: Any) -> None:
    settings.BASE_URL = "https://diary-of-ours.example.uk"
    settings.MESSAGE_ID_DOMAIN = "mail.example"
    settings.DEFAULT_FROM_EMAIL = "Diary <diary@mail.example>"


def row_of(kind: str, user: User) -> Reminder:
    now = timezone.now().replace(year=2027, month=3, day=3, hour=21, minute=40)
    return actions.post(by=user, kind=kind, recipient=user, now=now)


ALL = pytest.mark.parametrize("kind", [kinds.PASSWORD_RESET, kinds.PASSWORD_CHANGED])


@ALL
@pytest.mark.usefixtures("neutral_names")
def test_the_words_are_those_that_were_agreed(anna: User, kind: str) -> None:
    mail = mails.build(row_of(kind, anna), timezone.now())
    said = re.sub(r"forgot/\w{10}-\d+/", "forgot/LINK/", f"Subject: {mail.subject}\n\n{mail.body}")
    assert said == (GOLDEN / f"{kind}.txt").read_text(encoding="utf-8")


@ALL
@pytest.mark.usefixtures("neutral_names")
def test_an_account_mail_says_nothing_to_who_looks_over_a_shoulder(anna: User, kind: str) -> None:
    factories.clinic("Clinic North")
    mail = mails.build(row_of(kind, anna), timezone.now())
    whole = parsed(mail)
    assert leaks(mail.message().as_bytes()) == []
    assert whole["To"] == "anna@example.org"
    assert whole["Auto-Submitted"] == "auto-generated"
    assert whole["List-Unsubscribe"] is None, "nobody can switch it off"
    assert "anna" not in mail.message().as_string().lower().replace("anna@example.org", "")


def test_the_hour_is_told_on_the_clock_that_the_person_lives_by(settings: Any) -> None:
    settings.DEFAULT_TIME_ZONE = "Australia/Lord_Howe"
    lee = factories.lone_patient("Lee")
    in_london = mails.build(row_of(kinds.PASSWORD_CHANGED, lee.user), timezone.now())  # type: ignore[arg-type]
    assert "on Wednesday 3 March at 9:40pm GMT" in in_london.body
    elsewhere = mails.build(row_of(kinds.PASSWORD_CHANGED, factories.user("Ben")), timezone.now())
    assert "on Thursday 4 March at 8:40am +11" in elsewhere.body


@pytest.mark.parametrize("host", ["testserver:8443", "testserver"])
def test_a_link_never_leads_to_the_host_of_the_request(
    anna: User, smtp_sink: SmtpSink, settings: Any, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for evil in (host, "evil.example"):
        ask(anna.email, host=evil, x_forwarded_host="evil.example", referer="https://evil.example/")
    for mail in sent(smtp_sink):
        text = mail.message.as_string()
        assert link_in(mail).startswith("http://diary.example/sign-in/forgot/")
        assert not re.search("evil|testserver|8443", text)


def test_a_host_that_is_not_ours_is_refused(anna: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["diary.example"]
    answer = Client(headers={"host": "evil.example"}).post("/sign-in/forgot/", {"email": anna.email})
    assert answer.status_code == 400
    assert not Reminder.objects.exists()


# Whatever does not work


def test_a_request_is_answered_while_mail_server_and_broker_are_down(
    anna: User, smtp_sink: SmtpSink, settings: Any
) -> None:
    """The broker of the tests' settings is none (port 1)."""
    smtp_sink.refuse()
    assert settings.REDIS_URL.endswith(":1/0")
    row = ask(anna.email)
    sending.sweep()
    assert after(row)[:3] == ("planned", "", anna.email)
    smtp_sink.accept()
    outbox.change(row, next_attempt_at=timezone.now() - MINUTE)
    assert len(sent(smtp_sink)) == 1


def test_a_link_that_could_not_leave_for_half_an_hour_does_not_leave_any_more(anna: User, smtp_sink: SmtpSink) -> None:
    row = ask(anna.email)
    outbox.change(row, expires_at=row.due_at)
    assert sent(smtp_sink) == []
    assert after(row)[:3] == ("expired", "", "")


def test_staff_see_the_row_as_a_number_only(anna: User) -> None:
    ask(anna.email)
    eve = factories.user("Eve", is_staff=True)
    client = Client()
    client.force_login(eve)
    assert Reminder.objects.health(timezone.now())["planned_count"] == 1
    assert anna.email not in client.get("/system/").content.decode()
    assert not Reminder.objects.visible_to(eve).exists()


def test_nobody_can_switch_account_mails_off_and_no_mail_of_a_day_counts_them() -> None:
    for kind in (kinds.PASSWORD_RESET, kinds.PASSWORD_CHANGED):
        policy = kinds.POLICIES[kind]
        assert not policy.preference
        assert not policy.waits_in_quiet_hours
        assert not policy.is_capped
        assert policy.resend_when_uncertain


# Nothing past the outbox


WAYS: dict[str, Callable[[Any, User], None]] = {
    "link": lambda ours, user: ours.send_password_reset_mail(user, user.email, {}),
    "notice": lambda ours, user: ours.send_notification_mail("account/email/password_changed", user),
    "any": lambda ours, user: ours.send_mail("account/email/login_code", user.email, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_mail_of_allauth_leaves_past_the_outbox(
    anna: User, smtp_sink: SmtpSink, settings: Any, rf: RequestFactory, way: str
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    with context.request_context(rf.get("/")), pytest.raises(MailPastTheOutboxError):
        WAYS[way](get_adapter(), anna)
    assert smtp_sink.attempts == 0


def test_in_all_of_allauth_only_the_way_that_is_closed_leads_to_the_mail_server() -> None:
    """When a new version opens another one, this fails."""
    folder = Path(allauth.account.__file__).parent
    found = [
        f"{file.relative_to(folder)}: {line.strip()}"
        for file in sorted(folder.rglob("*.py"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"core\.mail|smtplib|msg\.send\(|email_user\(", line) and "tests" not in file.parts
    ]
    assert found == [
        "adapter.py: from django.core.mail import EmailMessage, EmailMultiAlternatives",
        "adapter.py: msg.send()",
    ]


def test_adding_a_person_sends_nothing(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{NEW}\n"))
    call_command("person", "add", "eve@example.org", "--role", "administrator", "--name", "Eve", stdout=StringIO())
    assert not Reminder.objects.exists()
    assert smtp_sink.attempts == 0


# From the administrator's pages


def send_link(client: Client, *people: User) -> Any:
    picked = {"action": "mail_link", "_selected_action": [person.pk for person in people]}
    return client.post("/system/admin/accounts/user/", picked, follow=True)


def test_an_administrator_has_a_link_sent_and_never_sees_it(client: Client, anna: User, smtp_sink: SmtpSink) -> None:
    eve = factories.user("Eve", is_staff=True)
    client.force_login(eve)
    said = send_link(client, anna).content.decode()
    assert "A link goes to 1 person." in said
    assert not LINK.search(said)
    event = AuditEvent.objects.get(action="accounts.user.link_mailed")
    assert (event.actor_ref, event.subject_ref) == (eve.ref, anna.ref)
    (mail,) = sent(smtp_sink)
    assert mail.rcpt_tos == (anna.email,)
    assert Client().get(path(link_in(mail))).status_code == 302


def test_whoever_may_not_sign_in_gets_no_link_from_the_administrator_either(
    client: Client, anna: User, smtp_sink: SmtpSink
) -> None:
    client.force_login(factories.user("Eve", is_staff=True))
    barred(anna)
    assert "Whoever may not sign in gets none." in send_link(client, anna).content.decode()
    assert sent(smtp_sink) == []


def test_only_an_administrator_sends_links(client: Client, anna: User) -> None:
    client.force_login(factories.user("Dan"))
    assert send_link(client, anna).status_code == 403
    assert not Reminder.objects.exists()
