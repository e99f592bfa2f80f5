"""A course that waits says why: those from before holds were rows get one, with the reason that stood there.

While a patient has an open hold no course of his or hers goes on, so those to come wait too.
"""

from datetime import timedelta
from importlib import import_module

from django.db import migrations
from django.utils import timezone

from il2tracker.refs import new_ref


def keep_days_apart(apps, editor):
    """SQLite makes a table with a new column anew, without the triggers that keep courses from overlapping (A23)."""
    if editor.connection.vendor == "sqlite":
        import_module("cycles.migrations.0006_stopped_courses_make_room").make_room(apps, editor)


def write_holds(apps, editor):
    cycles, holds = (apps.get_model("cycles", name) for name in ("Cycle", "Hold"))
    now = timezone.now()
    waiting = cycles.objects.filter(state="held", plan__ended_on=None)
    for cycle in waiting.exclude(patient__in=holds.objects.filter(lifted_at=None).values("patient")).order_by("pk"):
        facts = {"patient_id": cycle.patient_id, "ref": new_ref()}
        holds.objects.create(cycle=cycle, kind="other", reason=cycle.reason, raised_at=now, **facts)
    going_on = cycles.objects.filter(state="planned", last_dose_on__gte=now.date() - timedelta(days=1))
    for hold in holds.objects.filter(lifted_at=None).order_by("-raised_at"):
        reason = hold.reason or hold.kind
        going_on.filter(patient_id=hold.patient_id).update(state="held", reason=reason)


class Migration(migrations.Migration):
    dependencies = [("cycles", "0007_entered_later")]

    operations = [
        migrations.RunPython(keep_days_apart, migrations.RunPython.noop),
        migrations.RunPython(write_holds, migrations.RunPython.noop),
    ]
