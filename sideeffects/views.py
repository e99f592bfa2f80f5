"""The check-in, the page that interrupts, and what was said before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cycles.models import PlanVersion
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts import told
from il2tracker.alerts.models import Alert
from il2tracker.pages import form_page, sent
from sideeffects import actions, handover, triage
from sideeffects.forms import CheckInForm, unfinished_data
from sideeffects.models import CheckIn, catalogue, listed_effects

PAGE = 30


@login_required
@form_page
def check_in(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """How are you now? What is urgent in an answer is saved and interrupts, also when the rest is not valid (R4)."""
    patient = access.patient_or_404(request.user, code)
    access.require_recording(request.user, patient)
    access.looked(request.user, patient, "sideeffects.form")
    now = timezone.now()
    version = actions.version_in_force(patient, patient.today(now))
    form = _form(sent(request), patient, version)
    if request.method == "POST" and _may_save(form, patient, now):
        recorded = actions.record_check_in(
            by=request.user, patient=patient, key=form.cleaned_data["key"], answers=form.answers(), now=now
        )
        return _after(request, recorded)
    return _page(request, form, patient=patient, version=version, now=now)


@login_required
@form_page
def finish(request: SignedInRequest, ref: str) -> HttpResponse:
    """The rest of a check-in that was saved early because something in it was urgent."""
    saved = _check_in_or_404(request, ref)
    patient, now = saved.patient, timezone.now()
    access.require_recording(request.user, patient)
    if request.method != "POST" and not saved.is_unfinished:
        return redirect("sideeffects:entry", saved.ref)
    access.looked(request.user, patient, "sideeffects.form", saved)
    version = actions.version_in_force(patient, saved.felt_on)
    form = _form(request.POST if request.method == "POST" else unfinished_data(saved), patient, version)
    if request.method == "POST" and (form.is_valid() or actions.urgent_and_new(saved, form.answers())):
        return _after(
            request, actions.finish_check_in(by=request.user, check_in=saved, answers=form.answers(), now=now)
        )
    return _page(request, form, patient=patient, version=version, now=now, saved=saved)


def _form(data: QueryDict | None, patient: Patient, version: PlanVersion | None) -> CheckInForm:
    return CheckInForm(data, patient=patient, version=version, symptoms=catalogue())


def _may_save(form: CheckInForm, patient: Patient, now: datetime) -> bool:
    if form.is_valid():
        return True
    return triage.is_urgent(actions.assess(patient=patient, answers=form.answers(), felt_at=now))


def _page(request: HttpRequest, form: CheckInForm, **context: Any) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    context["card"] = access.contact_card(context["patient"], context["now"])
    return render(request, "sideeffects/check_in.html", {"form": form, **context}, status=status)


def _after(request: SignedInRequest, recorded: actions.Recorded) -> HttpResponse:
    """The page with the numbers for anything urgent; for the rest a status that names what was saved, and when."""
    saved = _check_in_or_404(request, recorded.check_in.ref)
    if any(alert.is_urgent for alert in saved.alerts.all()):
        return redirect("sideeffects:urgent", saved.ref)
    words = handover.saved_words if recorded.created else handover.saved_already_words
    messages.success(request, words(saved, request.user))
    return redirect("sideeffects:entry", saved.ref)


def _check_in_or_404(request: SignedInRequest, ref: str) -> CheckIn:
    return get_object_or_404(CheckIn.objects.visible_to(request.user).with_reports(), ref=ref)


@login_required
@require_safe
def urgent(request: SignedInRequest, ref: str) -> HttpResponse:
    """The interruption: numbers first, then what was heard, what to read out, and what came of it (R2, R3, R7)."""
    saved, now = _check_in_or_404(request, ref), timezone.now()
    alerts = [alert for alert in saved.alerts.all() if alert.is_urgent]
    if not alerts:
        return redirect("sideeffects:entry", saved.ref)
    access.looked(request.user, saved.patient, "sideeffects.check_in", saved)
    flags = handover.flag_words(saved)
    context = {
        "check_in": saved,
        "patient": saved.patient,
        "now": now,
        "alerts": alerts,
        "kind": handover.kind_of_urgency(saved, alerts),
        "flags": flags,
        "symptoms": handover.symptom_words(saved),
        "temperature": handover.temperature_words(saved),
        "treatment": handover.treatment_words(saved, now, request.user),
        "may_record": access.may_record(request.user, saved.patient),
        **_whom_to_call(saved, alerts, now, request.user),
    }
    return render(request, "sideeffects/urgent.html", context)


@login_required
@require_safe
def entry(request: SignedInRequest, ref: str) -> HttpResponse:
    """One check-in with everything that was answered and what followed."""
    saved, now = _check_in_or_404(request, ref), timezone.now()
    patient = saved.patient
    reads_for_clinic = access.is_member_for(request.user, patient)
    access.looked(request.user, patient, "sideeffects.check_in", saved)
    context = {
        "check_in": saved,
        "patient": patient,
        "now": now,
        "flags": handover.flag_words(saved),
        "temperature": handover.temperature_words(saved),
        "version": actions.version_in_force(patient, saved.felt_on),
        "often_seen": actions.often_seen(saved),
        "is_feverish": handover.is_feverish(saved),
        "may_record": access.may_record(request.user, patient),
        "may_acknowledge": reads_for_clinic,
        "effects": listed_effects(saved) if reads_for_clinic else [],
        **_whom_to_call(saved, saved.alerts.all(), now, request.user),
    }
    return render(request, "sideeffects/entry.html", context)


def _whom_to_call(saved: CheckIn, alerts: Iterable[Alert], now: datetime, viewer: User) -> dict[str, Any]:
    """The numbers, and what is known of the clinic."""
    has_clinic, card = access.open_clinic(saved.patient) is not None, access.contact_card(saved.patient, now)
    words = told.to_patient(alerts, saved.patient, now, viewer, has_clinic=has_clinic, phone=card.phone)
    return {"has_clinic": has_clinic, "card": card, "told": words}


@login_required
@require_safe
def earlier(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Check-ins, the newest first, a page at a time by key."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "sideeffects.check_ins")
    rows = CheckIn.objects.visible_to(request.user).of(patient).with_reports().newest_first()
    before = request.GET.get("before")
    if before:
        rows = rows.older_than(get_object_or_404(CheckIn.objects.visible_to(request.user).of(patient), ref=before))
    page = list(rows[: PAGE + 1])
    context = {
        "patient": patient,
        "check_ins": page[:PAGE],
        "older": page[PAGE - 1].ref if len(page) > PAGE else "",
        "may_record": access.may_record(request.user, patient),
    }
    return render(request, "sideeffects/earlier.html", context)
