"""An address that a mail server refuses for good: at the hand-over, or later in a delivery report (B23)."""

import io
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from cycles.models import PlannedDose
from il2tracker.accounts.models import User
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import bouncing, planning, sending
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Delivery, Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import ANSWERS, SmtpSink

ANNA = "anna@example.org"


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


def sent(cast: Cast, **facts: Any) -> Reminder:
    """A mail to Anna that a server accepted."""
    now = timezone.now()
    return outbox.row(cast.anna_patient, state="sent", accepted_at=now, handing_over_at=now, **facts)


def injections(cast: Cast) -> list[Reminder]:
    """Anna's reminders of her next injections, due now."""
    starts_on = cast.anna_patient.today(timezone.now()) + timedelta(days=10)
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=starts_on)
    outbox.plan_for(plan.cycles.get().doses.earliest("due_at"))
    Reminder.objects.exclude(kind="injection_due").delete()
    outbox.bring_to_now(Reminder.objects.all())
    return list(Reminder.objects.order_by("due_at", "pk"))


def refused() -> dict[str, str]:
    """Address → cause of everybody whose address is refused."""
    return dict(Delivery.objects.exclude(refused_address="").values_list("refused_address", "refused_cause"))


# What an answer says


@pytest.mark.parametrize(
    ("cause", "reply", "gone"),
    [
        ("RCPT 550", "550 5.1.1 no such mailbox", "RCPT 550 5.1.1"),
        ("RCPT 550", "550 No such user here", "RCPT 550"),
        ("RCPT 551", "551 User not local", "RCPT 551"),
        ("RCPT 553", "553 5.1.3 bad address syntax", "RCPT 553 5.1.3"),
        ("RCPT 554", "554 5.1.10 recipient not found", "RCPT 554 5.1.10"),
        ("RCPT 550", "550 5.2.1 mailbox disabled", "RCPT 550 5.2.1"),
        ("RCPT 550", "550 5.7.1 we do not like you", ""),
        ("RCPT 552", "552 5.2.2 mailbox full", ""),
        ("RCPT 550", "550 5.2.2 over quota", ""),
        ("RCPT 553", "553 5.1.8 sender's domain not found", ""),
        ("RCPT 550", "550 5.1.7 bad sender", ""),
        ("RCPT 554", "554 go away", ""),
        ("TEXT 550", "550 5.1.1 spam", ""),
        ("DATA 554", "554 5.6.0 message refused", ""),
        ("RCPT 451", "451 5.1.1 later", ""),
        ("TimeoutError", "", ""),
    ],
)
def test_only_an_answer_about_the_mailbox_refuses_the_address(cause: str, reply: str, gone: str) -> None:
    assert bouncing.refusal(cause, reply) == gone


# At the hand-over


@pytest.mark.django_db
def test_a_refused_address_is_remembered_and_gets_no_further_mail(cast: Cast, smtp_sink: SmtpSink) -> None:
    rows = injections(cast)
    smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    assert refused() == {ANNA: "RCPT 550 5.1.1"}
    assert Delivery.objects.get(user=cast.anna).refused_at is not None
    assert Reminder.objects.filter(state="dead").count() == 1
    assert Reminder.objects.filter(state="cancelled", cancel_reason="refused").count() == len(rows) - 1
    assert smtp_sink.messages == []


@pytest.mark.django_db
def test_the_log_of_it_names_the_person_by_reference_only(cast: Cast, smtp_sink: SmtpSink) -> None:
    injections(cast)
    smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    event = AuditEvent.objects.get(action="reminders.address.refused")
    assert (event.subject_ref, event.detail, event.actor_name) == (cast.anna.ref, "RCPT 550 5.1.1", "")


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["data-554", "rcpt-451"])
def test_another_refusal_says_nothing_about_the_address(cast: Cast, smtp_sink: SmtpSink, fault: str) -> None:
    injections(cast)
    smtp_sink.fault(fault, times=1)
    sending.sweep()
    assert refused() == {}
    assert len(smtp_sink.messages) == 6


@pytest.mark.django_db
def test_a_changed_address_is_no_longer_refused(cast: Cast, smtp_sink: SmtpSink) -> None:
    injections(cast)
    smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    User.objects.filter(pk=cast.anna.pk).update(email="new@example.org")
    dose = PlannedDose.objects.earliest("due_at")
    planning.plan(dose.due_at - timedelta(minutes=15))
    outbox.bring_to_now(Reminder.objects.filter(kind="injection_due", state="planned"))
    sending.sweep()
    assert {received.rcpt_tos for received in smtp_sink.messages} == {("new@example.org",)}
    assert Reminder.objects.filter(kind="injection_due", state="sent").count() == 6


