"""A patient's home page and the page of the whole course."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.accounts.access import SignedInRequest
from il2tracker.today import home as composing


@login_required
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """What to do now, and what comes next. People without a diary go to where their work is."""
    user = request.user
    if user.patient_or_none:
        page = composing.compose(user.patient_or_none, timezone.now(), user.clock)
        return render(
            request, "today/home.html", {"page": page, "patient": page.board.patient, "version": page.version}
        )
    if user.is_clinician:
        return redirect("clinic:panel")
    return redirect("system:page" if user.is_administrator else "accounts:start")
