"""One recording page: what is known when it opens, what it shows, and what it still has to ask before saving."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from cycles import bounds, doubts, places, schedule
from cycles.forms import InjectionForm
from cycles.models import Injection, PlannedDose, PlanVersion, Protocol, SiteReaction, current_plan
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.models import Alert

# App's own: an open injection of so long ago may be the one that is meant when the next one is recorded too early.
RATHER_WITHIN = timedelta(hours=12)


@dataclass(frozen=True)
class Page:
    """`dose` None = an injection outside the plan; `correcting` = the entry that is being changed."""

    viewer: User
    patient: Patient
    now: datetime
    dose: PlannedDose | None
    version: PlanVersion | None
    protocol: Protocol | None
    recent: list[Injection]
    correcting: Injection | None = None

    @property
    def known(self) -> Injection | None:
        """The record of this dose that stands already."""
        if self.dose is None:
            return None
        return next((record for record in self.recent if record.planned_dose_id == self.dose.pk), None)

    @property
    def suggested(self) -> str | None:
        """The place to suggest; those at the back only when somebody else injects."""
        helped = self.viewer.pk != self.patient.user_id
        helped = helped or any(record.given_by != Injection.GivenBy.SELF for record in self.recent if record.given_at)
        return places.suggestion(self.recent, helped=helped, resting={one.site for one in self.resting})

    @cached_property
    def resting(self) -> list[SiteReaction]:
        """Sore places and lumps that have not cleared (P40)."""
        return list(SiteReaction.objects.open().of(self.patient))

    def form(self, data: Any, key: UUID) -> InjectionForm:
        """The form, filled with what is most likely, or with the entry that is changed."""
        known = {} if data else self._entered(self.correcting) if self.correcting else self._expected()
        return InjectionForm(
            data,
            initial={"key": key, **known},
            patient=self.patient,
            now=self.now,
            viewer=self.viewer,
            dose=self.dose,
        )

    def _expected(self) -> dict[str, Any]:
        today = self.patient.today(self.now)
        given_on = min(self.dose.due_on, today) if self.dose else today
        by = Injection.GivenBy.SELF if self.viewer.pk == self.patient.user_id else Injection.GivenBy.CARER
        when = InjectionForm.EARLIER if self.is_too_late else InjectionForm.NOW
        return {"when": when, "given_on": given_on, "site": self.suggested, "given_by": by}

    def _entered(self, entry: Injection) -> dict[str, Any]:
        local = entry.local_given_at
        kept = {name: getattr(entry, name) for name in ("site", "given_by", "given_by_name", "note")}
        kept["premedicated"] = {True: "yes", False: "no", None: ""}[entry.premedicated]
        given = {"given_on": local.date(), "given_time": ui.clock(local, self.viewer)} if local else {}
        return {"when": InjectionForm.EARLIER, "amount": entry.amount, **given, **kept}

    def doubt(self, form: InjectionForm, answers: Collection[str]) -> doubts.Doubt | None:
        """The first question that a valid form still leaves open."""
        return doubts.first_doubt(self.entry(form), answers)

    def entry(self, form: InjectionForm) -> doubts.Entry:
        """What the form would save, as the questions see it."""
        return self._entry_of(form.cleaned_data["amount"], form.cleaned_data["given_at"])

    def _entry_of(self, amount: Decimal, given_at: datetime) -> doubts.Entry:
        return doubts.Entry(
            amount=amount,
            planned=self.dose.amount if self.dose else None,
            ceiling=self.ceiling,
            is_close=self.closest(given_at) is not None,
            is_early=self.dose is not None and self._timing(given_at) is schedule.Timing.EARLY,
        )

    @property
    def goes_without_saying(self) -> bool:
        """Whether recording the dose now, as planned, meets no question and no word of caution on its page (ux 3.3).

        Only then may one tap do it. Late is a caution too: whoever is late has its right time to enter (R14).
        """
        if self.dose is None or self.version is None or self.known is not None or self.rests:
            return False
        if self.version.is_unread or self._timing(self.now) is not schedule.Timing.ON_TIME:
            return False
        return doubts.first_doubt(self._entry_of(self.dose.amount, self.now), ()) is None

    @property
    def rests(self) -> bool:
        """Whether nobody is to inject before a call: the course waits, or an open alert holds it (R1)."""
        assert self.dose is not None
        return not self.dose.cycle.wants(self.dose) or Alert.objects.of(self.patient).holding().exists()

    def closest(self, given_at: datetime) -> Injection | None:
        """Another recorded injection nearer than the plan's minimum gap (H08)."""
        gap = self.version.min_gap if self.version else None
        others = [(record, record.given_at) for record in self.recent if record.given_at and record != self.correcting]
        near = [(abs(at - given_at), record) for record, at in others if schedule.gap_too_short(at, given_at, gap)]
        return min(near, key=lambda pair: pair[0], default=(None, None))[1]

    @property
    def ceiling(self) -> Decimal:
        """The most that this treatment uses for one injection (W6)."""
        if self.version is None or self.protocol is None:
            return doubts.MOST_PER_INJECTION
        by = {"route": self.version.route, "indication": self.version.indication}
        return bounds.injection_ceiling(self.protocol.injection_ceiling, **by)

    def _timing(self, at: datetime, following: datetime | None = None) -> schedule.Timing:
        assert self.dose is not None
        assert self.version is not None
        return schedule.timing(self.dose.due_at, at, following, self.version.late_after)

    def context(self, form: InjectionForm) -> dict[str, Any]:
        """What the template shows besides the form."""
        return {
            "patient": self.patient,
            "dose": self.dose,
            "version": self.version,
            "now": self.now,
            "today": self.patient.today(self.now),
            "places": self._places(form),
            "card": access.contact_card(self.patient, self.now),
            **self._warnings(),
        }

    def _places(self, form: InjectionForm) -> places.Places:
        return places.lay_out(
            self.recent,
            today=self.patient.today(self.now),
            course_from=self.dose.cycle.starts_on if self.dose else None,
            suggested=self.suggested if self.correcting is None else None,
            chosen=form["site"].value() or "",
            resting=self.resting,
        )

    @cached_property
    def is_too_late(self) -> bool:
        """Whether it is too late to decide alone about this dose (B8); then "now" is no longer the likely answer."""
        if self.dose is None or self.correcting is not None:
            return False
        return self._timing(self.now, self.following_at) is schedule.Timing.TOO_LATE

    @cached_property
    def following_at(self) -> datetime | None:
        """When the next injection of the course is due."""
        assert self.dose is not None
        return self.dose.cycle.doses.filter(due_at__gt=self.dose.due_at).values_list("due_at", flat=True).first()

    @property
    def late_until(self) -> datetime | None:
        """While it is late and not too late: the moment until which it is (B8)."""
        if self.dose is None or self.version is None or self.is_too_late:
            return None
        if self._timing(self.now, self.following_at) is not schedule.Timing.LATE:
            return None
        return schedule.late_until(self.dose.due_at, self.following_at, self.version.late_after)

    @property
    def rather(self) -> PlannedDose | None:
        """An injection before this one that may be meant instead: open, of the last day, across midnight (H07)."""
        if self.dose is None:
            return None
        waiting = PlannedDose.objects.of(self.patient).asked_for().select_related("cycle", "patient")
        since = self.now - RATHER_WITHIN
        return waiting.filter(due_at__lt=self.dose.due_at, due_at__gt=since).order_by("-due_at").first()

    def _warnings(self) -> dict[str, Any]:
        """When is on time, whether it is too late, whether all rests until a call (R1); who sees the rest."""
        if self.dose is None:
            return {"clinic": access.open_clinic(self.patient)}
        return {
            "on_time": (self.dose.due_at - schedule.ON_TIME, self.dose.due_at + schedule.ON_TIME),
            "too_late": self.is_too_late,
            "late_until": self.late_until if self.correcting is None else None,
            "rests": self.correcting is None and self.rests,
        }


def open_page(
    viewer: User,
    patient: Patient,
    now: datetime,
    *,
    dose: PlannedDose | None = None,
    correcting: Injection | None = None,
) -> Page:
    """The page for a planned dose (loaded for_recording), or for an injection outside the plan."""
    version: PlanVersion | None = None
    protocol: Protocol | None = None
    if dose is not None:
        version, protocol = dose.cycle.version, dose.cycle.plan.protocol
    elif plan := current_plan(patient):
        version, protocol = plan.current_version, plan.protocol
    recent = list(Injection.objects.of(patient).newest())
    return Page(viewer, patient, now, dose, version, protocol, recent, correcting)
