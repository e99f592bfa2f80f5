"""The clinician's list, one patient's page, and adding a patient."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from il2tracker.accounts import access, actions
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.clinic import panel as composing
from il2tracker.clinic import picture, suggestions
from il2tracker.clinic.forms import AddPatientForm
from il2tracker.pages import answer, form_page, sent


@login_required
@form_page
def panel(request: SignedInRequest) -> HttpResponse:
    """The clinic's patients, whoever needs a person first at the top.

    A search is a POST that changes nothing: names in addresses would stay in histories and logs.
    """
    _require_clinician(request)
    sent = request.POST if request.method == "POST" else request.GET
    now, query = timezone.now(), request.POST.get("q", "").strip()
    patients = composing.search(_listed(request), query)
    show, after = sent.get("show", ""), sent.get("after", "")
    page = composing.compose(patients, now, show=show, after=after, clock=request.user.clock)
    to_decide = suggestions.count(request.user, now)
    access.looked_at_all(request.user, (row.facts.patient for row in page.rows), "clinic.panel")
    context = {"panel": page, "query": query, "now": now, "to_decide": to_decide}
    return render(request, "clinic/panel.html", context)


@login_required
@require_safe
def patient(request: SignedInRequest, code: str) -> HttpResponse:
    """One patient on one page. Opening it is written down."""
    found = access.patient_or_404(request.user, code)
    if not access.is_member_for(request.user, found):
        raise Http404
    access.looked(request.user, found, "clinic.patient")
    page = picture.compose(found, request.user, timezone.now())
    return render(request, "clinic/patient.html", {"page": page, "patient": found})


@login_required
@form_page
def add_patient(request: SignedInRequest) -> HttpResponse:
    """A new patient, shared with the clinic from the start; the code is made here."""
    _require_clinician(request)
    form = AddPatientForm(sent(request), user=request.user, now=timezone.now())
    if not form.is_valid():
        return answer(request, "clinic/add_patient.html", form)
    added = actions.create_patient(by=request.user, **form.cleaned_data)
    messages.success(request, _("%(name)s is on your panel with the code %(code)s.") % vars(added))
    return redirect("clinic:patient", code=added.code)


def _listed(request: SignedInRequest) -> QuerySet[Patient]:
    return Patient.objects.visible_to(request.user).of_clinics(request.user).exclude(user=request.user)


def _require_clinician(request: SignedInRequest) -> None:
    if not request.user.is_clinician:
        raise Http404
