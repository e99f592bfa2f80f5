"""Whether the clinic has been told of an urgent report, in words: only what is known, never that it reached anybody
(H16)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert

BEING_TOLD = timedelta(minutes=3)  # app's own: a mail that has not left by then is not called on its way any more


def to_clinic(alert: Alert, patient: Patient, clock: Any) -> str:
    """What became of the mails, for the clinic's pages; empty while none has left. `clock`: the reader's, 12 or 24."""
    if alert.notified_at is None:
        return _("No mail about it could be delivered.") if alert.nobody_reached_at else ""
    words = {"time": ui.clock(ui.in_zone(alert.notified_at, patient), clock)}
    if alert.nobody_reached_at:
        return _("A mail left at %(time)s; nobody has answered it.") % words
    return _("A mail left at %(time)s.") % words


def to_patient(
    alerts: Iterable[Alert], patient: Patient, now: datetime, clock: Any, *, has_clinic: bool, phone: str = ""
) -> str:
    """The same for the patient, of the report that is worst off; empty without a clinic, and when it has seen them all.

    `phone`: the team's number, where the page does not show it right beside.
    """
    waiting = [alert for alert in alerts if alert.is_urgent and alert.is_open]
    if not (waiting and has_clinic):
        return ""
    worst = max(waiting, key=lambda alert: (alert.nobody_reached_at is not None, alert.notified_at is None))
    words = _what_is_known(worst, patient, now, clock)
    if not _must_call(worst, now):
        return words
    return f"{words} {_call(worst, phone)}"


def _what_is_known(alert: Alert, patient: Patient, now: datetime, clock: Any) -> str:
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
    return late or alert.nobody_reached_at is not None


def _call(alert: Alert, phone: str) -> str:
    if alert.patient_answer == Alert.Answer.CALLED:
        return _("Call again if it gets worse.")
    if phone and alert.tier != Alert.Tier.EMERGENCY:  # there another number comes first
        return _("Call now: %(phone)s.") % {"phone": phone}
    return _("Call now.")
