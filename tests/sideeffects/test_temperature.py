"""Body temperatures: reading what people type, and comparing without rounding (H13, D13, O6)."""

from decimal import Decimal

import pytest

from sideeffects.units import Temperature, TemperatureError, parse_temperature


@pytest.mark.parametrize(
    ("typed", "value", "unit"),
    [
        ("38.4", "38.4", "C"),
        ("38,4", "38.4", "C"),
        (" 38.4 ", "38.4", "C"),
        ("38.4 °C", "38.4", "C"),
        ("38.4C", "38.4", "C"),
        ("38.4 celsius", "38.4", "C"),
        ("101.1F", "101.1", "F"),
        ("101.1 °F", "101.1", "F"),
        ("101,1 f", "101.1", "F"),
        ("101 deg F", "101", "F"),
        ("102", "102", "F"),
        ("38", "38", "C"),
        ("38.04", "38.04", "C"),
        ("30", "30", "C"),
        ("45", "45", "C"),
        ("86", "86", "F"),
        ("113", "113", "F"),
    ],
)
def test_what_people_type_is_read_as_they_mean_it(typed, value, unit):
    assert parse_temperature(typed) == Temperature(Decimal(value), unit)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "warm",
        "3.84",
        "384",
        "29.9",
        "45.1",
        "85.9",
        "113.1",
        "38.4F",
        "102C",
        "38.4.1",
        "38 4",
        "-38",
        "38.41234",
        "38.4 K",
    ],
)
def test_anything_else_is_refused_with_an_example(typed):
    with pytest.raises(TemperatureError, match=r"38\.4 °C or 101\.1 °F"):
        parse_temperature(typed)


@pytest.mark.parametrize(
    ("typed", "fahrenheit"),
    [
        ("38.0", "100.4"),
        ("38.04", "100.472"),
        ("38.88", "101.984"),
        ("38.89", "102.002"),
        ("38.9", "102.02"),
        ("36", "96.8"),
    ],
)
def test_degrees_celsius_become_fahrenheit_exactly(typed, fahrenheit):
    assert parse_temperature(typed).fahrenheit == Decimal(fahrenheit)


def test_fahrenheit_stays_what_was_typed():
    assert parse_temperature("102").fahrenheit == Decimal(102)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("38,40", "38.4\xa0°C"), ("102.0F", "102\xa0°F"), ("100", "100\xa0°F"), ("38.04", "38.04\xa0°C")],
)
def test_a_reading_is_said_without_trailing_zeros(typed, said):
    assert str(parse_temperature(typed)) == said
