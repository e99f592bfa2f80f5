"""allauth's hooks that end in a mail. Named only in the settings: the outbox lies above accounts (B13)."""

from __future__ import annotations

from typing import Any, cast

from allauth.core import context
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.accounts import adapter
from il2tracker.accounts.models import User
from il2tracker.reminders import actions, kinds


class MailPastTheOutboxError(RuntimeError):
    """Something wanted to send a mail inside a request: it would tell by its time who is known here."""


class Adapter(adapter.Adapter):
    """Sign-in as accounts has it; a new password is told to its owner, and no mail leaves but by the outbox."""

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Also forgets the failed attempts with the old one, so that nobody waits who has just chosen a new one."""
        person = cast(User, user)
        with transaction.atomic():
            accounts.set_password(by=person, user=person, password=password)
            actions.post(by=person, kind=kinds.PASSWORD_CHANGED, recipient=person, now=timezone.now())
        self._delete_login_attempts_cached_email(context.request, email=person.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises MailPastTheOutboxError, whatever it is."""
        raise MailPastTheOutboxError(template_prefix)
