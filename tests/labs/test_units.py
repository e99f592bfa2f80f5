import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.units import (
    LIBRARY,
    UNITS,
    Operation,
    Reading,
    ReadingError,
    canonical,
    figure,
    folded,
    in_own_unit,
    in_unit,
    in_words,
    known_unit,
    library,
    operation,
    rule_from,
    unit_called,
)
from labs.written import measured, parse

RULES = library()
CD4, VIRAL_LOAD, UREA = RULES["cd4"], RULES["hiv_rna"], RULES["urea"]
UNITS_OF_TESTS = [(code, unit) for code, rule in RULES.items() for unit in rule.units]


# How laboratories write a unit


@pytest.mark.parametrize(
    ("code", "unit", "spellings"),
    [
        (
            "cd4",
            "cells_ul",
            "cells/uL|cells/µL|cells/μL|/mm3|/mm³|cells/mm³|cells/mm3|/uL|{cells}/uL|cells/cu mm|/cumm",
        ),
        ("cd4", "cells_ul", "cells per µL|cells_per_uL|CELLS/UL|cell/mm3|cells/mcL|cells_ul|#/uL"),
        ("cd4", "giga_l", "10*9/L|10^9/L|10⁹/L|x10^9/L|×10⁹/L|x10E9/L|10e9/l|109/L|giga/L|giga.l-1|G/L|10^9 cells/L"),
        (
            "platelets",
            "thousand_ul",
            "10*3/uL|x10E3/uL|10^3/µL|10³/μL|K/uL|K/mm3|x 10^3/uL|Thousand/uL|THOU/MM3|10(3)/uL",
        ),
        ("platelets", "giga_l", "10*9/L|giga.l-1|Gpt/L"),
        ("red_cells", "million_ul", "10*6/uL|x10E6/uL|M/uL|Million/uL|10^6/mm3"),
        ("red_cells", "tera_l", "10*12/L|10^12/L|10¹²/L|tera.l-1|T/L|x10E12/L"),
        ("hiv_rna", "copies_ml", "copies/mL|{copies}/mL|[copies]/mL|c/mL|cp/mL|copies per mL|Copies/ml"),
        (
            "hiv_rna",
            "log10_copies_ml",
            "log10 copies/mL|log copies/mL|{Log_copies}/mL|log10|log|log(copies/mL)|Log10 cp/mL",
        ),
        ("potassium", "meq_l", "mEq/L|meq/L|MEQ/L"),
        ("potassium", "mmol_l", "mmol/L|mmol/l|mmol.l-1|mmol l-1|mmol·L⁻¹"),
        ("alt", "u_l", "U/L|IU/L|[iU]/L|u/l|units/L"),
        ("alt", "ukat_l", "µkat/L|μkat/L|ukat/L"),
        ("creatinine", "umol_l", "umol/L|µmol/L|μmol/l|mcmol/L|micromol/L"),
        ("creatinine", "mg_dl", "mg/dL|MG/DL|mg%|mg/100mL"),
        ("hemoglobin", "g_dl", "g/dL|gm/dL|G/DL|g%"),
        ("hemoglobin", "g_l", "g/L|g.l-1|gm/L"),
        ("tsh", "miu_l", "m[IU]/L|mIU/L|uIU/mL|µIU/mL|µU/mL|u[IU]/mL|mU/L"),
        ("free_t4", "ng_dl", "ng/dL"),
        ("free_t4", "ng_l", "pg/mL|ng/L"),
        ("hba1c", "mmol_mol", "mmol/mol|mmol/mol Hb|mmol/mol{Hb}"),
        ("hematocrit", "fraction", "L/L|fraction"),
        ("cd4_percent", "percent", "%|percent|per cent|pct"),
        ("cd4_cd8_ratio", "ratio", "{ratio}|ratio||1"),
    ],
)
def test_a_unit_is_known_however_a_laboratory_writes_it(code, unit, spellings):
    assert {text: known_unit(RULES[code], text) for text in spellings.split("|")} == dict.fromkeys(
        spellings.split("|"), unit
    )


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("hiv_rna", "IU/mL"),
        ("hiv_rna", "log IU/mL"),
        ("hiv_rna", ""),
        ("hemoglobin", "g/l-1"),
        ("hemoglobin", "mg/dL"),
        ("cd4", "mg"),
        ("cd4", "%"),
        ("lymphocytes", "%"),
        ("creatinine", ""),
        ("potassium", "mg/dL"),
        ("other", "mg/dL"),
        ("platelets", "10^4/uL"),
        ("hematocrit", "1"),
        ("alt", "nkat/L"),
    ],
)
def test_a_unit_that_is_not_known_is_never_guessed(code, printed):
    assert known_unit(RULES[code], printed) == ""
    assert measured(RULES[code], "", "12.5", printed) == Reading("=", Decimal("12.5"), "", None, "12.5", printed)


