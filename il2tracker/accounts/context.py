"""What every page knows about the person who looks at it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from il2tracker.accounts import access


def viewer(request: HttpRequest) -> dict[str, Any]:
    """site_name, demo, theme, clock, shell (the template to extend), card (ContactCard or None, read when used)."""
    user = getattr(request, "user", None)
    return {
        "site_name": settings.SITE_NAME,
        "demo": settings.DEMO,
        "theme": getattr(user, "theme", "auto"),
        "clock": getattr(user, "clock", "12"),
        "shell": _shell(user),
        "card": SimpleLazyObject(lambda: _card(user)),
    }


def _shell(user: Any) -> str:
    """A self-hoster who is both administrator and patient lives in the patient's shell."""
    if getattr(user, "is_clinician", False):
        return "shells/clinic.html"
    runs_it_only = getattr(user, "is_administrator", False) and user.patient_or_none is None
    return "shells/clinic.html" if runs_it_only else "shells/patient.html"


def _card(user: Any) -> access.ContactCard | None:
    patient = getattr(user, "patient_or_none", None)
    return access.contact_card(patient, timezone.now()) if patient else None
