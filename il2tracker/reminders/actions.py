"""Everything that people write about reminders. The machine's own writes are in planning.py and claiming.py."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from il2tracker.accounts.models import SecretLink, User
from il2tracker.audit import log
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Preference


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


def _choose(user: User, kind: str, *, is_on: bool, lead_minutes: int) -> Preference:
    preference = Preference.objects.filter(user=user, kind=kind).first() or Preference(user=user, kind=kind)
    preference.is_on, preference.lead_minutes = is_on, lead_minutes
    preference.full_clean()
    preference.save()
    return preference


def _lock(user: User) -> None:
    if user.patient_or_none is not None:
        user.patient_or_none.lock()
