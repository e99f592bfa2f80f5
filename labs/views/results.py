"""The pages of blood results: the list, the trend, one result, adding and correcting. Files have their own."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent
from labs import actions, draws, facts, words
from labs.forms import CorrectForm, DrawForm, RemoveForm
from labs.models import LabResult
from labs.picture import RANGES, picture

PAGE = 50


def require_adding(request: SignedInRequest, patient: Patient) -> None:
    """Raises PermissionDenied (403) unless the viewer may add results of this patient."""
    if not actions.may_add(request.user, patient):
        raise PermissionDenied


def to(request: SignedInRequest, name: str, patient: Patient) -> HttpResponse:
    """To a page of this patient, by the patient's own address or by the one for others."""
    return redirect(name) if patient.user_id == request.user.pk else redirect(name, code=patient.code)


@login_required
@require_safe
def results(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Every result, newest draw first, fifty draws a page; each with its verdict in words."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "labs.results")
    known = facts.load([patient], timezone.now())[patient.pk]
    rows = draws.drawings(draws.judged(known), request.user)
    before = _date(request.GET.get("before", ""))
    older = [row for row in rows if before is None or row.on < before]
    page = older[:PAGE]
    context = {
        "patient": patient,
        "rows": page,
        "next": page[-1].on if len(older) > PAGE else None,
        "percent": any(row.cd4_percent for row in page),
        "unsettled": any(row.unsettled for row in page),
        "may_add": actions.may_add(request.user, patient),
        "today": known.today,
    }
    return render(request, "labs/results.html", context)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@login_required
@require_safe
def trend(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """CD4+ and viral load over time with the courses (2.7). A clinician sees doses, nadir and progress as well."""
    patient = access.patient_or_404(request.user, code)
    access.looked(request.user, patient, "labs.trend")
    chosen = request.GET.get("range", "1")
    for_clinic = access.is_member_for(request.user, patient)
    shown = picture(
        patient, request.user, timezone.now(), chosen=chosen if chosen in RANGES else "1", for_clinic=for_clinic
    )
    context = {"patient": patient, "picture": shown, "may_add": actions.may_add(request.user, patient)}
    return render(request, "labs/trend.html", context)


@login_required
@form_page
def add(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Enter the results of one draw. What looks odd or is there already is asked about, then kept."""
    patient, now = access.patient_or_404(request.user, code), timezone.now()
    require_adding(request, patient)
    access.looked(request.user, patient, "labs.add")
    form = DrawForm(sent(request), patient=patient, viewer=request.user, now=now)
    if not form.is_valid() or "back" in request.POST:
        return answer(request, "labs/add.html", form, patient=patient)
    asked = [] if "sure" in request.POST else form.questions()
    if asked:
        return _ask(request, form, asked)
    try:
        kept = actions.add_results(
            by=request.user,
            patient=patient,
            drawn=form.drawn(),
            readings=form.readings(),
            now=now,
            replace="replace" in request.POST,
            note=form.cleaned_data["note"],
        )
    except actions.ConflictError as conflict:
        return _ask(request, form, conflict.messages, replace=True)
    messages.success(request, _kept(kept))
    return to(request, "labs:list", patient)


def _ask(request: SignedInRequest, form: DrawForm, asked: list[str], *, replace: bool = False) -> HttpResponse:
    typed = [(name, value) for name, values in request.POST.lists() for value in values]
    context = {
        "patient": form.patient,
        "asked": asked,
        "replace": replace,
        "sent": [(name, value) for name, value in typed if name not in {"csrfmiddlewaretoken", "replace"}],
        "echoes": [(analyte.name, form.echo(analyte)) for analyte in form.readings()],
        "drawn_on": form.cleaned_data["drawn_on"],
    }
    return render(request, "labs/ask.html", context)


def _kept(kept: list[LabResult]) -> str:
    said = ", ".join(f"{result.analyte.name} {words.value(result)}" for result in kept)
    day = words.long_day(kept[0].drawn_on)
    return _("Kept: %(said)s, taken on %(day)s.") % {"said": said, "day": day} + " " + _verdict(kept)


def _verdict(kept: list[LabResult]) -> str:
    """What the newly kept draw is worth, if it does not count."""
    patient = kept[0].patient
    known = facts.load([patient], timezone.now())[patient.pk]
    refs = {result.ref for result in kept}
    judged = [
        each for each in draws.judged(known) if each.result.ref in refs and each.judgement.verdict.counts is False
    ]
    if not judged:
        return ""
    why = {"reason": words.reason(judged[0].judgement), "word": words.verdict_word(judged[0].judgement)}
    return _("It was taken %(reason)s: %(word)s. It stays in the table and off the line.") % why


# One result


def _result(request: SignedInRequest, ref: str) -> LabResult:
    rows = LabResult.objects.visible_to(request.user).with_facts().select_related("voided_by", "batch")
    return get_object_or_404(rows, ref=ref)


@login_required
@require_safe
def entry(request: SignedInRequest, ref: str) -> HttpResponse:
    """One result: what was written, what it counts for, and every version of it."""
    result = _result(request, ref)
    access.looked(request.user, result.patient, "labs.result", result)
    known = facts.load([result.patient], timezone.now())[result.patient_id]
    rows = draws.drawings(draws.judged(known), request.user)
    row = next((row for row in rows if result.pk in {each.result.pk for each in row.judged}), None)
    context = {
        "patient": result.patient,
        "result": result,
        "value": words.value(result, unit=True),
        "row": row,
        "others": [each for each in row.judged if each.result.pk != result.pk] if row else [],
        "versions": words.versions(result, request.user.pk),
        "entered_by": words.entered_by(result, request.user.pk),
        "may_change": result.voided_at is None and actions.may_add(request.user, result.patient),
    }
    return render(request, "labs/entry.html", context)


@login_required
@form_page
def correct(request: SignedInRequest, ref: str) -> HttpResponse:
    """Change a result; the old value stays visible on its page."""
    result, now = _result(request, ref), timezone.now()
    require_adding(request, result.patient)
    access.looked(request.user, result.patient, "labs.result", result)
    form = CorrectForm(sent(request), result=result, viewer=request.user, now=now)
    if not form.is_valid():
        return answer(request, "labs/correct.html", form, patient=result.patient, result=result)
    try:
        actions.correct_result(
            by=request.user,
            result=result,
            reading=form.readings()[result.analyte],
            drawn=form.drawn(),
            now=now,
            note=form.cleaned_data["note"],
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return answer(request, "labs/correct.html", form, patient=result.patient, result=result)
    messages.success(request, _("Changed. The old value is kept below."))
    return redirect("labs:entry", ref)


@login_required
@form_page
def remove(request: SignedInRequest, ref: str) -> HttpResponse:
    """Take a result out of every list, with a reason; the row stays."""
    result = _result(request, ref)
    require_adding(request, result.patient)
    access.looked(request.user, result.patient, "labs.result", result)
    form = RemoveForm(sent(request))
    if not form.is_valid():
        return answer(request, "labs/remove.html", form, patient=result.patient, result=result)
    actions.void_result(by=request.user, result=result, now=timezone.now(), reason=form.cleaned_data["reason"])
    messages.success(request, _("Removed. It counts for nothing any more."))
    return to(request, "labs:list", result.patient)
