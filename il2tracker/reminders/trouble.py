"""What is said in the app about the mails to somebody: whether they reach him or her, and where they are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery

from il2tracker.accounts.models import User
from il2tracker.reminders.models import Delivery, Preference, Reminder, State, WaitsFor

SHOWN = timedelta(days=1)  # app's own: so long a mail that failed is spoken of on Today


@dataclass(frozen=True)
class Trouble:
    """`address`: what a mail server refuses for good, since a moment; "" when only single mails failed.

    `never_chose`: nothing failed, but the person never said which mails are wanted.
    """

    address: str = ""
    since: datetime | None = None
    never_chose: bool = False


def of(user: User, now: datetime) -> Trouble | None:
    """What there is to say about mails to the person, in one statement; None when there is nothing."""
    chosen = Preference.objects.filter(user=OuterRef("pk")), Delivery.objects.filter(user=OuterRef("pk"))
    refused = Delivery.objects.filter(user=OuterRef("pk"), refused_address=F("user__email"))
    late = Q(state=State.EXPIRED) & ~Q(waits_for=WaitsFor.CAP)
    failed = Reminder.objects.filter(late | Q(state=State.DEAD), recipient=OuterRef("pk"), due_at__gte=now - SHOWN)
    row = User.objects.filter(pk=user.pk).values_list(
        Exists(refused), Subquery(refused.values("refused_at")[:1]), Exists(failed), *map(Exists, chosen)
    )
    is_refused, since, has_failed, *has_chosen = row.get()
    if is_refused:
        return Trouble(user.email, since)
    if has_failed:
        return Trouble()
    return None if any(has_chosen) else Trouble(never_chose=True)
