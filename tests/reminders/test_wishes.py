"""What is wanted and why not, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from il2tracker.reminders import of_courses, of_doses, of_plans, wishes
from il2tracker.reminders.of_courses import CycleFact
from il2tracker.reminders.of_doses import DoseFact
from il2tracker.reminders.of_plans import VersionFact
from il2tracker.reminders.wishes import Choices, Owner, Quiet, Reason, Wish

DEFAULTS = Choices()
ANNA = Owner(patient_id=7, user_id=3, is_active=True, plan_ended=False)
SLOT = datetime(2026, 11, 25, 22, tzinfo=UTC)
DOSE = DoseFact(
    owner=ANNA,
    cycle_id=12,
    day=3,
    slot="pm",
    local=datetime.fromisoformat("2026-11-25T22:00"),
    zone="Europe/London",
    due_at=SLOT,
    amount=Decimal("7.5"),
    next_due_at=None,
    state="planned",
    starts_on=date(2026, 11, 23),
    inpatient=False,
    was_held=False,
    unconfirmed=False,
    hold_ref=None,
    recorded=False,
    undone=False,
)
CYCLE = CycleFact(
    owner=ANNA,
    cycle_id=13,
    starts_on=date(2026, 11, 25),
    zone="America/New_York",
    state="planned",
    timing_matters=True,
    window=(date(2026, 11, 11), date(2026, 11, 14)),
    arranged=False,
    results_in=False,
)


def of_dose(dose: DoseFact, choices: Choices = DEFAULTS, alerts: dict[int, str] | None = None) -> dict[str, Wish]:
    return {wish.kind: wish for wish in of_doses.of_doses([dose], choices, alerts or {})}


def of_cycle(cycle: CycleFact, choices: Choices = DEFAULTS) -> dict[str, Wish]:
    return {wish.kind: wish for wish in of_courses.of_cycles([cycle], choices)}


def test_a_dose_wants_a_reminder_and_a_nudge_under_its_civil_name() -> None:
    found = of_dose(DOSE)
    assert found["injection_due"].key == "injection_due:3:c12/d3/pm"
    assert found["injection_due"].due_at == SLOT - timedelta(minutes=15)
    assert found["injection_missing"].due_at == SLOT + timedelta(hours=1)
    assert {wish.unwanted for wish in found.values()} == {None}
    assert {wish.says_amount for wish in found.values()} == {Decimal("7.5")}
    assert {wish.slot_local for wish in found.values()} == {"2026-11-25T22:00"}


def test_the_name_of_a_slot_survives_a_move_to_another_zone() -> None:
    moved = replace(DOSE, zone="Asia/Tokyo", due_at=SLOT - timedelta(hours=9))
    assert of_dose(moved)["injection_due"].key == of_dose(DOSE)["injection_due"].key


@pytest.mark.parametrize(
    ("dose", "alerts", "reason"),
    [
        (replace(DOSE, recorded=True), {}, Reason.RECORDED),
        (replace(DOSE, undone=True), {}, Reason.UNDONE),
        (replace(DOSE, undone=True, recorded=True), {}, Reason.RECORDED),
        (replace(DOSE, undone=True), {7: "chk"}, Reason.UNDONE),
        (replace(DOSE, state="held"), {}, Reason.HELD),
        (replace(DOSE, state="cancelled"), {}, Reason.STOPPED),
        (replace(DOSE, state="stopped_early"), {}, Reason.STOPPED),
        (replace(DOSE, inpatient=True), {}, Reason.ON_WARD),
        (replace(DOSE, owner=replace(ANNA, plan_ended=True)), {}, Reason.PLAN_ENDED),
        (replace(DOSE, owner=replace(ANNA, is_active=False)), {}, Reason.NO_RECIPIENT),
        (DOSE, {7: "chk"}, Reason.ALERT),
        (DOSE, {8: "chk"}, None),
        (replace(DOSE, recorded=True, state="held"), {7: "chk"}, Reason.RECORDED),
        (replace(DOSE, unconfirmed=True), {}, Reason.UNCONFIRMED),
        (replace(DOSE, unconfirmed=True), {7: "chk"}, Reason.ALERT),
        (replace(DOSE, unconfirmed=True, state="held"), {}, Reason.HELD),
        (replace(DOSE, was_held=True), {}, Reason.NOT_IN_PLAN),
    ],
)
def test_why_a_dose_is_not_spoken_of(dose: DoseFact, alerts: dict[int, str], reason: Reason | None) -> None:
    assert {wish.unwanted for wish in of_dose(dose, alerts=alerts).values()} == {reason}


def test_a_dose_of_somebody_without_an_account_has_no_reminder() -> None:
    assert of_dose(replace(DOSE, owner=replace(ANNA, user_id=None))) == {}


def test_switching_one_kind_off_leaves_the_other() -> None:
    off = Choices(off=frozenset({(3, "injection_due"), (4, "injection_missing")}))
    found = of_dose(DOSE, off)
    assert found["injection_due"].unwanted is Reason.TURNED_OFF
    assert found["injection_missing"].unwanted is None


def test_the_lead_is_the_persons_own() -> None:
    assert of_dose(DOSE, Choices(leads={3: 60, 4: 5}))["injection_due"].due_at == SLOT - timedelta(hours=1)


def pauses(*doses: DoseFact, alerts: dict[int, str], choices: Choices = DEFAULTS, now: datetime = SLOT) -> list[Wish]:
    return list(of_doses.of_pauses(doses, choices, alerts, now))


def test_an_open_alert_is_told_once_at_the_next_reminder_that_it_holds_back() -> None:
    later = replace(DOSE, day=4, due_at=SLOT + timedelta(hours=24))
    (pause,) = pauses(later, DOSE, alerts={7: "chk123"})
    assert (pause.key, pause.due_at) == ("paused:3:alert/chk123", SLOT - timedelta(minutes=15))


def test_a_pause_skips_what_is_recorded_and_what_is_over() -> None:
    later = replace(DOSE, day=4, due_at=SLOT + timedelta(hours=24))
    (pause,) = pauses(replace(DOSE, recorded=True), later, alerts={7: "chk123"})
    assert pause.says_at == later.due_at
    (pause,) = pauses(DOSE, later, alerts={7: "chk123"}, now=SLOT + timedelta(minutes=91))
    assert pause.says_at == later.due_at


def test_a_held_course_is_told_once_and_a_course_that_goes_on_never() -> None:
    held = replace(DOSE, state="held", hold_ref="first")
    (pause,) = pauses(held, replace(held, day=4), alerts={})
    assert pause.occurrence == "held/first"
    assert pauses(DOSE, alerts={}) == []


def test_a_start_nobody_confirmed_is_told_once_and_anew_when_it_is_moved() -> None:
    """R1: the paused text goes instead of the reminder; another first day needs another word."""
    waiting = replace(DOSE, unconfirmed=True)
    (pause,) = pauses(waiting, replace(waiting, day=4), alerts={})
    assert pause.occurrence == "c12@2026-11-23/unconfirmed"
    (moved,) = pauses(replace(waiting, starts_on=date(2026, 12, 7)), alerts={})
    assert moved.key != pause.key


def test_nobody_is_told_of_a_pause_about_a_dose_that_fell_into_a_hold() -> None:
    """D18: it is never caught up on."""
    assert pauses(replace(DOSE, was_held=True), alerts={}) == []


def test_whoever_wants_no_reminders_of_doses_is_not_told_of_their_pause() -> None:
    (pause,) = pauses(DOSE, alerts={7: "chk"}, choices=Choices(off=frozenset({(3, "injection_due")})))
    assert pause.unwanted is Reason.TURNED_OFF


def test_the_days_before_a_course_at_nine_on_the_patients_wall() -> None:
    zone = ZoneInfo("America/New_York")
    found = {
        kind: tuple(moment.astimezone(zone).isoformat()[:16] for moment in (wish.due_at, wish.expires_at))
        for kind, wish in of_cycle(CYCLE).items()
    }
    assert found == {
        "bloodwork_book": ("2026-11-04T09:00", "2026-11-11T09:00"),
        "bloodwork_due": ("2026-11-11T09:00", "2026-11-16T09:00"),
        "bloodwork_overdue": ("2026-11-16T09:00", "2026-11-22T09:00"),
        "results_missing": ("2026-11-22T09:00", "2026-11-24T18:00"),
        "cycle_week": ("2026-11-18T09:00", "2026-11-23T09:00"),
        "cycle_day": ("2026-11-24T09:00", "2026-11-25T08:00"),
    }


def test_a_test_that_is_due_at_a_weekend_is_asked_for_on_the_friday_before() -> None:
    """2.4; what asks to book it ends then."""
    friday = date(2026, 11, 6)
    found = of_cycle(replace(CYCLE, starts_on=date(2026, 11, 22), draw_on=friday))
    assert (found["bloodwork_due"].due_at.date(), found["bloodwork_book"].expires_at.date()) == (friday, friday)
    assert found["bloodwork_due"].occurrence == "c13@2026-11-22/-14"
    assert found["bloodwork_overdue"].due_at.date() == date(2026, 11, 13)


def test_a_moved_course_has_new_names() -> None:
    moved = replace(CYCLE, starts_on=date(2026, 12, 2))
    assert of_cycle(CYCLE)["bloodwork_due"].occurrence == "c13@2026-11-25/-14"
    assert of_cycle(moved)["bloodwork_due"].occurrence == "c13@2026-12-02/-14"


DRAW = ("bloodwork_book", "bloodwork_due", "bloodwork_overdue")
BLOODWORK = (*DRAW, "results_missing")


@pytest.mark.parametrize(
    ("cycle", "bloodwork", "others"),
    [
        (CYCLE, None, None),
        (replace(CYCLE, timing_matters=False), Reason.NOT_IN_PLAN, None),
        (replace(CYCLE, window=None), Reason.NOT_IN_PLAN, None),
        (replace(CYCLE, results_in=True), Reason.ARRANGED, None),
        (replace(CYCLE, state="held"), Reason.HELD, Reason.HELD),
        (replace(CYCLE, state="cancelled"), Reason.STOPPED, Reason.STOPPED),
        (replace(CYCLE, owner=replace(ANNA, plan_ended=True)), Reason.PLAN_ENDED, Reason.PLAN_ENDED),
    ],
)
def test_why_a_course_is_not_spoken_of(cycle: CycleFact, bloodwork: Reason | None, others: Reason | None) -> None:
    for kind, wish in of_cycle(cycle).items():
        assert wish.unwanted is (bloodwork if kind in BLOODWORK else others), kind


def test_a_booked_or_drawn_test_ends_what_asks_for_it_but_not_what_asks_for_its_results() -> None:
    """B4."""
    found = {kind: wish.unwanted for kind, wish in of_cycle(replace(CYCLE, arranged=True)).items()}
    assert {kind for kind, reason in found.items() if reason is Reason.ARRANGED} == set(DRAW)
    assert found["results_missing"] is None


def test_only_bloodwork_names_days_to_book() -> None:
    found = of_cycle(CYCLE)
    assert {kind for kind, wish in found.items() if wish.says_from} == set(BLOODWORK)


def test_names_can_be_read_back() -> None:
    assert of_doses.slot_of(DOSE.occurrence) == (12, 3, "pm")
    assert of_courses.cycle_of(CYCLE.occurrence(14)) == 13


# Put off, and told to others


AGAIN = replace(DOSE, again_at=SLOT + timedelta(minutes=15), again_ref="later12345")


def test_a_reminder_that_was_put_off_comes_again_and_the_nudge_waits_for_it() -> None:
    found = of_dose(AGAIN)
    assert found["injection_due"].unwanted is Reason.PUT_OFF
    again = found["injection_again"]
    assert (again.key, again.unwanted) == ("injection_again:3:c12/d3/pm/later12345", None)
    assert (again.due_at, again.expires_at) == (SLOT + timedelta(minutes=15), SLOT + timedelta(minutes=105))
    assert found["injection_missing"].due_at == SLOT + timedelta(minutes=60)
    assert of_doses.slot_of(again.occurrence) == (12, 3, "pm")


def test_the_nudge_leaves_half_an_hour_after_a_reminder_that_was_put_off_for_long() -> None:
    late = replace(DOSE, again_at=SLOT + timedelta(minutes=55), again_ref="later12345")
    assert of_dose(late)["injection_missing"].due_at == SLOT + timedelta(minutes=85)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"recorded": True}, Reason.RECORDED), ({"undone": True}, Reason.UNDONE), ({"state": "held"}, Reason.HELD)],
)
def test_what_was_put_off_is_not_said_when_the_dose_is_no_longer_asked_for(
    change: dict[str, Any], reason: Reason
) -> None:
    assert {wish.unwanted for wish in of_dose(replace(AGAIN, **change)).values()} == {reason}


def carers(dose: DoseFact, told: dict[int, list[int]], choices: Choices = DEFAULTS) -> list[Wish]:
    return list(of_doses.of_carers([dose], told, choices, {}))


def test_each_carer_the_patient_chose_is_told_once_that_something_is_not_recorded() -> None:
    found = carers(DOSE, {7: [20, 21], 8: [22]})
    assert [wish.key for wish in found] == ["carer_missing:20:c12/d3/pm", "carer_missing:21:c12/d3/pm"]
    assert {(wish.due_at, wish.patient_id) for wish in found} == {(SLOT + timedelta(hours=1), 7)}


def test_a_carer_hears_nothing_of_a_recorded_dose_and_may_switch_it_off() -> None:
    (wish,) = carers(replace(DOSE, recorded=True), {7: [20]})
    assert wish.unwanted is Reason.RECORDED
    (wish,) = carers(DOSE, {7: [20]}, Choices(off=frozenset({(20, "carer_missing")})))
    assert wish.unwanted is Reason.TURNED_OFF
    (wish,) = carers(DOSE, {7: [20]}, Choices(off=frozenset({(3, "injection_missing")})))
    assert wish.unwanted is None, "the patient's own switch is about the patient's own mail"


# What people chose


def test_not_recorded_comes_as_late_as_the_patient_chose() -> None:
    found = of_dose(DOSE, Choices(afters={3: 30}))
    assert found["injection_missing"].due_at == SLOT + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("quiet", "reason"),
    [
        (Quiet(), None),
        (Quiet(doses_pass=False), None),
        (Quiet(time(21), time(7), doses_pass=False), Reason.QUIET),
        (Quiet(time(21), time(7), doses_pass=True), None),
        (Quiet(time(22), time(22), doses_pass=False), None),
    ],
    ids=["at first", "a quarter to ten", "nine", "they pass", "never quiet"],
)
def test_a_reminder_of_a_dose_is_not_mailed_in_quiet_hours_only_when_the_person_said_so(
    quiet: Quiet, reason: Reason | None
) -> None:
    assert of_dose(DOSE, Choices(quiets={3: quiet}))["injection_due"].unwanted is reason


def test_nothing_is_mailed_to_an_address_that_is_refused_and_all_stays_on_the_list() -> None:
    choices = Choices(refused=frozenset({3}))
    assert {wish.unwanted for wish in (*of_dose(DOSE, choices).values(), *of_cycle(CYCLE, choices).values())} == {
        Reason.REFUSED
    }
    assert {Reason.REFUSED, Reason.QUIET, Reason.TURNED_OFF} == wishes.ONLY_NOT_MAILED


# A change of the plan


VERSION = VersionFact(
    owner=ANNA,
    plan_id=4,
    number=2,
    signed_at=SLOT,
    applies_on=date(2027, 1, 20),
    first_dose_at=SLOT + timedelta(days=56),
    zone="Europe/London",
    is_newest=True,
    is_read=False,
)


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (VERSION, None),
        (replace(VERSION, is_read=True), Reason.READ),
        (replace(VERSION, is_newest=False), Reason.CHANGED),
        (replace(VERSION, owner=replace(ANNA, plan_ended=True)), Reason.PLAN_ENDED),
        (replace(VERSION, owner=replace(ANNA, is_active=False)), Reason.NO_RECIPIENT),
    ],
)
def test_a_change_of_the_plan_is_told_until_it_is_read(version: VersionFact, reason: Reason | None) -> None:
    (wish,) = of_plans.of_plans([version], DEFAULTS)
    assert (wish.unwanted, wish.key) == (reason, "plan_changed:3:p4/v2")
    assert (wish.due_at, wish.expires_at, wish.says_on) == (SLOT, VERSION.first_dose_at, VERSION.applies_on)
    assert of_plans.version_of(wish.occurrence) == (4, 2)


# Every wish says all that its mail and its row need


NEXT_SLOT = SLOT + timedelta(hours=3)
NEAR = replace(DOSE, next_due_at=NEXT_SLOT)


def of_a_slot(kind: str, recipient_id: int, due_at: datetime, expires_at: datetime, occurrence: str) -> Wish:
    return Wish(
        kind=kind,
        occurrence=occurrence,
        recipient_id=recipient_id,
        patient_id=7,
        due_at=due_at,
        expires_at=expires_at,
        zone="Europe/London",
        slot_local="2026-11-25T22:00",
        says_at=SLOT,
        says_amount=Decimal("7.5"),
    )


def minutes(count: int) -> datetime:
    return SLOT + timedelta(minutes=count)


def test_the_wishes_of_a_dose_whose_next_slot_is_three_hours_later() -> None:
    """B1: nothing about a slot leaves when less than two hours are left to the next one."""
    name = "c12/d3/pm"
    put_off = replace(NEAR, again_at=minutes(5), again_ref="later12345")
    assert of_dose(NEAR, Choices(leads={3: 30}, afters={3: 30})) == {
        "injection_due": of_a_slot("injection_due", 3, minutes(-30), minutes(60), name),
        "injection_missing": of_a_slot("injection_missing", 3, minutes(30), minutes(60), name),
    }
    assert of_dose(put_off)["injection_again"] == of_a_slot(
        "injection_again", 3, minutes(5), minutes(60), f"{name}/later12345"
    )
    (carer,) = of_doses.of_carers([NEAR], {7: [20]}, Choices(afters={3: 30}), {})
    assert carer == of_a_slot("carer_missing", 20, minutes(30), minutes(60), name)
    (pause,) = pauses(NEAR, alerts={7: "chk"}, choices=Choices(leads={3: 30}))
    assert pause == of_a_slot("paused", 3, minutes(-30), minutes(-30) + timedelta(hours=24), "alert/chk")


def test_a_reminder_put_off_to_its_own_minute_is_not_put_off() -> None:
    found = of_dose(replace(DOSE, again_at=minutes(-15), again_ref="later12345"))
    assert found["injection_due"].unwanted is None


def test_an_urgent_report_holds_back_what_a_carer_is_told() -> None:
    (wish,) = of_doses.of_carers([DOSE], {7: [20]}, DEFAULTS, {7: "chk"})
    assert wish.unwanted is Reason.ALERT
    assert carers(DOSE, {8: [20]}) == []


@pytest.mark.parametrize(("now", "count"), [(minutes(59), 1), (minutes(60), 0)])
def test_a_pause_is_told_while_the_reminder_it_stands_for_is_of_use(now: datetime, count: int) -> None:
    assert len(pauses(NEAR, alerts={7: "chk"}, now=now)) == count


def test_a_course_held_without_a_hold_of_the_patient_has_a_pause_of_its_own() -> None:
    (pause,) = pauses(replace(DOSE, state="held"), alerts={})
    assert pause.occurrence == "c12@2026-11-23/held"


def test_the_wishes_of_a_course() -> None:
    found = of_cycle(CYCLE)
    noon = ZoneInfo("America/New_York")
    assert found["bloodwork_due"] == Wish(
        kind="bloodwork_due",
        occurrence="c13@2026-11-25/-14",
        recipient_id=3,
        patient_id=7,
        due_at=datetime(2026, 11, 11, 9, tzinfo=noon),
        expires_at=datetime(2026, 11, 16, 9, tzinfo=noon),
        zone="America/New_York",
        says_on=date(2026, 11, 25),
        says_from=date(2026, 11, 11),
        says_to=date(2026, 11, 14),
    )
    assert found["cycle_week"].says_from is found["cycle_week"].says_to is None
    stopped = of_cycle(replace(CYCLE, state="stopped_early"))
    assert {wish.unwanted for wish in stopped.values()} == {Reason.STOPPED}


def test_the_wish_of_a_changed_plan() -> None:
    (wish,) = of_plans.of_plans([VERSION], DEFAULTS)
    assert wish == Wish(
        kind="plan_changed",
        occurrence="p4/v2",
        recipient_id=3,
        patient_id=7,
        due_at=SLOT,
        expires_at=SLOT + timedelta(days=56),
        zone="Europe/London",
        says_on=date(2027, 1, 20),
    )
    assert list(of_plans.of_plans([replace(VERSION, owner=replace(ANNA, user_id=None))], DEFAULTS)) == []


def test_what_nobody_chose_is_as_at_first() -> None:
    """Also for a row without a person; whoever has number 1 decides nothing for others."""
    theirs = Choices(leads={1: 5}, afters={1: 30}, quiets={1: Quiet(time(1), time(2))}, caps={1: 3})
    for user_id in (None, 2):
        assert theirs.lead(user_id) == timedelta(minutes=15)
        assert theirs.after(user_id) == timedelta(minutes=60)
        assert theirs.quiet(user_id) == Quiet(time(22), time(7), doses_pass=True)
        assert theirs.cap(user_id) == 8
    assert (theirs.lead(1), theirs.after(1), theirs.cap(1)) == (timedelta(minutes=5), timedelta(minutes=30), 3)


def test_quiet_hours_are_told_on_the_clock_of_the_row() -> None:
    """22:00 in London is 17:00 in New York."""
    evening = Quiet(time(16), time(18), doses_pass=False)
    choices = Choices(quiets={3: evening})
    assert of_dose(DOSE, choices)["injection_due"].unwanted is None
    there = replace(DOSE, zone="America/New_York", local=datetime.fromisoformat("2026-11-25T17:00"))
    assert of_dose(there, choices)["injection_due"].unwanted is Reason.QUIET
    assert evening.until(SLOT, ZoneInfo("America/New_York")) == SLOT + timedelta(hours=1)
