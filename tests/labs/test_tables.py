import csv
import io
import json
from collections import Counter
from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.files.asking import asked
from labs.files.candidates import DateError, FileError, Status
from labs.files.columns import Kind, detect, with_tests
from labs.files.days import read_date
from labs.files.rows import Answers, readings
from labs.files.tables import BROWSER_BYTES, BROWSER_ROWS, read
from labs.units import library
from tests.labs import table_properties as properties
from tests.labs.samples import ACTG, DATA, QVIRUS_CD4, QVIRUS_VL, visit_dates

RULES, TODAY = library(), date(2026, 11, 21)
OTHER_NUMBER = "Contact Phone Number"  # differs between a file and its answer in the collection itself
SPECTRUM = sorted((DATA / "csv-spectrum").glob("*.csv"))
START = Answers(start=date(2020, 1, 1))


def lines(content, answers=START, today=TODAY):
    table = read(content if isinstance(content, bytes) else content.encode())
    return list(readings(table, detect(table.header), answers, RULES, today=today))


def statuses(content, answers=START):
    return [(line.status, line.reason) for line in lines(content, answers)]


# Files


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.name)
def test_every_corner_case_of_csv_gets_an_answer_for_each_row(path):
    with path.open(newline="", encoding="utf-8") as file:
        expected = [row for row in list(csv.reader(file))[1:] if any(row)]
    answered = lines(path.read_bytes())
    assert [line.status for line in answered] == [Status.NOT_UNDERSTOOD] * len(expected)
    assert all(line.reason for line in answered)


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.name)
def test_corner_cases_inside_a_result_are_answered_row_by_row(path):
    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell or "-" for row in csv.reader(file) for cell in row]
    out = io.StringIO()
    csv.writer(out).writerows([["date", "cd4"], *(["2026-01-05", cell] for cell in cells)])
    answered = lines(out.getvalue())
    assert len(answered) == len(cells)
    for line, cell in zip(answered, cells, strict=True):
        assert (line.status is Status.READY) == (cell.isdecimal() and int(cell) <= 5000), cell


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "This file is empty"),
        (b"\n\n", "This file is empty"),
        (b" , ,\n1,2,3", "This file is empty"),
        ("a,b\n1,2".encode("utf-16"), "not a table of text in UTF-8"),
        (bytes(range(256)) * 8, "not a table of text in UTF-8"),
        (b'"a,b\n1,2', "The first line cannot be read"),
        (b"da\0te,cd4\n1,2", "The first line cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content, words):
    with pytest.raises(FileError, match=words):
        read(content)


def test_limits_are_named_and_nothing_is_cut():
    row = b"2026-01-05,612\n"
    at_limit = b"date,cd4\n" + row * BROWSER_ROWS
    assert len(list(read(at_limit, most_rows=BROWSER_ROWS).rows)) == BROWSER_ROWS
    with pytest.raises(FileError, match="5,001 rows"):
        read(at_limit + row, most_rows=BROWSER_ROWS)
    with pytest.raises(FileError, match=r"1\.1 MB"):
        read(b"a" * 1_100_000, most_bytes=BROWSER_BYTES)
    assert next(read(b"cd4\n" * (BROWSER_BYTES // 4), most_bytes=BROWSER_BYTES).rows)
    assert len(list(read(at_limit + row).rows)) == BROWSER_ROWS + 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'date,cd4\n2026-01-05,"612\n2026-01-06,613\n', ["quotation marks"]),
        (b'date,cd4\n2026-01-05,"61"2\n2026-01-06,613\n', ["quotation marks", ""]),
        (b"date,cd4\n2026-01-05\n2026-01-06,613\n", ["has 2 columns, this row 1", ""]),
        (b"date,cd4\n2026-01-05,612,x\n2026-01-06,613,\n", ["has 2 columns, this row 3", ""]),
        (b"date,cd4\n2026-01-05,6\xff2\n2026-01-06,613\n", ["not UTF-8", ""]),
        (b"date,cd4\n2026-01-05,6\x002\n2026-01-06,613\n", ["null character", ""]),
        (b"date,cd4\n2026-01-05," + b"6" * 200_000 + b"\n2026-01-06,613\n", ["too long", ""]),
    ],
)
def test_a_bad_row_is_answered_and_the_others_stay(content, expected):
    answered = lines(content)
    assert len(answered) == len(expected)
    for line, words in zip(answered, expected, strict=True):
        assert words in line.reason
        assert (line.status is Status.READY) == (words == "")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_delimiters_line_ends_and_a_byte_order_mark_make_no_difference(mark, end, start):
    content = start + end.join([mark.join(["date", "cd4"]), mark.join(["2026-01-05", "612"]), ""])
    assert [(line.on, line.reading.value) for line in lines(content)] == [(date(2026, 1, 5), 612)]


@given(st.binary(max_size=400))
def test_no_bytes_at_all_break_the_reader(content):
    try:
        answered = lines(b"date,cd4\n" + content)
    except FileError:
        return
    assert all(line.status in Status for line in answered)


# Layouts


@pytest.mark.parametrize(
    ("header", "kind", "tests"),
    [
        ("patient,study_day,log10_hiv_rna_copies_per_ml,cd4_cells_per_uL", Kind.DRAWS, ["hiv_rna", "cd4"]),
        ("ID,cd_2018_1,cd_2018_2", Kind.VISITS, ["cd4", "cd4"]),
        ("ID,vl_2018_1,vl_2019_1", Kind.VISITS, ["hiv_rna", "hiv_rna"]),
        ("ID,cd4_2018-01-05", Kind.VISITS, ["cd4"]),
        ("Date,CD4+ count,CD4+ %,Viral load", Kind.DRAWS, ["cd4", "cd4_percent", "hiv_rna"]),
        ("drawn,CD4 pct,VL,VL log10", Kind.DRAWS, ["cd4_percent", "hiv_rna", "hiv_rna"]),
        ("date,test,value,unit", Kind.READINGS, []),
        ("a,b,c", Kind.UNKNOWN, []),
        ("date,cd8,weight", Kind.UNKNOWN, []),
    ],
)
def test_a_layout_is_recognised_by_its_header(header, kind, tests):
    layout = detect(header.split(","))
    assert (layout.kind, [column.analyte for column in layout.columns]) == (kind, tests)


@pytest.mark.parametrize(
    ("header", "cell", "expected"),
    [
        ("CD4 cells (%)", "28", ("cd4_percent", "28", "percent", "")),
        ("CD4 cells %", "28", ("cd4_percent", "28", "percent", "")),
        ("CD4 cells (10^9/L)", "0.612", ("cd4", "0.612", "giga_l", "")),
        ("CD4 count cells x10^9/L", "0.612", ("cd4", "0.612", "giga_l", "")),
        ("cd4_cells_per_uL", "612", ("cd4", "612", "cells_ul", "")),
        ("CD4 cells/mm3", "612", ("cd4", "612", "cells_ul", "")),
        ("CD4 count (cells)", "612", ("cd4", "612", "cells_ul", "")),
        ("CD4 cells per field", "612", ("cd4", "612", "", "cells per field")),
        ("HIV RNA log10 IU/mL", "4.2", ("hiv_rna", "4.2", "", "log10 IU/mL")),
        ("VL log IU/mL", "4.2", ("hiv_rna", "4.2", "", "log10 IU/mL")),
        ("log10 HIV RNA (IU/mL)", "4.2", ("hiv_rna", "4.2", "", "log10 IU/mL")),
        ("HIV RNA copies IU/mL", "612", ("hiv_rna", "612", "", "copies IU/mL")),
        ("Viral load copies (log10)", "4.2", ("hiv_rna", "4.2", "log10_copies_ml", "")),
        ("vl_copies_log10", "4.2", ("hiv_rna", "4.2", "log10_copies_ml", "")),
        ("log10_hiv_rna_copies_per_ml", "4.2", ("hiv_rna", "4.2", "log10_copies_ml", "")),
        ("VL log10", "4.2", ("hiv_rna", "4.2", "log10_copies_ml", "")),
        ("VL (log10 copies/mL)", "4.2", ("hiv_rna", "4.2", "log10_copies_ml", "")),
        ("Viral load copies/mL", "612", ("hiv_rna", "612", "copies_ml", "")),
        ("Viral load", "612", ("hiv_rna", "612", "copies_ml", "")),
    ],
)
def test_the_unit_in_the_name_of_a_test_is_believed_or_kept_and_never_another(header, cell, expected):
    for content in (f"date,{header}\n2026-01-05,{cell}\n", f"date,test,value\n2026-01-05,{header},{cell}\n"):
        (line,) = lines(content)
        reading = line.reading
        assert (line.status, line.analyte) == (Status.READY, expected[0])
        assert (str(reading.value), reading.unit, reading.unit_text if not reading.unit else "") == expected[1:]


def test_columns_that_are_not_read_are_named():
    assert detect(["date", "cd4", "weight", "cd8"]).unused == ("weight", "cd8")


def test_a_header_may_hold_the_date_of_its_visit():
    content = "patient,cd4_2018-01-05,cd4_2018_2\n1,612,613\n"
    assert [(line.on, line.status) for line in lines(content)] == [
        (date(2018, 1, 5), Status.READY),
        (None, Status.NEEDS_DATE),
    ]


def test_a_column_can_be_named_by_hand():
    table = read(b"date,Helper\n2026-01-05,612\n")
    layout = with_tests(detect(table.header), table.header, {"Helper": ("cd4", "cells_ul")})
    line = next(readings(table, layout, START, RULES, today=TODAY))
    assert (line.analyte, line.reading.value) == ("cd4", 612)
    with pytest.raises(FileError, match="no column “Killer”"):
        with_tests(layout, table.header, {"Killer": ("cd4", "cells_ul")})


def test_one_reading_per_row_with_units_as_written():
    content = (
        "date,test,value,unit\n"
        "2026-01-05,CD4+ count,0.612,10^9/L\n"
        "2026-01-05,Viral load,<20,copies/mL\n"
        "2026-01-05,log10 HIV RNA,4.2,\n"
        "2026-01-05,weight,70,kg\n"
        "2026-01-05,,70,\n"
        "2026-01-05,CD4,612,mg\n"
    )
    answered = lines(content)
    assert [(line.reading.comparator, line.reading.value, line.reading.unit) for line in answered[:3]] == [
        ("=", Decimal("0.612"), "giga_l"),
        ("<", Decimal(20), "copies_ml"),
        ("=", Decimal("4.2"), "log10_copies_ml"),
    ]
    weight, nameless, strange = answered[3:]
    assert (weight.analyte, weight.name, weight.reading.value, weight.reading.unit_text) == (
        "other",
        "weight",
        70,
        "kg",
    )
    assert (nameless.status, nameless.reason) == (Status.NOT_UNDERSTOOD, "This row names no test.")
    assert (strange.analyte, strange.reading.value, strange.reading.unit, strange.reading.unit_text) == (
        "cd4",
        612,
        "",
        "mg",
    )


# Dates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-04", date(2026, 11, 4)),
        ("2026/11/4", date(2026, 11, 4)),
        ("2026-11-04T08:15:00Z", date(2026, 11, 4)),
        ("4 November 2026", date(2026, 11, 4)),
        ("04-Nov-2026", date(2026, 11, 4)),
        ("25/11/2026", date(2026, 11, 25)),
        ("11/25/2026", date(2026, 11, 25)),
        ("04.04.2026", date(2026, 4, 4)),
    ],
)
def test_dates_that_mean_one_day_are_read(text, expected):
    assert read_date(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("04/11/2026", "two different days"),
        ("2026-02-30", "not a day of the calendar"),
        ("31/31/2026", "not a day of the calendar"),
        ("4 Brumaire 2026", "not a date we can read"),
        ("soon", "not a date we can read"),
        ("26-11-04", "not a date we can read"),
    ],
)
def test_dates_that_could_be_two_days_or_none_are_refused(text, words):
    with pytest.raises(DateError, match=words):
        read_date(text)


