"""An urgent report is told to the clinic by mail: at once, one person after the other, until somebody answers."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Membership, Patient, Sharing, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert, Transition
from il2tracker.reminders import claiming, invariants, mails, planning, sending
from il2tracker.reminders.clocks import database_now
from il2tracker.reminders.models import Delivery, Reminder
from il2tracker.reminders.of_alerts import Course
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def short_patience(settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 1


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


def join(cast: Cast, clinic: Clinic, name: str, rank: int | None, title: str = "nurse") -> User:
    person = factories.user(name)
    accounts.join_clinic(by=cast.eve, clinic=clinic, user=person, title=title, on_call_rank=rank)
    return person


@pytest.fixture
def rota(cast: Cast) -> dict[str, User]:
    """Ben is called first, then Nora; Olaf and Pia have no place in the order."""
    people = {"Ben": cast.ben, "Nora": join(cast, cast.north, "Nora", 2)}
    return people | {name: join(cast, cast.north, name, None) for name in ("Olaf", "Pia")}


def raised(patient: Patient, *, tier: str = "RED", ago: timedelta = timedelta(0), **facts: Any) -> Alert:
    assert patient.user is not None
    what = {"rule": "T2", "title": "Much less urine", "evidence": "", "source": "sideeffects.checkin"}
    what |= {"source_ref": "chk1234567", **facts}
    return alerts.raise_alert(by=patient.user, patient=patient, tier=tier, now=timezone.now() - ago, **what)


def pass_by(time: timedelta) -> None:
    """As if so much time had gone by: alerts, mails and answers all lie so much further back."""
    for alert in Alert.objects.all():
        Alert.objects.filter(pk=alert.pk).update(
            raised_at=alert.raised_at - time,
            notified_at=alert.notified_at and alert.notified_at - time,
            nobody_reached_at=alert.nobody_reached_at and alert.nobody_reached_at - time,
        )
    for row in Reminder.objects.filter(kind="red_flag"):
        names = ("due_at", "expires_at", "next_attempt_at", "says_at", "accepted_at", "handing_over_at")
        moved = {name: moment - time for name in names if (moment := getattr(row, name))}
        Reminder.objects.filter(pk=row.pk).update(**moved)


def told(sink: SmtpSink) -> list[str]:
    """Who got a mail, by name, in order."""
    return [received.rcpt_tos[0].partition("@")[0].capitalize() for received in sink.messages]


def row_of(user: User) -> Reminder:
    return Reminder.objects.exclude(occurrence__contains="/").get(kind="red_flag", recipient=user)


# At once


def test_the_first_on_call_has_the_mail_at_the_very_next_sweep(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    alert = raised(cast.anna_patient)
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    alert.refresh_from_db()
    assert alert.notified_at == row_of(cast.ben).accepted_at
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]


def test_a_sweep_asks_one_statement_more_while_nothing_urgent_is_open(cast: Cast) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            planning.plan_reports()
        return len(asked)

    assert statements() == 1
    answered = raised(cast.dan_patient)
    alerts.acknowledge(by=cast.ben, alert=answered, now=timezone.now())
    assert statements() == 1


def test_the_statements_do_not_grow_with_reports_and_people(cast: Cast, rota: dict[str, User]) -> None:
    def statements() -> int:
        planning.plan_reports()
        with CaptureQueriesContext(connection) as asked:
            planning.plan_reports()
        return len(asked)

    raised(cast.anna_patient)
    one = statements()
    for name in ("Quin", "Rita", "Sven"):
        join(cast, cast.north, name, None)
    raised(cast.dan_patient)
    raised(cast.anna_patient, source_ref="chk7654321")
    assert statements() == one <= 15


def test_it_leaves_before_everything_else_that_is_due(cast: Cast, smtp_sink: SmtpSink) -> None:
    for _ in range(3):
        outbox.row(cast.dan_patient, kind="test", urgency=2)
    raised(cast.anna_patient)
    sending.sweep()
    assert told(smtp_sink)[0] == "Ben"


def test_it_leaves_at_night_and_whatever_else_was_sent_that_day(cast: Cast, smtp_sink: SmtpSink) -> None:
    Delivery.objects.create(user=cast.ben, quiet_from="00:00", quiet_to="23:59", doses_pass=False, most_per_day=1)
    raised(cast.anna_patient)
    raised(cast.dan_patient)
    sending.sweep()
    assert told(smtp_sink) == ["Ben", "Ben"]


@pytest.mark.parametrize(("tier", "told_of"), [("EMERGENCY", 1), ("RED", 1), ("AMBER", 0)])
def test_only_what_is_urgent_is_told(cast: Cast, tier: str, told_of: int) -> None:
    raised(cast.anna_patient, tier=tier)
    planning.plan_reports()
    planning.plan()
    assert Reminder.objects.filter(kind="red_flag").count() == told_of


def test_several_signs_of_one_entry_are_one_mail(cast: Cast, smtp_sink: SmtpSink) -> None:
    now = timezone.now()
    entry = {"evidence": "", "source": "sideeffects.checkin", "source_ref": "chk1234567", "now": now}
    both = [
        alerts.raise_alert(by=cast.anna, patient=cast.anna_patient, rule=rule, tier=tier, title=rule, **entry)
        for rule, tier in (("T2", "RED"), ("T5", "EMERGENCY"))
    ]
    sending.sweep()
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    for alert in both:
        alert.refresh_from_db()
        assert alert.notified_at is not None
    alerts.acknowledge(by=cast.ben, alert=both[0], now=timezone.now())
    planning.plan()
    assert row_of(cast.ben).state == "sent"
    join(cast, cast.north, "Nora", 2)
    planning.plan()
    assert Reminder.objects.filter(kind="red_flag", state="planned").count() == 1, "one of the two still waits"


# One after the other


def test_step_by_step_until_nobody_is_left(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    alert = raised(cast.anna_patient)
    sending.sweep()
    pass_by(14 * MINUTE)
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    pass_by(MINUTE)
    sending.sweep()
    assert told(smtp_sink) == ["Ben", "Nora"]
    pass_by(15 * MINUTE)
    sending.sweep()
    assert told(smtp_sink)[:2] == ["Ben", "Nora"]
    assert sorted(told(smtp_sink)[2:]) == ["Olaf", "Pia"]
    pass_by(14 * MINUTE)
    planning.plan()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is None
    pass_by(2 * MINUTE)
    for _ in range(2):
        planning.plan()
        sending.sweep()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is not None
    assert len(smtp_sink.messages) == 4
    said = Transition.objects.filter(alert_ref=alert.ref).order_by("pk").values_list("what", flat=True)
    assert list(said) == ["raised", "notified", "nobody_reached"]
    assert invariants.broken(database_now()) == []


def test_without_an_order_everybody_is_told_at_once(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    Membership.objects.filter(clinic=cast.north).update(on_call_rank=None)
    raised(cast.anna_patient)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora", "Olaf", "Pia"]


def test_the_clinics_own_minutes_count(cast: Cast, rota: dict[str, User]) -> None:
    Clinic.objects.filter(pk=cast.north.pk).update(escalate_after=5)
    alert = raised(cast.anna_patient)
    planning.plan_reports()
    assert [row_of(rota[name]).due_at - alert.raised_at for name in ("Nora", "Olaf")] == [5 * MINUTE, 10 * MINUTE]


def test_however_many_minutes_a_clinic_takes_the_last_one_is_told_while_it_is_useful(
    cast: Cast, rota: dict[str, User]
) -> None:
    Clinic.objects.filter(pk=cast.north.pk).update(escalate_after=1000)
    raised(cast.anna_patient)
    planning.plan_reports()
    assert all(row.due_at < row.expires_at for row in Reminder.objects.filter(kind="red_flag"))


@pytest.mark.parametrize("hours", [13, 24, 500])
def test_however_many_minutes_a_clinic_takes_it_is_said_that_nobody_was_reached(cast: Cast, hours: int) -> None:
    """Twelve hours after the last one was to be told, and even when nobody looked at that moment."""
    Clinic.objects.filter(pk=cast.north.pk).update(escalate_after=hours * 60)
    alert = raised(cast.anna_patient)
    planning.plan_reports()
    pass_by(12 * HOUR - MINUTE)
    planning.plan()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is None
    pass_by(18 * HOUR)
    planning.plan()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is not None


@pytest.mark.parametrize(("minutes", "allowed"), [(0, False), (1, True), (720, True), (721, False)])
def test_a_clinic_hands_on_within_half_a_day(cast: Cast, minutes: int, allowed: bool) -> None:
    cast.north.escalate_after = minutes
    if allowed:
        cast.north.clean_fields()
    else:
        with pytest.raises(ValidationError, match="escalate_after"):
            cast.north.clean_fields()


def test_the_last_step_of_a_slow_clinic_is_waited_for_and_then_nobody_was_reached(
    cast: Cast, rota: dict[str, User]
) -> None:
    Clinic.objects.filter(pk=cast.north.pk).update(escalate_after=12 * 60)
    alert = raised(cast.anna_patient, ago=24 * HOUR + MINUTE)
    planning.plan()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is not None


# By another computer's clock


def test_a_report_from_a_computer_with_a_fast_clock_is_told_at_once(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    raised(cast.anna_patient, ago=-20 * MINUTE)
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    wait = row_of(rota["Nora"]).next_attempt_at - database_now()
    assert 14 * MINUTE < wait <= 15 * MINUTE, "the next one after the clinic's minutes, on the same clock"


def test_whoever_becomes_the_first_is_told_at_once_too(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    raised(cast.anna_patient, ago=-20 * MINUTE)
    planning.plan_reports()
    Delivery.objects.create(user=cast.ben, refused_address=cast.ben.email)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora"]


def test_a_fast_clock_does_not_cut_a_wait_for_the_server_short(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    raised(cast.anna_patient, ago=-20 * MINUTE)
    smtp_sink.refuse()
    sending.sweep()
    waits_until = row_of(cast.ben).next_attempt_at
    assert waits_until > database_now() + 10 * timedelta(seconds=1)
    planning.plan_reports()
    assert row_of(cast.ben).next_attempt_at == waits_until


def test_only_the_choices_of_the_people_of_the_clinic_are_read(cast: Cast, rota: dict[str, User]) -> None:
    for person in (cast.anna, cast.dan, cast.ben):
        Delivery.objects.create(user=person)
    raised(cast.anna_patient)
    planning.plan_reports()
    with CaptureQueriesContext(connection) as asked:
        planning.plan_reports()
    of_people = [query["sql"] for query in asked if 'FROM "reminders_delivery"' in query["sql"]]
    assert of_people
    assert all('"user_id" IN (' in statement for statement in of_people)


def test_a_change_of_the_order_tells_nobody_twice(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    raised(cast.anna_patient)
    sending.sweep()
    for name, rank in (("Olaf", 1), ("Ben", 2), ("Nora", 3)):
        Membership.objects.filter(user=rota[name]).update(on_call_rank=rank)
    sending.sweep()
    assert told(smtp_sink) == ["Ben", "Olaf"]
    pass_by(HOUR)
    sending.sweep()
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora", "Olaf", "Pia"]


def test_each_clinic_of_the_patient_is_told_by_its_own_order(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    accounts.share_with_clinic(by=cast.anna, patient=cast.anna_patient, clinic=cast.south)
    raised(cast.anna_patient)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Carla"]


def test_whoever_works_in_both_is_told_once(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    accounts.share_with_clinic(by=cast.anna, patient=cast.anna_patient, clinic=cast.south)
    accounts.join_clinic(by=cast.eve, clinic=cast.south, user=rota["Nora"], title="nurse", on_call_rank=0)
    raised(cast.anna_patient)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora"], "at the earlier of her two moments"
    pass_by(HOUR)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Carla", "Nora", "Olaf", "Pia"]


# Who is not told


def test_a_patient_who_works_there_is_not_told_of_his_own_report(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    accounts.join_clinic(by=cast.eve, clinic=cast.north, user=cast.anna, title="nurse", on_call_rank=0)
    raised(cast.anna_patient)
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    pass_by(HOUR)
    sending.sweep()
    assert "Anna" not in told(smtp_sink)


@pytest.mark.parametrize("still", [True, False])
def test_a_refused_address_hands_on_at_once_and_is_tried_all_the_same(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink, still: bool
) -> None:
    """R5: the refusal may have been the server's own mistake, and then nobody else may be reached either."""
    Delivery.objects.create(user=cast.ben, refused_address=cast.ben.email, refused_cause="RCPT 550")
    raised(cast.anna_patient)
    if still:
        smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    sending.sweep()
    assert sorted(told(smtp_sink)) == (["Nora"] if still else ["Ben", "Nora"])
    assert row_of(cast.ben).state == ("dead" if still else "sent")
    assert Delivery.objects.exclude(refused_address="").exists() is still, "an accepted one clears the refusal"


