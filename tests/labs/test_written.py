from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.grouped import doubt
from labs.units import Reading, ReadingError, figure, library
from labs.written import below, measured, parse, questions
from tests.labs import value_properties as properties

RULES = library()
CD4, VIRAL_LOAD = RULES["cd4"], RULES["hiv_rna"]


@pytest.mark.parametrize(
    ("code", "text", "unit", "expected"),
    [
        ("cd4", "612", "", ("=", "612", "cells_ul", None)),
        ("cd4", " 612 ", "", ("=", "612", "cells_ul", None)),
        ("cd4", "221.76", "", ("=", "221.76", "cells_ul", None)),
        ("cd4", "0.612", "giga_l", ("=", "0.612", "giga_l", None)),
        ("cd4", "0,612", "giga_l", ("=", "0.612", "giga_l", None)),
        ("cd4", "1,0", "giga_l", ("=", "1.0", "giga_l", None)),
        ("cd4", "0.612 10⁹/L", "", ("=", "0.612", "giga_l", None)),
        ("cd4", "0.612 x10^9/L", "cells_ul", ("=", "0.612", "giga_l", None)),
        ("cd4", "612 cells/mm3", "giga_l", ("=", "612", "cells_ul", None)),
        ("cd4", "1,000", "", ("=", "1000", "cells_ul", None)),
        ("cd4", "1 250", "", ("=", "1250", "cells_ul", None)),
        ("cd4", "1\u202f250,5", "", ("=", "1250.5", "cells_ul", None)),
        ("cd4", "204.125", "", ("=", "204.125", "cells_ul", None)),
        ("cd4_percent", "28", "", ("=", "28", "percent", None)),
        ("cd4_percent", "28,5 %", "", ("=", "28.5", "percent", None)),
        ("hiv_rna", "<20", "", ("<", "20", "copies_ml", None)),
        ("hiv_rna", "< 20", "", ("<", "20", "copies_ml", None)),
        ("hiv_rna", "less than 20 copies/mL", "", ("<", "20", "copies_ml", None)),
        ("hiv_rna", "≤ 40", "", ("<=", "40", "copies_ml", None)),
        ("hiv_rna", "≥ 40", "", (">=", "40", "copies_ml", None)),
        ("hiv_rna", "<=40 copies/mL", "", ("<=", "40", "copies_ml", None)),
        ("hiv_rna", "at most 40", "", ("<=", "40", "copies_ml", None)),
        ("hiv_rna", "up to 40", "", ("<=", "40", "copies_ml", None)),
        ("tsh", "at least 100 mIU/L", "", (">=", "100", "miu_l", None)),
        ("hiv_rna", ">10,000,000", "", (">", "10000000", "copies_ml", None)),
        ("hiv_rna", "More than 1.000.000", "", (">", "1000000", "copies_ml", None)),
        ("hiv_rna", "not detected", "", ("=", None, "copies_ml", False)),
        ("hiv_rna", "TND", "", ("=", None, "copies_ml", False)),
        ("hiv_rna", "Undetectable", "", ("=", None, "copies_ml", False)),
        ("hiv_rna", "<20 detected", "", ("<", "20", "copies_ml", True)),
        ("hiv_rna", "<20 copies/mL, not detected", "", ("<", "20", "copies_ml", False)),
        ("hiv_rna", "Not detected (<20 copies/mL)", "", ("<", "20", "copies_ml", False)),
        ("hiv_rna", "Target not detected, <20", "", ("<", "20", "copies_ml", False)),
        ("hiv_rna", "Undetectable: < 20", "", ("<", "20", "copies_ml", False)),
        ("hiv_rna", "Detected, <20 copies/mL", "", ("<", "20", "copies_ml", True)),
        ("hiv_rna", "Detected 35", "", ("=", "35", "copies_ml", True)),
        ("hiv_rna", "<1.3 log(copies/mL) (detected)", "", ("<", "1.3", "log10_copies_ml", True)),
        ("hiv_rna", "1,000", "", ("=", "1000", "copies_ml", None)),
        ("hiv_rna", "1,234.5", "", ("=", "1234.5", "copies_ml", None)),
        ("hiv_rna", "1.234,5", "", ("=", "1234.5", "copies_ml", None)),
        ("hiv_rna", "1e+05", "", ("=", "100000", "copies_ml", None)),
        ("hiv_rna", "4.2 log", "", ("=", "4.2", "log10_copies_ml", None)),
        ("hiv_rna", "4,2", "log10_copies_ml", ("=", "4.2", "log10_copies_ml", None)),
        ("hiv_rna", "4.3617", "log10_copies_ml", ("=", "4.3617", "log10_copies_ml", None)),
        ("cd4_cd8_ratio", "0,8", "", ("=", "0.8", "ratio", None)),
        ("platelets", "250", "", ("=", "250", "thousand_ul", None)),
        ("platelets", "250 x10E3/uL", "giga_l", ("=", "250", "thousand_ul", None)),
        ("platelets", "250 10*9/L", "", ("=", "250", "giga_l", None)),
        ("platelets", "250 109/L", "", ("=", "250", "giga_l", None)),
        ("platelets", "250,000 /mm3", "", ("=", "250000", "cells_ul", None)),
        ("red_cells", "4.5 x 10^12 / L", "", ("=", "4.5", "tera_l", None)),
        ("hematocrit", "0.42", "fraction", ("=", "0.42", "fraction", None)),
        ("hemoglobin", "13.5 g/dl", "g_l", ("=", "13.5", "g_dl", None)),
        ("creatinine", "90 µmol/L", "", ("=", "90", "umol_l", None)),
        ("urea", "35 mg/dL", "urea_mg_dl", ("=", "35", "urea_mg_dl", None)),
        ("urea", "35 mg/dL", "", ("=", "35", "bun_mg_dl", None)),
        ("sodium", "140 mEq/L", "", ("=", "140", "meq_l", None)),
        ("hba1c", "48 mmol/mol", "", ("=", "48", "mmol_mol", None)),
    ],
)
def test_what_people_write_is_read_exactly(code, text, unit, expected):
    comparator, value, unit_code, detected = expected
    reading = parse(RULES[code], text, unit)
    assert (reading.comparator, reading.unit, reading.detected) == (comparator, unit_code, detected)
    assert reading.value == (None if value is None else Decimal(value))
    assert reading.raw == " ".join(text.split())


