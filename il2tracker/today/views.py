"""A patient's home page, the page of the whole course, and the blood test before the next one."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent
from il2tracker.reminders import trouble
from il2tracker.today import actions, blood, board
from il2tracker.today import course as course_page
from il2tracker.today import home as home_page
from il2tracker.today.forms import BloodTestForm
from labs import actions as labs


@login_required
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """What to do now, and what comes next. People without a diary go to where their work is."""
    user = request.user
    if user.patient_or_none:
        now = timezone.now()
        page = home_page.compose(user.patient_or_none, now, user.clock)
        context = {
            "page": page,
            "patient": page.board.patient,
            "version": page.version,
            "trouble": trouble.of(user, now),
        }
        return render(request, "today/home.html", context)
    if user.is_clinician:
        return redirect("clinic:panel")
    if Patient.objects.visible_to(user).exists():
        return redirect("accounts:settings")  # a carer: the diaries shared with him stand there
    return redirect("system:page" if user.is_administrator else "accounts:start")


@login_required
@require_safe
def course(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """A course with every slot: the present one, or the one whose number is asked for."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    access.looked(request.user, patient, "today.course")
    page = course_page.compose(
        patient,
        now,
        request.user.clock,
        number=_number(request.GET.get("course")),
        before=_day(request.GET.get("before")),
    )
    context = {
        "page": page,
        "patient": patient,
        "card": access.contact_card(patient, now),
        "may_record": access.may_record(request.user, patient),
        "may_add": labs.may_add(request.user, patient),
    }
    return render(request, "today/course.html", context)


@login_required
@form_page
def blood_test(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Booked for, taken on: what is known about the test before the next course."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    if not labs.may_add(request.user, patient):
        raise PermissionDenied
    today = patient.today(now)
    cycle = board.read_courses(patient, today).coming
    if cycle is None or not cycle.version.timing_matters:
        raise Http404
    access.looked(request.user, patient, "today.blood_test")
    row = blood.kept(cycle)
    known = {"booked_for": row.booked_for, "drawn_on": row.drawn_on} if row else {}
    form = BloodTestForm(sent(request), starts_on=cycle.starts_on, today=today, initial=known)
    if not form.is_valid():
        return answer(request, "today/blood_test.html", form, patient=patient, cycle=cycle)
    actions.keep_blood_test(by=request.user, cycle=cycle, now=now, **form.cleaned_data)
    messages.success(request, form.saved_words())
    return _back(request, patient)


def _back(request: SignedInRequest, patient: Patient) -> HttpResponse:
    if patient.user_id == request.user.pk:
        return redirect("today:home")
    return redirect("today:course", code=patient.code)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 4:
        raise Http404
    return int(text)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Http404 from error
