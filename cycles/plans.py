"""A patient's prescription: the plan, what its versions say, and who signed them."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cycles import bounds, schedule
from cycles.protocols import Protocol, Thresholds
from il2tracker.accounts.models import Patient
from il2tracker.records import PatientRecord, PatientRecordQuerySet


class PlanQuerySet(PatientRecordQuerySet):
    """Plans that still run."""

    def active(self) -> PlanQuerySet:
        """Not ended."""
        return self.filter(ended_on__isnull=True)

    def with_versions(self) -> PlanQuerySet:
        """Loads what `current_version` reads."""
        return self.select_related("protocol").prefetch_related("versions__signed_by")


class Plan(PatientRecord):
    """A patient's prescription. What it says stands in its versions."""

    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="plans")
    ended_on = models.DateField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(ended_on__isnull=True),
                name="one_active_plan",
                violation_error_message=_("There is an active plan already. End it before making another."),
            )
        ]

    def __str__(self) -> str:
        return f"Plan {self.ref}"

    @property
    def current_version(self) -> PlanVersion:
        """The newest version; every plan has one."""
        return max(self.versions.all(), key=lambda version: version.number)

    def version_for(self, number: int) -> PlanVersion:
        """What the plan says about course `number`: the newest version that applies from it or from one before."""
        versions = sorted(self.versions.all(), key=lambda version: version.number, reverse=True)
        return next((version for version in versions if version.first_course <= number), versions[-1])

    @property
    def last_course(self) -> Any:
        """The course with the highest number: ending the plan decided about it too."""
        return self.cycles.order_by("-number").first()


class PlanVersion(Thresholds):
    """What the plan says from course `first_course` on, and who signed it. Never edited.

    `concentration` is in MIU per mL, `body_surface` in m² with the day it was measured, `premedication` holds names as
    the clinician entered them, one a line. `read_at` is when the patient confirmed having read it.
    """

    class SignedAs(models.TextChoices):
        CLINIC = "clinic", _("confirmed by a clinician")
        PATIENT = "patient", _("entered by you, not confirmed by a clinician")

    class GoalKind(models.TextChoices):
        ABOVE = "above", _("above a count")
        RISE = "rise", _("above the baseline by")
        PERCENT = "percent", _("above this percentage of the baseline")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    first_course = models.PositiveSmallIntegerField(default=1)
    slot_times = models.JSONField()
    cd4_goal = models.PositiveSmallIntegerField(null=True, blank=True)
    goal_kind = models.CharField(max_length=7, choices=GoalKind.choices, default=GoalKind.ABOVE)
    body_surface = models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True)
    body_surface_on = models.DateField(null=True, blank=True)
    amount_basis = models.CharField(max_length=80, blank=True)
    concentration = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    premedication = models.TextField(blank=True)
    syringe_mark = models.CharField(max_length=80, blank=True)
    min_gap_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    late_after_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    starts_on = models.DateField()
    change_reason = models.CharField(max_length=200, blank=True)
    beyond_reason = models.CharField(max_length=200, blank=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    signed_as = models.CharField(max_length=7, choices=SignedAs.choices)
    signed_title = models.CharField(max_length=180)
    signed_at = models.DateTimeField()
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="version_number_unique_per_plan"),
            models.CheckConstraint(
                condition=Q(body_surface__isnull=True, body_surface_on__isnull=True)
                | Q(body_surface__gt=0, body_surface_on__isnull=False),
                name="body_surface_has_its_date",
                violation_error_message=_("A body surface needs the date on which it was measured."),
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    @property
    def times(self) -> dict[str, time]:
        """Local time of each slot."""
        return {slot: time.fromisoformat(text) for slot, text in self.slot_times.items()}

    @property
    def min_gap(self) -> timedelta | None:
        """The shortest time between two injections: the plan's own, else 8 hours for two a day (B8)."""
        if self.min_gap_hours is not None:
            return timedelta(hours=self.min_gap_hours)
        return schedule.default_min_gap(self.regimen.doses_a_day)

    @property
    def late_after(self) -> timedelta | None:
        """From how long after its hour an injection is a matter for the clinic; None = midway to the next (B8)."""
        return None if self.late_after_minutes is None else timedelta(minutes=self.late_after_minutes)

    @property
    def injection_ceiling(self) -> Decimal:
        """The most that one injection may hold, by the route of this version (W6); MIU."""
        most = self.plan.protocol.injection_ceiling
        return bounds.injection_ceiling(most, route=self.route, indication=self.indication)

    @property
    def daily_ceiling(self) -> Decimal | None:
        """The largest day that was studied, by the route of this version (W6, P62); MIU."""
        return bounds.daily_ceiling(self.plan.protocol.daily_ceiling, route=self.route, indication=self.indication)

    @property
    def is_confirmed(self) -> bool:
        """Whether a clinician signed it."""
        return self.signed_as == self.SignedAs.CLINIC

    @property
    def is_unread(self) -> bool:
        """Whether it changed the plan and the patient has not confirmed having read it (2.12)."""
        return self.number > 1 and self.read_at is None


def current_plan(patient: Patient) -> Plan | None:
    """The patient's active plan with its versions, or None."""
    return Plan.objects.active().of(patient).with_versions().first()