def test_a_date_that_can_be_two_days_says_where_to_answer():
    table = "date,cd4\n04/11/2026,612\n"
    [(_status, reason)] = statuses(table)
    assert "Say above how the dates of this file are written." in reason
    [(_status, to_a_command)] = statuses(table, Answers(order="?"))
    assert "above" not in to_a_command


@pytest.mark.parametrize(
    ("row", "answers", "words"),
    [
        ("2026-11-22,,612", START, "has not come yet"),
        ("1979-12-31,,612", START, "too long ago"),
        (",1.5,612", START, "not a day of a study"),
        (",x,612", START, "not a day of a study"),
        (",99999,612", START, "not a day of a study"),
        (",5,612", Answers(), "which date was day 0"),
        (",,612", START, "when the blood was taken"),
    ],
)
def test_a_row_without_a_sure_date_needs_one(row, answers, words):
    [(status, reason)] = statuses("date,day,cd4\n" + row, answers)
    assert status is Status.NEEDS_DATE
    assert words in reason


def test_today_is_not_the_future():
    [line] = lines(f"date,cd4\n{TODAY},612\n")
    assert line.status is Status.READY


def test_a_time_is_read_from_its_column_or_from_the_date():
    both = lines("date,time,cd4\n2026-01-05,08:15,612\n2026-01-05 21:40,,612\n2026-01-05,25:00,612\n")
    assert [line.at for line in both] == [time(8, 15), time(21, 40), None]


