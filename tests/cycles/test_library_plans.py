"""Every protocol of the library as a real plan: rows in the database with days, hours, moments and amounts."""

from collections import Counter
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from cycles.models import SLOT_WORDS, Protocol
from cycles.plan_actions import open_next_cycle
from cycles.schedule import SLOTS
from cycles.version_actions import change_plan
from il2tracker.clinic.heat import WORDS_OF_SLOT
from tests import factories
from tests.factories import utc

NOW, DURING, START = utc(2026, 3, 1, 12), utc(2026, 3, 6, 12), date(2026, 3, 4)


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
    filled = factories.filled(protocol.regimen, amount)
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


@pytest.mark.django_db
def test_a_plan_changes_from_the_drip_to_injections_at_home_by_a_new_version():
    """P60: who answered to the drip may go on under the skin; the courses before keep how they were given."""
    cast, protocol = factories.cast(), Protocol.objects.get(slug="hiv-civ")
    filled = factories.filled(protocol.regimen, Decimal(12))
    plan = factories.plan(
        cast.anna_patient, cast.ben, protocol="hiv-civ", document=filled.document(), starts_on=START, now=NOW
    )
    sc = Protocol.objects.get(slug="hiv-sc-4-5")
    with time_machine.travel(DURING, tick=False):
        open_next_cycle(plan=plan, today=cast.anna_patient.today(DURING))
        change_plan(
            by=cast.ben,
            plan=plan,
            base_number=1,
            from_course=2,
            document=sc.document,
            slot_times={"am": "10:00", "pm": "22:00"},
            starts_on=date(2026, 4, 29),
            now=DURING,
            change_reason="answered to the drip",
            route="sc",
            inpatient=False,
        )
    first, second = plan.cycles.order_by("number")
    assert (first.version.route, first.version.inpatient, first.doses.count()) == ("civ", True, 5)
    assert (second.version.route, second.version.inpatient, second.doses.count()) == ("sc", False, 10)
