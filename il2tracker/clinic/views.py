"""The clinician's list, one patient's page, and adding a patient."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from il2tracker.accounts import access, actions
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.audit import log
from il2tracker.clinic import panel as composing
from il2tracker.clinic import picture
from il2tracker.clinic.forms import AddPatientForm


@login_required
@require_safe
def panel(request: SignedInRequest) -> HttpResponse:
    """The clinic's patients, whoever needs a person first at the top."""
    _require_clinician(request)
    now, query = timezone.now(), request.GET.get("q", "")
    patients = composing.search(Patient.objects.visible_to(request.user).exclude(user=request.user), query)
    show, after = request.GET.get("show", ""), request.GET.get("after", "")
    page = composing.compose(patients, now, show=show, after=after, clock=request.user.clock)
    return render(request, "clinic/panel.html", {"panel": page, "query": query, "now": now})


@login_required
@require_safe
def patient(request: SignedInRequest, code: str) -> HttpResponse:
    """One patient on one page. Opening it is written down."""
    found = access.patient_or_404(request.user, code)
    if not access.is_member_for(request.user, found):
        raise Http404
    log.record(action="clinic.patient.opened", by=request.user, patient=found)
    page = picture.compose(found, request.user, timezone.now())
    return render(request, "clinic/patient.html", {"page": page, "patient": found})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_patient(request: SignedInRequest) -> HttpResponse:
    """A new patient, shared with the clinic from the start; the code is made here."""
    _require_clinician(request)
    form = AddPatientForm(request.POST or None, user=request.user, this_year=timezone.now().year)
    if not form.is_valid():
        return render(request, "clinic/add_patient.html", {"form": form}, status=422 if form.is_bound else 200)
    added = actions.create_patient(by=request.user, **form.cleaned_data)
    messages.success(request, _("%(name)s is on your panel with the code %(code)s.") % vars(added))
    return redirect("clinic:patient", code=added.code)


def _require_clinician(request: SignedInRequest) -> None:
    if not request.user.is_clinician:
        raise Http404
