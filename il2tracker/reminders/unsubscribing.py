"""The address at the foot of a mail that stops one kind of reminder. Permanent per person and kind, only its hash kept.

The token is derived from the secret key, so the same one stands in every mail and none is stored.
"""

from __future__ import annotations

import base64
import hashlib
from itertools import count

from django.conf import settings
from django.core import checks
from django.urls import reverse
from django.utils.crypto import salted_hmac

from il2tracker.accounts.models import SecretLink, User
from il2tracker.refs import is_harmless
from il2tracker.reminders import kinds

PURPOSE = "reminders_off"
TOKEN = 22  # characters, 132 bits
LONGEST = 58  # characters of an address that mail programs leave on one line (B11)


def link(user: User, kind: str) -> str:
    """The full address that stops the switch which governs `kind` for this person."""
    switch = kinds.POLICIES[kind].preference
    token = token_for(f"{user.ref}/{switch}")
    SecretLink.objects.get_or_create(
        token_hash=_hash(token), defaults={"purpose": PURPOSE, "user": user, "subject": switch}
    )
    return settings.BASE_URL + reverse("reminders:unsubscribe", args=[token])


def token_for(name: str) -> str:
    """The same secret for the same name, always; the first of its drafts that reads like no word."""
    drafts = (salted_hmac(PURPOSE, f"{name}/{number}", algorithm="sha256").digest() for number in count())
    tokens = (base64.urlsafe_b64encode(draft).decode()[:TOKEN] for draft in drafts)
    return next(token for token in tokens if is_harmless(token))


def find(token: str) -> SecretLink | None:
    """Whose and which reminders a token stops; None for a token we never gave."""
    links = SecretLink.objects.filter(purpose=PURPOSE, token_hash=_hash(token), revoked_at=None)
    return links.select_related("user").first()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@checks.register(checks.Tags.urls)
def short_enough(**_options: object) -> list[checks.CheckMessage]:
    """Warn when the address is so long that the List-Unsubscribe header is folded, which some servers break (B11)."""
    length = len(settings.BASE_URL) + len("/u/") + TOKEN
    if length <= LONGEST:
        return []
    hint = f"It has {length} characters with /u/ and its token; {LONGEST} stay on one line."
    return [checks.Warning("IL2_BASE_URL is long: unsubscribe headers will be folded.", hint=hint, id="reminders.W001")]
