from django.db import migrations


def load(apps, editor):
    from cycles.plan_actions import load_library

    load_library(apps.get_model("cycles", "Protocol"))


class Migration(migrations.Migration):
    dependencies = [("cycles", "0002_no_overlap")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
