"""Dose days of one patient's courses never overlap: kept by the database on both vendors (A23)."""

from django.db import migrations

POSTGRES = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE cycles_cycle ADD CONSTRAINT courses_do_not_overlap EXCLUDE USING gist (
    patient_id WITH =, daterange(starts_on, last_dose_on, '[]') WITH &&
) WHERE (state <> 'cancelled');
"""
SQLITE = """
CREATE TRIGGER courses_do_not_overlap_{event} BEFORE {event} ON cycles_cycle
WHEN NEW.state <> 'cancelled' AND EXISTS (
    SELECT 1 FROM cycles_cycle AS other
    WHERE other.patient_id = NEW.patient_id AND other.id IS NOT NEW.id AND other.state <> 'cancelled'
    AND other.starts_on <= NEW.last_dose_on AND other.last_dose_on >= NEW.starts_on
) BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: courses_do_not_overlap'); END
"""
EVENTS = ("insert", "update")


def create(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(POSTGRES)
        return
    for event in EVENTS:
        editor.execute(SQLITE.format(event=event))


def drop(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE cycles_cycle DROP CONSTRAINT courses_do_not_overlap")
        return
    for event in EVENTS:
        editor.execute(f"DROP TRIGGER courses_do_not_overlap_{event}")


class Migration(migrations.Migration):
    dependencies = [("cycles", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