@pytest.mark.django_db
def test_what_somebody_asked_for_is_tried_all_the_same_and_an_accepted_one_heals(
    cast: Cast, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(row: Reminder, now: Any) -> EmailMessage:
        from django.core.mail import EmailMessage

        assert row.recipient is not None
        return EmailMessage("Diary", "Hello.\n", to=[row.recipient.email])

    monkeypatch.setattr(sending.mails, "build", build)
    bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550 5.1.1")
    row = outbox.row(cast.anna_patient, kind="test")
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, refused()) == ("sent", {})
    assert AuditEvent.objects.filter(action="reminders.address.accepted", subject_ref=cast.anna.ref).count() == 1


@pytest.mark.django_db
def test_a_refusal_is_kept_once_and_leaves_other_choices_alone(cast: Cast) -> None:
    Delivery.objects.create(user=cast.anna, most_per_day=3)
    assert bouncing.refuse(user=cast.anna, address="Anna@Example.org", cause="x 5.1.1")
    assert not bouncing.refuse(user=cast.anna, address=ANNA, cause="y 5.1.1")
    assert not bouncing.refuse(user=cast.dan, address="an-earlier-one@example.org", cause="x 5.1.1")
    kept = Delivery.objects.get(user=cast.anna)
    assert (kept.most_per_day, kept.refused_cause, refused()) == (3, "x 5.1.1", {ANNA: "x 5.1.1"})
    assert not bouncing.accept(address="dan@example.org")


# A refusal that does not say why: the server's own trouble, or a mailbox that is gone


def doubt(user: User, minutes: int = 120) -> None:
    """The person's address was refused so long ago, without a reason."""
    bouncing.refuse(user=user, address=user.email, cause="RCPT 550")
    Delivery.objects.filter(user=user).update(refused_at=from_now(-timedelta(minutes=minutes)))


@pytest.mark.django_db
def test_a_server_that_refuses_everybody_for_a_while_silences_nobody(
    cast: Cast, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "rcpt-550", "550 relay not permitted")
    first, *rest = injections(cast)
    Reminder.objects.exclude(pk__in=[first.pk, rest[0].pk]).update(next_attempt_at=from_now(timedelta(hours=2)))
    smtp_sink.fault("rcpt-550")
    sending.sweep()
    assert (Reminder.objects.filter(state="dead").count(), refused()) == (2, {})
    smtp_sink.fault("")
    outbox.bring_to_now(Reminder.objects.filter(state="planned"))
    sending.sweep()
    assert len(smtp_sink.messages) == len(rest) - 1 > 0


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"])
def test_a_refusal_that_says_that_there_is_no_such_mailbox_counts_at_once(cast: Cast, status: str) -> None:
    assert bouncing.refuse(user=cast.anna, address=ANNA, cause=f"RCPT 550 {status}")
    assert refused() == {ANNA: f"RCPT 550 {status}"}


@pytest.mark.django_db
@pytest.mark.parametrize("cause", ["RCPT 550", "RCPT 551", "RCPT 550 5.2.1", "RCPT 550 5.1.0", "BOUNCE 5.0.0"])
@pytest.mark.parametrize(("minutes", "counts"), [(59, False), (61, True)])
def test_any_other_one_counts_when_an_hour_later_there_is_a_second(
    cast: Cast, cause: str, minutes: int, counts: bool
) -> None:
    assert not bouncing.refuse(user=cast.anna, address=ANNA, cause=cause)
    assert refused() == {}
    Delivery.objects.update(refused_at=from_now(-timedelta(minutes=minutes)))
    assert bouncing.refuse(user=cast.anna, address=ANNA, cause=cause) is counts
    assert bool(refused()) is counts


@pytest.mark.django_db
def test_the_first_one_stays_the_first_however_many_follow_in_its_hour(cast: Cast) -> None:
    doubt(cast.anna, minutes=50)
    before = Delivery.objects.get().refused_at
    bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550")
    assert Delivery.objects.get().refused_at == before


@pytest.mark.django_db
@pytest.mark.parametrize("healed_by", ["a mail", "a test mail from the command line", "nothing"])
def test_an_accepted_mail_between_them_makes_the_second_one_the_first(cast: Cast, healed_by: str) -> None:
    doubt(cast.anna)
    if healed_by == "a mail":
        sent(cast)
    elif healed_by != "nothing":
        bouncing.accept(address=ANNA.upper())
    assert bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550") is (healed_by == "nothing")


