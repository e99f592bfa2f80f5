"""What is written about plans and their courses, and what is refused."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import course_actions, hold_actions
from cycles import plan_actions as actions
from cycles.models import Cycle, Hold, Plan, PlannedDose, Protocol
from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 1, 12)
START = date(2026, 3, 4)  # the plan of O1


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


@pytest.fixture
def cycle(plan):
    return plan.cycles.get()


def courses(plan):
    return [(cycle.number, cycle.starts_on, cycle.state) for cycle in plan.cycles.order_by("number")]


def give_a_day(cast, cycle, starts_on, now=NOW):
    """A new first day from a person who has read every hold."""
    named = [hold.ref for hold in Hold.objects.open()]
    hold_actions.lift_and_move(by=cast.ben, cycle=cycle, starts_on=starts_on, now=now, reason="better", named=named)


# Plans


def test_the_library_can_be_loaded_again_and_again():
    before = list(Protocol.objects.values_list("slug", flat=True))
    actions.load_library()
    assert list(Protocol.objects.values_list("slug", flat=True)) == before
    assert "hiv-sc-7-5" in before


def test_a_plan_keeps_its_own_copy_of_the_protocol(plan):
    """Editing the library never rewrites history."""
    Protocol.objects.update(document={"unit": "MIU", "phases": []}, fever_above=40)
    version = Plan.objects.get().current_version
    assert version.regimen.course_total() == 75
    assert version.fever_above == Decimal("102.0")


@pytest.mark.parametrize("who", ["anna", "sam", "carla", "eve", "dan"])
def test_only_the_clinic_of_the_patient_makes_a_plan(cast, who):
    with pytest.raises(PermissionDenied):
        factories.plan(cast.anna_patient, getattr(cast, who))


def test_a_start_before_today_is_only_a_past_course(cast):
    protocol = Protocol.objects.get(slug="hiv-sc-4-5")
    facts = {"by": cast.ben, "patient": cast.anna_patient, "protocol": protocol, "document": protocol.document}
    facts |= {"slot_times": {"am": "10:00", "pm": "22:00"}, "starts_on": date(2026, 2, 28), "now": NOW}
    with pytest.raises(ValidationError, match="has passed"):
        actions.create_plan(**facts)
    assert actions.create_plan(**facts, past=True).cycles.count() == 2


@pytest.mark.parametrize(
    ("slug", "amount", "words"),
    [
        ("kidney-5-week", None, "Enter the amount of every injection"),
        ("kidney-5-week", "18.001", "more than this treatment uses"),
        ("hiv-sc-7-5", "9.5", "more than this treatment uses"),
    ],
)
def test_a_plan_holds_no_missing_and_no_impossible_amount(cast, slug, amount, words):
    protocol = Protocol.objects.get(slug=slug)
    document = protocol.regimen.document()
    document["phases"][0]["doses"][0]["amount"] = amount
    with pytest.raises(ValidationError, match=words):
        factories.plan(cast.dan_patient, cast.ben, protocol=slug, document=document)
    assert not Plan.objects.exists()


def test_a_plan_of_its_own_ends_with_its_last_course(cast):
    """Two courses and no third, however often the planner looks."""
    document = Protocol.objects.get(slug="hiv-sc-4-5").document
    document["phases"][0]["repeat"] = 2
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, document=document)
    for weeks in (1, 9, 30):
        actions.open_next_cycle(plan=plan, today=START + timedelta(weeks=weeks))
    assert [number for number, *_rest in courses(plan)] == [1, 2]


def test_ending_a_plan_cancels_what_has_not_started_and_keeps_the_rest(cast, plan, cycle):
    """M8, H23: stopping keeps the record; nothing opens behind it."""
    actions.open_next_cycle(plan=plan, today=START)
    actions.end_plan(by=cast.ben, plan=plan, on=START, reason="moved away")
    assert [state for _number, _start, state in courses(plan)] == ["stopped_early", "cancelled"]
    assert actions.open_next_cycle(plan=plan, today=START + timedelta(days=365)) is None
    assert PlannedDose.objects.of(cast.anna_patient).count() == 20


def test_a_new_plan_can_follow_an_ended_one(cast, plan):
    actions.end_plan(by=cast.ben, plan=plan, on=NOW.date(), reason="new amount")
    again = factories.plan(cast.anna_patient, cast.ben, protocol="hiv-sc-4-5", starts_on=START, now=NOW)
    assert courses(again) == [(1, START, "planned")]


def test_a_new_plan_does_not_overlap_a_course_that_has_started(cast, plan):
    actions.end_plan(by=cast.ben, plan=plan, on=START + timedelta(days=2), reason="new amount")
    with pytest.raises(ValidationError, match="overlaps course 1"):
        factories.plan(cast.anna_patient, cast.ben, starts_on=START + timedelta(days=2), now=NOW)
    assert Plan.objects.active().count() == 0


def test_a_plan_that_was_read_before_it_ended_opens_nothing_behind_its_end(cast, plan):
    """The tick reads its plans first and locks each one later."""
    stale = Plan.objects.with_versions().get(pk=plan.pk)
    actions.end_plan(by=cast.ben, plan=plan, on=START, reason="moved away")
    assert actions.open_next_cycle(plan=stale, today=START) is None


def test_ending_a_plan_stops_a_course_to_come_of_which_an_injection_is_recorded(cast, plan, cycle):
    """What was given stays in the record: such a course is never cancelled."""
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW)
    actions.end_plan(by=cast.ben, plan=plan, on=NOW.date(), reason="rash")
    assert [state for _number, _start, state in courses(plan)] == ["stopped_early"]


# Courses


@pytest.mark.parametrize(("days_late", "state"), [(0, "planned"), (2, "planned"), (3, "held"), (30, "held")])
def test_a_course_whose_first_day_passed_before_it_was_opened_needs_a_new_one(cast, plan, days_late, state):
    """Nobody was told of it. A planner that was down for two days harms nobody."""
    second = actions.open_next_cycle(plan=plan, today=date(2026, 4, 29) + timedelta(days=days_late))
    assert (second.number, second.state) == ((2, "held") if state == "held" else (3, "planned"))
    assert plan.cycles.get(number=2).state == state
    if state == "held":
        assert second.reason == "It needs a new first day."
        assert not PlannedDose.objects.filter(cycle=second).counting().exists()
        give_a_day(cast, second, date(2026, 6, 10), utc(2026, 6, 1, 12))
        assert second.state == "planned"
        assert PlannedDose.objects.filter(cycle=second).counting().count() == 10


def test_courses_that_went_ahead_before_the_diary_stand_as_they_were(cast):
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=date(2025, 10, 1), now=NOW)
    assert {state for _number, _start, state in courses(plan)} == {"planned"}
    assert plan.cycles.count() == 4


def test_nothing_is_decided_twice_about_a_course(cast, plan, cycle):
    course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="holiday")
    again = {"by": cast.ben, "cycle": cycle, "reason": "no"}
    for decide in (
        lambda: course_actions.move_cycle(**again, starts_on=date(2026, 4, 1), today=NOW.date()),
        lambda: course_actions.stop_cycle(**again, on=START),
        lambda: course_actions.cancel_cycle(**again),
    ):
        with pytest.raises(ValidationError, match="has ended"):
            decide()
    assert Cycle.objects.get(pk=cycle.pk).state == "cancelled"


def test_a_course_is_not_moved_to_a_day_that_has_passed(cast, cycle):
    with pytest.raises(ValidationError, match="has passed"):
        course_actions.move_cycle(
            by=cast.ben, cycle=cycle, starts_on=date(2026, 2, 27), today=NOW.date(), reason="typed wrong"
        )


def test_a_course_of_which_an_injection_is_recorded_meanwhile_is_not_left_out(cast, cycle):
    """What counts is what stands when the patient is locked, not what the page had read."""
    stale = Cycle.objects.get(pk=cycle.pk)
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW)
    with pytest.raises(ValidationError, match="not cancelled"):
        course_actions.cancel_cycle(by=cast.ben, cycle=stale, reason="rash")
    assert Cycle.objects.get(pk=cycle.pk).state == "planned"


def test_there_is_always_exactly_one_course_that_has_not_started(plan):
    """The starts of O1."""
    starts = ["2026-03-04", "2026-04-29", "2026-06-24", "2026-08-19"]
    for number, start in enumerate(starts[:3], 1):
        actions.open_next_cycle(plan=plan, today=date.fromisoformat(start))
        assert [str(on) for _number, on, _state in courses(plan)] == starts[: number + 1]
    assert actions.open_next_cycle(plan=plan, today=date(2026, 8, 18)) is None


def test_a_course_has_its_doses_as_rows_in_utc(cycle):
    """O1: day 5 is the day the clocks change in New York, not in London; London changes on 29 March."""
    doses = list(cycle.doses.all())
    assert len(doses) == 10
    assert [(dose.day, dose.slot) for dose in doses[:3]] == [(1, "am"), (1, "pm"), (2, "am")]
    assert (doses[0].due_at, doses[-1].due_at) == (utc(2026, 3, 4, 10), utc(2026, 3, 8, 22))
    assert {dose.zone for dose in doses} == {"Europe/London"}


def test_an_hour_that_the_clocks_skip_moves_forward(cast):
    """A22: 01:30 on 29 March 2026 in London counts as 02:30."""
    protocol = Protocol.objects.get(slug="kidney-label")
    plan = actions.create_plan(
        by=cast.ben,
        patient=cast.dan_patient,
        protocol=protocol,
        document=protocol.document,
        slot_times={"bedtime": "01:30"},
        starts_on=date(2026, 3, 28),
        now=NOW,
    )
    first, second = plan.cycles.get().doses.all()[:2]
    assert (first.due_at, second.due_at) == (utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30))


def test_a_moved_course_shifts_as_a_whole(cast, plan, cycle):
    course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="holiday")
    doses = list(cycle.doses.all())
    assert (cycle.starts_on, cycle.last_dose_on) == (date(2026, 4, 1), date(2026, 4, 5))
    assert (doses[0].due_on, doses[-1].due_on) == (date(2026, 4, 1), date(2026, 4, 5))
    assert doses[0].due_at == utc(2026, 4, 1, 9)  # summer time
    assert cycle.history.count() == 2


def test_the_next_course_counts_from_the_start_that_really_was(cast, plan, cycle):
    course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="holiday")
    actions.open_next_cycle(plan=plan, today=date(2026, 4, 1))
    assert courses(plan)[1][1] == date(2026, 5, 27)


def test_a_started_course_is_never_moved(cast, cycle):
    with pytest.raises(ValidationError, match="has started"):
        course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=START, reason="late")
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW)
    with pytest.raises(ValidationError, match="has started"):
        course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2026, 4, 1), today=NOW.date(), reason="late")


@pytest.mark.parametrize(("start", "overlaps"), [("2026-03-09", False), ("2026-03-08", True), ("2026-03-02", True)])
def test_two_courses_never_overlap(cast, plan, start, overlaps):
    actions.open_next_cycle(plan=plan, today=START)
    second = plan.cycles.get(number=2)
    move = {"by": cast.ben, "cycle": second, "starts_on": date.fromisoformat(start), "today": NOW.date(), "reason": ""}
    if overlaps:
        with pytest.raises(ValidationError, match="overlaps course 1"):
            course_actions.move_cycle(**move)
    else:
        assert course_actions.move_cycle(**move).starts_on == date.fromisoformat(start)


@pytest.mark.parametrize("who", ["anna", "sam", "carla"])
def test_only_the_clinic_leaves_a_course_out(cast, cycle, who):
    with pytest.raises(PermissionDenied):
        course_actions.cancel_cycle(by=getattr(cast, who), cycle=cycle, reason="unwell")


def test_nothing_opens_behind_a_held_course_until_a_person_moves_it(cast, plan, cycle):
    """H22: a hold never resumes by itself."""
    factories.hold(cast.ben, cycle, "infection")
    assert actions.open_next_cycle(plan=plan, today=date(2026, 12, 1)) is None
    give_a_day(cast, cycle, date(2026, 4, 1))
    assert cycle.state == Cycle.State.PLANNED


def test_after_a_cancelled_course_the_next_one_stands_ready(cast, plan, cycle):
    course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="pregnancy")
    actions.open_next_cycle(plan=plan, today=NOW.date())
    assert courses(plan) == [(1, START, "cancelled"), (2, date(2026, 4, 29), "planned")]


def test_a_course_cut_short_neither_counts_nor_misses_what_would_have_come(cast, cycle):
    course_actions.stop_cycle(by=cast.ben, cycle=cycle, on=date(2026, 3, 6), reason="rash")
    counting = PlannedDose.objects.of(cast.anna_patient).counting()
    assert {dose.day for dose in counting} == {1, 2, 3}
    assert cycle.day_on(date(2026, 3, 6)) == 3
    assert cycle.day_on(date(2026, 3, 7)) is None


@pytest.mark.parametrize(
    ("on", "day"), [("2026-03-03", None), ("2026-03-04", 1), ("2026-03-08", 5), ("2026-03-09", None)]
)
def test_a_course_runs_from_its_first_to_its_last_dose_day(cycle, on, day):
    assert cycle.day_on(date.fromisoformat(on)) == day
    assert cycle.is_running(date.fromisoformat(on)) is (day is not None)


def test_ending_a_plan_stops_the_course_that_runs(cast, plan, cycle):
    """What would have come after that day is neither taken nor missing (2.2)."""
    actions.end_plan(by=cast.ben, plan=plan, on=date(2026, 3, 5), reason="rash")
    cycle.refresh_from_db()
    assert (cycle.state, cycle.stopped_on, cycle.reason) == ("stopped_early", date(2026, 3, 5), "rash")
    assert {dose.day for dose in PlannedDose.objects.of(cast.anna_patient).counting().unlogged()} == {1, 2}


def test_ending_a_plan_leaves_a_course_that_is_over_as_it_was(cast, plan, cycle):
    actions.open_next_cycle(plan=plan, today=START)
    actions.end_plan(by=cast.ben, plan=plan, on=date(2026, 3, 9), reason="rash")
    assert [state for _number, _start, state in courses(plan)] == ["planned", "cancelled"]


def test_a_plan_ends_once(cast, plan):
    actions.end_plan(by=cast.ben, plan=plan, on=START, reason="rash")
    actions.end_plan(by=cast.ben, plan=plan, on=date(2026, 5, 1), reason="moved away")
    plan.refresh_from_db()
    assert (plan.ended_on, plan.end_reason) == (START, "rash")


def test_a_held_course_whose_day_has_passed_gets_a_day_again(cast, plan, cycle):
    """H22: the hold lasts until a person moves the course, however long that takes."""
    factories.hold(cast.ben, cycle, "infection")
    later = date(2026, 4, 1)
    give_a_day(cast, cycle, later, utc(2026, 3, 20, 12))
    assert (cycle.state, cycle.starts_on) == ("planned", later)


def test_a_course_with_records_is_stopped_and_not_cancelled(cast, cycle):
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW)
    with pytest.raises(ValidationError, match="not cancelled"):
        course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="rash")


def test_who_decided_about_a_course_and_when_can_be_read(cast, cycle):
    assert cycle.decision is None
    factories.hold(cast.ben, cycle, "infection")
    decision = Cycle.objects.get(pk=cycle.pk).decision
    assert (decision.history_user, decision.history_date) == (cast.ben, NOW)


# Another clock


def move_to_tokyo(cast):
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="Asia/Tokyo")


def test_a_course_to_come_follows_its_patient_to_another_clock(cast, cycle):
    """H09: ten in the morning is ten in the morning where the patient lives when it starts."""
    move_to_tokyo(cast)
    assert course_actions.follow_patient(cycle=cycle, now=NOW) is True
    first, second = cycle.doses.all()[:2]
    assert (first.due_at, second.due_at) == (utc(2026, 3, 4, 1), utc(2026, 3, 4, 13))
    assert (first.due_on, f"{first.local_time:%H:%M}", first.zone) == (START, "10:00", "Asia/Tokyo")


def test_following_again_changes_nothing(cast, cycle):
    assert course_actions.follow_patient(cycle=cycle, now=NOW) is False
    move_to_tokyo(cast)
    course_actions.follow_patient(cycle=cycle, now=NOW)
    assert course_actions.follow_patient(cycle=cycle, now=NOW) is False
    assert AuditEvent.objects.filter(action="cycles.cycle.rezoned").count() == 1


@pytest.mark.parametrize("hours", [0, 24])
def test_a_course_that_runs_keeps_the_hours_it_began_with(cast, cycle, hours):
    """In Tokyo the first day begins nine hours before it does in London."""
    move_to_tokyo(cast)
    assert course_actions.follow_patient(cycle=cycle, now=utc(2026, 3, 3, 15) + timedelta(hours=hours)) is False
    assert {dose.zone for dose in cycle.doses.all()} == {"Europe/London"}


def test_a_course_that_was_begun_early_keeps_its_hours(cast, cycle):
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first(), at=NOW)
    move_to_tokyo(cast)
    assert course_actions.follow_patient(cycle=cycle, now=NOW) is False


def test_only_courses_to_come_with_old_hours_are_looked_up(cast, plan, cycle):
    actions.open_next_cycle(plan=plan, today=START)
    factories.plan(cast.dan_patient, cast.ben, starts_on=START, now=NOW)
    assert not Cycle.objects.on_an_old_clock(NOW.date()).exists()
    move_to_tokyo(cast)
    assert [found.number for found in Cycle.objects.on_an_old_clock(NOW.date()).order_by("number")] == [1, 2]
    assert [found.number for found in Cycle.objects.on_an_old_clock(START)] == [2]
    course_actions.cancel_cycle(by=cast.ben, cycle=plan.cycles.get(number=2), reason="no")
    assert not Cycle.objects.on_an_old_clock(START).exists()