# The real files


@pytest.mark.parametrize(
    ("written", "expected"),
    [("8:15 PM", time(20, 15)), ("8:15am", time(8, 15)), ("08:15:30", time(8, 15)), ("20.15", time(20, 15))],
)
def test_a_time_is_read_like_one_typed_in_a_form(written, expected):
    assert [line.at for line in lines(f"date,time,cd4\n2026-01-05,{written},612\n")] == [expected]


def test_a_time_beside_the_date_keeps_its_half_of_the_day():
    assert [line.at for line in lines("date,cd4\n2026-01-05 8:15 PM,612\n")] == [time(20, 15)]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("5 January 2026 08:15 +01:00", "names a time zone"),
        ("2026-01-05 08:15 UTC", "names a time zone"),
        ("2026-01-05 25:15", "is not a time we can read"),
        ("2026-01-05 23:59:60", "is not a time we can read"),
    ],
)
def test_a_time_with_an_offset_or_no_time_at_all_is_refused_in_words(written, words):
    [(status, reason)] = statuses(f"date,cd4\n{written},612\n")
    assert status is Status.NEEDS_DATE
    assert words in reason


def test_actg_is_read_whole_with_its_floor_told():
    answers = Answers(start=date(2020, 1, 1), floors={("hiv_rna", "log10_copies_ml"): {Decimal("1.699"): Decimal(100)}})
    answered = lines(ACTG.read_bytes(), answers)
    assert Counter(line.status for line in answered) == {Status.READY: 360}
    floors = [line.reading for line in answered if line.raw == "1.699"]
    assert len(floors) == 16
    assert {(reading.comparator, reading.value) for reading in floors} == {("<", Decimal(100))}
    assert answered[-1].on == date(2020, 1, 1) + timedelta(days=int(ACTG.read_text().split("\n")[-2].split(",")[1]))


