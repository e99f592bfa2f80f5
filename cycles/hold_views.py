"""Courses that wait: saying that something has changed, whom to call, and lifting a hold (P22, D19, H22)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cycles import confirming, course_actions, hold_actions, ready_actions
from cycles.models import Cycle, Hold
from cycles.ready_forms import ChangedForm, HoldForm, LiftForm
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent


def _to(request: SignedInRequest, patient: Patient, name: str) -> HttpResponse:
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, name))


@login_required
@form_page
def changed(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """An infection, a pregnancy, told to stop: the course waits from now on, and the next page says whom to call."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    as_clinic = access.is_member_for(request.user, patient)
    if not (as_clinic or access.may_record(request.user, patient)):
        raise PermissionDenied
    access.looked(request.user, patient, "cycles.hold")
    cycle = confirming.course_to_hold(Cycle.objects.visible_to(request.user).of(patient), patient.today(now))
    if as_clinic and cycle is None:
        return _to(request, patient, "cycles:plan")
    form = (HoldForm if as_clinic else ChangedForm)(sent(request), initial={"kind": request.GET.get("kind", "")})
    if not form.is_valid():
        card = access.contact_card(patient, now)
        context = {"patient": patient, "cycle": cycle, "as_clinic": as_clinic, "card": card}
        return answer(request, "cycles/changed.html", form, **context)
    facts = {"patient": patient, "cycle": cycle, "now": now, **form.cleaned_data}
    ready_actions.report_change(by=request.user, **facts)
    return _to(request, patient, "cycles:waits")


@login_required
@require_safe
def waits(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Whom to call before any more injections; for those who prescribe, every reason with who gave it and when."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    access.looked(request.user, patient, "cycles.hold")
    holds = Hold.objects.visible_to(request.user).of(patient).open().select_related("cycle", "raised_by")
    today = patient.today(now)
    cycle = confirming.course_to_hold(Cycle.objects.visible_to(request.user).of(patient), today)
    waits_for_day = cycle is not None and not cycle.goes_ahead and not course_actions.has_begun(cycle, today)
    may_prescribe = access.may_prescribe(request.user, patient)
    context = {
        "patient": patient,
        "holds": list(holds),
        "cycle": cycle,
        "may_move": waits_for_day,
        "card": access.contact_card(patient, now),
        "clinic": access.open_clinic(patient),
        "today": today,
        "may_prescribe": may_prescribe,
    }
    own = access.may_record(request.user, patient)
    return render(request, "cycles/waits.html" if own else "cycles/holds.html", context)


@login_required
@form_page
def lift(request: SignedInRequest, ref: str) -> HttpResponse:
    """Say that one reason to wait is over; with the last one the course goes on."""
    holds = Hold.objects.visible_to(request.user).select_related("patient", "cycle__version", "raised_by")
    hold: Hold = get_object_or_404(holds, ref=ref)
    access.require_prescribing(request.user, hold.patient)
    access.looked(request.user, hold.patient, "cycles.hold", hold)
    if not hold.is_open:
        return _to(request, hold.patient, "cycles:plan")
    now, form = timezone.now(), LiftForm(sent(request))
    if not form.is_valid():
        context = {"patient": hold.patient, "hold": hold, "others": _others(request, hold)}
        return answer(request, "cycles/hold_lift.html", form, **context)
    hold = hold_actions.lift_hold(by=request.user, hold=hold, now=now, note=form.cleaned_data["note"])
    courses = Cycle.objects.visible_to(request.user).of(hold.patient)
    messages.success(request, _lifted(hold, confirming.course_to_hold(courses, hold.patient.today(now))))
    return _to(request, hold.patient, "cycles:plan")


def _others(request: SignedInRequest, hold: Hold) -> int:
    """How many other reasons still stand."""
    return Hold.objects.visible_to(request.user).of(hold.patient).open().exclude(pk=hold.pk).count()


def _lifted(hold: Hold, cycle: Cycle | None) -> str:
    """What became of the course that runs or comes next."""
    if cycle is None:
        return _("Noted. No course waits.")
    number = {"number": cycle.number}
    if cycle.goes_ahead:
        return _("Course %(number)s goes on.") % number
    if cycle.open_holds:
        return _("Noted. Course %(number)s still waits for another reason.") % number
    return _("Noted. Course %(number)s needs a new first day.") % number
