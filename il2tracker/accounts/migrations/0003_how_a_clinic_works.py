from django.db import migrations, models

import il2tracker.accounts.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_open_days"),
    ]

    operations = [
        # A clinic that is there already goes on as it did: its reminders must not fall silent overnight.
        migrations.AddField(
            model_name="clinic",
            name="confirms_starts",
            field=models.BooleanField(
                default=False,
                help_text="Until a member of the clinic has confirmed the start of a course, no reminder to inject leaves.",
                verbose_name="confirms every start",
            ),
        ),
        migrations.AlterField(
            model_name="clinic",
            name="confirms_starts",
            field=models.BooleanField(
                default=True,
                help_text="Until a member of the clinic has confirmed the start of a course, no reminder to inject leaves.",
                verbose_name="confirms every start",
            ),
        ),
        migrations.AddField(
            model_name="clinic",
            name="suggests_dose_steps",
            field=models.BooleanField(default=False, verbose_name="show suggestions about the dose"),
        ),
        migrations.AddField(
            model_name="clinic",
            name="suggests_intervals",
            field=models.BooleanField(default=False, verbose_name="show suggestions about the interval"),
        ),
        migrations.AddField(
            model_name="clinic",
            name="sustained_gaps",
            field=models.PositiveSmallIntegerField(
                choices=[(2, "2"), (3, "3"), (4, "4")],
                default=2,
                help_text="From how many on a CD4+ count counts as sustained. This diary’s own number.",
                verbose_name="courses in a row above the goal",
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="work_days",
            field=models.CharField(
                blank=True,
                max_length=7,
                validators=[il2tracker.accounts.models.validate_days],
                verbose_name="working days",
            ),
        ),
    ]
