"""Many patients at once. One plan is made by the real actions and copied, because thousands of actions take minutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models

from cycles.models import Cycle, Plan, PlannedDose, PlanVersion
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient, User
from il2tracker.refs import new_code, new_ref
from il2tracker.reminders import planning
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Heartbeat, Reminder
from tests import factories
from tests.reminders import outbox

Row = TypeVar("Row", bound=models.Model)
DATES = {"bloodwork_due": 1, "cycle_week": 1, "cycle_day": 1}
DOSES = {"injection_due": 4}
EACH = {**DATES, **DOSES}
"""How many rows of which kind everything_due() makes for one patient: fewer than one person gets in a day."""
MORE = timedelta(hours=6)


def gather(count: int, now: datetime) -> None:
    """So many patients more than one whose course starts in fifteen days, each with an account and ten doses.

    They live where it is noon now, so that the hour at which the tests run decides nothing.
    """
    lone = factories.lone_patient("Lee")
    assert lone.user is not None
    lone = accounts.update_patient(by=lone.user, patient=lone, time_zone=outbox.daytime())
    plan = factories.plan(lone, lone.user, starts_on=lone.today(now) + timedelta(days=15))
    version, cycle = plan.versions.get(), plan.cycles.get()
    doses = list(cycle.doses.all())
    users = _copies(lone.user, count, email=lambda n: f"p{n}@example.org")
    codes = iter({new_code() for _ in range(3 * count)})
    patients = _copies(lone, count, user=lambda n: users[n], code=lambda n: next(codes))
    plans = _copies(plan, count, patient=lambda n: patients[n])
    versions = _copies(version, count, plan=lambda n: plans[n])
    course = {"patient": lambda n: patients[n], "plan": lambda n: plans[n], "version": lambda n: versions[n]}
    cycles = _copies(cycle, count, **course)
    for dose in doses:
        _copies(dose, count, patient=lambda n: patients[n], cycle=lambda n: cycles[n])
    assert (User.objects.count(), Patient.objects.count()) == (count + 1, count + 1)
    assert Plan.objects.count() == PlanVersion.objects.count() == Cycle.objects.count() == count + 1
    assert PlannedDose.objects.count() == 10 * (count + 1)


def _copies(row: Row, count: int, **different: Any) -> list[Row]:
    fields = [field.attname for field in row._meta.concrete_fields if not field.primary_key]
    same = {name: getattr(row, name) for name in fields}
    copies = []
    for number in range(count):
        copy = type(row)(**same)
        if "ref" in fields:
            copy.ref = new_ref()  # type: ignore[attr-defined]
        for name, value in different.items():
            setattr(copy, name, value(number))
        copies.append(copy)
    return type(row)._default_manager.bulk_create(copies, batch_size=500)


def everything_due() -> int:
    """What the planner makes of the course is due now, all at once. Returns how many rows there are: EACH for each.

    The planner runs at the moments when it would have; then the rows are moved to now, and it must not run again.
    """
    first = PlannedDose.objects.earliest("due_at").due_at
    for hours in (14 * 24, 7 * 24, 25):
        planning.plan(first - timedelta(hours=hours))
    Reminder.objects.exclude(kind__in=EACH).delete()
    Heartbeat.objects.all().delete()
    outbox.bring_to_now(Reminder.objects.all())
    Reminder.objects.update(expires_at=from_now(MORE))
    rows = Reminder.objects.count()
    assert rows == Patient.objects.count() * sum(EACH.values())
    return rows
