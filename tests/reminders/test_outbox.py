"""What other pages and staff read from the outbox; the command; the invariants, each seen to be broken."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from cycles.models import Cycle, Hold, Injection, Plan, PlannedDose
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Sharing
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.audit import triggers
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import actions, clocks, heartbeat, invariants
from il2tracker.reminders.models import Heartbeat, Preference, Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def plan(cast: Cast) -> Plan:
    today = cast.anna_patient.today(timezone.now())
    return factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=10))


@pytest.fixture
def dose(plan: Plan) -> PlannedDose:
    return plan.cycles.get().doses.earliest("due_at")


# Reads


def test_each_person_sees_only_the_own_rows(cast: Cast, dose: PlannedDose) -> None:
    outbox.plan_for(dose)
    assert Reminder.objects.visible_to(cast.anna).exists()
    assert not Reminder.objects.visible_to(cast.ben).exists()
    assert not Reminder.objects.visible_to(cast.eve).exists()
    Preference.objects.create(user=cast.anna, kind="cycle_day")
    assert not Preference.objects.visible_to(cast.dan).exists()


def test_health_counts_every_state_and_names_the_last_trouble(cast: Cast) -> None:
    now = timezone.now()
    patient = cast.anna_patient
    outbox.row(patient)
    outbox.row(patient, due_at=now - HOUR, attempts=2, last_error_class="RCPT 451", failed_at=now - MINUTE)
    outbox.row(patient, state="dead", last_error_class="RCPT 550", failed_at=now - 2 * MINUTE)
    outbox.row(patient, state="sent", accepted_at=now - 5 * MINUTE, handing_over_at=now - 5 * MINUTE)
    health = Reminder.objects.health(now)
    counts = {name: count for name, count in health.items() if name.endswith("_count") and count}
    assert counts == {"planned_count": 2, "dead_count": 1, "sent_count": 1, "retrying_count": 1, "overdue_count": 1}
    assert (health["last_error_class"], health["last_accepted_at"]) == ("RCPT 451", now - 5 * MINUTE)


def test_an_empty_outbox_is_healthy() -> None:
    health = Reminder.objects.health(timezone.now())
    assert health["planned_count"] == health["overdue_count"] == 0
    assert (health["last_error_class"], health["last_accepted_at"]) == ("", None)
    assert Heartbeat.read().swept_at is None


# The command


def command(*options: str) -> str:
    out = StringIO()
    call_command("reminders", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_once_plans_and_sends(cast: Cast, smtp_sink: SmtpSink) -> None:
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=14))
    said = command("--once")
    assert said.startswith("planned: ")
    assert "swept: " in said
    assert Reminder.objects.filter(kind="bloodwork_due").exists()


def test_plan_only_plans_and_sweep_only_sends(cast: Cast, plan: Plan, dose: PlannedDose, smtp_sink: SmtpSink) -> None:
    command("--plan")
    assert smtp_sink.attempts == 0
    outbox.plan_for(dose)
    due = outbox.due("injection_due", dose)
    Reminder.objects.exclude(pk=due.pk).delete()
    assert command("--sweep") == "swept: 1 tried, 0 too late, 0 taken back\n"
    assert len(smtp_sink.messages) == 1


def test_a_dry_run_shows_and_changes_nothing(cast: Cast) -> None:
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today + timedelta(days=7))
    said = command("--dry-run")
    assert " cycle_week c" in said
    assert said.rstrip().endswith("yes")
    assert not Reminder.objects.exists()
    assert Heartbeat.read().planned_at is None


def test_after_a_jump_of_the_clock_the_command_says_so(smtp_sink: SmtpSink) -> None:
    command("--sweep")
    Heartbeat.objects.update(swept_at=timezone.now() - timedelta(days=1))
    assert "clock jumped" in command("--sweep")


def test_the_check_is_quiet_when_all_is_well(plan: Plan, dose: PlannedDose) -> None:
    outbox.plan_for(dose)
    assert command("--check") == "All is well.\n"


# The invariants


def silent(cast: Cast, plan: Plan) -> None:
    outbox.row(cast.anna_patient, expires_at=timezone.now() - HOUR)


def never_planned(cast: Cast, plan: Plan) -> None:
    now = timezone.now()
    first = plan.cycles.get().doses.earliest("due_at").pk
    PlannedDose.objects.filter(pk=first).update(due_at=now - HOUR, created_at=now - 30 * HOUR)


def too_late(cast: Cast, plan: Plan) -> None:
    now = timezone.now()
    times = {"expires_at": now - HOUR, "handing_over_at": now - HOUR, "accepted_at": now}
    outbox.row(cast.anna_patient, state="sent", **times)


def after_the_record(cast: Cast, plan: Plan) -> None:
    first = plan.cycles.get().doses.earliest("due_at")
    outbox.plan_for(first)
    now = timezone.now()
    factories.injection(cast.anna_patient, cast.anna, first, now=first.due_at)
    marked = {"handing_over_at": first.due_at + HOUR, "accepted_at": now}
    Reminder.objects.filter(kind="injection_missing", occurrence=f"c{first.cycle_id}/d1/am").update(
        state="sent", **marked
    )


def forgotten(cast: Cast, plan: Plan) -> None:
    lease = {"lease_token": "0" * 32, "lease_until": timezone.now() - HOUR}
    outbox.row(cast.anna_patient, state="sending", **lease)


def to_nobody(cast: Cast, plan: Plan) -> None:
    now = timezone.now()
    outbox.row(cast.anna_patient, recipient=None, state="uncertain", handing_over_at=now)


def bare(statement: str) -> None:
    """As if the database had forgotten its own rules: a copy of the table without any stands before it."""
    schema = "main" if connection.vendor == "sqlite" else "public"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE reminders_reminder AS SELECT * FROM {schema}.reminders_reminder")
        cursor.execute(statement)


def twice(cast: Cast, plan: Plan) -> None:
    outbox.row(cast.anna_patient)
    outbox.row(cast.anna_patient)
    bare("UPDATE reminders_reminder SET key = 'once'")


def one_message_id(cast: Cast, plan: Plan) -> None:
    first, _second = outbox.row(cast.anna_patient), outbox.row(cast.anna_patient)
    value = first.message_uuid.hex if connection.vendor == "sqlite" else first.message_uuid
    bare(f"UPDATE reminders_reminder SET message_uuid = '{value}'")


def nowhere(cast: Cast, plan: Plan) -> None:
    outbox.row(cast.anna_patient)
    bare("UPDATE reminders_reminder SET state = 'lost'")


def date_never_planned(cast: Cast, plan: Plan) -> None:
    """The planner ran after a course's first reminders were due, and yet there is no row."""
    now = timezone.now()
    day = cast.anna_patient.today(now) + timedelta(days=5)
    Cycle.objects.filter(plan=plan).update(starts_on=day)
    triggers.drop(connection)
    AuditEvent.objects.all().delete()
    triggers.create(connection)
    heartbeat.planned(now)