def test_what_one_unit_of_a_viral_load_is_differs_from_test_to_test():
    with pytest.raises(ReadingError, match="IU/mL cannot be turned into copies"):
        unit_called(VIRAL_LOAD, "[IU]/mL")


def test_only_urea_has_two_units_that_are_written_alike():
    shared = [
        (code, spelling)
        for code, rule in RULES.items()
        for number, one in enumerate(rule.units)
        for other in rule.units[number + 1 :]
        for spelling in UNITS[one].spellings & UNITS[other].spellings
    ]
    assert {code for code, _ in shared} == {"urea"}
    assert unit_called(UREA, "mg/dL").code == "bun_mg_dl"
    assert unit_called(UREA, "mg/dL", "urea_mg_dl").code == "urea_mg_dl"
    assert unit_called(UREA, "mmol/L", "urea_mg_dl").code == "mmol_l"


def test_the_unit_chosen_beside_a_box_holds_only_if_the_test_has_it():
    assert known_unit(CD4, "", "giga_l") == "giga_l"
    assert known_unit(CD4, "", "percent") == ""


@given(st.text(max_size=30))
def test_no_text_breaks_the_search_for_a_unit(text):
    assert all(known_unit(rule, text) in {"", *rule.units} for rule in RULES.values())
    assert folded(folded(text)) == folded(folded(folded(text)))


# Conversions


@pytest.mark.parametrize(
    ("code", "value", "unit", "own"),
    [
        ("cd4", "0.612", "giga_l", "612"),
        ("cd4", "0.612345", "thousand_ul", "612.345"),
        ("hiv_rna", "2", "log10_copies_ml", "100"),
        ("hiv_rna", "4.3617", "log10_copies_ml", "22999"),
        ("hiv_rna", "1.3", "log10_copies_ml", "20"),
        ("alt", "0.5", "ukat_l", "30"),
        ("bilirubin", "17.1", "umol_l", "1"),
        ("albumin", "42", "g_l", "4.2"),
        ("creatinine", "88.4", "umol_l", "1"),
        ("creatinine", "90", "umol_l", "1.0180995475113122172"),
        ("urea", "3.57", "mmol_l", "10"),
        ("urea", "21.44", "urea_mg_dl", "10"),
        ("potassium", "4.1", "meq_l", "4.1"),
        ("magnesium", "0.8228", "mmol_l", "2"),
        ("magnesium", "1.6456", "meq_l", "2"),
        ("calcium", "2.495", "mmol_l", "10"),
        ("calcium", "4.99", "meq_l", "10"),
        ("calcium_ionised", "2.4", "meq_l", "1.2"),
        ("phosphate", "0.9687", "mmol_l", "3"),
        ("red_cells", "4.5", "tera_l", "4.5"),
        ("hematocrit", "0.42", "fraction", "42"),
        ("hemoglobin", "135", "g_l", "13.5"),
        ("hemoglobin", "6.206", "mmol_l", "10"),
        ("white_cells", "6500", "cells_ul", "6.5"),
        ("platelets", "250", "giga_l", "250"),
        ("platelets", "250000", "cells_ul", "250"),
        ("free_t4", "12.87", "pmol_l", "1"),
        ("free_t4", "12", "ng_l", "1.2"),
        ("glucose", "5.55", "mmol_l", "100"),
        ("hba1c", "53", "mmol_mol", "6.9990850869167429094"),
        ("hba1c", "31.15", "mmol_mol", "5"),
        ("lactate", "18", "mg_dl", "1.998"),
    ],
)
def test_every_conversion_is_exact_or_right_to_twenty_digits(code, value, unit, own):
    assert canonical(RULES[code], Decimal(value), unit) == Decimal(own)


@given(st.sampled_from(UNITS_OF_TESTS), st.decimals(Decimal("0.0001"), Decimal(99_999_999_999), places=4))
def test_what_was_converted_converts_back_to_the_digits_that_were_written(of, value):
    code, unit = of
    rule = RULES[code]
    if UNITS[unit].power_of_ten:
        value = min(value, Decimal(9))
        copies = canonical(rule, value, unit)
        assert abs(copies - Decimal(10) ** value) <= Decimal("0.5")
    else:
        assert in_unit(rule, canonical(rule, value, unit), unit).quantize(value) == value


@given(st.sampled_from(UNITS_OF_TESTS), st.decimals(Decimal("0.01"), Decimal(1000), places=2))
def test_more_in_one_unit_is_more_in_every_unit(of, value):
    code, unit = of
    rule = RULES[code]
    more = value + Decimal("0.01")
    if UNITS[unit].power_of_ten:
        value, more = value / 1000 + 1, value / 1000 + Decimal("1.1")
    assert canonical(rule, value, unit) < canonical(rule, more, unit)


