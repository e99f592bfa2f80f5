"""Body temperatures as people type them and as rules compare them. Pure: no Django."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

# H13: outside of both it is a slip of the finger. The ranges do not meet, so the number alone tells the unit.
RANGES = {"C": (Decimal(30), Decimal(45)), "F": (Decimal(86), Decimal(113))}
EXAMPLE = "Write it like 38.4 °C or 101.1 °F."


class TemperatureError(ValueError):
    """The text is no body temperature. The message says how to write one."""


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
