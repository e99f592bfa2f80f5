"""Courses from before the diary: numbers become facts only where somebody says so."""

from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from cycles import delivered, last_doses, plan_actions, version_actions
from cycles.days import State, lay_out
from cycles.earlier_actions import ALL, EarlierCourse, record_earlier
from cycles.models import Cycle, Injection, Plan, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.clinic import worklist
from il2tracker.reminders import facts
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 1, 12)
START = date(2026, 3, 4)
LAST, BEFORE = date(2026, 1, 7), date(2025, 11, 12)


@pytest.fixture(autouse=True)
def first_of_march():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW)


def record(plan, by, count=12, *courses):
    return record_earlier(by=by, plan=plan, count=count, courses=courses, now=NOW)


def numbers(plan):
    return [(cycle.number, cycle.starts_on) for cycle in plan.cycles.order_by("number")]


def given(cycle):
    return list(Injection.objects.given().filter(planned_dose__cycle=cycle).order_by("given_at"))


def test_a_patient_in_the_third_year_starts_with_course_13(cast, plan):
    record(plan, cast.ben, 12, EarlierCourse(LAST, given=ALL), EarlierCourse(BEFORE, given=ALL))
    assert numbers(plan) == [(11, BEFORE), (12, LAST), (13, START)]
    latest = plan.cycles.get(number=12)
    assert (latest.last_dose_on, len(given(latest))) == (date(2026, 1, 11), 10)
    record_of_one = given(latest)[0]
    assert (record_of_one.given_at, record_of_one.recorded_by) == (utc(2026, 1, 7, 10), cast.ben)
    assert record_of_one.note == "Entered later, at the planned hour."
    assert record_of_one.history.count() == 1


def test_only_the_number_may_be_known(cast, plan):
    record(plan, cast.ben, 7)
    assert numbers(plan) == [(8, START)]


def test_what_is_not_known_is_not_recorded(cast, plan):
    (course,) = record(plan, cast.ben, 1, EarlierCourse(LAST))
    assert course.doses.count() == 10
    assert not Injection.objects.exists()


def test_some_of_the_injections_keep_the_last_day(cast, plan):
    """Reliability counts from the last injection, so the one of the last day is among those given."""
    (course,) = record(plan, cast.ben, 1, EarlierCourse(LAST, given=8))
    assert len(given(course)) == 8
    assert given(course)[-1].given_at == utc(2026, 1, 11, 22)
    assert "8 of 10 were given; which ones were left out is not known." in given(course)[0].note


def test_another_amount_of_that_time_is_kept(cast, plan):
    (course,) = record(plan, cast.ben, 1, EarlierCourse(LAST, given=ALL, amount=Decimal("4.5")))
    assert {dose.amount for dose in course.doses.all()} == {Decimal("4.5")}


def test_a_course_that_was_stopped_is_a_state_and_not_missed_doses(cast, plan):
    (course,) = record(plan, cast.ben, 1, EarlierCourse(LAST, date(2026, 1, 9), given=ALL, stopped=True))
    assert (course.state, course.stopped_on, course.doses.count()) == ("stopped_early", date(2026, 1, 9), 10)
    assert len(given(course)) == 6


def test_a_course_that_was_planned_shorter_has_fewer_doses(cast, plan):
    (course,) = record(plan, cast.ben, 1, EarlierCourse(LAST, date(2026, 1, 9), given=ALL))
    assert (course.state, course.last_dose_on, course.doses.count()) == ("planned", date(2026, 1, 9), 6)


def test_nobody_is_reminded_or_alarmed_about_them(cast, plan):
    record(plan, cast.ben, 2, EarlierCourse(LAST, given=3), EarlierCourse(BEFORE))
    assert not Alert.objects.exists()
    assert not Reminder.objects.exists()


def test_a_course_with_an_injection_still_to_come_is_not_an_earlier_one(cast, plan):
    """Its evening would be recorded before it came, and a reminder would ask for it."""
    for course in (EarlierCourse(date(2026, 2, 25), given=ALL), EarlierCourse(LAST, date(2026, 3, 1), given=ALL)):
        with pytest.raises(ValidationError, match="not over"):
            record(plan, cast.ben, 1, course)
    (course,) = record(plan, cast.ben, 1, EarlierCourse(date(2026, 2, 24), given=ALL))
    assert given(course)[-1].given_at == utc(2026, 2, 28, 22)


