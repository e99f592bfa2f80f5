"""What the patient's pages write; the logs' own actions do it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from cycles.models import Cycle
from il2tracker.accounts.models import User
from labs.actions import book_bloodwork, record_drawn
from labs.models import Bloodwork


@transaction.atomic
def keep_blood_test(
    *, by: User, cycle: Cycle, booked_for: date | None, drawn_on: date | None, now: datetime
) -> Bloodwork:
    """Both days of the test before a course, or neither. Raises PermissionDenied, ValidationError (future draw)."""
    book_bloodwork(by=by, cycle=cycle, booked_for=booked_for)
    return record_drawn(by=by, cycle=cycle, drawn_on=drawn_on, now=now)
