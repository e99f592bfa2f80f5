"""The table that spreadsheets open: nothing in it is a formula, and a number stays a number."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from il2tracker.exchange.cells import STARTS_A_FORMULA, harmless, table
from labs.models import LabResult
from tests.exchange.conftest import take


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("-2", "-2"),
        ("+3.5", "+3.5"),
        ("612", "612"),
        ("", ""),
        ("<20", "<20"),
        ("=1+1", "'=1+1"),
        ("-2 mmol/L", "'-2 mmol/L"),
        ("-2+3", "'-2+3"),
        ("+++", "'+++"),
        ("-1e5", "'-1e5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("-²", "'-²"),
        ("a=1", "a=1"),
    ],
)
def test_what_a_spreadsheet_would_work_out_is_text_and_a_number_stays_a_number(cell, expected):
    assert harmless(cell) == expected


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_every_table_is_read_back_as_it_was_and_no_cell_is_a_formula(rows):
    read = list(csv.reader(io.StringIO(table(("a", "b"), rows).removeprefix("\ufeff"), newline="")))
    assert read == [["a", "b"], *([harmless(cell) for cell in row] for row in rows)]
    for row in read:
        for cell in row:
            assert not cell.startswith(STARTS_A_FORMULA) or cell.lstrip("+-").replace(".", "", 1).isdigit()


@pytest.fixture
def written(cast, full):
    return take(full, cast.ben, "table").decode("utf-8")


def test_it_follows_rfc_4180_and_says_that_it_is_utf_8(written):
    assert written.startswith("\ufefftaken,test,value,unit,")
    assert written.endswith("\r\n")
    assert '"\'=HYPERLINK(""https://example.org"")\nsecond ""line"""' in written
    assert {len(row) for row in csv.reader(io.StringIO(written, newline=""))} == {14}


def test_a_line_says_what_the_page_says(written):
    rows = list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"), newline="")))
    values = [(row["test"], row["value"], row["unit"]) for row in rows]
    assert ("CD4+ count", "0.4310", "10*9/L") in values
    assert ("eGFR", ">60", "mL/min/1.73m2") in values
    assert ("Base excess", "'-2 mmol/L", "mmol/L") in values
    assert ("'@odd name", "'+++", "") in values
    found = [row["value"] for row in rows if row["test"] == "Viral load"]
    assert {"<20", "<20 detected", "not detected", "4.36", "612"} == set(found)
    cd4 = next(row for row in rows if row["value"] == "612" and row["test"] == "CD4+ count")
    assert (cd4["taken"], cd4["counts"], cd4["why"]) == ("2026-02-01", "too soon", "21 days after course 1")
    potassium = next(row for row in rows if row["test"] == "Potassium")
    assert (potassium["counts"], potassium["range"], potassium["status"]) == ("", "3.5-5.0", "corrected")


def test_a_moment_stands_with_the_zone_in_which_it_was_recorded(cast, full, written):
    result = LabResult.objects.get(patient=full, drawn_at__isnull=False)
    assert result.zone == "Europe/London"
    assert "2026-03-29T05:40:00+01:00" in written