def test_a_plan_that_ended_since_it_was_read_takes_no_earlier_course(cast, plan):
    stale = Plan.objects.with_versions().get(pk=plan.pk)
    plan_actions.end_plan(by=cast.ben, plan=plan, on=date(2026, 3, 1), reason="done")
    with pytest.raises(ValidationError, match="has ended"):
        record(stale, cast.ben, 1, EarlierCourse(LAST, given=ALL))


def test_nobody_is_asked_for_what_was_before_the_diary(client, cast, plan):
    """M3: neither the list to record, nor Today, the course page, the clinic's list or a reminder counts it as open."""
    (course,) = record(plan, cast.ben, 1, EarlierCourse(date(2026, 2, 24)))
    assert course.entered_later
    assert not plan.cycles.get(number=2).entered_later
    assert not PlannedDose.objects.to_record(NOW, date(2026, 3, 1)).exists()
    laid_out = lay_out(course, list(PlannedDose.objects.filter(cycle=course).with_records()), NOW)
    assert {slot.state for slot in laid_out.slots} == {State.UNKNOWN}
    assert (laid_out.missing, laid_out.due, laid_out.slots[0].words) == ([], None, "not known")
    [known] = worklist.gather(Patient.objects.filter(pk=cast.anna_patient.pk), NOW)
    assert (known.missing, "recorded" in worklist.reasons(known, NOW, "24")[0].words) == (0, False)
    assert facts.doses_of(cast.anna_patient.pk, utc(2026, 2, 1), NOW) == []
    client.force_login(cast.anna)
    for name in ("today:home", "cycles:record"):
        page = client.get(reverse(name)).content.decode()
        assert "not recorded" not in page
        assert "25 February" not in page


def test_blood_is_still_judged_by_what_was_before_the_diary(cast, plan):
    """D1, D17: without a record a planned injection counts, so that no result is called reliable too early."""
    (course,) = record(plan, cast.ben, 1, EarlierCourse(date(2026, 2, 17), given=None))
    coming = Cycle.objects.annotate(**last_doses.facts()).get(plan=plan, number=2)
    assert last_doses.last_dose_on(coming, cast.anna_patient) == date(2026, 2, 21)
    given_of = delivered.of_courses([course], NOW)[course.pk]
    assert (given_of.words, given_of.notes) == ("0 of 10, 0 of 75 million units", ["10 not known"])


def test_the_clinics_page_does_not_call_open_what_was_before_the_diary(client, cast, plan):
    record(plan, cast.ben, 1, EarlierCourse(date(2026, 2, 24), given=8))
    client.force_login(cast.ben)
    page = client.get(reverse("clinic:patient", args=[cast.anna_patient.code])).content.decode()
    assert "from before this diary" in page
    assert page.count("not known") == 3, "two injections by day, and the sum of the course"
    assert "not recorded" not in page


def test_more_can_be_added_later(cast, plan):
    record(plan, cast.ben, 3, EarlierCourse(LAST, given=ALL))
    record(plan, cast.ben, 3, EarlierCourse(BEFORE, given=ALL))
    assert numbers(plan) == [(2, BEFORE), (3, LAST), (4, START)]


