from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from labs.matching import Known, Match, Shelf, known
from labs.units import library
from labs.written import parse

ON = date(2026, 11, 4)
RULES = library()


def at(hour):
    return None if hour is None else datetime(2026, 11, 4, hour, 15, tzinfo=UTC)


def cd4(value, hour=None, *, on=ON, patient=1, specimen="", comparator="="):
    number = None if value is None else Decimal(value)
    return Known(patient, "cd4", on, at(hour), comparator, number, specimen)


@pytest.mark.parametrize(
    ("there", "new", "expected"),
    [
        (cd4(612), cd4(612), Match.THERE),
        (cd4(612), cd4("612.000"), Match.THERE),
        (cd4(612), cd4(612, 8), Match.THERE),
        (cd4(612, 8), cd4(612), Match.THERE),
        (cd4(612, 8), cd4(612, 8), Match.THERE),
        (cd4(612, 8), cd4(612, 20), Match.NEW),
        (cd4(612, 8), cd4(640, 20), Match.NEW),
        (cd4(612, 8), cd4(640, 8), Match.CONFLICT),
        (cd4(612), cd4(640), Match.CONFLICT),
        (cd4(612), cd4(640, 8), Match.CONFLICT),
        (cd4(612, 8), cd4(640), Match.CONFLICT),
        (cd4(20, comparator="<"), cd4(20), Match.CONFLICT),
        (cd4(None), cd4(None), Match.THERE),
        (cd4(612, specimen="A1"), cd4(640, specimen="B2"), Match.NEW),
        (cd4(612, specimen="A1"), cd4(612), Match.THERE),
        (cd4(612), cd4(612, on=date(2026, 11, 5)), Match.NEW),
        (cd4(612), cd4(612, patient=2), Match.NEW),
    ],
)
def test_a_result_is_new_there_already_or_in_conflict(there, new, expected):
    assert Shelf.of([there]).match(new)[0] is expected


def test_an_equal_value_of_the_day_goes_before_a_conflict():
    shelf = Shelf.of([cd4(640), cd4(612)])
    assert shelf.match(cd4(612)) == (Match.THERE, cd4(612))


def test_the_same_value_in_two_units_is_the_same_result():
    one, other = (known(1, RULES["cd4"], parse(RULES["cd4"], text), ON, None) for text in ("612", "0.612 10^9/L"))
    assert one.fingerprint == other.fingerprint == "cd4|2026-11-04|-|=|612"


def test_the_fingerprint_holds_the_minute_in_utc_and_the_specimen():
    assert cd4(612, 8, specimen="A1").fingerprint == "cd4|2026-11-04|08:15|=|612|A1"
    assert cd4(None).fingerprint == "cd4|2026-11-04|-|=|not detected"
