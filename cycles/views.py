"""The pages around one injection and around the plan."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cycles import actions, concerns, places, ready_forms, recording, schedule, story
from cycles.doubts import TWICE, Doubt
from cycles.forms import NotTakenForm, UndoForm
from cycles.models import Hold, Injection, PlannedDose, SiteReaction
from cycles.reasons import NotTaken
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent


@login_required
@require_safe
def record(request: SignedInRequest) -> HttpResponse:
    """What can be recorded: open injections first, then how one feels, a result, an injection outside the plan."""
    patient = access.patient_or_404(request.user)
    now = timezone.now()
    doses = PlannedDose.objects.visible_to(request.user).of(patient).to_record(now, patient.today(now))
    context = {"patient": patient, "doses": doses, "now": now, "late_before": now - schedule.ON_TIME}
    return render(request, "cycles/record.html", context)


@login_required
@form_page
def log(request: SignedInRequest, ref: str) -> HttpResponse:
    """Record a planned injection (ux 2.2)."""
    dose = _dose(request, ref)
    return _record(request, recording.open_page(request.user, dose.patient, timezone.now(), dose=dose))


def _dose(request: SignedInRequest, ref: str) -> PlannedDose:
    dose = get_object_or_404(PlannedDose.objects.visible_to(request.user).for_recording(), ref=ref)
    access.require_recording(request.user, dose.patient)
    access.looked(request.user, dose.patient, "cycles.dose", dose)
    return dose


@login_required
@form_page
def record_unplanned(request: SignedInRequest) -> HttpResponse:
    """Record an injection that stands in no plan; the clinic sees it (2.14)."""
    patient = access.patient_or_404(request.user)
    return _record(request, recording.open_page(request.user, patient, timezone.now()))


def _record(request: SignedInRequest, page: recording.Page) -> HttpResponse:
    if page.known is not None:
        return _already(request, page.known)
    form, answers = page.form(sent(request), uuid4()), request.POST.getlist("answer")
    if not form.is_valid() or "back" in answers:
        return answer(request, "cycles/log.html", form, **page.context(form))
    doubt = page.doubt(form, answers)
    if doubt is not None:
        return _ask(request, page, form, doubt)
    injection, created = actions.log_injection(
        by=request.user,
        patient=page.patient,
        dose=page.dose,
        key=form.cleaned_data["key"],
        now=page.now,
        twice=TWICE in answers,
        **form.facts(answers),
    )
    return _saved(request, injection, twice=TWICE in answers) if created else _already(request, injection)


def _ask(request: SignedInRequest, page: recording.Page, form: Any, doubt: Doubt) -> HttpResponse:
    """One question before saving; everything that was entered travels with it."""
    sent = [(name, value) for name in request.POST for value in request.POST.getlist(name)]
    context = {
        "doubt": doubt.name,
        "sent": [(name, value) for name, value in sent if name != "csrfmiddlewaretoken"],
        "entry": page.entry(form),
        "other": page.closest(form.cleaned_data["given_at"]),
        "given_at": form.cleaned_data["given_at"],
        "rather": page.rather if doubt is Doubt.EARLY else None,
        **page.context(form),
    }
    return render(request, "cycles/ask.html", context)


def _saved(request: SignedInRequest, injection: Injection, *, twice: bool = False) -> HttpResponse:
    """To the telephone when it has to be, else back to where one came from, with a way to undo."""
    if any(concern.call for concern in concerns.about(injection, twice=twice)):
        return redirect("cycles:call", injection.ref)
    rests = places.rest_words(_reactions_at(request, injection))
    undo = reverse("cycles:undo", args=[injection.ref])
    said = _("Recorded: %(what)s.") % {"what": _in_words(injection, request)}
    said = f"{said} {rests}." if rests else said
    messages.success(request, format_html('{} <a href="{}">{}</a>', said, undo, _("Undo")))
    return _home(request, injection)


def _already(request: SignedInRequest, injection: Injection) -> HttpResponse:
    """A second attempt shows the first record, calmly (H01)."""
    if request.method == "POST" and injection.voided_at is None:
        by = _("you") if injection.recorded_by_id == request.user.pk else str(injection.recorded_by or "")
        local = injection.recorded_at.astimezone(injection.patient.zone)
        words = {"time": ui.clock(local, request.user), "by": by}
        messages.success(request, _("Already recorded at %(time)s by %(by)s. Nothing was added.") % words)
    return redirect("cycles:entry", injection.ref)


def _home(request: SignedInRequest, injection: Injection) -> HttpResponse:
    if injection.patient.user_id == request.user.pk:
        return redirect("today:home")
    return redirect("cycles:entry", injection.ref)


def _in_words(injection: Injection, request: SignedInRequest) -> str:
    if injection.state == Injection.State.SKIPPED:
        return _("not taken")
    time = ui.clock(injection.local_given_at, request.user)
    return ", ".join(filter(None, [f"{ui.miu(injection.amount)} {_('at')} {time}", injection.site_words]))


@login_required
@form_page
def skip(request: SignedInRequest, ref: str) -> HttpResponse:
    """Say that a planned injection was not taken, and why. Too ill leads to the check-in, told to stop to the hold."""
    dose = _dose(request, ref)
    if dose.record is not None:
        return _already(request, dose.record)
    now, form = timezone.now(), NotTakenForm(sent(request), initial={"key": uuid4()})
    if not form.is_valid():
        card = access.contact_card(dose.patient, now)
        return answer(request, "cycles/skip.html", form, dose=dose, patient=dose.patient, card=card)
    injection, created = actions.log_injection(
        by=request.user, patient=dose.patient, dose=dose, state=Injection.State.SKIPPED, now=now, **form.facts()
    )
    if not created:
        return _already(request, injection)
    return _after_skip(request, injection, _saved(request, injection))


def _after_skip(request: SignedInRequest, injection: Injection, response: HttpResponse) -> HttpResponse:
    """What the reason asks for next; everything is saved already."""
    who = {"patient": injection.patient, "user": request.user}
    if injection.reason == NotTaken.STOPPED:
        return redirect(ui.patient_url(who, "cycles:changed") + f"?kind={ready_forms.letter(Hold.Kind.TOLD_TO_STOP)}")
    too_ill = injection.reason == NotTaken.ILL and injection.patient.user_id == request.user.pk
    return redirect("sideeffects:check_in") if too_ill else response


def _entry(request: SignedInRequest, ref: str) -> Injection:
    return get_object_or_404(Injection.objects.visible_to(request.user).with_story(), ref=ref)


def _own_entry(request: SignedInRequest, ref: str) -> Injection:
    injection = _entry(request, ref)
    actions.require_own(request.user, injection)
    access.looked(request.user, injection.patient, "cycles.injection", injection)
    return injection


@login_required
@require_safe
def entry(request: SignedInRequest, ref: str) -> HttpResponse:
    """One record with everything that was ever changed about it."""
    injection = _entry(request, ref)
    access.looked(request.user, injection.patient, "cycles.injection", injection)
    own = request.user.pk in {injection.patient.user_id, injection.recorded_by_id}
    context = {
        "injection": injection,
        "patient": injection.patient,
        "steps": story.of(injection, request.user),
        "may_change": own and access.may_record(request.user, injection.patient),
        "resting": places.rest_words(_reactions_at(request, injection)),
    }
    return render(request, "cycles/entry.html", context)


def _reactions_at(request: SignedInRequest, injection: Injection) -> list[SiteReaction]:
    here = SiteReaction.objects.visible_to(request.user).of(injection.patient).open().filter(site=injection.site)
    return list(here) if injection.site else []


@login_required
@form_page
def correct(request: SignedInRequest, ref: str) -> HttpResponse:
    """Change a record; the old version stays in its history."""
    injection = _own_entry(request, ref)
    if injection.voided_at is not None or injection.state == Injection.State.SKIPPED:
        return redirect("cycles:entry", injection.ref)
    page = recording.open_page(
        request.user, injection.patient, timezone.now(), dose=injection.planned_dose, correcting=injection
    )
    form, answers = page.form(sent(request), injection.idempotency_key), request.POST.getlist("answer")
    if not form.is_valid() or "back" in answers:
        return answer(request, "cycles/log.html", form, injection=injection, **page.context(form))
    doubt = page.doubt(form, answers)
    if doubt is not None:
        return _ask(request, page, form, doubt)
    twice = TWICE in answers
    facts = form.facts(answers)
    actions.correct_injection(by=request.user, injection=injection, now=page.now, twice=twice, **facts)
    return _changed(request, injection, twice=twice)


def _changed(request: SignedInRequest, injection: Injection, *, twice: bool) -> HttpResponse:
    if any(concern.call for concern in concerns.about(injection, twice=twice)):
        return redirect("cycles:call", injection.ref)
    messages.success(request, _("Changed: %(what)s.") % {"what": _in_words(injection, request)})
    return redirect("cycles:entry", injection.ref)


@login_required
@form_page
def undo(request: SignedInRequest, ref: str) -> HttpResponse:
    """Ask once, then take an entry back: it stays in the history, and its slot is open again (A5, R9)."""
    injection, now = _own_entry(request, ref), timezone.now()
    if injection.voided_at is not None:
        return redirect("cycles:entry", injection.ref)
    late = now - injection.recorded_at > actions.UNDO_WITHOUT_REASON
    form = UndoForm(sent(request), needs_reason=late)
    if not form.is_valid():
        card = access.contact_card(injection.patient, now)
        return answer(request, "cycles/undo.html", form, injection=injection, patient=injection.patient, card=card)
    actions.void_injection(by=request.user, injection=injection, now=now, **form.cleaned_data)
    messages.success(request, _("Removed. This injection counts as not recorded again, and no reminder asks for it."))
    return _home(request, injection)


@login_required
@require_safe
def call(request: SignedInRequest, ref: str) -> HttpResponse:
    """Whom to call about an injection that was more, or sooner, than planned."""
    injection = _entry(request, ref)
    access.require_recording(request.user, injection.patient)
    patient = injection.patient
    access.looked(request.user, patient, "cycles.injection", injection)
    card, clinic = access.contact_card(patient, timezone.now()), access.open_clinic(patient)
    context = {"injection": injection, "patient": patient, "card": card, "clinic": clinic}
    return render(request, "cycles/call.html", context)
