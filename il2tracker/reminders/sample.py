"""A mail as its reader would get it, for the page on which he or she chooses how much mails say.

It is the person's own next mail of a kind where there is one, else an example with tomorrow's dates, and says which.
Nothing is written, and no address in it opens anything: the real ones are made when a mail leaves.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from cycles import confirming, preparation, schedule
from cycles.models import Cycle
from il2tracker import ui
from il2tracker.accounts.models import Patient, User
from il2tracker.reminders import facts, facts_of_courses, kinds, mails, of_courses, of_doses, patient_mails, typeset
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.wishes import Choices, Wish
from labs import course_tests

# Some mails that can be looked at, by a name that may stand in an address.
KINDS = {
    "hour": kinds.INJECTION_DUE,
    "not-added": kinds.INJECTION_MISSING,
    "booking": kinds.BLOODWORK_BOOK,
    "not-arrived": kinds.RESULTS_MISSING,
    "week-before": kinds.CYCLE_WEEK,
}
LEVELS = (patient_mails.DISCREET, patient_mails.PLAIN, patient_mails.FULL)
LOOKS_AHEAD = timedelta(days=60)
TOKEN = "an-example-for-reading"  # as long as a real one
EVENING, AMOUNT, DONE = time(22), Decimal("7.5"), 4


@dataclass(frozen=True)
class Sample:
    """`sender` and `subject` as a list of mails shows them, `page` as it opens. `is_own`: not an example."""

    sender: str
    subject: str
    page: str
    is_own: bool


def sample(patient: Patient, user: User, name: str, level: str, now: datetime) -> Sample:
    """The mail of this name (one of KINDS) to a patient on a level. `user`: whose diary it is."""
    kind = KINDS[name]
    reader = copy.copy(patient)
    reader.privacy = level
    wish = next(_own(patient, kind, now), None)
    row = _row(wish or _example(patient, user, kind, now), reader, user)
    said = {**(_facts(row) if wish else _example_facts(row)), **_links(kind)}
    written = mails.write(kind, level, settings.BASE_URL + reverse("reminders:unsubscribe", args=[TOKEN]), said)
    page = typeset.page(*written, is_only_shown=True)
    return Sample(mails.sender(level, said), written.subject, page, wish is not None)


def _own(patient: Patient, kind: str, now: datetime) -> Iterator[Wish]:
    """What the diary says today is to be told next, whatever is switched off."""
    wishes = _of_doses(patient, now) if kind in kinds.DOSE_KINDS else _of_course(patient, now)
    return (wish for wish in wishes if wish.kind == kind and not wish.unwanted and wish.expires_at > now)


def _of_doses(patient: Patient, now: datetime) -> Iterator[Wish]:
    doses = facts.doses_of(patient.pk, now - kinds.DOSE_LOOK_BACK, now + LOOKS_AHEAD)
    return of_doses.of_doses(doses, Choices(), facts.open_alerts(patient.pk))


def _of_course(patient: Patient, now: datetime) -> Iterator[Wish]:
    course = confirming.next_course(Cycle.objects.of(patient), patient.today(now))
    known = facts_of_courses.cycle(course.pk, now) if course else None
    return of_courses.of_cycles([known] if known else [], Choices())


def _row(wish: Wish, patient: Patient, user: User) -> Reminder:
    """As the planner would put it into the outbox, but kept nowhere."""
    says = ("zone", "slot_local", "says_at", "says_amount", "says_on", "says_from", "says_to", "due_at", "expires_at")
    named = {"kind": wish.kind, "occurrence": wish.occurrence, "recipient": user, "patient": patient}
    return Reminder(**named, **{name: getattr(wish, name) for name in says})


def _facts(row: Reminder) -> dict[str, Any]:
    return patient_mails.FACTS[row.kind](row, row.due_at)


def _links(kind: str) -> dict[str, str]:
    if kind != kinds.INJECTION_DUE:
        return {}
    address = settings.BASE_URL + reverse("reminders:one_tap", args=[TOKEN])
    return {"done_url": address, "later_url": address}


# An example


def _example(patient: Patient, user: User, kind: str, now: datetime) -> Wish:
    tomorrow = patient.today(now) + timedelta(days=1)
    slot_at = schedule.moment(tomorrow, EVENING, patient.zone)
    starts_on = tomorrow + timedelta(days=_days_before(kind))
    first, last = schedule.bloodwork_due(starts_on), starts_on - schedule.BOOKING_CLOSES
    return Wish(
        kind=kind,
        occurrence="",
        recipient_id=user.pk,
        patient_id=patient.pk,
        due_at=slot_at,
        expires_at=slot_at,
        zone=patient.time_zone,
        slot_local=datetime.combine(tomorrow, EVENING).isoformat(timespec="minutes"),
        says_at=slot_at,
        says_amount=AMOUNT,
        says_on=starts_on,
        says_from=first,
        says_to=last,
    )


def _days_before(kind: str) -> int:
    return next((each.days_before for each in kinds.DAY_KINDS if each.name == kind), 0)


def _example_facts(row: Reminder) -> dict[str, Any]:
    address = settings.BASE_URL + reverse("cycles:log", args=["example"])
    todo = [_(item.words) for item in preparation.items(course=2, inpatient=False, indication="", premedication="")]
    return {
        **_hour_or_days(row),
        **patient_mails.numbers(row),
        "amount": ui.miu(row.says_amount),
        "record_url": address,
        "problem_url": settings.BASE_URL + reverse("cycles:skip", args=["example"]),
        "tests": patient_mails.names_of(course_tests.DRAWS),
        **patient_mails.things(todo[DONE:], todo[:DONE]),
    }


def _hour_or_days(row: Reminder) -> dict[str, Any]:
    if row.kind in kinds.DOSE_KINDS:
        return patient_mails.hour(row, row.due_at)
    return {**patient_mails.start(row, row.due_at), **patient_mails.days(row, row.due_at)}
