"""The planner against real plans: what it adds, moves, cancels and brings back, and how often it asks the database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cycles import course_actions, hold_actions, version_actions
from cycles import plan_actions as cycles
from cycles.models import Cycle, Hold, Plan, PlannedDose, PlanVersion
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Sharing, User
from il2tracker.alerts import actions as alerts
from il2tracker.reminders import actions, kinds, planning
from il2tracker.reminders.models import Heartbeat, Reminder
from labs import actions as labs
from labs import import_actions
from tests import factories
from tests.factories import Cast

pytestmark = pytest.mark.django_db
LONDON = ZoneInfo("Europe/London")
START = date(2027, 3, 3)  # a Wednesday; the clocks change on 28 March
BLOODWORK = {"bloodwork_book", "bloodwork_due"}  # what is near two weeks before a course
INJECTION = {"injection_due", "injection_missing"}


def on(day: date, hour: int = 12, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=LONDON)


def before(days: int, hour: int = 12) -> datetime:
    return on(START - timedelta(days=days), hour)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def plan(cast: Cast) -> Plan:
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START)


@pytest.fixture
def first(plan: Plan) -> PlannedDose:
    return plan.cycles.get().doses.earliest("due_at")


def rows(**which: Any) -> dict[str, str]:
    """Kind and, of doses, slot → state or the reason of a cancelled one."""
    found = Reminder.objects.filter(**which).order_by("due_at")
    return {
        f"{row.kind} {row.occurrence.partition('/')[2]}".strip(): row.cancel_reason or row.state
        for row in found
        if row.kind != "cycle_day" or "/-1" in row.occurrence
    }


def kinds_planned() -> set[str]:
    """Those for patients: the clinics' own Mondays come whatever there is."""
    return set(Reminder.objects.filter(state="planned").exclude(kind="digest").values_list("kind", flat=True))


# Which and when


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (before(25), set()),
        (before(24, 8), set()),
        (before(24, 9), {"bloodwork_book"}),
        (before(17, 9), {"bloodwork_book", "bloodwork_due"}),
        (before(14, 8), {"bloodwork_book", "bloodwork_due"}),
        (before(14, 9), {"bloodwork_due"}),
        (before(12, 9), {"bloodwork_due", "bloodwork_overdue"}),
        (before(10, 9), {"bloodwork_due", "bloodwork_overdue", "cycle_week"}),
        (before(9, 9), {"bloodwork_overdue", "cycle_week"}),
        (before(6, 9), {"bloodwork_overdue", "cycle_week", "results_missing"}),
        (before(3, 9), {"cycle_week", "results_missing", "cycle_day"}),
        (before(2, 8), {"cycle_week", "results_missing", "cycle_day", *INJECTION}),
        (before(1, 17), {"results_missing", "cycle_day", *INJECTION}),
        (before(1, 18), {"cycle_day", *INJECTION}),
        (before(0, 7), {"cycle_day", *INJECTION}),
        (before(0, 8), INJECTION),
    ],
)
def test_rows_appear_three_days_ahead_and_not_after_their_time(plan: Plan, now: datetime, expected: set[str]) -> None:
    planning.plan(now)
    assert kinds_planned() == expected


def test_a_row_says_when_where_and_what(plan: Plan, first: PlannedDose) -> None:
    planning.plan(before(1))
    row = Reminder.objects.get(kind="injection_due", occurrence=f"c{first.cycle_id}/d1/am")
    assert row.due_at == row.next_attempt_at == on(START, 9, 45)
    assert row.expires_at == on(START, 11, 30)
    assert (row.says_at, row.says_amount, row.zone) == (first.due_at, first.amount, "Europe/London")
    assert row.local_slot == on(START, 10)
    assert row.key == f"injection_due:{row.recipient_id}:{row.occurrence}"