def test_a_clinic_whose_every_address_is_refused_is_tried_as_a_whole(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    for person in rota.values():
        Delivery.objects.create(user=person, refused_address=person.email, refused_cause="RCPT 550")
    raised(cast.anna_patient)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora", "Olaf", "Pia"]


def test_whose_address_is_refused_reads_his_own_place_in_the_order(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    Delivery.objects.create(user=cast.ben, refused_address=cast.ben.email, refused_cause="RCPT 550")
    raised(cast.anna_patient)
    planning.plan_reports()
    said = " ".join(str(mails.build(row_of(cast.ben), timezone.now()).body).split())
    assert "it goes to the next person. You receive this because you are on call for" in said
    assert "Nobody is told after you" not in said


def test_a_refusal_of_this_very_mail_hands_on_at_once(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    raised(cast.anna_patient)
    smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    sending.sweep()
    assert row_of(cast.ben).state == "dead"
    assert told(smtp_sink) == ["Nora"]


def test_who_may_not_sign_in_any_more_is_left_out(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    User.objects.filter(pk=cast.ben.pk).update(is_active=False)
    raised(cast.anna_patient)
    sending.sweep()
    assert told(smtp_sink) == ["Nora"]


@pytest.mark.parametrize("what", ["left the clinic", "stopped sharing", "was barred"])
def test_what_ends_before_the_mail_leaves_ends_the_mail(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink, what: str
) -> None:
    raised(cast.anna_patient)
    planning.plan_reports()
    if what == "left the clinic":
        Membership.objects.filter(user=cast.ben).delete()
    elif what == "stopped sharing":
        Sharing.objects.filter(clinic=cast.north).update(revoked_at=timezone.now())
    else:
        User.objects.filter(pk=cast.ben.pk).update(is_active=False)
    planning.plan_reports()
    sending.sweep()
    row = row_of(cast.ben)
    assert (row.state, row.cancel_reason) == ("cancelled", "no_recipient")
    assert "Ben" not in told(smtp_sink)


# What ends it


def acknowledged(cast: Cast, alert: Alert) -> None:
    alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now())


def test_an_acknowledgement_ends_it(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    alert = raised(cast.anna_patient)
    sending.sweep()
    acknowledged(cast, alert)
    planning.plan()
    pass_by(5 * HOUR)
    planning.plan()
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    row = row_of(rota["Nora"])
    assert (row.state, row.cancel_reason) == ("cancelled", "answered")
    alert.refresh_from_db()
    assert alert.nobody_reached_at is None


def test_an_acknowledgement_between_the_claim_and_the_mark_keeps_the_mail_back(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    alert = raised(cast.anna_patient)
    planning.plan_reports()
    batch = claiming.claim()
    acknowledged(cast, alert)
    sending.send(batch)
    assert smtp_sink.messages == []
    assert row_of(cast.ben).cancel_reason == "answered"


@pytest.mark.parametrize("answer", ["called", "mistake"])
def test_what_the_patient_answers_does_not_end_it(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink, answer: str
) -> None:
    alert = raised(cast.anna_patient)
    alerts.answer(by=cast.anna, alert=alert, answer=answer, now=timezone.now())
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]


# "I cannot reach them"


def cannot_reach(cast: Cast, alert: Alert) -> None:
    alerts.answer(by=cast.anna, alert=alert, answer="not_reached", now=timezone.now())


def test_who_cannot_reach_the_clinic_has_the_next_one_told_at_once_and_the_others_in_their_turn(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    alert = raised(cast.anna_patient)
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]
    pass_by(5 * MINUTE)
    cannot_reach(cast, alert)
    sending.sweep()
    assert told(smtp_sink) == ["Ben", "Nora"]
    assert row_of(rota["Olaf"]).due_at - row_of(rota["Nora"]).due_at == 15 * MINUTE
    assert invariants.broken(database_now()) == []


def test_each_time_one_more_is_told(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    alert = raised(cast.anna_patient, ago=5 * MINUTE)
    cannot_reach(cast, alert)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora"]
    cannot_reach(cast, alert)
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora", "Olaf", "Pia"]


def test_who_reaches_somebody_in_the_end_hurries_nobody_any_more(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    alert = raised(cast.anna_patient, ago=5 * MINUTE)
    cannot_reach(cast, alert)
    alerts.answer(by=cast.anna, alert=alert, answer="called", now=timezone.now())
    sending.sweep()
    assert told(smtp_sink) == ["Ben"]


def test_what_was_acknowledged_is_told_again_to_who_has_it_and_at_once_to_the_next(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    alert = raised(cast.anna_patient, ago=5 * MINUTE)
    sending.sweep()
    acknowledged(cast, alert)
    planning.plan()
    assert row_of(rota["Nora"]).cancel_reason == "answered"
    cannot_reach(cast, alert)
    for _ in range(2):
        sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Ben", "Nora"]
    again = smtp_sink.messages[-1].message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "They wrote that they could not get through." in " ".join(again.split())
    assert "It was acknowledged before, and somebody is needed again." in " ".join(again.split())
    assert invariants.broken(database_now()) == []


def test_a_call_by_the_clinic_ends_it_again(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    alert = raised(cast.anna_patient, ago=5 * MINUTE)
    sending.sweep()
    acknowledged(cast, alert)
    cannot_reach(cast, alert)
    alerts.take_step(by=cast.ben, alert=alert, what="reached", now=timezone.now())
    for _ in range(2):
        planning.plan()
        sending.sweep()
    assert told(smtp_sink) == ["Ben"]


@pytest.mark.parametrize("what", ["not_reached", "note"])
def test_what_reaches_nobody_does_not_end_it(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink, what: str) -> None:
    alert = raised(cast.anna_patient, ago=5 * MINUTE)
    sending.sweep()
    acknowledged(cast, alert)
    cannot_reach(cast, alert)
    alerts.take_step(by=cast.ben, alert=alert, what=what, note="I try.", now=timezone.now())
    sending.sweep()
    assert told(smtp_sink).count("Ben") == 2
    assert len(told(smtp_sink)) == 3, "the next on call has been told too"


def test_it_is_told_also_days_after_it_was_acknowledged(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    alert = raised(cast.anna_patient, ago=30 * HOUR)
    alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now() - 29 * HOUR)
    cannot_reach(cast, alert)
    sending.sweep()
    assert "Ben" in told(smtp_sink)


def test_one_sign_of_an_old_report_that_is_lifted_is_told_under_the_name_of_the_whole(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    """A sign of two check-ins may be answered beside the later one alone."""
    first = raised(cast.anna_patient, ago=30 * HOUR)
    other = raised(cast.anna_patient, rule="T7")
    Alert.objects.filter(pk=other.pk).update(raised_at=first.raised_at)
    for alert in (first, other):
        alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now() - 29 * HOUR)
    cannot_reach(cast, other)
    sending.sweep()
    assert "Ben" in told(smtp_sink)
    assert {row.cancel_reason for row in Reminder.objects.filter(kind="red_flag", state="cancelled")} <= {"answered"}


START = datetime(2026, 11, 21, 21, tzinfo=UTC)
MOMENTS: dict[str, tuple[list[int], int | None, list[int]]] = {
    "nobody calls": ([], None, [0, 15, 30, 45]),
    "a call brings the next one at once": ([4], None, [0, 4, 19, 34]),
    "two calls bring two": ([4, 6], None, [0, 4, 6, 21]),
    "a call after the second": ([20], None, [0, 15, 20, 35]),
    "in hand, then a call": ([40], 10, [0, 40, 55, 70]),
    "in hand after two, then a call": ([40], 20, [0, 15, 40, 55]),
    "in hand and no call": ([], 10, [0, 15, 30, 45]),
    "a call, in hand, a call": ([4, 40], 10, [0, 4, 40, 55]),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_when_one_after_the_other_is_told(name: str) -> None:
    calls, stopped, minutes = MOMENTS[name]
    at = [START + minute * MINUTE for minute in calls]
    course = Course(START, tuple(at), None if stopped is None else START + stopped * MINUTE)
    assert list(islice(course.moments(15 * MINUTE), 4)) == [START + minute * MINUTE for minute in minutes]


def test_after_a_day_it_is_too_late_to_tell_anybody_and_that_is_seen(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    raised(cast.anna_patient)
    planning.plan_reports()
    pass_by(24 * HOUR)
    planning.plan()
    sending.sweep()
    assert smtp_sink.messages == []
    assert set(Reminder.objects.filter(kind="red_flag").values_list("state", flat=True)) == {"expired"}


def test_without_a_clinic_nobody_is_told_and_nobody_is_missed(smtp_sink: SmtpSink) -> None:
    lone = factories.lone_patient()
    alert = raised(lone, ago=HOUR)
    planning.plan()
    sending.sweep()
    alert.refresh_from_db()
    assert smtp_sink.messages == []
    assert alert.nobody_reached_at is None


def test_a_clinic_in_which_nobody_can_be_told_has_reached_nobody_at_once(cast: Cast) -> None:
    Membership.objects.filter(clinic=cast.north).delete()
    alert = raised(cast.anna_patient, ago=HOUR)
    planning.plan()
    alert.refresh_from_db()
    assert (alert.notified_at, alert.nobody_reached_at is not None) == (None, True)


def test_a_server_that_comes_back_late_tells_all_whose_turn_has_come_and_gives_them_their_minutes(
    cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink
) -> None:
    smtp_sink.refuse()
    alert = raised(cast.anna_patient)
    sending.sweep()
    pass_by(40 * MINUTE)
    smtp_sink.accept()
    sending.sweep()
    assert sorted(told(smtp_sink)) == ["Ben", "Nora", "Olaf", "Pia"]
    pass_by(14 * MINUTE)
    planning.plan()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is None
    pass_by(2 * MINUTE)
    planning.plan()
    alert.refresh_from_db()
    assert alert.nobody_reached_at is not None


def test_a_server_that_stays_away_is_not_waited_for(cast: Cast, rota: dict[str, User], smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse()
    alert = raised(cast.anna_patient)
    sending.sweep()
    pass_by(46 * MINUTE)
    planning.plan()
    alert.refresh_from_db()
    assert (alert.notified_at, alert.nobody_reached_at is not None) == (None, True)


# At once, in many processes


@pytest.mark.django_db(transaction=True)
def test_no_mail_is_marked_after_the_acknowledgement_was_committed(smtp_sink: SmtpSink) -> None:
    cast = factories.cast()
    Clinic.objects.filter(pk=cast.north.pk).update(escalate_after=0)
    for number in range(6):
        join(cast, cast.north, f"Nurse{number}", number + 2)
    for _ in range(8):
        _race(cast)
    assert invariants.broken(database_now()) == []


def _race(cast: Cast) -> None:
    """One report; a sweep runs while Ben acknowledges it. What is marked later than that is an error."""
    alert = raised(cast.anna_patient, source_ref=f"chk{random.randrange(10**7):07}")
    planning.plan_reports()
    done: list[datetime] = []

    def answer() -> None:
        acknowledged(cast, alert)
        done.append(database_now())

    errors: list[Exception] = []

    def run(work: Any) -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in (sending.sweep, answer, sending.sweep)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    sending.sweep()
    assert errors == []
    rows = Reminder.objects.filter(kind="red_flag", occurrence=f"a{alert.ref}")
    late = rows.filter(handing_over_at__gt=done[0] + timedelta(seconds=1) * (connection.vendor == "sqlite"))
    assert not late.exists()
    assert not rows.filter(state="planned").exists()
