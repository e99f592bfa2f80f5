"""Temperature, weight and blood pressure as people type them; temperature also as rules compare it. Pure: no Django."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

# H13: outside of both it is a slip of the finger. The ranges do not meet, so the number alone tells the unit.
RANGES = {"C": (Decimal(30), Decimal(45)), "F": (Decimal(86), Decimal(113))}
EXAMPLE = "Write it like 38.4 °C or 101.1 °F."


class ReadingError(ValueError):
    """The text is no such measurement. The message says how to write one."""


class TemperatureError(ReadingError):
    """The text is no body temperature."""


@dataclass(frozen=True)
class Temperature:
    """A reading as entered. Compared in °F, where both units are finite decimals (D13, O6)."""

    value: Decimal
    unit: str

    @property
    def fahrenheit(self) -> Decimal:
        """Exact, never rounded: 38.04 °C is over 38.0 °C, 102 °F is not over 102 °F."""
        return self.value if self.unit == "F" else self.value * Decimal("1.8") + 32

    def __str__(self) -> str:
        return f"{self.value.normalize():f}\N{NO-BREAK SPACE}°{self.unit}"


_TEMPERATURE = re.compile(r"^(\d{2,3})(?:[.,](\d{1,3}))?\s*(?:°|º|deg\w*)?\s*(c|f|celsius|fahrenheit)?$", re.IGNORECASE)


def parse_temperature(text: str) -> Temperature:
    """What people type: "38,4", "101.1F", "38.4 °C". 30 to 45 is °C, 86 to 113 is °F (H13).

    Raises TemperatureError for everything else, also when the unit typed does not fit the number.
    """
    match = _TEMPERATURE.match(text.strip())
    if match is None:
        raise TemperatureError(f"“{text.strip()}” could not be read as a temperature. {EXAMPLE}")
    value = Decimal(f"{match[1]}.{match[2] or 0}")
    unit = next((unit for unit, (low, high) in RANGES.items() if low <= value <= high), None)
    typed = (match[3] or unit or "?")[0].upper()
    if unit is None or typed != unit:
        raise TemperatureError(f"“{text.strip()}” is not a body temperature. {EXAMPLE}")
    return Temperature(value, unit)


# App's own: outside of these it is a slip of the finger, for a grown person.
WEIGHTS = {"kg": (Decimal(20), Decimal(400)), "lb": (Decimal(44), Decimal(882))}
# App's own: so far from the last weight it may be in the other unit, and the unit has to stand in the text.
WEIGHT_JUMP = Decimal("0.25")
POUND = Decimal("0.45359237")  # kg, exact by definition
PRESSURES = {"systolic": (50, 280), "diastolic": (20, 180)}
MOST_STOOLS = 60


@dataclass(frozen=True)
class Weight:
    """A body weight as entered, in "kg" or "lb"."""

    value: Decimal
    unit: str

    @property
    def kilograms(self) -> Decimal:
        """Exact."""
        return self.value if self.unit == "kg" else self.value * POUND

    def is_far_from(self, other: Weight) -> bool:
        """Whether it differs from another weight by more than WEIGHT_JUMP of it."""
        return abs(self.kilograms - other.kilograms) > WEIGHT_JUMP * other.kilograms

    def __str__(self) -> str:
        return f"{self.value.normalize():f}\N{NO-BREAK SPACE}{self.unit}"


@dataclass(frozen=True)
class Pressure:
    """A blood pressure in mmHg."""

    systolic: int
    diastolic: int

    def __str__(self) -> str:
        return f"{self.systolic}/{self.diastolic}\N{NO-BREAK SPACE}mmHg"


_WEIGHT = re.compile(
    r"^([0-9]{2,3})(?:[.,]([0-9]{1,2}))?\s*(?:(kg|kgs|kilos?|kilograms?)|(lbs?|pounds?))?$", re.IGNORECASE
)
_PRESSURE = re.compile(r"^([0-9]{2,3})\s*(?:[/\\:-]|\bover\b|\s)\s*([0-9]{2,3})(?:\s*mm\s*hg)?$", re.IGNORECASE)
_STOOLS = re.compile(r"^([0-9]{1,2})\s*(?:x|times)?$", re.IGNORECASE)


def parse_weight(text: str, unit: str) -> Weight:
    """What people type: "72,5", "72.5 kg", "160 lbs". A unit in the text wins over `unit`, the one chosen beside it.

    Raises ReadingError for everything else, also for a weight that no grown person has.
    """
    typed = text.strip()
    match = _WEIGHT.match(typed)
    if match is None:
        raise ReadingError(f"“{typed}” could not be read as a weight. Write it like 72.5 kg or 160 lb.")
    value, unit = Decimal(f"{match[1]}.{match[2] or 0}"), "kg" if match[3] else "lb" if match[4] else unit
    low, high = WEIGHTS[unit]
    if not low <= value <= high:
        raise ReadingError(f"{Weight(value, unit)} is not the weight of a grown person. Check the number and the unit.")
    return Weight(value, unit)


def names_weight_unit(text: str) -> bool:
    """Whether a weight was typed with its unit."""
    return any(sign.isalpha() for sign in text)


def parse_pressure(text: str) -> Pressure:
    """What people type: "120/80", "120 over 80", "120 80 mmHg", the larger number first. Raises ReadingError."""
    typed = text.strip()
    match = _PRESSURE.match(typed)
    if match is None:
        raise ReadingError(f"“{typed}” could not be read as a blood pressure. Write both numbers, like 120/80.")
    pressure = Pressure(int(match[1]), int(match[2]))
    if pressure.systolic <= pressure.diastolic:
        raise ReadingError(f"“{typed}”: the larger number comes first, like 120/80.")
    for name, (low, high) in PRESSURES.items():
        if not low <= getattr(pressure, name) <= high:
            raise ReadingError(f"“{typed}” is not a blood pressure. Write both numbers, like 120/80.")
    return pressure


def parse_stools(text: str) -> int:
    """How often in the last 24 hours: "3", "3x", "0". Raises ReadingError."""
    match = _STOOLS.match(text.strip())
    if match is None or int(match[1]) > MOST_STOOLS:
        raise ReadingError(f"“{text.strip()}”: write how often as a number, like 3, or 0 for not at all.")
    return int(match[1])
