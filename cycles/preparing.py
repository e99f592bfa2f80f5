"""What is asked, answered and got ready before a course (2.11, D10)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from il2tracker.records import PatientRecord, PatientRecordQuerySet


class PreparingQuerySet(PatientRecordQuerySet):
    """Rows about what comes before one course."""

    def before(self, cycle: Any) -> PreparingQuerySet:
        """Those of a course that name it themselves."""
        return self.filter(cycle=cycle)


class Readiness(PatientRecord):
    """The questions before one course: sent by the patient, confirmed by the clinic. Never a clearance."""

    cycle = models.OneToOneField("cycles.Cycle", on_delete=models.CASCADE, related_name="readiness")
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_for = models.DateField(null=True, blank=True)
    confirm_note = models.CharField(max_length=200, blank=True)

    objects = PreparingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True, confirmed_for__isnull=True)
                | models.Q(confirmed_at__isnull=False, confirmed_for__isnull=False),
                name="a_start_is_confirmed_for_a_day",
            )
        ]

    def __str__(self) -> str:
        return f"readiness {self.ref}"


class ReadinessAnswer(PatientRecord):
    """The newest answer to one question; earlier ones stay in the history."""

    class Answer(models.TextChoices):
        NO = "no", _("No")
        YES = "yes", _("Yes")
        UNSURE = "unsure", _("Not sure")

    readiness = models.ForeignKey(Readiness, on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(max_length=20)
    answer = models.CharField(max_length=6, choices=Answer.choices)
    note = models.CharField(max_length=200, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField()
    history = HistoricalRecords()

    objects = PreparingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["readiness", "question"], name="one_answer_per_question")]

    def __str__(self) -> str:
        return f"{self.question}: {self.answer}"


class Preparation(PatientRecord):
    """One thing that was got ready for one course. No row = still to do."""

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.CASCADE, related_name="preparations")
    item = models.CharField(max_length=20)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)

    objects = PreparingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cycle", "item"], name="one_row_per_item")]

    def __str__(self) -> str:
        return self.item
