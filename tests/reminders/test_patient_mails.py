"""What mails to patients have to say: read from the diary as it stands when they are written."""

from datetime import date
from typing import Any

import pytest

from cycles import asking, ready_actions
from cycles.models import Cycle, Plan
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient
from il2tracker.reminders import kinds, mails, patient_mails, planning
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders.test_mails import START, before, change_plan, leaks, plan_of, reminder, tell_sam

pytestmark = pytest.mark.django_db
FIRST = "Hello. Your diary reminders are paused."


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def plan(cast: Cast) -> Plan:
    return plan_of(cast)


def choose(cast: Cast, level: str) -> None:
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, privacy=level)


def body(row: Reminder, days: int = 0, hour: int = 9) -> str:
    return str(mails.build(Reminder.objects.get(pk=row.pk), before(days, hour)).body)


# The level


@pytest.mark.parametrize("level", ["discreet", "plain", "full"])
def test_the_level_is_the_one_that_the_patient_has_when_the_mail_is_written(cast: Cast, plan: Plan, level: str) -> None:
    row = reminder(cast, kinds.CYCLE_WEEK, plan)
    choose(cast, level)
    assert patient_mails.level(Reminder.objects.get(pk=row.pk)) == level


@pytest.mark.parametrize("kind", kinds.POLICIES)
def test_only_switches_of_patients_follow_a_level(cast: Cast, kind: str) -> None:
    choose(cast, "full")
    cast.anna_patient.refresh_from_db()
    to_her = Reminder(kind=kind, recipient=cast.anna, patient=cast.anna_patient)
    to_sam = Reminder(kind=kind, recipient=cast.sam, patient=cast.anna_patient)
    to_nobody_known = Reminder(kind=kind, recipient=None, patient=None)
    never = {"carer_missing", "red_flag", "digest", "to_call", "password_reset", "password_changed", "test"}
    assert (patient_mails.level(to_her) == "full") is (kind not in never)
    assert patient_mails.level(to_sam) == patient_mails.level(to_nobody_known) == "discreet"


def test_a_diary_that_was_given_to_somebody_else_tells_its_first_owner_nothing_more(cast: Cast, plan: Plan) -> None:
    row = reminder(cast, kinds.CYCLE_WEEK, plan)
    choose(cast, "full")
    Patient.objects.filter(pk=cast.anna_patient.pk).update(user=factories.user("Zoe"))
    assert patient_mails.level(Reminder.objects.get(pk=row.pk)) == "discreet"


# The hour


def test_an_hour_on_another_clock_than_the_patients_says_whose_it_is(cast: Cast, plan: Plan) -> None:
    """H09: a course that runs keeps the hours with which it began."""
    row = reminder(cast, kinds.INJECTION_DUE, plan)
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="America/New_York")
    mail = mails.build(Reminder.objects.get(pk=row.pk), before(0))
    assert mail.subject == "Diary reminder, 10am (London time)"
    assert "This is your 10am (London time) reminder for Wednesday 3 March." in mail.body


def test_a_helper_reads_the_patients_hour_on_the_own_kind_of_clock(cast: Cast, plan: Plan) -> None:
    accounts.update_user(by=cast.sam, user=cast.sam, clock="24")
    tell_sam(cast, plan)
    said = body(reminder(cast, kinds.CARER_MISSING, plan), hour=11)
    assert "has not added anything for 10:00 (their time) on Wednesday 3 March." in said


# The list


def tick(cast: Cast, plan: Plan, count: int) -> None:
    course = Cycle.objects.get(plan=plan)
    codes = [item.code for item in asking.wanted(course)]
    chosen: dict[str, str] = dict.fromkeys(codes[:count], "")
    told: dict[str, Any] = {"wanted": set(codes), "companion": {}}
    ready_actions.keep_list(by=cast.anna, cycle=course, ticked=chosen, now=before(8), **told)


def test_a_week_before_the_mail_counts_the_list_as_it_stands(cast: Cast, plan: Plan) -> None:
    row = reminder(cast, kinds.CYCLE_WEEK, plan)
    assert "There are 9 things on your list, 0 done." in body(row, 7)
    tick(cast, plan, 4)
    assert "There are 9 things on your list, 4 done." in body(row, 7)


def test_the_list_itself_stands_only_in_a_full_mail(cast: Cast, plan: Plan) -> None:
    row = reminder(cast, kinds.CYCLE_WEEK, plan)
    tick(cast, plan, 4)
    for level in ("discreet", "plain"):
        choose(cast, level)
        assert "freezer" not in body(row, 7)
    choose(cast, "full")
    still, ready = body(row, 7).split("Still to do:\n")[1].split("Done:\n")
    assert "- There is a sharps bin with space in it" in still
    assert "- Ice packs are in the freezer" in ready
    assert still.count("- ") == 5