def test_the_appointment_is_offered_from_14_to_11_days_before(plan: Plan) -> None:
    planning.plan(before(21))
    row = Reminder.objects.get(kind="bloodwork_book")
    assert (row.says_on, row.says_from, row.says_to) == (START, date(2027, 2, 17), date(2027, 2, 20))


def test_doses_keep_their_hour_on_the_wall_across_a_clock_change(cast: Cast) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2027, 3, 25))
    planning.plan(on(date(2027, 3, 25), 1))
    planning.plan(on(date(2027, 3, 28), 1))
    due = Reminder.objects.filter(kind="injection_due").order_by("due_at")
    assert {row.due_at.astimezone(LONDON).strftime("%H:%M") for row in due} == {"09:45", "21:45"}
    assert len({row.due_at.hour for row in due}) == 4


# Any number of times


def test_planning_again_changes_nothing(plan: Plan) -> None:
    planning.plan(before(1))
    stored = list(Reminder.objects.order_by("pk").values())
    assert planning.plan(before(1)) == planning.Planned(0, 0, 0, 0)
    assert list(Reminder.objects.order_by("pk").values()) == stored


def test_the_number_of_statements_does_not_grow_with_patients(plan: Plan, cast: Cast) -> None:
    def statements() -> int:
        planning.plan(before(1))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            planning.plan(before(1))
        return len(asked)

    one = statements()
    for number in range(5):
        lone = factories.lone_patient(f"Lee{number}")
        factories.plan(lone, lone.user, starts_on=START)
    assert statements() == one <= 22


def test_a_first_plan_of_many_takes_hardly_more_statements_than_one(cast: Cast) -> None:
    for number in range(5):
        lone = factories.lone_patient(f"Lee{number}")
        factories.plan(lone, lone.user, starts_on=START)
    with CaptureQueriesContext(connection) as asked:
        planning.plan(before(1))
    assert Reminder.objects.count() >= 40
    assert len(asked) <= 30


def test_a_backlog_in_back_off_is_left_alone(plan: Plan) -> None:
    planning.plan(before(1))
    later = before(0)
    Reminder.objects.update(attempts=3, next_attempt_at=later, last_error_class="RCPT 451")
    planning.plan(before(1))
    assert set(Reminder.objects.values_list("attempts", "next_attempt_at")) == {(3, later)}


@pytest.mark.parametrize("state", ["sending", "sent", "expired", "dead", "uncertain"])
def test_rows_that_were_marked_or_ended_are_never_touched(
    plan: Plan, first: PlannedDose, cast: Cast, state: str
) -> None:
    planning.plan(before(1))
    now = timezone.now()
    facts: dict[str, Any] = {"state": state}
    if state == "sending":
        facts |= {"lease_token": "0" * 32, "lease_until": now}
    elif state != "expired":
        facts |= {"handing_over_at": now, "accepted_at": now if state == "sent" else None}
    Reminder.objects.update(**facts)
    stored = list(Reminder.objects.order_by("pk").values())
    factories.hold(cast.ben, first.cycle, "fever")
    planning.plan(before(1))
    assert list(Reminder.objects.filter(pk__in=[row["id"] for row in stored]).order_by("pk").values()) == stored


# Both ways


def both_ways(cast: Cast, first: PlannedDose) -> dict[str, tuple[Callable[[], Any], Callable[[], Any], str]]:
    """Name → (write, the write that takes it back, reason of the rows of the first slot)."""

    def speak() -> None:
        for alert in first.patient_alerts:
            alerts.acknowledge(by=cast.ben, alert=alert, now=before(1))
            alerts.take_step(by=cast.ben, alert=alert, what="reached", now=before(1))

    def raise_alert() -> None:
        first.patient_alerts = [
            alerts.raise_alert(
                by=cast.anna,
                patient=cast.anna_patient,
                rule="T2",
                tier="RED",
                title="Less urine",
                evidence="",
                source="sideeffects.checkin",
                source_ref="chk1234567",
                now=before(1),
            )
        ]

    def switch(on: bool) -> Callable[[], Any]:
        switches = dict.fromkeys(kinds.SWITCHES, on)
        return lambda: actions.choose(by=cast.anna, switches=switches, lead_minutes=15)

    def resume() -> None:
        for hold in Hold.objects.open():
            hold_actions.lift_hold(by=cast.ben, hold=hold, now=before(1), note="well again")

    return {
        "alert, then spoken with": (raise_alert, speak, "alert"),
        "switched off, then on": (switch(False), switch(True), "turned_off"),
        "held, then confirmed": (
            lambda: factories.hold(cast.ben, first.cycle, "fever"),
            resume,
            "held",
        ),
    }


