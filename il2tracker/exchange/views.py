"""The page on which a record is taken along."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils import timezone

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.exchange import actions
from il2tracker.exchange.files import KINDS
from il2tracker.exchange.forms import ExportForm
from il2tracker.pages import answer, form_page, sent


@login_required
@form_page
def export(request: SignedInRequest, code: str | None = None) -> HttpResponse:
    """What the three files hold; each button sends one. A copy leaves by POST only, so that no link can fetch one."""
    patient = access.patient_or_404(request.user, code)
    actions.require_exporting(request.user, patient)
    form = ExportForm(sent(request))
    if not form.is_valid():
        access.looked(request.user, patient, "exchange.page")
        return answer(request, "exchange/export.html", form, patient=patient)
    kind = KINDS[form.cleaned_data["file"]]
    file = actions.export(by=request.user, patient=patient, kind=kind, now=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(file.content, content_type=file.content_type, headers=headers)
