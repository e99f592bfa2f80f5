from django.db import migrations


def load(apps, editor):
    from labs.actions import load_library

    load_library(apps.get_model("labs", "Analyte"))


class Migration(migrations.Migration):
    dependencies = [("labs", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
