"""The table of states (reliability.md 2a, decisions.md A1), whole: every function of claiming.py from every state.

What the table allows happens; of everything else nothing changes in the row. A state or a function that is added
without a line here fails the first tests of this file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cycles import hold_actions
from il2tracker.accounts.models import Patient
from il2tracker.reminders import claiming
from il2tracker.reminders.claiming import MAX_ATTEMPTS
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.wishes import Reason
from tests import factories
from tests.reminders import outbox

pytestmark = pytest.mark.django_db
DOSE, DATE = "injection_due", "cycle_week"
NO_MOVES = {"lease", "smtp_timeout", "back_off"}
"""Functions of claiming.py that only tell a number."""
PAST = {"hours": 2}

# From → to, and by whom. "marked" is `sending` with handing_over_at.
TABLE = {
    ("planned", "sending"): "claim",
    ("planned", "expired"): "expire",
    ("planned", "cancelled"): "the planner",
    ("planned", "planned"): "the planner: moved, snoozed",
    ("cancelled", "planned"): "the planner: wanted again, never marked",
    ("sending", "marked"): "mark",
    ("sending", "cancelled"): "the last look",
    ("sending", "planned"): "given back, held, put off by the server or by the cap, sender lost",
    ("sending", "expired"): "its time ended between claim and mark",
    ("sending", "dead"): "refused for good, or eight times",
    ("marked", "sent"): "250",
    ("marked", "planned"): "certainly not handed over",
    ("marked", "dead"): "refused for good, or eight times",
    ("marked", "uncertain"): "no answer, or sender lost",
    ("uncertain", "planned"): "policy of the kind, or a late answer of its sender",
    ("uncertain", "sent"): "a late 250 of its sender",
    ("uncertain", "dead"): "a late refusal, or a delivery report",
    ("uncertain", "uncertain"): "its sender doubts too",
    ("sent", "dead"): "a delivery report",
}


# How a row comes into each state, by the machine itself


def _claimed(row: Reminder) -> Reminder:
    (mine,) = claiming.claim().rows
    assert mine.pk == row.pk
    return mine


def _marked(row: Reminder) -> Reminder:
    mine = _claimed(row)
    assert claiming.mark(mine)
    return mine


def _then(change: Callable[[Reminder], bool], before: Callable[[Reminder], Reminder]) -> Callable[[Reminder], Reminder]:
    def bring(row: Reminder) -> Reminder:
        mine = before(row)
        assert change(mine)
        return mine

    return bring


def _expired(row: Reminder) -> Reminder:
    outbox.change(row, expires_at=timezone.now() - timedelta(**PAST))
    assert claiming.expire() == 1
    return row


WAYS: dict[str, Callable[[Reminder], Reminder]] = {
    "planned": lambda row: row,
    "sending": _claimed,
    "marked": _marked,
    "sent": _then(claiming.accepted, _marked),
    "cancelled": _then(lambda row: claiming.cancel(row, Reason.HELD), _claimed),
    "expired": _expired,
    "dead": _then(lambda row: claiming.give_up(row, "RCPT 550"), _claimed),
    "uncertain": _then(lambda row: claiming.doubt(row, "TimeoutError"), _marked),
}


def state_of(row: Reminder) -> str:
    """The state as the table names it, read from the database."""
    row = Reminder.objects.get(pk=row.pk)
    return "marked" if row.state == State.SENDING and row.handing_over_at else row.state


# What each function does, and from where


class Move(NamedTuple):
    """A call of `function` with what it needs to be able to move a row; from which states it leads where."""

    function: str
    call: Callable[[Reminder], Any]
    leads: dict[str, str]
    expires: bool = False  # the row's time is over
    lapses: bool = False  # the lease is over and the wait too
    attempts: int | None = None


def _moves() -> dict[str, Move]:
    later = timezone.now() + timedelta(hours=1)
    back = {"sending": "planned"}
    freed = {"sending": "planned", "marked": "planned", "uncertain": "planned"}
    lost = {"sending": "planned", "marked": "uncertain", "uncertain": "planned"}
    refused = {"sending": "dead", "marked": "dead", "uncertain": "dead"}
    doubted = {"marked": "uncertain", "uncertain": "uncertain"}
    last: dict[str, Any] = {"attempts": MAX_ATTEMPTS}
    return {
        "claim": Move("claim", lambda row: claiming.claim(), {"planned": "sending"}),
        "claim when it is too late": Move("claim", lambda row: claiming.claim(), {}, expires=True),
        "expire": Move("expire", lambda row: claiming.expire(), {"planned": "expired"}, expires=True),
        "expire too early": Move("expire", lambda row: claiming.expire(), {}),
        "recover": Move("recover", lambda row: claiming.recover(), lost, lapses=True),
        "recover too early": Move("recover", lambda row: claiming.recover(), {}),
        "recover when it is too late": Move(
            "recover", lambda row: claiming.recover(), {**back, "marked": "uncertain"}, lapses=True, expires=True
        ),
        "recover after the last time": Move(
            "recover", lambda row: claiming.recover(), {**back, "marked": "uncertain"}, lapses=True, **last
        ),
        "mark": Move("mark", claiming.mark, {"sending": "marked"}),
        "mark when it is too late": Move("mark", claiming.mark, {}, expires=True),
        "mark with a lease that is over": Move("mark", claiming.mark, {}, lapses=True),
        "unmarkable": Move("unmarkable", claiming.unmarkable, back),
        "unmarkable when it is too late": Move("unmarkable", claiming.unmarkable, {"sending": "expired"}, expires=True),
        "cancel": Move("cancel", lambda row: claiming.cancel(row, Reason.HELD), {"sending": "cancelled"}),
        "hold": Move("hold", lambda row: claiming.hold(row, later), back),
        "put off": Move("put_off", lambda row: claiming.put_off(row, later), back),
        "give back": Move("give_back", lambda row: claiming.give_back(row, timedelta(0)), back),
        "accepted": Move("accepted", claiming.accepted, {"marked": "sent", "uncertain": "sent"}),
        "try again": Move("try_again", lambda row: claiming.try_again(row, "x", count=True), freed),
        "try again after the last time": Move(
            "try_again", lambda row: claiming.try_again(row, "x", count=True), refused, **last
        ),
        "try again, the server's fault": Move(
            "try_again", lambda row: claiming.try_again(row, "x", count=False), freed, **last
        ),
        "give up": Move("give_up", lambda row: claiming.give_up(row, "x"), refused),
        "doubt": Move("doubt", lambda row: claiming.doubt(row, "x"), doubted),
        "bounced": Move(
            "bounced", lambda row: claiming.bounced(row.message_uuid, "x"), {"sent": "dead", "uncertain": "dead"}
        ),
    }


MOVES = _moves()
PLANNERS = {("planned", "cancelled"), ("cancelled", "planned"), ("planned", "planned")}


@pytest.fixture
def patient() -> Patient:
    return factories.lone_patient()


def in_state(patient: Patient, state: str, kind: str = DATE) -> Reminder:
    """A row that the machine brought there, as its sender holds it."""
    row = WAYS[state](outbox.row(patient, kind=kind))
    assert state_of(row) == state
    return row


def prepare(row: Reminder, move: Move) -> None:
    """Make true in the row, and in the sender's copy of it, what the move needs."""
    stored = Reminder.objects.get(pk=row.pk)
    past = timezone.now() - timedelta(**PAST)
    facts: dict[str, Any] = {"expires_at": past} if move.expires else {}
    if move.attempts is not None:
        facts["attempts"] = row.attempts = move.attempts
    if move.lapses:
        facts["next_attempt_at"] = past
        facts |= {"lease_until": past} if stored.lease_until else {}
    if facts:
        Reminder.objects.filter(pk=row.pk).update(**facts)


