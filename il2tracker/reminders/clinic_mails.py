"""What the mails to a clinic's people say: codes and numbers to call, never a name, a drug, a symptom or a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import dateformat
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.models import Clinic, Patient
from il2tracker.refs import is_harmless
from il2tracker.reminders import facts, facts_of_clinics, kinds, of_clinics
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.of_alerts import Report, Telling, tellings

Facts = dict[str, Any]
DAY = "l j F"
MOST = 25  # lines of one mail; the panel has them all


def red_flag(row: Reminder, now: datetime) -> Facts:
    """When it was reported on the patient's clock, which numbers the page showed then, and who is told next (R15)."""
    patient, report = row.patient, _report(row)
    assert patient is not None
    at = row.says_at.astimezone(patient.zone) if row.says_at else None
    return {
        "code": patient.code,
        "time": ui.clock(at, row.recipient),
        "day": dateformat.format(at, DAY) if at else "",
        "numbers": _numbers(patient, report) if report else "",
        "answer": report.answer if report else "",
        "is_taken": report is not None and report.stopped_at is not None,
        "report_url": settings.BASE_URL + reverse("clinic:patient", args=[patient.code]),
        **_place(_telling(row, report), row.says_at),
    }


def _report(row: Reminder) -> Report | None:
    if row.patient_id is None or row.says_at is None:
        return None
    return facts_of_clinics.report(row.patient_id, row.says_at, row.occurrence)


def _numbers(patient: Patient, report: Report) -> str:
    """What the page showed at that hour; in an emergency that number came first."""
    card = access.contact_card(patient, report.raised_at)
    shown = [card.emergency_phone] if report.is_emergency else []
    return _(" and ").join(number for number in [*shown, card.phone] if number)


def _telling(row: Reminder, report: Report | None) -> Telling | None:
    if report is None or row.recipient_id is None:
        return None
    refused = facts.choices(*report.people, row.recipient_id).refused - {row.recipient_id}  # is tried all the same
    return tellings(report, refused).get(row.recipient_id)


def _place(telling: Telling | None, raised_at: datetime | None) -> Facts:
    """None: who stopped being told between the plan and now; the last look then keeps the mail back."""
    if telling is None:
        return {"clinic": "", "minutes": 0, "is_later": False, "is_last": True, "is_on_call": False}
    minutes = round(telling.team.wait.total_seconds() / 60)
    return {
        "clinic": named(telling.team.name),
        "minutes": minutes,
        "is_later": raised_at is not None and telling.at > raised_at,
        "is_last": telling.is_last,
        "is_on_call": telling.is_on_call,
    }


def named(clinic: str) -> str:
    """What a mail calls the clinic: its name, unless that itself says what it treats."""
    return clinic if is_harmless(clinic) else _("your clinic")


def digest(row: Reminder, now: datetime) -> Facts:
    """The clinic's list in short. What it holds is read above this package, through a name in the settings."""
    read: Callable[..., Facts] = import_string(settings.REMINDERS_DIGEST)
    assert row.recipient is not None
    found = read(row.recipient, of_clinics.clinic_of(row.occurrence), now)
    return {**found, "clinic": named(found["clinic"]), "panel_url": settings.BASE_URL + reverse("clinic:panel")}


def to_call(row: Reminder, now: datetime) -> Facts:
    """Codes and ages of the reports to call about that nobody has acknowledged, the oldest first."""
    assert row.recipient is not None
    clinic_ref = of_clinics.clinic_of(row.occurrence)
    found = facts_of_clinics.to_call(row.recipient, clinic_ref)
    lines = [_("%(code)s: %(age)s") % {"code": code, "age": ui.ago(raised_at, now)} for code, raised_at in found]
    panel_url = settings.BASE_URL + reverse("clinic:panel")
    name = Clinic.objects.get(ref=clinic_ref).name
    return {"clinic": named(name), "count": len(lines), "lines": _cut(lines), "panel_url": panel_url}


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - MOST
    if more <= 0:
        return lines
    return [*lines[:MOST], ngettext("and %(n)s more on the panel", "and %(n)s more on the panel", more) % {"n": more}]


def is_empty(row: Reminder, now: datetime) -> bool:
    """Whether a summary has nothing to say."""
    return bool(digest(row, now)["is_empty"])


FACTS: dict[str, Callable[[Reminder, datetime], Facts]] = {
    kinds.RED_FLAG: red_flag,
    kinds.DIGEST: digest,
    kinds.TO_CALL: to_call,
}
