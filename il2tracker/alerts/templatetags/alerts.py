"""What templates say of urgent reports."""

from __future__ import annotations

from django import template

from il2tracker.accounts.models import Patient, User
from il2tracker.alerts import told
from il2tracker.alerts.models import Alert

register = template.Library()


@register.simple_tag
def mailed(alert: Alert, patient: Patient, user: User) -> str:
    """What became of the mails about it, for the clinic's pages."""
    return told.to_clinic(alert, patient, user)


@register.simple_tag
def last_step(alert: Alert, patient: Patient, user: User) -> str:
    """What the clinic did last, for its own pages."""
    return told.last_step(alert, patient, user)
