"""After a course: live vaccines (2.13, D20, O7, K22, R23, R24) and what is still there (P41, R22)."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.course_actions import stop_cycle
from cycles.models import PlannedDose
from cycles.plan_actions import end_plan
from il2tracker.accounts import actions as accounts
from il2tracker.today import after
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
AFTER = utc(2026, 11, 25, 12)  # course 1 went from Wednesday 18 to Sunday 22 November
DURING = "Not during treatment, and not for three months after it. Ask your doctor first."


def until(day):
    return f"No live vaccines until at least {day}. Ask your doctor first, even after that date."


@pytest.fixture
def ended(cast, on_course):
    """`ended(**facts)`: a course as recorded, and a plan that ended the day after it."""

    def make(*, on=date(2026, 11, 24), **facts):
        plan = on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23), **facts)
        end_plan(by=cast.ben, plan=plan, on=on, reason="goal reached")
        return plan

    return make


def test_while_a_plan_is_active_there_is_no_date(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    text = see(cast.anna, "/course/").text_read
    assert DURING in text
    assert "No live vaccines until" not in text
    assert "Borrowed from a kidney cancer leaflet" in text
    assert "The nasal spray is a live vaccine: ask first." in text


def test_on_the_kidney_plan_the_rule_is_its_own(cast, see, on_course):
    on_course(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 11, 9))
    text = see(cast.dan, "/course/").text_read
    assert DURING in text
    assert "Borrowed" not in text


@pytest.mark.parametrize("path", ["/", "/course/"])
def test_after_the_plan_it_is_three_months_from_the_last_injection(cast, see, ended, path):
    """K22, 2.13: the last injection was on 22 November."""
    ended()
    assert until("Monday 22 February 2027") in see(cast.anna, path, at=AFTER).text_read


def test_an_injection_that_nobody_recorded_counts_and_one_not_taken_does_not(cast, see, ended):
    """D20, D1: unknown counts."""
    ended(open_doses=((5, "am"), (5, "pm")))
    assert until("Monday 22 February 2027") in see(cast.anna, at=AFTER).text_read
    for dose in PlannedDose.objects.filter(day=5, cycle__number=1):
        facts = {"state": "skipped", "reason": "ill", "now": dose.due_at}
        factories.injection(cast.anna_patient, cast.anna, dose, **facts)
    assert until("Sunday 21 February 2027") in see(cast.anna, at=AFTER).text_read


def test_part_and_unplanned_injections_count_and_a_day_that_is_missing_rolls_on(cast, see, ended):
    """D20, O7: 30 November gives 1 March, never 28 February."""
    ended()
    factories.injection(cast.anna_patient, cast.anna, at=utc(2026, 11, 30, 9), amount=1, site="tfr")
    assert until("Monday 1 March 2027") in see(cast.anna, at=utc(2026, 11, 30, 12)).text_read


def test_an_evening_injection_given_after_midnight_counts_on_its_own_day(cast, see, ended):
    """O5, D2, H31: the civil date of the moment it was given, not of the plan."""
    ended(open_doses=((5, "pm"),))
    dose = PlannedDose.objects.get(cycle__number=1, day=5, slot="pm")
    facts = {"at": utc(2026, 11, 23, 0, 20), "now": utc(2026, 11, 23, 0, 25), "site": "tfr"}
    factories.injection(cast.anna_patient, cast.anna, dose, **facts)
    assert until("Tuesday 23 February 2027") in see(cast.anna, at=AFTER).text_read


def test_once_the_date_has_come_nothing_is_promised(cast, see, ended):
    """R24: "not before" is no "allowed from"."""
    ended()
    assert "live vaccines until" not in see(cast.anna, at=utc(2027, 2, 22, 12)).text_read
    assert "live vaccines until" in see(cast.anna, at=utc(2027, 2, 21, 12)).text_read


def test_a_plan_that_ended_before_any_injection_says_nothing(cast, see, on_course):
    plan = on_course(cast.anna_patient, cast.ben, starts_on=date(2026, 12, 2))
    end_plan(by=cast.ben, plan=plan, on=date(2026, 11, 20), reason="moved away")
    assert "live vaccine" not in see(cast.anna).text_read


# What is still there


STILL = "Is anything still there?"


@pytest.mark.parametrize(
    ("day", "asked"), [(22, False), (23, True), (29, True), (30, False)], ids=["day 5", "day 1 after", "day 7", "day 8"]
)
def test_for_a_week_after_a_course_today_asks_what_is_still_there(cast, see, on_course, day, asked):
    """P41; seven days are the app's own."""
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23))
    text = see(cast.anna, at=utc(2026, 11, day, 23, 30)).text_read
    assert (STILL in text) is asked
    assert ("How are you right now?" in text) is not asked
    assert "Log how you feel" in text


def test_after_an_early_stop_it_asks_from_the_day_after(cast, see, on_course):
    plan = on_course(cast.anna_patient, cast.ben)
    stop_cycle(by=cast.ben, cycle=plan.cycles.get(number=1), on=date(2026, 11, 20), reason="rash")
    assert STILL in see(cast.anna).text_read


def test_it_never_stands_beside_an_open_red_flag(cast, see, on_course):
    """R22: "most effects fade" is said to nobody who has to call."""
    on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23))
    factories.alert(cast.anna_patient, cast.anna)
    text = see(cast.anna, at=AFTER).text_read
    assert STILL not in text
    assert "fade" not in text


def test_a_cancelled_or_held_course_leaves_nothing_behind(cast, see, on_course):
    plan = on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 23))
    factories.hold(cast.ben, plan.cycles.get(number=1))
    assert STILL not in see(cast.anna, at=AFTER).text_read


def test_the_last_injection_costs_one_statement_however_long_the_record(cast, see, ended):
    ended()
    board = see(cast.anna, at=AFTER).context["page"].board
    with CaptureQueriesContext(connection) as found:
        assert after.last_injection_on(board) == date(2026, 11, 22)
    assert len(found) == 1


def test_il2_before_the_diary_is_the_last_injection_when_nothing_came_after(cast, see, on_course):
    """D3."""
    facts = {"earlier_il2": "on", "earlier_il2_on": date(2026, 11, 1)}
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, **facts)
    plan = on_course(cast.anna_patient, cast.ben, until=utc(2026, 11, 18, 9))
    end_plan(by=cast.ben, plan=plan, on=date(2026, 11, 18), reason="moved away")
    for dose in PlannedDose.objects.filter(due_on=date(2026, 11, 18)):
        facts = {"state": "skipped", "reason": "stopped", "now": dose.due_at}
        factories.injection(cast.anna_patient, cast.anna, dose, **facts)
    assert until("Monday 1 February 2027") in see(cast.anna, at=AFTER - timedelta(days=1)).text_read
