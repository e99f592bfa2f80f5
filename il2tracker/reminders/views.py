"""Which mails come and how early; and the page behind the address at the foot of every mail."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from il2tracker.reminders import actions, mails, unsubscribing
from il2tracker.reminders.forms import PreferencesForm
from il2tracker.reminders.models import Preference, Reminder

UNDELIVERED_SHOWN, ROWS_SHOWN = timedelta(days=30), 10


@login_required
@form_page
def preferences(request: SignedInRequest) -> HttpResponse:
    """The person's own switches, what comes in the next days, and what could not be delivered."""
    patient = access.patient_or_404(request.user)
    stored = list(Preference.objects.visible_to(request.user))
    form = PreferencesForm(sent(request), preferences=stored)
    if not form.is_valid():
        own, now = Reminder.objects.visible_to(request.user), timezone.now()
        words = {
            "patient": patient,
            "undelivered": own.failed_for(patient, now - UNDELIVERED_SHOWN)[:ROWS_SHOWN],
            "upcoming": own.upcoming_for(patient, now)[:ROWS_SHOWN],
        }
        return answer(request, "reminders/preferences.html", form, **words)
    actions.choose(by=request.user, switches=form.switches, lead_minutes=form.cleaned_data["lead_minutes"])
    messages.success(request, _("Your reminders are saved."))
    return redirect("reminders:preferences")


@csrf_exempt  # a mail program posts here without a page of ours before it (RFC 8058)
@form_page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST stops one kind of mail at once and answers without a redirect. Says nothing about anybody."""
    link = unsubscribing.find(token)
    if link is None:
        raise Http404
    if request.method == "POST":
        actions.unsubscribe(link=link)
    words = {"about": mails.ABOUT[link.subject], "is_done": request.method == "POST"}
    response = render(request, "reminders/unsubscribe.html", words)
    response["Referrer-Policy"] = "no-referrer"
    return response