@pytest.mark.parametrize("name", ["alert, then spoken with", "switched off, then on", "held, then confirmed"])
def test_a_row_is_cancelled_and_comes_back(cast: Cast, first: PlannedDose, name: str) -> None:
    write, take_back, reason = both_ways(cast, first)[name]
    planning.plan(before(1))
    first_slot = {"occurrence": f"c{first.cycle_id}/d1/am"}
    stored = list(Reminder.objects.filter(**first_slot).order_by("pk").values())
    write()
    planning.plan(before(1))
    assert set(rows(**first_slot).values()) == {reason}
    take_back()
    planning.plan(before(1))
    assert list(Reminder.objects.filter(**first_slot).order_by("pk").values()) == stored


@pytest.mark.parametrize("is_planned_before", [True, False])
def test_no_mail_asks_for_an_injection_whose_record_was_undone(
    cast: Cast, first: PlannedDose, is_planned_before: bool
) -> None:
    """R9: it may have been given all the same. Its next record ends the matter."""
    slot = {"occurrence": f"c{first.cycle_id}/d1/am"}
    if is_planned_before:
        planning.plan(before(1))
    factories.void(cast.anna, factories.injection(cast.anna_patient, cast.anna, first).injection)
    planning.plan(before(1))
    assert set(rows(**slot).values()) == ({"undone"} if is_planned_before else set())
    assert rows(occurrence=f"c{first.cycle_id}/d1/pm") == {
        "injection_due d1/pm": "planned",
        "injection_missing d1/pm": "planned",
    }
    factories.injection(cast.anna_patient, cast.anna, first)
    planning.plan(before(1))
    assert set(rows(**slot).values()) == ({"recorded"} if is_planned_before else set())


@pytest.mark.parametrize("name", ["alert, then spoken with", "held, then confirmed"])
def test_instead_of_the_held_back_reminders_one_mail_says_paused(cast: Cast, first: PlannedDose, name: str) -> None:
    write, take_back, _reason = both_ways(cast, first)[name]
    write()
    planning.plan(before(1))
    pause = Reminder.objects.get(kind="paused")
    assert (pause.state, pause.due_at) == ("planned", on(START, 9, 45))
    take_back()
    planning.plan(before(1))
    pause.refresh_from_db()
    assert (pause.state, pause.cancel_reason) == ("cancelled", "released")


def test_a_pause_that_did_not_leave_moves_on_to_the_next_slot(cast: Cast, first: PlannedDose) -> None:
    write, *_rest = both_ways(cast, first)["alert, then spoken with"]
    write()
    planning.plan(before(1))
    planning.plan(on(START, 12))
    assert Reminder.objects.get(kind="paused").due_at == on(START, 21, 45)


def test_a_moved_course_moves_its_doses_and_renames_its_days(cast: Cast, first: PlannedDose) -> None:
    planning.plan(before(1))
    a_day_later = START + timedelta(days=1)
    course_actions.move_cycle(
        by=cast.ben, cycle=first.cycle, starts_on=a_day_later, today=START - timedelta(days=1), reason="work"
    )
    planning.plan(before(1))
    dose = Reminder.objects.get(kind="injection_due", occurrence=f"c{first.cycle_id}/d1/am")
    assert (dose.state, dose.due_at) == ("planned", on(a_day_later, 9, 45))
    days = Reminder.objects.filter(kind="cycle_day").order_by("due_at")
    assert [(row.occurrence.partition("@")[2], row.cancel_reason or row.state) for row in days] == [
        (f"{START}/-1", "not_in_plan"),
        (f"{a_day_later}/-1", "planned"),
    ]


