"""Cycles, planned doses, and the injections that were really given. Also the door to the package's other tables."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from cycles import reasons, schedule, sites
from cycles.decisions import AdviceDecision
from cycles.holds import Hold
from cycles.medications import Medication
from cycles.plans import Plan, PlanVersion, current_plan
from cycles.preparing import Preparation, Readiness, ReadinessAnswer
from cycles.protocols import Protocol
from cycles.reactions import SiteReaction
from il2tracker.records import PatientRecord, PatientRecordQuerySet

# All tables of this package are one to everybody else.
__all__ = [
    "AdviceDecision",
    "Cycle",
    "Hold",
    "Injection",
    "Medication",
    "Plan",
    "PlanVersion",
    "PlannedDose",
    "Preparation",
    "Protocol",
    "Readiness",
    "ReadinessAnswer",
    "SiteReaction",
    "current_plan",
]


class CycleQuerySet(PatientRecordQuerySet):
    """Cycles by where they stand."""

    def current(self, today: date) -> CycleQuerySet:
        """The cycle that started last, then older ones."""
        return self.exclude(state=Cycle.State.CANCELLED).filter(starts_on__lte=today).order_by("-starts_on")

    def coming(self, today: date) -> CycleQuerySet:
        """Not started yet, the next first."""
        return self.exclude(state=Cycle.State.CANCELLED).filter(starts_on__gt=today).order_by("starts_on")

    def going_on(self, today: date) -> CycleQuerySet:
        """Neither over nor decided to be over: running, on hold, or still to come."""
        undecided = self.filter(state__in=[Cycle.State.PLANNED, Cycle.State.HELD])
        return undecided.filter(Q(last_dose_on__gte=today) | Q(state=Cycle.State.HELD))

    def on_an_old_clock(self, today: date) -> CycleQuerySet:
        """To start after `today`, with doses in another zone than the patient's present one (H09)."""
        elsewhere = PlannedDose.objects.filter(cycle=OuterRef("pk")).exclude(zone=OuterRef("patient__time_zone"))
        return self.exclude(state=Cycle.State.CANCELLED).filter(Exists(elsewhere), starts_on__gt=today)


class Cycle(PatientRecord):
    """One course and the rest after it. Stores only what people decided; the rest follows from dates (A13).

    `entered_later`: it was over before the diary knew of it. Nobody is asked about its injections.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        HELD = "held", _("on hold")
        CANCELLED = "cancelled", _("cancelled")
        STOPPED_EARLY = "stopped_early", _("stopped early")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="cycles")
    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="cycles")
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    last_dose_on = models.DateField()
    state = models.CharField(max_length=13, choices=State.choices, default=State.PLANNED)
    stopped_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    entered_later = models.BooleanField(default=False)
    history = HistoricalRecords()

    objects = CycleQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-starts_on"], name="cycles_of_patient")]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="cycle_number_unique_per_plan"),
            models.CheckConstraint(condition=Q(last_dose_on__gte=F("starts_on")), name="last_dose_not_before_start"),
            models.CheckConstraint(
                condition=Q(state="stopped_early", stopped_on__isnull=False)
                | (~Q(state="stopped_early") & Q(stopped_on__isnull=True)),
                name="stopped_has_its_date",
            ),
        ]

    def __str__(self) -> str:
        return f"Course {self.number}"

    @property
    def length(self) -> int:
        """Days from the first to the last planned dose, both counted."""
        return (self.last_dose_on - self.starts_on).days + 1

    @property
    def goes_ahead(self) -> bool:
        """Neither held nor cancelled."""
        return self.state not in {self.State.HELD, self.State.CANCELLED}

    def may_move(self, today: date) -> bool:
        """Whether a person may still give it another day, hold or cancel it: it has not started, or is on hold.

        A course on hold may have begun before it; then its action refuses another day.
        """
        return self.state == self.State.HELD or (self.state == self.State.PLANNED and self.starts_on > today)

    def may_stop(self, today: date) -> bool:
        """Whether it has begun and is not over."""
        held = self.state == self.State.HELD and self.starts_on <= today
        return held or (self.state == self.State.PLANNED and self.is_running(today))

    @cached_property
    def decision(self) -> Any:
        """The newest version in its history that a person made: `history_user`, `history_date`. None as planned."""
        return self.history.filter(history_type="~").select_related("history_user").first()

    @cached_property
    def open_holds(self) -> list[Hold]:
        """Why it waits, every reason that stands, the oldest first; nothing is asked of a course that goes ahead.

        A course on hold without one needs a new first day: its own passed while it waited.
        """
        if self.state != self.State.HELD:
            return []
        return list(Hold.objects.open().filter(patient=self.patient_id).select_related("raised_by"))

    def wants(self, dose: PlannedDose) -> bool:
        """Whether one of its doses is still to be given: the course goes ahead and was not stopped before that day."""
        return self.goes_ahead and not dose.was_held and (self.stopped_on is None or dose.due_on <= self.stopped_on)

    @property
    def next_starts_on(self) -> date:
        """First day of the next cycle by the plan: whole days from start to start (P06, K03, H10)."""
        return schedule.next_start(self.version.regimen, self.number, self.starts_on)

    def has_started(self, today: date) -> bool:
        """Whether day 1 is today or past, and the course goes ahead."""
        return self.goes_ahead and self.starts_on <= today

    def day_on(self, today: date) -> int | None:
        """1 on the first day … `length` on the last dose day; None outside, or when it does not go ahead."""
        day = (today - self.starts_on).days + 1
        stopped = self.stopped_on is not None and today > self.stopped_on
        return day if self.goes_ahead and not stopped and 1 <= day <= self.length else None

    def is_running(self, today: date) -> bool:
        """Whether today is one of the course's days."""
        return self.day_on(today) is not None