@pytest.mark.django_db
def test_what_an_earlier_address_was_refused_for_is_no_first_one(cast: Cast) -> None:
    Delivery.objects.create(
        user=cast.anna, refused_address="old@example.org", refused_at=timezone.now() - timedelta(days=9)
    )
    assert not bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550")
    assert refused() == {}


@pytest.mark.django_db
def test_the_same_report_twice_is_no_second_refusal(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    row = sent(cast)
    vague = report(row, status="5.0.0", diagnosis="smtp; 550 no")
    pipe(vague, monkeypatch)
    Delivery.objects.update(refused_at=from_now(-timedelta(hours=2)))
    assert "nothing" in pipe(vague, monkeypatch)
    assert refused() == {}
    pipe(report(sent(cast), status="5.0.0", diagnosis="smtp; 550 no"), monkeypatch)
    assert refused() == {ANNA: "BOUNCE 5.0.0"}


# A delivery report


def report(
    row: Reminder | None = None,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnosis: str = "smtp; 550 5.1.1 <anna@example.org> unknown",
    final: str = ANNA,
    returned: str = "message/rfc822",
) -> bytes:
    """As a mail server writes it (RFC 3464), for a row's mail."""
    fields = ["Reporting-MTA: dns; mx.example", "", f"Final-Recipient: rfc822; {final}", f"Action: {action}"]
    fields += [f"Status: {status}", f"Diagnostic-Code: {diagnosis}"]
    uuid = row.message_uuid if row else uuid4()
    original = f"Message-ID: <{uuid.int}@{settings.MESSAGE_ID_DOMAIN}>\nTo: {ANNA}\nSubject: Diary\n\nHello\n"
    parts = {"text/plain": "It did not arrive.\n", "message/delivery-status": "\n".join(fields) + "\n"}
    if returned:
        parts[returned] = original
    body = "".join(f"--b\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts.items())
    head = "From: MAILER-DAEMON@mx.example\nMIME-Version: 1.0\n"
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    return f"{head}{kind}{body}--b--\n".encode()


def pipe(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """`manage.py reminders --bounce` with this on its standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    said = io.StringIO()
    call_command("reminders", "--bounce", stdout=said, stderr=said)
    return said.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_gives_the_mail_up_and_refuses_the_address(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, returned: str
) -> None:
    row, other = sent(cast), sent(cast)
    assert "given up" in pipe(report(row, returned=returned), monkeypatch)
    row.refresh_from_db()
    other.refresh_from_db()
    assert refused() == {ANNA: "BOUNCE 5.1.1"}
    assert (row.state, row.last_error_class, other.state) == ("dead", "BOUNCE 5.1.1", "sent")
    assert "nothing" in pipe(report(row, returned=returned), monkeypatch), "a second one changes nothing"


FORGED = {
    "without the mail's headers": report(returned=""),
    "with a name that no mail of ours has": report(),
    "with the status part only": (
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {ANNA}\n"
        "Action: failed\nStatus: 5.1.1\n"
    ).encode(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("forged", FORGED.values(), ids=list(FORGED))
def test_a_report_that_names_no_mail_of_ours_changes_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, forged: bytes
) -> None:
    row = sent(cast)
    assert "names no mail of ours" in pipe(forged, monkeypatch)
    row.refresh_from_db()
    assert (row.state, refused()) == ("sent", {}), "whoever writes to the mailbox mutes nobody"


@pytest.mark.django_db
def test_a_report_refuses_the_address_of_nobody_but_the_mails_recipient(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = report(sent(cast)).replace(f"To: {ANNA}".encode(), b"To: " + cast.ben.email.encode())
    pipe(named, monkeypatch)
    assert refused() == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"status": "4.4.1"},
        {"action": "delayed", "status": "4.4.1"},
        {"action": "delivered", "status": "2.0.0"},
        {"action": "relayed", "status": "5.1.1"},
        {"status": "nonsense"},
    ],
    ids=str,
)
def test_a_report_that_says_anything_but_failed_for_good_changes_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, facts: dict[str, str]
) -> None:
    row = sent(cast)
    assert "nothing" in pipe(report(row, **facts), monkeypatch)
    row.refresh_from_db()
    assert (row.state, refused()) == ("sent", {})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "diagnosis", "is_refused"),
    [
        ("5.0.0", "smtp; 550 unknown user", True),
        ("5.0.0", "", True),
        ("5.0.0", "smtp; 554 no", False),
        ("5.1.2", "smtp; 554 5.1.2 host unknown", True),
        ("5.2.2", "smtp; 552 5.2.2 full", False),
        ("5.7.1", "smtp; 550 5.7.1 policy", False),
    ],
)
def test_a_mail_that_failed_for_another_cause_is_given_up_and_the_address_kept(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, status: str, diagnosis: str, is_refused: bool
) -> None:
    doubt(cast.anna)
    row = sent(cast)
    pipe(report(row, status=status, diagnosis=diagnosis), monkeypatch)
    row.refresh_from_db()
    assert (row.state, bool(refused())) == ("dead", is_refused)


@pytest.mark.django_db
def test_a_report_about_an_earlier_address_leaves_the_new_one_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = sent(cast)
    User.objects.filter(pk=cast.anna.pk).update(email="new@example.org")
    pipe(report(row), monkeypatch)
    row.refresh_from_db()
    assert (row.state, refused()) == ("dead", {})


@pytest.mark.django_db
def test_a_mail_that_was_forwarded_refuses_the_address_that_we_used(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(report(sent(cast), final="somewhere@else.example"), monkeypatch)
    assert refused() == {ANNA: "BOUNCE 5.1.1"}


@pytest.mark.django_db
def test_the_command_never_prints_an_address(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "@" not in pipe(report(sent(cast)), monkeypatch)


@pytest.mark.django_db
@pytest.mark.parametrize("raw", [b"", b"\xff\xfe\x00garbage", b"Subject: Holiday\n\nI am away.\n"])
def test_what_is_no_report_ends_with_words_and_code_1(
    monkeypatch: pytest.MonkeyPatch, raw: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        pipe(raw, monkeypatch)
    assert ended.value.code == 1


OURS = UUID("12345678-9abc-4def-8123-456789abcdef")
BLOCK = "Final-Recipient: rfc822; final@example.org\nAction: failed\nStatus: 5.1.1\n"
BACK = f"Message-ID: <{OURS.int}@{settings.MESSAGE_ID_DOMAIN}>\nTo: Anna <sent@example.org>\n"
FROM_ORIGINAL = "Original-Recipient: rfc822; original@example.org\n"
PLAIN = {"message_uuid": OURS, "address": "sent@example.org", "status": "5.1.1", "has_failed": True, "code": 550}
NOT_OURS = {"message_uuid": None, "address": "final@example.org"}


def told(block: str, back: str, kind: str = "text/rfc822-headers") -> list[bouncing.Report]:
    """What a report with this block about a recipient, and these headers of the mail, is read as."""
    parts = {"message/delivery-status": f"Reporting-MTA: dns; mx.example\n\n{block}", kind: back}
    body = "".join(f"--b\nContent-Type: {name}\n\n{text}\n" for name, text in parts.items())
    return bouncing.read(f"Content-Type: multipart/report; boundary=b\n\n{body}--b--\n".encode())


@pytest.mark.parametrize(
    ("block", "back", "facts"),
    [
        (BLOCK, BACK, {}),
        (FROM_ORIGINAL + BLOCK, BACK, {}),
        (FROM_ORIGINAL + BLOCK, BACK.replace("To:", "Cc:"), {"address": "original@example.org"}),
        (BLOCK, BACK.replace("To:", "Cc:"), {"address": "final@example.org"}),
        (BLOCK.replace("rfc822; ", ""), BACK.replace("To:", "Cc:"), {"address": "final@example.org"}),
        (BLOCK.replace("rfc822; final", "x;rfc822; f"), BACK.replace("To:", "Cc:"), {"address": "f@example.org"}),
        (BLOCK.replace("Final-Recipient", "X-Final"), BACK.replace("To:", "Cc:"), {"address": ""}),
        (BLOCK, BACK.replace("Message-ID", "X-ID"), NOT_OURS),
        (BLOCK, BACK.replace(f"@{settings.MESSAGE_ID_DOMAIN}", "@else.example"), NOT_OURS),
        (BLOCK, BACK.replace(str(OURS.int), str(2**128)), NOT_OURS),
        (BLOCK, BACK.replace(str(OURS.int), str(2**128 - 1)), {"message_uuid": UUID(int=2**128 - 1)}),
        (BLOCK.replace("failed", "FAILED (gone) now"), BACK, {}),
        (BLOCK.replace("Action: failed", "Action: failed(relayed)"), BACK, {}),
        (BLOCK.replace("failed", "delayed"), BACK, {"has_failed": False}),
        (BLOCK.replace("5.1.1", "5.1.1 (bad mailbox 5.7.1)"), BACK, {}),
        (BLOCK.replace("5.1.1", "4.4.1 (was 5.1.1)"), BACK, {"status": "4.4.1", "has_failed": False}),
        (BLOCK.replace("5.1.1", "5"), BACK, {"status": "", "has_failed": False}),
        (BLOCK.replace("Status: 5.1.1\n", ""), BACK, {"status": "", "has_failed": False}),
        (BLOCK + "Diagnostic-Code: smtp; 554 no\n", BACK, {"code": 554}),
        (BLOCK + "Diagnostic-Code: smtp; 551-5.7.1 no\n", BACK, {"code": 551}),
        (BLOCK + "Diagnostic-Code: x; 5.7.1 no\n", BACK, {}),
    ],
)  # fmt: skip
def test_a_report_is_read_as_its_words_say(block: str, back: str, facts: dict[str, Any]) -> None:
    assert told(block, back) == [bouncing.Report(**{**PLAIN, **facts})]


def test_a_report_about_two_recipients_is_two_and_a_block_without_an_action_is_none() -> None:
    both = told(f"{BLOCK}\nFinal-Recipient: rfc822; b@example.org\n\n{BLOCK.replace('failed', 'delayed')}", BACK)
    assert [one.has_failed for one in both] == [True, False]


@pytest.mark.django_db
def test_a_mail_that_somebody_else_got_heals_nobodys_address(cast: Cast) -> None:
    doubt(cast.anna)
    outbox.row(cast.dan_patient, state="sent", accepted_at=timezone.now(), handing_over_at=timezone.now())
    assert bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550")


@pytest.mark.django_db
def test_a_doubt_about_somebody_else_makes_no_second_refusal(cast: Cast) -> None:
    doubt(cast.dan)
    assert not bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550")
    assert refused() == {}


@pytest.mark.django_db
def test_a_mail_that_was_accepted_before_the_refusal_heals_nothing(cast: Cast) -> None:
    row = sent(cast)
    Reminder.objects.filter(pk=row.pk).update(accepted_at=from_now(-timedelta(hours=3)))
    doubt(cast.anna)
    assert bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550")


MIME = st.sampled_from(
    [
        *(b"Content-Type: multipart/report; boundary=b\n", b"--b\n", b"--b--\n", b"\n", b"\n\n"),
        *(b"Content-Type: message/delivery-status\n", b"Content-Type: message/rfc822\n", b"Status: 5.1.1\n"),
        *(b"Action: failed\n", b"Final-Recipient: rfc822; a@b\n", b"Message-ID: <1@mail.invalid>\n", b"To: \xff\n"),
        *(
            b"Status: \xe2\x80\n",
            b"Content-Transfer-Encoding: base64\n",
            b"Message-ID: <" + b"9" * 39 + b"@mail.invalid>\n",
        ),
        *(b"Content-Type: text/rfc822-headers\n", b"Content-Type: multipart/mixed; boundary=b\n"),
    ]
)


@given(st.one_of(st.binary(max_size=300), st.lists(MIME, max_size=30).map(b"".join)))
def test_whatever_comes_in_it_is_a_report_or_it_is_not(raw: bytes) -> None:
    try:
        reports = bouncing.read(raw)
    except bouncing.NotAReportError:
        return
    assert all(isinstance(found.status, str) for found in reports)


def test_deeply_nested_parts_are_no_report() -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
    with pytest.raises(bouncing.NotAReportError):
        bouncing.read(nested)


def test_the_sinks_refusal_is_one_of_an_unknown_mailbox() -> None:
    assert bouncing.refusal("RCPT 550", ANSWERS["rcpt-550"])


@pytest.mark.django_db
def test_the_administrators_list_says_since_when_whose_mails_come_back(
    cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    """R10: the System page only counts them."""
    bouncing.refuse(user=cast.anna, address=ANNA, cause="RCPT 550 5.1.1")
    bouncing.refuse(user=cast.ben, address=cast.ben.email, cause="RCPT 550 5.1.1")
    User.objects.filter(pk=cast.ben.pk).update(email="new@example.org")
    Delivery.objects.filter(user=cast.anna).update(refused_at=datetime(2026, 11, 21, 12, tzinfo=UTC))
    client.force_login(cast.eve)
    with django_assert_max_num_queries(12):
        page = client.get("/system/admin/accounts/user/")
    since = {person.email: person.refused_at for person in page.context["cl"].result_list}
    assert [address for address, at in since.items() if at] == [ANNA], "an earlier address is nobody's any more"
    words = page.content.decode()
    assert "Mails come back since" in words
    assert words.count("21 Nov 2026") == 1
