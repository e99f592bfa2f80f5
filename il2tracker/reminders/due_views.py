"""The list of reminders in the app, and a mail to oneself to see whether mails arrive."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from il2tracker.accounts.access import SignedInRequest
from il2tracker.reminders import due as due_page
from il2tracker.reminders import roles, to_oneself, trouble

KEY_DIGITS = 18  # more than any database counts to


@login_required
@require_safe
def due(request: SignedInRequest) -> HttpResponse:
    """What comes, and what became of the last days: the person's own rows."""
    before, now = request.GET.get("before", ""), timezone.now()
    if before and (not before.isdecimal() or len(before) > KEY_DIGITS):
        raise Http404
    context = {
        "page": due_page.read(request.user, now, before=int(before) if before else None),
        "trouble": trouble.of(request.user, now),
        "patient": request.user.patient_or_none,
        "has_choices": bool(roles.roles_of(request.user)),
    }
    return render(request, "reminders/due.html", context)


@login_required
@require_POST
def test(request: SignedInRequest) -> HttpResponse:
    """Send the person a mail that says nothing; what became of it stands in the list."""
    to_oneself.send(request)
    return redirect("reminders:due")
