"""Numbers, moments and telephone links as templates write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from il2tracker import ui

NOW = datetime(2026, 11, 21, 21, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Decimal("7.500"), "7.5 million units"),
        (Decimal("6.000"), "6 million units"),
        (Decimal(18), "18 million units"),
        (Decimal("0.450"), "0.45 million units"),
        (None, ""),
    ],
)
def test_an_amount_reads_as_patients_read_it(value: Decimal | None, words: str) -> None:
    assert ui.miu(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Decimal(10000000), "10,000,000"),
        (Decimal("1E+7"), "10,000,000"),
        (Decimal("38.40"), "38.4"),
        (600, "600"),
        ("0.612", "0.612"),
        (0, "0"),
        ("", ""),
    ],
)
def test_a_number_has_no_trailing_zero_and_no_exponent(value: Any, words: str) -> None:
    assert ui.number(value) == words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("102", "F", "over 102\xa0°F (38.9\xa0°C or more)"),
        ("38", "C", "over 38\xa0°C (100.5\xa0°F or more)"),
        ("38.0", "C", "over 38\xa0°C (100.5\xa0°F or more)"),
        ("40", "C", "over 40\xa0°C (104.1\xa0°F or more)"),
        ("101.5", "F", "over 101.5\xa0°F (38.7\xa0°C or more)"),
    ],
)
def test_a_fever_limit_names_the_first_reading_that_is_over_it(value: str, unit: str, words: str) -> None:
    assert ui.over(Decimal(value), unit) == words


@pytest.mark.parametrize(
    ("moment", "twelve", "twenty_four"),
    [
        (time(22), "10pm", "22:00"),
        (time(21, 5), "9:05pm", "21:05"),
        (time(0), "midnight", "00:00"),
        (time(0, 30), "12:30am", "00:30"),
        (time(12), "midday", "12:00"),
        (time(12, 1), "12:01pm", "12:01"),
        (time(9, 40), "9:40am", "09:40"),
    ],
)
def test_a_clock_is_read_the_viewers_way(moment: time, twelve: str, twenty_four: str) -> None:
    assert ui.clock(moment, SimpleNamespace(clock="12")) == twelve
    assert ui.clock(moment, SimpleNamespace(clock="24")) == twenty_four
    assert ui.clock(moment, "24") == twenty_four
    assert ui.clock(moment) == twelve


@pytest.mark.parametrize("filter_", [ui.clock, ui.long_day, ui.short_day])
@pytest.mark.parametrize("moment", [NOW, NOW.replace(tzinfo=None)])
def test_a_stored_moment_is_refused_until_it_is_on_somebodys_clock(filter_: Any, moment: datetime) -> None:
    with pytest.raises(ValueError, match="in_zone:patient"):
        filter_(moment)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", ZoneInfo("Asia/Tokyo"), SimpleNamespace(zone=ZoneInfo("Asia/Tokyo"))])
def test_a_moment_is_put_on_the_clock_of_a_zone(zone: Any) -> None:
    local = ui.in_zone(NOW, zone)
    assert (ui.clock(local), ui.long_day(local), ui.short_day(local)) == (
        "6:35am",
        "Sunday 22 November 2026",
        "Sun 22 Nov",
    )


def test_nothing_stays_nothing() -> None:
    assert [ui.in_zone(None, "UTC"), ui.clock(None), ui.long_day(None), ui.ago(None, NOW)] == [None, "", "", ""]


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=35), "35 minutes ago"),
        (timedelta(minutes=89), "89 minutes ago"),
        (timedelta(minutes=90), "2 hours ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(hours=49), "2 days ago"),
        (timedelta(days=88), "88 days ago"),
        (-timedelta(minutes=25), "in 25 minutes"),
        (-timedelta(hours=9), "in 9 hours"),
        (-timedelta(days=4), "in 4 days"),
    ],
)
def test_how_long_ago_a_moment_was(passed: timedelta, words: str) -> None:
    assert ui.ago(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("days", "words"), [(0, "today"), (1, "yesterday"), (17, "17 days ago"), (-1, "tomorrow"), (-9, "in 9 days")]
)
def test_how_long_ago_a_day_was(days: int, words: str) -> None:
    assert ui.ago(date(2026, 11, 21) - timedelta(days=days), date(2026, 11, 21)) == words


@pytest.mark.parametrize(
    ("written", "dialled"), [("020 7946 0018", "tel:02079460018"), ("+44 (20) 7946-0018", "tel:+442079460018")]
)
def test_a_telephone_link_dials_digits_only(written: str, dialled: str) -> None:
    assert ui.tel(written) == dialled
