"""The mail that asks how a patient is: only to who wants it, on the days on which Today asks, and never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cycles.models import Cycle, Plan, PlanVersion
from il2tracker.accounts.models import Patient, User
from il2tracker.reminders import (
    actions,
    facts,
    facts_of_check_ins,
    invariants,
    kinds,
    mails,
    of_check_ins,
    planning,
    sending,
)
from il2tracker.reminders.clocks import database_now
from il2tracker.reminders.models import Reminder
from il2tracker.reminders.of_check_ins import CheckInFact
from il2tracker.reminders.wishes import Choices, Owner, Reason, Wish
from il2tracker.today import board, feel
from sideeffects.actions import record_check_in
from sideeffects.answers import Answers
from sideeffects.cadence import Ask
from sideeffects.units import Temperature
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

DAY = date(2027, 3, 3)
ONE_DAY = timedelta(days=1)
ON = Choices(on=frozenset({(7, kinds.CHECK_IN)}))
COURSE = frozenset(DAY + n * ONE_DAY for n in range(5))


def utc(day: date, *hour: int) -> datetime:
    return datetime.combine(day, time(*hour), tzinfo=UTC)


def wishes(
    *, days: frozenset[date] = COURSE, last: date | None = None, fever: date | None = None, **more: Any
) -> list[Wish]:
    owner = more.get("owner", Owner(1, 7, is_active=True, plan_ended=False))
    fact = CheckInFact(owner, more.get("zone", "UTC"), days, last, fever)
    since, until = more.get("since", utc(DAY, 6)), more.get("until", utc(DAY, 23))
    return list(of_check_ins.of_patients([fact], since, until, more.get("choices", ON)))


# The rule


def test_it_is_due_at_nine_and_over_in_the_evening() -> None:
    [wish] = wishes()
    assert (wish.kind, wish.occurrence, wish.unwanted) == (kinds.CHECK_IN, "check@2027-03-03", None)
    assert (wish.due_at, wish.expires_at) == (utc(DAY, 9), utc(DAY, 21))
    assert (wish.recipient_id, wish.patient_id) == (7, 1)


def test_it_comes_at_nine_where_the_patient_lives() -> None:
    [wish] = wishes(zone="America/New_York", until=utc(DAY, 23))
    assert wish.due_at == utc(DAY, 14)


def test_every_day_of_a_course_and_two_days_after_it() -> None:
    found = wishes(until=utc(DAY + 12 * ONE_DAY, 23))
    assert [wish.due_at.date() - DAY for wish in found] == [n * ONE_DAY for n in range(7)]


def test_not_on_a_day_on_which_something_is_written_already() -> None:
    assert wishes(last=DAY) == []
    assert len(wishes(last=DAY - ONE_DAY)) == 1


def test_over_the_limit_it_is_asked_again_the_next_day_under_a_name_of_its_own() -> None:
    [wish] = wishes(days=frozenset(), fever=DAY - ONE_DAY)
    assert wish.occurrence == "check@2027-03-03/fever"
    assert of_check_ins.is_about_fever(wish.occurrence)
    assert wishes(days=frozenset(), fever=DAY) == []


def test_nobody_gets_it_who_did_not_ask_for_it() -> None:
    assert [wish.unwanted for wish in wishes(choices=Choices())] == [Reason.TURNED_OFF]


def test_who_cannot_get_mail_gets_none() -> None:
    gone = Owner(1, 7, is_active=False, plan_ended=False)
    assert [wish.unwanted for wish in wishes(owner=gone)] == [Reason.NO_RECIPIENT]
    assert wishes(owner=Owner(1, None, is_active=False, plan_ended=False)) == []


# In the outbox


@pytest.fixture
def cast(db: None) -> Cast:
    cast = factories.cast()
    factories.plan(cast.anna_patient, cast.ben, starts_on=local().date(), now=timezone.now() - 9 * ONE_DAY)
    return cast


def local() -> datetime:
    return timezone.now().astimezone(ZoneInfo("Europe/London"))


def tomorrow() -> datetime:
    return datetime.combine(local().date() + ONE_DAY, time(6), tzinfo=ZoneInfo("Europe/London"))


def known() -> list[CheckInFact]:
    return facts_of_check_ins.of_all(facts.choices(), timezone.now())


def wants(user: User, *, is_on: bool = True) -> None:
    actions.choose(by=user, switches={kinds.CHECK_IN: is_on})


def writes(cast: Cast, *, days_ago: int = 0, celsius: str = "") -> None:
    reading = Temperature(Decimal(celsius), "C") if celsius else None
    answers = Answers(none_of_flags=True, temperature=reading, temperature_typed=celsius)
    at = timezone.now() - days_ago * ONE_DAY
    record_check_in(by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=answers, now=at)


def of_tomorrow(cast: Cast) -> Reminder:
    planning.plan(tomorrow())
    row = Reminder.objects.filter(kind="check_in", recipient=cast.anna).earliest("due_at")
    outbox.bring_to_now(Reminder.objects.filter(pk=row.pk))
    return row


def test_it_is_planned_only_for_who_switched_it_on(cast: Cast) -> None:
    planning.plan(tomorrow())
    assert not Reminder.objects.filter(kind="check_in").exists()
    wants(cast.anna)
    planning.plan(tomorrow())
    assert {row.recipient for row in Reminder.objects.filter(kind="check_in")} == {cast.anna}
    assert planning.plan(tomorrow()) == planning.Planned(0, 0, 0, 0)
    wants(cast.anna, is_on=False)
    planning.plan(tomorrow())
    assert not Reminder.objects.filter(kind="check_in", state="planned").exists()


def test_it_leaves_once_and_says_nothing(cast: Cast, smtp_sink: SmtpSink) -> None:
    wants(cast.anna)
    of_tomorrow(cast)
    for _ in range(2):
        sending.sweep()
    [received] = [each for each in smtp_sink.messages if "/check-in/" in str(each.message.get_body(("plain",)))]
    assert received.rcpt_tos == ("anna@example.org",)
    assert received.message["Subject"] == "A question in your diary"
    assert "List-Unsubscribe" in received.message
    assert invariants.broken(database_now()) == []


def test_the_switch_keeps_it_back_at_the_last_moment(cast: Cast, smtp_sink: SmtpSink) -> None:
    wants(cast.anna)
    row = of_tomorrow(cast)
    wants(cast.anna, is_on=False)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "turned_off")


@pytest.mark.parametrize(
    ("level", "subject"),
    [
        ("discreet", "A question in your diary"),
        ("plain", "How are you today?"),
        ("full", "How is your temperature today?"),
    ],
)
def test_only_who_wants_everything_in_mails_reads_of_a_temperature(cast: Cast, level: str, subject: str) -> None:
    Patient.objects.filter(pk=cast.anna_patient.pk).update(privacy=level)
    wants(cast.anna)
    writes(cast, celsius="39.5")
    row = of_tomorrow(cast)
    assert row.occurrence.endswith("/fever")
    mail = mails.build(Reminder.objects.get(pk=row.pk), timezone.now())
    assert mail.subject == subject
    assert ("temperature" in mail.body) is (level == "full")


@pytest.mark.parametrize(("celsius", "fever"), [("38.89", True), ("38.8", False)])
def test_the_limit_of_the_plan_decides_whether_fever_is_asked_about(cast: Cast, celsius: str, fever: bool) -> None:
    """102 °F is 38.888… °C."""
    wants(cast.anna)
    writes(cast, celsius=celsius)
    [fact] = known()
    assert fact.last_on == local().date()
    assert (fact.fever_on == local().date()) is fever


def test_a_later_reading_below_the_limit_ends_it(cast: Cast) -> None:
    wants(cast.anna)
    writes(cast, days_ago=1, celsius="39.5")
    assert known()[0].fever_on is not None
    writes(cast, celsius="37.0")
    assert known()[0].fever_on is None


def test_planning_asks_as_much_for_many_as_for_one(cast: Cast) -> None:
    def statements() -> int:
        choices = facts.choices()
        with CaptureQueriesContext(connection) as asked:
            facts_of_check_ins.of_all(choices, timezone.now())
        return len(asked)

    wants(cast.anna)
    one = statements()
    wants(cast.dan)
    factories.plan(cast.dan_patient, cast.ben)
    writes(cast, celsius="39.5")
    assert statements() == one == 3


# The same as on Today


def plan_ends() -> None:
    Plan.objects.update(ended_on=local().date() - ONE_DAY)


def follows(cast: Cast) -> None:
    """A kidney plan (38.0 °C) after the one for HIV (102 °F)."""
    plan_ends()
    Cycle.objects.update(state=Cycle.State.CANCELLED)
    factories.plan(cast.anna_patient, cast.ben, protocol="kidney-label", starts_on=local().date())


def is_changed(cast: Cast) -> None:
    """From a course to come on 37.5 °C; the limit of today stays."""
    version = PlanVersion.objects.get()
    starts_on = local().date() + 56 * ONE_DAY
    version.pk, version.number, version.starts_on = None, 2, starts_on
    version.fever_above, version.fever_unit = Decimal("37.5"), "C"
    version.save()


@pytest.mark.parametrize(
    ("happens", "celsius", "fever"),
    [
        (lambda _cast: None, "38.9", True),
        (lambda _cast: None, "38.5", False),
        (follows, "38.5", True),
        (follows, "38.0", False),
        (is_changed, "38.5", False),
        (lambda _cast: plan_ends(), "38.5", True),
        (lambda _cast: plan_ends(), "37.9", False),
    ],
)
def test_the_mail_and_today_ask_by_the_same_limit(cast: Cast, happens: Any, celsius: str, fever: bool) -> None:
    happens(cast)
    writes(cast, days_ago=1, celsius=celsius)
    felt = feel.read(board.read(cast.anna_patient, timezone.now()), "24")
    [fact] = facts_of_check_ins.of_patient(cast.anna_patient.pk, timezone.now())
    assert ((felt.ask is Ask.FEVER), (fact.fever_on is not None)) == (fever, fever)


def test_years_of_courses_are_not_read_at_every_tick(cast: Cast) -> None:
    """The course that began last and those to come say all there is to ask by."""
    course = Cycle.objects.get(starts_on=local().date())
    before = known_days(cast)
    for number in range(1, 40):
        first = course.starts_on - 56 * number * ONE_DAY
        facts = {"number": 100 + number, "starts_on": first, "last_dose_on": first + 4 * ONE_DAY}
        Cycle.objects.create(patient=cast.anna_patient, plan=course.plan, version=course.version, **facts)
    with CaptureQueriesContext(connection) as asked:
        assert known_days(cast) == before
    [of_courses] = [each["sql"] for each in asked.captured_queries if each["sql"].startswith('SELECT "cycles_cycle"')]
    with connection.cursor() as cursor:
        cursor.execute(of_courses)
        assert len(cursor.fetchall()) == Cycle.objects.filter(starts_on__gte=course.starts_on - 56 * ONE_DAY).count()


def known_days(cast: Cast) -> frozenset[date]:
    [fact] = facts_of_check_ins.of_patient(cast.anna_patient.pk, timezone.now())
    return fact.course_days
