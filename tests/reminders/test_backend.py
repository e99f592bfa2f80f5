"""What a mail server or a network does, and what is then known about the mail."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError

from il2tracker.reminders import backend as smtp
from il2tracker.reminders.backend import Answer, Backend, OneRecipientError, Outcome
from tests.smtp_sink import SmtpSink

ANNA = "anna@example.org"


def mail(**facts: Any) -> EmailMessage:
    return EmailMessage(**{"subject": "Diary", "body": "Hello.\n.a dot\n", "to": [ANNA], **facts})


@pytest.fixture
def backend(smtp_sink: SmtpSink, settings: Any) -> Iterator[Backend]:
    settings.MESSAGE_ID_DOMAIN = "mail.example"
    line = Backend(timeout=1)
    yield line
    line.leave()


def test_a_mail_arrives_as_it_was_written(backend: Backend, smtp_sink: SmtpSink, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Diary <diary@example.org>"
    assert backend.hand_over(ANNA, mail) == Outcome(Answer.ACCEPTED)
    (received,) = smtp_sink.wait_for(1)
    assert (received.mail_from, received.rcpt_tos) == ("diary@example.org", ("anna@example.org",))
    assert received.message.get_content().splitlines() == ["Hello.", ".a dot"]


def test_the_mark_comes_after_the_address_was_accepted_and_before_the_text(
    backend: Backend, smtp_sink: SmtpSink
) -> None:
    seen = []

    def write() -> EmailMessage:
        seen.append((smtp_sink.attempts, len(smtp_sink.messages)))
        return mail()

    backend.hand_over(ANNA, write)
    assert seen == [(1, 0)]
    assert len(smtp_sink.wait_for(1)) == 1


def test_a_mark_that_says_no_sends_nothing_and_keeps_the_line(backend: Backend, smtp_sink: SmtpSink) -> None:
    assert backend.hand_over(ANNA, lambda: None).answer is Answer.NOT_WANTED
    assert backend.hand_over(ANNA, mail).answer is Answer.ACCEPTED
    assert len(smtp_sink.wait_for(1)) == 1


@pytest.mark.parametrize(
    ("fault", "outcome", "marked"),
    [
        ("mail-451", Outcome(Answer.SERVER, "MAIL 451"), False),
        ("rcpt-451", Outcome(Answer.LATER, "RCPT 451"), False),
        ("rcpt-550", Outcome(Answer.NEVER, "RCPT 550"), False),
        ("data-451", Outcome(Answer.LATER, "TEXT 451"), True),
        ("data-554", Outcome(Answer.NEVER, "TEXT 554"), True),
        ("drop", Outcome(Answer.UNCERTAIN, "SMTPServerDisconnected"), True),
        ("hang-rcpt", Outcome(Answer.SERVER, "TimeoutError"), False),
        ("hang-data", Outcome(Answer.UNCERTAIN, "TimeoutError"), True),
    ],
)
def test_every_answer_is_known_for_what_it_means(
    backend: Backend, smtp_sink: SmtpSink, fault: str, outcome: Outcome, marked: bool
) -> None:
    marks = []
    smtp_sink.fault(fault, times=1)
    found = backend.hand_over(ANNA, lambda: marks.append(1) or mail())
    assert (found.answer, bool(marks)) == (outcome.answer, marked)
    assert found.cause == outcome.cause
    smtp_sink.fault("")
    assert backend.hand_over(ANNA, mail).answer is Answer.ACCEPTED, "the line works again"


@pytest.mark.parametrize(
    ("code", "outcome", "line_is_kept"),
    [
        (452, Outcome(Answer.LATER, "DATA 452"), True),
        (421, Outcome(Answer.LATER, "DATA 421"), False),
        (554, Outcome(Answer.NEVER, "DATA 554"), True),
    ],
)
def test_a_server_that_will_not_hear_the_text_has_not_got_it(
    backend: Backend,
    smtp_sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    outcome: Outcome,
    line_is_kept: bool,
) -> None:
    backend.open()
    assert backend.connection is not None
    monkeypatch.setattr(backend.connection, "docmd", lambda command: (code, b"not now"))
    found = backend.hand_over(ANNA, mail)
    assert (found, found.reply) == (outcome, f"{code} not now")
    assert (backend.connection is not None) is line_is_kept
    assert smtp_sink.messages == []


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_a_server_that_closes_with_its_answer_is_not_talked_to_on_that_line(
    backend: Backend, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    backend.open()
    assert backend.connection is not None
    monkeypatch.setattr(backend.connection, stage, lambda address: (421, b"too busy"))
    found = backend.hand_over(ANNA, mail)
    assert (found.cause, found.reply, backend.connection) == (f"{stage.upper()} 421", "421 too busy", None)
    assert backend.hand_over(ANNA, mail).answer is Answer.ACCEPTED


def test_a_line_that_breaks_while_a_refusal_is_tidied_up_changes_nothing_about_the_answer(
    backend: Backend, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ConnectionResetError

    backend.open()
    assert backend.connection is not None
    monkeypatch.setattr(backend.connection, "rset", broken)
    smtp_sink.fault("rcpt-550", times=1)
    assert backend.hand_over(ANNA, mail) == Outcome(Answer.NEVER, "RCPT 550")
    assert backend.connection is None


def test_a_goodbye_that_nobody_hears_does_not_raise(
    backend: Backend, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.open()
    line = backend.connection
    assert line is not None

    def broken() -> None:
        line.close()
        raise ConnectionResetError

    monkeypatch.setattr(line, "quit", broken)
    backend.leave()
    assert backend.connection is None


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (421, Answer.LATER),
        (499, Answer.LATER),
        (500, Answer.NEVER),
        (599, Answer.NEVER),
        (600, Answer.LATER),
        (-1, Answer.LATER),
    ],
)
def test_only_a_five_hundred_refuses_for_good(code: int, answer: Answer) -> None:
    assert smtp._kind_of(code) is answer


@pytest.mark.parametrize(
    ("code", "reply", "said"),
    [
        (550, b"5.1.1 no such mailbox", "550 5.1.1 no such mailbox"),
        (550, b"", "550"),
        (0, b"never heard", ""),
        (550, b"bo\xeete inconnue", "550 bo\ufffdte inconnue"),
        (550, "boîte inconnue".encode(), "550 boîte inconnue"),
    ],
    ids=["words", "no words", "no answer", "in another alphabet", "in ours"],
)
def test_the_servers_words_are_kept_whatever_their_letters(code: int, reply: bytes, said: str) -> None:
    assert smtp._said(code, reply) == said


def test_a_mail_that_was_accepted_brings_the_servers_last_words(backend: Backend, smtp_sink: SmtpSink) -> None:
    assert backend.hand_over(ANNA, mail).reply == "250 OK"


def test_a_closed_port_is_the_servers_trouble(backend: Backend, smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse()
    assert backend.hand_over(ANNA, mail) == Outcome(Answer.SERVER, "ConnectionRefusedError")


def test_a_line_that_the_server_closed_is_opened_again(backend: Backend, smtp_sink: SmtpSink) -> None:
    backend.hand_over(ANNA, mail)
    assert backend.connection is not None
    backend.connection.sock.close()
    assert backend.hand_over(ANNA, mail).answer is Answer.ACCEPTED


def test_a_sender_that_slept_after_its_mark_does_not_send(backend: Backend, smtp_sink: SmtpSink) -> None:
    assert backend.hand_over(ANNA, mail, abort_after=-1) == Outcome(Answer.SERVER, "Frozen")
    assert smtp_sink.messages == []


def test_a_line_that_breaks_before_the_text_is_the_servers_trouble(backend: Backend, smtp_sink: SmtpSink) -> None:
    def write() -> EmailMessage:
        assert backend.connection is not None
        backend.connection.close()
        return mail()

    assert backend.hand_over(ANNA, write) == Outcome(Answer.SERVER, "SMTPServerDisconnected")
    assert backend.connection is None
    assert smtp_sink.messages == []


def test_trouble_inside_the_mark_goes_through_and_nothing_is_sent(backend: Backend, smtp_sink: SmtpSink) -> None:
    def write() -> EmailMessage:
        raise DatabaseError

    with pytest.raises(DatabaseError):
        backend.hand_over(ANNA, write)
    assert backend.connection is None
    assert smtp_sink.messages == []


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        ({"to": []}, "0 recipients"),
        ({"to": ["a@example.org", "b@example.org"]}, "2 recipients"),
        ({"to": ["b@example.org"]}, "another recipient"),
        ({"cc": ["b@example.org"]}, "2 recipients"),
        ({"bcc": ["b@example.org"]}, "2 recipients"),
    ],
)
def test_a_mail_has_one_recipient_or_never_leaves(
    backend: Backend, smtp_sink: SmtpSink, addresses: dict[str, list[str]], why: str
) -> None:
    with pytest.raises(OneRecipientError, match=f"^{why}$"):
        backend.hand_over(ANNA, lambda: mail(**addresses))
    assert smtp_sink.messages == []
    assert backend.connection is None


@pytest.mark.parametrize("address", ["anna@example.org\nBcc: all@example.org", "two words@@example.org"])
def test_an_address_that_cannot_be_one_leaves_the_line_as_it_was(
    backend: Backend, smtp_sink: SmtpSink, address: str
) -> None:
    with pytest.raises((ValueError, IndexError)):
        backend.hand_over(address, mail)
    assert backend.hand_over(ANNA, mail).answer is Answer.ACCEPTED
    assert smtp_sink.attempts == 1


def test_the_machine_says_hello_with_the_neutral_domain(backend: Backend, smtp_sink: SmtpSink) -> None:
    backend.open()
    assert backend.connection is not None
    assert backend.connection.local_hostname == "mail.example"


def test_djangos_own_mails_leave_through_it_and_complain_when_refused(backend: Backend, smtp_sink: SmtpSink) -> None:
    line = get_connection("il2tracker.reminders.backend.Backend")
    assert line.send_messages([mail(from_email="clinic@example.org")]) == 1
    (received,) = smtp_sink.wait_for(1)
    assert (received.mail_from, received.rcpt_tos) == ("clinic@example.org", (ANNA,))
    smtp_sink.fault("rcpt-550")
    with pytest.raises(OSError, match="RCPT 550"):
        line.send_messages([mail()])
    quiet = get_connection("il2tracker.reminders.backend.Backend", fail_silently=True)
    assert quiet.send_messages([mail()]) == 0
