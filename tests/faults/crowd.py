"""Many patients at once. One plan is made by the real actions and copied, because thousands of actions take minutes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models

from cycles.models import Cycle, Plan, PlannedDose, PlanVersion
from il2tracker.accounts.models import Patient, User
from il2tracker.refs import new_code, new_ref
from il2tracker.reminders import facts, facts_of_courses, of_courses, of_doses, planning
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.reminders import outbox

Row = TypeVar("Row", bound=models.Model)


def gather(count: int, now: datetime) -> None:
    """So many patients whose course starts in ten days, each with an account and ten doses."""
    lone = factories.lone_patient("Lee")
    plan = factories.plan(lone, lone.user, starts_on=lone.today(now) + timedelta(days=10))
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


def everything_due(now: datetime) -> int:
    """Every injection reminder of the whole course and every "tomorrow" is due now. Returns how many rows there are."""
    later = now + timedelta(days=30)
    choices = facts.choices()
    found = [
        *of_doses.of_doses(facts.doses_between(now, later), choices, {}),
        *of_courses.of_cycles(facts_of_courses.cycles_starting(now.date(), later.date(), now), choices),
    ]
    planning.settle((wish for wish in found if wish.kind in {"injection_due", "cycle_day"}), now)
    outbox.bring_to_now(Reminder.objects.all())
    Reminder.objects.update(expires_at=now + timedelta(hours=6))
    return Reminder.objects.count()
