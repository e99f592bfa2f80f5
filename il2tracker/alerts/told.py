"""Whether the clinic has been told of an urgent report, in words: only what is known, never that it reached anybody
(H16)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert, Step

BEING_TOLD = timedelta(minutes=3)  # app's own: a mail that has not left by then is not called on its way any more


def to_clinic(alert: Alert, patient: Patient, clock: Any) -> str:
    """What became of the mails, for the clinic's pages; empty while none has left, and once somebody has it in hand.
    `clock`: the reader's, 12 or 24."""
    if alert.acknowledged_at is not None:
        return ""
    if alert.notified_at is None:
        return _("No mail about it could be delivered.") if alert.nobody_reached_at else ""
    words = {"time": ui.clock(ui.in_zone(alert.notified_at, patient), clock)}
    if alert.nobody_reached_at:
        return _("A mail left at %(time)s; nobody has answered it.") % words
    return _("A mail left at %(time)s.") % words


def last_step(alert: Alert, patient: Patient, clock: Any) -> str:
    """What the clinic did last after acknowledging: "Called, and reached nobody, Sat 21 Nov 9:50pm."."""
    if alert.last_step_at is None or alert.last_step_what is None:
        return ""
    at = ui.in_zone(alert.last_step_at, patient)
    words = {"what": Step.What(alert.last_step_what).label, "day": ui.short_day(at), "time": ui.clock(at, clock)}
    return _("%(what)s, %(day)s %(time)s.") % words


def of_the_call(alert: Alert, patient: Patient, clock: Any) -> str:
    """What the patient reads of the clinic's own calls: when it tried, and whether it reached him."""
    if alert.last_call_at is None:
        return ""
    at = ui.in_zone(alert.last_call_at, patient)
    words = {"day": ui.short_day(at), "time": ui.clock(at, clock)}
    if alert.last_call_what == Step.What.REACHED:
        return _("Your clinic wrote down on %(day)s at %(time)s that they spoke with you.") % words
    return _("Your clinic tried to call you on %(day)s at %(time)s. Call them.") % words


def to_patient(
    alerts: Iterable[Alert], patient: Patient, now: datetime, clock: Any, *, has_clinic: bool, phone: str = ""
) -> str:
    """The same for the patient, of the report that is worst off; without a report that waits, what the clinic did of
    the first one. Empty without a clinic.

    `phone`: the team's number, where the page does not show it right beside.
    """
    urgent = [alert for alert in alerts if alert.is_urgent]
    waiting = [alert for alert in urgent if alert.is_waiting]
    if not (urgent and has_clinic):
        return ""
    if not waiting:
        return of_the_call(urgent[0], patient, clock)
    worst = max(waiting, key=lambda alert: (alert.nobody_reached_at is not None, alert.notified_at is None))
    words = _what_is_known(worst, patient, now, clock)
    if not _must_call(worst, now):
        return words
    return f"{words} {_call(worst, phone)}"


def _what_is_known(alert: Alert, patient: Patient, now: datetime, clock: Any) -> str:
    if alert.is_lifted:
        words = {"time": ui.clock(ui.in_zone(alert.patient_answered_at, patient), clock)}
        return _("You wrote at %(time)s that you cannot reach them. It is at the top of your clinic’s list.") % words
    words = {"time": ui.clock(ui.in_zone(alert.notified_at, patient), clock) if alert.notified_at else ""}
    if alert.notified_at and alert.nobody_reached_at:
        return _("A mail to your clinic left at %(time)s. Nobody has answered it.") % words
    if alert.notified_at:
        return _("A mail to your clinic left at %(time)s. Nobody has answered it yet.") % words
    if alert.nobody_reached_at:
        return _("No mail about it could be delivered to your clinic.")
    if now - alert.raised_at <= BEING_TOLD:
        return _("Your clinic is being told by mail.")
    return _("No mail to your clinic has left yet.")


def _must_call(alert: Alert, now: datetime) -> bool:
    late = alert.notified_at is None and now - alert.raised_at > BEING_TOLD
    return late or alert.nobody_reached_at is not None or alert.is_lifted


def _call(alert: Alert, phone: str) -> str:
    if alert.patient_answer == Alert.Answer.CALLED:
        return _("Call again if it gets worse.")
    if phone and alert.tier != Alert.Tier.EMERGENCY:  # there another number comes first
        return _("Call now: %(phone)s.") % {"phone": phone}
    return _("Call now.")
