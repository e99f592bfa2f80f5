"""What a person takes beside IL-2: names only, never an amount (P32, P33, H21)."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from il2tracker.records import PatientRecord, PatientRecordQuerySet


class MedicationQuerySet(PatientRecordQuerySet):
    """Medicines by day."""

    def standing(self) -> MedicationQuerySet:
        """Without what was entered in error."""
        return self.filter(voided_at__isnull=True)

    def taken_on(self, day: date) -> MedicationQuerySet:
        """Those of the list on this civil day: not stopped by then, nor to be begun later."""
        begun = Q(started_on__isnull=True) | Q(started_on__lte=day)
        return self.standing().filter(begun).filter(Q(stopped_on__isnull=True) | Q(stopped_on__gt=day))


class Medication(PatientRecord):
    """One medicine by name, from the day it was begun (if anybody said) until the day it was stopped."""

    class Kind(models.TextChoices):
        PRESCRIBED = "prescribed", _("prescribed")
        BOUGHT = "bought", _("bought without a prescription")
        HERBAL = "herbal", _("herbal or a supplement")

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    note = models.CharField(max_length=200, blank=True)
    started_on = models.DateField(null=True, blank=True)
    stopped_on = models.DateField(null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    history = HistoricalRecords()

    objects = MedicationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["patient", "name"], name="medications_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(stopped_on__isnull=True) | Q(started_on__isnull=True) | Q(stopped_on__gte=F("started_on")),
                name="stopped_not_before_begun",
                violation_error_message=_("It cannot be stopped before it was begun."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
