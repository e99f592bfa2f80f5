"""What to expect: the page for patients, and what a clinician expects of one of them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from sideeffects import expectation_actions, expecting
from sideeffects.expectation_forms import ExpectForm
from sideeffects.models import Expectation


@login_required
@require_safe
def effects(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """What the sources list, on which days, and what the clinic expects of this patient."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    access.looked(request.user, patient, "sideeffects.effects")
    context = {
        "patient": patient,
        "page": expecting.compose(patient, now),
        "card": access.contact_card(patient, now),
        "for_clinic": access.is_member_for(request.user, patient),
    }
    return render(request, "sideeffects/effects.html", context)


@login_required
@form_page
def expected(request: SignedInRequest, code: str) -> HttpResponse:
    """What the clinic expects of one patient, and saying one thing more."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    if not access.is_member_for(request.user, patient):
        raise PermissionDenied
    access.looked(request.user, patient, "sideeffects.expectation")
    today = patient.today(now)
    symptoms = expectation_actions.may_be_expected(patient, today)
    form = ExpectForm(sent(request), symptoms=symptoms, today=today)
    if form.is_valid():
        row = expectation_actions.expect(by=request.user, patient=patient, now=now, **form.cleaned_data)
        words = {"symptom": row.symptom.word, "day": ui.long_day(row.until)}
        messages.success(request, _("%(symptom)s is expected until %(day)s. The patient can read it.") % words)
        return redirect("sideeffects:expected", patient.code)
    rows = Expectation.objects.visible_to(request.user).of(patient).with_people()
    return answer(request, "sideeffects/expected.html", form, patient=patient, today=today, **rows.split(today))


@login_required
@require_POST
def end_expected(request: SignedInRequest, ref: str) -> HttpResponse:
    """From now on it is told again."""
    found = get_object_or_404(Expectation.objects.visible_to(request.user).with_people(), ref=ref)
    ended = expectation_actions.end_expectation(by=request.user, expectation=found, now=timezone.now())
    done = _("%(symptom)s is no longer expected: every rule speaks of it again.")
    messages.success(request, done % {"symptom": ended.symptom.word})
    return redirect("sideeffects:expected", ended.patient.code)