def test_qvirus_needs_dates_and_refuses_0_until_its_floors_are_told():
    dates = {name: date.fromisoformat(on) for name, on in visit_dates(QVIRUS_VL).items()}
    assert Counter(line.status for line in lines(QVIRUS_CD4.read_bytes())) == {Status.NEEDS_DATE: 333}
    dated = lines(QVIRUS_VL.read_bytes(), Answers(column_dates=dates))
    assert Counter(line.status for line in dated) == {Status.NOT_UNDERSTOOD: 144, Status.READY: 183}
    floors = {("hiv_rna", "copies_ml"): {Decimal(0): Decimal(20), Decimal(20): Decimal(20), Decimal(40): Decimal(40)}}
    told = lines(QVIRUS_VL.read_bytes(), Answers(column_dates=dates, floors=floors))
    assert Counter(line.reading.comparator for line in told) == {"<": 144 + 73 + 23, "=": 327 - 240}


def questions(content):
    table = read(content)
    return asked(table, detect(table.header), RULES)


def test_what_a_file_does_not_say_is_asked():
    actg, cd4, vl = (questions(path.read_bytes()) for path in (ACTG, QVIRUS_CD4, QVIRUS_VL))
    assert (len(actg.patients), actg.needs_start, actg.visits) == (23, True, ())
    assert actg.floors == ((("hiv_rna", "log10_copies_ml"), Decimal("1.699"), 16),)
    assert (len(cd4.patients), cd4.needs_start, len(cd4.visits), cd4.floors) == (87, False, 17, ())
    assert [(str(number), count) for _key, number, count in vl.floors] == [("0", 144), ("20", 73), ("40", 23)]


