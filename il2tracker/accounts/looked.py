"""Who looked at a record: the access log in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent

PAGE = 30


@dataclass(frozen=True)
class Look:
    """One read or change by somebody else. `key` names the row for paging."""

    key: int
    at: datetime
    who: str
    what: str


def looks(patient: Patient, *, before: int | None = None) -> tuple[list[Look], int | None]:
    """The newest PAGE looks by other people, older than `before`; with the key of the next page, or None at the end."""
    events = AuditEvent.objects.filter(patient_ref=patient.ref).exclude(actor_ref="")
    if patient.user is not None:
        events = events.exclude(actor_ref=patient.user.ref)
    if before is not None:
        events = events.filter(pk__lt=before)
    rows = list(events.order_by("-pk")[: PAGE + 1])
    page = [Look(row.pk, row.at, row.actor_name or _("somebody"), in_words(row.action)) for row in rows[:PAGE]]
    return page, page[-1].key if len(rows) > PAGE else None


def in_words(action: str) -> str:
    """What a dotted action did, for the person it was about: "cycles.injection.logged" → "wrote in your injections"."""
    package, *_rest, verb = action.split(".")
    thing = {
        "cycles": _("your injections and plan"),
        "labs": _("your results"),
        "sideeffects": _("how you felt"),
        "alerts": _("an urgent report"),
        "reminders": _("your reminders"),
        "accounts": _("your details"),
    }.get(package, _("your page"))
    looked = verb in {"opened", "viewed", "seen", "read"} and package != "accounts"
    return _("looked at %(thing)s") % {"thing": thing} if looked else _("changed %(thing)s") % {"thing": thing}