@pytest.mark.parametrize(
    ("code", "text", "unit", "words"),
    [
        ("cd4", "", "", "Enter a value"),
        ("cd4", "   ", "", "Enter a value"),
        ("cd4", "six hundred", "", "is not a value we can read"),
        ("cd4", "-5", "", "is not a value we can read"),
        ("cd4", "=1+1", "", "is not a value we can read"),
        ("cd4", "٦١٢", "", "is not a value we can read"),
        ("cd4", "NaN", "", "is not a value we can read"),
        ("cd4", "9" * 61, "", "too long"),
        ("cd4", "1,250", "giga_l", "can be 1250 or 1.25"),
        ("cd4", "1.250", "", "can be 1250 or 1.25"),
        ("hiv_rna", "4,200", "log10_copies_ml", "can be 4200 or 4.2"),
        ("hiv_rna", "12,34,567", "", "more than one way"),
        ("hiv_rna", "1,2.3,4", "", "more than one way"),
        ("hiv_rna", "1 2 3.4.5", "", "more than one way"),
        ("hiv_rna", "1.234 5", "", "more than one way"),
        ("hiv_rna", "1.0000001", "", "more than 6 digits"),
        ("cd4", "28 %", "", "not a unit of this test"),
        ("cd4", "612 mg", "", "not a unit of this test"),
        ("cd4", "612", "percent", "not a unit of this test"),
        ("cd4", "not detected", "", "not a result of this test"),
        ("cd4", "5001", "", "cannot be right"),
        ("cd4", "612", "giga_l", "cannot be right"),
        ("cd4_percent", "101", "", "cannot be right"),
        ("hiv_rna", "0", "", "not detected"),
        ("hiv_rna", "1,000,000,001", "", "cannot be right"),
        ("hiv_rna", "0.5", "", "cannot be right"),
        ("hiv_rna", "1e99", "", "cannot be right"),
        ("hiv_rna", "9.1", "log10_copies_ml", "cannot be a log10 value"),
        ("cd4_cd8_ratio", "0.8 mg", "", "is not a unit of this test. It has none."),
        ("hiv_rna", "20 not detected", "", "says that nothing was found"),
        ("hiv_rna", "not detected >20", "", "says that nothing was found"),
        ("hiv_rna", "detected", "", "is not a value we can read"),
        ("hiv_rna", "1000 IU/mL", "", "IU/mL cannot be turned into copies"),
        ("hemoglobin", "135", "", "Possible: 2 to 25 g/dL. Is it in g/L"),
        ("albumin", "42", "", "Is it in g/L"),
        ("albumin", "4.2", "g_l", "Is it in g/dL"),
        ("creatinine", "90", "", "Is it in µmol/L"),
        ("creatinine", "1.1", "umol_l", "Is it in mg/dL"),
        ("bilirubin", "0.8", "umol_l", "Is it in mg/dL"),
        ("white_cells", "6500", "", "Is it in cells/mm³"),
        ("platelets", "250000", "", "Is it in cells/mm³"),
        ("hematocrit", "0.42", "", "Is it in L/L"),
        ("hba1c", "48", "", "Is it in mmol/mol"),
        ("glucose", "5.5", "", "Is it in mmol/L"),
        ("calcium", "2.4", "", "Is it in mmol/L"),
        ("sodium", "14", "", "cannot be right. Possible: 90 to 200 mmol/L.$"),
        ("platelets", "250 250 10^9/L", "", "cannot be right"),
        ("platelets", "250 K/uL 10^9/L", "", "is not a value we can read"),
    ],
)
def test_what_is_no_result_or_could_be_two_is_refused_in_words(code, text, unit, words):
    with pytest.raises(ReadingError, match=words):
        parse(RULES[code], text, unit)


