"""The numbers of each kind, as tables: the minute before, on and after each edge."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from il2tracker.reminders import kinds, sources

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lead", "next_slot", "due", "expires"),
    [
        (15, None, at(21, 9, 45), at(21, 11, 30)),
        (0, None, at(21, 10), at(21, 11, 30)),
        (60, at(21, 22), at(21, 9), at(21, 11, 30)),
        (15, at(21, 13, 30), at(21, 9, 45), at(21, 11, 30)),
        (15, at(21, 13, 29), at(21, 9, 45), at(21, 11, 29)),
        (15, at(21, 11), at(21, 9, 45), at(21, 10)),
    ],
    ids=["alone", "no lead", "far", "next 3 h 30 later", "a minute nearer", "next within two hours"],
)
def test_an_injection_reminder_lives_from_its_lead_to_90_minutes_or_two_hours_before_the_next_slot(
    lead: int, next_slot: datetime | None, due: datetime, expires: datetime
) -> None:
    assert kinds.due_times(at(21, 10), next_slot, timedelta(minutes=lead)) == (due, expires)


@pytest.mark.parametrize(
    ("slot", "next_slot", "times"),
    [
        (at(21, 10), None, (at(21, 11), at(21, 13))),
        (at(21, 10), at(21, 14), (at(21, 11), at(21, 12))),
        (at(21, 22), None, (at(21, 23), at(22, 0))),
        (at(21, 22, 59), None, (at(21, 23, 59), at(22, 0))),
        (at(21, 23), None, None),
        (at(22, 2, 59), None, None),
        (at(22, 3, 1), None, (at(22, 6), at(22, 6, 1))),
        (at(22, 5), None, (at(22, 6), at(22, 8))),
    ],
    ids=["day", "next slot near", "10pm", "one minute left", "11pm", "all night", "from six", "five o'clock"],
)
def test_the_nudge_never_leaves_between_midnight_and_six(
    slot: datetime, next_slot: datetime | None, times: tuple[datetime, datetime] | None
) -> None:
    assert kinds.missing_times(slot, next_slot, LONDON) == times


def test_the_night_is_the_patients_own() -> None:
    half_past_ten_in_new_york = at(22, 3, 30)
    assert kinds.missing_times(half_past_ten_in_new_york, None, NEW_YORK) == (at(22, 4, 30), at(22, 5))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(21, 21, 59), None),
        (at(21, 22), at(22, 7)),
        (at(22, 0), at(22, 7)),
        (at(22, 6, 59), at(22, 7)),
        (at(22, 7), None),
    ],
)
def test_quiet_hours_last_from_ten_in_the_evening_to_seven(now: datetime, until: datetime | None) -> None:
    assert kinds.quiet_until(now, LONDON) == until


def test_the_night_of_a_clock_change_ends_at_seven_on_the_wall() -> None:
    before_the_change = datetime(2026, 10, 24, 22, 30, tzinfo=LONDON)
    assert kinds.quiet_until(before_the_change, LONDON) == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_doubtful_mails_about_doses_are_never_sent_again() -> None:
    assert set(kinds.POLICIES) - set(kinds.RESENT) == set(kinds.DOSE_KINDS)


def test_only_what_belongs_to_a_day_waits_for_the_morning() -> None:
    waiting = {name for name, policy in kinds.POLICIES.items() if policy.waits_in_quiet_hours}
    assert waiting == {kind.name for kind in kinds.DAY_KINDS} | {kinds.PLAN_CHANGED, kinds.CHECK_IN}


def test_every_kind_has_a_switch_but_those_that_somebody_waits_for() -> None:
    switched = {policy.preference for policy in kinds.POLICIES.values()} - {""}
    assert switched == set(kinds.ALL_SWITCHES) - {kinds.DIGEST_EMPTY}
    without = {name for name, policy in kinds.POLICIES.items() if not policy.preference}
    assert without == {kinds.RED_FLAG, kinds.PASSWORD_RESET, kinds.PASSWORD_CHANGED, kinds.TEST}
    assert {kinds.POLICIES[name].urgency for name in without} == {kinds.Urgency.NOW}
    assert not any(kinds.POLICIES[name].is_capped for name in without)


def test_what_no_planner_wishes_for_has_no_source() -> None:
    assert set(sources.SOURCE_OF) == set(kinds.PLANNED)


@pytest.mark.parametrize(
    ("after", "times"),
    [(30, (at(21, 10, 30), at(21, 13))), (60, (at(21, 11), at(21, 13))), (200, None)],
)
def test_not_recorded_comes_as_late_as_was_chosen(after: int, times: tuple[datetime, datetime] | None) -> None:
    assert kinds.missing_times(at(21, 10), None, LONDON, timedelta(minutes=after)) == times


@pytest.mark.parametrize(
    ("again", "next_slot", "times"),
    [
        (at(21, 10, 30), None, (at(21, 10, 30), at(21, 12))),
        (at(21, 11), at(21, 22), (at(21, 11), at(21, 12, 30))),
        (at(21, 11), at(21, 14), (at(21, 11), at(21, 12))),
        (at(21, 11, 59), at(21, 14), (at(21, 11, 59), at(21, 12))),
        (at(21, 12), at(21, 14), None),
    ],
    ids=["alone", "far", "next slot near", "a minute left", "too near"],
)
def test_what_was_put_off_comes_again_unless_the_next_slot_is_near(
    again: datetime, next_slot: datetime | None, times: tuple[datetime, datetime] | None
) -> None:
    assert kinds.again_times(at(21, 10), next_slot, again) == times


@pytest.mark.parametrize(
    ("now", "starts", "ends", "until"),
    [
        (at(21, 21, 59), 22, 7, None),
        (at(21, 22), 22, 7, at(22, 7)),
        (at(22, 6, 59), 22, 7, at(22, 7)),
        (at(22, 7), 22, 7, None),
        (at(21, 13), 13, 15, at(21, 15)),
        (at(21, 12, 59), 13, 15, None),
        (at(21, 15), 13, 15, None),
        (at(21, 0), 0, 7, at(21, 7)),
        (at(21, 23, 59), 22, 0, at(22, 0)),
        (at(21, 12), 7, 7, None),
        (at(21, 7), 7, 7, None),
    ],
)
def test_quiet_hours_are_each_persons_own(now: datetime, starts: int, ends: int, until: datetime | None) -> None:
    assert kinds.quiet_until(now, LONDON, time(starts), time(ends)) == until


def test_the_end_of_the_night_is_the_first_hour_of_that_name_after_a_clock_change() -> None:
    eve = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)  # 22:30 in London; the clocks go back at 2
    assert kinds.quiet_until(eve, LONDON) == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_the_look_back_covers_the_longest_life_of_a_kind() -> None:
    lives = [kind.days_before - kind.expires_days_before for kind in kinds.DAY_KINDS]
    assert timedelta(days=max(lives)) < kinds.LOOK_BACK


@pytest.mark.parametrize(
    ("kind", "minutes", "may"),
    [
        ("plan_changed", -1, False),
        ("plan_changed", 0, False),
        ("plan_changed", 1, True),
        ("cycle_day", -1, True),
        ("bloodwork_due", 1, True),
        ("injection_due", 60, False),
        ("red_flag", 60, False),
        ("paused", 60, False),
    ],
)
def test_a_change_of_the_plan_does_not_wait_for_a_morning_after_its_first_injection(
    kind: str, minutes: int, may: bool
) -> None:
    """R13: it is read before anything else; other mails about a day are given two hours more (B2)."""
    quiet_ends = datetime(2026, 11, 22, 7, tzinfo=UTC)
    assert kinds.may_wait(kind, quiet_ends + timedelta(minutes=minutes), quiet_ends) is may