@pytest.mark.parametrize(("ticked", "words"), [(0, "Still open: 9 items."), (8, "Still open: 1 item.")])
def test_the_day_before_it_says_how_much_is_open(cast: Cast, plan: Plan, ticked: int, words: str) -> None:
    tick(cast, plan, ticked)
    assert words in body(reminder(cast, kinds.CYCLE_DAY, plan), 1)


def test_a_full_list_clears_nobody(cast: Cast, plan: Plan) -> None:
    tick(cast, plan, 9)
    said = body(reminder(cast, kinds.CYCLE_DAY, plan), 1)
    assert "Everything on your list is ticked." in said
    assert "If you feel unwell or anything has changed, call before you start" in said


def test_no_subject_announces_a_start_that_nobody_confirmed(cast: Cast) -> None:
    """R12."""
    factories.confirms_starts(cast.north)
    row = reminder(cast, kinds.CYCLE_DAY, plan_of(cast))
    for level in ("plain", "full"):
        choose(cast, level)
        subject = mails.build(Reminder.objects.get(pk=row.pk), before(1)).subject
        assert subject == "Your course on Wednesday 3 March is not confirmed yet"


# Blood


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2027, 2, 17), date(2027, 2, 20), "17 to 20 February"),
        (date(2027, 2, 27), date(2027, 3, 2), "27 February to 2 March"),
        (date(2026, 12, 30), date(2027, 1, 2), "30 December to 2 January"),
        (date(2027, 2, 17), date(2027, 2, 17), "17 February"),
    ],
)
def test_the_days_for_a_test_are_written_short(first: date, last: date, words: str) -> None:
    row = Reminder(zone="Europe/London", says_from=first, says_to=last)
    assert patient_mails.days(row, before(21))["days"] == words


def test_a_single_day_is_no_span(cast: Cast, plan: Plan) -> None:
    row = reminder(cast, kinds.BLOODWORK_BOOK, plan)
    Reminder.objects.filter(pk=row.pk).update(says_to=row.says_from)
    assert "It should be on Wednesday 17 February." in body(row, 21)


# Paused


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        ("alert", "Something urgent was reported, and nobody has answered it yet."),
        ("hold", "Your course is on hold."),
        ("unconfirmed", "Your clinic has not confirmed the start of your course yet."),
    ],
)
def test_only_a_full_mail_says_why_nothing_comes(cast: Cast, plan: Plan, pause: str, words: str) -> None:
    causes = {
        "alert": lambda: factories.alert(cast.anna_patient, cast.anna),
        "hold": lambda: factories.hold(cast.ben, Cycle.objects.get(plan=plan), "fever"),
        "unconfirmed": lambda: factories.confirms_starts(cast.north),
    }
    causes[pause]()
    planning.plan(before(0, 8))
    row = Reminder.objects.get(kind=kinds.PAUSED)
    assert words not in body(row)
    assert FIRST in body(row)
    choose(cast, "full")
    assert words in body(row)
    assert FIRST in body(row)


# A changed plan


def test_what_changes_is_not_told_while_a_course_waits(cast: Cast, plan: Plan) -> None:
    """R29: beside a course on hold nobody at home is told what the plan says."""
    choose(cast, "full")
    row = reminder(cast, kinds.PLAN_CHANGED, plan)
    assert "- Times: 10am, 9pm instead of 10am, 10pm" in body(row, 9)
    factories.hold(cast.ben, Cycle.objects.get(plan=plan), "fever")
    assert "What changes" not in body(row, 9)


def test_the_day_of_a_change_is_the_patients_own(cast: Cast, plan: Plan) -> None:
    """Nine in the morning in London is the evening before in Hawaii."""
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="Pacific/Honolulu")
    change_plan(cast, plan)
    planning.plan(before(9))
    assert "changed your plan on 20 February 2027" in body(Reminder.objects.get(kind=kinds.PLAN_CHANGED), 9)


def test_without_a_clinic_nobody_is_said_to_have_confirmed_or_to_be_called_but_the_care_team() -> None:
    lone = factories.lone_patient("Lee")
    factories.plan(lone, lone.user, starts_on=START, now=before(40))
    for kind, days in ((kinds.BLOODWORK_OVERDUE, 9), (kinds.RESULTS_MISSING, 3)):
        planning.plan(before(days, 8))
        said = body(Reminder.objects.get(kind=kind), days)
        assert "Please call your care team" in said
        assert "020 7946 0100" in said
        assert "clinic" not in said
        assert leaks(said.encode()) == []