@given(st.sampled_from(sorted(RULES)), st.text(alphabet="0123456789., <>e+", min_size=1, max_size=14))
def test_nothing_made_of_digits_and_marks_is_cut_short(code, text):
    try:
        reading = parse(RULES[code], text)
    except ReadingError:
        return
    digits = [mark for mark in text.partition("e")[0] if mark.isdigit()]
    kept = [mark for mark in str(reading.value.as_tuple().digits) if mark.isdigit()]
    assert "".join(kept).strip("0") == "".join(digits).strip("0")


@settings(max_examples=300)
@given(properties.codes, properties.texts, properties.units)
def test_whatever_is_typed_is_what_was_typed_or_is_refused_in_words(code, text, unit):
    properties.typed(code, text, unit)


@settings(max_examples=300)
@given(properties.codes, st.sampled_from(properties.SIGNS), properties.texts, st.sampled_from(properties.SPELLINGS))
def test_whatever_is_sent_is_what_was_sent_or_is_refused_in_words(code, comparator, number, unit):
    properties.sent(code, comparator, number, unit)


@settings(max_examples=300)
@given(properties.tests, properties.values, st.sampled_from(properties.SIGNS), st.integers(0, 20))
def test_a_number_with_its_unit_comes_back_as_it_was_written(code, value, sign, which):
    properties.comes_back(code, value, sign, which)


@given(st.decimals(Decimal(1), Decimal(5000), places=2))
def test_a_number_in_words_reads_back_as_the_same_number(value):
    assert parse(CD4, figure(value)).value == value


