"""What the clinic's list says beside an alert: who has it, what was done last, what the patient answered."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Patient
from il2tracker.alerts import told
from il2tracker.alerts.models import Alert, Step


def detail(alert: Alert, patient: Patient, now: datetime, clock: str) -> str:
    """The line below the alert's name, of one that was read `not_closed`."""
    if alert.is_lifted:
        parts = [_cannot_reach(alert, now), in_hand(alert, now), waits(alert)]
    elif alert.is_in_hand:
        parts = [in_hand(alert, now), _last_step(alert, now), waits(alert)]
    else:
        facts = {"ago": ui.ago(alert.raised_at, now)}
        mailed = told.to_clinic(alert, patient, clock) if alert.is_urgent else ""
        parts = [_("Raised %(ago)s, not acknowledged.") % facts, mailed, _answer(alert)]
    return " ".join(filter(None, parts))


def in_hand(alert: Alert, now: datetime) -> str:
    """ "In hand: Ben, 12 minutes ago."""
    assert alert.acknowledged_at is not None
    facts = {"who": alert.acknowledged_by or _("Somebody"), "ago": ui.ago(alert.acknowledged_at, now)}
    return _("In hand: %(who)s, %(ago)s.") % facts


def waits(alert: Alert) -> str:
    """That reminders to inject wait for it, of one that was read `with_hold`; empty when they do not."""
    if not alert.holds_now:
        return ""
    if alert.settled_at is None:
        return _("Reminders to inject wait.")
    return _("Reminders to inject wait: the patient could not reach you, and you have not spoken since.")


def _last_step(alert: Alert, now: datetime) -> str:
    if alert.last_step_at is None or alert.last_step_what is None:
        return _("No call is written down.")
    facts = {"what": Step.What(alert.last_step_what).label, "ago": ui.ago(alert.last_step_at, now)}
    return _("%(what)s, %(ago)s.") % facts


def _cannot_reach(alert: Alert, now: datetime) -> str:
    return _("The patient cannot reach you: written %(ago)s.") % {"ago": ui.ago(alert.patient_answered_at, now)}


def _answer(alert: Alert) -> str:
    if not alert.patient_answer:
        return ""
    return _("The patient's answer: “%(answer)s”.") % {"answer": alert.get_patient_answer_display()}
