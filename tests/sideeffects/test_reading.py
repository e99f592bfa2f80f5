"""What other pages read: the newest check-in, the grid of a course."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from sideeffects.actions import Answers, record_check_in
from sideeffects.models import CheckIn, listed_effects
from sideeffects.units import parse_temperature
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 12)
SATURDAY = date(2026, 11, 21)


def save(user, patient, at=NOW, **answers):
    return record_check_in(by=user, patient=patient, key=uuid4(), answers=Answers(**answers), now=at).check_in


@pytest.fixture
def cast():
    return factories.cast()


def test_the_grid_holds_the_worst_of_each_day_and_the_highest_reading(cast):
    anna = (cast.anna, cast.anna_patient)
    save(*anna, severities={"tired": 1}, temperature=parse_temperature("38.0"))
    save(*anna, NOW + timedelta(hours=2), severities={"tired": 2, "itch": 0}, temperature=parse_temperature("100.5 F"))
    save(*anna, NOW + timedelta(hours=3), severities={"tired": 1}, flags=frozenset({"fainted"}))
    day = CheckIn.objects.of(cast.anna_patient).by_day(SATURDAY, SATURDAY)[SATURDAY]
    assert (day.check_ins, day.severities, day.flags) == (3, {"tired": 2, "itch": 0}, {"fainted"})
    assert str(day.peak) == "100.5\xa0°F"


def test_a_day_without_a_check_in_is_not_in_the_grid_and_none_is_said_only_when_ticked(cast):
    save(cast.anna, cast.anna_patient, none_of_flags=True)
    save(cast.anna, cast.anna_patient, NOW + timedelta(days=2), no_symptoms=True)
    days = CheckIn.objects.of(cast.anna_patient).by_day(SATURDAY, SATURDAY + timedelta(days=2))
    assert {day.isoformat(): row.none for day, row in days.items()} == {"2026-11-21": False, "2026-11-23": True}


def test_days_are_those_of_the_zone_the_entry_was_made_in(cast):
    cast.anna_patient.time_zone = "Pacific/Kiritimati"
    cast.anna_patient.save()
    save(cast.anna, cast.anna_patient, severities={"tired": 1})
    assert list(CheckIn.objects.of(cast.anna_patient).by_day(SATURDAY, SATURDAY + timedelta(days=1))) == [
        date(2026, 11, 22)
    ]


@pytest.mark.parametrize("rows", [1, 12])
def test_the_grid_takes_four_statements_however_long_the_course(cast, rows, django_assert_num_queries):
    for n in range(rows):
        save(cast.anna, cast.anna_patient, NOW + timedelta(hours=n), severities={"tired": 3, "itch": 1})
    with django_assert_num_queries(4):
        CheckIn.objects.of(cast.anna_patient).by_day(SATURDAY, SATURDAY + timedelta(days=5))


def test_pages_by_key_neither_skip_nor_repeat_entries_of_one_moment(cast):
    rows = [save(cast.anna, cast.anna_patient) for _ in range(3)]
    newest, middle, oldest = CheckIn.objects.of(cast.anna_patient).newest_first()
    assert [newest, middle, oldest] == rows[::-1]
    assert list(CheckIn.objects.of(cast.anna_patient).newest_first().older_than(middle)) == [oldest]


def test_a_clinician_sees_which_effects_of_the_sources_name_what_was_reported(cast):
    check_in = save(cast.anna, cast.anna_patient, severities={"taste": 1, "itch": 0}, flags=frozenset({"urine_less"}))
    assert [effect.code for effect in listed_effects(check_in)] == ["S07", "S34", "S54"]
