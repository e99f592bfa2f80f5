"""Putting one reminder off: the page that the diary's own links lead to."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from cycles import recording
from cycles.models import PlannedDose
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from il2tracker.reminders import snoozing
from il2tracker.reminders.later_forms import OWN, LaterForm
from il2tracker.reminders.models import Snooze
from il2tracker.reminders.snoozing import Offer
from il2tracker.reminders.wishes import Reason


@login_required
@form_page
def later(request: SignedInRequest, ref: str) -> HttpResponse:
    """Choose when the reminder of one injection comes; the plan stays as it is."""
    dose, now = _dose(request, ref), timezone.now()
    if dose.record is not None:
        return redirect("cycles:entry", dose.record.ref)
    offered = snoozing.offer(dose, now)
    laters = offered.laters(now) if offered else []
    form = LaterForm(sent(request), patient=dose.patient, viewer=request.user, now=now, laters=laters)
    if not form.is_valid():
        return _page(request, form, dose, offered, now)
    try:
        snooze = snoozing.snooze(by=request.user, dose=dose, again_at=form.cleaned_data["again_at"], now=now)
    except ValidationError as refused:
        form.add_error("own_time" if form.cleaned_data["when"] == OWN else "when", refused)
        return _page(request, form, dose, offered, now)
    messages.success(request, _saved(request, offered, snooze))
    return _home(request, dose)


def _dose(request: SignedInRequest, ref: str) -> PlannedDose:
    dose = get_object_or_404(PlannedDose.objects.visible_to(request.user).for_recording(), ref=ref)
    access.require_recording(request.user, dose.patient)
    access.looked(request.user, dose.patient, "reminders.later", dose)
    return dose


def _page(
    request: SignedInRequest, form: LaterForm, dose: PlannedDose, offered: Offer | None, now: datetime
) -> HttpResponse:
    page = recording.open_page(request.user, dose.patient, now, dose=dose)
    words = {
        "patient": dose.patient,
        "dose": dose,
        "version": page.version,
        "offered": offered,
        "is_coming": offered is not None and offered.usual > now,
        "too_late": page.is_too_late,
        "late_until": page.late_until,
        "card": access.contact_card(dose.patient, now),
    }
    return answer(request, "reminders/later.html", form, **words)


def _saved(request: SignedInRequest, offered: Offer | None, snooze: Snooze) -> str:
    """When it comes; and honestly when only the list of reminders will say it."""
    at = ui.clock(snooze.again_at.astimezone(snooze.patient.zone), request.user)
    said = _("The reminder comes at %(time)s. Your plan stays as it is.") % {"time": at}
    reason = offered.not_mailed(snooze.again_at) if offered else None
    if reason is None:
        return said
    why = {
        Reason.TURNED_OFF: _("mails about it are switched off"),
        Reason.QUIET: _("quiet hours hold mails back then"),
        Reason.REFUSED: _("mails do not reach the address"),
    }
    only = _("It only stands in the list of reminders, because %(why)s. Your plan stays as it is.")
    return only % {"why": why.get(reason, _("no mail can be sent"))}


def _home(request: SignedInRequest, dose: PlannedDose) -> HttpResponse:
    if dose.patient.user_id == request.user.pk:
        return redirect("today:home")
    return redirect("today:course", code=dose.patient.code)
