"""Sign-in, as allauth asks about it: by invitation only, and demo people only in the demo."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


def may_sign_in(user: Any) -> bool:
    """Active, and not one of the demo's invented people (whose password is public) unless this is the demo."""
    return user.is_active and (settings.DEMO or not user.is_demo)


class Backend(AuthenticationBackend):
    """Also ends sessions that began before the demo was switched off: Django asks it on every request."""

    def user_can_authenticate(self, user: Any) -> bool:
        return may_sign_in(user)


class Adapter(DefaultAccountAdapter):
    """Every refusal reads like a wrong password, so that nobody learns which addresses exist."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This address and password do not belong together. Check both and try again."),
        "too_many_login_attempts": _("Too many attempts. Please wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        return user if user and may_sign_in(user) else None

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return redirect("account_login")
