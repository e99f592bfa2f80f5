"""The secrets in the addresses of mails: derived from the secret key, never stored, only their hash is kept."""

from __future__ import annotations

import base64
import hashlib
from itertools import count

from django.utils.crypto import salted_hmac

from il2tracker.refs import is_harmless

LENGTH = 22  # characters, 132 bits


def derived(purpose: str, name: str) -> str:
    """The same secret for the same name, always; the first of its drafts that reads like no word."""
    drafts = (salted_hmac(purpose, f"{name}/{number}", algorithm="sha256").digest() for number in count())
    tokens = (base64.urlsafe_b64encode(draft).decode()[:LENGTH] for draft in drafts)
    return next(token for token in tokens if is_harmless(token))


def digest(token: str) -> str:
    """What the database knows a token by."""
    return hashlib.sha256(token.encode()).hexdigest()
