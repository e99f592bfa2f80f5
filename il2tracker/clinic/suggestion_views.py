"""Suggestions to clinicians: what waits for a decision, and one rule's answer about one patient."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cycles import advice_actions
from cycles.models import AdviceDecision
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.clinic import suggestion_words, suggestions
from il2tracker.clinic.suggestion_facts import clinics_of
from il2tracker.clinic.suggestion_forms import DecisionForm
from il2tracker.clinic.suggestion_words import Card
from il2tracker.clinic.suggestions import Decision
from il2tracker.pages import answer, form_page, sent


@login_required
@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """What waits for a decision, the soonest next course first. Every patient on it is told who looked."""
    if not request.user.is_clinician:
        raise Http404
    found = suggestions.waiting(request.user, timezone.now())
    shown = {each.known.patient.pk: each.known.patient for each in found}
    access.looked_at_all(request.user, shown.values(), "clinic.advice")
    clinics = clinics_of(request.user)
    context = {
        "cards": [suggestion_words.card(each) for each in found],
        "clinics": clinics,
        "on": any(suggestions.is_on(clinics, each) for each in suggestions.RULES),
    }
    return render(request, "clinic/advice.html", context)


@login_required
@form_page
def advise(request: SignedInRequest, code: str, rule: str) -> HttpResponse:
    """One rule's answer about one patient, with what it rests on. Deciding changes nothing of the plan by itself."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    asked = next((each for each in suggestions.RULES if each.id == rule), None)
    if asked is None or not access.is_member_for(request.user, patient):
        raise Http404
    access.looked(request.user, patient, "clinic.advice")
    found = next((each for each in suggestions.of_patient(patient, request.user, now) if each.rule == asked), None)
    card = suggestion_words.card(found) if found else None
    form = DecisionForm(sent(request), suggestion=found, initial={"digest": found.digest if found else ""})
    if form.is_valid() and card and _keep(request, form, card, now):
        return redirect(_next(form, patient))
    clinics = clinics_of(request.user)
    context = {"card": card, "patient": patient, "clinics": clinics, "on": suggestions.is_on(clinics, asked)}
    return answer(request, "clinic/advise.html", form, **context)


def _keep(request: SignedInRequest, form: DecisionForm, card: Card, now: datetime) -> bool:
    """Whether the decision was kept; else the form says why not."""
    try:
        row = advice_actions.decide(
            by=request.user, inputs=card.because, now=now, **form.facts(card.suggestion.known.record.today)
        )
    except ValidationError as refused:
        form.add_error(None, refused)
        return False
    messages.success(request, _done(row, card.suggestion.known.patient))
    return True


def _done(row: AdviceDecision, patient: Patient) -> str:
    facts = {"code": patient.code, "day": ui.long_day(row.later_until)}
    return {
        Decision.ACCEPTED: _("%(code)s: accepted. Nothing has changed yet: check the plan here and sign it."),
        Decision.DECLINED: _("%(code)s: declined. The plan stays as it is."),
        Decision.LATER: _("%(code)s: put off. It is asked again on %(day)s."),
    }[Decision(row.decision)] % facts


def _next(form: DecisionForm, patient: Patient) -> str:
    if form.cleaned_data["decision"] != Decision.ACCEPTED:
        return reverse("clinic:advice")
    return reverse("cycles:plan_change", kwargs={"code": patient.code}) + "?" + urlencode(form.editor())