def test_copies_have_a_log():
    assert in_unit(VIRAL_LOAD, Decimal(100), "log10_copies_ml") == 2
    assert in_unit(VIRAL_LOAD, Decimal(22999), "log10_copies_ml").quantize(Decimal("0.0001")) == Decimal("4.3617")


@pytest.mark.parametrize("text", ["", "2", "x1000", "*", "1000", "*1000/3", "-5", "log"])
def test_what_is_no_operation_is_refused(text):
    with pytest.raises(ValueError, match="no operation"):
        operation(text)


def test_an_operation_is_read_as_it_is_written():
    assert operation("1") == operation("*1") == operation("/1") == Operation()
    assert operation("/88.4").forward(Decimal("176.8")) == 2
    assert operation("*0.111").back(Decimal("0.222")) == 2
    assert operation("10^").power_of_ten


def test_a_test_keeps_its_own_unit_first_where_the_database_keeps_no_order():
    row = next(row for row in json.loads(LIBRARY.read_text("utf-8")) if row["code"] == "cd4")
    shuffled = {**row, "units": dict(sorted(row["units"].items(), reverse=True))}
    assert rule_from(shuffled).units == CD4.units == ("cells_ul", "thousand_ul", "giga_l")


@pytest.mark.parametrize(
    ("code", "text", "own"),
    [
        ("cd4", "0.612 10^9/L", "612"),
        ("cd4", "612", "612"),
        ("hiv_rna", "2 log", "100"),
        ("hiv_rna", "<1.3 log", "20"),
        ("hemoglobin", "≥135 g/L", "13.5"),
    ],
)
def test_a_reading_in_the_tests_own_unit_keeps_its_comparator(code, text, own):
    written = parse(RULES[code], text)
    reading = in_own_unit(RULES[code], written)
    assert (reading.value, reading.unit) == (Decimal(own), RULES[code].canonical_unit)
    assert reading.comparator == written.comparator


def test_not_detected_has_no_value_in_any_unit():
    reading = in_own_unit(VIRAL_LOAD, parse(VIRAL_LOAD, "not detected", "log10_copies_ml"))
    assert (reading.value, reading.unit) == (None, "copies_ml")


def test_a_reading_in_an_unknown_unit_is_converted_into_none():
    reading = measured(CD4, "<", "612", "cells/nL")
    assert in_own_unit(CD4, reading) is reading


# In words


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("cd4", "612", "612 cells/mm³"),
        ("cd4", "612.50", "612.5 cells/mm³"),
        ("cd4", "0.612 10^9/L", "0.612 × 10⁹/L"),
        ("hiv_rna", "<20", "less than 20 copies per mL"),
        ("hiv_rna", "≤20", "at most 20 copies per mL"),
        ("hiv_rna", ">10,000,000", "more than 10,000,000 copies per mL"),
        ("hiv_rna", ">=10,000,000", "at least 10,000,000 copies per mL"),
        ("hiv_rna", "<20 detected", "less than 20 copies per mL, detected"),
        ("hiv_rna", "<20 not detected", "less than 20 copies per mL, not detected"),
        ("hiv_rna", "undetectable", "not detected"),
        ("cd4_percent", "28.0", "28 %"),
        ("cd4_cd8_ratio", "0.80", "0.8"),
        ("creatinine", "90 µmol/l", "90 µmol/L"),
    ],
)
def test_a_reading_is_said_in_words(code, text, words):
    assert in_words(RULES[code], parse(RULES[code], text)) == words


def test_what_is_not_known_is_said_as_it_was_printed():
    assert in_words(CD4, measured(CD4, ">=", "612", "cells/nL")) == "at least 612 cells/nL"
    assert in_words(CD4, measured(CD4, "", "612", "")) == "612"
    assert in_words(CD4, Reading("=", None, "", None, "no", text="specimen clotted")) == "specimen clotted"


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("creatinine", "90 umol/L", "1.018 mg/dL"),
        ("hba1c", "48 mmol/mol", "6.542 %"),
        ("glucose", "5.5 mmol/L", "99.1 mg/dL"),
        ("cd4", "0.61234 10^9/L", "612.34 cells/mm³"),
    ],
)
def test_a_conversion_shows_no_more_digits_than_it_is_worth(code, text, words):
    assert in_words(RULES[code], in_own_unit(RULES[code], parse(RULES[code], text))) == words


@given(st.decimals(Decimal(0), Decimal(10) ** 10, places=6))
def test_a_number_that_was_written_is_shown_with_every_digit(value):
    assert Decimal(figure(value).replace(",", "")) == value


@pytest.mark.parametrize(
    ("comparator", "upper"), [("=", False), ("<", True), ("<=", True), (">", False), (">=", False)]
)
def test_at_most_is_a_limit_like_less_than(comparator, upper):
    assert Reading(comparator, Decimal(20), "copies_ml", None, "").is_upper_limit is upper
