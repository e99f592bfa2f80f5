"""Who may see and do what, and whom a patient calls. Every view starts here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from il2tracker.audit import log


def patient_or_404(user: Any, code: str | None = None) -> Patient:
    """The user's own record, or with a code the visible patient of that code. Raises Http404 for everything else."""
    if code is None:
        patient = user.patient_or_none
    else:
        patient = Patient.objects.visible_to(user).filter(code=code.upper()).first()
    if patient is None:
        raise Http404
    return patient


def looked(user: Any, patient: Patient, page: str, subject: log.HasRef | None = None) -> None:
    """Write down that somebody else opened a page about the patient. `page` is "labs.trend"; every view calls this."""
    if patient.user_id != user.pk:
        log.record(action=f"{page}.opened", by=user, patient=patient, subject=subject)


def looked_at_all(user: Any, patients: Iterable[Patient], page: str) -> None:
    """The same for a page that shows several patients: each of them is told."""
    others = [patient for patient in patients if patient.user_id != user.pk]
    log.record_each(action=f"{page}.opened", by=user, patients=others)


def is_member_for(user: Any, patient: Patient) -> bool:
    """Whether the user works in a clinic that the patient shares with now. Nobody is his own clinician."""
    if patient.user_id == user.pk:
        return False
    return Sharing.objects.open().filter(patient=patient, clinic__memberships__user=user).exists()


def may_record(user: Any, patient: Patient) -> bool:
    """The patient, or a person the patient lets record (A6)."""
    return patient.user_id == user.pk or Patient.objects.recordable_by(user).filter(pk=patient.pk).exists()


def require_recording(user: Any, patient: Patient) -> None:
    """Raises PermissionDenied unless the user may write this patient's diary."""
    if not may_record(user, patient):
        raise PermissionDenied


def may_prescribe(user: Any, patient: Patient) -> bool:
    """A member of the patient's clinic; or the patient alone while no clinic is involved (B6)."""
    if is_member_for(user, patient):
        return True
    return patient.user_id == user.pk and open_clinic(patient) is None


def require_prescribing(user: Any, patient: Patient) -> None:
    """Raises PermissionDenied unless the user may make or change this patient's plan."""
    if not may_prescribe(user, patient):
        raise PermissionDenied


def open_clinic(patient: Patient) -> Clinic | None:
    """The clinic the patient shares with now; the first one when there are two."""
    sharing = (
        Sharing.objects.open().with_clinics().filter(patient=patient).select_related("clinic").order_by("pk").first()
    )
    return sharing.clinic if sharing else None


class SignedInRequest(HttpRequest):
    """A request of a person who has signed in: what every view behind `login_required` receives."""

    user: User


@dataclass(frozen=True)
class ContactCard:
    """Whom to call now (P37, A19). `phone` and `emergency_phone` may be empty only before set-up is finished."""

    clinic_name: str
    phone: str
    phone_words: str
    emergency_phone: str
    crisis_phone: str
    companion_name: str
    companion_phone: str

    @property
    def is_complete(self) -> bool:
        """Whether there is somebody to call and a number for emergencies."""
        return bool(self.phone and self.emergency_phone)


def contact_card(patient: Patient, now: datetime) -> ContactCard:
    """The clinic's number for this hour of its clock, or the patient's own numbers when no clinic is involved."""
    clinic = open_clinic(patient)
    if clinic is None:
        name, phone, words = _("your care team"), patient.team_phone, ""
        emergency, crisis = patient.emergency_phone, ""
    else:
        name, emergency, crisis = clinic.name, clinic.emergency_phone, clinic.crisis_phone
        phone, words = _clinic_number(clinic, now)
    return ContactCard(name, phone, words, emergency, crisis, patient.companion_name, patient.companion_phone)


def _clinic_number(clinic: Clinic, now: datetime) -> tuple[str, str]:
    if clinic.day_phone == clinic.night_phone or clinic.opens_at is None or clinic.closes_at is None:
        return clinic.night_phone, _("the same number day and night")
    local = now.astimezone(ZoneInfo(clinic.time_zone))
    closes = _closing(clinic.open_days, clinic.opens_at, clinic.closes_at, local)
    return (clinic.night_phone, _("out of hours")) if closes is None else (clinic.day_phone, _until(closes, local))


def _closing(days: str, opens_at: time, closes_at: time, local: datetime) -> datetime | None:
    """When a clinic that is open at `local` closes; hours past midnight belong to the day on which they began."""
    for begun in (local.date() - timedelta(days=1), local.date()):
        ends = begun + timedelta(days=1) if closes_at <= opens_at else begun
        opens, closes = (datetime.combine(*moment, local.tzinfo) for moment in ((begun, opens_at), (ends, closes_at)))
        if str(begun.isoweekday()) in days and opens <= local < closes:
            return closes
    return None


def _until(closes: datetime, local: datetime) -> str:
    """In words that readers of either clock understand: the card is shown to people whose clock is not known."""
    if closes.time() == time(0):
        return _("until midnight")
    times = {"time": ui.clock(closes, "12"), "hours": ui.clock(closes, "24")}
    if closes.date() == local.date():
        return _("until %(time)s (%(hours)s) today") % times
    return _("until %(time)s (%(hours)s) tomorrow") % times
