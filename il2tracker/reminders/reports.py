"""Writes beside an urgent alert what became of the mails about it: when the first one left, and that all was in vain.

Alerts stand below reminders and cannot look for themselves (A17). Any number of these may run at once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.reminders import facts, facts_of_clinics
from il2tracker.reminders.of_alerts import Report

Entry = tuple[int, datetime, str, str]
Told = tuple[datetime, datetime]


def note(now: datetime) -> int:
    """Bring the alerts up to date; returns how many changed. One statement when there is nothing to find out."""
    unsettled = facts_of_clinics.unsettled(now)
    if not unsettled:
        return 0
    reports = {report.occurrence: report for report in facts_of_clinics.reports(now - facts_of_clinics.FOUND_OUT_FOR)}
    members = {user_id for report in reports.values() for user_id in report.people}
    told, refused = facts_of_clinics.told(reports), facts.choices(None, *members).refused
    by_alert = {ref: report for report in reports.values() for ref in report.refs}
    return sum(_note(alert, by_alert.get(alert.ref), told, refused, now) for alert in unsettled)


def _note(alert: Alert, report: Report | None, told: dict[str, Told], refused: Collection[int], now: datetime) -> bool:
    if report is None:
        return False
    first, last = told.get(report.occurrence, (None, None))
    changed = False
    if first and alert.notified_at is None:
        alert, changed = alerts.notified(alert=alert, at=first), True
    silent_from = report.silent_from(refused, last)
    if alert.is_open and alert.nobody_reached_at is None and silent_from and silent_from <= now:
        alerts.nobody_reached(alert=alert, now=now)
        changed = True
    return changed
