"""Health for machines, and the pages of the person who runs the installation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from il2tracker.system import health, mail_catcher

MAIL = settings.VAR / "mail"


def administrators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Sign-in first; for everybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, **named: str) -> HttpResponse:
        if not getattr(request.user, "is_administrator", False):
            raise Http404
        return view(request, **named)

    return login_required(guarded)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and reminders were looked at in the last 3 minutes, else 503."""
    pulse = health.pulse(timezone.now())
    return JsonResponse(pulse, status=200 if pulse["status"] == health.WORKING else 503)


@require_safe
@administrators_only
def page(request: HttpRequest) -> HttpResponse:
    """What works, what does not, and what to do about it."""
    now = timezone.now()
    return render(request, "system/page.html", {"rows": health.rows(now), "now": now})


@require_safe
@administrators_only
def mail(request: HttpRequest) -> HttpResponse:
    """Demo only: the mails that were caught, newest first."""
    if not settings.DEMO:
        raise Http404
    return render(request, "system/mail.html", {"mails": list(mail_catcher.caught(MAIL)), "now": timezone.now()})


@require_safe
@administrators_only
def one_mail(request: HttpRequest, name: str) -> HttpResponse:
    """Demo only: one mail as it went out: headers and plain text."""
    found = mail_catcher.find(MAIL, name) if settings.DEMO else None
    if found is None:
        raise Http404
    return render(request, "system/one_mail.html", {"mail": found})
