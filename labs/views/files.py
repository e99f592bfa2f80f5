"""From a file to results: upload, say what the file does not say, look at every row, add. Nothing is added before."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page, sent
from labs import import_actions, uploads
from labs.file_forms import AnswersForm, FileForm
from labs.files.candidates import FileError
from labs.files.formats import MESSAGE_BYTES
from labs.matching import Match
from labs.models import ImportBatch
from labs.outcomes import HIDDEN, REPLACED
from labs.previews import Preview
from labs.views.results import require_adding, to
from labs.writing import StrangerError

LISTED = 20  # earlier files on the page to choose one


@login_required
@form_page
def upload(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Choose a file with one patient's results, or paste them."""
    patient = access.patient_or_404(request.user, code)
    require_adding(request, patient)
    access.looked(request.user, patient, "labs.add")
    return _upload(request, patient)


@login_required
@form_page
def upload_many(request: SignedInRequest) -> HttpResponse:
    """Choose a file with results of several patients of the clinic."""
    if not request.user.is_clinician:
        raise Http404
    return _upload(request, None)


def _upload(request: SignedInRequest, patient: Patient | None) -> HttpResponse:
    form = FileForm(sent(request), request.FILES or None)
    if form.is_valid():
        box, name, content = form.content()
        try:
            batch = import_actions.keep_upload(
                by=request.user, patient=patient, file_name=name, content=content, now=timezone.now()
            )
        except FileError as error:
            form.add_error(box, str(error))
        else:
            return redirect("labs:upload", batch.ref)
    finished = (ImportBatch.State.DONE, ImportBatch.State.UNDONE)
    own = ImportBatch.objects.visible_to(request.user).filter(patient=patient, state__in=finished)
    context = {"patient": patient, "batches": own.order_by("-pk")[:LISTED], "most": MESSAGE_BYTES // 1_000_000}
    return answer(request, "labs/upload.html", form, **context)


@login_required
@form_page
def preview(request: SignedInRequest, ref: str) -> HttpResponse:
    """What each row of the file would become, and the questions the file leaves open."""
    batch = batch_or_404(request, ref)
    if batch.state != ImportBatch.State.WAITING:
        return _finished(request, batch)
    shelf = uploads.addable_by(request.user)
    patients = uploads.patients_of(batch, shelf)
    said = {name: value for name, value in batch.answers.items() if name != "same"}
    upload = uploads.read_upload(bytes(batch.content), said, patients, timezone.now())
    outcomes = list(upload.outcomes())
    access.looked_at_all(request.user, set(upload.patients.values()), "labs.upload")
    form = AnswersForm(sent(request), asked=upload.asked, own=batch.patient is not None, visible=shelf,
                       strangers=upload.strangers)  # fmt: skip
    form.initial = form.as_answered(batch.answers)
    if request.method == "POST" and form.is_valid():
        import_actions.answer_upload(by=request.user, batch=batch, answers=form.answers())
        return redirect("labs:upload", batch.ref)
    if batch.answers.get("same"):
        upload = uploads.read_upload(bytes(batch.content), batch.answers, patients, timezone.now())
        outcomes = list(upload.outcomes())
    rows = Preview(outcomes, request.GET.get("show", ""), _page(request), batch.patient is None)
    context = _preview(batch, upload, rows)
    return answer(request, "labs/preview.html", form, people=form.people(rows.rows_of), **context,
                  codes=list(shelf.values())[: uploads.MOST_PEOPLE])  # fmt: skip


def _page(request: SignedInRequest) -> int:
    page = request.GET.get("page", "")
    return max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 9 else 1


def batch_or_404(request: SignedInRequest, ref: str) -> ImportBatch:
    """The person's own upload; one that waited too long is gone."""
    batch = get_object_or_404(ImportBatch.objects.visible_to(request.user).select_related("patient"), ref=ref)
    if batch.state == ImportBatch.State.WAITING and batch.expires_at <= timezone.now():
        raise Http404
    return batch


def _preview(batch: ImportBatch, upload: uploads.Upload, preview: Preview) -> dict[str, Any]:
    return {
        "patient": batch.patient,
        "batch": batch,
        "preview": preview,
        "asked": upload.asked,
        "unused": upload.file.unused,
        "by_column": upload.file.by_column,
        "by_line": upload.file.by_line,
    }


@login_required
@require_POST
def confirm(request: SignedInRequest, ref: str) -> HttpResponse:
    """Add what is new, all or nothing."""
    batch = batch_or_404(request, ref)
    if batch.state != ImportBatch.State.WAITING:
        return _finished(request, batch)
    patients = uploads.patients_of(batch, uploads.addable_by(request.user))
    said = {"replace": request.POST.get("conflicts") == "replace", "sure": request.POST.get("odd") == "add",
            "beyond": request.POST.get("beyond") == "add"}  # fmt: skip
    try:
        done = import_actions.confirm_upload(
            by=request.user, batch=batch, patients=patients, now=timezone.now(), **said
        )
    except StrangerError as error:
        messages.warning(request, _("Nothing was added. %(why)s") % {"why": " ".join(error.messages)})
        return redirect("labs:upload", ref)
    messages.success(request, _added(done))
    return redirect("labs:batch", ref)


def _added(done: ImportBatch) -> str:
    """How many results were added, took another's place, were hidden or were left out."""
    counted = dict(done.outcomes)
    added = counted.pop(Match.NEW.value, 0)
    replaced = counted.pop(REPLACED, 0) + counted.pop(Match.CORRECTS.value, 0)
    hidden = counted.pop(HIDDEN, 0)
    counted.pop(Match.THERE.value, 0)
    left_out = sum(counted.values())
    said = [ngettext("%(n)s result added.", "%(n)s results added.", added) % {"n": added}]
    if replaced:
        said.append(ngettext("%(n)s replaced.", "%(n)s replaced.", replaced) % {"n": replaced})
    if hidden:
        said.append(ngettext("%(n)s hidden.", "%(n)s hidden.", hidden) % {"n": hidden})
    if left_out:
        said.append(ngettext("%(n)s left out.", "%(n)s left out.", left_out) % {"n": left_out})
    return " ".join(said)


@login_required
@require_POST
def drop(request: SignedInRequest, ref: str) -> HttpResponse:
    """Forget the file without adding anything."""
    batch = batch_or_404(request, ref)
    if batch.state == ImportBatch.State.WAITING:
        batch = import_actions.drop_upload(by=request.user, batch=batch)
    messages.success(request, _("The file is forgotten. Nothing was added."))
    return home(request, batch)


def _finished(request: SignedInRequest, batch: ImportBatch) -> HttpResponse:
    messages.success(request, _("This file is finished. Nothing more was added."))
    return home(request, batch)


def home(request: SignedInRequest, batch: ImportBatch) -> HttpResponse:
    """Back to the list that the file was added to."""
    return redirect("clinic:panel") if batch.patient is None else to(request, "labs:list", batch.patient)
