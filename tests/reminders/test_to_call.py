"""The morning mail while a report to call about is open: when it is due, for whom, and what ends it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Membership, Sharing, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.reminders import invariants, kinds, of_calls, planning, sending
from il2tracker.reminders.clocks import database_now
from il2tracker.reminders.models import Preference, Reminder
from il2tracker.reminders.of_calls import ToCall
from il2tracker.reminders.of_clinics import MemberFact
from il2tracker.reminders.wishes import Choices, Reason, Wish
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

DAY = date(2027, 3, 3)  # a Wednesday
ONE_DAY = timedelta(days=1)
BEN = MemberFact(7, is_active=True, joined_at=datetime(2026, 1, 1, tzinfo=UTC), clinic_ref="north", zone="UTC")


def utc(day: date, *hour: int) -> datetime:
    return datetime.combine(day, time(*hour), tzinfo=UTC)


YESTERDAY = utc(DAY - ONE_DAY, 15)


def wishes(
    member: MemberFact = BEN, *, raised: datetime | None = YESTERDAY, user: int | None = 1, **more: Any
) -> list[Wish]:
    waiting = {"north": [ToCall(raised, user)]} if raised else {}
    since, until = more.get("since", utc(DAY, 6)), more.get("until", utc(DAY, 8))
    return list(of_calls.of_members([member], waiting, since, until, more.get("choices", Choices())))


# The rule


def test_it_is_due_every_morning_at_seven_and_over_in_the_evening() -> None:
    [wish] = wishes(since=utc(DAY, 6))
    assert (wish.kind, wish.occurrence) == (kinds.TO_CALL, "north@2027-03-03")
    assert (wish.recipient_id, wish.patient_id) == (7, None)
    assert (wish.due_at, wish.expires_at) == (utc(DAY, 7), utc(DAY, 19))
    assert wish.unwanted is None


@pytest.mark.parametrize(
    ("raised", "reason"),
    [(utc(DAY, 6, 59), None), (utc(DAY, 7), Reason.EMPTY), (utc(DAY, 9), Reason.EMPTY), (None, Reason.EMPTY)],
)
def test_only_what_was_reported_before_its_hour_is_a_reason(raised: datetime | None, reason: Reason | None) -> None:
    [wish] = [wish for wish in wishes(raised=raised) if wish.due_at == utc(DAY, 7)]
    assert wish.unwanted is reason


def test_it_comes_again_each_morning_while_it_waits() -> None:
    found = wishes(until=utc(DAY + 2 * ONE_DAY, 8))
    assert [wish.occurrence[-2:] for wish in found if not wish.unwanted] == ["03", "04", "05"]


@pytest.mark.parametrize(
    ("zone", "day", "due"),
    [
        ("Europe/London", date(2027, 3, 29), (2027, 3, 29, 6, 0)),
        ("America/New_York", date(2027, 11, 8), (2027, 11, 8, 12, 0)),
        ("Pacific/Kiritimati", date(2027, 3, 1), (2027, 2, 28, 17, 0)),
    ],
)
def test_it_keeps_the_clinics_own_hour_across_clock_changes(zone: str, day: date, due: tuple[int, ...]) -> None:
    member = MemberFact(7, is_active=True, joined_at=BEN.joined_at, clinic_ref="north", zone=zone)
    found = wishes(member, raised=utc(date(2027, 1, 1)), since=utc(day - ONE_DAY), until=utc(day + ONE_DAY))
    [wish] = [wish for wish in found if wish.occurrence == f"north@{day}"]
    assert wish.due_at == datetime(*due, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_nobody_is_told_of_his_own_report() -> None:
    assert [wish.unwanted for wish in wishes(user=7)] == [Reason.EMPTY] * len(wishes(user=7))


def test_who_switched_it_off_or_may_not_sign_in_gets_none() -> None:
    off = Choices(off=frozenset({(7, kinds.TO_CALL)}))
    assert {wish.unwanted for wish in wishes(choices=off)} == {Reason.TURNED_OFF}
    gone = MemberFact(7, is_active=False, joined_at=BEN.joined_at, clinic_ref="north", zone="UTC")
    assert {wish.unwanted for wish in wishes(gone)} == {Reason.NO_RECIPIENT}


def test_who_begins_after_its_hour_begins_with_the_next_morning() -> None:
    late = MemberFact(7, is_active=True, joined_at=utc(DAY, 7), clinic_ref="north", zone="UTC")
    assert [wish.occurrence for wish in wishes(late, until=utc(DAY + ONE_DAY, 8))] == ["north@2027-03-04"]


# In the outbox


@pytest.fixture
def cast(db: None) -> Cast:
    return factories.cast()


def tomorrow(hour: int = 6) -> datetime:
    """That hour in London on the next day."""
    now = timezone.now().astimezone(ZoneInfo("Europe/London"))
    return datetime.combine(now.date() + ONE_DAY, time(hour), tzinfo=now.tzinfo)


def reported(cast: Cast, tier: str = "AMBER") -> Alert:
    alert: Alert = factories.alert(cast.anna_patient, cast.anna, tier=tier)
    Alert.objects.filter(pk=alert.pk).update(raised_at=timezone.now() - ONE_DAY)
    alert.refresh_from_db()
    return alert


def rows(*people: User, state: str = "planned") -> list[Reminder]:
    found = Reminder.objects.filter(kind="to_call", state=state)
    return list((found.filter(recipient__in=people) if people else found).order_by("due_at"))


def of_tomorrow(cast: Cast) -> Reminder:
    planning.plan(tomorrow())
    found = rows(cast.ben)[0]
    outbox.bring_to_now(Reminder.objects.filter(pk=found.pk))
    return found


def test_nothing_is_planned_while_nothing_waits(cast: Cast) -> None:
    reported(cast, "RED")
    planning.plan(tomorrow())
    assert not Reminder.objects.filter(kind="to_call").exists()


def test_every_member_of_the_patients_clinic_has_one_and_nobody_else(cast: Cast) -> None:
    reported(cast)
    planning.plan(tomorrow())
    assert {row.recipient for row in rows()} == {cast.ben}
    assert planning.plan(tomorrow()) == planning.Planned(0, 0, 0, 0)


def test_it_leaves_once_with_codes_and_ages_and_nothing_else(cast: Cast, smtp_sink: SmtpSink) -> None:
    reported(cast)
    of_tomorrow(cast)
    for _ in range(2):
        sending.sweep()
    [received] = smtp_sink.messages
    assert received.rcpt_tos == ("ben@example.org",)
    assert received.message["Subject"] == "Panel today: 1 report to call about"
    text = received.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert f"- {cast.anna_patient.code}: 24 hours ago" in text
    for word in ("Anna", "urine", "T2"):
        assert word not in received.raw.decode()
    assert invariants.broken(database_now()) == []


ENDS = {
    "acknowledged": lambda cast, alert: alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now()),
    "not shared": lambda cast, alert: Sharing.objects.filter(clinic=cast.north).update(revoked_at=timezone.now()),
    "left": lambda cast, alert: Membership.objects.filter(user=cast.ben).delete(),
}


@pytest.mark.parametrize("what", ENDS)
@pytest.mark.parametrize("planned_again", [True, False])
def test_what_ends_it_keeps_it_back_until_the_last_moment(
    cast: Cast, smtp_sink: SmtpSink, what: str, planned_again: bool
) -> None:
    alert = reported(cast)
    row = of_tomorrow(cast)
    ENDS[what](cast, alert)
    if planned_again:
        planning.plan()
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, smtp_sink.messages) == ("cancelled", [])
    assert not rows() or not planned_again


def test_what_was_taken_in_hand_and_lifted_again_is_told_again(cast: Cast) -> None:
    alert = reported(cast)
    alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now() - timedelta(hours=2))
    planning.plan(tomorrow())
    assert rows() == []
    alerts.answer(by=cast.anna, alert=alert, answer="not_reached", now=timezone.now())
    planning.plan(tomorrow())
    assert {row.recipient for row in rows()} == {cast.ben}


def test_the_switch_keeps_it_back(cast: Cast, smtp_sink: SmtpSink) -> None:
    reported(cast)
    row = of_tomorrow(cast)
    Preference.objects.create(user=cast.ben, kind=kinds.TO_CALL, is_on=False)
    sending.sweep()
    row.refresh_from_db()
    assert (row.cancel_reason, smtp_sink.messages) == ("turned_off", [])


def test_the_mail_names_no_more_than_it_can_hold(cast: Cast, smtp_sink: SmtpSink) -> None:
    for number in range(30):
        patient = accounts.create_patient(by=cast.ben, clinic=cast.north, name=f"P{number}", time_zone="Europe/London")
        factories.alert(patient, cast.ben, tier="AMBER")
    Alert.objects.update(raised_at=timezone.now() - ONE_DAY)
    of_tomorrow(cast)
    sending.sweep()
    text = smtp_sink.messages[0].message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.count(": 24 hours ago") == 25
    assert "- and 5 more on the panel" in text


def test_planning_asks_as_much_for_many_clinics_and_reports_as_for_one(cast: Cast) -> None:
    def statements() -> int:
        planning.plan(tomorrow())
        with CaptureQueriesContext(connection) as asked:
            planning.plan(tomorrow())
        return len(asked)

    reported(cast)
    one = statements()
    for number in range(4):
        clinic: Clinic = factories.clinic(f"Clinic {number}")
        accounts.join_clinic(by=cast.eve, clinic=clinic, user=cast.ben, title="nurse")
        accounts.share_with_clinic(by=cast.dan, patient=cast.dan_patient, clinic=clinic)
        factories.alert(cast.dan_patient, cast.dan, tier="AMBER")
    assert statements() == one