@pytest.mark.parametrize(
    ("code", "text", "percent_given", "before", "question"),
    [
        ("cd4", "28", False, None, "the count, or the CD4+ percentage"),
        ("cd4", "100", False, None, "the count, or the CD4+ percentage"),
        ("cd4", "101", False, None, None),
        ("cd4", "28", True, None, None),
        ("cd4", "0.62", True, None, "0.62 the count in 10⁹/L"),
        ("cd4", "2501", True, None, "unusually high"),
        ("cd4", "2500", True, None, None),
        ("cd4", "61", True, 612, "result before was 612"),
        ("cd4", "62", True, 612, None),
        ("cd4_percent", "1", True, None, "unusually low"),
        ("hiv_rna", "4.2", True, None, "a log10 value"),
        ("hiv_rna", "30,000,000", True, None, "unusually high"),
        ("hiv_rna", "<20", True, None, None),
        ("hiv_rna", "not detected", True, None, None),
        ("hiv_rna", "4.2 log", True, None, None),
        ("hiv_rna", "5", True, None, "a log10 value"),
        ("cd4_percent", "60", True, 5, "result before was 5"),
        # a unit that slipped: plausible in the other one
        ("bilirubin", "17", True, None, "17 in mg/dL, or in µmol/L"),
        ("bilirubin", "1.2 µmol/L", True, None, "1.2 in µmol/L, or in mg/dL"),
        ("creatinine", "10 µmol/L", True, None, "unusually low"),
        ("creatinine", "25", True, None, "25 in mg/dL, or in µmol/L"),
        ("magnesium", "0.85", True, None, "0.85 in mg/dL, or in mmol/L"),
        ("phosphate", "1.2", True, None, "1.2 in mg/dL, or in mmol/L"),
        ("free_t4", "15", True, None, "15 in ng/dL, or in ng/L or pmol/L"),
        ("lactate", "18", True, None, "18 in mmol/L, or in mg/dL"),
        ("hba1c", "7 mmol/mol", True, None, "7 in mmol/mol, or in %"),
        ("white_cells", "6.5 cells/µL", True, None, "6.5 in cells/mm³, or in 10³/µL"),
        ("platelets", "250 cells/µL", True, None, "250 in cells/mm³, or in 10³/µL"),
        ("alt", "2", True, None, "2 in U/L, or in µkat/L"),
        ("neutrophils", "62", True, None, "the count, or a percentage"),
        ("lymphocytes", "28", True, None, "the count, or a percentage"),
        ("eosinophils", "8", True, None, "the count, or a percentage"),
        # a jump
        ("creatinine", "7.5", True, "0.75", "result before was 0.75"),
        ("hemoglobin", "5", True, 15, "result before was 15"),
        ("platelets", "20", True, 250, "result before was 250"),
        # what IL-2 does is no slip
        ("creatinine", "3.2", True, "1.1", None),
        ("bilirubin", "4.5", True, "0.6", None),
        ("eosinophils", "4.2", True, "0.2", None),
        ("eosinophils", "0", True, "0.2", None),
        ("platelets", "45", True, 250, None),
        ("urea", "5.2 mmol/L", True, None, None),
    ],
)
def test_an_odd_value_is_asked_about_and_never_changed(code, text, percent_given, before, question):
    reading = parse(RULES[code], text)
    asked = questions(
        RULES[code], reading, before=None if before is None else Decimal(before), percent_given=percent_given
    )
    assert question in asked[0] if question else asked == []


def test_a_floor_is_below_its_limit_and_keeps_what_was_written():
    assert below(VIRAL_LOAD, Decimal(100), "1.699") == Reading("<", Decimal(100), "copies_ml", None, "1.699")
    with pytest.raises(ReadingError):
        below(VIRAL_LOAD, Decimal(0), "0")


# What machines send


@pytest.mark.parametrize(
    ("code", "comparator", "digits", "printed", "expected"),
    [
        ("cd4", "", "612", "cells/uL", ("=", "612", "cells_ul", "612", "")),
        ("cd4", "=", "1.250", "/uL", ("=", "1.250", "cells_ul", "1.250", "")),
        ("cd4", "", "0.612", "10*9/L", ("=", "0.612", "giga_l", "0.612", "")),
        ("hiv_rna", "<", "20", "{copies}/mL", ("<", "20", "copies_ml", "<20", "")),
        ("hiv_rna", "<=", "20", "copies/mL", ("<=", "20", "copies_ml", "<=20", "")),
        ("hiv_rna", "≥", "20", "copies/mL", (">=", "20", "copies_ml", ">=20", "")),
        ("hiv_rna", "", "1500", "[IU]/mL", ("=", "1500", "", "1500", "")),
        ("hemoglobin", "", "13.4", "g/l-1", ("=", "13.4", "", "13.4", "")),
        ("hemoglobin", "", "900", "", ("=", "900", "", "900", "")),
        ("potassium", "", "+4.10", "mmol/L", ("=", "4.10", "mmol_l", "+4.10", "")),
        ("potassium", "", "4.", "meq/L", ("=", "4", "meq_l", "4.", "")),
        ("bilirubin", "", ".7", "mg/dL", ("=", "0.7", "mg_dl", ".7", "")),
        ("platelets", "", "2.5e2", "10*3/uL", ("=", "250", "thousand_ul", "2.5e2", "")),
        ("eosinophils", "", "0e999", "10*3/uL", ("=", "0", "thousand_ul", "0e999", "")),
        ("other", "", "105", "mmol/L", ("=", "105", "", "105", "")),
        ("other", "<", "0.01", "ug/L", ("<", "0.01", "", "<0.01", "")),
        # what no column holds exactly stays as it was sent
        ("other", "", "-2.3", "mmol/L", ("=", None, "", "-2.3 mmol/L", "-2.3 mmol/L")),
        ("other", "", "1.0000000001", "g", ("=", None, "", "1.0000000001 g", "1.0000000001 g")),
        ("other", ">", "1E245", "", ("=", None, "", ">1E245", ">1E245")),
    ],
)
def test_what_a_machine_sends_is_kept_to_the_digit(code, comparator, digits, printed, expected):
    sign, value, unit, raw, text = expected
    value = None if value is None else Decimal(value)
    assert measured(RULES[code], comparator, digits, printed) == Reading(sign, value, unit, None, raw, printed, text)


