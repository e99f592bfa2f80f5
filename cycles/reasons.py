"""Why an injection was not taken, or was not the planned one. Stored as codes, shown in words."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from cycles import doubts


class NotTaken(models.TextChoices):
    """Reasons for an injection that did not take place."""

    ILL = "ill", _("I felt too ill")
    SUPPLIES = "supplies", _("I had no supplies")
    STOPPED = "stopped", _("I was told to stop")
    FORGOT = "forgot", _("I forgot")
    OTHER = "other", _("Another reason")


TOLD = doubts.TOLD


def in_words(code: str) -> str:
    """A stored reason as people read it."""
    if code == TOLD:
        return str(_("as the care team said"))
    return str(NotTaken(code).label) if code in NotTaken.values else code
