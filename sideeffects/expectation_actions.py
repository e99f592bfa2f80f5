"""What a clinician expects of one patient: said, changed, ended. It quietens AMBER about it and nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from sideeffects import triage
from sideeffects.asking import version_in_force
from sideeffects.models import Expectation, Symptom

# App's own, after published practice: what is expected is looked at again within a month.
LONGEST = timedelta(days=31)


def may_be_expected(patient: Patient, today: date) -> list[Symptom]:
    """The symptoms about which an expectation changes anything on the patient's plan, in the order of the check-in."""
    version = version_in_force(patient, today)
    codes = triage.expectable(version.indication if version else "")
    return [symptom for symptom in Symptom.objects.all() if symptom.code in codes]


@transaction.atomic
def expect(
    *, by: User, patient: Patient, symptom: Symptom, worst: int, until: date, now: datetime, note: str = ""
) -> Expectation:
    """Until that day, included, the symptom raises no "call today" unless it is worse; a standing one is replaced.

    `worst`: 1 or 2. Raises PermissionDenied for everybody but members of the patient's clinic, and ValidationError
    for a day in the past or beyond a month, and for symptoms that no AMBER rule speaks of. Safe to repeat.
    """
    _require(by, patient)
    patient = patient.lock()
    _refuse(patient, symptom, until, patient.today(now))
    facts = {"worst": worst, "until": until, "note": note}
    known = Expectation.objects.of(patient).filter(symptom=symptom, ended_at__isnull=True).first()
    if known is not None and all(getattr(known, name) == value for name, value in facts.items()):
        return known
    if known is not None:
        _end(by, known, now)
    row = Expectation(patient=patient, symptom=symptom, set_by=by, set_at=now, **facts)
    row._history_user = by  # type: ignore[attr-defined]
    row.full_clean()
    row.save()
    log.record(action="sideeffects.expectation.set", by=by, patient=patient, subject=row)
    return row


@transaction.atomic
def end_expectation(*, by: User, expectation: Expectation, now: datetime) -> Expectation:
    """From now on the symptom is told again. Raises PermissionDenied. Safe to repeat: the first end stands."""
    _require(by, expectation.patient)
    expectation.patient.lock()
    expectation.refresh_from_db()
    if expectation.ended_at is None:
        _end(by, expectation, now)
    return expectation


def _require(by: User, patient: Patient) -> None:
    if not access.is_member_for(by, patient):
        raise PermissionDenied


def _refuse(patient: Patient, symptom: Symptom, until: date, today: date) -> None:
    if symptom not in may_be_expected(patient, today):
        raise ValidationError({"symptom": _("This symptom cannot be expected: it would change nothing.")})
    if not today <= until <= today + LONGEST:
        raise ValidationError({"until": _("Choose a day from today to a month from now.")})


def _end(by: User, row: Expectation, now: datetime) -> None:
    row.ended_by, row.ended_at = by, now
    row._history_user = by  # type: ignore[attr-defined]
    row.save(update_fields=["ended_by", "ended_at"])
    log.record(action="sideeffects.expectation.ended", by=by, patient=row.patient, subject=row)