@pytest.mark.parametrize(
    ("code", "comparator", "digits", "printed", "words"),
    [
        ("cd4", "", "", "/uL", "is not a number"),
        ("cd4", "", "612,5", "/uL", "is not a number"),
        ("cd4", "", "1 250", "/uL", "is not a number"),
        ("cd4", "", "see below", "/uL", "is not a number"),
        ("cd4", "", "NaN", "/uL", "is not a number"),
        ("cd4", "", "Infinity", "/uL", "is not a number"),
        ("cd4", "", "٦١٢", "/uL", "is not a number"),
        ("cd4", "", "^999", "/uL", "is not a number"),
        ("cd4", "ad", "612", "/uL", "is not a number"),
        ("cd4", "<>", "612", "/uL", "is not a number"),
        ("cd4", "", "-5", "/uL", "is not a result"),
        ("cd4", "", "-5", "parsecs", "is not a result"),
        ("cd4", "", "5001", "/uL", "cannot be right"),
        ("cd4", "", "612.0000001", "/uL", "more than 6 digits"),
        ("cd4", "", "1e30", "parsecs", "too large"),
        ("cd4", "", "1e-999", "/uL", "more than 6 digits"),
        ("cd4", "", "612", "u" * 41, "is not a result"),
        ("hiv_rna", "", "0", "copies/mL", "not detected"),
        ("hiv_rna", "", "12", "log copies/mL", "cannot be a log10 value"),
        ("hemoglobin", "", "135", "g/dL", "Is it in g/L"),
        ("other", "", "positive", "", "is not a number"),
        ("other", "", "1" * 2000, "", "too large"),
    ],
)
def test_what_a_machine_cannot_mean_is_refused_in_words(code, comparator, digits, printed, words):
    with pytest.raises(ReadingError, match=words):
        measured(RULES[code], comparator, digits, printed)


def test_nothing_is_asked_of_a_value_whose_unit_is_not_known():
    assert questions(CD4, measured(CD4, "", "4999", "cells/nL"), before=Decimal(5)) == []


def test_other_tests_are_not_detected_as_well():
    assert parse(RULES["other"], "not detected") == Reading("=", None, "", False, "not detected")


@pytest.mark.parametrize(
    ("code", "unit", "text", "asked"),
    [
        ("alt", "u_l", "1.250", "Is 1.250 1.25, or 1,250?"),
        ("alt", "u_l", "12.125 U/L", "Is 12.125 12.125, or 12,125?"),
        ("alt", "u_l", "1.25", ""),
        ("alt", "u_l", "1250", ""),
        ("potassium", "mmol_l", "4.125", ""),
        ("platelets", "thousand_ul", "150.000", ""),
        ("hiv_rna", "log10_copies_ml", "4.361", ""),
        ("cd4", "giga_l", "0.612", ""),
    ],
)
def test_h11_a_point_that_can_stand_for_thousands_is_asked_about(code, unit, text, asked):
    assert doubt(RULES[code], parse(RULES[code], text, unit)) == asked


@pytest.mark.parametrize("text", ["612 detected", "Detected 612", "<20 not detected"])
def test_only_what_can_be_undetected_is_said_to_be_detected(text):
    with pytest.raises(ReadingError, match="is not a result of this test"):
        parse(CD4, text)


def test_a_count_in_the_box_of_the_percentage_is_named():
    with pytest.raises(ReadingError, match=r"590 % cannot be right. Is it the CD4\+ count\?"):
        parse(RULES["cd4_percent"], "590")
