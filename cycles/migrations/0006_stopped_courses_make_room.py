"""Whether the medicines before an injection were taken; and a stopped course keeps no day after its stop (A23).

`last_dose_on` stays as it was planned, and so do the planned doses: only the rule about overlaps reads the stop.
"""

from django.db import migrations, models

NAME = "courses_do_not_overlap"
# A course that was stopped before its first day keeps no day at all: its range is empty.
POSTGRES = """
ALTER TABLE cycles_cycle DROP CONSTRAINT courses_do_not_overlap;
ALTER TABLE cycles_cycle ADD CONSTRAINT courses_do_not_overlap EXCLUDE USING gist (
    patient_id WITH =,
    daterange(
        starts_on, GREATEST(starts_on, LEAST(last_dose_on, COALESCE(stopped_on, last_dose_on)) + 1), '[)'
    ) WITH &&
) WHERE (state <> 'cancelled');
"""
POSTGRES_BEFORE = """
ALTER TABLE cycles_cycle DROP CONSTRAINT courses_do_not_overlap;
ALTER TABLE cycles_cycle ADD CONSTRAINT courses_do_not_overlap EXCLUDE USING gist (
    patient_id WITH =, daterange(starts_on, last_dose_on, '[]') WITH &&
) WHERE (state <> 'cancelled');
"""
NEW_ENDS, OTHER_ENDS = (
    f"min({row}.last_dose_on, coalesce({row}.stopped_on, {row}.last_dose_on))" for row in ("NEW", "other")
)
SQLITE = """
CREATE TRIGGER courses_do_not_overlap_{event} BEFORE {event} ON cycles_cycle
WHEN NEW.state <> 'cancelled' AND {new_ends} >= NEW.starts_on AND EXISTS (
    SELECT 1 FROM cycles_cycle AS other
    WHERE other.patient_id = NEW.patient_id AND other.id IS NOT NEW.id AND other.state <> 'cancelled'
    AND {other_ends} >= other.starts_on
    AND other.starts_on <= {new_ends} AND {other_ends} >= NEW.starts_on
) BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: courses_do_not_overlap'); END
"""


def _put(editor, postgres, new_ends, other_ends):
    if editor.connection.vendor == "postgresql":
        editor.execute(postgres)
        return
    for event in ("insert", "update"):
        editor.execute(f"DROP TRIGGER IF EXISTS {NAME}_{event}")
        editor.execute(SQLITE.format(event=event, new_ends=new_ends, other_ends=other_ends))


def make_room(apps, editor):
    _put(editor, POSTGRES, NEW_ENDS, OTHER_ENDS)


def keep_all(apps, editor):
    _put(editor, POSTGRES_BEFORE, "NEW.last_dose_on", "other.last_dose_on")


class Migration(migrations.Migration):
    dependencies = [("cycles", "0005_library")]

    operations = [
        migrations.AddField(
            model_name="historicalinjection",
            name="premedicated",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="injection",
            name="premedicated",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.RunPython(make_room, keep_all),
    ]
