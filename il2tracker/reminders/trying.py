"""A test mail from the command line: at once, past the outbox, with the server's own words as the result."""

from __future__ import annotations

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from il2tracker.accounts.models import User
from il2tracker.reminders import bouncing, clocks, kinds, mails
from il2tracker.reminders.backend import Answer, Backend
from il2tracker.reminders.models import Reminder


class Tried(NamedTuple):
    """Whether the mail server took it, and what it said."""

    is_accepted: bool
    words: str


def send_test(address: str) -> Tried:
    """Hand one test mail to the real mail server. An accepted one clears a refusal of the address."""
    try:
        validate_email(address)
    except ValidationError as error:
        return Tried(False, " ".join(error.messages))
    backend = Backend()
    try:
        outcome = backend.hand_over(address, lambda: mails.build(_row(address), clocks.database_now()))
    finally:
        backend.leave()
    is_accepted = outcome.answer is Answer.ACCEPTED
    if is_accepted:
        bouncing.accept(address=address)
    said = outcome.reply or outcome.cause
    return Tried(is_accepted, f"Accepted: {said}" if is_accepted else f"Not accepted ({outcome.answer}): {said}")


def _row(address: str) -> Reminder:
    """Of nobody, and never saved."""
    now = clocks.database_now()
    person = User(email=address)
    return Reminder(kind=kinds.TEST, recipient=person, zone="UTC", due_at=now, expires_at=now, next_attempt_at=now)