@pytest.mark.parametrize("state", WAYS)
@pytest.mark.parametrize("name", MOVES)
def test_a_function_moves_a_row_where_the_table_says_and_otherwise_changes_nothing(
    patient: Patient, name: str, state: str
) -> None:
    move, row = MOVES[name], in_state(patient, state)
    prepare(row, move)
    stored = Reminder.objects.filter(pk=row.pk).values().get()
    try:
        with transaction.atomic():
            move.call(row)
    except IntegrityError:  # what no caller does, the database refuses
        assert state not in move.leads
    if state in move.leads:
        assert state_of(row) == move.leads[state]
    else:
        assert Reminder.objects.filter(pk=row.pk).values().get() == stored


@pytest.mark.parametrize(("kind", "ends_as"), [(DATE, "planned"), (DOSE, "uncertain")])
def test_the_kind_decides_whether_a_doubtful_mail_may_leave_again(patient: Patient, kind: str, ends_as: str) -> None:
    row = in_state(patient, "uncertain", kind)
    prepare(row, MOVES["recover"])
    claiming.recover()
    assert state_of(row) == ends_as


# The planner


def planners_row(state: str) -> tuple[factories.Cast, Any, Reminder]:
    """Anna's first injection reminder as the planner made it, brought into the state by the machine."""
    cast = factories.cast()
    today = cast.anna_patient.today(timezone.now())
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=10))
    dose = plan.cycles.get().doses.earliest("due_at")
    outbox.plan_for(dose)
    row = Reminder.objects.get(kind=DOSE, occurrence=f"c{dose.cycle_id}/d1/{dose.slot}")
    Reminder.objects.exclude(pk=row.pk).delete()
    if state != "planned":
        outbox.bring_to_now(Reminder.objects.all())
        WAYS[state](row)
    assert state_of(row) == state
    return cast, dose, row


