"""Forgotten and changed passwords: allauth's own steps, answered like every form of this diary.

Which forms they use, and where the mails go, is named in the settings: the outbox lies above this package.
"""

from __future__ import annotations

from allauth.account import views as allauth
from django.http import HttpRequest, HttpResponse

from il2tracker.pages import form_page

GONE = 410
_forgot = allauth.PasswordResetView.as_view()
_choose = allauth.PasswordResetFromKeyView.as_view(reset_url_key="new")
_change = allauth.PasswordChangeView.as_view()
forgot_sent = allauth.password_reset_done
chosen = allauth.password_reset_from_key_done


@form_page
def forgot(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer and the work behind it are the same whoever has the address, or nobody."""
    return refused(request, _forgot(request))


@form_page
def choose(request: HttpRequest, uidb36: str, key: str) -> HttpResponse:
    """Where the mailed link leads: it goes into the session and out of the address bar before anything is shown."""
    response = _choose(request, uidb36=uidb36, key=key)
    response["Referrer-Policy"] = "strict-origin"  # never the address; "no-referrer" would hide the origin of our form
    if (getattr(response, "context_data", None) or {}).get("token_fail"):
        response.status_code = GONE
        return response
    return refused(request, response)


@form_page
def change(request: HttpRequest) -> HttpResponse:
    """A new password for somebody who is signed in; every other session ends."""
    return refused(request, _change(request))


def refused(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A page that comes back after sending its form was refused: status 422, like every form."""
    if request.method == "POST" and response.status_code == 200:
        response.status_code = 422
    return response
