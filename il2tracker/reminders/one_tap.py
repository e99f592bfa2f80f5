"""The addresses in a mail about an injection that work without a sign-in: mark it as done, be reminded later.

Each opens one purpose of one slot, once, for twelve hours. Only its hash is kept, with what its mail said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from cycles.models import PlannedDose
from il2tracker.accounts.adapter import may_sign_in
from il2tracker.accounts.models import Patient, SecretLink, User
from il2tracker.reminders import kinds, of_doses, tokens
from il2tracker.reminders.models import Reminder

DONE, LATER, UNDO = "tap_done", "tap_later", "tap_undo"
PURPOSES = (DONE, LATER, UNDO)
KINDS = (kinds.INJECTION_DUE, kinds.INJECTION_AGAIN)  # the other kinds name none of these addresses (R14)
LIVES = timedelta(hours=12)  # ux 3.3, rule 3
SAID_AGAIN = timedelta(minutes=10)  # app's own: a second tap of the same button hears the first one's answer so long
SLOT = 3  # parts of the civil name of a slot, without the one that says which wish to be reminded again


@dataclass(frozen=True)
class Said:
    """What the mail of a link said of its slot: the moment, the amount (MIU), and the hour on the wall."""

    at: datetime
    amount: Decimal
    hour: time

    def kept(self) -> dict[str, Any]:
        """For the row of the link."""
        return {"at": self.at.isoformat(), "amount": str(self.amount), "hour": self.hour.isoformat()}

    @classmethod
    def of(cls, link: SecretLink) -> Said:
        """As it is kept with the link."""
        kept = link.entries
        at, hour = datetime.fromisoformat(kept["at"]), time.fromisoformat(kept["hour"])
        return cls(at, Decimal(kept["amount"]), hour)


def links(row: Reminder, now: datetime) -> dict[str, str]:
    """The two addresses for the mail of a row; "" for every kind and person that has none. At most one statement.

    They follow from the row's own name and the secret key: however often the mail is written, they are the same.
    """
    if not _has_links(row):
        return {"done_url": "", "later_url": ""}
    open_links([row], now)
    return {f"{name}_url": address(_token(row, purpose)) for name, purpose in (("done", DONE), ("later", LATER))}


def open_links(rows: Iterable[Reminder], now: datetime) -> None:
    """Let the addresses in the mails of these rows work, in one statement: a sender pays once for a batch.

    Of a mail that was written before and never left, they say from now on what it says now. A used one stays used.
    """
    ready = [row for row in rows if _has_links(row) and not hasattr(row, "links_are_open")]
    made = [_link(row, purpose, now) for row in ready for purpose in (DONE, LATER)]
    SecretLink.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["token_hash"], update_fields=["entries", "expires_at"]
    )
    for row in ready:
        row.links_are_open = True  # type: ignore[attr-defined]


def _has_links(row: Reminder) -> bool:
    return row.kind in KINDS and row.patient is not None and row.recipient_id == row.patient.user_id


def _token(row: Reminder, purpose: str) -> str:
    return tokens.derived(purpose, str(row.message_uuid))


def _link(row: Reminder, purpose: str, now: datetime) -> SecretLink:
    assert row.says_at is not None
    assert row.says_amount is not None
    said = Said(row.says_at, row.says_amount, datetime.fromisoformat(row.slot_local).time())
    return SecretLink(
        purpose=purpose,
        token_hash=tokens.digest(_token(row, purpose)),
        user_id=row.recipient_id,
        patient_id=row.patient_id,
        subject="/".join(row.occurrence.split("/")[:SLOT]),
        entries=said.kept(),
        expires_at=now + LIVES,
    )


def address(token: str) -> str:
    """The full address of a token."""
    return settings.BASE_URL + reverse("reminders:one_tap", args=[token])


def find(token: str, now: datetime) -> SecretLink | None:
    """The link of a token; None for one that we never gave, that is too old, revoked or used up, or whose person may
    not sign in any more or no longer owns the diary.

    A used link is still found for as long as a second tap of its button hears the answer of the first.
    """
    lives = Q(expires_at__gt=now) & (Q(used_at=None) | Q(used_at__gt=now - SAID_AGAIN))
    known = SecretLink.objects.filter(lives, purpose__in=PURPOSES, token_hash=tokens.digest(token), revoked_at=None)
    link = known.select_related("user", "patient").first()
    return link if link is not None and _is_owned(link) else None


def _is_owned(link: SecretLink) -> bool:
    user, patient = link.user, link.patient
    return user is not None and patient is not None and patient.user_id == user.pk and may_sign_in(user)


def owner(link: SecretLink) -> tuple[User, Patient]:
    """Whose it is: both are there on every link that `find` returns."""
    assert link.user is not None
    assert link.patient is not None
    return link.user, link.patient


def dose(link: SecretLink) -> PlannedDose | None:
    """The slot of a link as the plan has it now; None when it has it no more."""
    cycle, day, slot = of_doses.slot_of(link.subject)
    doses = PlannedDose.objects.for_recording().filter(patient=link.patient_id)
    return doses.filter(cycle=cycle, day=day, slot=slot).first()
