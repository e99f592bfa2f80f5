"""A course waits until a person says that it goes on (H22, D18, D19)."""

import html
import importlib
import re
from datetime import date, timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import course_actions, hold_actions, plan_actions
from cycles.models import Cycle, Hold, PlannedDose
from il2tracker.alerts.actions import close
from il2tracker.alerts.models import Alert
from il2tracker.reminders import planning
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

START = date(2026, 11, 18)
BEFORE = utc(2026, 11, 10, 12)
DAY_2 = utc(2026, 11, 19, 12)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def cycle(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=BEFORE).cycles.get()


def lift(cast, hold, now, note="well again"):
    return hold_actions.lift_hold(by=cast.ben, hold=hold, now=now, note=note)


@pytest.mark.parametrize("who", ["anna", "sam", "ben"])
def test_patient_carer_and_clinic_may_put_a_course_on_hold(cast, cycle, who):
    """P22: an infection is reported at any time; the dates stay where they are."""
    hold = factories.hold(getattr(cast, who), cycle, kind="infection", now=BEFORE)
    assert (hold.raised_by, hold.is_open, cycle.state) == (getattr(cast, who), True, Cycle.State.HELD)
    assert Cycle.objects.get().starts_on == START


def test_nobody_else_may(cast, cycle):
    with pytest.raises(PermissionDenied):
        factories.hold(cast.carla, cycle)


@pytest.mark.parametrize(("who", "told"), [("anna", 1), ("sam", 1), ("ben", 0)])
def test_the_clinic_is_told_of_what_it_did_not_decide_itself(cast, cycle, who, told):
    factories.hold(getattr(cast, who), cycle, kind="pregnancy", now=BEFORE)
    assert Alert.objects.holding().filter(rule="HOLD", tier=Alert.Tier.AMBER).count() == told


def test_the_same_reason_is_kept_once(cast, cycle):
    first = factories.hold(cast.anna, cycle, kind="infection", now=BEFORE)
    assert factories.hold(cast.ben, cycle, kind="infection", now=DAY_2) == first
    assert Hold.objects.count() == 1


@pytest.mark.parametrize("who", ["anna", "sam"])
def test_only_the_clinic_lifts_a_hold(cast, cycle, who):
    hold = factories.hold(cast.anna, cycle, now=BEFORE)
    with pytest.raises(PermissionDenied):
        hold_actions.lift_hold(by=getattr(cast, who), hold=hold, now=BEFORE)


def test_a_course_goes_on_when_its_last_reason_is_gone(cast, cycle):
    holds = [factories.hold(cast.ben, cycle, kind=kind, now=BEFORE) for kind in ("infection", "fatigue")]
    lift(cast, holds[0], BEFORE)
    assert Cycle.objects.get().state == Cycle.State.HELD
    lift(cast, holds[1], BEFORE)
    assert Cycle.objects.get().state == Cycle.State.PLANNED


def test_lifting_twice_is_lifting_once(cast, cycle):
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    assert lift(cast, hold, BEFORE).lifted_at == lift(cast, hold, DAY_2).lifted_at


def test_what_fell_into_the_wait_is_neither_missing_nor_caught_up(cast, cycle):
    """D18: no doses are added at the end."""
    first = cycle.doses.get(day=1, slot="am")
    factories.injection(cast.anna_patient, cast.anna, first)
    hold = factories.hold(cast.anna, cycle, now=first.due_at + timedelta(hours=1))
    lift(cast, hold, DAY_2)
    held = PlannedDose.objects.filter(was_held=True).values_list("day", "slot")
    assert set(held) == {(1, "pm"), (2, "am")}
    assert PlannedDose.objects.counting().count() == 8
    assert Cycle.objects.get().last_dose_on == START + timedelta(days=4)


def held_doses(cycle):
    return set(cycle.doses.filter(was_held=True).values_list("day", "slot"))


def state(cycle):
    return Cycle.objects.get(pk=cycle.pk).state


