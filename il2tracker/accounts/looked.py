"""Who looked at a record: the access log in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent

PAGE = 100  # app's own: events of one page, before those of one sitting are told as one


@dataclass(frozen=True)
class Look:
    """What somebody else read or changed in one sitting: `times` events in a row on one day of the patient."""

    first_at: datetime
    last_at: datetime
    who: str
    what: str
    times: int


def looks(patient: Patient, *, before: int | None = None) -> tuple[list[Look], int | None]:
    """The newest PAGE events by others, older than `before`; with the key of the next page, or None at the end."""
    events = AuditEvent.objects.filter(patient_ref=patient.ref).exclude(actor_ref="")
    if patient.user is not None:
        events = events.exclude(actor_ref=patient.user.ref)
    if before is not None:
        events = events.filter(pk__lt=before)
    rows = list(events.order_by("-pk")[: PAGE + 1])
    page = rows[:PAGE]
    sittings = groupby(page, key=lambda row: (row.actor_ref, in_words(row.action), patient.today(row.at)))
    return [_look(list(sitting)) for _who, sitting in sittings], page[-1].pk if len(rows) > PAGE else None


def _look(sitting: list[AuditEvent]) -> Look:
    newest = sitting[0]
    who = newest.actor_name or _("somebody")
    return Look(sitting[-1].at, newest.at, who, in_words(newest.action), len(sitting))


def in_words(action: str) -> str:
    """What a dotted action did, for the person it was about: "cycles.injection.logged" → "wrote in your injections"."""
    package, *_rest, verb = action.split(".")
    things = {
        "clinic.panel": _("the clinic’s list, with your line"),
        "clinic.advice": _("the clinic’s notes on your plan"),
        "cycles.advice": _("the clinic’s notes on your plan"),
        "today": _("your course"),
        "cycles": _("your injections and plan"),
        "labs": _("your results"),
        "sideeffects.expectation": _("what your clinic expects of you"),
        "sideeffects": _("how you felt"),
        "alerts": _("an urgent report"),
        "reminders": _("your reminders"),
        "accounts": _("your details"),
        "exchange": _("your whole record"),
    }
    thing = things.get(action.rpartition(".")[0]) or things.get(package, _("your page"))
    if verb == "exported":
        return _("took a copy of your record")
    looked = verb in {"opened", "viewed", "seen", "unseen", "read"} and package != "accounts"
    return _("looked at %(thing)s") % {"thing": thing} if looked else _("changed %(thing)s") % {"thing": thing}
