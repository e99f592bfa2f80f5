"""The page for a visit, on the screen and as a file."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from il2tracker.clinic import paper
from il2tracker.clinic.visit import compose


@login_required
@require_safe
def visit(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """The page for a visit, to print; with ?tables=1 everything it rests on stands on the pages after it."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "clinic.visit")
    can_save = _may_save(request.user, patient) and paper.is_available()
    return render(request, "clinic/visit.html", {**_context(request, patient), "can_save": can_save})


@login_required
@require_safe
def visit_pdf(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """The same as a PDF, a copy that the access log tells of; 403 for a person who only helps.

    404 where this machine cannot make one.
    """
    patient = access.patient_or_404(request.user, code)
    if not _may_save(request.user, patient):
        raise PermissionDenied
    if not paper.is_available():
        raise Http404
    if patient.user_id != request.user.pk:
        log.record(action="clinic.visit.exported", by=request.user, patient=patient)
    context = _context(request, patient)
    made = paper.pdf(render_to_string("clinic/visit_paper.html", context, request=request))
    name = f"summary-{context['page'].today.isoformat()}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def _may_save(user: User, patient: Patient) -> bool:
    """Whoever may take the record along: the patient, and members of the patient's clinic."""
    return patient.user_id == user.pk or access.is_member_for(user, patient)


def _context(request: SignedInRequest, patient: Patient) -> dict[str, Any]:
    tables = request.GET.get("tables") == "1"
    page = compose(patient, request.user, timezone.now(), tables=tables)
    return {"page": page, "patient": patient, "picture": page.trend, "tables": tables}
