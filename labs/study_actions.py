"""Patients that exist because a study's file names them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts.actions import create_patient
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from il2tracker.audit import log
from il2tracker.audit.models import AuditEvent

MADE = "labs.study.patient_made"


@transaction.atomic
def study_patients(
    *, by: User | None, clinic: Clinic, study: str, names: Collection[str], never_treated: bool = False
) -> dict[str, Patient]:
    """The clinic's patients “study · name” by name, made where there is none; a second import finds the first one's.

    Those that are there are found together. Each new one is made by the action that makes any patient, with its own
    code, history, sharing and audit: some 10 ms each, once. Raises ValidationError when somebody is called so whom no
    import made: two people are never made one.
    """
    there = _there(clinic, {f"{study} · {name}": name for name in names})
    earlier = Patient.EarlierIL2.NEVER if never_treated else Patient.EarlierIL2.UNKNOWN
    for name in names:
        if name not in there:
            called = f"{study} · {name}"
            made = create_patient(by=by, clinic=clinic, name=called, time_zone=clinic.time_zone, earlier_il2=earlier)
            log.record(action=MADE, by=by, patient=made)
            there[name] = made
    return there


def _there(clinic: Clinic, called: Mapping[str, str]) -> dict[str, Patient]:
    """The clinic's patients of these full names, by the name in the file."""
    open_here = Sharing.objects.open().filter(clinic=clinic).values("patient")
    found = list(Patient.objects.filter(name__in=list(called), pk__in=open_here).order_by("pk"))
    refs = [patient.ref for patient in found]
    by_imports = set(AuditEvent.objects.filter(action=MADE, patient_ref__in=refs).values_list("patient_ref", flat=True))
    for patient in found:
        if patient.ref not in by_imports:
            facts = {"name": patient.name, "code": patient.code, "who": called[patient.name]}
            raise ValidationError(
                _("“%(name)s” (%(code)s) was not made by an import. Say who is meant: --map %(who)s=CODE.") % facts
            )
    return {called[patient.name]: patient for patient in reversed(found)}
