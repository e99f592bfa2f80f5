"""Every protocol of the library as a real plan: rows in the database with days, hours, moments and amounts."""

from collections import Counter
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cycles.models import SLOT_WORDS, Protocol
from cycles.schedule import SLOTS
from il2tracker.clinic.heat import WORDS_OF_SLOT
from tests import factories
from tests.factories import utc

NOW, START = utc(2026, 3, 1, 12), date(2026, 3, 4)


def slugs():
    from tests.cycles.test_library import ROWS

    return list(ROWS)


def test_every_slot_has_its_word_for_patients_and_for_clinicians():
    assert list(SLOT_WORDS) == list(WORDS_OF_SLOT) == list(SLOTS)
    assert len({str(word) for word in SLOT_WORDS.values()}) == len(SLOTS)


@pytest.mark.django_db
@pytest.mark.parametrize("slug", slugs())
def test_every_protocol_becomes_a_plan_with_its_doses_as_rows(slug):
    """2.1: what a clinician fills in is a regimen in MIU, and its first course stands as it was counted."""
    cast, protocol = factories.cast(), Protocol.objects.get(slug=slug)
    amount = Decimal(protocol.daily_floor or 3) / protocol.regimen.doses_a_day
    filled = protocol.regimen.with_amounts(dict.fromkeys(protocol.regimen.blanks, amount))
    plan = factories.plan(
        cast.dan_patient, cast.ben, protocol=slug, document=filled.document(), starts_on=START, now=NOW
    )
    cycle = plan.cycles.get(number=1)
    rows = list(cycle.doses.all())
    counted = Counter(dose.offset + 1 for dose in protocol.regimen.phase(1).doses)
    assert Counter(row.day for row in rows) == counted
    assert sum(row.amount for row in rows) == filled.course_total()
    zone = ZoneInfo(cast.dan_patient.time_zone)
    assert all(row.due_at.astimezone(zone).date() == row.due_on for row in rows)
    assert all(row.due_at.astimezone(zone).time() == row.local_time for row in rows)
    assert (cycle.version.inpatient, cycle.version.route) == (protocol.inpatient, protocol.route)