def marked(cast: Cast, kind: str, **facts: Any) -> Reminder:
    """A mail to Anna that a sender marked just now and of which nobody knows more."""
    return outbox.row(cast.anna_patient, kind=kind, state="uncertain", **{"handing_over_at": timezone.now(), **facts})


def against_a_hold(cast: Cast, plan: Plan) -> None:
    factories.hold(cast.anna, plan.cycles.get(), kind="infection")
    Hold.objects.update(raised_at=timezone.now() - MINUTE)
    Alert.objects.all().delete()
    marked(cast, "injection_due")


def against_an_alert(cast: Cast, plan: Plan) -> None:
    hold = factories.hold(cast.anna, plan.cycles.get(), kind="infection")
    Alert.objects.update(raised_at=timezone.now() - MINUTE, holds=True)
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now() - MINUTE)
    marked(cast, "injection_missing")


def against_what_is_in_hand(cast: Cast, plan: Plan) -> None:
    spoken_with(cast, "not_reached")


def against_who_cannot_reach_them(cast: Cast, plan: Plan) -> None:
    spoken_with(cast, "reached")
    at = timezone.now() - MINUTE
    alerts.answer(by=cast.anna, alert=Alert.objects.get(), answer="not_reached", now=at)


def spoken_with(cast: Cast, what: str) -> None:
    """A mail that is marked just now, after an urgent report that the clinic acknowledged and called about."""
    alert, by = factories.alert(cast.anna_patient, cast.anna), cast.ben
    Alert.objects.update(raised_at=timezone.now() - 9 * MINUTE)
    alerts.acknowledge(by=by, alert=alert, now=timezone.now() - 8 * MINUTE)
    alerts.take_step(by=by, alert=alert, what=what, now=timezone.now() - 7 * MINUTE)
    marked(cast, "injection_due")


def against_a_switch(cast: Cast, plan: Plan) -> None:
    actions.choose(by=cast.anna, switches={"cycle_week": False})
    marked(cast, "cycle_week", handing_over_at=timezone.now() + MINUTE)


def against_the_plan(cast: Cast, plan: Plan) -> None:
    first = plan.cycles.get().doses.earliest("due_at")
    said = {"says_at": first.due_at, "says_amount": first.amount + 1}
    marked(cast, "injection_due", handing_over_at=timezone.now() + MINUTE, **said)


def to_a_stranger(cast: Cast, plan: Plan) -> None:
    later = timezone.now() + MINUTE
    marked(cast, "injection_due", recipient=cast.dan)
    marked(cast, "injection_due", recipient=cast.sam)
    marked(cast, "carer_missing", recipient=cast.ben, handing_over_at=later)
    marked(cast, "carer_missing", recipient=cast.sam, handing_over_at=later)
    marked(cast, "red_flag", recipient=cast.carla, handing_over_at=later)


def kept_address(cast: Cast, plan: Plan) -> None:
    outbox.row(cast.anna_patient, address="anna@example.org", state="expired")


