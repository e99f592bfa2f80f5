"""Writes the mail of a reminder: discreet words, no name, no drug, disease, test or value, no image, one address."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import confirming
from cycles.models import Cycle, PlannedDose
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.reminders import kinds, of_courses, of_doses, unsubscribing
from il2tracker.reminders.models import Reminder

# What the foot of a mail and the unsubscribe page call a kind: words that anybody may read.
ABOUT = {
    kinds.INJECTION_DUE: gettext_lazy("a time of day"),
    kinds.INJECTION_MISSING: gettext_lazy("something not added yet"),
    kinds.CYCLE_WEEK: gettext_lazy("the week before a date"),
    kinds.CYCLE_DAY: gettext_lazy("the day before a date"),
    kinds.BLOODWORK_BOOK: gettext_lazy("appointments to book"),
    kinds.BLOODWORK_DUE: gettext_lazy("appointments coming up"),
    kinds.PAUSED: gettext_lazy("a time of day"),
}
DAY, DAY_OF_MONTH, WITH_YEAR = "l j F", "j F", "j F Y"


def build(row: Reminder, now: datetime) -> EmailMultiAlternatives:
    """The mail of a reminder as it reads at `now`. Its Message-ID is the row's own, however often it is sent.

    It is written in decimal digits: in hexadecimal ones a test's name may stand by accident.
    """
    assert row.recipient is not None
    assert row.patient is not None
    stop_url = unsubscribing.link(row.recipient, row.kind)
    words = {
        "site_name": settings.SITE_NAME,
        "about": ABOUT[row.kind],
        "stop_url": stop_url,
        "home_url": settings.BASE_URL + reverse("today:home"),
        "appointment_url": settings.BASE_URL + reverse("today:blood_test"),
        **_facts(row, row.recipient, row.patient, now),
    }
    subject = " ".join(render_to_string(f"emails/{row.kind}.subject.txt", words).split())
    text = render_to_string(f"emails/{row.kind}.txt", words)
    mail = EmailMultiAlternatives(
        subject=subject,
        body="\n".join(line.rstrip() for line in text.splitlines()).strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[row.recipient.email],
        headers={
            "Message-ID": f"<{row.message_uuid.int}@{settings.MESSAGE_ID_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.attach_alternative(render_to_string(f"emails/{row.kind}.html", {**words, "subject": subject}), "text/html")
    return mail


def _facts(row: Reminder, user: User, patient: Patient, now: datetime) -> dict[str, Any]:
    today = now.astimezone(ZoneInfo(row.zone)).date()
    if row.kind in {kinds.INJECTION_DUE, kinds.INJECTION_MISSING}:
        return _slot(row, user, now)
    if row.kind == kinds.PAUSED:
        return _numbers(patient, now)
    assert row.says_on is not None
    facts: dict[str, Any] = {"start_day": _day(row.says_on), "days_left": (row.says_on - today).days}
    if row.kind == kinds.CYCLE_DAY:
        facts |= {**_numbers(patient, now), **_confirmed(row, patient)}
    return facts | (_window(row.says_from, row.says_to, today) if row.says_from and row.says_to else {})


def _slot(row: Reminder, user: User, now: datetime) -> dict[str, Any]:
    cycle_id, day, slot = of_doses.slot_of(row.occurrence)
    ref = PlannedDose.objects.filter(cycle=cycle_id, day=day, slot=slot).values_list("ref", flat=True).get()
    local = row.local_slot
    assert local is not None
    return {
        "slot": ui.clock(local, user),
        "slot_day": _day(local.date()),
        "is_late": now > row.due_at + timedelta(minutes=15),
        "record_url": settings.BASE_URL + reverse("cycles:log", args=[ref]),
        "problem_url": settings.BASE_URL + reverse("cycles:skip", args=[ref]),
    }


def _numbers(patient: Patient, now: datetime) -> dict[str, Any]:
    card = access.contact_card(patient, now)
    return {
        "phone": card.phone or _("the number you were given"),
        "has_clinic": access.open_clinic(patient) is not None,
    }


def _confirmed(row: Reminder, patient: Patient) -> dict[str, Any]:
    """On which day the clinic confirmed this start (R12); a clinic that leaves starts to its patients has signed the
    plan at most. Empty where nobody did."""
    cycle = Cycle.objects.select_related("version", "readiness").get(pk=of_courses.cycle_of(row.occurrence))
    readiness, version = getattr(cycle, "readiness", None), cycle.version
    start = readiness.confirmed_at if readiness and readiness.confirmed_for == row.says_on else None
    plan = version.signed_at if version.is_confirmed and not confirming.is_asked_of(patient) else None
    return {"confirmed_on": _long_day(start, row), "plan_signed_on": "" if start else _long_day(plan, row)}


def _long_day(moment: datetime | None, row: Reminder) -> str:
    return dateformat.format(moment.astimezone(ZoneInfo(row.zone)), WITH_YEAR) if moment else ""


def _window(first: date, last: date, today: date) -> dict[str, Any]:
    return {
        "first_weekday": dateformat.format(first, DAY),
        "last_weekday": dateformat.format(last, DAY),
        "last_day": dateformat.format(last, DAY_OF_MONTH),
        "is_late": today > last,
    }


def _day(day: date) -> str:
    return dateformat.format(day, DAY)
