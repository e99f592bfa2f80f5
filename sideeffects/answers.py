"""What one check-in says, as the actions take it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sideeffects.units import Pressure, Temperature, Weight

LOW = "low_temperature"


def grades(flags: Iterable[str], severities: Mapping[str, int], reading: Temperature | None) -> dict[str, Decimal]:
    """How bad each sign is, to tell whether another time is worse; the reading counts upwards and downwards."""
    found = {code: Decimal(1) for code in flags}
    found |= {code: Decimal(severity) for code, severity in severities.items()}
    if reading:
        found |= {"temperature": reading.fahrenheit, LOW: -reading.fahrenheit}
    return found


@dataclass(frozen=True)
class Lump:
    """A lump under the skin: the code of its place (cycles.sites) and its largest width in millimetres."""

    site: str
    size_mm: int | None = None


@dataclass(frozen=True)
class Answers:
    """What was answered in a check-in; everything may be missing. `severities`: 0–3 by code of the symptom.

    `stools`: how often in the last 24 hours. `lump` goes to the places of injections and is not part of the check-in.
    """

    flags: frozenset[str] = frozenset()
    none_of_flags: bool = False
    temperature: Temperature | None = None
    temperature_typed: str = ""
    medicine: str = ""
    severities: Mapping[str, int] = field(default_factory=dict)
    no_symptoms: bool = False
    weight: Weight | None = None
    pressure: Pressure | None = None
    stools: int | None = None
    lump: Lump | None = None
    note: str = ""
    unfinished: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def grades(self) -> dict[str, Decimal]:
        """How bad each sign is."""
        return grades(self.flags, self.severities, self.temperature)

    def together_with(self, before: Answers) -> Answers:
        """These answers, and what was told before stays told (R4): an empty box, or one that cannot be read, takes no
        measurement back."""
        flags = before.flags | self.flags
        severities = {**before.severities, **self.severities}
        return replace(
            self if self.temperature else self._with_the_reading_of(before),
            flags=flags,
            none_of_flags=self.none_of_flags and not flags,
            severities=severities,
            no_symptoms=self.no_symptoms and not any(severities.values()),
            weight=self.weight or before.weight,
            pressure=self.pressure or before.pressure,
            stools=before.stools if self.stools is None else self.stools,
            note=self.note or before.note,
        )

    def _with_the_reading_of(self, before: Answers) -> Answers:
        """The fever medicine belongs to its reading: a new one is never relieved by what was said of another."""
        medicine = self.medicine or before.medicine
        return replace(
            self, temperature=before.temperature, temperature_typed=before.temperature_typed, medicine=medicine
        )

    def says_the_same_as(self, kept: Answers) -> bool:
        """Whether nothing in the check-in would be different; 38.40 °C is 38.4 °C."""
        return replace(self, lump=None, temperature_typed="") == replace(kept, lump=None, temperature_typed="")
