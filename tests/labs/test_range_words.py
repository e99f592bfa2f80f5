"""What a printed range says about the result beside it, and what was understood, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from labs import range_words
from labs.units import Reading, library
from labs.written import parse


@pytest.mark.parametrize(
    ("test", "unit", "value", "printed", "side"),
    [
        ("alt", "u_l", "61", "7-55", "high"),
        ("alt", "u_l", "55", "7-55", "inside"),
        ("alt", "u_l", "6", "7 to 55 U/L", "low"),
        ("alt", "u_l", "41", "< 41", "high"),
        ("alt", "u_l", "<5", "7-55", "low"),
        ("alt", "u_l", "<10", "7-55", None),
        ("alt", "u_l", "61", "see note", None),
        ("alt", "u_l", "61", "", None),
        ("creatinine", "umol_l", "97", "45-84", "high"),
        ("creatinine", "umol_l", "97", "45-84 µmol/L", "high"),
        ("creatinine", "umol_l", "97", "0.6-1.2 mg/dL", None),
        ("creatinine", "umol_l", "97", "0.6-1.2 furlongs", None),
        ("white_cells", "giga_l", "5.2", "4.0-11.0 10*9/L", "inside"),
        ("white_cells", "giga_l", "5.2", "4.0-11.0 10*3/uL", "inside"),
        ("white_cells", "giga_l", "5.2", "4000-11000 /mm3", None),
        ("potassium", "mmol_l", "5.9", "(3.5 - 5.1 mEq/L)", "high"),
        ("cd4", "cells_ul", "612", "500 or more", "inside"),
        ("platelets", "cells_ul", "250000", "150.000-400.000", None),
        ("platelets", "cells_ul", "250000", "150000-400000", "inside"),
        ("cd4", "cells_ul", "612", "< 1.500", None),
        ("creatinine", "mg_dl", "1.4", "0.600-1.200", "high"),
        ("creatinine", "mg_dl", "1.4", "1.000-1.200", "high"),
        ("cd4", "giga_l", "0.612", "500-1500 cells/mm3", None),
    ],
)
def test_a_result_is_compared_only_with_a_range_of_its_own_unit(
    test: str, unit: str, value: str, printed: str, side: str | None
) -> None:
    """H24."""
    rule = library()[test]
    assert range_words.side(rule, parse(rule, value, unit), printed) == side


def test_a_reading_in_words_or_in_an_unknown_unit_is_on_no_side() -> None:
    rule = library()["alt"]
    for reading in (
        Reading("=", None, "", None, "haemolysed", "", "haemolysed"),
        Reading("=", Decimal(61), "", None, "61", "furlongs"),
    ):
        assert range_words.side(rule, reading, "7-55") is None


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("3.6-10.0", "3.6 to 10"),
        ("< 41", "below 41"),
        ("≤5", "up to 5"),
        (">60", "above 60"),
        ("at least 60", "60 or more"),
        ("up to 40", "up to 40"),
    ],
)
def test_a_range_is_read_back_in_words(printed: str, words: str) -> None:
    rule = library()["alt"]
    assert range_words.range_echo(rule, None, printed) == f"Range understood: {words}."
