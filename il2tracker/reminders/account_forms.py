"""The form behind "Forgot your password?". Named only in the settings."""

from __future__ import annotations

from typing import Any

from allauth.account.fields import EmailField
from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts.password_forms import in_our_words
from il2tracker.reminders import actions, kinds
from il2tracker.reminders.models import Reminder

LONGEST = Reminder._meta.get_field("address").max_length


class ForgotForm(ResetPasswordForm):
    """An address. Nobody is looked up here: that is done when the mail leaves (B13)."""

    email = EmailField(label=_("E-mail address"), max_length=LONGEST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_our_words(self)
        field = self.fields["email"]
        field.widget.attrs.update(autocomplete="username", spellcheck="false")
        wrong = _("Enter an e-mail address, for example name@example.org.")
        field.error_messages.update(required=_("Enter your e-mail address."), invalid=wrong, max_length=wrong)

    def clean_email(self) -> str:
        """As typed, without a look at who has it."""
        return str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """One row in the outbox, whatever the address."""
        address = self.cleaned_data["email"]
        actions.post(by=None, kind=kinds.PASSWORD_RESET, address=address, now=timezone.now())
        return str(address)
