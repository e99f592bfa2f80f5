"""The pages on which those who prescribe change what a plan has set going."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from cycles import course_actions, hold_actions, plan_actions
from cycles.course_forms import ChangeForm, ReasonForm, StopForm
from cycles.models import Cycle, Plan
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent


def _course(request: SignedInRequest, ref: str) -> Cycle:
    courses = Cycle.objects.visible_to(request.user).select_related("patient", "plan__protocol", "version")
    cycle: Cycle = get_object_or_404(courses, ref=ref)
    _require(request, cycle.patient)
    return cycle


def _require(request: SignedInRequest, patient: Patient) -> None:
    access.require_prescribing(request.user, patient)
    access.looked(request.user, patient, "cycles.plan")


def _to_plan(request: SignedInRequest, patient: Patient, said: str = "") -> HttpResponse:
    if said:
        messages.success(request, said)
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, "cycles:plan"))


@login_required
@form_page
def change(request: SignedInRequest, ref: str) -> HttpResponse:
    """Move, hold or leave out a course that has not started; give a held one a day again (H22)."""
    cycle, now = _course(request, ref), timezone.now()
    today = cycle.patient.today(now)
    if not cycle.may_move(today):
        return _to_plan(request, cycle.patient)
    if course_actions.has_begun(cycle, today):
        return redirect(ui.patient_url({"patient": cycle.patient, "user": request.user}, "cycles:waits"))
    form = ChangeForm(sent(request), cycle=cycle, today=today)
    if form.is_valid():
        try:
            _decide(request, cycle, now, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
    if not form.is_valid():
        return answer(request, "cycles/course_change.html", form, patient=cycle.patient, cycle=cycle)
    return _to_plan(request, cycle.patient, form.done)


def _decide(
    request: SignedInRequest,
    cycle: Cycle,
    now: datetime,
    *,
    what: str,
    starts_on: date,
    kind: str,
    reason: str,
    named: list[str],
) -> None:
    facts: dict[str, Any] = {"by": request.user, "cycle": cycle, "reason": reason}
    if what == ChangeForm.MOVE:
        hold_actions.lift_and_move(**facts, starts_on=starts_on, now=now, named=named)
    elif what == ChangeForm.HOLD:
        hold_actions.raise_hold(**facts, kind=kind, now=now)
    else:
        course_actions.cancel_cycle(**facts)


@login_required
@form_page
def stop(request: SignedInRequest, ref: str) -> HttpResponse:
    """Stop a course that runs: what would have come counts neither as taken nor as missed (2.2)."""
    cycle = _course(request, ref)
    today = cycle.patient.today(timezone.now())
    if not cycle.may_stop(today):
        return _to_plan(request, cycle.patient)
    form = StopForm(sent(request), cycle=cycle, today=today)
    if not form.is_valid():
        return answer(request, "cycles/course_stop.html", form, patient=cycle.patient, cycle=cycle)
    on, reason = form.cleaned_data["stopped_on"], form.cleaned_data["reason"]
    course_actions.stop_cycle(by=request.user, cycle=cycle, on=on, reason=reason)
    return _to_plan(request, cycle.patient, _("Course %(number)s is stopped.") % {"number": cycle.number})


@login_required
@form_page
def end(request: SignedInRequest, ref: str) -> HttpResponse:
    """End a plan: record, results and sharing stay (M8)."""
    plan: Plan = get_object_or_404(Plan.objects.visible_to(request.user).select_related("patient", "protocol"), ref=ref)
    _require(request, plan.patient)
    if plan.ended_on is not None:
        return _to_plan(request, plan.patient)
    form = ReasonForm(sent(request))
    if not form.is_valid():
        return answer(request, "cycles/plan_end.html", form, patient=plan.patient, plan=plan)
    today, reason = plan.patient.today(timezone.now()), form.cleaned_data["reason"]
    plan_actions.end_plan(by=request.user, plan=plan, on=today, reason=reason)
    return _to_plan(request, plan.patient, _("The plan has ended. Everything that was recorded stays."))
