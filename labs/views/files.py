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
from labs.files.candidates import FileError
from labs.forms import AnswersForm, FileForm
from labs.matching import Match
from labs.models import ImportBatch
from labs.views.results import require_adding, to

ROWS = 200  # of the preview on one page


@login_required
@form_page
def upload(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """Choose a file with one patient's results."""
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
    if not form.is_valid():
        return answer(request, "labs/upload.html", form, patient=patient)
    file = form.cleaned_data["file"]
    try:
        batch = import_actions.keep_upload(
            by=request.user, patient=patient, file_name=file.name, content=file.read(), now=timezone.now()
        )
    except FileError as error:
        form.add_error("file", str(error))
        return answer(request, "labs/upload.html", form, patient=patient)
    return redirect("labs:upload", batch.ref)


@login_required
@form_page
def preview(request: SignedInRequest, ref: str) -> HttpResponse:
    """What each row of the file would become, and the questions the file leaves open."""
    batch = _batch(request, ref)
    if batch.state != ImportBatch.State.WAITING:
        return _finished(request, batch)
    shelf = uploads.addable_by(request.user)
    upload = _read(request, batch, shelf)
    asked = upload.asked()
    access.looked_at_all(request.user, set(upload.patients.values()), "labs.upload")
    form = AnswersForm(sent(request), asked=asked, own=batch.patient is not None, visible=shelf,
                       initial=_initial(batch, asked, shelf))  # fmt: skip
    if request.method == "POST" and form.is_valid():
        import_actions.answer_upload(by=request.user, batch=batch, answers=form.answers())
        return redirect("labs:upload", batch.ref)
    return answer(request, "labs/preview.html", form, **_preview(request, batch, upload, shelf))


def _batch(request: SignedInRequest, ref: str) -> ImportBatch:
    batch = get_object_or_404(ImportBatch.objects.visible_to(request.user).select_related("patient"), ref=ref)
    if batch.state == ImportBatch.State.WAITING and batch.expires_at <= timezone.now():
        raise Http404
    return batch


def _read(request: SignedInRequest, batch: ImportBatch, addable: dict[str, Patient]) -> uploads.Upload:
    patients = uploads.patients_of(batch, addable)
    return uploads.read_upload(bytes(batch.content), batch.answers, patients, timezone.now())


def _preview(
    request: SignedInRequest, batch: ImportBatch, upload: uploads.Upload, addable: dict[str, Patient]
) -> dict[str, Any]:
    outcomes = list(upload.outcomes())
    counted = uploads.counts(outcomes)
    show = request.GET.get("show", "")
    shown = [outcome for outcome in outcomes if outcome.state == show] if show in counted else outcomes
    page = int(request.GET["page"]) if request.GET.get("page", "").isdecimal() else 1
    return {
        "patient": batch.patient,
        "batch": batch,
        "layout": upload.layout,
        "states": [(state, counted[state]) for state in uploads.ORDER if counted[state]],
        "show": show if show in counted else "",
        "outcomes": shown[(page - 1) * ROWS : page * ROWS],
        "page": page,
        "total": len(shown),
        "last": page * ROWS >= len(shown),
        "new": counted[Match.NEW.value],
        "conflicts": counted[Match.CONFLICT.value],
        "odd": counted[uploads.ODD],
        "codes": list(addable.values())[: uploads.MOST_PEOPLE],
    }


def _initial(batch: ImportBatch, asked: Any, addable: dict[str, Patient]) -> dict[str, Any]:
    """The boxes as they were answered; a name of the file that is a patient's code is offered."""
    said = batch.answers
    names = list(asked.patients or ("",))
    people = said.get("people", {name: name.upper() for name in names if name.upper() in addable})
    floors = {(test, unit, number): limit for test, unit, number, limit in said.get("floors", [])}
    return {
        "whose": said.get("whose"),
        "start": said.get("start"),
        **{f"person{n}": people.get(name, "") for n, name in enumerate(names)},
        **{f"start{n}": said.get("starts", {}).get(name) for n, name in enumerate(names)},
        **{f"visit{n}": said.get("columns", {}).get(name) for n, name in enumerate(asked.visits)},
        **{f"floor{n}": floors.get((*key, str(number))) for n, (key, number, _n) in enumerate(asked.floors)},
    }


@login_required
@require_POST
def confirm(request: SignedInRequest, ref: str) -> HttpResponse:
    """Add what is new, all or nothing."""
    batch = _batch(request, ref)
    if batch.state != ImportBatch.State.WAITING:
        return _finished(request, batch)
    patients = uploads.patients_of(batch, uploads.addable_by(request.user))
    said = {"replace": request.POST.get("conflicts") == "replace", "sure": request.POST.get("odd") == "add"}
    done = import_actions.confirm_upload(by=request.user, batch=batch, patients=patients, now=timezone.now(), **said)
    messages.success(request, _added(done))
    return _home(request, done)


def _added(done: ImportBatch) -> str:
    """How many results were added, took another's place, or were left out."""
    counted = dict(done.outcomes)
    added, replaced = counted.pop(Match.NEW.value, 0), counted.pop(uploads.REPLACED, 0)
    counted.pop(Match.THERE.value, 0)
    left_out = sum(counted.values())
    said = [ngettext("%(n)s result added.", "%(n)s results added.", added) % {"n": added}]
    if replaced:
        said.append(ngettext("%(n)s replaced.", "%(n)s replaced.", replaced) % {"n": replaced})
    if left_out:
        said.append(ngettext("%(n)s left out.", "%(n)s left out.", left_out) % {"n": left_out})
    return " ".join(said)


@login_required
@require_POST
def drop(request: SignedInRequest, ref: str) -> HttpResponse:
    """Forget the file without adding anything."""
    batch = _batch(request, ref)
    if batch.state == ImportBatch.State.WAITING:
        batch = import_actions.drop_upload(by=request.user, batch=batch)
    messages.success(request, _("The file is forgotten. Nothing was added."))
    return _home(request, batch)


def _finished(request: SignedInRequest, batch: ImportBatch) -> HttpResponse:
    messages.success(request, _("This file is finished. Nothing more was added."))
    return _home(request, batch)


def _home(request: SignedInRequest, batch: ImportBatch) -> HttpResponse:
    return redirect("clinic:panel") if batch.patient is None else to(request, "labs:list", batch.patient)
