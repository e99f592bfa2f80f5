"""The access log: who did or saw what of whom, when, from where."""

from django.db import models


class AuditEvent(models.Model):
    """One read or write. Opaque references and no foreign key, so that erasing a person needs no update here."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    action = models.CharField(max_length=80)
    actor_ref = models.CharField(max_length=20, blank=True)
    actor_name = models.CharField(max_length=120, blank=True)
    patient_ref = models.CharField(max_length=20, blank=True)
    subject_ref = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient_ref", "-at", "-id"], name="audit_of_patient")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
