"""The pages about places that are sore or have a lump (P38–P40, K14)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cycles import places, site_actions
from cycles.models import Cycle, Injection, SiteReaction
from cycles.site_forms import ChangeReactionForm, ClearReactionForm, ReactionForm
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent

EARLIER_SHOWN = 50


@login_required
@require_safe
def overview(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """All twelve places: free, used, or resting and why; and what has cleared."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "cycles.places")
    reactions = SiteReaction.objects.visible_to(request.user).of(patient)
    resting = list(reactions.open())
    context = {
        "patient": patient,
        "today": patient.today(timezone.now()),
        "resting": resting,
        "earlier": list(reactions.exclude(cleared_on=None).order_by("-cleared_on")[:EARLIER_SHOWN]),
        "places": _laid_out(request, patient, resting),
        "may_record": access.may_record(request.user, patient),
    }
    return render(request, "cycles/sites.html", context)


def _laid_out(
    request: SignedInRequest, patient: Patient, resting: list[SiteReaction], chosen: str = ""
) -> places.Places:
    today = patient.today(timezone.now())
    cycle = Cycle.objects.visible_to(request.user).of(patient).current(today).first()
    recent = list(Injection.objects.visible_to(request.user).of(patient).newest())
    return places.lay_out(
        recent,
        today=today,
        course_from=cycle.starts_on if cycle else None,
        suggested=None,
        chosen=chosen,
        resting=resting,
    )


@login_required
@form_page
def report(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Say that a place is sore or has a lump; one tap from an entry, or the whole form."""
    patient = access.patient_or_404(request.user, code)
    access.require_recording(request.user, patient)
    access.looked(request.user, patient, "cycles.places")
    now = timezone.now()
    today = patient.today(now)
    known = {name: request.GET.get(name, "") for name in ("site", "kind")}
    form = ReactionForm(sent(request), today=today, initial={"noticed_on": today, **known})
    if not form.is_valid():
        resting = list(SiteReaction.objects.visible_to(request.user).of(patient).open())
        board = _laid_out(request, patient, resting, chosen=form["site"].value() or "")
        return answer(request, "cycles/site_report.html", form, patient=patient, places=board)
    reaction = site_actions.report_reaction(by=request.user, patient=patient, now=now, **form.cleaned_data)
    words = {"place": reaction.site_words, "what": reaction.word}
    messages.success(request, _("Noted: %(place)s, %(what)s. It rests until you say that it has cleared.") % words)
    return _to_overview(request, patient)


def _to_overview(request: SignedInRequest, patient: Patient) -> HttpResponse:
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, "cycles:places"))


def _reaction(request: SignedInRequest, ref: str) -> SiteReaction:
    rows = SiteReaction.objects.visible_to(request.user).select_related("patient", "recorded_by", "cleared_by")
    reaction: SiteReaction = get_object_or_404(rows, ref=ref)
    return reaction


def _looked(request: SignedInRequest, reaction: SiteReaction) -> None:
    access.looked(request.user, reaction.patient, "cycles.place", reaction)


@login_required
@form_page
def reaction(request: SignedInRequest, ref: str) -> HttpResponse:
    """One sore place or lump, with everything that was ever said about it; its size and note can be changed."""
    found = _reaction(request, ref)
    may_record = access.may_record(request.user, found.patient)
    if request.method == "POST":
        access.require_recording(request.user, found.patient)
        if found.cleared_on is not None:
            return redirect("cycles:place", found.ref)
    _looked(request, found)
    form = ChangeReactionForm(sent(request), initial={"size_mm": found.size_mm, "note": found.note})
    if not form.is_valid():
        steps = found.history.select_related("history_user").order_by("-history_date", "-history_id")
        context = {"patient": found.patient, "reaction": found, "steps": steps, "may_record": may_record}
        return answer(request, "cycles/site.html", form, **context)
    site_actions.change_reaction(by=request.user, reaction=found, **form.cleaned_data)
    messages.success(request, _("Changed: %(place)s, %(what)s.") % {"place": found.site_words, "what": found.word})
    return redirect("cycles:place", found.ref)


@login_required
@form_page
def clear(request: SignedInRequest, ref: str) -> HttpResponse:
    """It is gone: the place need not rest any more. The record of it stays."""
    found, now = _reaction(request, ref), timezone.now()
    access.require_recording(request.user, found.patient)
    if found.cleared_on is not None:
        return redirect("cycles:place", found.ref)
    _looked(request, found)
    today = found.patient.today(now)
    form = ClearReactionForm(sent(request), reaction=found, today=today, initial={"cleared_on": today})
    if not form.is_valid():
        return answer(request, "cycles/site_clear.html", form, patient=found.patient, reaction=found)
    site_actions.clear_reaction(by=request.user, reaction=found, on=form.cleaned_data["cleared_on"], now=now)
    words = {"place": found.site_words, "what": found.word}
    messages.success(request, _("Cleared: %(place)s, %(what)s. The place is free again.") % words)
    return _to_overview(request, found.patient)
