"""Everything that people write about reminders. The machine's own writes are in planning.py and claiming.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from il2tracker.accounts.models import SecretLink, User
from il2tracker.audit import log
from il2tracker.refs import new_ref
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Preference, Reminder


@transaction.atomic
def choose(*, by: User, switches: Mapping[str, bool], lead_minutes: int) -> list[Preference]:
    """What `by` wants to be told by mail and how early. `switches`: kind → on. Raises ValidationError."""
    _lock(by)
    chosen = []
    for kind in kinds.SWITCHES:
        lead = lead_minutes if kind == kinds.INJECTION_DUE else kinds.DEFAULT_LEAD
        chosen.append(_choose(by, kind, is_on=switches[kind], lead_minutes=lead))
    log.record(action="reminders.preferences.chosen", by=by, patient=by.patient_or_none)
    return chosen


@transaction.atomic
def unsubscribe(*, link: SecretLink) -> Preference:
    """Stop one kind of mail, at once; no sign-in is asked for (RFC 8058). Repeating it changes nothing."""
    user = link.user
    assert user is not None
    _lock(user)
    preference, _created = Preference.objects.get_or_create(user=user, kind=link.subject)
    preference = _choose(user, link.subject, is_on=False, lead_minutes=preference.lead_minutes)
    log.record(action="reminders.preference.off_by_link", by=user, patient=user.patient_or_none, detail=link.subject)
    return preference


@transaction.atomic
def post(
    *, by: User | None, kind: str, now: datetime, recipient: User | None = None, address: str = "", name: str = ""
) -> Reminder:
    """Put a mail into the outbox that no planner wishes for: account mails and test mails (is_planned False).

    Either the person who gets it or, for somebody who cannot sign in, the address as typed: who that is, if anybody,
    is found out when it is sent, so that the answer takes as long for an address that nobody has (B13). A second post
    of the same `name` for the same person is the first one.
    """
    occurrence = name or new_ref()
    expires = now + kinds.ACCOUNT_EXPIRES
    facts = {"kind": kind, "occurrence": occurrence, "recipient": recipient, "address": address, "zone": "UTC"}
    times = {"due_at": now, "next_attempt_at": now, "expires_at": expires, "urgency": kinds.POLICIES[kind].urgency}
    key = f"{kind}:{recipient.pk if recipient else ''}:{occurrence}"
    row, created = Reminder.objects.get_or_create(key=key, defaults={**facts, **times})
    if created:
        log.record(action=f"reminders.{kind}.posted", by=by)
    return row


def _choose(user: User, kind: str, *, is_on: bool, lead_minutes: int) -> Preference:
    preference = Preference.objects.filter(user=user, kind=kind).first() or Preference(user=user, kind=kind)
    preference.is_on, preference.lead_minutes = is_on, lead_minutes
    preference.full_clean()
    preference.save()
    return preference


def _lock(user: User) -> None:
    if user.patient_or_none is not None:
        user.patient_or_none.lock()
