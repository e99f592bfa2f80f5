"""Blood before a course: whether a regimen leaves a reliable day, and which weekday to ask for (2.4, D16, B5)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles import schedule
from cycles.bloodwork import Before, PreCycle, before_courses, draw_day


def regimen(*phases):
    return schedule.parse(
        {
            "unit": "MIU",
            "phases": [
                {"repeat": repeat, "cycle_days": cycle, "doses": [{"days": days, "slots": ["am"], "amount": "1"}]}
                for repeat, cycle, days in phases
            ],
        }
    )


@pytest.mark.parametrize(
    ("phases", "before"),
    [
        ([(None, 56, "1-5")], PreCycle(Before.DUE_DAY, 14)),
        ([(None, 49, "1-5")], PreCycle(Before.DUE_DAY, 14)),
        ([(None, 48, "1-5")], PreCycle(Before.LATER, 13)),
        ([(None, 36, "1-5")], PreCycle(Before.LATER, 1)),
        ([(None, 34, "1-5")], PreCycle(Before.SOME_MONTHS)),
        ([(None, 33, "1-5")], PreCycle(Before.NEVER)),
        ([(None, 28, "1-28")], PreCycle(Before.NEVER)),  # every day, without a pause
        ([(1, 84, "1-56"), (None, 28, "1-28")], PreCycle(Before.NEVER)),  # the shortest rest decides
        ([(1, 5, "1-5")], PreCycle(Before.DUE_DAY, 14)),  # one course: only the baseline before it
        ([(3, 56, "1-5"), (1, 5, "1-5")], PreCycle(Before.DUE_DAY, 14)),  # nothing follows the last course
    ],
)
def test_a_regimen_leaves_a_reliable_day_before_its_courses_or_says_that_it_does_not(phases, before):
    assert before_courses(regimen(*phases)) == before


dates = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(st.integers(6, 120), dates)
def test_what_the_regimen_promises_holds_for_every_start(cycle_days, start):
    plan = regimen((None, cycle_days, "1-5"))
    found = before_courses(plan)
    last, following = schedule.last_dose_on(plan, 1, start), schedule.next_start(plan, 1, start)
    if found.days_before is not None:
        assert schedule.reliable_from(last) <= following - timedelta(days=found.days_before)
    if found.kind is Before.DUE_DAY:
        assert schedule.bloodwork_possible(last, following)
    if found.kind is Before.NEVER:
        assert schedule.earliest_reliable_before(last, following) is None


@pytest.mark.parametrize(
    ("due_on", "last_dose_on", "asked"),
    [
        ("2026-04-15", "2026-03-08", "2026-04-15"),  # a Wednesday stays
        ("2026-04-18", "2026-03-08", "2026-04-17"),  # Saturday: the Friday before
        ("2026-04-19", "2026-03-08", "2026-04-17"),  # Sunday
        ("2026-04-18", None, "2026-04-17"),  # a baseline
        ("2026-04-18", "2026-03-17", "2026-04-17"),  # reliable from that Friday on
        ("2026-04-18", "2026-03-18", "2026-04-18"),  # on the Friday it would be a day too early
        ("2026-04-19", "2026-03-18", "2026-04-19"),
    ],
)
def test_a_due_day_at_the_weekend_moves_to_friday_if_that_is_still_reliable(due_on, last_dose_on, asked):
    """2.4."""
    last = date.fromisoformat(last_dose_on) if last_dose_on else None
    assert draw_day(date.fromisoformat(due_on), last) == date.fromisoformat(asked)


@given(dates, st.none() | st.integers(1, 60))
def test_the_day_asked_for_is_never_at_the_weekend_unless_friday_would_be_too_soon(due_on, days):
    last = None if days is None else due_on - timedelta(days=days)
    asked = draw_day(due_on, last)
    friday = due_on - timedelta(days=max(0, due_on.isoweekday() - 5))
    assert asked in {due_on, friday}
    if asked.isoweekday() > 5:
        assert schedule.reliable_from(last) > friday
