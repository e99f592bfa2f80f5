"""How the courses felt, laid under each other: for the patient, for whoever helps, and for the clinic."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from sideeffects import courses_felt


@login_required
@require_safe
def patterns(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """The newest courses day by day, or with ?before= those that began before a day."""
    patient = access.patient_or_404(request.user, code)
    page = courses_felt.compose(patient, timezone.now(), before=_day(request.GET.get("before", "")))
    access.looked(request.user, patient, "sideeffects.patterns")
    return render(request, "sideeffects/patterns.html", {"page": page, "patient": patient})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Http404 from error
