"""Everything that people write about reminders. The machine's own writes are in planning.py and claiming.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, NamedTuple, TypeVar

from django.db import transaction
from django.db.models import Q

from il2tracker.accounts.models import Patient, SecretLink, Sharing, User
from il2tracker.audit import log
from il2tracker.refs import new_ref
from il2tracker.reminders import clocks, kinds
from il2tracker.reminders.models import Delivery, Preference, Reminder

Row = TypeVar("Row", Preference, Delivery)


class Habits(NamedTuple):
    """When and how much mail comes. Equal hours = never quiet; `doses_pass`: what is about injections comes anyway."""

    quiet_from: time
    quiet_to: time
    doses_pass: bool
    most_per_day: int


@transaction.atomic
def choose(
    *,
    by: User,
    switches: Mapping[str, bool],
    lead_minutes: int | None = None,
    after_minutes: int | None = None,
    habits: Habits | None = None,
) -> list[Preference]:
    """What `by` wants to be told by mail, how early and when. `switches`: switch → on. Raises ValidationError.

    What is not named stays as it is: minutes belong to the switches of injections (before the slot, and after it).
    """
    _lock(by)
    minutes = {
        kinds.INJECTION_DUE: {"lead_minutes": lead_minutes},
        kinds.INJECTION_MISSING: {"after_minutes": after_minutes},
    }
    chosen = [_choose(by, kind, is_on=is_on, **minutes.get(kind, {})) for kind, is_on in switches.items()]
    if habits is not None:
        _keep(Delivery.objects.filter(user=by).first() or Delivery(user=by), habits._asdict())
    log.record(action="reminders.preferences.chosen", by=by, patient=by.patient_or_none)
    return chosen


@transaction.atomic
def unsubscribe(*, link: SecretLink) -> Preference:
    """Stop one kind of mail, at once; no sign-in is asked for (RFC 8058). Repeating it changes nothing."""
    user = link.user
    assert user is not None
    _lock(user)
    preference = _choose(user, link.subject, is_on=False)
    log.record(action="reminders.preference.off_by_link", by=user, patient=user.patient_or_none, detail=link.subject)
    return preference


@transaction.atomic
def post(
    *, by: User | None, kind: str, now: datetime, recipient: User | None = None, address: str = "", name: str = ""
) -> Reminder:
    """Put a mail into the outbox that no planner wishes for: account mails and test mails (is_planned False).

    Either the person who gets it or, for somebody who cannot sign in, the address as typed: who that is, if anybody,
    is found out when it is sent, so that the answer takes as long for an address that nobody has (B13). A second post
    of the same `name` for the same person is the first one. `now`: when it was asked for, as the mail says; when it
    leaves and how long it is of use, the database's clock decides.
    """
    occurrence, begins = name or new_ref(), clocks.database_now()
    facts = {"kind": kind, "occurrence": occurrence, "recipient": recipient, "address": address, "zone": "UTC"}
    times = {"due_at": now, "next_attempt_at": begins, "expires_at": begins + kinds.ACCOUNT_EXPIRES}
    key = f"{kind}:{recipient.pk if recipient else ''}:{occurrence}"
    defaults = {**facts, **times, "urgency": kinds.POLICIES[kind].urgency}
    row, created = Reminder.objects.get_or_create(key=key, defaults=defaults)
    if created:
        log.record(action=f"reminders.{kind}.posted", by=by)
    return row


@transaction.atomic
def send_test(*, by: User, now: datetime) -> Reminder:
    """A mail to oneself that says nothing, at most one a minute. It leaves also for an address that is refused."""
    return post(by=by, kind=kinds.TEST, now=now, recipient=by, name=f"{now.astimezone(UTC):%Y-%m-%dT%H:%M}")


def _choose(user: User, kind: str, *, is_on: bool, **minutes: int | None) -> Preference:
    row = Preference.objects.filter(user=user, kind=kind).first() or Preference(user=user, kind=kind)
    return _keep(row, {"is_on": is_on, **{name: value for name, value in minutes.items() if value is not None}})


def _keep(row: Row, values: Mapping[str, Any]) -> Row:
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()
    return row


def _lock(user: User) -> None:
    """No mail to this person is marked with the old choice: those about a diary lock it, the others the person (A2)."""
    helped = Sharing.objects.open().filter(person=user).values("patient")
    diaries = Patient.objects.filter(Q(user=user) | Q(pk__in=helped)).order_by("pk")
    list(diaries.select_for_update(no_key=True).values_list("pk"))
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
