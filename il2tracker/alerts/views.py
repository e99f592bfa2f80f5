"""Acknowledging an alert (the clinic), and saying what came of calling (the patient)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from il2tracker import pages, ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import User
from il2tracker.alerts import actions
from il2tracker.alerts.forms import AcknowledgeForm, AnswerForm
from il2tracker.alerts.models import Alert


@login_required
@pages.form_page
def acknowledge(request: SignedInRequest, ref: str) -> HttpResponse:
    """A clinic member takes care of it, as far as it was read. A second acknowledgement calmly shows the first."""
    alert = _to_acknowledge(request, ref)
    if not access.is_member_for(request.user, alert.patient):
        raise PermissionDenied
    access.looked(request.user, alert.patient, "alerts.alert", alert)
    form, now = AcknowledgeForm(pages.sent(request)), timezone.now()
    if form.is_valid():
        try:
            alert = actions.acknowledge(by=request.user, alert=alert, now=now, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
            alert = _to_acknowledge(request, ref)  # what came in since is shown beside the refusal
        else:
            messages.success(request, _acknowledged_words(alert, request.user, mine=alert.acknowledged_at == now))
            return redirect("clinic:patient", alert.patient.code)
    facts = {"alert": alert, "patient": alert.patient, "later": alert.later_reports(), "now": now}
    return pages.answer(request, "alerts/acknowledge.html", form, **facts)


def _to_acknowledge(request: SignedInRequest, ref: str) -> Alert:
    alerts = Alert.objects.visible_to(request.user).with_last_step().select_related("patient", "acknowledged_by")
    return get_object_or_404(alerts, ref=ref)


def _acknowledged_words(alert: Alert, viewer: User, *, mine: bool) -> str:
    at = ui.in_zone(alert.acknowledged_at, alert.patient)
    words = {"title": alert.title, "who": alert.acknowledged_by, "time": ui.clock(at, viewer)}
    if mine:
        return _("You acknowledged “%(title)s” at %(time)s.") % words
    return _("“%(title)s” was acknowledged already, by %(who)s at %(time)s. Nothing was changed.") % words


@login_required
@require_POST
def answer(request: SignedInRequest, ref: str) -> HttpResponse:
    """What came of calling, for this alert and those shown with it (`also`). Never an acknowledgement (A21)."""
    first = get_object_or_404(Alert.objects.visible_to(request.user).select_related("patient"), ref=ref)
    access.require_recording(request.user, first.patient)
    access.looked(request.user, first.patient, "alerts.alert", first)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return render(request, "alerts/answer.html", {"alert": first, "patient": first.patient}, status=422)
    refs = [ref, *(also for also in request.POST.getlist("also") if also.isalnum())]
    now, said = timezone.now(), form.cleaned_data["answer"]
    for alert in Alert.objects.visible_to(request.user).of(first.patient).filter(ref__in=refs):
        actions.answer(by=request.user, alert=alert, answer=said, now=now)
    _say(request, first, said)
    return redirect(_back(request))


def _say(request: SignedInRequest, alert: Alert, said: str) -> None:
    card = access.contact_card(alert.patient, timezone.now())
    number = {"number": card.emergency_phone or _("the emergency number")}
    if said == Alert.Answer.CALLED:
        messages.success(request, _("Noted: you have called. Do what they told you. Call again if it gets worse."))
    elif said == Alert.Answer.NOT_REACHED:
        words = _("Do not wait. If you cannot get through, call %(number)s.") % number
        listed = _("Your report is at the top of your clinic’s list.") if alert.needs_clinic() else ""
        messages.warning(request, f"{words} {listed}".strip())
    elif alert.needs_clinic():
        messages.info(request, _("Noted: ticked by mistake. The report stays, so that your clinic can check with you."))
    else:
        messages.info(request, _("Noted: ticked by mistake. The report stays in your diary."))


def _back(request: SignedInRequest) -> str:
    wanted = request.POST.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/"
