"""A course waits until a person says that it goes on (H22, D18, D19)."""

import html
import re
from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import course_actions, hold_actions
from cycles.models import Cycle, Hold, PlannedDose
from il2tracker.alerts.models import Alert
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


def test_a_course_that_has_not_begun_needs_another_first_day_when_its_own_has_passed(cast, cycle):
    hold = factories.hold(cast.ben, cycle, now=BEFORE)
    with pytest.raises(ValidationError, match="give it another one"):
        lift(cast, hold, DAY_2)
    assert Hold.objects.get().is_open


def test_a_new_first_day_lifts_every_hold(cast, cycle):
    factories.hold(cast.ben, cycle, now=BEFORE)
    course_actions.move_cycle(
        by=cast.ben, cycle=cycle, starts_on=date(2026, 12, 2), today=date(2026, 11, 19), reason="well again"
    )
    assert not Hold.objects.open().exists()


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
    page = see(cast.anna, "/changed/?kind=told_to_stop").content.decode()
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
    page = see(cast.ben, f"/plan/hold/{hold.ref}/lift/", DAY_2, note="well")
    assert page.status_code == 422
    assert "give it another one" in page.text_read
    assert Hold.objects.open().exists()


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
