"""The pages of blood results: the list, the trend, one result. Entering and files have their own."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from labs import actions, ledger, to_see, words
from labs.error_actions import may_restore
from labs.ledger import Key
from labs.models import ImportBatch, LabResult
from labs.picture import RANGES, picture


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
    before = Key.read(request.GET.get("before", ""))
    for_clinic = access.is_member_for(request.user, patient)
    page = ledger.page(patient, request.user, timezone.now(), before, for_clinic=for_clinic)
    context = {"patient": patient, "page": page, "may_add": actions.may_add(request.user, patient)}
    return render(request, "labs/results.html", context)


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


# One result


def _result(request: SignedInRequest, ref: str) -> LabResult:
    rows = LabResult.objects.visible_to(request.user).with_facts().select_related("voided_by", "batch")
    return get_object_or_404(rows, ref=ref)


@login_required
@require_safe
def entry(request: SignedInRequest, ref: str) -> HttpResponse:
    """One result: everything that was kept about it, what it counts for, and every version of it."""
    result = _result(request, ref)
    access.looked(request.user, result.patient, "labs.result", result)
    for_clinic = access.is_member_for(request.user, result.patient)
    one = ledger.one(result, request.user, timezone.now(), for_clinic=for_clinic)
    context = {
        "patient": result.patient,
        "result": result,
        "line": one.line,
        "value": words.value(result, unit=True),
        "row": one.drawing,
        "others": one.others,
        "versions": words.versions(result, request.user.pk),
        "entered_by": words.entered_by(result, request.user.pk),
        "voided_by": words.person(result.voided_by, request.user.pk),
        "may_change": result.voided_at is None and actions.may_add(request.user, result.patient),
        "may_open_file": ImportBatch.objects.visible_to(request.user).filter(pk=result.batch_id).exists(),
        "may_restore": may_restore(request.user, result),
        "seeing": to_see.of_result(result) if for_clinic else None,
    }
    return render(request, "labs/entry.html", context)
