from django.db import migrations


def load(apps, editor):
    from labs.actions import load_library

    load_library(apps.get_model("labs", "Analyte"))


class Migration(migrations.Migration):
    dependencies = [("labs", "0003_what_laboratories_print")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