class PlannedDoseQuerySet(PatientRecordQuerySet):
    """Planned doses and what became of them."""

    def with_records(self) -> PlannedDoseQuerySet:
        """Loads what `record` reads."""
        return self.select_related("patient").prefetch_related(
            models.Prefetch("injections", Injection.objects.standing().select_related("recorded_by"), "standing")
        )

    def for_recording(self) -> PlannedDoseQuerySet:
        """Loads what the pages around one dose read."""
        return self.select_related("patient", "cycle__version__signed_by", "cycle__plan__protocol")

    def to_record(self, now: datetime, today: date) -> PlannedDoseQuerySet:
        """What waits to be recorded: at most 20 of the last 60 days, the newest first, then those of later today."""
        waiting = self.asked_for().filter(due_on__lte=today, due_at__gt=now - timedelta(days=60))
        later = models.Case(models.When(due_at__gt=now, then=1), default=0)
        in_order = models.Case(models.When(due_at__gt=now, then="due_at"))
        return waiting.select_related("cycle", "patient").order_by(later, in_order, "-due_at")[:20]

    def unlogged(self) -> PlannedDoseQuerySet:
        """Nothing recorded for it."""
        return self.exclude(Exists(Injection.objects.standing().filter(planned_dose=OuterRef("pk"))))

    def asked_for(self) -> PlannedDoseQuerySet:
        """Counting and nothing recorded, of courses that the diary knew while they ran."""
        return self.counting().unlogged().exclude(cycle__entered_later=True)

    def counting(self) -> PlannedDoseQuerySet:
        """Of courses neither held nor cancelled; not after the day a course was stopped, nor while it waited."""
        return (
            self.exclude(was_held=True)
            .exclude(cycle__state__in=[Cycle.State.HELD, Cycle.State.CANCELLED])
            .exclude(cycle__stopped_on__isnull=False, due_on__gt=F("cycle__stopped_on"))
        )


SLOT_WORDS = {
    "night": _("night"),
    "am": _("morning"),
    "noon": _("midday"),
    "afternoon": _("afternoon"),
    "pm": _("evening"),
    "bedtime": _("bedtime"),
}


