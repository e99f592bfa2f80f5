"""The pages of a plan: reading it, choosing where to begin, entering it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cycles import bloodwork, plan_actions, plan_editor, plan_words, starts, versions
from cycles.models import Cycle, Plan
from cycles.plan_forms import NewPlanForm
from cycles.protocols import Protocol, Standing, protocols_for
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent


@login_required
@require_safe
def plan(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """The plan in words, its courses, and what each version changed."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "cycles.plan")
    today = patient.today(timezone.now())
    plans = Plan.objects.visible_to(request.user).of(patient)
    found = plans.active().with_versions().first()
    courses = list(Cycle.objects.visible_to(request.user).of(patient).filter(plan=found).order_by("-number"))
    versions.load_decisions(courses)
    context = {
        "patient": patient,
        "plan": found,
        "ended": None if found else plans.order_by("-ended_on").first(),
        **_version(found),
        "history": versions.history(found, request.user.clock) if found else [],
        "in_force": versions.in_force(found, courses, today) if found else None,
        "cycles": courses,
        "held": versions.on_hold(courses),
        "shows_terms": access.is_member_for(request.user, patient) or versions.on_hold(courses) is None,
        "movable": [cycle for cycle in courses if cycle.may_move(today)],
        "stoppable": [cycle for cycle in courses if cycle.may_stop(today)],
        "today": today,
        "may_prescribe": access.may_prescribe(request.user, patient),
    }
    return render(request, "cycles/plan.html", context)


def _version(plan: Plan | None) -> dict[str, Any]:
    """The newest version with its goal and volumes in words (O8)."""
    if plan is None:
        return {"version": None}
    version = plan.current_version
    return {"version": version, "goal": plan_words.goal(version), "volumes": versions.volumes(version)}


def prescribed(request: SignedInRequest, code: str | None) -> Patient:
    """The patient, for a page on which a plan is made or changed. Raises Http404, PermissionDenied."""
    patient = access.patient_or_404(request.user, code)
    access.require_prescribing(request.user, patient)
    access.looked(request.user, patient, "cycles.plan")
    return patient


@login_required
@require_safe
def plan_choose(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """The library, each protocol with its source and what is known about it. Nothing is chosen beforehand."""
    patient = prescribed(request, code)
    context = {
        "patient": patient,
        "groups": _groups(_offered(request, patient)),
        "active": Plan.objects.visible_to(request.user).of(patient).active().first(),
        "own_card": access.contact_card(patient, timezone.now()),
    }
    return render(request, "cycles/plan_choose.html", context)


def _offered(request: SignedInRequest, patient: Patient) -> QuerySet[Protocol]:
    return protocols_for(in_clinic=access.is_member_for(request.user, patient))


def _groups(protocols: QuerySet[Protocol]) -> list[tuple[Standing, list[dict[str, Any]]]]:
    """The library by what stands behind its rows."""
    order = list(Standing)
    rows = sorted(protocols, key=lambda row: (order.index(Standing(row.standing)), row.position))
    return [
        (Standing(standing), [_row(protocol) for protocol in group])
        for standing, group in groupby(rows, key=lambda row: row.standing)
    ]


def _row(protocol: Protocol) -> dict[str, Any]:
    phases = protocol.regimen.phases
    asks_when = protocol.timing_matters and protocol.standing != Standing.BLANK
    return {
        "protocol": protocol,
        "phases": [(plan_words.lines(phase, protocol.regimen.unit), plan_words.repeats(phase)) for phase in phases],
        "blood": bloodwork.before_courses(protocol.regimen) if asks_when else None,
    }


@login_required
@form_page
def plan_new(request: SignedInRequest, slug: str, code: str | None = None) -> HttpResponse:
    """Enter the plan, look at every dose and blood test, save version 1."""
    patient = prescribed(request, code)
    protocol, now = get_object_or_404(_offered(request, patient), slug=slug), timezone.now()
    rows, today = plan_editor.template_rows(protocol), patient.today(now)
    known: dict[str, Any] = {"protocol": protocol, "patient": patient, "today": today, "viewer": request.user}
    form = plan_editor.open_form(NewPlanForm, sent(request), rows=rows, **known)
    context = {**known, "suggested": starts.suggested(today, protocol.hardest_days, form.work_days)}
    context["preset"] = _row(protocol)
    step = request.POST.get("step")
    if not form.is_valid() or step == "back":
        return answer(request, "cycles/plan_new.html", form, **context)
    if step != "save":
        context |= {"form": form, "outlook": form.outlook(), "signs_as_clinic": form.for_clinic, "number": 1}
        return render(request, "cycles/plan_preview.html", context)
    try:
        plan_actions.create_plan(by=request.user, patient=patient, protocol=protocol, now=now, **form.plan)
    except ValidationError as refused:
        form.add_error(None, refused)
        return answer(request, "cycles/plan_new.html", form, **context)
    return to_plan(request, patient, _("The plan is saved."))


def to_plan(request: SignedInRequest, patient: Patient, said: str) -> HttpResponse:
    """Back to the page of the plan, which says what was done."""
    messages.success(request, said)
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, "cycles:plan"))
