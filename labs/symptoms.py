"""Symptoms that somebody recorded around a draw. Results know no check-ins: the package above says where they stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

AROUND = timedelta(days=1)  # app's own: a check-in of the day before or after belongs to a draw


@dataclass(frozen=True)
class Sign:
    """What one check-in says: its civil day, its `ref`, and the symptoms as the person ticked them."""

    on: date
    ref: str
    words: str


Reader = Callable[[int, date, date], Sequence[Sign]]
"""Key of a patient, first and last civil day → the check-ins of these days that hold such a symptom."""

_readers: list[Reader] = []


def read_from(reader: Reader) -> None:
    """Say where symptoms of a low potassium are recorded. Called once, when the application starts."""
    _readers.append(reader)


def of_low_potassium(patient: int, days: Collection[date]) -> Mapping[date, list[Sign]]:
    """The signs within a day of each of these days; asks nothing where there is no such day."""
    if not days:
        return {}
    first, last = min(days) - AROUND, max(days) + AROUND
    signs = [sign for reader in _readers for sign in reader(patient, first, last)]
    return {day: [sign for sign in signs if abs(sign.on - day) <= AROUND] for day in days}