def test_nothing_is_asked_of_a_file_that_says_everything():
    said = questions(b"date,cd4,viral load\n2026-01-05,612,<20\n2026-03-05,640,64\n")
    assert said == type(said)((), False, (), ())


@given(properties.tables | properties.broken | properties.pasted, properties.answers)
def test_every_table_gets_an_answer_for_each_row_and_no_number_of_its_own(content, said):
    properties.answered(content, said)


@given(
    st.lists(st.tuples(properties.drawn, properties.values), min_size=1, max_size=4),
    st.sampled_from(";\t|"),
    st.booleans(),
    st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d %B %Y"]),
)
def test_a_table_without_doubt_comes_back(rows, mark, comma, how):
    properties.comes_back(rows, mark, comma, how)


# The catalogue in headers


@pytest.mark.parametrize(
    ("header", "test", "unit"),
    [
        ("Creatinine (mg/dL)", "creatinine", "mg_dl"),
        ("Creatinine [umol/L]", "creatinine", "umol_l"),
        ("ALT U/L", "alt", "u_l"),
        ("Potassium", "potassium", "mmol_l"),
        ("CD4+ count (cells/µL)", "cd4", "cells_ul"),
        ("VL log10", "hiv_rna", "log10_copies_ml"),
        ("Haemoglobin g/L", "hemoglobin", "g_l"),
    ],
)
def test_a_column_is_known_by_the_name_that_laboratories_use_with_its_unit(header, test, unit):
    [column] = detect(["date", header]).columns
    assert (column.analyte, column.unit) == (test, unit)


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.name)
def test_every_corner_case_of_csv_is_parsed_to_its_answer(path):
    table = read(path.read_bytes())
    parsed = json.loads(path.with_suffix(".json").read_text("utf-8"))
    expected = parsed if isinstance(parsed, list) else [parsed]
    got = [dict(zip(table.header, row.cells, strict=True)) for row in table.rows]
    for row in (*got, *expected):
        row.pop(OTHER_NUMBER, None)
    assert got == [{name: value.strip() for name, value in row.items()} for row in expected if any(row.values())]


def test_latin_1_is_refused_with_the_line():
    answered = lines("date,cd4,note\n2026-01-05,612,ok\n2026-01-06,613,\xb5\n".encode("latin-1"))
    assert [(line.line, line.status) for line in answered] == [(2, Status.READY), (3, Status.NOT_UNDERSTOOD)]
    assert "not UTF-8" in answered[1].reason
