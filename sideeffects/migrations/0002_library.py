from django.db import migrations


def load(apps, editor):
    from sideeffects.actions import load_library

    load_library(apps.get_model("sideeffects", "Symptom"), apps.get_model("sideeffects", "Effect"))


class Migration(migrations.Migration):
    dependencies = [("sideeffects", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
