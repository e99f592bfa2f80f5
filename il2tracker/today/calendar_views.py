"""The month of a patient's dates."""

from __future__ import annotations

import re
from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cycles.schedule import EARLIEST, LATEST
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.today.calendar import compose
from labs import actions as labs

MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@login_required
@require_safe
def calendar(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """One month: this one, or the one that is asked for."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    month = _month(request.GET.get("month"))
    access.looked(request.user, patient, "today.calendar")
    page = compose(patient, now, month)
    may_add = labs.may_add(request.user, patient)
    return render(request, "today/calendar.html", {"page": page, "patient": patient, "may_add": may_add})


def _month(text: str | None) -> date | None:
    """The first day of "2026-12"; None when none is asked for. Raises Http404 for anything else."""
    if text is None:
        return None
    match = MONTH.fullmatch(text)
    if match is None:
        raise Http404
    year, month = int(match[1]), int(match[2])
    if not (EARLIEST.year <= year <= LATEST.year and 1 <= month <= 12):
        raise Http404
    return date(year, month, 1)