def test_a_course_that_has_not_begun_needs_another_first_day_when_its_own_has_passed(cast, cycle):
    """H22: the hold is lifted all the same; the course waits on, and the change page gives it a day."""
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    assert not lift(cast, hold, DAY_2).is_open
    cycle.refresh_from_db()
    assert (cycle.state, cycle.reason) == ("held", "It needs a new first day.")
    assert not PlannedDose.objects.counting().exists()
    give_a_day(cast, cycle, date(2026, 12, 2), DAY_2)
    assert (cycle.state, held_doses(cycle)) == ("planned", set())
    assert PlannedDose.objects.counting().count() == 10


def test_a_second_wait_does_not_make_a_course_begun_that_needs_a_first_day(cast, cycle):
    lift(cast, factories.hold(cast.ben, cycle, now=BEFORE), DAY_2)
    again = factories.hold(cast.ben, cycle, now=utc(2026, 11, 25, 12))
    lift(cast, again, utc(2026, 11, 26, 12))
    assert state(cycle) == "held"


def test_a_course_whose_first_day_is_today_goes_on_with_what_is_left_of_it(cast, cycle):
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    lift(cast, hold, utc(2026, 11, 18, 12))
    assert (state(cycle), held_doses(cycle)) == ("planned", {(1, "am")})


def give_a_day(cast, cycle, starts_on, now, named=None):
    named = [hold.ref for hold in Hold.objects.open()] if named is None else named
    hold_actions.lift_and_move(by=cast.ben, cycle=cycle, starts_on=starts_on, now=now, reason="well", named=named)


def test_a_new_first_day_alone_lifts_no_hold(cast, cycle):
    """M8, H23: only a person lifts one, and says so."""
    factories.hold(cast.ben, cycle, now=BEFORE)
    later = date(2026, 12, 2)
    course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=later, today=BEFORE.date(), reason="holiday")
    assert (cycle.state, cycle.starts_on) == ("held", later)
    assert Hold.objects.open().count() == 1


def test_a_new_first_day_lifts_the_holds_that_were_read(cast, cycle):
    factories.hold(cast.ben, cycle, now=BEFORE)
    give_a_day(cast, cycle, date(2026, 12, 2), BEFORE)
    assert not Hold.objects.open().exists()
    assert (cycle.state, cycle.starts_on) == ("planned", date(2026, 12, 2))


def test_a_hold_that_came_while_the_page_was_open_still_holds(cast, cycle):
    read = factories.hold(cast.ben, cycle, now=BEFORE)
    factories.hold(cast.anna, cycle, kind="pregnancy", now=BEFORE)
    give_a_day(cast, cycle, date(2026, 12, 2), BEFORE, named=[read.ref])
    assert (cycle.state, [hold.kind for hold in Hold.objects.open()]) == ("held", ["pregnancy"])


@pytest.mark.parametrize("lifted", [False, True], ids=["on hold", "after it"])
def test_a_course_that_began_without_records_is_never_given_again(cast, cycle, lifted):
    """2.2: day 1 fell due before anybody said "wait"; that nothing is recorded does not say that nothing was given."""
    hold = factories.hold(cast.anna, cycle, kind="infection", now=DAY_2)
    if lifted:
        lift(cast, hold, DAY_2 + timedelta(hours=1))
    with pytest.raises(ValidationError, match="has started"):
        give_a_day(cast, cycle, date(2026, 12, 2), DAY_2 + timedelta(hours=2))
    assert Cycle.objects.get(pk=cycle.pk).starts_on == START


def test_a_course_that_began_without_records_goes_on_however_late(cast, cycle):
    hold = factories.hold(cast.anna, cycle, kind="infection", now=DAY_2)
    lift(cast, hold, utc(2026, 11, 21, 12))
    assert state(cycle) == "planned"
    assert held_doses(cycle) == {(2, "pm"), (3, "am"), (3, "pm"), (4, "am")}


