from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.units import MOST_DECIMALS, Reading, ReadingError, figure, library
from labs.written import below, parse, questions

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
        ("hiv_rna", ">10,000,000", "", (">", "10000000", "copies_ml", None)),
        ("hiv_rna", "More than 1.000.000", "", (">", "1000000", "copies_ml", None)),
        ("hiv_rna", "not detected", "", ("=", None, "copies_ml", False)),
        ("hiv_rna", "TND", "", ("=", None, "copies_ml", False)),
        ("hiv_rna", "Undetectable", "", ("=", None, "copies_ml", False)),
        ("hiv_rna", "<20 detected", "", ("<", "20", "copies_ml", True)),
        ("hiv_rna", "<20 copies/mL, not detected", "", ("<", "20", "copies_ml", False)),
        ("hiv_rna", "1,000", "", ("=", "1000", "copies_ml", None)),
        ("hiv_rna", "1,234.5", "", ("=", "1234.5", "copies_ml", None)),
        ("hiv_rna", "1.234,5", "", ("=", "1234.5", "copies_ml", None)),
        ("hiv_rna", "1e+05", "", ("=", "100000", "copies_ml", None)),
        ("hiv_rna", "4.2 log", "", ("=", "4.2", "log10_copies_ml", None)),
        ("hiv_rna", "4,2", "log10_copies_ml", ("=", "4.2", "log10_copies_ml", None)),
        ("hiv_rna", "4.3617", "log10_copies_ml", ("=", "4.3617", "log10_copies_ml", None)),
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
    ],
)
def test_what_is_no_result_or_could_be_two_is_refused_in_words(code, text, unit, words):
    with pytest.raises(ReadingError, match=words):
        parse(RULES[code], text, unit)


@given(st.sampled_from(sorted(RULES)), st.text(max_size=30))
def test_no_text_at_all_breaks_the_reader(code, text):
    try:
        reading = parse(RULES[code], text)
    except ReadingError:
        return
    assert reading.value is None or reading.value == reading.value.quantize(Decimal(10) ** -MOST_DECIMALS)


@given(st.sampled_from(sorted(RULES)), st.text(alphabet="0123456789., <>e+", min_size=1, max_size=14))
def test_nothing_made_of_digits_and_marks_is_cut_short(code, text):
    try:
        reading = parse(RULES[code], text)
    except ReadingError:
        return
    digits = [mark for mark in text.partition("e")[0] if mark.isdigit()]
    kept = [mark for mark in str(reading.value.as_tuple().digits) if mark.isdigit()]
    assert "".join(kept).strip("0") == "".join(digits).strip("0")


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
