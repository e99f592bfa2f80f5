"""The weekly summary for a clinic's people: when it is due, for whom, and what ends it."""

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
from il2tracker.reminders import invariants, kinds, of_clinics, planning, sending
from il2tracker.reminders.clocks import database_now
from il2tracker.reminders.models import Preference, Reminder
from il2tracker.reminders.of_clinics import MemberFact
from il2tracker.reminders.wishes import Choices, Reason
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

MONDAY = date(2027, 3, 1)
ONE_DAY = timedelta(days=1)
BEN = MemberFact(7, is_active=True, joined_at=datetime(2026, 1, 1, tzinfo=UTC), clinic_ref="north", zone="UTC")


def utc(day: date, *hour: int) -> datetime:
    return datetime.combine(day, time(*hour), tzinfo=UTC)


# The rule


def wishes(member: MemberFact = BEN, *, since: datetime, until: datetime, **more: Any) -> list[Any]:
    return list(of_clinics.of_members([member], since, until, more.pop("choices", Choices()), **more))


def test_it_is_due_on_monday_at_seven_and_over_a_day_later() -> None:
    [wish] = wishes(since=utc(MONDAY, 6), until=utc(MONDAY, 8))
    assert (wish.kind, wish.occurrence) == (kinds.DIGEST, "north@2027-03-01")
    assert (wish.recipient_id, wish.patient_id, wish.zone) == (7, None, "UTC")
    assert (wish.due_at, wish.expires_at) == (utc(MONDAY, 7), utc(MONDAY + ONE_DAY, 7))
    assert wish.unwanted is None


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (utc(MONDAY - ONE_DAY, 0), utc(MONDAY - ONE_DAY, 23), []),
        (utc(MONDAY, 0), utc(MONDAY, 0), [1]),
        (utc(MONDAY + ONE_DAY, 6, 59), utc(MONDAY + ONE_DAY, 8), [1]),
        (utc(MONDAY + 2 * ONE_DAY, 0), utc(MONDAY + 5 * ONE_DAY), []),
        (utc(MONDAY), utc(MONDAY + 14 * ONE_DAY), [1, 8, 15]),
    ],
)
def test_the_mondays_of_a_window(since: datetime, until: datetime, days: list[int]) -> None:
    assert [int(wish.occurrence[-2:]) for wish in wishes(since=since, until=until)] == days


@pytest.mark.parametrize(
    ("zone", "monday", "due"),
    [
        ("Europe/London", date(2027, 3, 22), (2027, 3, 22, 7, 0)),
        ("Europe/London", date(2027, 3, 29), (2027, 3, 29, 6, 0)),  # the clocks changed the day before
        ("America/New_York", date(2027, 3, 15), (2027, 3, 15, 11, 0)),
        ("America/New_York", date(2027, 11, 8), (2027, 11, 8, 12, 0)),
        ("Australia/Lord_Howe", date(2027, 4, 5), (2027, 4, 4, 20, 30)),
        ("America/Santiago", date(2027, 9, 6), (2027, 9, 6, 10, 0)),
        ("Pacific/Kiritimati", date(2027, 3, 1), (2027, 2, 28, 17, 0)),
    ],
)
def test_it_keeps_the_clinics_own_hour_across_clock_changes(zone: str, monday: date, due: tuple[int, ...]) -> None:
    member = MemberFact(7, is_active=True, joined_at=BEN.joined_at, clinic_ref="far", zone=zone)
    found = wishes(member, since=utc(monday - 2 * ONE_DAY), until=utc(monday + 2 * ONE_DAY))
    [wish] = [wish for wish in found if wish.occurrence == f"far@{monday}"]
    assert wish.due_at == datetime(*due, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_whoever_comes_after_its_hour_begins_with_the_next_one() -> None:
    late = MemberFact(7, is_active=True, joined_at=utc(MONDAY, 7), clinic_ref="north", zone="UTC")
    found = wishes(late, since=utc(MONDAY), until=utc(MONDAY + 7 * ONE_DAY, 8))
    assert [wish.occurrence for wish in found] == ["north@2027-03-08"]


@pytest.mark.parametrize(
    ("off", "is_empty", "reason"),
    [
        (set(), True, None),
        ({kinds.DIGEST_EMPTY}, False, None),
        ({kinds.DIGEST_EMPTY}, True, Reason.EMPTY),
        ({kinds.DIGEST}, False, Reason.TURNED_OFF),
        ({kinds.DIGEST, kinds.DIGEST_EMPTY}, True, Reason.TURNED_OFF),
    ],
)
def test_what_a_member_switched_off(off: set[str], is_empty: bool, reason: Reason | None) -> None:
    choices, empty = Choices(off=frozenset((7, kind) for kind in off)), {"digest:7:north@2027-03-01"}
    [wish] = wishes(since=utc(MONDAY), until=utc(MONDAY), choices=choices, empty=empty if is_empty else set())
    assert wish.unwanted is reason


def test_who_may_not_sign_in_gets_none() -> None:
    gone = MemberFact(7, is_active=False, joined_at=BEN.joined_at, clinic_ref="north", zone="UTC")
    assert [wish.unwanted for wish in wishes(gone, since=utc(MONDAY), until=utc(MONDAY))] == [Reason.NO_RECIPIENT]


# In the outbox


@pytest.fixture
def cast(db: None) -> Cast:
    return factories.cast()


def next_monday() -> datetime:
    """Six in the morning in London on the next Monday."""
    now = timezone.now().astimezone(ZoneInfo("Europe/London"))
    monday = now.date() + timedelta(days=7 - now.weekday())
    return datetime.combine(monday, time(6), tzinfo=now.tzinfo)


def planned_for(*people: User) -> list[Reminder]:
    planning.plan(next_monday())
    return list(Reminder.objects.filter(kind="digest", recipient__in=people).order_by("pk"))


def bring_to_now(row: Reminder) -> None:
    """As if its hour had come. Its name stays that of its own Monday."""
    rows = Reminder.objects.filter(pk=row.pk)
    outbox.bring_to_now(rows)


def switch_off(user: User, kind: str) -> None:
    Preference.objects.create(user=user, kind=kind, is_on=False)


def test_every_member_of_a_clinic_has_one_and_nobody_else(cast: Cast) -> None:
    planned_for()
    rows = Reminder.objects.filter(kind="digest").order_by("recipient__name")
    assert [row.recipient for row in rows] == [cast.ben, cast.carla]
    assert {row.patient_id for row in rows} == {None}
    assert planning.plan(next_monday()) == planning.Planned(0, 0, 0, 0)


def test_who_works_in_two_clinics_has_two(cast: Cast) -> None:
    accounts.join_clinic(by=cast.eve, clinic=cast.south, user=cast.ben, title="nurse")
    assert {row.occurrence.partition("@")[0] for row in planned_for(cast.ben)} == {cast.north.ref, cast.south.ref}


def test_a_clinic_without_members_has_none(cast: Cast) -> None:
    Membership.objects.all().delete()
    planned_for()
    assert not Reminder.objects.filter(kind="digest").exists()


def test_who_leaves_the_clinic_gets_none_any_more(cast: Cast, smtp_sink: SmtpSink) -> None:
    [row] = planned_for(cast.ben)
    Membership.objects.filter(user=cast.ben).delete()
    bring_to_now(row)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.cancel_reason, smtp_sink.messages) == ("cancelled", "no_recipient", [])


