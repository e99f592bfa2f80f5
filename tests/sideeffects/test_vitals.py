"""Weight, blood pressure and stools as people type them."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from sideeffects.models import CheckIn
from sideeffects.units import Pressure, ReadingError, Weight, parse_pressure, parse_stools, parse_weight
from tests import factories
from tests.factories import utc

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("typed", "unit", "read"),
    [
        ("72.5", "kg", "72.5 kg"),
        ("72,5", "kg", "72.5 kg"),
        (" 72 ", "kg", "72 kg"),
        ("160", "lb", "160 lb"),
        ("160 lbs", "kg", "160 lb"),
        ("72.5kg", "lb", "72.5 kg"),
        ("72 kilos", "lb", "72 kg"),
        (f"160{SPACE}lb", "kg", "160 lb"),
        ("20", "kg", "20 kg"),
        ("400", "kg", "400 kg"),
        ("44", "lb", "44 lb"),
        ("882", "lb", "882 lb"),
    ],
)
def test_a_weight_is_read_as_typed_and_its_unit_in_the_text_wins(typed, unit, read):
    assert str(parse_weight(typed, unit)).replace(SPACE, " ") == read


@pytest.mark.parametrize(
    ("typed", "unit"),
    [("19.99", "kg"), ("400.01", "kg"), ("43.9", "lb"), ("882.5", "lb"), ("heavy", "kg"), ("11 st", "kg"), ("7", "kg"),
     ("72.125", "kg"), ("٧٢", "kg"), ("-72", "kg"), ("72 80", "kg"), ("1e2", "kg")],
)  # fmt: skip
def test_what_is_no_weight_is_refused_with_words(typed, unit):
    with pytest.raises(ReadingError, match="weight"):
        parse_weight(typed, unit)


def test_pounds_are_compared_with_kilograms_exactly():
    assert Weight(Decimal(100), "lb").kilograms == Decimal("45.359237")
    last = Weight(Decimal(72), "kg")
    assert not Weight(Decimal(54), "kg").is_far_from(last)
    assert Weight(Decimal("53.99"), "kg").is_far_from(last)
    assert not Weight(Decimal(90), "kg").is_far_from(last)
    assert Weight(Decimal("90.01"), "kg").is_far_from(last)
    assert not Weight(Decimal("158.73"), "lb").is_far_from(last)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("120/80", (120, 80)),
        ("120 / 80", (120, 80)),
        ("120 80", (120, 80)),
        ("120-80", (120, 80)),
        ("95 over 60 mmHg", (95, 60)),
        ("50/20", (50, 20)),
        ("280/180", (280, 180)),
    ],
)
def test_a_blood_pressure_is_two_numbers(typed, read):
    assert parse_pressure(typed) == Pressure(*read)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("120", "Write both numbers"),
        ("80/120", "the larger number comes first"),
        ("80/80", "the larger number comes first"),
        ("49/40", "is not a blood pressure"),
        ("281/80", "is not a blood pressure"),
        ("120/19", "is not a blood pressure"),
        ("250/181", "is not a blood pressure"),
        ("high", "could not be read"),
        ("120/80/60", "could not be read"),
    ],
)
def test_what_is_no_blood_pressure_is_refused_with_words(typed, said):
    with pytest.raises(ReadingError, match=said):
        parse_pressure(typed)


@pytest.mark.parametrize(("typed", "read"), [("0", 0), ("3", 3), ("3x", 3), (" 12 times", 12), ("60", 60)])
def test_stools_are_a_number(typed, read):
    assert parse_stools(typed) == read


@pytest.mark.parametrize("typed", ["61", "many", "-1", "3.5", "100", "²"])
def test_what_is_no_number_of_stools_is_refused(typed):
    with pytest.raises(ReadingError, match="as a number"):
        parse_stools(typed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"weight": Decimal("19.9"), "weight_unit": "kg"},
        {"weight": Decimal(70), "weight_unit": ""},
        {"weight_unit": "kg"},
        {"systolic": 120},
        {"diastolic": 80},
        {"systolic": 80, "diastolic": 120},
        {"stools": 61},
    ],
)
def test_the_database_refuses_them_too(facts):
    cast = factories.cast()
    now, patient = utc(2026, 11, 21, 12), cast.anna_patient
    with pytest.raises(DatabaseError), transaction.atomic():
        CheckIn.objects.create(
            patient=patient, felt_at=now, zone="UTC", recorded_at=now, idempotency_key=uuid4(), **facts
        )
