"""The shared model layer: every row about a patient, and who may see it."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from il2tracker.accounts.models import Patient
from il2tracker.refs import new_ref


class PatientRecordQuerySet(models.QuerySet[Any]):
    """Rows about patients. Every read in a view starts from `visible_to`."""

    def visible_to(self, user: Any) -> Self:
        """Rows of the patients whom the user may see now."""
        return self.filter(patient__in=Patient.objects.visible_to(user))

    def of(self, patient: Patient) -> Self:
        """Rows of one patient."""
        return self.filter(patient=patient)


class PatientRecord(models.Model):
    """One row about one patient, named in URLs by its random `ref`. Its `objects` is a PatientRecordQuerySet."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    ref = models.CharField(max_length=10, unique=True, default=new_ref, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
