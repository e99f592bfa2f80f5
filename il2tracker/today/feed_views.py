"""The private calendar feed, and the page on which its owner opens, names and closes it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent
from il2tracker.today import feed_actions as actions
from il2tracker.today import feed_file, feed_samples
from il2tracker.today.feed_forms import TitlesForm


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The file itself, without sign-in: the address is the key. An unknown and a stopped one get the same answer.

    The one page besides mailed links that a GET leaves a trace of: with the link, when it was fetched last and what
    it showed, so that the next file says which entries are newer. Nothing of the diary changes.
    """
    link, now = actions.find(token), timezone.now()
    if link is None or link.patient is None:
        raise Http404
    items, revisions = actions.number_entries(link=link, now=now)
    names = {"site": settings.SITE_NAME, "domain": settings.MESSAGE_ID_DOMAIN}
    response = HttpResponse(feed_file.write(items, revisions, link.subject, now, **names), content_type=feed_file.TYPE)
    response["Content-Disposition"] = 'inline; filename="diary.ics"'
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    actions.note_fetch(link=link, now=now)
    return response


@login_required
@form_page
def feed_settings(request: SignedInRequest) -> HttpResponse:
    """Make the link, or give the entries of the one that stands another name."""
    patient, now = access.patient_or_404(request.user), timezone.now()
    link = actions.current(patient)
    form = TitlesForm(sent(request), initial={"titles": link.subject if link else patient.privacy})
    if not form.is_valid():
        return _page(request, patient, form, now)
    level = form.cleaned_data["titles"]
    if actions.choose_titles(by=request.user, patient=patient, level=level):
        messages.success(request, _("Saved. Your calendar shows it when it fetches the next time."))
        return redirect("today:feed_settings")
    address = actions.make_link(by=request.user, patient=patient, level=level, now=now)
    return _page(request, patient, form, now, address)


@login_required
@form_page
def feed_renew(request: SignedInRequest) -> HttpResponse:
    """Another address instead of the one that the page showed; sent twice, the first stays."""
    patient, now = access.patient_or_404(request.user), timezone.now()
    link = actions.current(patient)
    if request.method != "POST" or link is None:
        return redirect("today:feed_settings")
    if request.POST.get("instead") != str(link.pk):
        messages.info(request, _("This link is the new one already. Its address is shown only once."))
        return redirect("today:feed_settings")
    address = actions.make_link(by=request.user, patient=patient, level=link.subject, now=now)
    return _page(request, patient, TitlesForm(initial={"titles": link.subject}), now, address)


def _page(
    request: SignedInRequest, patient: Patient, form: TitlesForm, now: datetime, address: str = ""
) -> HttpResponse:
    """The page; with an address in the answer to the form that made it, because nothing may keep one: no redirect
    can carry it, and a session is a row of the database."""
    named = feed_samples.samples(patient, now, request.user.clock)
    words = {"patient": patient, "link": actions.current(patient), "address": address, "samples": named}
    return answer(request, "today/feed_settings.html", form, **words)


@login_required
@form_page
def feed_stop(request: SignedInRequest) -> HttpResponse:
    """Ask once, then close the feed."""
    patient = access.patient_or_404(request.user)
    if request.method != "POST":
        return render(request, "today/feed_stop.html", {"patient": patient})
    actions.stop_link(by=request.user, patient=patient, now=timezone.now())
    messages.success(request, _("Your calendar link is stopped. It opens nothing any more."))
    return redirect("today:feed_settings")
