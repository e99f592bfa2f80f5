from django.db import migrations


def load(apps, editor):
    """A database that took 0004 while units were still a list has tests that no page can read."""
    from labs.actions import load_library

    load_library(apps.get_model("labs", "Analyte"))


class Migration(migrations.Migration):
    dependencies = [("labs", "0004_catalogue")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
