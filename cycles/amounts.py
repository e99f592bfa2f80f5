"""Arithmetic on amounts, exact and pure, for a person to compare with what was entered: nothing is ever set by it.

By body size (H28): "1 MIU/m² × 1.80 m² = 1.8 MIU". As a volume (O8): 4.5 MIU at 18 MIU per mL is 0.25 mL.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction

from cycles.regimen import BY_SURFACE, BY_WEIGHT, plain

SMALLEST_VOLUME_FOR = Decimal("1.5")  # MIU; O8: below it two decimals err by 8 to 9 %, so no volume is shown
MOST_ERROR = 8  # percent, app's own, from the same words of O8: for solutions stronger than the label's 18 MIU per mL
MIU_PER_IU = Decimal("0.000001")

_EXACT = Context(prec=40, traps=[Inexact])  # a product that would have to be rounded raises decimal.Inexact
_HUNDREDTH, _TENTH = Decimal("0.01"), Decimal("0.1")


@dataclass(frozen=True)
class Product:
    """An amount by body size worked out: the factors as entered, the amount in MIU."""

    basis: str
    amount: Decimal

    def __str__(self) -> str:
        return f"{self.basis} = {plain(self.amount)} MIU"


@dataclass(frozen=True)
class Volume:
    """An amount as a volume: `exact` mL, `rounded` to two decimals, and what the rounded one would give, in MIU."""

    exact: Fraction
    rounded: Decimal
    gives: Decimal
    error_percent: Decimal

    @property
    def is_exact(self) -> bool:
        """Whether rounding changed nothing."""
        return Fraction(self.rounded) == self.exact


def by_size(unit: str, amount: Decimal, size: Decimal) -> Product:
    """An amount per m² of body surface or per kg, times the size. Raises ValueError for another unit or nothing."""
    if amount <= 0 or size <= 0:
        raise ValueError(f"{amount} {unit} by {size}")
    if unit == BY_SURFACE:
        return Product(f"{plain(amount)} MIU/m² × {size:f} m²", _EXACT.multiply(amount, size))
    if unit == BY_WEIGHT:
        in_iu = _EXACT.multiply(amount, size)
        return Product(f"{amount.normalize():,f} IU/kg × {size:f} kg", _EXACT.multiply(in_iu, MIU_PER_IU))
    raise ValueError(unit)


def volume(amount: Decimal, concentration: Decimal) -> Volume | None:
    """What `amount` MIU takes up at `concentration` MIU per mL. None where two decimals would mislead (O8).

    Raises ValueError for a concentration of nothing.
    """
    if concentration <= 0:
        raise ValueError(concentration)
    if amount < SMALLEST_VOLUME_FOR:
        return None
    exact = Fraction(amount) / Fraction(concentration)
    rounded = _round(exact, _HUNDREDTH)
    gives = _EXACT.multiply(rounded, concentration)
    error = _round((Fraction(gives) / Fraction(amount) - 1) * 100, _TENTH)
    return Volume(exact, rounded, gives, error) if abs(error) < MOST_ERROR else None


def _round(value: Fraction, to: Decimal) -> Decimal:
    """To the nearest, half away from nothing."""
    steps = abs(value) / Fraction(to)
    whole = Decimal((2 * steps.numerator + steps.denominator) // (2 * steps.denominator))
    return (whole if value >= 0 else -whole) * to
