"""What a clinician decides about a suggestion. The plan itself changes only in its own editor."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.models import AdviceDecision, Plan
from il2tracker.accounts import access
from il2tracker.accounts.models import User
from il2tracker.audit import log


@transaction.atomic
def decide(
    *,
    by: User,
    plan: Plan,
    rule: str,
    digest: str,
    inputs: list[Any],
    suggestion: dict[str, Any],
    decision: str,
    reason: str = "",
    later_until: date | None = None,
    now: datetime,
) -> AdviceDecision:
    """Keep what was decided about the suggestion with this `digest`; the plan stays as it is (2.6).

    Another digest, from any new result or change of a dose, is another suggestion: this decision no longer counts.
    Raises PermissionDenied unless a member of the patient's clinic decides, and ValidationError for a decline without
    a reason or when somebody has accepted or declined the same suggestion meanwhile.
    """
    if not access.is_member_for(by, plan.patient):
        raise PermissionDenied
    patient = plan.patient.lock()
    same = AdviceDecision.objects.of(patient).about(rule, digest)
    if same.exclude(decision=AdviceDecision.Decision.LATER).exists():
        raise ValidationError(_("This suggestion has been decided meanwhile."))
    row = AdviceDecision(patient=patient, plan=plan, rule=rule, digest=digest, inputs=inputs, suggestion=suggestion)
    row.decision, row.reason, row.later_until = decision, reason, later_until
    row.decided_by, row.decided_at = by, now
    row.full_clean(exclude={"patient", "plan"})
    row.save()
    log.record(action=f"cycles.advice.{decision}", by=by, patient=patient, subject=row, detail=rule)
    return row
