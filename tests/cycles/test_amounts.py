"""Amounts by body size and as volumes, worked out exactly for a person to compare (H04, H28, O8)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.amounts import MOST_ERROR, by_size, volume


@pytest.mark.parametrize(
    ("unit", "amount", "size", "text"),
    [
        ("MIU/m2", "1", "1.80", "1 MIU/m² × 1.80 m² = 1.8 MIU"),
        ("MIU/m2", "3", "1.73", "3 MIU/m² × 1.73 m² = 5.19 MIU"),
        ("MIU/m2", "0.26", "1.99", "0.26 MIU/m² × 1.99 m² = 0.5174 MIU"),
        ("MIU/m2", "18.000", "2", "18 MIU/m² × 2 m² = 36 MIU"),
        ("IU/kg", "600000", "70", "600,000 IU/kg × 70 kg = 42 MIU"),
        ("IU/kg", "72000", "81.5", "72,000 IU/kg × 81.5 kg = 5.868 MIU"),
    ],
)
def test_an_amount_by_body_size_is_shown_with_its_arithmetic(unit, amount, size, text):
    """H28: exact, with the size as it was entered; a person enters the amount of the plan."""
    worked_out = by_size(unit, Decimal(amount), Decimal(size))
    assert str(worked_out) == text
    assert worked_out.basis == text.split(" = ")[0]


@pytest.mark.parametrize(
    ("unit", "amount", "size"),
    [("MIU", "1", "1.8"), ("MIU/m2", "0", "1.8"), ("IU/kg", "1", "0"), ("MIU/m2", "1", "-2")],
)
def test_nothing_is_worked_out_from_nothing_or_from_an_amount_that_needs_no_size(unit, amount, size):
    with pytest.raises(ValueError, match=r".*"):
        by_size(unit, Decimal(amount), Decimal(size))


amounts = st.decimals("0.001", "99999.999", places=3)
sizes = st.decimals("0.10", "300.00", places=2)


@given(st.sampled_from(["MIU/m2", "IU/kg"]), amounts, sizes)
def test_amounts_by_body_size_are_exact_to_the_last_digit(unit, amount, size):
    worked_out = by_size(unit, amount, size)
    assert Fraction(worked_out.amount) == Fraction(amount) * Fraction(size) / (1 if unit == "MIU/m2" else 1_000_000)


@given(amounts, st.decimals("0.100", "40.000", places=3))
def test_a_rounded_volume_is_the_nearest_hundredth_and_says_how_far_it_is_off(amount, concentration):
    found = volume(amount, concentration)
    if found is None:
        assert amount < Decimal("1.5") or abs(Fraction(amount) / Fraction(concentration)) < Fraction(7, 100)
        return
    assert abs(found.exact - Fraction(found.rounded)) <= Fraction(1, 200)
    assert Fraction(found.gives) == Fraction(found.rounded) * Fraction(concentration)
    off = (Fraction(found.gives) - Fraction(amount)) / Fraction(amount) * 100
    assert abs(off - Fraction(found.error_percent)) <= Fraction(1, 20)
    assert abs(off) < MOST_ERROR


def test_a_strong_solution_has_no_volume_where_a_hundredth_would_mislead():
    """O8's own bound of 8 %, for a concentration other than the label's."""
    assert volume(Decimal("1.5"), Decimal(100)) is None
    assert volume(Decimal("1.5"), Decimal(10)).rounded == Decimal("0.15")


def test_a_concentration_of_nothing_is_refused():
    with pytest.raises(ValueError, match="0"):
        volume(Decimal("4.5"), Decimal(0))
