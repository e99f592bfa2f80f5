"""What people type about their passwords: allauth's forms with this diary's words."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from django import forms
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts.adapter import may_sign_in
from il2tracker.accounts.models import User

RULES = _(
    "At least 12 characters: a few words in a row are easy to keep in mind. Not a password that many people use, and "
    "not your name or address."
)


def in_our_words(form: forms.Form) -> None:
    """No browser bubbles and no placeholders; the rules beside the box where a new password is typed."""
    form.use_required_attribute = False
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
        field.help_text = ""
    for name, label, missing in (
        ("oldpassword", _("Present password"), _("Enter your present password.")),
        ("password1", _("New password"), _("Enter a new password.")),
        ("password2", _("The new password once more"), _("Enter the new password once more.")),
    ):
        if name in form.fields:
            form.fields[name].label = label
            form.fields[name].error_messages["required"] = missing
    if "password1" in form.fields:
        form.fields["password1"].help_text = RULES


class LinkForm(allauth.UserTokenForm):
    """Whether the link of a mail still opens the page, and for whom: nobody who may not sign in."""

    def _get_user(self, uidb36: str) -> User | None:
        user = User.objects.filter(ref=uidb36).first()
        return user if user and may_sign_in(user) else None


class NewPasswordForm(allauth.ResetPasswordKeyForm):
    """A new password, chosen through the link of a mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_our_words(self)


class ChangePasswordForm(allauth.ChangePasswordForm):
    """A new password, chosen by somebody who is signed in and knows the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_our_words(self)