def test_a_dose_that_moves_far_away_and_comes_near_again_is_planned_again(cast: Cast, first: PlannedDose) -> None:
    planning.plan(before(1))
    far = START + timedelta(days=28)
    course_actions.move_cycle(
        by=cast.ben, cycle=first.cycle, starts_on=far, today=START - timedelta(days=1), reason="work"
    )
    planning.plan(before(1))
    assert kinds_planned() == set()
    planning.plan(on(far - timedelta(days=1)))
    assert Reminder.objects.get(kind="injection_due", occurrence=f"c{first.cycle_id}/d1/am").due_at == on(far, 9, 45)


def test_a_new_lead_moves_the_rows_that_wait(cast: Cast, first: PlannedDose) -> None:
    planning.plan(before(1))
    actions.choose(by=cast.anna, switches=dict.fromkeys(kinds.SWITCHES, True), lead_minutes=60)
    planning.plan(before(1))
    row = Reminder.objects.get(kind="injection_due", occurrence=f"c{first.cycle_id}/d1/am")
    assert (row.state, row.due_at, row.next_attempt_at) == ("planned", on(START, 9), on(START, 9))


@pytest.mark.parametrize("how", ["stopped", "gone"])
def test_it_is_said_how_many_rows_were_planned_and_ended_however_many_fit_into_a_statement(
    cast: Cast, plan: Plan, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(planning, "BATCH", 2)
    assert planning.plan(before(1)).added == Reminder.objects.filter(state="planned").count() > 4
    of_doses = Reminder.objects.filter(kind__in=INJECTION, state="planned")
    count = of_doses.count()
    if how == "gone":
        PlannedDose.objects.all().delete()
    else:
        actions.choose(by=cast.anna, switches=dict.fromkeys(INJECTION, False))
    assert planning.plan(before(1)) == planning.Planned(0, 0, 0, count)
    assert not of_doses.exists()
    if how == "stopped":
        actions.choose(by=cast.anna, switches=dict.fromkeys(INJECTION, True))
        assert planning.plan(before(1)) == planning.Planned(0, 0, count, 0)


# Not wanted


@pytest.mark.parametrize(
    "end",
    [
        lambda cast, plan: cycles.end_plan(by=cast.ben, plan=plan, on=START - timedelta(days=1), reason="moved"),
        lambda cast, plan: course_actions.cancel_cycle(by=cast.ben, cycle=plan.cycles.get(), reason="no"),
        lambda cast, plan: course_actions.stop_cycle(by=cast.ben, cycle=plan.cycles.get(), on=START, reason="enough"),
        lambda cast, plan: type(cast.anna).objects.filter(pk=cast.anna.pk).update(is_active=False),
    ],
    ids=["plan ended", "course cancelled", "course stopped", "account closed"],
)
def test_after_an_end_nothing_is_planned_any_more(cast: Cast, plan: Plan, end: Callable[..., Any]) -> None:
    planning.plan(before(1))
    assert kinds_planned()
    end(cast, plan)
    planning.plan(before(1))
    of_this_course = Reminder.objects.filter(occurrence__startswith=f"c{plan.cycles.first().pk}")
    assert set(of_this_course.values_list("state", flat=True)) == {"cancelled"}


def test_a_patient_without_an_account_has_no_rows(cast: Cast) -> None:
    patient = accounts.create_patient(by=cast.ben, clinic=cast.north, name="Uma")
    factories.plan(patient, cast.ben, starts_on=START)
    planning.plan(before(1))
    assert not Reminder.objects.exists()


def test_a_kidney_plan_has_no_bloodwork_mails(cast: Cast) -> None:
    document = {**factories.Protocol.objects.get(slug="kidney-label").document}
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label", document=document, starts_on=START)
    for days in (21, 14, 7, 1):
        planning.plan(before(days))
    assert kinds_planned() == {"cycle_week", "cycle_day", "injection_due", "injection_missing"}


def test_on_a_ward_nobody_is_reminded_of_injections_at_home(cast: Cast) -> None:
    factories.Protocol.objects.filter(slug="hiv-sc-own").update(inpatient=True)
    document = factories.Protocol.objects.get(slug="hiv-sc-7-5").document
    plan = factories.plan(cast.anna_patient, cast.ben, protocol="hiv-sc-own", document=document, starts_on=START)
    assert plan.cycles.get().doses.exists()
    planning.plan(before(1))
    assert kinds_planned() == {"cycle_day", "results_missing"}


# Carers, and changes of the plan


@pytest.fixture
def sam(cast: Cast) -> Sharing:
    """Anna's brother helps her and is told when something is not recorded."""
    sharing = accounts.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.sam)
    Sharing.objects.filter(pk=sharing.pk).update(told_if_not_recorded=True)
    return sharing


