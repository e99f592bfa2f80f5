"""What a clinician decided about a suggestion. The suggestion itself is computed, never stored (decisions.md 4)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from il2tracker.records import PatientRecord, PatientRecordQuerySet


class AdviceDecisionQuerySet(PatientRecordQuerySet):
    """Decisions by the suggestion that they are about."""

    def about(self, rule: str, digest: str) -> AdviceDecisionQuerySet:
        """Made about this suggestion with these inputs; with other inputs it is another suggestion."""
        return self.filter(rule=rule, digest=digest)


class AdviceDecision(PatientRecord):
    """One decision about one suggestion. It counts while `digest` is that of the suggestion's present inputs."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        LATER = "later", _("later")

    plan = models.ForeignKey("cycles.Plan", on_delete=models.CASCADE, related_name="decisions")
    rule = models.CharField(max_length=12)
    digest = models.CharField(max_length=64)
    inputs = models.JSONField()
    suggestion = models.JSONField()
    decision = models.CharField(max_length=8, choices=Decision.choices)
    reason = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField()
    later_until = models.DateField(null=True, blank=True)

    objects = AdviceDecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at"]
        indexes = [models.Index(fields=["patient", "-decided_at"], name="advice_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(decision="declined") | ~models.Q(reason=""),
                name="declined_with_a_reason",
                violation_error_message=_("Say why it is declined."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.decision}"
