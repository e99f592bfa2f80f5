"""The clinic's word that somebody has seen a result, and its taking back. The patient's side has no such button."""

from __future__ import annotations

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from labs import seen_actions
from labs.models import LabResult


@login_required
@require_POST
def see(request: SignedInRequest, code: str) -> HttpResponse:
    """Keep that this person has seen the results named by `result`, each in the version that was read."""
    patient = _patient_of_clinic(request, code)
    try:
        seen_actions.see_results(by=request.user, patient=patient, versions=_versions(request), now=timezone.now())
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, _("Marked as seen."))
    return _back(request, patient)


@login_required
@require_POST
def unsee(request: SignedInRequest, code: str, ref: str) -> HttpResponse:
    """It was not seen after all: it stands on the list again."""
    patient = _patient_of_clinic(request, code)
    results = LabResult.objects.visible_to(request.user).of(patient)
    result = get_object_or_404(results.select_related("patient"), ref=ref)
    seen_actions.unsee_result(by=request.user, result=result)
    messages.success(request, _("It is to be seen again."))
    return redirect("labs:entry", result.ref)


def _patient_of_clinic(request: SignedInRequest, code: str) -> Patient:
    patient = access.patient_or_404(request.user, code)
    if not access.is_member_for(request.user, patient):
        raise PermissionDenied
    return patient


def _versions(request: SignedInRequest) -> dict[str, int]:
    """ref → version, of "ref.version"; what is not of that shape names nothing."""
    pairs = (text.partition(".") for text in request.POST.getlist("result"))
    return {ref: int(number) for ref, _dot, number in pairs if re.fullmatch("[0-9]{1,18}", number)}


def _back(request: SignedInRequest, patient: Patient) -> HttpResponse:
    """To the result where the button stood, or to the patient's page."""
    ref = request.POST.get("from", "")
    if ref.isalnum():
        result = LabResult.objects.visible_to(request.user).of(patient).filter(ref=ref).first()
        if result is not None:
            return redirect("labs:entry", result.ref)
    return redirect("clinic:patient", patient.code)