def test_the_days_between_two_holds_are_asked_for(cast, cycle):
    """D18 speaks of the wait alone: what fell due while the course went ahead is missing, not held."""
    first = factories.hold(cast.ben, cycle, now=utc(2026, 11, 18, 12))
    lift(cast, first, utc(2026, 11, 19, 9))
    second = factories.hold(cast.ben, cycle, now=utc(2026, 11, 20, 12))
    lift(cast, second, utc(2026, 11, 21, 9))
    assert held_doses(cycle) == {(1, "pm"), (3, "pm")}


def test_holds_that_overlap_are_one_wait(cast, cycle):
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first())
    first = factories.hold(cast.ben, cycle, kind="infection", now=utc(2026, 11, 18, 12))
    second = factories.hold(cast.ben, cycle, kind="fatigue", now=utc(2026, 11, 19, 9))
    lift(cast, first, utc(2026, 11, 19, 12))
    assert held_doses(cycle) == set()
    lift(cast, second, utc(2026, 11, 20, 9))
    assert held_doses(cycle) == {(1, "pm"), (2, "am"), (2, "pm")}


# It is about the patient


@pytest.fixture
def both(cast, cycle):
    """The running course and the one that follows it."""
    return cycle, plan_actions.open_next_cycle(plan=cycle.plan, today=START)


def test_every_course_of_the_patient_waits(cast, both):
    """P30: a pregnancy in course 1 is one in course 2."""
    factories.hold(cast.anna, both[0], kind="pregnancy", now=DAY_2)
    assert [state(cycle) for cycle in both] == ["held", "held"]


def test_a_course_that_is_opened_meanwhile_waits_too(cast, cycle):
    factories.hold(cast.ben, cycle, "chest", kind="infection", now=BEFORE)
    course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="not before spring")
    second = plan_actions.open_next_cycle(plan=cycle.plan, today=BEFORE.date())
    assert (second.state, second.reason) == ("held", "chest")


def test_a_new_plan_waits_too(cast, cycle):
    factories.hold(cast.anna, cycle, kind="pregnancy", now=BEFORE)
    plan_actions.end_plan(by=cast.ben, plan=cycle.plan, on=BEFORE.date(), reason="another amount")
    new = factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 12, 2), now=BEFORE)
    assert [cycle.state for cycle in new.cycles.all()] == ["held"]


@pytest.mark.parametrize("what", ["stop", "cancel", "move", "end"])
def test_deciding_about_a_course_lifts_no_hold(cast, both, what):
    """H22, M8, H23."""
    running, coming = both
    factories.hold(cast.anna, coming, kind="pregnancy", now=BEFORE)
    by = {"by": cast.ben, "reason": "decided"}
    {
        "stop": lambda: course_actions.stop_cycle(cycle=running, on=START, **by),
        "cancel": lambda: course_actions.cancel_cycle(cycle=coming, **by),
        "move": lambda: course_actions.move_cycle(cycle=coming, starts_on=date(2027, 2, 3), today=BEFORE.date(), **by),
        "end": lambda: plan_actions.end_plan(plan=running.plan, on=START, **by),
    }[what]()
    assert Hold.objects.open().count() == 1
    assert not Cycle.objects.filter(state="planned").exists()


def test_lifting_the_last_hold_lets_every_course_go_on(cast, both):
    hold = factories.hold(cast.anna, both[0], kind="infection", now=DAY_2)
    lift(cast, hold, utc(2026, 11, 20, 12))
    assert [state(cycle) for cycle in both] == ["planned", "planned"]
    assert held_doses(both[1]) == set()


def test_a_course_that_was_stopped_stays_so_when_its_hold_is_lifted(cast, both):
    hold = factories.hold(cast.anna, both[0], kind="infection", now=DAY_2)
    course_actions.stop_cycle(by=cast.ben, cycle=both[0], on=START, reason="enough")
    lift(cast, hold, utc(2026, 11, 20, 12))
    assert [state(cycle) for cycle in both] == ["stopped_early", "planned"]


