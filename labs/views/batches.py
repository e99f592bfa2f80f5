"""What became of a file that was added, and taking it back whole."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.accounts.models import Patient
from il2tracker.pages import answer, form_page
from il2tracker.ui import long_day
from labs import undo_actions, uploads
from labs.models import ImportBatch, LabResult
from labs.outcomes import ORDER
from labs.views.files import batch_or_404


def _added_batch(request: SignedInRequest, ref: str) -> ImportBatch:
    batch = batch_or_404(request, ref)
    if batch.state not in {ImportBatch.State.DONE, ImportBatch.State.UNDONE}:
        raise Http404
    return batch


def _people(request: SignedInRequest, found: ImportBatch) -> list[tuple[Patient, int]]:
    """Whose results the file brought, each with how many, and each of them told that somebody looked.

    Only those for whom the viewer may still add.
    """
    people = uploads.brought(found, uploads.addable_by(request.user))
    access.looked_at_all(request.user, [patient for patient, _n in people], "labs.batch")
    return people


@login_required
@require_safe
def batch(request: SignedInRequest, ref: str) -> HttpResponse:
    """What a file brought, in numbers, and whether it was taken back."""
    found = _added_batch(request, ref)
    people = _people(request, found)
    context = {
        "patient": found.patient,
        "batch": found,
        "people": people if found.patient is None else [],
        "states": [(state, found.outcomes[state]) for state in ORDER if found.outcomes.get(state)],
    }
    return render(request, "labs/batch.html", context)


@login_required
@form_page
def undo(request: SignedInRequest, ref: str) -> HttpResponse:
    """Say what taking the file back does, and do it."""
    found = _added_batch(request, ref)
    if found.state == ImportBatch.State.UNDONE:
        return redirect("labs:batch", ref)
    _people(request, found)
    if request.method == "POST":
        done = undo_actions.undo_batch(by=request.user, batch=found, now=timezone.now())
        messages.success(request, _said(done))
        return redirect("labs:batch", ref)
    return answer(request, "labs/undo.html", Form(), **_context(found))


def _context(found: ImportBatch) -> dict[str, Any]:
    todo = undo_actions.undoing(found)
    return {"patient": found.patient, "batch": found, "todo": todo, "stays": [_named(each) for each in todo.stays]}


def _named(result: LabResult) -> str:
    return _("%(test)s of %(day)s") % {
        "test": result.test_name or result.analyte.name,
        "day": long_day(result.drawn_on),
    }


def _said(done: undo_actions.Undoing) -> str:
    """What was hidden, put back, and left because somebody changed it since."""
    hidden, restored = len(done.hides), len(done.restores)
    said = [ngettext("%(n)s result taken back.", "%(n)s results taken back.", hidden) % {"n": hidden}]
    if restored:
        said.append(ngettext("%(n)s put back.", "%(n)s put back.", restored) % {"n": restored})
    if done.stays:
        names = ", ".join(_named(each) for each in done.stays[:10])
        said.append(_("Changed since, so it stays: %(names)s.") % {"names": names})
    return " ".join(said)
