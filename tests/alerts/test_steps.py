"""After an acknowledgement: notes, calls and the end, by named people; and what the patient lifts to the top again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from il2tracker.alerts import actions, told
from il2tracker.alerts.models import Alert, Step, Transition
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import Cast, utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 21, 40)
MINUTE = timedelta(minutes=1)
What = Step.What


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def alert(cast: Cast) -> Alert:
    facts = {"title": "Much less urine", "evidence": "", "source": "sideeffects.checkin", "source_ref": "chk1234567"}
    return actions.raise_alert(by=cast.anna, patient=cast.anna_patient, rule="T2", tier="RED", now=NOW, **facts)


def after(minutes: int) -> Any:
    return NOW + minutes * MINUTE


def in_hand(cast: Cast, alert: Alert, minutes: int = 5) -> Alert:
    return actions.acknowledge(by=cast.ben, alert=alert, now=after(minutes))


def step(cast: Cast, alert: Alert, what: str = What.REACHED, minutes: int = 10, **facts: Any) -> Step:
    by = facts.pop("by", cast.ben)
    return actions.take_step(by=by, alert=alert, what=what, now=after(minutes), **facts)


def answers(cast: Cast, alert: Alert, answer: str, minutes: int) -> None:
    actions.answer(by=cast.anna, alert=alert, answer=answer, now=after(minutes))


def read(alert: Alert) -> Alert:
    return Alert.objects.not_closed().get(pk=alert.pk)


# What a clinic does


def test_what_is_done_stands_with_its_name_its_time_and_its_words(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    step(cast, alert, What.NOT_REACHED, 7)
    step(cast, alert, What.REACHED, 12, note="Drinks, comes in at ten.")
    found = [(row.what, row.by, row.at, row.note) for row in Step.objects.of(cast.anna_patient)]
    assert found == [
        ("not_reached", cast.ben, after(7), ""),
        ("reached", cast.ben, after(12), "Drinks, comes in at ten."),
    ]
    assert AuditEvent.objects.filter(action="alerts.reached", actor_ref=cast.ben.ref, subject_ref=alert.ref).exists()


def test_nothing_is_done_about_what_nobody_acknowledged(cast: Cast, alert: Alert) -> None:
    for what in What.values:
        with pytest.raises(ValidationError, match="Acknowledge it first"):
            step(cast, alert, what, note="words")
    assert not Step.objects.exists()
    alert.refresh_from_db()
    assert alert.closed_at is None


@pytest.mark.parametrize(
    ("what", "needs_words"), [("note", True), ("closed", True), ("reached", False), ("not_reached", False)]
)
def test_a_note_and_the_end_need_words(cast: Cast, alert: Alert, what: str, needs_words: bool) -> None:
    in_hand(cast, alert)
    if needs_words:
        with pytest.raises(ValidationError, match="Write a few words"):
            step(cast, alert, what)
    else:
        step(cast, alert, what)
    assert Step.objects.exists() is not needs_words


def test_the_end_closes_it_and_nothing_comes_after(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    assert list(Alert.objects.in_hand()) == [alert]
    step(cast, alert, What.CLOSED, note="Better since the fluids.")
    alert.refresh_from_db()
    assert alert.closed_at == after(10)
    assert not Alert.objects.not_closed().exists()
    with pytest.raises(ValidationError, match="closed it meanwhile"):
        step(cast, alert, What.NOTE, 20, note="late")


def test_two_taps_are_one_step_and_a_second_call_is_another(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    first = step(cast, alert, What.NOT_REACHED, 7)
    assert step(cast, alert, What.NOT_REACHED, 7) == first
    step(cast, alert, What.NOT_REACHED, 9)
    assert Step.objects.count() == 2
    closed = step(cast, alert, What.CLOSED, 12, note="words")
    assert step(cast, alert, What.CLOSED, 12, note="words") == closed


HELD: dict[str, tuple[list[tuple[str, str]], bool]] = {
    "nobody has acknowledged it": ([], True),
    "acknowledged": ([("acknowledge", "")], True),
    "a note": ([("acknowledge", ""), ("step", "note")], True),
    "called, and nobody there": ([("acknowledge", ""), ("step", "not_reached")], True),
    "spoken with": ([("acknowledge", ""), ("step", "reached")], False),
    "spoken with, and a note": ([("acknowledge", ""), ("step", "reached"), ("step", "note")], False),
    "closed": ([("acknowledge", ""), ("step", "closed")], False),
    "spoken with, and the patient cannot reach them": (
        [("acknowledge", ""), ("step", "reached"), ("answer", "not_reached")],
        True,
    ),
    "spoken with, and the patient writes again": (
        [("acknowledge", ""), ("step", "reached"), ("answer", "called")],
        False,
    ),
    "after the talk nobody could be reached, then the patient has called": (
        [("acknowledge", ""), ("step", "reached"), ("answer", "not_reached"), ("answer", "called")],
        True,
    ),
    "after the talk nobody could be reached, then they spoke, then the patient has called": (
        [
            ("acknowledge", ""),
            ("step", "reached"),
            ("answer", "not_reached"),
            ("step", "reached"),
            ("answer", "called"),
        ],
        False,
    ),
    "closed, and the patient cannot reach them": (
        [("acknowledge", ""), ("step", "closed"), ("answer", "not_reached")],
        True,
    ),
    "the patient has called": ([("answer", "called"), ("acknowledge", "")], True),
    "the patient has called, and was spoken with": (
        [("answer", "called"), ("acknowledge", ""), ("step", "reached")],
        False,
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_what_holds_reminders_back_is_let_go_by_a_talk_or_the_end(cast: Cast, alert: Alert, name: str) -> None:
    course, holds = HELD[name]
    does: dict[str, Any] = {
        "acknowledge": lambda _what, at: in_hand(cast, alert, at),
        "step": lambda what, at: step(cast, alert, what, at, note="words"),
        "answer": lambda what, at: answers(cast, alert, what, at),
    }
    for minutes, (do, what) in enumerate(course, start=5):
        does[do](what, minutes)
    assert Alert.objects.holding().exists() is holds
    assert any(found.is_shown for found in Alert.objects.on_today(after(24 * 60))) is holds


def test_what_the_patient_opened_again_is_closed_again_however_soon(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    step(cast, alert, What.CLOSED, 10, note="ok")
    actions.answer(by=cast.anna, alert=alert, answer="not_reached", now=after(10) + timedelta(seconds=10))
    again = actions.take_step(
        by=cast.ben, alert=alert, what=What.CLOSED, note="ok", now=after(10) + timedelta(seconds=20)
    )
    assert Step.objects.filter(what="closed").count() == 2
    alert.refresh_from_db()
    assert alert.closed_at == again.at


def test_the_same_words_after_other_ones_are_another_step(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    for seconds, what in ((0, What.NOT_REACHED), (10, What.REACHED), (20, What.NOT_REACHED)):
        actions.take_step(by=cast.ben, alert=alert, what=what, now=after(10) + timedelta(seconds=seconds))
    assert Step.objects.count() == 3


@pytest.mark.parametrize("who", ["anna", "sam", "dan", "carla", "eve"])
def test_nobody_but_the_clinic_does_anything(cast: Cast, alert: Alert, who: str) -> None:
    in_hand(cast, alert)
    with pytest.raises(PermissionDenied):
        step(cast, alert, by=getattr(cast, who))


def test_nothing_is_acknowledged_or_done_that_came_after_the_page(cast: Cast, alert: Alert) -> None:
    """A cry, and a worse report: the one moves the alert, the other is an alert of its own."""
    seen = read(alert).read_mark
    assert seen == ""
    facts = {"title": "Fainted", "evidence": "", "source": "sideeffects.checkin", "source_ref": "chk7654321"}
    happens = [
        lambda: answers(cast, alert, "not_reached", 2),
        lambda: actions.raise_alert(
            by=cast.anna, patient=cast.anna_patient, rule="T7", tier="RED", now=after(3), **facts
        ),
        lambda: answers(cast, alert, "not_reached", 4),
    ]
    for happen in happens:
        happen()
        with pytest.raises(ValidationError, match="It is not acknowledged yet: read it first"):
            actions.acknowledge(by=cast.ben, alert=alert, now=after(5), read=seen)
        alert.refresh_from_db()
        assert alert.acknowledged_at is None
        seen = read(alert).read_mark
    actions.acknowledge(by=cast.ben, alert=alert, now=after(5), read=seen)
    actions.raise_alert(
        by=cast.anna, patient=cast.anna_patient, rule="T1", tier="EMERGENCY", now=after(6), **facts | {"title": "Worse"}
    )
    with pytest.raises(ValidationError, match="Nothing was added: read it first"):
        step(cast, alert, What.CLOSED, 7, note="Better.", read=seen)
    assert actions.acknowledge(by=cast.ben, alert=alert, now=after(8), read="").acknowledged_at == after(5)


# What the patient lifts to the top again


def test_who_cannot_reach_the_clinic_lifts_what_was_in_hand(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert, 5)
    answers(cast, alert, "not_reached", 9)
    assert read(alert).is_lifted
    assert list(Alert.objects.waiting()) == list(Alert.objects.holding()) == [alert]


LATER = {
    "a talk": lambda cast, alert: step(cast, alert, What.REACHED, 11),
    "another answer": lambda cast, alert: answers(cast, alert, "called", 11),
}


@pytest.mark.parametrize("what", LATER)
def test_what_is_done_or_said_after_that_puts_it_back_in_hand(cast: Cast, alert: Alert, what: str) -> None:
    in_hand(cast, alert, 5)
    answers(cast, alert, "not_reached", 9)
    LATER[what](cast, alert)
    assert not read(alert).is_waiting
    assert not Alert.objects.waiting().exists()


@pytest.mark.parametrize("what", [What.NOT_REACHED, What.NOTE])
def test_it_stays_on_top_until_the_two_have_spoken(cast: Cast, alert: Alert, what: str) -> None:
    in_hand(cast, alert, 5)
    answers(cast, alert, "not_reached", 9)
    step(cast, alert, what, 11, note="I call her.")
    assert read(alert).is_lifted
    assert list(Alert.objects.waiting()) == list(Alert.objects.holding()) == [alert]


def test_a_note_after_the_talk_lifts_nothing_again(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert, 5)
    answers(cast, alert, "not_reached", 9)
    step(cast, alert, What.REACHED, 11)
    step(cast, alert, What.NOTE, 12, note="Drinks more.")
    assert not read(alert).is_waiting
    assert not Alert.objects.waiting().exists()


def test_it_can_be_lifted_more_than_once(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert, 5)
    answers(cast, alert, "not_reached", 9)
    step(cast, alert, What.REACHED, 11)
    answers(cast, alert, "not_reached", 12)
    assert read(alert).is_lifted


def test_an_answer_from_before_lifts_nothing(cast: Cast, alert: Alert) -> None:
    answers(cast, alert, "not_reached", 2)
    in_hand(cast, alert, 5)
    assert not read(alert).is_waiting


@pytest.mark.parametrize(("answer", "opens"), [("not_reached", True), ("called", False), ("mistake", False)])
def test_what_the_clinic_closed_is_opened_only_by_who_cannot_reach_it(
    cast: Cast, alert: Alert, answer: str, opens: bool
) -> None:
    in_hand(cast, alert)
    step(cast, alert, What.CLOSED, 10, note="words")
    answers(cast, alert, answer, 30)
    alert.refresh_from_db()
    assert (alert.closed_at is None) is opens
    assert Alert.objects.waiting().exists() is opens
    assert Step.objects.filter(what="closed").exists(), "that it was closed stays in the record"


def test_ticked_by_mistake_keeps_the_alert_open_and_the_record_whole(cast: Cast, alert: Alert) -> None:
    answers(cast, alert, "mistake", 1)
    assert list(Alert.objects.open()) == [alert]
    said = Transition.objects.filter(alert_ref=alert.ref).order_by("pk").values_list("what", flat=True)
    assert list(said) == ["raised", "answered_mistake"]


# What the patient reads of it


def to_patient(alert: Alert) -> str:
    return told.to_patient([read(alert)], alert.patient, after(30), "12", has_clinic=True, phone="020 7946 0019")


def test_the_patient_reads_that_the_clinic_tried_to_call(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    assert to_patient(alert) == ""
    step(cast, alert, What.NOT_REACHED, 10)
    assert to_patient(alert) == "Your clinic tried to call you on Sat 21 Nov at 9:50pm. Call them."
    step(cast, alert, What.REACHED, 15)
    spoke = "Your clinic wrote down on Sat 21 Nov at 9:55pm that they spoke with you."
    assert to_patient(alert) == spoke
    step(cast, alert, What.NOTE, 16, note="not for patients")
    assert to_patient(alert) == spoke, "a note is the clinic's own, and hides no call"


def test_who_cannot_reach_the_clinic_reads_what_is_known_and_to_call(cast: Cast, alert: Alert) -> None:
    in_hand(cast, alert)
    answers(cast, alert, "not_reached", 9)
    words = "You wrote at 9:49pm that you cannot reach them. It is at the top of your clinic’s list."
    assert to_patient(alert) == f"{words} Call now: 020 7946 0019."