@pytest.mark.parametrize(
    ("breach", "sentence"),
    [
        (twice, "I1 the same reminder exists twice: 1"),
        (one_message_id, "I1 two reminders have one Message-ID: 1"),
        (date_never_planned, "I2 a day before a course came and nobody planned its reminder: 2"),
        (against_a_hold, "I5 a mail asked for an injection although a hold was on: 1"),
        (against_an_alert, "I5 a mail asked for an injection although a hold was on: 1"),
        (against_what_is_in_hand, "I5 a mail asked for an injection although a hold was on: 1"),
        (against_who_cannot_reach_them, "I5 a mail asked for an injection although a hold was on: 1"),
        (against_a_switch, "I5 a mail was marked although its reader had switched it off: 1"),
        (against_the_plan, "I5 a mail was marked although the plan said something else: 1"),
        (to_a_stranger, "I7 a mail about a patient went to somebody who has nothing to do with it: 5"),
        (nowhere, "I8 a reminder is in no known state: 1"),
        (kept_address, "I8 an address that somebody typed outlived its reminder: 1"),
        (silent, "I2 a reminder is neither sent nor visibly ended although its time is over: 1"),
        (never_planned, "I2 a slot came and nobody planned its reminder: 1"),
        (too_late, "I4 a mail was accepted after its time was over: 1"),
        (after_the_record, "I5 a mail was marked although its injection was recorded: 1"),
        (forgotten, "I6 a reminder is being sent for longer than its lease: 1"),
        (to_nobody, "I7 a mail went to nobody: 1"),
    ],
)
def test_every_breach_is_named_and_the_check_fails(
    cast: Cast, plan: Plan, breach: Callable[[Cast, Plan], None], sentence: str
) -> None:
    breach(cast, plan)
    assert invariants.broken(clocks.database_now()) == [sentence]
    with pytest.raises(SystemExit) as exit_code:
        command("--check")
    assert exit_code.value.code == 1


def right_mails(cast: Cast, plan: Plan) -> None:
    """Marked mails that were right when they were marked, and whatever changed by right a moment later."""
    first = plan.cycles.get().doses.earliest("due_at")
    marked(cast, "injection_due", says_at=first.due_at, says_amount=first.amount)
    marked(cast, "cycle_week")
    sharing = Sharing.objects.get(person=cast.sam)
    accounts.tell_if_not_recorded(by=cast.anna, sharing=sharing, told=True)
    marked(cast, "carer_missing", recipient=cast.sam)
    marked(cast, "red_flag", recipient=cast.ben)
    actions.choose(by=cast.anna, switches={"cycle_week": False, "injection_due": False})
    factories.hold(cast.anna, plan.cycles.get(), kind="infection")
    PlannedDose.objects.filter(pk=first.pk).update(amount=first.amount + 1)
    accounts.stop_sharing(by=cast.anna, sharing=sharing)


def test_what_changed_after_the_mark_is_no_breach(cast: Cast, plan: Plan) -> None:
    right_mails(cast, plan)
    assert invariants.broken(clocks.database_now()) == []


def test_a_mail_that_left_after_a_talk_is_no_breach_whatever_the_patient_wrote_later(cast: Cast, plan: Plan) -> None:
    spoken_with(cast, "reached")
    assert invariants.broken(clocks.database_now()) == []
    later = timezone.now() + MINUTE
    alerts.answer(by=cast.anna, alert=Alert.objects.get(), answer="not_reached", now=later)
    assert invariants.broken(clocks.database_now()) == []


def test_every_invariant_is_asked_and_has_a_breach_of_its_own() -> None:
    breaches = next(
        mark.args[1] for mark in test_every_breach_is_named_and_the_check_fails.pytestmark if mark.name == "parametrize"
    )
    assert set(invariants.QUESTIONS) == {sentence.rpartition(":")[0] for _breach, sentence in breaches}
    assert {sentence[:2] for sentence in invariants.QUESTIONS} == {"I1", "I2", "I4", "I5", "I6", "I7", "I8"}


@pytest.mark.parametrize(
    ("what", "ago"),
    [("created_at", 0 * MINUTE), ("due_at", 2 * MINUTE), ("due_at", 25 * HOUR)],
    ids=["planned afterwards", "a moment ago", "long ago"],
)
def test_a_slot_without_a_row_may_have_an_excuse(cast: Cast, plan: Plan, what: str, ago: timedelta) -> None:
    never_planned(cast, plan)
    now = timezone.now()
    PlannedDose.objects.filter(due_at__lt=now).update(**{what: now - ago})
    assert invariants.broken(clocks.database_now()) == []


def test_a_slot_whose_record_was_undone_needs_no_row(cast: Cast, plan: Plan) -> None:
    never_planned(cast, plan)
    first = plan.cycles.get().doses.earliest("due_at")
    factories.void(cast.anna, factories.injection(cast.anna_patient, cast.anna, first).injection)
    assert invariants.broken(clocks.database_now()) == []


def test_a_mail_about_a_slot_whose_record_was_undone_is_a_breach(cast: Cast, plan: Plan) -> None:
    after_the_record(cast, plan)
    Injection.objects.update(voided_at=F("recorded_at") + MINUTE)
    assert invariants.broken(clocks.database_now()) == [
        "I5 a mail was marked although its injection was recorded: 1",
    ]
