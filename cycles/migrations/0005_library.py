from django.db import migrations


def load(apps, editor):
    from cycles.plan_actions import load_library

    load_library(apps.get_model("cycles", "Protocol"))


class Migration(migrations.Migration):
    dependencies = [("cycles", "0004_plans_change_and_courses_wait")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
