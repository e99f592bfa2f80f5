"""Whether mails reach somebody: said in the app, because a mail cannot say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery

from il2tracker.accounts.models import User
from il2tracker.reminders.models import Delivery, Reminder, State, WaitsFor

SHOWN = timedelta(days=1)  # app's own: so long a mail that failed is spoken of on Today


@dataclass(frozen=True)
class Trouble:
    """`address`: what a mail server refuses for good, since a moment; "" when only single mails failed."""

    address: str = ""
    since: datetime | None = None


def of(user: User, now: datetime) -> Trouble | None:
    """What keeps mails from the person, in one statement; None when nothing is known to."""
    refused = Delivery.objects.filter(user=OuterRef("pk"), refused_address=F("user__email"))
    late = Q(state=State.EXPIRED) & ~Q(waits_for=WaitsFor.CAP)
    failed = Reminder.objects.filter(late | Q(state=State.DEAD), recipient=OuterRef("pk"), due_at__gte=now - SHOWN)
    row = User.objects.filter(pk=user.pk).values_list(
        Exists(refused), Subquery(refused.values("refused_at")[:1]), Exists(failed)
    )
    is_refused, since, has_failed = row.get()
    if is_refused:
        return Trouble(user.email, since)
    return Trouble() if has_failed else None
