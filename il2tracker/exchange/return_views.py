"""The pages on which check-ins of a record are brought back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import ngettext

from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.exchange import found_check_ins
from il2tracker.exchange.own_check_ins import File
from il2tracker.exchange.return_forms import ConfirmForm, RecordForm, is_other, signed
from il2tracker.pages import answer, form_page
from labs.files.candidates import FileError
from sideeffects import restoring


@login_required
@form_page
def bring_back(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Choose the file of a whole diary; then what in it is new; then it is added. Nobody is alarmed by any of it."""
    patient = access.patient_or_404(request.user, code)
    access.require_recording(request.user, patient)
    access.looked(request.user, patient, "exchange.page")
    if "kept" in request.POST:
        return _confirm(request, patient)
    is_sent = request.method == "POST"
    form = RecordForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    if form.is_valid():
        try:
            return _preview(request, patient, form.cleaned_data["file"])
        except FileError as error:
            form.add_error("file", str(error))
    return answer(request, "exchange/return.html", form, patient=patient)


def _preview(request: SignedInRequest, patient: Patient, file: File) -> HttpResponse:
    kept = signed(file, request.user, patient)
    form = ConfirmForm(initial={"kept": kept}, user=request.user, patient=patient)
    return render(request, "exchange/return_check.html", _found(patient, file) | {"form": form})


def _found(patient: Patient, file: File) -> dict[str, Any]:
    found = found_check_ins.look(patient, file, timezone.now())
    return {"patient": patient, "found": found, "file": file, "is_other": is_other(file, patient)}


def _confirm(request: SignedInRequest, patient: Patient) -> HttpResponse:
    form = ConfirmForm(request.POST, user=request.user, patient=patient)
    if not form.is_valid():
        if form.file is None:
            return answer(request, "exchange/return.html", _again(form), patient=patient)
        return answer(request, "exchange/return_check.html", form, **_found(patient, form.file))
    now = timezone.now()
    content = found_check_ins.read(patient, form.cleaned_data["kept"], now)
    made = restoring.bring_back(by=request.user, patient=patient, kept=content.kept, now=now)
    words = ngettext("%(n)s check-in was brought back.", "%(n)s check-ins were brought back.", len(made))
    messages.success(request, words % {"n": len(made)})
    return redirect(ui.patient_url({"patient": patient, "user": request.user}, "sideeffects:earlier"))


def _again(form: ConfirmForm) -> RecordForm:
    """The first form, with what was wrong with the second."""
    again = RecordForm({}, MultiValueDict())
    again.errors.clear()
    again.add_error("file", [error for errors in form.errors.values() for error in errors])
    return again
