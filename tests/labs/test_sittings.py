"""Which results are of one blood test: a row of the list (W12)."""

from __future__ import annotations

from datetime import date

import pytest

from labs.sittings import Taken, moments
from tests.factories import utc

DAY, NEXT = date(2026, 11, 4), date(2026, 11, 5)
EIGHT, NOON = utc(2026, 11, 4, 8, 30), utc(2026, 11, 4, 12)


def taken(test: str, at: object = None, laboratory: str = "North", verdict: object = None, on: date = DAY) -> Taken:
    return Taken(on, at, laboratory, test, verdict)  # type: ignore[arg-type]


CASES = {
    "one time and none": ([taken("cd4", EIGHT), taken("alt")], [EIGHT, EIGHT]),
    "however it is written": ([taken("cd4", EIGHT, "North  Lab"), taken("alt", None, "north lab")], [EIGHT, EIGHT]),
    "two times are two": ([taken("cd4", EIGHT), taken("cd4", NOON)], [EIGHT, NOON]),
    "two times of different tests are two": ([taken("cd4", EIGHT), taken("alt", NOON)], [EIGHT, NOON]),
    "which of two times nobody knows": (
        [taken("cd4", EIGHT), taken("alt", NOON), taken("ast")],
        [EIGHT, NOON, None],
    ),
    "another laboratory": ([taken("cd4", EIGHT), taken("alt", None, "South")], [EIGHT, None]),
    "its own laboratory of two": (
        [taken("cd4", EIGHT), taken("alt", NOON, "South"), taken("ast", None, "South")],
        [EIGHT, NOON, NOON],
    ),
    "no laboratory beside one time": ([taken("cd4", EIGHT), taken("alt", None, "")], [EIGHT, EIGHT]),
    "a time without a laboratory": ([taken("cd4", EIGHT, ""), taken("alt")], [EIGHT, EIGHT]),
    "no laboratory beside two times": (
        [taken("cd4", EIGHT), taken("alt", NOON, "South"), taken("ast", None, "")],
        [EIGHT, NOON, None],
    ),
    "another day": ([taken("cd4", EIGHT), taken("alt", on=NEXT)], [EIGHT, None]),
    "the same test stands there already": ([taken("cd4", EIGHT), taken("cd4")], [EIGHT, None]),
    "worth the same": ([taken("cd4", EIGHT, verdict="soon"), taken("load", verdict="soon")], [EIGHT, EIGHT]),
    "the time decides what it is worth": (
        [taken("cd4", EIGHT, verdict="reliable"), taken("load", verdict="soon")],
        [EIGHT, None],
    ),
    "timing matters for one only": ([taken("cd4", EIGHT, verdict="soon"), taken("alt")], [EIGHT, EIGHT]),
    "no times at all": ([taken("cd4"), taken("alt", None, "South")], [None, None]),
    "nothing": ([], []),
}


@pytest.mark.parametrize("case", CASES)
def test_results_of_one_blood_test_have_one_moment(case: str) -> None:
    results, expected = CASES[case]
    assert moments(results) == expected


@pytest.mark.parametrize("case", CASES)
def test_the_order_in_which_they_come_changes_nothing(case: str) -> None:
    results, expected = CASES[case]
    assert moments(results[::-1]) == expected[::-1]
