"""The link that lets somebody choose a new password: good once and for PASSWORD_RESET_TIMEOUT, kept nowhere."""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.http import int_to_base36

from il2tracker.accounts.models import User

SEAL = 128  # bits of Django's token after its time


class Tokens(PasswordResetTokenGenerator):
    """Django's token, which ends with the password, address or sign-in that it was made for, in decimal digits.

    In letters a word that no mail may say could stand by accident, and every mail of some minutes would hold it.
    """

    def make_token(self, user: User) -> str:
        """About fifty digits."""
        stamp, _dash, seal = super().make_token(user).partition("-")
        return str((int(stamp, 36) << SEAL) + int(seal, 16))

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Whether it still opens the page. Never raises, whatever was typed."""
        try:
            stamp, seal = divmod(int(token or ""), 1 << SEAL)
            plain = f"{int_to_base36(stamp)}-{seal:032x}"
        except ValueError:
            return False
        return super().check_token(user, plain)


def path_for(user: User) -> str:
    """The path of a fresh link. It names the person by the random reference, which nobody can count up."""
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user.ref, "key": Tokens().make_token(user)})
