"""Why nothing more is injected, who said so and who lifted it. Only a person lifts one (H22)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from il2tracker.records import PatientRecord, PatientRecordQuerySet


class HoldQuerySet(PatientRecordQuerySet):
    """Holds that still stand."""

    def open(self) -> HoldQuerySet:
        """Nobody has lifted it yet."""
        return self.filter(lifted_at__isnull=True)

    def wait_began(self) -> datetime | None:
        """Of the holds of one patient: since when nothing is injected without a break; None while nothing waits."""
        began: datetime | None = None
        for hold in sorted(self, key=lambda hold: (hold.is_open, hold.lifted_at or hold.raised_at), reverse=True):
            if hold.is_open or (began is not None and hold.lifted_at >= began):
                began = min(began or hold.raised_at, hold.raised_at)
        return began


class Hold(PatientRecord):
    """One reason to wait. It is about the patient: while one is open, no course of his or hers goes on.

    `cycle` is the course in or before which it was raised; what becomes of that course lifts nothing.
    """

    class Kind(models.TextChoices):
        INFECTION = "infection", _("an infection")
        PREGNANCY = "pregnancy", _("a pregnancy, or perhaps one")
        FATIGUE = "fatigue", _("extreme tiredness")
        VIRAL_LOAD = "viral_load", _("the viral load")
        SYMPTOM = "symptom", _("a symptom")
        TOLD_TO_STOP = "told_to_stop", _("told to stop")
        OTHER = "other", _("another reason")

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.CASCADE, related_name="holds")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    reason = models.CharField(max_length=200, blank=True)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    raised_at = models.DateTimeField()
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_note = models.CharField(max_length=200, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["raised_at"]
        indexes = [models.Index(fields=["patient", "-raised_at"], name="holds_of_patient")]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "kind"],
                condition=Q(lifted_at__isnull=True),
                name="one_open_hold_per_kind",
                violation_error_message=_("This course is on hold for this reason already."),
            )
        ]

    def __str__(self) -> str:
        return f"hold for {self.kind}"

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.lifted_at is None

    @property
    def words(self) -> str:
        """The reason as it was given, else its kind."""
        return self.reason or str(self.Kind(self.kind).label)