def test_eight_weeks_later_nothing_of_the_next_course_is_asked_for(cast, both, see):
    """P30, R1: a pregnancy that nobody took back."""
    factories.hold(cast.anna, both[0], kind="pregnancy", now=DAY_2)
    eve = utc(2027, 1, 12, 12)
    planning.plan(eve)
    states = set(Reminder.objects.exclude(kind="to_call").values_list("kind", "state", "cancel_reason"))
    assert states
    assert {(kind, why) for kind, row, why in states if row == "planned"} == {("paused", "")}
    assert Reminder.objects.filter(kind="to_call", state="planned", recipient=cast.ben).exists(), "the clinic is told"
    page = see(cast.anna, "/", utc(2027, 1, 13, 12)).text_read
    assert "Course 2 is on hold: a pregnancy, or perhaps one" in page
    assert "million units" not in page


def test_another_hold_after_a_lifted_one_is_told_by_its_own_mail(cast, cycle):
    eve = utc(2026, 11, 17, 12)
    for kind in ("infection", "fatigue"):
        hold = factories.hold(cast.ben, cycle, kind=kind, now=eve)
        planning.plan(eve)
        assert Reminder.objects.get(kind="paused", state="planned").occurrence == f"held/{hold.ref}"
        lift(cast, hold, eve)


# Its alert


def test_lifting_a_hold_settles_what_it_told_the_clinic(cast, cycle):
    """R1: else every reminder would stay behind an alert about something that is over."""
    hold = factories.hold(cast.anna, cycle, kind="infection", now=BEFORE)
    lift(cast, hold, BEFORE, "antibiotics finished")
    alert = Alert.objects.get()
    assert (alert.acknowledged_by, alert.acknowledged_at, alert.note) == (cast.ben, BEFORE, "antibiotics finished")
    planning.plan(utc(2026, 11, 17, 12))
    assert set(Reminder.objects.filter(kind="injection_due").values_list("state", flat=True)) == {"planned"}


def test_lifting_a_hold_leaves_other_alerts_to_the_clinic(cast, cycle):
    factories.alert(cast.anna_patient, cast.anna)
    lift(cast, factories.hold(cast.anna, cycle, now=BEFORE), BEFORE)
    assert [alert.rule for alert in Alert.objects.open()] == ["T2"]


def test_without_a_clinic_lifting_a_hold_closes_its_alert():
    lee = factories.lone_patient()
    own = factories.plan(lee, lee.user, starts_on=START, now=BEFORE).cycles.get()
    hold = factories.hold(lee.user, own, kind="infection", now=BEFORE)
    assert Alert.objects.open().count() == 1
    hold_actions.lift_hold(by=lee.user, hold=hold, now=DAY_2, note="they said so")
    assert (Alert.objects.get().closed_at, Alert.objects.get().acknowledged_at) == (DAY_2, None)


@pytest.mark.parametrize("who", ["anna", "carla"])
def test_nobody_else_closes_an_alert(cast, cycle, who):
    factories.hold(cast.anna, cycle, now=BEFORE)
    with pytest.raises(PermissionDenied):
        close(by=getattr(cast, who), alert=Alert.objects.get(), now=BEFORE)


# What cannot be held


def test_a_course_that_is_over_is_not_put_on_hold(cast, cycle):
    with pytest.raises(ValidationError, match="has ended"):
        factories.hold(cast.ben, cycle, now=utc(2027, 2, 1, 12))
    factories.hold(cast.ben, cycle, now=utc(2026, 11, 22, 23))


def test_a_course_from_before_holds_were_kept_gets_its_hold_and_what_follows_waits(cast, both):
    """The upgrade: nothing that waited may go ahead."""
    Cycle.objects.filter(pk=both[0].pk).update(state="held", reason="chest infection")
    Cycle.objects.filter(pk=both[1].pk).update(starts_on="2099-02-01", last_dose_on="2099-02-05")
    upgrade = importlib.import_module("cycles.migrations.0008_every_held_course_has_its_hold")
    upgrade.write_holds(apps, None)
    upgrade.write_holds(apps, None)
    hold = Hold.objects.open().get()
    assert (hold.cycle, hold.kind, hold.reason) == (both[0], "other", "chest infection")
    assert state(both[1]) == "held"


