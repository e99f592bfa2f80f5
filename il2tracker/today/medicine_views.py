"""The pages about other medicines: the list, one more, and one of them (P32, P33, H21)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cycles import medication_actions
from cycles.models import Medication
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent
from il2tracker.today import medicines as composed
from il2tracker.today.medicine_forms import MedicineForm, StopMedicineForm


@login_required
@require_safe
def medicines(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """What is taken beside IL-2, and what the sources say about names on the list."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "today.medicines")
    may_write = medication_actions.may_list(request.user, patient)
    context = {"patient": patient, "page": composed.compose(patient, timezone.now()), "may_write": may_write}
    return render(request, "today/medicines.html", context)


@login_required
@form_page
def medicine_add(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """One more medicine."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    _require(request, patient)
    access.looked(request.user, patient, "today.medicines")
    form = MedicineForm(sent(request), today=patient.today(now))
    if not form.is_valid():
        return answer(request, "today/medicine_add.html", form, patient=patient)
    added = medication_actions.add_medication(by=request.user, patient=patient, now=now, **form.cleaned_data)
    messages.success(request, _("On the list: %(name)s.") % {"name": added.name})
    return _to_list(request, patient)


@login_required
@form_page
def medicine(request: SignedInRequest, ref: str) -> HttpResponse:
    """One medicine, and everything that was said about it; from which day it is not taken any more."""
    found, now = _medicine(request, ref), timezone.now()
    patient = found.patient
    may_write = medication_actions.may_list(request.user, patient)
    if request.method == "POST":
        _require(request, patient)
    access.looked(request.user, patient, "today.medicine", found)
    today = patient.today(now)
    form = StopMedicineForm(sent(request), medicine=found, today=today, initial={"stopped_on": today})
    if not form.is_valid():
        steps = found.history.select_related("history_user").order_by("-history_date", "-history_id")
        context = {"patient": patient, "medicine": found, "steps": steps, "may_write": may_write}
        return answer(request, "today/medicine.html", form, **context)
    on = form.cleaned_data["stopped_on"]
    medication_actions.stop_medication(by=request.user, medication=found, on=on, now=now)
    messages.success(request, _("Not taken any more: %(name)s.") % {"name": found.name})
    return _to_list(request, patient)


@login_required
@require_POST
def medicine_remove(request: SignedInRequest, ref: str) -> HttpResponse:
    """It was entered in error."""
    found = _medicine(request, ref)
    medication_actions.remove_medication(by=request.user, medication=found, now=timezone.now())
    messages.success(request, _("Taken off the list: %(name)s. It was entered in error.") % {"name": found.name})
    return _to_list(request, found.patient)


def _medicine(request: SignedInRequest, ref: str) -> Medication:
    rows = Medication.objects.visible_to(request.user).select_related("patient", "recorded_by", "voided_by")
    found: Medication = get_object_or_404(rows, ref=ref)
    return found


def _require(request: SignedInRequest, patient: Patient) -> None:
    if not medication_actions.may_list(request.user, patient):
        raise PermissionDenied


def _to_list(request: SignedInRequest, patient: Patient) -> HttpResponse:
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, "today:medicines"))
