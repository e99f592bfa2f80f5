"""Addresses that a mail server refuses for good, told at the hand-over or later by a delivery report (RFC 3464; B23).

Nothing goes to such an address until its owner changes it, or a mail that was sent all the same is accepted.
"""

from __future__ import annotations

import email
import email.policy
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import Message
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from il2tracker.accounts.models import User
from il2tracker.audit import log
from il2tracker.reminders import claiming
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Delivery, Reminder

NO_MAILBOX = (550, 551, 553)
# An enhanced code that blames the sender, a full mailbox, the text, a policy or the system says nothing about whether
# there is such a mailbox (RFC 3463).
ABOUT_SOMETHING_ELSE = re.compile(r"5\.(1\.[78]|2\.[23]|[3567]\.\d+)$")
ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
CERTAIN = re.compile(r"\b5\.1\.(1|2|3|6|10)$")
DOUBTED_FOR = timedelta(hours=1)  # app's own: longer than a server refuses everybody by a mistake of its settings
CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
MESSAGE_ID = re.compile(r"<(\d{1,39})@([^<>\s]+)>")
WORDS_READ = 1_000_000  # bytes: a report is a few kB


class NotAReportError(ValueError):
    """What came in is no delivery report."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery report says of one recipient. `address` is where our mail had been sent to, as far as it says."""

    message_uuid: uuid.UUID | None
    address: str
    status: str
    has_failed: bool
    code: int = NO_MAILBOX[0]

    @property
    def cause(self) -> str:
        """In a word, without the address."""
        return f"BOUNCE {self.status}"


def no_mailbox(code: int, status: str = "") -> bool:
    """Whether a refusal says that there is no such mailbox. `status`: the enhanced code ("5.1.1"), if one came."""
    if ABOUT_SOMETHING_ELSE.match(status):
        return False
    return code in NO_MAILBOX or status.startswith("5.1.")


def refusal(cause: str, reply: str) -> str:
    """In a word, when the answer to a hand-over says that there is no such mailbox; else "". `reply`: its words."""
    step, _space, code = cause.partition(" ")
    found = ENHANCED.search(reply)
    status = found.group() if found else ""
    is_gone = step == "RCPT" and code.startswith("5") and no_mailbox(int(code), status)
    return f"{cause} {status}".strip() if is_gone else ""


@transaction.atomic
def refuse(*, user: User, address: str, cause: str) -> bool:
    """A mail server refuses the person's address for good. False when it is known, or an earlier address of his.

    A bare 550 is also what a server in trouble says to everybody: the first one is only remembered (a moment without an
    address), and a second one counts that comes an hour later or more with no accepted mail between them.
    """
    if address.casefold() != user.email.casefold():
        return False
    if Delivery.objects.filter(user=user, refused_address=user.email).exists():
        return False
    doubted, facts = _doubted(user), {"refused_cause": cause[:60], "refused_at": Now()}
    if _is_certain(cause) or doubted.filter(refused_at__lte=from_now(-DOUBTED_FOR)).exists():
        Delivery.objects.update_or_create(user=user, defaults={**facts, "refused_address": user.email})
        log.record(action="reminders.address.refused", by=None, subject=user, detail=cause[:60])
        return True
    if not doubted.exists():
        Delivery.objects.update_or_create(user=user, defaults={**facts, "refused_address": ""})
    return False


def _is_certain(cause: str) -> bool:
    return bool(CERTAIN.search(cause))


def _doubted(user: User) -> QuerySet[Delivery]:
    """The person's row while a first refusal without a reason stands: no mail was accepted since."""
    since = Reminder.objects.filter(recipient=user, accepted_at__gte=OuterRef("refused_at"))
    return Delivery.objects.filter(~Exists(since), user=user, refused_address="", refused_at__isnull=False)


@transaction.atomic
def accept(*, address: str) -> bool:
    """A mail server took a mail to it after all. False when nobody's address was taken for refused."""
    theirs = Delivery.objects.filter(refused_address__iexact=address).select_related("user")
    people = [delivery.user for delivery in theirs]
    doubted = Delivery.objects.filter(refused_address="", refused_at__isnull=False, user__email__iexact=address)
    for rows in (theirs, doubted):
        rows.update(refused_address="", refused_cause="", refused_at=None)
    for user in people:
        log.record(action="reminders.address.accepted", by=None, subject=user)
    return bool(people)


@transaction.atomic
def keep(report: Report) -> bool:
    """The mail it is about is given up, and the address it names refused. False when it changes nothing.

    Anybody can write to the mailbox from which reports come: one counts only when it names a mail of ours, whose name
    nobody guesses, and then for nobody but the mail's own recipient.
    """
    if not report.has_failed:
        return False
    ours = Reminder.objects.filter(message_uuid=report.message_uuid) if report.message_uuid else Reminder.objects.none()
    row = ours.select_related("recipient").first()
    if row is None:
        return False
    is_lost = claiming.bounced(row.message_uuid, report.cause)
    is_news = is_lost or _is_certain(report.cause)  # the same report twice is no second refusal
    if row.recipient is None or not is_news or not no_mailbox(report.code, report.status):
        return is_lost
    return refuse(user=row.recipient, address=report.address, cause=report.cause) or is_lost


def read(raw: bytes) -> list[Report]:
    """What a delivery report says, one for each recipient it names. Raises NotAReportError for anything else."""
    try:
        message = email.message_from_bytes(raw[:WORDS_READ], policy=email.policy.compat32)
        return _reports(message)
    except RecursionError as error:  # parts within parts without end
        raise NotAReportError from error


def _reports(message: Message) -> list[Report]:
    blocks = [block for part in message.walk() if _is(part, "message/delivery-status") for block in _blocks(part)]
    told = [block for block in blocks if "Action" in block]
    if not told:
        raise NotAReportError
    message_uuid, sent_to = _ours(message)
    return [_report(block, message_uuid, sent_to) for block in told]


def _blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _is(part: Message, kind: str) -> bool:
    return part.get_content_type() == kind


def _report(block: Message, message_uuid: uuid.UUID | None, sent_to: str) -> Report:
    words = str(block.get("Status", ""))
    status = ENHANCED.search(words)
    number = CODE.search(str(block.get("Diagnostic-Code", "")))
    return Report(
        message_uuid=message_uuid,
        address=sent_to or _address(block, "Original-Recipient") or _address(block, "Final-Recipient"),
        status=status.group() if status else "",
        has_failed=_word(block, "Action") == "failed" and bool(status) and words.strip().startswith("5."),
        code=int(number.group()) if number else NO_MAILBOX[0],
    )


def _word(block: Message, name: str) -> str:
    return str(block.get(name, "")).split("(")[0].strip().lower()


def _address(block: Message, name: str) -> str:
    return parseaddr(str(block.get(name, "")).rpartition(";")[2].strip())[1]


def _ours(message: Message) -> tuple[uuid.UUID | None, str]:
    """Which of our mails came back and where it had gone, from the headers that the report returns."""
    for part in message.walk():
        for headers in _returned(part):
            found = MESSAGE_ID.search(str(headers.get("Message-ID", "")))
            if found and found.group(2) == settings.MESSAGE_ID_DOMAIN and int(found.group(1)) < 2**128:
                return uuid.UUID(int=int(found.group(1))), parseaddr(str(headers.get("To", "")))[1]
    return None, ""


def _returned(part: Message) -> Iterator[Message]:
    if _is(part, "message/rfc822"):
        yield from _blocks(part)
    elif _is(part, "text/rfc822-headers"):
        content = part.get_payload(decode=True)
        yield email.message_from_bytes(content if isinstance(content, bytes) else b"")