@pytest.mark.parametrize(
    ("count", "courses", "words"),
    [
        (1, [EarlierCourse(LAST), EarlierCourse(BEFORE)], "more lines than courses"),
        (1, [EarlierCourse(date(2026, 2, 28))], "not over"),
        (1, [EarlierCourse(date(2026, 7, 1))], "not over"),
        (2, [EarlierCourse(LAST), EarlierCourse(date(2026, 1, 9))], "overlaps course 2"),
        (1, [EarlierCourse(LAST, given=11)], "11 injections are more than the 10"),
        (1, [EarlierCourse(LAST, amount=Decimal(15))], "more than this treatment uses"),
        (0, [EarlierCourse(LAST)], "more lines than courses"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing_behind(cast, plan, count, courses, words):
    with pytest.raises(ValidationError, match=words):
        record(plan, cast.ben, count, *courses)
    assert numbers(plan) == [(1, START)]
    assert not Injection.objects.exists()


def test_a_number_once_taken_stays(cast, plan):
    record(plan, cast.ben, 3)
    with pytest.raises(ValidationError, match="would lose their number"):
        record(plan, cast.ben, 2)


def test_after_a_change_the_numbers_stay(cast, plan):
    change = {"base_number": 1, "from_course": 1, "document": plan.current_version.document, "now": NOW}
    change |= {"slot_times": {"am": "09:00", "pm": "21:00"}, "starts_on": START, "change_reason": "work"}
    version_actions.change_plan(by=cast.ben, plan=plan, **change)
    with pytest.raises(ValidationError, match="keep their numbers"):
        record(plan, cast.ben, 3)


def test_maintenance_begins_where_the_earlier_courses_end(cast):
    """Induction, then maintenance: after two earlier courses the plan goes on with course 3 of its schedule."""
    lines = [{"days": "1-5", "slots": ["am", "pm"], "amount": "7.5"}]
    phases = [{"repeat": 2, "cycle_days": 56, "doses": lines}]
    phases.append({"repeat": None, "cycle_days": 56, "doses": [{**lines[0], "amount": "4.5"}]})
    document = {"unit": "MIU", "phases": phases}
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, document=document)
    record(plan, cast.ben, 2)
    third = plan.cycles.get()
    assert (third.number, {dose.amount for dose in third.doses.all()}) == (3, {Decimal("4.5")})


@pytest.mark.parametrize("who", ["anna", "sam", "carla", "eve"])
def test_only_those_who_prescribe_write_them_down(cast, plan, who):
    with pytest.raises(PermissionDenied):
        record(plan, getattr(cast, who), 1)


# The page


def page(cast):
    return reverse("cycles:plan_earlier", kwargs={"code": cast.anna_patient.code})


def test_one_form_takes_several_courses(client, cast, plan):
    client.force_login(cast.ben)
    form = {"count": "12", "lines": "3", "e1_starts_on": "2026-01-07", "e1_given": "all"}
    form |= {"e2_starts_on": "2025-11-12", "e2_given": "8", "e2_amount": "4,5"}
    answer = client.post(page(cast), form)
    assert answer.url == reverse("cycles:plan", kwargs={"code": cast.anna_patient.code})
    assert numbers(plan) == [(11, BEFORE), (12, LAST), (13, START)]
    text = client.get(answer.url).content.decode()
    assert "Course 13" in text
    assert "Course 11" in text


def test_another_line_keeps_what_was_typed(client, cast, plan):
    client.force_login(cast.ben)
    answer = client.post(page(cast), {"count": "12", "lines": "3", "step": "line", "e1_given": "all"})
    form = answer.context["form"]
    assert (len(form.lines), form["count"].value(), form["e1_given"].value()) == (4, "12", "all")
    assert not Cycle.objects.filter(number__gt=1).exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"count": ""}, "count", "Enter how many courses there were."),
        ({"count": "1.5"}, "count", "Write a whole number."),
        ({"e1_starts_on": ""}, "e1_starts_on", "Enter the first day of this course."),
        ({"e1_last_on": "2026-01-01"}, "e1_last_on", "This day is before the first one."),
        ({"e1_stopped": "on"}, "e1_last_on", "Enter the day of the last injection."),
        ({"e1_given": "most"}, "e1_given", "Write a number from 1 on, or “all”."),
        ({"e1_amount": "4500000"}, "e1_amount", "4,500,000 reads like single units. Did you mean 4.5 million units?"),
        ({"e1_given": "11"}, "__all__", "11 injections are more than the 10 that were planned."),
    ],
)
def test_bad_input_is_answered_beside_its_field(client, cast, plan, changes, field, words):
    client.force_login(cast.ben)
    answer = client.post(
        page(cast), {"count": "3", "lines": "1", "e1_starts_on": "2026-01-07", "e1_given": "all", **changes}
    )
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert numbers(plan) == [(1, START)]
