"""Which mails come and how early; and the page behind the address at the foot of every mail."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from il2tracker.reminders import actions, mails, roles, trouble, unsubscribing
from il2tracker.reminders.forms import PreferencesForm
from il2tracker.reminders.models import Delivery, Preference


@login_required
@form_page
def preferences(request: SignedInRequest) -> HttpResponse:
    """What the person is told by mail and when, by what he or she is: patient, helper, member of a clinic."""
    user = request.user
    theirs = roles.roles_of(user)
    if not theirs:
        raise Http404
    form = PreferencesForm(
        sent(request),
        viewer=user,
        roles=theirs,
        preferences=Preference.objects.visible_to(user),
        delivery=Delivery.objects.visible_to(user).first(),
    )
    if not form.is_valid():
        words = {"patient": user.patient_or_none, "trouble": trouble.of(user, timezone.now())}
        return answer(request, "reminders/preferences.html", form, **words)
    actions.choose(by=user, **form.chosen())
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
