"""One alert with everything that was done about it, and how fast the clinic answers."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.alerts import actions
from il2tracker.alerts.forms import StepForm
from il2tracker.alerts.models import Alert, Step
from il2tracker.clinic import alert_page, answer_times
from il2tracker.pages import answer, form_page, sent


@login_required
@form_page
def alert(request: SignedInRequest, ref: str) -> HttpResponse:
    """What happened, and what is done next: a note, a call, the end."""
    found = _find(request, ref)
    if not access.is_member_for(request.user, found.patient):
        raise PermissionDenied
    access.looked(request.user, found.patient, "alerts.alert", found)
    form, now = StepForm(sent(request)), timezone.now()
    if form.is_valid() and _keep(request, form, found, now):
        if form.cleaned_data["what"] == Step.What.CLOSED:
            return redirect("clinic:patient", found.patient.code)
        return redirect("clinic:alert", found.ref)
    if form.is_bound:
        found = _find(request, ref)  # what came in since is shown beside the refusal
    context = {"alert": found, "patient": found.patient, "now": now, "page": alert_page.compose(found)}
    return answer(request, "alerts/alert.html", form, **context)


def _find(request: SignedInRequest, ref: str) -> Alert:
    return get_object_or_404(Alert.objects.visible_to(request.user).with_steps(), ref=ref)


def _keep(request: SignedInRequest, form: StepForm, found: Alert, now: datetime) -> bool:
    """Whether the step was kept; else the form says why not."""
    try:
        step = actions.take_step(by=request.user, alert=found, now=now, **form.cleaned_data)
    except ValidationError as refused:
        form.add_error(None, refused)
        return False
    words = {"step": step.get_what_display(), "title": found.title}
    if step.what == Step.What.CLOSED:
        messages.success(request, _("“%(title)s” is closed. It stays in the record.") % words)
    else:
        messages.success(request, _("Written down: %(step)s. “%(title)s” stays in hand until it is closed.") % words)
    return True


@login_required
@require_safe
def times(request: SignedInRequest) -> HttpResponse:
    """How long alerts waited until somebody acknowledged them. It names no patient."""
    if not request.user.is_clinician:
        raise Http404
    context = {"clinics": answer_times.read(request.user, timezone.now())}
    return render(request, "clinic/answer_times.html", context)
