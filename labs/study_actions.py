"""Patients that exist because a study's file names them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from il2tracker.accounts.actions import create_patient
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from il2tracker.audit import log
from il2tracker.audit.models import AuditEvent

MADE = "labs.study.patient_made"


@transaction.atomic
def study_patient(*, by: User | None, clinic: Clinic, study: str, name: str, never_treated: bool = False) -> Patient:
    """The clinic's patient “study · name”, made when there is none, so that a second import finds the first one's.

    Raises ValidationError when somebody is called so whom no import made: two people are never made one.
    """
    called = f"{study} · {name}"
    open_here = Sharing.objects.open().filter(clinic=clinic).values("patient")
    for there in Patient.objects.filter(name=called, pk__in=open_here):
        if not AuditEvent.objects.filter(action=MADE, patient_ref=there.ref).exists():
            facts = {"name": called, "code": there.code, "who": name}
            raise ValidationError(
                _("“%(name)s” (%(code)s) was not made by an import. Say who is meant: --map %(who)s=CODE.") % facts
            )
        return there
    earlier = Patient.EarlierIL2.NEVER if never_treated else Patient.EarlierIL2.UNKNOWN
    made = create_patient(by=by, clinic=clinic, name=called, time_zone=clinic.time_zone, earlier_il2=earlier)
    log.record(action=MADE, by=by, patient=made)
    return made
