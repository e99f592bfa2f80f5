"""What staff see on every page when the machine does not work."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from il2tracker.system import health


def banner(request: HttpRequest) -> dict[str, Any]:
    """staff_banner: a sentence, or "" when all works or the person is neither clinician nor administrator."""
    user = getattr(request, "user", None)
    return {"staff_banner": SimpleLazyObject(lambda: _sentence(user))}


def _sentence(user: Any) -> str:
    if getattr(user, "is_clinician", False) or getattr(user, "is_administrator", False):
        return str(health.complaint(timezone.now()))
    return ""
