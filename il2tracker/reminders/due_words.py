"""What the list of reminders says about a row: words and a picture for every state, every reason, every wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker import ui
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Reminder, State, WaitsFor
from il2tracker.reminders.wishes import Reason


class Said(NamedTuple):
    """A sentence and the picture beside it."""

    icon: str
    words: str | Promise


STATES: Mapping[State, Said] = {
    State.PLANNED: Said("clock", gettext_lazy("Mail at %(time)s")),
    State.SENDING: Said("mail", gettext_lazy("Being sent")),
    State.SENT: Said("circle-check", gettext_lazy("Sent")),
    State.CANCELLED: Said("check", gettext_lazy("Not needed")),
    State.EXPIRED: Said("alert-triangle", gettext_lazy("Not sent: it was too late")),
    State.DEAD: Said("alert-triangle", gettext_lazy("Not delivered: given up after several tries")),
    State.UNCERTAIN: Said("info-circle", gettext_lazy("Perhaps sent: the mail server gave no answer")),
}
REASONS: Mapping[Reason, Said] = {
    Reason.NO_RECIPIENT: Said("x", gettext_lazy("Not needed: nobody is there to read it")),
    Reason.PLAN_ENDED: Said("check", gettext_lazy("Not needed: the plan has ended")),
    Reason.NOT_IN_PLAN: Said("check", gettext_lazy("Not needed: nothing asks for it any more")),
    Reason.STOPPED: Said("check", gettext_lazy("Not needed: the course was called off or stopped")),
    Reason.ON_WARD: Said("check", gettext_lazy("Not needed: this is given in hospital")),
    Reason.RECORDED: Said("check", gettext_lazy("Not needed: it is recorded")),
    Reason.UNDONE: Said("check", gettext_lazy("Not sent: it was recorded once, and the entry was taken back")),
    Reason.HELD: Said("hand-stop", gettext_lazy("Paused: the course is on hold")),
    Reason.ALERT: Said("hand-stop", gettext_lazy("Paused: an urgent report is open")),
    Reason.UNCONFIRMED: Said("hand-stop", gettext_lazy("Paused: the clinic has not confirmed the start")),
    Reason.ARRANGED: Said("check", gettext_lazy("Not needed: it is booked, taken or here")),
    Reason.READ: Said("check", gettext_lazy("Not needed: you have read it")),
    Reason.ANSWERED: Said("check", gettext_lazy("Not needed: somebody has taken it on")),
    Reason.EMPTY: Said("check", gettext_lazy("Not sent: there was nothing to do")),
    Reason.PUT_OFF: Said("history", gettext_lazy("Put off: it comes again later")),
    Reason.TURNED_OFF: Said("bell", gettext_lazy("No mail: you switched it off")),
    Reason.QUIET: Said("moon", gettext_lazy("No mail: it falls into your quiet hours")),
    Reason.REFUSED: Said("alert-triangle", gettext_lazy("No mail: mails to your address come back")),
    Reason.UNKNOWN_ADDRESS: Said("x", gettext_lazy("Not sent: nobody signs in with this address")),
    Reason.CHANGED: Said("check", gettext_lazy("Not needed: what it said has changed")),
    Reason.RELEASED: Said("check", gettext_lazy("Not needed: the pause is over")),
}
# What a helper reads of why nothing came: the own choices, and nothing of the person who is helped.
HELPERS_OWN = (Reason.TURNED_OFF, Reason.QUIET, Reason.REFUSED)
PAUSES = (Reason.HELD, Reason.ALERT, Reason.UNCONFIRMED)
PAUSED = Said("hand-stop", gettext_lazy("Paused"))
WAITS: Mapping[WaitsFor, Said] = {
    WaitsFor.QUIET: Said("moon", gettext_lazy("Waits for the end of the quiet hours")),
    WaitsFor.CAP: Said("clock", gettext_lazy("Waits for the next day: enough mails today")),
}
TOO_MANY = Said("clock", gettext_lazy("Not sent: enough mails came that day"))
REFUSED_FOR_GOOD = Said("alert-triangle", gettext_lazy("Not delivered: the mail server refused it"))
TRIED = Said("clock", gettext_lazy("Could not be sent yet; it is tried again"))
DUE_NOW = Said("mail", gettext_lazy("Due now: it is sent in a moment"))
COURSE_KINDS = tuple(kind.name for kind in kinds.DAY_KINDS)
CONDITIONS = {
    **dict.fromkeys(
        (kinds.INJECTION_MISSING, kinds.CARER_MISSING),
        gettext_lazy("Mail at %(time)s, only if it is not recorded by then"),
    ),
    **dict.fromkeys(
        (kinds.BLOODWORK_BOOK, kinds.BLOODWORK_DUE, kinds.BLOODWORK_OVERDUE),
        gettext_lazy("Mail at %(time)s, only if it is neither booked nor taken by then"),
    ),
    kinds.RESULTS_MISSING: gettext_lazy("Mail at %(time)s, only if they are not here by then"),
    kinds.PLAN_CHANGED: gettext_lazy("Mail at %(time)s, only if you have not read it by then"),
    kinds.CHECK_IN: gettext_lazy("Mail at %(time)s, only if nothing is written by then"),
    kinds.TO_CALL: gettext_lazy("Mail at %(time)s, only if one still waits by then"),
}
# Nobody shall read one that only may come as a word about what he or she did.
TITLES = {
    kinds.INJECTION_DUE: gettext_lazy("Injection at %(time)s"),
    kinds.INJECTION_AGAIN: gettext_lazy("Injection at %(time)s, put off"),
    kinds.INJECTION_MISSING: gettext_lazy("If the %(time)s injection is not recorded"),
    kinds.CARER_MISSING: gettext_lazy("Somebody I help: if %(time)s is not recorded"),
}


def title(row: Reminder, clock: str) -> str:
    """What a reminder is about: its kind, with the hour of the injection or the first day of the course."""
    words = {"kind": row.get_kind_display(), "day": ui.long_day(row.says_on)}
    if row.kind in TITLES and row.local_slot is not None:
        return str(TITLES[row.kind] % {"time": ui.clock(row.local_slot, clock)})
    if row.kind in COURSE_KINDS and row.says_on is not None:
        return _("%(kind)s: first day %(day)s") % words
    return str(words["kind"])


def said(row: Reminder, now: datetime, clock: str) -> Said:
    """When a mail comes, or what became of it until `now`, as its recipient reads it. `clock`: "12" or "24"."""
    at = {"time": ui.clock(row.due_at.astimezone(ZoneInfo(row.zone)), clock)}
    if _is_coming(row, now):
        planned = STATES[State.PLANNED]
        return planned._replace(words=CONDITIONS.get(row.kind, planned.words) % at)
    found = _became(row, now, clock)
    return found._replace(words=_("Reminder set for %(time)s. %(what)s") % {**at, "what": found.words})


def _is_coming(row: Reminder, now: datetime) -> bool:
    is_untouched = row.state == State.PLANNED and not row.waits_for and not row.last_error_class
    return is_untouched and row.expires_at > now and row.due_at > now


def _became(row: Reminder, now: datetime, clock: str) -> Said:
    state = State(row.state)
    if state is State.PLANNED:
        return _waiting(row, now, clock)
    if state is State.CANCELLED:
        return _not_sent(row)
    if state is State.SENT:
        return STATES[state]._replace(words=_sent(row, clock))
    if state is State.EXPIRED and row.waits_for == WaitsFor.CAP:
        return TOO_MANY
    return REFUSED_FOR_GOOD if state is State.DEAD and _is_refused(row) else STATES[state]


def _waiting(row: Reminder, now: datetime, clock: str) -> Said:
    if row.expires_at <= now:
        return TOO_MANY if row.waits_for == WaitsFor.CAP else STATES[State.EXPIRED]
    if row.waits_for:
        wait = WAITS[WaitsFor(row.waits_for)]
        words = {"what": wait.words, "time": ui.clock(row.next_attempt_at.astimezone(ZoneInfo(row.zone)), clock)}
        return wait._replace(words=_("%(what)s, until %(time)s") % words)
    return TRIED if row.last_error_class else DUE_NOW


def _not_sent(row: Reminder) -> Said:
    if row.kind == kinds.CARER_MISSING and row.cancel_reason not in HELPERS_OWN:
        return PAUSED if row.cancel_reason in PAUSES else STATES[State.CANCELLED]
    return REASONS.get(row.cancel_reason, STATES[State.CANCELLED])  # type: ignore[call-overload]


def _sent(row: Reminder, clock: str) -> str:
    zone = ZoneInfo(row.zone)
    assert row.accepted_at is not None
    at = row.accepted_at.astimezone(zone)
    words = {"time": ui.clock(at, clock), "day": ui.long_day(at)}
    if at.date() == row.due_at.astimezone(zone).date():
        return _("Sent at %(time)s") % words
    return _("Sent at %(time)s on %(day)s") % words


def _is_refused(row: Reminder) -> bool:
    """ "RCPT 550": a reply, not the name of an error of ours."""
    return row.last_error_class.rpartition(" ")[2][:1] == "5"
