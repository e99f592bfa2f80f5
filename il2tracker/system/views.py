"""Health for machines, and the pages of the person who runs the installation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from il2tracker.accounts.access import SignedInRequest
from il2tracker.reminders import forecast, forgetting, to_oneself
from il2tracker.reminders.kinds import TEST
from il2tracker.reminders.models import Reminder
from il2tracker.system import health, mail_catcher, sums
from il2tracker.system.rows import rows

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
    """200 when the database answers and reminders were planned and sent in the last 3 minutes, else 503."""
    pulse = health.pulse(timezone.now())
    return JsonResponse(pulse, status=200 if pulse["status"] == health.WORKING else 503)


@require_safe
@administrators_only
def page(request: HttpRequest) -> HttpResponse:
    """What works, what does not, and what to do about it."""
    now = timezone.now()
    return render(request, "system/page.html", {"rows": rows(now), "now": now})


@login_required
@require_POST
@administrators_only
def seen(request: SignedInRequest) -> HttpResponse:
    """What was given up has been looked at: it leaves the page and the line that staff see."""
    forgetting.note_seen(by=request.user, now=timezone.now())
    return redirect("system:page")


@require_safe
@administrators_only
def reminders(request: SignedInRequest) -> HttpResponse:
    """How many mails of which kind a day would bring, and what became of the own test mail. Names nobody."""
    now = timezone.now()
    asked = request.GET.get("on", now.date().isoformat())
    try:
        day = forecast.parse(asked, now)
    except ValueError:
        day = None
    words = {
        "asked": asked,
        "day": day,
        "sums": sums.of(forecast.on(day, now)) if day else [],
        "test": Reminder.objects.visible_to(request.user).filter(kind=TEST).order_by("-pk").first(),
        "now": now,
    }
    return render(request, "system/reminders.html", words, status=200 if day else 422)


@login_required
@require_POST
@administrators_only
def test_mail(request: SignedInRequest) -> HttpResponse:
    """A mail that says nothing, to the own address."""
    to_oneself.send(request)
    return redirect("system:reminders")


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