def carers_rows() -> set[tuple[str, str]]:
    return set(Reminder.objects.filter(kind="carer_missing").values_list("recipient__name", "state"))


def test_a_carer_is_told_of_every_slot_that_the_patient_lets_them_hear_of(cast: Cast, plan: Plan, sam: Sharing) -> None:
    planning.plan(before(0, 1))
    found = Reminder.objects.filter(kind="carer_missing").order_by("due_at")
    assert {row.recipient for row in found} == {cast.sam}
    assert {row.patient for row in found} == {cast.anna_patient}
    missing = Reminder.objects.filter(kind="injection_missing")
    assert list(found.values_list("due_at", "expires_at")) == list(missing.values_list("due_at", "expires_at"))


@pytest.mark.parametrize("how", ["sharing ended", "not told any more", "left"])
def test_a_carer_who_may_no_longer_hear_of_it_is_not_told(cast: Cast, plan: Plan, sam: Sharing, how: str) -> None:
    planning.plan(before(0, 1))
    if how == "sharing ended":
        accounts.stop_sharing(by=cast.anna, sharing=sam)
    elif how == "left":
        User.objects.filter(pk=cast.sam.pk).update(is_active=False)
    else:
        Sharing.objects.filter(pk=sam.pk).update(told_if_not_recorded=False)
    planning.plan(before(0, 1))
    assert carers_rows() == {("Sam", "cancelled")}


def changed(cast: Cast, plan: Plan) -> PlanVersion:
    """The nurse moves the evening injection by an hour from the first course on."""
    plan.refresh_from_db()
    newest = plan.current_version
    return version_actions.change_plan(
        by=cast.ben,
        plan=plan,
        base_number=newest.number,
        from_course=1,
        document=newest.document,
        slot_times={**newest.slot_times, "pm": "21:00"},
        starts_on=START,
        now=before(9),
        change_reason="sleep",
    )


def test_a_changed_plan_is_told_from_then_to_the_first_injection_under_it(cast: Cast, plan: Plan) -> None:
    version = changed(cast, plan)
    planning.plan(before(9))
    row = Reminder.objects.get(kind="plan_changed")
    assert (row.due_at, row.expires_at) == (before(9), on(START, 10))
    assert (row.says_on, row.recipient, row.state) == (START, cast.anna, "planned")
    version_actions.confirm_read(by=cast.anna, version=version, now=before(9))
    planning.plan(before(9))
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "read")


def test_only_the_newest_change_is_told(cast: Cast, plan: Plan) -> None:
    changed(cast, plan)
    planning.plan(before(9))
    changed(cast, plan)
    planning.plan(before(9))
    found = Reminder.objects.filter(kind="plan_changed").order_by("occurrence")
    assert [(row.occurrence[-2:], row.cancel_reason) for row in found] == [("v2", "not_in_plan"), ("v3", "")]


