"""What somebody is to the reminders: a patient, somebody who helps one, a member of a clinic; perhaps several."""

from __future__ import annotations

from il2tracker.accounts.models import Sharing, User

PATIENT, CARER, CLINICIAN = "patient", "carer", "clinician"


def roles_of(user: User) -> frozenset[str]:
    """Everything the person is; empty for somebody who gets no reminder of any kind."""
    is_carer = Sharing.objects.open().filter(person=user).exists()
    found = {PATIENT: user.patient_or_none is not None, CARER: is_carer, CLINICIAN: user.is_clinician}
    return frozenset(role for role, is_one in found.items() if is_one)