@pytest.mark.parametrize("state", WAYS)
def test_the_planner_cancels_and_brings_back_only_what_was_never_marked(state: str) -> None:
    cast, dose, row = planners_row(state)
    hold = factories.hold(cast.ben, dose.cycle)
    outbox.plan_for(dose)
    held = state_of(row)
    hold_actions.lift_hold(by=cast.ben, hold=hold, now=timezone.now(), note="well again")
    outbox.plan_for(dose)
    unmarked = state in {"planned", "cancelled"}
    assert (held, state_of(row)) == (("cancelled", "planned") if unmarked else (state, state))


@pytest.mark.parametrize("state", WAYS)
def test_the_planner_moves_only_what_was_never_marked(state: str) -> None:
    _cast, dose, row = planners_row(state)
    Reminder.objects.filter(pk=row.pk).update(due_at=dose.due_at - timedelta(hours=5))
    outbox.plan_for(dose)
    moved = Reminder.objects.get(pk=row.pk).due_at == dose.due_at - timedelta(minutes=15)
    assert moved is (state in {"planned", "cancelled"})


# The table is whole


def test_every_state_has_a_line() -> None:
    assert set(WAYS) == {*State.values, "marked"}
    assert {state for pair in TABLE for state in pair} == set(WAYS)


def test_every_function_of_the_machine_has_a_line() -> None:
    functions = inspect.getmembers(claiming, inspect.isfunction)
    public = {name for name, f in functions if f.__module__ == claiming.__name__ and not name.startswith("_")}
    assert {move.function for move in MOVES.values()} == public - NO_MOVES


def test_every_pair_of_the_table_is_gone_and_no_other() -> None:
    gone = {(state, to) for move in MOVES.values() for state, to in move.leads.items()}
    assert gone | PLANNERS == set(TABLE)


def test_an_end_is_left_only_by_a_delivery_report() -> None:
    assert {pair for pair in TABLE if pair[0] in {"sent", "dead", "expired"}} == {("sent", "dead")}