def test_a_first_plan_and_ones_own_change_are_no_news(cast: Cast, plan: Plan) -> None:
    planning.plan(before(9))
    lone = factories.lone_patient("Lee")
    own = factories.plan(lone, lone.user, starts_on=START)
    changed(replace(cast, ben=lone.user), own)
    planning.plan(before(9))
    assert not Reminder.objects.filter(kind="plan_changed").exists()


# Bloodwork before the next course (O10)


def second_course(cast: Cast, days: int) -> Cycle:
    """The course that follows one whose first day is `days` before START, every dose given."""
    document = dict(factories.Protocol.objects.get(slug="hiv-sc-7-5").document)
    document["phases"] = [{**phase, "cycle_days": days} for phase in document["phases"]]
    started = START - timedelta(days=days)
    plan = factories.plan(
        cast.anna_patient, cast.ben, document=document, starts_on=started, now=on(started - timedelta(days=1))
    )
    cycles.open_next_cycle(plan=plan, today=started)
    return plan.cycles.get(number=2)


@pytest.mark.parametrize(
    ("days", "planned"), [(28, False), (35, False), (42, False), (49, True), (56, True), (84, True)]
)
def test_bloodwork_is_only_asked_for_where_a_reliable_day_is_left(cast: Cast, days: int, planned: bool) -> None:
    course = second_course(cast, days)
    assert course.starts_on == START
    planning.plan(before(14, 8))
    assert (kinds_planned() >= BLOODWORK) is planned


def test_a_late_dose_of_the_course_before_narrows_the_days_offered(cast: Cast) -> None:
    second_course(cast, 49)
    late = on(date(2027, 1, 20), 10)  # 42 days before: a month later is 20 February, the last day offered
    factories.injection(cast.anna_patient, cast.anna, at=late, amount=1, now=late + timedelta(hours=1))
    planning.plan(before(14, 8))
    row = Reminder.objects.get(kind="bloodwork_due")
    assert (row.says_from, row.says_to) == (date(2027, 2, 20), date(2027, 2, 20))


@pytest.mark.parametrize(
    ("days", "asked_on"),
    [(49, date(2027, 2, 21)), (56, date(2027, 2, 19))],
    ids=["the Friday is too soon", "the Friday is reliable"],
)
def test_bloodwork_due_on_a_sunday_is_asked_for_on_the_friday_if_that_counts(
    cast: Cast, days: int, asked_on: date
) -> None:
    course = second_course(cast, days)
    moved = date(2027, 3, 7)
    course.doses.all().delete()
    Cycle.objects.filter(pk=course.pk).update(starts_on=moved)
    if days == 49:
        late = on(date(2027, 1, 21), 10)  # a month later is Sunday 21 February
        factories.injection(cast.anna_patient, cast.anna, at=late, amount=1, now=late + timedelta(hours=1))
    planning.plan(on(date(2027, 2, 18)))
    row = Reminder.objects.get(kind="bloodwork_due")
    assert row.due_at.astimezone(LONDON).date() == asked_on
    assert (row.says_from, row.says_to) == (asked_on, date(2027, 2, 24))


def arranged(cast: Cast, cycle: Cycle) -> dict[str, Callable[[], Any]]:
    day = START - timedelta(days=15)

    def results() -> None:
        for analyte in ("cd4", "hiv_rna"):
            add_result(cast, analyte, day)

    return {
        "booked": lambda: labs.book_bloodwork(by=cast.anna, cycle=cycle, booked_for=START - timedelta(days=12)),
        "drawn": lambda: labs.record_drawn(by=cast.anna, cycle=cycle, drawn_on=day, now=before(14)),
        "results in": results,
    }


def add_result(cast: Cast, code: str, day: date) -> None:
    from labs.models import Analyte, LabResult

    analyte = Analyte.objects.get(code=code)
    LabResult.objects.create(
        patient=cast.anna_patient,
        analyte=analyte,
        value=500,
        unit=analyte.canonical_unit,
        raw="500",
        drawn_on=day,
        zone="Europe/London",
        source="patient",
        fingerprint=f"{code} {day}",
    )