def test_a_cancelled_course_has_nothing_to_hold(cast, cycle):
    course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="moved away")
    with pytest.raises(ValidationError):
        factories.hold(cast.ben, cycle)


# Pages


@pytest.fixture
def see(client):
    """`see(user, path, at, **data)`: the answer, with `.text_read` as a person reads it."""

    def visit(user, path, at=BEFORE, **data):
        with time_machine.travel(at, tick=False):
            client.force_login(user)
            answer = client.post(path, data) if data else client.get(path)
        words = re.sub(r"<[^>]+>", " ", answer.content.decode())
        answer.text_read = " ".join(html.unescape(words).split())
        return answer

    return visit


def of(cast, page):
    """The address for others than Anna."""
    return f"/people/{cast.anna_patient.code}/{page}"


@pytest.mark.parametrize("kind", ["infection", "pregnancy", "told_to_stop", "fatigue", "other"])
def test_something_has_changed_puts_the_course_on_hold_and_shows_whom_to_call(cast, cycle, see, kind):
    """P22, D19, R16."""
    answer = see(cast.anna, "/changed/", kind=kind, words="since this morning")
    assert answer.url == "/waits/"
    assert Hold.objects.open().get().kind == kind
    page = see(cast.anna, "/waits/")
    assert "Call your clinic today, before any more injections." in page.text_read
    assert "020 7946 0018" in page.text_read
    assert "nobody may have seen it" in page.text_read


def test_during_a_course_it_is_the_running_one_that_waits(cast, cycle, see):
    see(cast.sam, of(cast, "changed/"), DAY_2, kind="infection", words="")
    assert Hold.objects.open().get().cycle == cycle


def test_another_page_may_say_what_has_changed(cast, cycle, see):
    page = see(cast.anna, "/changed/?kind=f").content.decode()
    assert re.search(r'value="told_to_stop"[^>]*checked', page)


@pytest.mark.parametrize(
    ("data", "words"),
    [({"words": "x"}, "Choose what has changed."), ({"kind": "other"}, "Say in a few words what it is.")],
)
def test_what_is_not_said_is_asked_for(cast, cycle, see, data, words):
    page = see(cast.anna, "/changed/", **data)
    assert page.status_code == 422
    assert words in page.text_read


def test_without_a_course_it_is_told_and_shown_whom_to_call(cast, see):
    assert see(cast.anna, "/changed/", kind="infection", words="chest").url == "/waits/"
    assert "What you reported is saved." in see(cast.anna, "/waits/").text_read


def test_a_clinician_says_which_kind_of_reason_it_is(cast, cycle, see):
    page = see(cast.ben, of(cast, "changed/"))
    assert "Put course 1 on hold" in page.text_read
    assert "The viral load" in page.text_read
    see(cast.ben, of(cast, "changed/"), kind="viral_load", words="4,100 on 2 November")
    hold = Hold.objects.open().get()
    assert (hold.kind, hold.reason, hold.raised_by) == ("viral_load", "4,100 on 2 November", cast.ben)


def test_a_running_course_is_put_on_hold_too(cast, cycle, see):
    """D18."""
    see(cast.ben, of(cast, "changed/"), DAY_2, kind="symptom", words="breathless")
    assert Cycle.objects.get(pk=cycle.pk).state == Cycle.State.HELD


def test_the_clinic_reads_every_reason_with_who_gave_it_and_when(cast, cycle, see):
    factories.hold(cast.anna, cycle, "chest", kind="infection", now=BEFORE)
    factories.hold(cast.ben, cycle, "up", kind="viral_load", now=BEFORE)
    page = see(cast.ben, of(cast, "waits/"))
    for words in (
        "An infection : chest",
        "Anna, Tuesday 10 November 2026, midday",
        "The viral load : up",
        "Ben, Tuesday",
    ):
        assert words in page.text_read
    assert page.text_read.count("This is over: lift it") == 2
    assert "Give it a new first day" in page.text_read


