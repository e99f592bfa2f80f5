"""A real SMTP server on loopback that keeps what it gets and misbehaves on request."""

import asyncio
import email
import email.policy
import random
import threading
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.services import free_port, note

ANSWERS = {
    "mail-451": "451 4.3.0 try again later",
    "rcpt-451": "451 4.3.0 try again later",
    "rcpt-550": "550 5.1.1 no such mailbox",
    "data-451": "451 4.3.0 try again later",
    "data-554": "554 5.6.0 message refused",
}
"""What the server says for each fault that is an answer: the stage before the dash, the code after it."""
FAULTS = {"drop", "hang-rcpt", "hang-data", *ANSWERS}


@dataclass(frozen=True)
class Received:
    """One message as it came over the wire. `answered` is False when the server broke off after reading it."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    raw: bytes
    answered: bool

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)  # type: ignore[return-value]


class SmtpSink:
    """start(), then read `messages`. Faults: a key of ANSWERS, or "drop" (reads the message, closes without an
    answer), "hang-rcpt" and "hang-data" (never answers that stage); refuse() and accept() close and open the port.

    `takes`: seconds between reading a message and answering. `played`: how often each fault was.
    """

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self.messages: list[Received] = []
        self.attempts, self.takes = 0, 0.0
        self.played = Counter[str]()
        self._fault, self._times = "", 0
        self._shares, self._chance = dict[str, float](), random.Random()
        self._changed = threading.Condition()
        self._controller: Controller | None = None

    def accept(self) -> None:
        """Listen (again) on the same port."""
        if self._controller is None:
            self._controller = Controller(self, hostname=self.host, port=self.port)
            self._controller.start()
            note("SMTP server", "aiosmtpd on loopback")

    def refuse(self) -> None:
        """Close the port: connections are refused."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def fault(self, kind: str, times: int = 1_000_000) -> None:
        """Misbehave as `kind` for the next `times` messages; "" ends it."""
        assert kind in {"", *FAULTS}, kind
        self._fault, self._times = kind, times

    def sometimes(self, seed: int, **shares: float) -> None:
        """From now on misbehave by chance: fault (with _ for -) → share of the messages that come so far."""
        self._shares = {name.replace("_", "-"): share for name, share in shares.items()}
        assert set(self._shares) <= FAULTS, shares
        self._chance = random.Random(seed)

    def wait_for(self, count: int, seconds: float = 20) -> list[Received]:
        """The messages, as soon as there are at least `count` of them or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.messages) >= count, seconds)
            return list(self.messages)

    def _due(self, stage: str) -> str:
        """The fault to play at this stage, if it is this stage's turn."""
        fault = next((name for name, share in self._shares.items() if self._falls(name, stage, share)), "")
        if self._times and self._fault.startswith(stage):
            self._times -= 1
            fault = self._fault
        if fault:
            self.played[fault] += 1
        return fault

    def _falls(self, name: str, stage: str, share: float) -> bool:
        return name.startswith(stage) and self._chance.random() < share

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        if fault := self._due("mail"):
            return ANSWERS[fault]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._due("hang-rcpt"):
            await asyncio.sleep(3600)
        if fault := self._due("rcpt"):
            return ANSWERS[fault]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if fault := self._due("data"):
            return ANSWERS[fault]
        drop, hang = self._due("drop"), self._due("hang-data")
        self._keep(envelope, answered=not (drop or hang))
        await asyncio.sleep(3600 if hang else self.takes)
        if drop:
            server.transport.abort()
        return "250 OK"

    def _keep(self, envelope: Envelope, answered: bool) -> None:
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        with self._changed:
            received = Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw, answered)
            self.messages.append(received)
            self._changed.notify_all()
