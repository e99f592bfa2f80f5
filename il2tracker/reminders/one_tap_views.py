"""The page behind the one-tap addresses of a mail: no sign-in, one button, not a word about who or what.

Looking changes nothing, however often and whoever looks, scripts and all (ux 3.3). Only the button does, by POST.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from il2tracker import ui
from il2tracker.accounts.models import SecretLink
from il2tracker.pages import form_page
from il2tracker.reminders import one_tap, one_tap_actions, snoozing
from il2tracker.reminders.one_tap_actions import Pressed, Word

PAGE = "reminders/one_tap.html"
# App's own: so many addresses that open nothing, from one place, are a search for one that does.
MISSES = {"miss": "30/10m/ip"}
STATUS = {Word.LOOK: 409, Word.GONE: 410}


@form_page
def one_tap_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the button, POST does what the mail offered, if it is as simple as that."""
    if not _may_ask(request, dry_run=True):
        return _page(request, "busy", 429)
    now = timezone.now()
    link = one_tap.find(token, now)
    if link is None or (link.used_at is not None and request.method != "POST"):
        return _page(request, "gone", 410) if _may_ask(request) else _page(request, "busy", 429)
    if request.method != "POST":
        return _page(request, link.purpose, **_asked(link, now))
    pressed = one_tap_actions.press(link=link, now=now, minutes=request.POST.get("minutes", ""))
    return _page(request, pressed.word.name.lower(), STATUS.get(pressed.word, 200), **_told(link, pressed))


def _may_ask(request: HttpRequest, *, dry_run: bool = False) -> bool:
    """False for whoever has tried too many addresses. Only misses are counted: a known address leaves no trace."""
    how = {"config": MISSES, "limit_get": True, "dry_run": dry_run}
    return ratelimit.consume(request, app="reminders", action="miss", **how) is not None


def _asked(link: SecretLink, now: datetime) -> dict[str, Any]:
    dose = one_tap.dose(link)
    offered = snoozing.offer(dose, now) if dose and link.purpose == one_tap.LATER else None
    return {"laters": offered.mailed_laters(now) if offered else [], **_slot(link)}


def _told(link: SecretLink, pressed: Pressed) -> dict[str, Any]:
    user, patient = one_tap.owner(link)
    at = ui.clock(pressed.at.astimezone(patient.zone), user) if pressed.at else ""
    undo = reverse("reminders:one_tap", args=[pressed.undo]) if pressed.undo else ""
    return {"at": at, "undo": undo, **_slot(link)}


def _slot(link: SecretLink) -> dict[str, Any]:
    """The hour that the mail named, and where the diary itself asks about it."""
    dose, (user, _patient) = one_tap.dose(link), one_tap.owner(link)
    diary = reverse("cycles:log", args=[dose.ref]) if dose else reverse("today:home")
    return {"hour": ui.clock(one_tap.Said.of(link).hour, user), "diary": diary}


def _page(request: HttpRequest, part: str, status: int = 200, **words: Any) -> HttpResponse:
    """The same for everybody: whoever is signed in here may not be the person whose mail it was.

    The policy sends the name of the site and never the address. "no-referrer" would have browsers post without the
    origin by which the form is known to be ours.
    """
    plain = {"part": part, "card": None, "messages": (), "theme": "auto", "diary": reverse("today:home")}
    response = render(request, PAGE, {**plain, **words}, status=status)
    response["Referrer-Policy"] = "strict-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
