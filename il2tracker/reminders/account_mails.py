"""What the account mails say, and to whom they go. All of it is found out when they leave: whoever asks for a new
password waits equally long whether anybody has the address, and no secret lies in the outbox (B13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import dateformat

from il2tracker import ui
from il2tracker.accounts import password_links
from il2tracker.accounts.adapter import may_sign_in, user_of
from il2tracker.accounts.models import User
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.wishes import Reason

MOST_RESETS, RESETS_COUNT_FOR = 3, timedelta(hours=1)  # app's own: links by mail to one person


def recipient(row: Reminder) -> User | None:
    """Who gets an account mail: whom it was made for, or who signs in with the address that was typed; or nobody."""
    user = row.recipient or (user_of(row.address) if row.address else None)
    return user if user is not None and may_sign_in(user) else None


def why_not(row: Reminder, now: datetime) -> Reason | None:
    """Why a link must not leave: nobody may use it, or enough of them went to this person within the hour.

    That is counted here and not when somebody asks, so that no answer tells what others have asked for.
    """
    if row.kind != kinds.PASSWORD_RESET:
        return None
    user = recipient(row)
    if user is None:
        return Reason.UNKNOWN_ADDRESS
    sent = Reminder.objects.filter(kind=row.kind, recipient=user, handing_over_at__gt=now - RESETS_COUNT_FOR)
    return Reason.ANSWERED if sent.exclude(pk=row.pk).count() >= MOST_RESETS else None


def reset(row: Reminder, now: datetime) -> dict[str, Any]:
    """A link made at this moment, on the address of the settings and never on the one of a request."""
    user = recipient(row)
    assert user is not None
    return {"password_url": settings.BASE_URL + password_links.path_for(user)}


def changed(row: Reminder, now: datetime) -> dict[str, Any]:
    """When it was changed, on the clock that the person lives by, and the way back for somebody who did not do it."""
    user = recipient(row) or row.recipient
    assert user is not None
    patient = user.patient_or_none
    at = row.due_at.astimezone(ZoneInfo(patient.time_zone if patient else settings.DEFAULT_TIME_ZONE))
    return {
        "changed_on": dateformat.format(at, "l j F"),
        "changed_at": f"{ui.clock(at, user)} {at:%Z}",
        "forgot_url": settings.BASE_URL + reverse("account_reset_password"),
    }


FACTS: dict[str, Callable[[Reminder, datetime], dict[str, Any]]] = {
    kinds.PASSWORD_RESET: reset,
    kinds.PASSWORD_CHANGED: changed,
}