def test_leaving_is_seen_by_the_planner_too(cast: Cast) -> None:
    [row] = planned_for(cast.ben)
    Membership.objects.filter(user=cast.ben).delete()
    planned_for()
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "no_recipient")


def test_it_is_sent_once(cast: Cast, smtp_sink: SmtpSink) -> None:
    [row] = planned_for(cast.ben)
    bring_to_now(row)
    for _ in range(2):
        sending.sweep()
    [received] = smtp_sink.messages
    assert received.rcpt_tos == ("ben@example.org",)
    assert received.message["Subject"] == "Panel this week: nothing to do"
    assert "Nothing to do this week." in received.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert invariants.broken(database_now()) == []


def test_the_switch_keeps_it_back_at_the_last_moment(cast: Cast, smtp_sink: SmtpSink) -> None:
    [row] = planned_for(cast.ben)
    bring_to_now(row)
    switch_off(cast.ben, kinds.DIGEST)
    sending.sweep()
    row.refresh_from_db()
    assert (row.cancel_reason, smtp_sink.messages) == ("turned_off", [])


def test_one_with_nothing_to_say_stays_at_home_when_it_is_not_wanted_and_is_not_tried_again(
    cast: Cast, smtp_sink: SmtpSink
) -> None:
    [row] = planned_for(cast.ben)
    switch_off(cast.ben, kinds.DIGEST_EMPTY)
    bring_to_now(row)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.cancel_reason, smtp_sink.messages) == ("cancelled", "empty", [])
    outbox.change(row, expires_at=next_monday() + 2 * ONE_DAY)
    planning.plan(next_monday() + timedelta(hours=3))
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "empty")


def test_one_with_something_to_say_leaves_all_the_same(cast: Cast, smtp_sink: SmtpSink) -> None:
    [row] = planned_for(cast.ben)
    switch_off(cast.ben, kinds.DIGEST_EMPTY)
    factories.alert(cast.anna_patient, cast.anna, tier="AMBER")
    bring_to_now(row)
    sending.sweep()
    [received] = smtp_sink.messages
    assert received.message["Subject"].startswith("Panel this week: 1 needs action, ")
    assert cast.anna_patient.code in received.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_patient_who_stopped_sharing_is_not_in_it(cast: Cast, smtp_sink: SmtpSink) -> None:
    [row] = planned_for(cast.ben)
    factories.alert(cast.anna_patient, cast.anna, tier="AMBER")
    Sharing.objects.filter(patient=cast.anna_patient, clinic=cast.north).update(revoked_at=timezone.now())
    bring_to_now(row)
    sending.sweep()
    [received] = smtp_sink.messages
    assert cast.anna_patient.code not in received.raw.decode()


def test_a_clinic_that_moves_keeps_one_row(cast: Cast) -> None:
    [row] = planned_for(cast.ben)
    Clinic.objects.filter(pk=cast.north.pk).update(time_zone="America/New_York")
    [moved] = planned_for(cast.ben)
    assert moved.pk == row.pk
    assert moved.due_at - row.due_at == timedelta(hours=5)


def test_planning_asks_as_much_for_many_clinics_as_for_two(cast: Cast) -> None:
    def statements() -> int:
        planning.plan(next_monday())
        with CaptureQueriesContext(connection) as asked:
            planning.plan(next_monday())
        return len(asked)

    two = statements()
    for number in range(4):
        clinic = factories.clinic(f"Clinic {number}")
        accounts.join_clinic(by=cast.eve, clinic=clinic, user=cast.ben, title="nurse")
    assert statements() == two