@pytest.mark.parametrize("how", ["booked", "drawn", "results in"])
def test_arranged_bloodwork_is_not_asked_for_again(cast: Cast, plan: Plan, how: str) -> None:
    planning.plan(before(14, 8))
    assert kinds_planned() == BLOODWORK
    arranged(cast, plan.cycles.get())[how]()
    planning.plan(before(14, 8))
    assert set(rows(kind__in=BLOODWORK).values()) == {"arranged"}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("", {"bloodwork_overdue", "results_missing"}),
        ("booked", {"bloodwork_overdue", "results_missing"}),
        ("drawn", {"results_missing"}),
        ("results in", set()),
    ],
    ids=["nothing", "the appointment has passed", "drawn", "results in"],
)
def test_what_is_missing_in_the_last_days_is_asked_for_until_it_is_there(
    cast: Cast, plan: Plan, how: str, expected: set[str]
) -> None:
    """B4: blood taken ends "overdue", results end all."""
    if how:
        arranged(cast, plan.cycles.get())[how]()
    planning.plan(before(5))
    assert kinds_planned() - {"cycle_week"} == expected


def test_an_appointment_that_passed_without_a_word_is_asked_for_again(cast: Cast, plan: Plan) -> None:
    arranged(cast, plan.cycles.get())["booked"]()
    planning.plan(before(12, 23))
    assert kinds_planned() & BLOODWORK == set()
    planning.plan(before(11, 1))
    assert kinds_planned() == {"bloodwork_due", "bloodwork_overdue"}


@pytest.mark.parametrize("how", ["booked", "drawn"])
def test_an_appointment_does_not_count_for_a_course_that_was_moved_away_from_it(
    cast: Cast, plan: Plan, how: str
) -> None:
    cycle, later = plan.cycles.get(), START + timedelta(days=28)
    arranged(cast, cycle)[how]()
    course_actions.move_cycle(
        by=cast.ben, cycle=cycle, starts_on=later, today=START - timedelta(days=14), reason="work"
    )
    planning.plan(on(later - timedelta(days=14), 8))
    assert kinds_planned() == BLOODWORK


@pytest.mark.parametrize(("days", "counts"), [(22, False), (21, True), (1, True), (0, False)])
def test_a_draw_counts_in_the_three_weeks_before_the_course(cast: Cast, plan: Plan, days: int, counts: bool) -> None:
    day = START - timedelta(days=days)
    labs.record_drawn(by=cast.anna, cycle=plan.cycles.get(), drawn_on=day, now=on(day))
    planning.plan(before(14, 8))
    assert (kinds_planned() & BLOODWORK == set()) is counts


def test_the_tick_forgets_uploads_that_nobody_confirmed(cast: Cast) -> None:
    sent = {"patient": cast.anna_patient, "file_name": "a.csv", "content": b"cd4,2027-01-02,500"}
    batch = import_actions.keep_upload(by=cast.anna, now=before(3), **sent)
    for now, content in ((before(2, 8), sent["content"]), (before(1), b"")):
        planning.plan(now)
        batch.refresh_from_db()
        assert bytes(batch.content) == content


@pytest.mark.parametrize(
    ("cd4", "rna"),
    [(15, None), (None, 15), (22, 15), (15, 0)],
    ids=["only CD4+", "only viral load", "CD4+ too early", "viral load on the day itself"],
)
def test_half_of_the_results_does_not_arrange_it(cast: Cast, plan: Plan, cd4: int | None, rna: int | None) -> None:
    for code, days in (("cd4", cd4), ("hiv_rna", rna)):
        if days is not None:
            add_result(cast, code, START - timedelta(days=days))
    planning.plan(before(14, 8))
    assert kinds_planned() == BLOODWORK


