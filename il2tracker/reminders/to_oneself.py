"""The button that sends a test mail to oneself, on the list of reminders and on the administrator's page."""

from __future__ import annotations

from django.contrib import messages
from django.utils import timezone
from django.utils.translation import gettext as _

from il2tracker.accounts.access import SignedInRequest
from il2tracker.reminders import actions


def send(request: SignedInRequest) -> None:
    """Post it and say so; a second press in the same minute is told that the first one counts."""
    now = timezone.now()
    row = actions.send_test(by=request.user, now=now)
    if row.created_at >= now:
        messages.success(request, _("A test mail is on its way. Load this page again in a minute: it stands below."))
    else:
        messages.success(request, _("One test mail a minute: the one before stands below."))
