from django.db import migrations, models

import il2tracker.accounts.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinic",
            name="open_days",
            field=models.CharField(
                default="12345",
                help_text="The days by number, 1 is Monday, 7 is Sunday: 12345 is Monday to Friday.",
                max_length=7,
                validators=[il2tracker.accounts.models.validate_days],
                verbose_name="open on",
            ),
        ),
    ]
