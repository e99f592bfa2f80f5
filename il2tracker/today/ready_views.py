"""The page before a course: check the answers and send them; for a clinic, confirm the first day."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from cycles import ready_actions
from cycles.models import Cycle
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from il2tracker.today import ready as composing
from il2tracker.today.forms import StartForm


@login_required
@form_page
def ready(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Who answers sends the answers, whoever is of the clinic confirms the start; everybody else who may see, reads."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    as_clinic = access.is_member_for(request.user, patient)
    if request.method == "POST" and not as_clinic:
        access.require_recording(request.user, patient)
    access.looked(request.user, patient, "cycles.readiness")
    page = composing.compose(patient, Cycle.objects.visible_to(request.user).of(patient), now)
    form = StartForm(sent(request))
    if form.is_valid() and page.cycle:
        try:
            _save(request, page, now, form.cleaned_data, as_clinic=as_clinic)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            return redirect(ui.patient_url({"patient": patient, "user": request.user}, "today:ready"))
    may_answer = access.may_record(request.user, patient)
    context = {"page": page, "patient": patient, "as_clinic": as_clinic, "may_answer": may_answer}
    return answer(request, "today/ready.html", form, card=access.contact_card(patient, now), **context)


def _save(
    request: SignedInRequest, page: composing.Page, now: datetime, said: dict[str, str], *, as_clinic: bool
) -> None:
    assert page.cycle is not None
    day = {"day": ui.long_day(page.cycle.starts_on)}
    if as_clinic:
        ready_actions.confirm_start(by=request.user, cycle=page.cycle, now=now, **said)
        messages.success(request, _("You confirmed %(day)s as the first day.") % day)
        return
    known = composing.to_keep(page)
    ready_actions.send_answers(by=request.user, cycle=page.cycle, now=now, known=known)
    if page.clinic:
        messages.success(request, _("Sent. It is in your clinic’s list, but nobody may have seen it yet."))
    else:
        messages.success(request, _("Saved. Nobody but you sees this diary: call your care team about it."))
