from django.db import migrations

from il2tracker.audit import triggers

TABLES = ["alerts_transition"]


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: triggers.create(editor.connection, TABLES),
            lambda apps, editor: triggers.drop(editor.connection, TABLES),
        )
    ]
