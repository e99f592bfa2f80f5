from decimal import Decimal

import pytest

from labs.units import canonical, in_own_unit, in_words, library, unit_called
from labs.written import parse

RULES = library()
CD4, PERCENT, VIRAL_LOAD = RULES["cd4"], RULES["cd4_percent"], RULES["hiv_rna"]


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("cd4", "612", "612 cells/mm³"),
        ("cd4", "612.50", "612.5 cells/mm³"),
        ("cd4", "0.612 10^9/L", "0.612 10⁹/L"),
        ("hiv_rna", "<20", "less than 20 copies per mL"),
        ("hiv_rna", ">10,000,000", "more than 10,000,000 copies per mL"),
        ("hiv_rna", "<20 detected", "less than 20 copies per mL, detected"),
        ("hiv_rna", "<20 not detected", "less than 20 copies per mL, not detected"),
        ("hiv_rna", "undetectable", "not detected"),
        ("cd4_percent", "28.0", "28 %"),
    ],
)
def test_a_reading_is_said_in_words(code, text, words):
    assert in_words(RULES[code], parse(RULES[code], text)) == words


@pytest.mark.parametrize(
    ("code", "text", "own"),
    [
        ("cd4", "0.612 10^9/L", "612"),
        ("cd4", "612", "612"),
        ("hiv_rna", "2 log", "100"),
        ("hiv_rna", "4.3617 log", "22999"),
        ("hiv_rna", "<1.3 log", "20"),
    ],
)
def test_every_unit_converts_to_the_tests_own(code, text, own):
    reading = in_own_unit(RULES[code], parse(RULES[code], text))
    assert (reading.value, reading.unit) == (Decimal(own), RULES[code].canonical_unit)


def test_not_detected_has_no_value_in_any_unit():
    reading = in_own_unit(VIRAL_LOAD, parse(VIRAL_LOAD, "not detected", "log10_copies_ml"))
    assert (reading.value, reading.unit) == (None, "copies_ml")


def test_units_go_by_code_and_by_spelling():
    assert unit_called(CD4, "cells/µL").code == unit_called(CD4, "cells_ul").code == "cells_ul"
    assert canonical(PERCENT, Decimal("28.5"), "percent") == Decimal("28.5")
