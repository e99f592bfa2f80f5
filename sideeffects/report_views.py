"""A check-in to take to a medicines regulator: a page to print."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.audit import log
from sideeffects import report as composing
from sideeffects.models import CheckIn


@login_required
@require_safe
def report(request: SignedInRequest, ref: str) -> HttpResponse:
    """The summary of one entry, for the patient and the clinic; a copy that the access log tells of.

    403 for a person who only helps.
    """
    saved = get_object_or_404(CheckIn.objects.visible_to(request.user).with_reports(), ref=ref)
    patient, now = saved.patient, timezone.now()
    is_own = patient.user_id == request.user.pk
    if not (is_own or access.is_member_for(request.user, patient)):
        raise PermissionDenied
    if not is_own:
        log.record(action="sideeffects.check_in.exported", by=request.user, patient=patient, subject=saved)
    context = {"report": composing.compose(saved, now), "check_in": saved, "patient": patient, "now": now}
    return render(request, "sideeffects/report.html", context)
