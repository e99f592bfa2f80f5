"""Sign-in, as allauth asks about it: by invitation only, and demo people only in the demo."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts.models import User


def user_of(address: str) -> User | None:
    """Who has this address, whatever its capitals; None for nobody. Whether that person may sign in is not asked."""
    known = User.objects.annotate(small=Lower("email"))
    return known.filter(small=Lower(Value(address.strip()))).first()


def may_sign_in(user: Any) -> bool:
    """Active, and not one of the demo's invented people (whose password is public) unless this is the demo."""
    return user.is_active and (settings.DEMO or not user.is_demo)


class Backend(AuthenticationBackend):
    """Also ends sessions that began before the demo was switched off: Django asks it on every request."""

    def user_can_authenticate(self, user: Any) -> bool:
        return may_sign_in(user)

    def _authenticate_by_email(self, email: str, password: str) -> Any:
        """allauth's own way looks for small letters only, and into a list of addresses that nothing here keeps."""
        return self._check_password(user_of(email), password)


class Adapter(DefaultAccountAdapter):
    """Every refusal reads like a wrong password, so that nobody learns which addresses exist."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This address and password do not belong together. Check both and try again."),
        "enter_current_password": _("This is not your present password."),
        "too_many_login_attempts": _("Too many attempts. Please wait five minutes, then try again."),
    }

    def is_ajax(self, request: HttpRequest) -> bool:
        """Never: every answer is a page, whatever a header says."""
        return False

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        return user if user and may_sign_in(user) else None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By the address alone. allauth adds the host of the request, and with another port that is another one."""
        return str(credentials.get("email", "")).strip().lower()

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:settings")

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return redirect("account_login")