def test_a_hold_is_lifted_with_a_reason(cast, cycle, see):
    holds = [factories.hold(cast.ben, cycle, kind=kind, now=BEFORE) for kind in ("infection", "fatigue")]
    assert see(cast.ben, f"/plan/hold/{holds[0].ref}/lift/", note="").status_code == 422
    see(cast.ben, f"/plan/hold/{holds[0].ref}/lift/", note="well again")
    assert "still waits for another reason" in see(cast.ben, of(cast, "plan/")).text_read
    see(cast.ben, f"/plan/hold/{holds[1].ref}/lift/", note="slept")
    assert "Course 1 goes on." in see(cast.ben, of(cast, "plan/")).text_read
    assert Cycle.objects.get(pk=cycle.pk).state == Cycle.State.PLANNED


def test_lifting_too_late_asks_for_another_first_day(cast, cycle, see):
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    assert see(cast.ben, f"/plan/hold/{hold.ref}/lift/", DAY_2, note="well").status_code == 302
    assert "Course 1 needs a new first day." in see(cast.ben, of(cast, "plan/"), DAY_2).text_read
    assert "It needs a new first day." in see(cast.anna, "/", DAY_2).text_read.replace("it needs", "It needs")
    page = see(cast.ben, of(cast, "waits/"), DAY_2).text_read
    assert "Course 1 is on hold" in page
    assert "Give it a new first day, or leave it out" in page


def test_a_course_that_began_is_not_offered_another_day(cast, cycle, see):
    factories.hold(cast.ben, cycle, now=DAY_2)
    assert "Give it a new first day" not in see(cast.ben, of(cast, "waits/"), DAY_2).text_read
    assert see(cast.ben, f"/plan/course/{cycle.ref}/change/", DAY_2).url == f"/people/{cast.anna_patient.code}/waits/"


def test_a_second_hold_is_not_lifted_with_a_day_by_who_did_not_read_it(cast, cycle, see):
    first = factories.hold(cast.ben, cycle, "chest", now=BEFORE)
    page = see(cast.ben, f"/plan/course/{cycle.ref}/change/")
    assert f'name="holds" value="{first.ref}"' in page.content.decode()
    factories.hold(cast.anna, cycle, kind="pregnancy", now=BEFORE)
    data = {"what": "move", "starts_on": "2026-12-02", "reason": "well", "holds": first.ref}
    see(cast.ben, f"/plan/course/{cycle.ref}/change/", **data)
    assert "It still waits: there is another reason." in see(cast.ben, of(cast, "plan/")).text_read


@pytest.mark.parametrize(("who", "status"), [("anna", 403), ("sam", 403), ("carla", 404), ("dan", 404)])
def test_nobody_else_lifts(cast, cycle, see, who, status):
    hold = factories.hold(cast.anna, cycle, now=BEFORE)
    assert see(getattr(cast, who), f"/plan/hold/{hold.ref}/lift/", note="fine").status_code == status


def test_a_held_plan_says_nothing_of_amounts_to_the_patient(cast, cycle, see):
    """R29."""
    said = "15 million units in 2 injections"
    assert said in see(cast.anna, "/plan/").text_read
    factories.hold(cast.anna, cycle, "chest", kind="infection", now=BEFORE)
    page = see(cast.anna, "/plan/").text_read
    assert said not in page
    assert "Your course is on hold An infection : chest" in page
    assert "Clinic North decides when it goes on. Call 020 7946 0018 , before any more injections." in page
    assert said in see(cast.ben, of(cast, "plan/")).text_read


def test_without_a_clinic_the_patient_lifts_what_the_team_says(see):
    """B6."""
    lee = factories.lone_patient()
    own = factories.plan(lee, lee.user, starts_on=START, now=BEFORE).cycles.get()
    hold = factories.hold(lee.user, own, kind="infection", now=BEFORE)
    assert "They say that it is over" in see(lee.user, "/waits/").text_read
    see(lee.user, f"/plan/hold/{hold.ref}/lift/", note="they said so")
    assert not Hold.objects.open().exists()
