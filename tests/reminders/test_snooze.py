"""Putting a reminder off: what may be chosen, what it changes, and that the real planner and sweep keep to it."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.test import Client

from cycles.models import PlannedDose
from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import facts, planning, sending, snoozing, sources
from il2tracker.reminders.models import Delivery, Preference, Reminder, Snooze
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox, tapping
from tests.reminders.tapping import NOW, SLOT, everything
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def cast(clock: Any) -> Cast:
    return factories.cast()


@pytest.fixture
def dose(cast: Cast) -> PlannedDose:
    return tapping.evening(cast)


def snooze(cast: Cast, dose: PlannedDose, minutes: int = 30, **how: Any) -> Snooze:
    facts = {"by": cast.anna, "now": NOW, "again_at": NOW + minutes * MINUTE, **how}
    return snoozing.snooze(dose=dose, **facts)


def rows(dose: PlannedDose, kind: str) -> QuerySet[Reminder]:
    return Reminder.objects.filter(kind=kind, occurrence__startswith=f"c{dose.cycle_id}/d{dose.day}/{dose.slot}")


# What may be chosen


@pytest.mark.parametrize("who", ["anna", "sam"])
def test_who_records_may_put_off_and_it_is_written_down(cast: Cast, dose: PlannedDose, who: str) -> None:
    person = getattr(cast, who)
    row = snooze(cast, dose, by=person)
    assert (row.patient, row.cycle, row.day, row.slot) == (cast.anna_patient, dose.cycle, 1, "pm")
    assert (row.again_at, row.asked_at) == (NOW + 30 * MINUTE, NOW)
    event = AuditEvent.objects.get(action="reminders.snoozed")
    assert (event.actor_ref, event.patient_ref, event.subject_ref) == (person.ref, cast.anna_patient.ref, row.ref)


@pytest.mark.parametrize("who", ["ben", "carla", "dan", "eve"])
def test_nobody_else_may(cast: Cast, dose: PlannedDose, who: str) -> None:
    with pytest.raises(PermissionDenied):
        snooze(cast, dose, by=getattr(cast, who))
    assert not Snooze.objects.exists()


@pytest.mark.parametrize(
    ("asked", "again", "is_allowed"),
    [
        (NOW, NOW + 4 * MINUTE, False),
        (NOW, NOW + 5 * MINUTE, True),
        (NOW, NOW - MINUTE, False),
        (NOW, SLOT + 119 * MINUTE, True),
        (NOW, SLOT + 120 * MINUTE, False),
        (SLOT + 116 * MINUTE, SLOT + 121 * MINUTE, False),
        (SLOT - HOUR, SLOT - 11 * MINUTE, False),
        (SLOT - HOUR, SLOT - 10 * MINUTE, True),
    ],
    ids=[
        "too soon",
        "in five minutes",
        "over",
        "just on time",
        "past on time",
        "nothing left",
        "before the normal one",
        "after the normal one",
    ],
)
def test_only_between_soon_and_the_end_of_what_is_on_time(
    cast: Cast, dose: PlannedDose, asked: datetime, again: datetime, is_allowed: bool
) -> None:
    if is_allowed:
        assert snooze(cast, dose, now=asked, again_at=again).again_at == again
        return
    with pytest.raises(ValidationError):
        snooze(cast, dose, now=asked, again_at=again)
    assert not Snooze.objects.exists()


def test_never_into_the_two_hours_before_the_next_injection(cast: Cast, dose: PlannedDose) -> None:
    """B1: with the next one three hours later, an hour is left."""
    following = PlannedDose.objects.filter(patient=cast.anna_patient, due_at__gt=dose.due_at).order_by("due_at")[:1]
    PlannedDose.objects.filter(pk__in=following).update(due_at=SLOT + 3 * HOUR)
    with pytest.raises(ValidationError, match="Choose a time from 10:10pm on and before 11pm"):
        snooze(cast, dose, again_at=SLOT + HOUR)
    assert snooze(cast, dose, again_at=SLOT + 59 * MINUTE)


def recorded(cast: Cast, dose: PlannedDose) -> None:
    factories.injection(cast.anna_patient, cast.anna, dose, at=NOW - MINUTE, now=NOW)


def undone(cast: Cast, dose: PlannedDose) -> None:
    factories.void(
        cast.anna, factories.injection(cast.anna_patient, cast.anna, dose, at=NOW - MINUTE, now=NOW).injection
    )


def held(cast: Cast, dose: PlannedDose) -> None:
    factories.hold(cast.anna, dose.cycle, now=NOW)


def urgent(cast: Cast, dose: PlannedDose) -> None:
    factories.alert(cast.anna_patient, cast.anna)


def unconfirmed(cast: Cast, dose: PlannedDose) -> None:
    factories.confirms_starts(cast.north)


@pytest.mark.parametrize("change", [recorded, undone, held, urgent, unconfirmed], ids=lambda change: change.__name__)
def test_there_is_nothing_to_put_off_where_nothing_would_come(
    cast: Cast, dose: PlannedDose, change: Callable[[Cast, PlannedDose], None]
) -> None:
    change(cast, dose)
    before = everything()
    with pytest.raises(ValidationError, match="No reminder of this one is sent"):
        snooze(cast, dose)
    assert everything() == before


def test_of_several_wishes_the_newest_counts_also_when_it_is_sooner(cast: Cast, dose: PlannedDose) -> None:
    snooze(cast, dose, 60)
    snooze(cast, dose, 20, now=NOW + MINUTE)
    fact = facts.dose(dose.cycle_id, dose.day, dose.slot)
    assert fact is not None
    assert fact.again_at == NOW + 20 * MINUTE


def test_nothing_of_the_plan_changes(cast: Cast, dose: PlannedDose) -> None:
    before = everything()
    snooze(cast, dose)
    after = everything()
    changed = {name for name, found in after.items() if found != before[name]}
    assert changed == {"reminders.Snooze", "audit.AuditEvent"}


# The real planner


def test_the_planner_cancels_the_normal_one_and_plans_the_other_and_the_nudge_after_it(
    cast: Cast, dose: PlannedDose
) -> None:
    early = SLOT - 20 * MINUTE
    planning.plan(early)
    snooze(cast, dose, now=early, again_at=SLOT + 45 * MINUTE)
    planning.plan(early + MINUTE)
    due, again, missing = (rows(dose, f"injection_{name}").get() for name in ("due", "again", "missing"))
    assert (due.state, due.cancel_reason) == ("cancelled", "put_off")
    assert (again.state, again.due_at) == ("planned", SLOT + 45 * MINUTE)
    assert again.expires_at == SLOT + 135 * MINUTE
    assert missing.due_at == SLOT + 75 * MINUTE
    (wanted,) = [w for w in sources.wanted(again.expires_at - MINUTE, again.expires_at - MINUTE) if w.key == again.key]
    assert wanted.unwanted is None, "the planner still knows of it just before it ends"


def test_the_latest_one_that_may_be_chosen_lives_to_its_end(cast: Cast, dose: PlannedDose) -> None:
    """However long ago the slot was, the planner keeps the row until it is sent or too late."""
    snooze(cast, dose, again_at=SLOT + 119 * MINUTE)
    planning.plan(NOW)
    again = rows(dose, "injection_again").get()
    planning.plan(again.expires_at - MINUTE)
    again.refresh_from_db()
    assert (again.state, again.due_at) == ("planned", SLOT + 119 * MINUTE)


def test_a_second_wish_takes_the_place_of_the_first(cast: Cast, dose: PlannedDose) -> None:
    snooze(cast, dose, 60)
    planning.plan(NOW)
    snooze(cast, dose, 20, now=NOW + MINUTE)
    planning.plan(NOW + MINUTE)
    states = dict(rows(dose, "injection_again").values_list("due_at", "state"))
    assert states == {NOW + 60 * MINUTE: "cancelled", NOW + 20 * MINUTE: "planned"}


def test_what_is_recorded_meanwhile_takes_the_later_one_away(cast: Cast, dose: PlannedDose) -> None:
    snooze(cast, dose)
    planning.plan(NOW)
    recorded(cast, dose)
    planning.plan(NOW + MINUTE)
    again = rows(dose, "injection_again").get()
    assert (again.state, again.cancel_reason) == ("cancelled", "recorded")


# The real sweep


def sent(smtp_sink: SmtpSink) -> list[str]:
    sending.sweep()
    return [str(received.message["Subject"]) for received in smtp_sink.messages]


def test_while_it_is_put_off_no_mail_leaves_then_one_comes_once(
    cast: Cast, dose: PlannedDose, smtp_sink: SmtpSink
) -> None:
    planning.plan(SLOT - 20 * MINUTE)
    due = rows(dose, "injection_due")
    outbox.bring_to_now(due)
    snooze(cast, dose)
    assert sent(smtp_sink) == [], "the last look knows it before the planner does"
    assert due.get().cancel_reason == "put_off"
    planning.plan(NOW)
    Reminder.objects.exclude(kind="injection_again").delete()
    again = rows(dose, "injection_again")
    assert sent(smtp_sink) == [], "not before its time"
    outbox.bring_to_now(again)
    assert len(sent(smtp_sink)) == 1
    assert len(sent(smtp_sink)) == 1
    assert again.get().state == "sent"
    (received,) = smtp_sink.messages
    assert received.rcpt_tos == ("anna@example.org",)
    assert "You asked to be reminded again: 10pm" in received.message.get_body(("plain",)).get_content()


def test_recorded_between_the_plan_and_the_sweep_it_never_leaves(
    cast: Cast, dose: PlannedDose, smtp_sink: SmtpSink
) -> None:
    snooze(cast, dose)
    planning.plan(NOW)
    Reminder.objects.exclude(kind="injection_again").delete()
    again = rows(dose, "injection_again")
    outbox.bring_to_now(again)
    recorded(cast, dose)
    assert sent(smtp_sink) == []
    assert again.get().cancel_reason == "recorded"


def test_nothing_leaves_when_the_next_injection_is_two_hours_away(
    cast: Cast, dose: PlannedDose, smtp_sink: SmtpSink
) -> None:
    """The next one was moved nearer after it was put off: planned, then no longer wanted."""
    snooze(cast, dose, 60)
    planning.plan(NOW)
    following = PlannedDose.objects.filter(patient=cast.anna_patient, due_at__gt=dose.due_at).order_by("due_at")[:1]
    PlannedDose.objects.filter(pk__in=following).update(due_at=NOW + 3 * HOUR)
    planning.plan(NOW + MINUTE)
    again = rows(dose, "injection_again")
    assert again.get().state == "cancelled"
    Reminder.objects.exclude(kind="injection_again").delete()
    assert sent(smtp_sink) == []


# The page


@pytest.fixture
def later(client: Client, cast: Cast, dose: PlannedDose) -> str:
    client.force_login(cast.anna)
    return f"/reminders/{dose.ref}/later/"


def test_the_page_offers_minutes_and_a_time_and_says_that_the_plan_stays(client: Client, later: str) -> None:
    shown = client.get(later).content.decode()
    assert re.findall(r'name="when" value="(\w+)"', shown) == ["15", "30", "60", "own"]
    assert "Your plan stays as it is: 10pm on Wednesday 3 March 2027." in shown
    assert "From 10:10pm on and before midnight." in shown
    assert "Do not decide alone." in shown
    assert "020 7946 0019" in shown
    assert not Snooze.objects.exists()


def test_minutes_are_counted_from_now(client: Client, later: str) -> None:
    answer = client.post(later, {"when": "30"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "The reminder comes at 10:35pm. Your plan stays as it is." in answer.content.decode()
    assert Snooze.objects.get().again_at == NOW + 30 * MINUTE


@pytest.mark.parametrize(
    ("typed", "again"),
    [("11:15pm", SLOT + 75 * MINUTE), ("23:15", SLOT + 75 * MINUTE), ("10.30 pm", SLOT + 30 * MINUTE)],
)
def test_a_time_of_ones_own_is_the_next_one_on_the_clock(
    client: Client, later: str, typed: str, again: datetime
) -> None:
    assert client.post(later, {"when": "own", "own_time": typed}).status_code == 302
    assert Snooze.objects.get().again_at == again


def test_a_time_after_midnight_is_tomorrows(client: Client, later: str, clock: Any) -> None:
    PlannedDose.objects.filter(due_at=SLOT).update(due_at=SLOT + HOUR, local_time="23:00")
    assert client.post(later, {"when": "own", "own_time": "0:20"}).status_code == 302
    assert Snooze.objects.get().again_at == datetime(2027, 3, 4, 0, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose when the reminder should come."),
        ({"when": "7"}, "This time is over by now. Choose another one."),
        ({"when": "own"}, "Enter the time."),
        ({"when": "own", "own_time": "soon"}, "Write the time like 9:40pm or 21:40."),
        ({"when": "own", "own_time": "11:15"}, "Write 11:15am or 11:15pm."),
        ({"when": "own", "own_time": "10:07pm"}, "Choose a time from 10:10pm on and before midnight."),
        ({"when": "own", "own_time": "1am"}, "Choose a time from 10:10pm on and before midnight."),
        ({"when": "own", "own_time": "9pm"}, "Choose a time from 10:10pm on and before midnight."),
    ],
)
def test_what_cannot_be_is_said_in_words(client: Client, later: str, sent: dict[str, str], words: str) -> None:
    answer = client.post(later, {"sent": "1", **sent})
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not Snooze.objects.exists()


def test_before_the_normal_reminder_only_a_later_time_can_be_chosen(client: Client, later: str, clock: Any) -> None:
    clock.move_to(SLOT - 5 * HOUR)
    shown = client.get(later).content.decode()
    assert re.findall(r'name="when" value="(\w+)"', shown) == ["own"]
    assert "The normal reminder comes at 9:45pm." in shown


def test_when_it_is_late_the_page_says_whom_to_call_and_offers_nothing(client: Client, later: str, clock: Any) -> None:
    clock.move_to(SLOT + 3 * HOUR)
    shown = client.get(later).content.decode()
    assert "This reminder cannot be put off any more." in shown
    assert "It is late, until 4am." in shown
    assert "do not take extra: call." in shown
    assert "<form" not in shown.split("<main")[1]
    assert client.post(later, {"when": "15"}).status_code == 422
    clock.move_to(SLOT + 7 * HOUR)
    assert "Do not decide alone, and do not take extra." in client.get(later).content.decode()


def test_a_recorded_injection_leads_to_its_entry(client: Client, later: str, cast: Cast, dose: PlannedDose) -> None:
    recorded(cast, dose)
    assert client.get(later)["Location"].startswith("/diary/entry/")


def test_where_nothing_would_come_the_page_says_so(client: Client, later: str, cast: Cast, dose: PlannedDose) -> None:
    urgent(cast, dose)
    shown = client.get(later).content.decode()
    assert "No reminder of this one is sent at the moment" in shown
    assert client.post(later, {"when": "15"}).status_code == 422
    assert not Snooze.objects.exists()


def test_a_carer_is_told_who_gets_the_reminder(client: Client, cast: Cast, dose: PlannedDose) -> None:
    client.force_login(cast.sam)
    later = f"/reminders/{dose.ref}/later/"
    assert f"The reminder goes to {cast.anna_patient.label}." in client.get(later).content.decode()
    assert client.post(later, {"when": "30"})["Location"] == f"/people/{cast.anna_patient.code}/course/"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda user: Preference.objects.create(user=user, kind="injection_due", is_on=False), "are switched off"),
        (lambda user: Delivery.objects.create(user=user, doses_pass=False), "quiet hours hold mails back"),
        (
            lambda user: Delivery.objects.create(user=user, refused_address=user.email),
            "mails do not reach the address",
        ),
    ],
    ids=["off", "quiet", "refused"],
)
def test_whoever_gets_no_mail_hears_that_only_the_list_says_it(
    client: Client, cast: Cast, later: str, make: Callable[[Any], Any], why: str
) -> None:
    make(cast.anna)
    said = client.post(later, {"when": "30"}, follow=True).content.decode()
    assert "It only stands in the list of reminders, because" in said
    assert why in said


def test_the_log_page_and_today_lead_to_it(client: Client, later: str, dose: PlannedDose) -> None:
    for path in ("/", f"/diary/add/{dose.ref}/"):
        assert f'href="{later}"' in client.get(path).content.decode()


def test_today_does_not_lead_to_it_when_there_is_no_moment_left(
    client: Client, later: str, cast: Cast, dose: PlannedDose, clock: Any
) -> None:
    clock.move_to(SLOT + 115 * MINUTE)
    assert later not in client.get("/").content.decode()
    clock.move_to(NOW)
    following = PlannedDose.objects.filter(patient=cast.anna_patient, due_at__gt=dose.due_at).order_by("due_at")[:1]
    PlannedDose.objects.filter(pk__in=following).update(due_at=SLOT + 130 * MINUTE)
    assert later not in client.get("/").content.decode()


def test_they_do_not_lead_to_it_where_nothing_is_to_be_put_off(
    client: Client, later: str, cast: Cast, dose: PlannedDose, clock: Any
) -> None:
    clock.move_to(SLOT + 7 * HOUR)
    assert later not in client.get(f"/diary/add/{dose.ref}/").content.decode()
    clock.move_to(NOW)
    urgent(cast, dose)
    for path in ("/", f"/diary/add/{dose.ref}/"):
        assert later not in client.get(path).content.decode()


def test_times_are_shown_on_the_patients_clock(client: Client, later: str, cast: Cast) -> None:
    accounts.update_user(by=cast.anna, user=cast.anna, clock="24")
    assert "before 00:00" in client.get(later).content.decode()
