"""The page of safety tests."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from labs import actions
from labs.picture import RANGES
from labs.safety import page


@login_required
@require_safe
def safety(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Safety tests over time with the printed ranges and the courses; grades are for the clinic's members only."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "labs.safety")
    chosen = request.GET.get("range", "1")
    for_clinic = access.is_member_for(request.user, patient)
    shown = page(patient, timezone.now(), chosen=chosen if chosen in RANGES else "1", for_clinic=for_clinic)
    context = {"patient": patient, "page": shown, "may_add": actions.may_add(request.user, patient)}
    return render(request, "labs/safety.html", context)
