"""Courses from before the diary are marked, so that nobody is asked about them; and the library's newest words."""

from django.db import migrations, models


def mark(apps, editor):
    """What was written down later has a lower number than the course with which its plan began here."""
    cycles = apps.get_model("cycles", "Cycle")
    for plan in apps.get_model("cycles", "Plan").objects.all():
        own = cycles.objects.filter(plan=plan).order_by("pk").first()
        if own is not None:
            cycles.objects.filter(plan=plan, number__lt=own.number).update(entered_later=True)


def load(apps, editor):
    from cycles.plan_actions import load_library

    load_library(apps.get_model("cycles", "Protocol"))


class Migration(migrations.Migration):
    dependencies = [("cycles", "0006_stopped_courses_make_room")]

    operations = [
        migrations.AddField(
            model_name="cycle",
            name="entered_later",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="historicalcycle",
            name="entered_later",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
