"""What a check-in comes to: the page that interrupts, the entry, and what was said before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cycles.models import SiteReaction
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import User
from il2tracker.alerts import told
from il2tracker.alerts.models import Alert
from sideeffects import actions, asking, change_actions, handover, story
from sideeffects.models import CheckIn, listed_effects

PAGE = 30
AT_A_PLACE = frozenset({"lump", "site_red", "scab"})


def check_in_or_404(request: SignedInRequest, ref: str) -> CheckIn:
    """One that the user may see, with its reports and alerts."""
    return get_object_or_404(CheckIn.objects.visible_to(request.user).with_reports(), ref=ref)


@login_required
@require_safe
def urgent(request: SignedInRequest, ref: str) -> HttpResponse:
    """The interruption: numbers first, then what was heard, what to read out, and what came of it (R2, R3, R7)."""
    saved, now = check_in_or_404(request, ref), timezone.now()
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
        "measured": handover.measured_words(saved),
        "treatment": handover.treatment_words(saved, now, request.user),
        "may_record": access.may_record(request.user, saved.patient),
        **_whom_to_call(saved, alerts, now, request.user),
    }
    return render(request, "sideeffects/urgent.html", context)


@login_required
@require_safe
def entry(request: SignedInRequest, ref: str) -> HttpResponse:
    """One check-in with everything that was answered and what followed."""
    saved, now = check_in_or_404(request, ref), timezone.now()
    patient = saved.patient
    reads_for_clinic = access.is_member_for(request.user, patient)
    access.looked(request.user, patient, "sideeffects.check_in", saved)
    context = {
        "check_in": saved,
        "patient": patient,
        "now": now,
        "flags": handover.flag_words(saved),
        "temperature": handover.temperature_words(saved),
        "version": asking.version_in_force(patient, saved.felt_on),
        "often_seen": actions.often_seen(saved),
        "is_feverish": handover.is_feverish(saved),
        "may_record": access.may_record(request.user, patient),
        "may_change": change_actions.may_change(request.user, saved),
        "measured": handover.measured_words(saved),
        "resting": list(SiteReaction.objects.visible_to(request.user).of(patient).open()),
        "is_at_a_place": _at_a_place(saved),
        "steps": story.of(saved),
        "may_acknowledge": reads_for_clinic,
        "effects": listed_effects(saved) if reads_for_clinic else [],
        **_whom_to_call(saved, saved.alerts.all(), now, request.user),
    }
    return render(request, "sideeffects/entry.html", context)


def _at_a_place(saved: CheckIn) -> bool:
    return any(report.symptom.code in AT_A_PLACE for report in saved.reports.all())


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
