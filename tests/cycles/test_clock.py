"""Times and amounts as people write them."""

from datetime import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.clock import UnclearTimeError, read_amount, read_time
from il2tracker import ui


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("9:58pm", time(21, 58)),
        ("9:58 pm", time(21, 58)),
        ("9.58 PM", time(21, 58)),
        ("9:58 p.m.", time(21, 58)),
        ("958pm", time(21, 58)),
        ("10pm", time(22)),
        ("10 am", time(10)),
        ("12am", time(0)),
        ("12:30am", time(0, 30)),
        ("12pm", time(12)),
        ("21:58", time(21, 58)),
        ("21.58", time(21, 58)),
        ("21h58", time(21, 58)),
        ("2158", time(21, 58)),
        ("09:05", time(9, 5)),
        ("00:40", time(0, 40)),
        ("0:40", time(0, 40)),
        ("  22  ", time(22)),
        ("midnight", time(0)),
        ("Midday", time(12)),
        ("noon", time(12)),
    ],
)
def test_a_time_is_read_as_it_is_written(text, read):
    assert read_time(text) == read


@pytest.mark.parametrize("text", ["9:58", "9", "10", "10:30", "12:15", "958"])
def test_a_time_that_could_be_morning_or_evening_is_asked_about(text):
    with pytest.raises(UnclearTimeError):
        read_time(text)


@pytest.mark.parametrize(("text", "read"), [("9:58", time(9, 58)), ("10:30", time(10, 30)), ("12:15", time(12, 15))])
def test_for_a_reader_of_24_hours_it_is_the_morning(text, read):
    assert read_time(text, twelve_hours=False) == read


@pytest.mark.parametrize(
    "text", ["", "soon", "24:00", "21:60", "13pm", "0am", "21:5", "9:58xm", "9:58:30pm", "-1:00", "٩:٥٨ pm", "1e1pm"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r".*") as refused:
        read_time(text)
    assert not isinstance(refused.value, UnclearTimeError)


@given(st.times().map(lambda moment: moment.replace(second=0, microsecond=0, fold=0)), st.sampled_from(["12", "24"]))
def test_whatever_a_page_shows_can_be_typed_back(moment, clock):
    assert read_time(ui.clock(moment, clock), twelve_hours=clock == "12") == moment


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("7.5", "7.5"),
        ("7,5", "7.5"),
        (" 18 ", "18"),
        ("0.33", "0.33"),
        ("4.125", "4.125"),
        ("0", "0"),
        ("07.50", "7.5"),
    ],
)
def test_an_amount_is_read_with_a_point_or_a_comma(text, read):
    assert read_amount(text) == Decimal(read)


@pytest.mark.parametrize(
    "text", ["", "7.5 MIU", "1,500", "1.2345", "-3", "+3", "1e3", ".5", "5.", "7,5,", "NaN", "Infinity", "٧", "123456"]
)
def test_an_amount_that_could_be_read_in_two_ways_is_refused(text):
    """H04: never cut, never guessed."""
    with pytest.raises(ValueError, match=r".*"):
        read_amount(text)
