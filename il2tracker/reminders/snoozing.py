"""Putting a reminder off: it changes when we remind, never the plan, and never leads past what counts as on time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.models import PlannedDose
from cycles.schedule import ON_TIME
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.models import User
from il2tracker.audit import log
from il2tracker.reminders import facts, kinds, of_doses
from il2tracker.reminders.kinds import LATERS
from il2tracker.reminders.models import Snooze
from il2tracker.reminders.of_doses import DoseFact
from il2tracker.reminders.wishes import Choices, Reason

__all__ = ["LATERS", "Offer", "newest", "offer", "snooze"]

SOONEST = timedelta(minutes=5)  # app's own: sooner nobody needs a mail for
ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Offer:
    """When a slot's reminder may come again: from `first` on and before `until`.

    `blocked`: why no reminder of it leaves at all. `usual`: when the normal one is due.
    """

    dose: DoseFact
    choices: Choices
    blocked: Reason | None
    usual: datetime
    first: datetime
    until: datetime

    @property
    def is_open(self) -> bool:
        """Whether there is a moment left to choose."""
        return self.blocked is None and self.first < self.until

    def allows(self, again_at: datetime) -> bool:
        """Whether it may come then."""
        times = kinds.again_times(self.dose.due_at, self.dose.next_due_at, again_at)
        return self.is_open and self.first <= again_at < self.until and times is not None

    def laters(self, now: datetime) -> list[int]:
        """The minutes by which it can still be put off from now."""
        return [minutes for minutes in LATERS if self.allows(now + timedelta(minutes=minutes))]

    def mailed_laters(self, now: datetime) -> list[int]:
        """Those of them at which a mail really comes."""
        return [minutes for minutes in self.laters(now) if self.not_mailed(now + timedelta(minutes=minutes)) is None]

    def not_mailed(self, again_at: datetime) -> Reason | None:
        """Why it would only stand in the person's list then; None when the mail comes too."""
        asked = replace(self.dose, again_at=again_at, again_ref="asked")
        wishes = of_doses.of_doses([asked], self.choices, {})
        return next((wish.unwanted for wish in wishes if wish.kind == kinds.INJECTION_AGAIN), None)


def offer(dose: PlannedDose, now: datetime) -> Offer | None:
    """What may be chosen now; None for a dose that was over before the diary knew of it."""
    fact = facts.dose(dose.cycle_id, dose.day, dose.slot)
    if fact is None:
        return None
    choices, alerts = facts.choices(fact.owner.user_id), facts.open_alerts(fact.owner.patient_id)
    usual = kinds.due_times(fact.due_at, fact.next_due_at, choices.lead(fact.owner.user_id))[0]
    blocked = fact.blocked(alerts.get(fact.owner.patient_id))
    return Offer(
        fact, choices, blocked, usual, _next_minute(max(now, usual) + SOONEST), _until(fact.due_at, fact.next_due_at)
    )


def is_in_time(due_at: datetime, next_due_at: datetime | None, now: datetime) -> bool:
    """Whether the reminder of an injection that is due now can still be put off, as far as hours tell."""
    return _next_minute(now + SOONEST) < _until(due_at, next_due_at)


def _next_minute(at: datetime) -> datetime:
    """The first whole minute from then on: what people can choose."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + ONE_MINUTE


def _until(due_at: datetime, next_due_at: datetime | None) -> datetime:
    """No reminder of ours leads past "on time" (B8), nor into the two hours before the next injection (B1)."""
    until = due_at + ON_TIME
    if next_due_at is None:
        return until
    return min(until, max(next_due_at - kinds.BEFORE_NEXT_SLOT, due_at))


@transaction.atomic
def snooze(*, by: User, dose: PlannedDose, again_at: datetime, now: datetime) -> Snooze:
    """Remind the patient of this dose at `again_at` instead. The newest wish of a slot counts.

    Raises PermissionDenied for whoever may not record it, and ValidationError where nothing is left to remind of, or
    for a moment outside of what is offered.
    """
    access.require_recording(by, dose.patient)
    patient = dose.patient.lock()
    offered = offer(dose, now)
    if offered is None or offered.blocked:
        raise ValidationError(_("No reminder of this one is sent at the moment."))
    if not offered.allows(again_at):
        raise ValidationError(_outside(offered, dose, by))
    row = Snooze(patient=patient, cycle_id=dose.cycle_id, day=dose.day, slot=dose.slot, again_at=again_at, asked_at=now)
    row.full_clean(exclude={"ref"}, validate_unique=False)
    row.save()
    log.record(action="reminders.snoozed", by=by, patient=patient, subject=row)
    return row


def _outside(offered: Offer, dose: PlannedDose, by: User) -> str:
    if not offered.is_open:
        return _("It is too late to put this reminder off.")
    times = {"first": offered.first, "until": offered.until}
    words = {name: ui.clock(at.astimezone(dose.patient.zone), by) for name, at in times.items()}
    return _("Choose a time from %(first)s on and before %(until)s.") % words


def newest(name: str) -> Snooze | None:
    """The wish that counts for the slot of this civil name ("c12/d3/pm"), if there is one."""
    cycle, day, slot = of_doses.slot_of(name)
    return Snooze.objects.filter(cycle=cycle, day=day, slot=slot).order_by("-pk").first()