def test_an_unreliable_result_does_not_arrange_it(cast: Cast) -> None:
    second_course(cast, 49)  # its last dose is on 17 January, reliable from 17 February
    for code in ("cd4", "hiv_rna"):
        add_result(cast, code, date(2027, 2, 16))
    planning.plan(before(14, 8))
    assert kinds_planned() >= BLOODWORK
    for code in ("cd4", "hiv_rna"):
        add_result(cast, code, date(2027, 2, 17))
    planning.plan(before(14, 8))
    assert not kinds_planned() & BLOODWORK


def test_with_an_unknown_earlier_treatment_no_first_test_is_asked_for(cast: Cast, plan: Plan) -> None:
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, earlier_il2="unknown")
    planning.plan(before(14, 8))
    assert not kinds_planned() & BLOODWORK


# The next course, outages, the heartbeat


def test_the_course_after_a_started_one_is_opened(plan: Plan) -> None:
    assert planning.plan(before(1)).opened == 0
    assert planning.plan(on(START, 1)).opened == 1
    assert planning.plan(on(START, 1)).opened == 0
    assert plan.cycles.count() == 2


def test_it_is_said_how_many_courses_were_opened_and_how_many_moved(plan: Plan, cast: Cast) -> None:
    other = factories.plan(cast.dan_patient, cast.ben, protocol="hiv-sc-4-5", starts_on=START)
    for mine in (plan, other):
        accounts.update_patient(by=mine.patient.user, patient=mine.patient, time_zone="America/New_York")
    assert planning.plan(before(1)).rezoned == 2
    assert planning.plan(on(START, 12)).opened == 2


def test_one_plan_that_cannot_go_on_does_not_silence_the_others(
    plan: Plan, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = factories.plan(cast.dan_patient, cast.ben, protocol="hiv-sc-4-5", starts_on=START)
    open_next_cycle = cycles.open_next_cycle

    def stumble(*, plan: Plan, today: date) -> Cycle | None:
        if plan.pk == other.pk:
            raise ValueError(plan.pk)
        return open_next_cycle(plan=plan, today=today)

    monkeypatch.setattr(planning.plan_actions, "open_next_cycle", stumble)
    assert planning.plan(on(START, 1)).opened == 1
    assert kinds_planned()
    assert f"No next course for plan {other.ref}" in caplog.messages


def test_what_expired_while_nobody_planned_is_seen_to_be_late(plan: Plan, first: PlannedDose) -> None:
    Heartbeat.objects.create(pk=1, planned_at=before(8))
    planning.plan(on(START, 12))
    late = Reminder.objects.get(kind="injection_due", occurrence=f"c{first.cycle_id}/d1/am")
    assert late.state == "planned"
    assert late.expires_at < on(START, 12), "so the next sweep makes it expired, where staff see it"
    assert Reminder.objects.filter(kind="cycle_day").exists()


def test_what_expired_before_the_plan_was_there_has_no_row(cast: Cast) -> None:
    Heartbeat.objects.create(pk=1, planned_at=on(START, 11, 59))
    factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=before(1))
    planning.plan(on(START, 12))
    assert not Reminder.objects.filter(expires_at__lt=on(START, 11, 59)).exists()


def test_the_tick_leaves_a_heartbeat_and_complains_of_nothing(plan: Plan, caplog: pytest.LogCaptureFixture) -> None:
    planning.plan(before(1))
    assert Heartbeat.read().planned_at == before(1)
    assert caplog.messages == []


def test_a_patient_who_moves_is_reminded_by_the_new_clock(cast: Cast, plan: Plan, first: PlannedDose) -> None:
    """H09: the course to come follows, within one tick and once."""
    planning.plan(before(1))
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="America/New_York")
    assert [planning.plan(before(1)).rezoned for _tick in range(2)] == [1, 0]
    row = Reminder.objects.get(kind="injection_due", occurrence=f"c{first.cycle_id}/d1/am")
    assert (row.due_at, row.zone) == (on(START, 14, 45), "America/New_York")