class PlannedDose(PatientRecord):
    """One slot of one day of a cycle: when the plan expects how much.

    `was_held`: it fell into a hold that was lifted later; nobody catches up on it (D18).
    """

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="doses")
    day = models.PositiveSmallIntegerField()
    slot = models.CharField(max_length=10)
    due_on = models.DateField()
    local_time = models.TimeField()
    zone = models.CharField(max_length=60)
    due_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=8, decimal_places=3)
    was_held = models.BooleanField(default=False)

    objects = PlannedDoseQuerySet.as_manager()

    class Meta:
        ordering = ["due_at"]
        indexes = [
            models.Index(fields=["patient", "-due_at"], name="doses_of_patient"),
            models.Index(fields=["due_at"], name="doses_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "day", "slot"], name="one_dose_per_slot"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="planned_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return f"day {self.day} {self.slot}"

    @property
    def slot_words(self) -> str:
        """The slot as people call it: night (the small hours), morning, midday, afternoon, evening, bedtime."""
        return str(SLOT_WORDS[self.slot])

    @property
    def record(self) -> Injection | None:
        """What was recorded for it and still stands."""
        if not hasattr(self, "standing"):
            self.standing = list(self.injections.filter(voided_at__isnull=True))
        return self.standing[0] if self.standing else None


class InjectionQuerySet(PatientRecordQuerySet):
    """Injections by what they count for."""

    def standing(self) -> InjectionQuerySet:
        """Not undone."""
        return self.filter(voided_at__isnull=True)

    def given(self) -> InjectionQuerySet:
        """Standing, taken in full or in part; never skipped ones (D1)."""
        return self.standing().exclude(state=Injection.State.SKIPPED)

    def newest(self) -> InjectionQuerySet:
        """The last 60 records: enough to know when each place was used and what was just given."""
        return self.standing().select_related("recorded_by").order_by("-recorded_at")[:60]

    def with_story(self) -> InjectionQuerySet:
        """Loads what an entry's page reads."""
        return self.select_related(
            *("patient", "recorded_by", "voided_by", "planned_dose__patient"),
            *("planned_dose__cycle__version", "planned_dose__cycle__plan__protocol"),
        )


class Injection(PatientRecord):
    """What really happened: given in full or in part, or skipped with a reason. Undo voids, nothing deletes (A5).

    `premedicated`: whether the medicines before it were taken (M9); None = nobody said.
    """

    class State(models.TextChoices):
        TAKEN = "taken", _("taken")
        PARTIAL = "partial", _("taken in part")
        SKIPPED = "skipped", _("not taken")

    class GivenBy(models.TextChoices):
        SELF = "self", _("the patient")
        CARER = "carer", _("someone at home")
        CLINIC = "clinic", _("a nurse or doctor")

    planned_dose = models.ForeignKey(
        PlannedDose, on_delete=models.CASCADE, null=True, blank=True, related_name="injections"
    )
    state = models.CharField(max_length=7, choices=State.choices)
    given_at = models.DateTimeField(null=True, blank=True)
    zone = models.CharField(max_length=60)
    amount = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    site = models.CharField(max_length=30, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    premedicated = models.BooleanField(null=True, blank=True)
    given_by = models.CharField(max_length=6, choices=GivenBy.choices, default=GivenBy.SELF)
    given_by_name = models.CharField(max_length=120, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    idempotency_key = models.UUIDField(unique=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    void_reason = models.CharField(max_length=200, blank=True)
    history = HistoricalRecords()

    objects = InjectionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-given_at"], name="injections_of_patient")]
        constraints = [
            models.UniqueConstraint(
                fields=["planned_dose"],
                condition=Q(voided_at__isnull=True),
                name="one_standing_record_per_dose",
                violation_error_message=_("This injection is recorded already."),
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="skipped", given_at__isnull=True, amount__isnull=True) & ~Q(reason="")
                    | Q(state__in=["taken", "partial"], given_at__isnull=False, amount__isnull=False, amount__gt=0)
                ),
                name="given_has_time_and_amount_skipped_has_reason",
                violation_error_message=_("An injection needs its time and amount; a skipped one needs its reason."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.given_at or ''}".strip()

    def clean(self) -> None:
        """The rule of the check constraint, said before the database refuses: asking it would cost three statements."""
        skipped = self.state == self.State.SKIPPED
        whole = self.given_at is not None and self.amount is not None and self.amount > 0
        if skipped != bool(self.given_at is None and self.amount is None) or (not skipped and not whole):
            raise ValidationError(_("An injection needs its time and amount; a skipped one has neither."))
        if skipped and not self.reason:
            raise ValidationError({"reason": _("Say why it was not taken.")})

    @property
    def local_given_at(self) -> datetime | None:
        """When it was given, on the clock of the place where it was recorded."""
        return self.given_at.astimezone(ZoneInfo(self.zone)) if self.given_at else None

    @property
    def site_words(self) -> str:
        """The place as in a sentence, or nothing."""
        return sites.BY_CODE[self.site].words if self.site in sites.BY_CODE else self.site

    @property
    def reason_words(self) -> str:
        """Why it was not taken or not as planned, in words."""
        return reasons.in_words(self.reason)

    @property
    def differs_from_plan(self) -> bool:
        """Whether the amount is not the planned one."""
        dose = self.planned_dose
        return dose is not None and self.amount is not None and self.amount != dose.amount
