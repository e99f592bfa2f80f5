"""Our SMTP backend: MAIL, RCPT, mark, DATA. Every mail of the project leaves through it, to one recipient."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import EmailMessage, sanitize_address

from il2tracker.reminders.clocks import running_seconds

OK, WILL_FORWARD, START_OF_MAIL, CLOSING = 250, 251, 354, 421


class Answer(StrEnum):
    """What is known about a mail after trying to hand it over."""

    ACCEPTED = "accepted"  # 250 after DATA
    LATER = "later"  # this mail was put off: certainly not handed over, worth another try
    SERVER = "server"  # trouble with the line or with us, not with this mail: certainly not handed over
    NEVER = "never"  # this mail or address is refused for good
    UNCERTAIN = "uncertain"  # the text was on its way when the answer failed to come
    NOT_WANTED = "not_wanted"  # the mark said no


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer and, unless accepted, its cause in a word ("RCPT 451", "TimeoutError").

    `reply`: the server's own last words. They may hold the address: never stored, never logged.
    """

    answer: Answer
    cause: str = ""
    reply: str = field(default="", compare=False)


class OneRecipientError(ValueError):
    """A mail with more or less than one address never leaves (I7)."""


class Backend(EmailBackend):
    """Django's SMTP backend with a place for the hand-over mark between RCPT and DATA (B12)."""

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]
        """Says hello with the neutral domain: the machine's own name is nobody's business."""
        plain = super().connection_class

        def connect(host: str, port: int, **options: Any) -> smtplib.SMTP:
            return plain(host, port, **{**options, "local_hostname": settings.MESSAGE_ID_DOMAIN})

        return connect

    def hand_over(
        self,
        recipient: str,
        write: Callable[[], EmailMessage | None],
        sender: str = "",
        abort_after: float = float("inf"),
    ) -> Outcome:
        """Try once. `write` runs after RCPT was accepted: it looks at the diary a last time, marks, and gives the mail
        as it reads at that moment; None = it is not wanted. No text leaves when that lies `abort_after` s back.

        Never raises for what a server or a network does; what `write` raises goes through. Raises OneRecipientError.
        """
        try:
            refused = self._address(sender or settings.DEFAULT_FROM_EMAIL, recipient)
        except OSError as error:  # smtplib's errors are OSErrors
            self.drop()
            return Outcome(Answer.SERVER, _cause(error))
        if refused:
            return refused
        until = running_seconds() + abort_after
        text = self._written(write, recipient)
        if text is None:
            return self._refused(Answer.NOT_WANTED, "", 0)
        try:
            return self._data(text, until)
        except OSError as error:
            self.drop()
            return Outcome(Answer.SERVER, _cause(error))

    def _address(self, sender: str, recipient: str) -> Outcome | None:
        """ValueError for an address that cannot be one, before a word of it is said."""
        envelope = [sanitize_address(address, settings.DEFAULT_CHARSET) for address in (sender, recipient)]
        is_new = self.open()
        try:
            return self._envelope(*envelope)
        except OSError:  # a server may close a connection that has carried enough
            self.drop()
            if is_new:
                raise
        self.open()
        return self._envelope(*envelope)

    def _envelope(self, sender: str, recipient: str) -> Outcome | None:
        if self.connection is None:
            raise ConnectionError
        self.connection.ehlo_or_helo_if_needed()
        code, reply = self.connection.mail(sender)
        if code != OK:  # about us, not about this mail: never for good
            return self._refused(Answer.SERVER, "MAIL", code, reply)
        code, reply = self.connection.rcpt(recipient)
        return None if code in (OK, WILL_FORWARD) else self._refused(_kind_of(code), "RCPT", code, reply)

    def _written(self, write: Callable[[], EmailMessage | None], recipient: str) -> bytes | None:
        try:
            message = write()
            if message is None:
                return None
            if only_recipient(message) != recipient:
                raise OneRecipientError("another recipient")
            text: bytes = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        except BaseException:
            self.drop()
            raise
        return text

    def _data(self, text: bytes, until: float) -> Outcome:
        assert self.connection is not None
        code, reply = self.connection.docmd("DATA")
        if code != START_OF_MAIL:
            return self._refused(_kind_of(code), "DATA", code, reply)
        if running_seconds() > until:  # this process was frozen: by now somebody else decides about the mail
            self.drop()
            return Outcome(Answer.SERVER, "Frozen")
        try:
            self.connection.send(_dotted(text))
            code, reply = self.connection.getreply()
        except OSError as error:
            self.drop()
            return Outcome(Answer.UNCERTAIN, _cause(error))
        if code == OK:
            return Outcome(Answer.ACCEPTED, reply=_said(code, reply))
        return self._refused(_kind_of(code), "TEXT", code, reply)

    def _refused(self, answer: Answer, step: str, code: int, reply: bytes = b"") -> Outcome:
        assert self.connection is not None
        try:
            if code == CLOSING:
                self.drop()
            else:
                self.connection.rset()
        except OSError:
            self.drop()
        return Outcome(answer, f"{step} {code}".strip() if code else "", _said(code, reply))

    def drop(self) -> None:
        """Close the line without a word: a server that hangs is not asked to say goodbye."""
        half_open: smtplib.SMTP | None = self.__dict__["_partial_connection"]
        for line in (self.connection, half_open):
            if line is not None:
                line.close()
        self.connection = self._partial_connection = None

    def leave(self) -> None:
        """Say goodbye when there is somebody to say it to; never raises."""
        try:
            self.close()
        except OSError:
            self.drop()

    def _send(self, email_message: EmailMessage) -> bool:
        """Django's own way in (sign-in mails): raises SMTPException unless accepted or `fail_silently`."""
        recipient = only_recipient(email_message)
        outcome = self.hand_over(recipient, lambda: email_message, email_message.from_email)
        if outcome.answer is not Answer.ACCEPTED and not self.fail_silently:
            raise smtplib.SMTPException(outcome.cause)
        return outcome.answer is Answer.ACCEPTED


def only_recipient(message: EmailMessage) -> str:
    """The one address of a mail. Raises OneRecipientError for none, several, or any copy."""
    if len(message.to) != 1 or message.cc or message.bcc:
        raise OneRecipientError(f"{len(message.recipients())} recipients")
    return message.to[0]


def _kind_of(code: int) -> Answer:
    return Answer.NEVER if 500 <= code < 600 else Answer.LATER


def _said(code: int, reply: bytes) -> str:
    return f"{code} {reply.decode('utf-8', 'replace')}".strip() if code else ""


def _cause(error: OSError) -> str:
    return type(error.__cause__ or error.__context__ or error).__name__


def _dotted(text: bytes) -> bytes:
    lines = text.removesuffix(b"\r\n").split(b"\r\n")
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
