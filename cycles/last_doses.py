"""The last injection before a course (2.3, D1–D3, A11): the one day from which every "too soon" is counted.

Given in full or in part, on the civil date of its own zone; or planned without a record, which counts as given; or the
last injection of an earlier treatment. Doses of plans for which timing does not matter are left out.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, Subquery

from cycles.models import Cycle, Injection, PlannedDose
from il2tracker.accounts.models import Patient


def facts(today: date | None = None) -> dict[str, Subquery]:
    """Annotations of a queryset of courses that `last_dose_on` reads, without a statement more.

    Before a course's own start; of a course that has started by `today`, its own doses as well, also those to come.
    """
    before = Q(due_on__lt=OuterRef("starts_on"))
    if today is not None:
        before |= Q(cycle=OuterRef("pk"), cycle__starts_on__lte=today)
    planned = PlannedDose.objects.counting().unlogged().filter(before, patient=OuterRef("patient"))
    planned = planned.filter(cycle__version__timing_matters=True).order_by("-due_on")
    timed = Q(planned_dose=None) | Q(planned_dose__cycle__version__timing_matters=True)
    given = Injection.objects.given().filter(timed, patient=OuterRef("patient")).order_by("-given_at")
    return {
        "unlogged_on": Subquery(planned.values("due_on")[:1]),
        "timed_given_at": Subquery(given.values("given_at")[:1]),
        "timed_given_zone": Subquery(given.values("zone")[:1]),
    }


def last_dose_on(course: Cycle, patient: Patient) -> date | None:
    """The day, from a course that carries `facts`. None = no injection is known of."""
    row: dict[str, Any] = course.__dict__
    at, zone = row["timed_given_at"], row["timed_given_zone"]
    given_on = at.astimezone(ZoneInfo(zone)).date() if at else None
    return max((day for day in (given_on, row["unlogged_on"], patient.earlier_il2_on) if day), default=None)
