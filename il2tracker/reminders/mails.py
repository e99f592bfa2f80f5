"""Writes the mail of a reminder: as discreet as its reader wants, no name, no image, one address."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy

from il2tracker.refs import is_harmless
from il2tracker.reminders import account_mails, clinic_mails, kinds, one_tap, patient_mails, typeset, unsubscribing
from il2tracker.reminders.models import Reminder

# What the foot of a mail and the unsubscribe page call a kind: words that anybody may read.
ABOUT = {
    kinds.INJECTION_DUE: gettext_lazy("a time of day"),
    kinds.INJECTION_AGAIN: gettext_lazy("a time of day"),
    kinds.INJECTION_MISSING: gettext_lazy("something not added yet"),
    kinds.CARER_MISSING: gettext_lazy("somebody you help"),
    kinds.CYCLE_WEEK: gettext_lazy("the week before a date"),
    kinds.CYCLE_DAY: gettext_lazy("the day before a date"),
    kinds.BLOODWORK_BOOK: gettext_lazy("appointments to book"),
    kinds.BLOODWORK_DUE: gettext_lazy("appointments coming up"),
    kinds.BLOODWORK_OVERDUE: gettext_lazy("appointments still open"),
    kinds.RESULTS_MISSING: gettext_lazy("something that has not arrived"),
    kinds.PLAN_CHANGED: gettext_lazy("updates to read"),
    kinds.CHECK_IN: gettext_lazy("a question of the day"),
    kinds.PAUSED: gettext_lazy("a time of day"),
    kinds.DIGEST: gettext_lazy("the summary of a week"),
    kinds.TO_CALL: gettext_lazy("what waits in the morning"),
}


def _dose(row: Reminder, now: datetime) -> dict[str, Any]:
    return {**patient_mails.dose(row, now), **one_tap.links(row, now)}


# A kind's own facts, read when the mail is written; what is secret is made then. "Not recorded" has no link that marks
# as done now: it is an hour later, and the right time is asked for (R14).
FACTS: dict[str, Callable[[Reminder, datetime], dict[str, Any]]] = {
    **patient_mails.FACTS,
    **account_mails.FACTS,
    **clinic_mails.FACTS,
    kinds.INJECTION_DUE: _dose,
    kinds.INJECTION_AGAIN: _dose,
    kinds.TEST: lambda _row, _now: {},
}


class Written(NamedTuple):
    """What a mail says."""

    subject: str
    text: str


def prepare(rows: Collection[Reminder], now: datetime) -> None:
    """What every mail of a batch needs, read at once: a mail that was not prepared is written all the same."""
    one_tap.open_links(rows, now)
    stoppable = [row for row in rows if kinds.POLICIES[row.kind].preference]
    unsubscribing.open_links([(row.recipient, row.kind) for row in stoppable if row.recipient is not None])
    for row in stoppable:
        row.stop_link_is_open = True  # type: ignore[attr-defined]


def build(row: Reminder, now: datetime) -> EmailMultiAlternatives:
    """The mail of a reminder as it reads at `now`. Its Message-ID is the row's own, however often it is sent.

    It is written in decimal digits: in hexadecimal ones a test's name may stand by accident.
    """
    recipient = row.recipient or account_mails.recipient(row)
    assert recipient is not None
    level, facts = patient_mails.level(row), FACTS[row.kind](row, now)
    is_open = hasattr(row, "stop_link_is_open")
    stop_url = unsubscribing.link(recipient, row.kind, is_open=is_open) if kinds.POLICIES[row.kind].preference else ""
    said = write(row.kind, level, stop_url, facts)
    mail = EmailMultiAlternatives(
        subject=said.subject,
        body=said.text,
        from_email=sender(level, facts),
        to=[recipient.email],
        headers={
            "Message-ID": f"<{row.message_uuid.int}@{settings.MESSAGE_ID_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
            **_stop_headers(stop_url),
        },
    )
    mail.attach_alternative(typeset.page(*said), "text/html")
    return mail


def write(kind: str, level: str, stop_url: str, facts: dict[str, Any]) -> Written:
    """Subject and text on a level. `stop_url`: where this kind is switched off; "" where nobody can."""
    words = {
        "site_name": settings.SITE_NAME,
        "level": level,
        "is_plain": level != patient_mails.DISCREET,
        "is_full": level == patient_mails.FULL,
        "about": ABOUT.get(kind, ""),
        "stop_url": stop_url,
        "home_url": settings.BASE_URL + reverse("today:home"),
        "appointment_url": settings.BASE_URL + reverse("today:blood_test"),
        **facts,
    }
    subject = " ".join(render_to_string(f"emails/{kind}.subject.txt", words).split())
    lines = render_to_string(f"emails/{kind}.txt", words).splitlines()
    text = "\n".join(" ".join(line.split()) for line in lines)
    return Written(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


def sender(level: str, facts: dict[str, Any]) -> str:
    """Whom a mail comes from: the clinic's name stands there only where the reader wants to be told everything, and
    never one that itself says what is treated: it stands in every list of mails."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    clinic = facts.get("clinic_name", "") if level == patient_mails.FULL else ""
    return formataddr((clinic if clinic and is_harmless(clinic) else name, address))


def _stop_headers(stop_url: str) -> dict[str, str]:
    if not stop_url:
        return {}
    return {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
