"""What happened about one alert, in order: the report, the mails, who answered, what the clinic did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from il2tracker.accounts.models import User
from il2tracker.alerts.models import Alert, Step, Transition
from il2tracker.clinic import of_alerts
from il2tracker.reminders import kinds
from il2tracker.reminders.models import Reminder, State

ANSWERED = "answered_"
OF_STEPS = {*Step.What.values}  # the steps themselves stand in the list, with their words


@dataclass(frozen=True)
class Event:
    """One line: when, who (empty: nobody in particular), what happened, and the words beside it."""

    at: datetime
    who: str
    what: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """`events`: what happened, the first thing first. `to_come`: who is told next, and when. `later`: urgent reports
    after it that are not closed. `waits`: that reminders to inject wait for it, empty when they do not."""

    events: list[Event]
    to_come: list[Event]
    later: list[Alert]
    waits: str


def compose(alert: Alert) -> Page:
    """The page of an alert that was read `with_steps`; five statements."""
    mails = _mails(alert)
    happened = [*_transitions(alert), *_steps(alert), *(_mail(row) for row in mails if row.state in ENDS)]
    next_ones = [row for row in mails if row.state in {State.PLANNED, State.SENDING} and alert.is_waiting]
    to_come = [Event(row.next_attempt_at, str(row.recipient), _("is told by mail")) for row in next_ones]
    later, waits = list(alert.later_reports()), of_alerts.waits(alert)
    return Page(events=sorted(happened, key=_when), to_come=sorted(to_come, key=_when), later=later, waits=waits)


def _when(event: Event) -> datetime:
    return event.at


def _transitions(alert: Alert) -> Iterator[Event]:
    rows = list(Transition.objects.filter(alert_ref=alert.ref).order_by("at", "pk"))
    names = dict(User.objects.filter(ref__in={row.by_ref for row in rows}).values_list("ref", "name"))
    ended = any(step.what == Step.What.CLOSED for step in alert.steps.all())
    for row in rows:
        if words := _words(row.what, ended=ended):
            note = alert.note if row.what == "acknowledged" else ""
            yield Event(row.at, names.get(row.by_ref, ""), words, note)


def _words(what: str, *, ended: bool) -> str:
    """Empty for what other lines say: the steps of the clinic, and that a mail left."""
    if what.startswith(ANSWERED):
        answer = Alert.Answer(what.removeprefix(ANSWERED)).label
        return _("“%(answer)s”") % {"answer": answer}
    if what == "closed":
        return "" if ended else _("Closed")
    return {
        "raised": _("Reported"),
        "acknowledged": _("Acknowledged"),
        "nobody_reached": _("Everybody who could be told was told; nobody had acknowledged it"),
    }.get(what, "")


def _steps(alert: Alert) -> Iterator[Event]:
    for step in alert.steps.all():
        yield Event(step.at, str(step.by or _("Somebody")), step.get_what_display(), step.note)


def _mails(alert: Alert) -> list[Reminder]:
    """Those about its report, which are named after the report's first alert."""
    same = {"patient": alert.patient, "raised_at": alert.raised_at, "source": alert.source}
    found = Alert.objects.filter(**same, source_ref=alert.source_ref, tier__in=Alert.URGENT).order_by("pk")
    ref = found.values_list("ref", flat=True).first()
    if ref is None:
        return []
    rows = Reminder.objects.filter(kind=kinds.RED_FLAG, patient=alert.patient, occurrence__startswith=f"a{ref}")
    return list(rows.select_related("recipient").order_by("due_at", "pk"))


ENDS = (State.SENT, State.DEAD, State.UNCERTAIN, State.EXPIRED)


def _mail(row: Reminder) -> Event:
    """A mail that left or could not. The moment of one that never left is when it was due."""
    words = {
        State.SENT: _("a mail was handed to the mail server"),
        State.DEAD: _("no mail could be delivered"),
        State.UNCERTAIN: _("perhaps a mail left; the mail server did not say"),
        State.EXPIRED: _("no mail left in time"),
    }[State(row.state)]
    return Event(row.accepted_at or row.due_at, str(row.recipient or _("Somebody")), words)
