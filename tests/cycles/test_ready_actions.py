"""Answers before a course, the clinic's word about its first day, and the list of what is ready (2.11, D10, X7)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from cycles import course_actions, questions, ready_actions
from cycles.models import Cycle, Hold, Preparation, Readiness, ReadinessAnswer
from il2tracker.alerts.models import Alert
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

START = date(2026, 11, 25)
MADE = utc(2026, 10, 1, 12)
NOW = utc(2026, 11, 16, 12)
DAY_1 = utc(2026, 11, 25, 8)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def cycle(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=MADE).cycles.get()


def answer(by, cycle, code, word, *, now=NOW, note=""):
    question = questions.BY_CODE[code]
    return ready_actions.answer_question(by=by, cycle=cycle, question=question, answer=word, note=note, now=now)


# Answers


@pytest.mark.parametrize("who", ["anna", "sam"])
def test_patient_and_carer_answer(cast, cycle, who):
    row = answer(getattr(cast, who), cycle, "tired", "no")
    assert (row.answer, row.answered_by, row.answered_at) == ("no", getattr(cast, who), NOW)
    assert AuditEvent.objects.filter(action="cycles.readiness.answered", actor_ref=getattr(cast, who).ref).exists()


@pytest.mark.parametrize("who", ["ben", "carla", "dan"])
def test_nobody_answers_for_the_patient(cast, cycle, who):
    with pytest.raises(PermissionDenied):
        answer(getattr(cast, who), cycle, "tired", "no")


def test_another_answer_takes_the_place_of_the_first_which_stays_in_the_history(cast, cycle):
    answer(cast.anna, cycle, "tired", "yes", note="since Sunday")
    row = answer(cast.sam, cycle, "tired", "no")
    assert ReadinessAnswer.objects.get() == row
    assert list(row.history.order_by("history_id").values_list("answer", "history_user")) == [
        ("yes", cast.anna.pk),
        ("no", cast.sam.pk),
    ]


@pytest.mark.parametrize("now", [utc(2026, 11, 10, 12), utc(2026, 11, 26, 12)], ids=["too early", "day 2"])
def test_outside_the_two_weeks_before_a_course_nothing_can_be_answered(cast, cycle, now):
    """X7: answers hold until day 1."""
    with pytest.raises(ValidationError):
        answer(cast.anna, cycle, "tired", "no", now=now)


def test_a_course_that_was_left_out_asks_for_nothing(cast, cycle):
    course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="moved away")
    with pytest.raises(ValidationError):
        answer(cast.anna, cycle, "tired", "no")


@pytest.mark.parametrize("word", ["yes", "unsure"])
@pytest.mark.parametrize("code", ["infection", "pregnancy"])
def test_an_infection_or_a_pregnancy_puts_the_course_on_hold_and_tells_the_clinic_at_once(cast, cycle, code, word):
    """P21, P22, P30, R16."""
    answer(cast.anna, cycle, code, word, note="chest, since Monday")
    hold = Hold.objects.open().get()
    assert (hold.kind, hold.reason, hold.raised_by) == (code, "chest, since Monday", cast.anna)
    cycle.refresh_from_db()
    assert (cycle.state, cycle.starts_on) == (Cycle.State.HELD, START)
    assert Alert.objects.holding().get().rule == "HOLD"


def test_taking_such_an_answer_back_lifts_nothing(cast, cycle):
    """H22: only a person does."""
    answer(cast.anna, cycle, "infection", "yes")
    answer(cast.anna, cycle, "infection", "no")
    assert Hold.objects.open().count() == 1


@pytest.mark.parametrize("code", [q.code for q in questions.HAZARDS if not q.hold])
def test_every_other_answer_needs_only_a_person(cast, cycle, code):
    answer(cast.anna, cycle, code, "yes")
    assert not Hold.objects.exists()
    assert not Alert.objects.exists()


# Sending


def send(by, cycle, now=NOW, **known):
    return ready_actions.send_answers(by=by, cycle=cycle, now=now, known=known)


def test_what_is_sent_keeps_what_the_diary_knew_then(cast, cycle):
    factories.answers(cast.anna, cycle, now=NOW, mood="unsure")
    readiness = send(cast.anna, cycle, viral_load="yes")
    assert (readiness.sent_by, readiness.sent_at) == (cast.anna, NOW)
    assert readiness.answers.get(question="viral_load").answer == "yes"


def test_nothing_is_sent_while_a_question_is_open(cast, cycle):
    answer(cast.anna, cycle, "tired", "no")
    with pytest.raises(ValidationError, match="still open"):
        send(cast.anna, cycle)


def test_answers_of_more_than_a_week_ago_are_asked_for_again(cast, cycle):
    """ux 2.8."""
    factories.answers(cast.anna, cycle, now=utc(2026, 11, 12, 12))
    with pytest.raises(ValidationError):
        send(cast.anna, cycle, now=utc(2026, 11, 20, 12))


def test_on_day_1_four_answers_are_asked_for_again(cast, cycle):
    """D10, X7."""
    factories.answers(cast.anna, cycle, now=utc(2026, 11, 24, 12))
    with pytest.raises(ValidationError):
        send(cast.anna, cycle, now=DAY_1)
    for code in ("infection", "fever", "medicine", "pregnancy"):
        answer(cast.anna, cycle, code, "no", now=DAY_1)
    assert send(cast.anna, cycle, now=DAY_1).sent_at == DAY_1


# The clinic's word


def test_a_member_of_the_clinic_confirms_the_first_day(cast, cycle):
    readiness = factories.confirm(cast.ben, cycle, now=NOW, note="results seen")
    assert (readiness.confirmed_by, readiness.confirmed_for, readiness.confirm_note) == (
        cast.ben,
        START,
        "results seen",
    )


@pytest.mark.parametrize("who", ["anna", "sam", "carla"])
def test_nobody_else_confirms(cast, cycle, who):
    with pytest.raises(PermissionDenied):
        factories.confirm(getattr(cast, who), cycle, now=NOW)


def test_without_a_clinic_nobody_confirms():
    lee = factories.lone_patient()
    cycle = factories.plan(lee, lee.user, starts_on=START, now=MADE).cycles.get()
    with pytest.raises(PermissionDenied):
        factories.confirm(lee.user, cycle, now=NOW)


def test_a_course_on_hold_is_not_confirmed(cast, cycle):
    factories.hold(cast.ben, cycle, now=NOW)
    with pytest.raises(ValidationError, match="on hold"):
        factories.confirm(cast.ben, cycle, now=NOW)


def test_a_course_that_is_over_is_not_confirmed(cast, cycle):
    with pytest.raises(ValidationError, match="ended"):
        factories.confirm(cast.ben, cycle, now=utc(2026, 12, 1, 12))


def test_a_course_that_was_moved_needs_another_word(cast, cycle):
    factories.confirm(cast.ben, cycle, now=NOW)
    course_actions.move_cycle(
        by=cast.ben, cycle=cycle, starts_on=date(2026, 12, 2), today=date(2026, 11, 16), reason="work"
    )
    assert Readiness.objects.get().confirmed_for != cycle.starts_on
    with pytest.raises(ValidationError, match="14 days"):
        factories.confirm(cast.ben, cycle, now=NOW)
    factories.confirm(cast.ben, cycle, now=utc(2026, 11, 19, 12))
    assert Readiness.objects.get().confirmed_for == date(2026, 12, 2)


def test_a_course_that_runs_can_still_be_confirmed(cast, cycle):
    factories.injection(cast.anna_patient, cast.anna, cycle.doses.first())
    readiness = factories.confirm(cast.ben, cycle, now=utc(2026, 11, 26, 12))
    assert readiness.confirmed_for == START


def test_a_past_course_that_a_clinician_enters_needs_no_word(cast):
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 9, 2), now=MADE)
    past = plan.cycles.get(number=1)
    assert (past.readiness.confirmed_for, past.readiness.confirmed_by) == (past.starts_on, cast.ben)
    assert not Readiness.objects.exclude(cycle=past).exists(), "the coming course still needs one"


# Something has changed


def changed(by, cast, cycle, kind="infection", words="chest", now=NOW):
    patient = cast.anna_patient
    ready_actions.report_change(by=by, patient=patient, cycle=cycle, kind=kind, words=words, now=now)


def test_an_infection_between_courses_puts_the_coming_one_on_hold(cast, cycle):
    """P22."""
    changed(cast.anna, cast, cycle)
    assert Hold.objects.open().get().cycle == cycle


def test_an_infection_during_a_course_puts_it_on_hold(cast, cycle):
    """D19."""
    changed(cast.sam, cast, cycle, now=utc(2026, 11, 27, 12))
    assert Cycle.objects.get(pk=cycle.pk).state == Cycle.State.HELD


def test_a_second_report_of_the_same_kind_is_told_too(cast, cycle):
    changed(cast.anna, cast, cycle, kind="other", words="a new illness")
    changed(cast.anna, cast, cycle, kind="other", words="a new medicine", now=NOW + timedelta(hours=1))
    assert Hold.objects.count() == 1
    assert list(Alert.objects.order_by("raised_at").values_list("evidence", flat=True)) == [
        "a new illness",
        "a new medicine",
    ]


def test_without_a_course_the_clinic_is_told_and_nothing_waits(cast):
    changed(cast.anna, cast, None)
    alert = Alert.objects.get()
    assert (alert.rule, alert.evidence, alert.holds) == ("CHANGED", "chest", False)


def test_a_stranger_reports_nothing(cast, cycle):
    for course in (cycle, None):
        with pytest.raises(PermissionDenied):
            changed(cast.carla, cast, course)


# What is ready


def keep(by, cycle, *ticked, **facts):
    wanted = {"ice", "fridge", "companion"}
    return ready_actions.keep_list(
        by=by,
        cycle=cycle,
        ticked=dict.fromkeys(ticked, facts.pop("note", "")),
        wanted=wanted,
        now=NOW,
        companion=facts or {},
    )


def test_items_are_ticked_and_unticked(cast, cycle):
    assert keep(cast.anna, cycle, "ice", "fridge") == 2
    assert keep(cast.sam, cycle, "ice") == 1
    row = Preparation.objects.get()
    assert (row.item, row.done_by) == ("ice", cast.anna)
    assert keep(cast.sam, cycle, "ice") == 0


def test_who_stays_is_kept_with_name_number_and_nights(cast, cycle):
    """P36."""
    keep(
        cast.anna, cycle, "companion", note="Friday and Saturday", companion_name="Sam", companion_phone="07700 900123"
    )
    cast.anna_patient.refresh_from_db()
    assert (cast.anna_patient.companion_name, cast.anna_patient.companion_phone) == ("Sam", "07700 900123")
    assert Preparation.objects.get().note == "Friday and Saturday"
    assert keep(cast.anna, cycle, "companion", note="only Friday", companion_name="Sam") == 1
    assert Preparation.objects.get().note == "only Friday"


@pytest.mark.parametrize("who", ["ben", "carla"])
def test_the_list_is_the_patients(cast, cycle, who):
    with pytest.raises(PermissionDenied):
        keep(getattr(cast, who), cycle, "ice")
