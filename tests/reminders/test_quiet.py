"""Quiet hours are the recipient's: they hold what may wait, in the row's zone, and drop nothing (B2)."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cycles import schedule
from cycles.models import Cycle
from il2tracker.reminders import claiming, planning, sending
from il2tracker.reminders.models import Delivery, Reminder
from il2tracker.reminders.wishes import Choices
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
HOUR, ONE_DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


def planned(cast: Cast, **facts: Any) -> Reminder:
    """A reminder of the week before a course that is due now, at noon of its zone."""
    day = cast.anna_patient.today(timezone.now()) + timedelta(days=7)
    cycle = factories.plan(cast.anna_patient, cast.ben, starts_on=day).cycles.get()
    facts = {"occurrence": f"c{cycle.pk}@{day.isoformat()}/-7", "says_on": day, **facts}
    return outbox.row(cast.anna_patient, key=f"cycle_week:{cast.anna.pk}:{facts['occurrence']}", **facts)


def noon(zone: str) -> datetime:
    """The full hour of now on the clock of the row: noon in the zone that `outbox.daytime` gives."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def quiet(user: Any, starts: int, ends: int) -> None:
    Delivery.objects.update_or_create(user=user, defaults={"quiet_from": time(starts), "quiet_to": time(ends)})


def test_the_persons_own_quiet_hours_hold_a_mail_and_it_lives_two_hours_longer(cast: Cast, smtp_sink: SmtpSink) -> None:
    quiet(cast.anna, 11, 15)
    row = planned(cast)
    sending.sweep()
    row.refresh_from_db()
    ends = noon(row.zone) + 3 * HOUR
    assert (row.state, row.waits_for, row.attempts) == ("planned", "quiet", 0)
    assert (row.next_attempt_at, row.expires_at) == (ends, ends + 2 * HOUR)
    assert smtp_sink.attempts == 0
    assert sending.sweep().tried == 0, "it does not ask again before"


def test_when_the_quiet_hours_are_over_it_leaves(cast: Cast, smtp_sink: SmtpSink) -> None:
    quiet(cast.anna, 11, 15)
    row = planned(cast)
    sending.sweep()
    quiet(cast.anna, 2, 3)
    outbox.change(row, next_attempt_at=timezone.now() - HOUR)
    sending.sweep()
    row.refresh_from_db()
    assert (row.state, row.waits_for) == ("sent", "")


def test_somebody_elses_quiet_hours_hold_nothing(cast: Cast, smtp_sink: SmtpSink) -> None:
    quiet(cast.dan, 11, 15)
    row = planned(cast)
    sending.sweep()
    row.refresh_from_db()
    assert row.state == "sent"


def test_equal_hours_are_no_quiet_hours(cast: Cast, smtp_sink: SmtpSink) -> None:
    quiet(cast.anna, 12, 12)
    row = planned(cast)
    sending.sweep()
    row.refresh_from_db()
    assert row.state == "sent"


def test_a_person_without_a_choice_is_left_alone_at_night(cast: Cast, smtp_sink: SmtpSink) -> None:
    two_at_night = f"Etc/GMT{(timezone.now().hour - 2 + 11) % 24 - 11:+d}"
    row = planned(cast, zone=two_at_night)
    sending.sweep()
    row.refresh_from_db()
    assert (row.waits_for, row.next_attempt_at) == ("quiet", noon(row.zone) + 5 * HOUR)


def test_a_batch_reads_the_choices_of_all_its_people_at_once(
    cast: Cast, smtp_sink: SmtpSink, django_assert_num_queries: Any
) -> None:
    for person, patient in ((cast.anna, cast.anna_patient), (cast.dan, cast.dan_patient)):
        quiet(person, 11, 15)
        for _ in range(5):
            outbox.row(patient)
    batch = claiming.claim()
    with django_assert_num_queries(2 + 5 + 10):  # choices, what the batch needs, and each row put off
        sending.send(batch)
    assert set(Reminder.objects.values_list("waits_for", flat=True)) == {"quiet"}


# The planner leaves it alone


def held(row: Reminder, waits_for: str = "quiet") -> datetime:
    """As if it had been put off until an hour after its own end; returns when it ends now."""
    wakes = row.expires_at + HOUR
    outbox.change(row, next_attempt_at=wakes, expires_at=wakes + 2 * HOUR, waits_for=waits_for)
    return wakes


def day_before(cast: Cast) -> Reminder:
    """Its mail of the day before a course, as the planner made it."""
    start = cast.anna_patient.today(timezone.now()) + timedelta(days=1)
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=start)
    planning.plan(schedule.moment(start - timedelta(days=1), time(9), cast.anna_patient.zone))
    assert plan.cycles.exists()
    return Reminder.objects.get(kind="cycle_day")


@pytest.mark.parametrize("waits_for", ["quiet", "cap", ""])
def test_what_was_put_off_beyond_its_own_end_is_still_wanted(cast: Cast, waits_for: str) -> None:
    row = day_before(cast)
    own_end = row.expires_at
    wakes = held(row, waits_for)
    for moment in (own_end + timedelta(minutes=1), wakes + timedelta(minutes=1)):
        planning.plan(moment)
        row.refresh_from_db()
        assert (row.state, row.cancel_reason, row.next_attempt_at) == ("planned", "", wakes)


def test_what_is_not_true_any_more_ends_all_the_same(cast: Cast) -> None:
    row = day_before(cast)
    own_end = row.expires_at
    held(row)
    factories.hold(cast.ben, Cycle.objects.get(patient=cast.anna_patient, number=1), "fever")
    planning.plan(own_end + timedelta(minutes=1))
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "held")


def test_of_what_the_facts_do_not_speak_any_more_nothing_is_kept(cast: Cast) -> None:
    row = day_before(cast)
    own_end = row.expires_at
    held(row)
    Cycle.objects.filter(patient=cast.anna_patient).update(starts_on=cast.anna_patient.today(own_end) + ONE_DAY)
    planning.plan(own_end + timedelta(minutes=1))
    row.refresh_from_db()
    assert (row.state, row.cancel_reason) == ("cancelled", "not_in_plan")


def test_the_tick_takes_as_many_statements_however_much_is_put_off(cast: Cast) -> None:
    row = day_before(cast)
    own_end = row.expires_at

    def statements() -> int:
        moment = own_end + timedelta(minutes=1)
        planning.plan(moment)
        with CaptureQueriesContext(connection) as asked:
            planning.plan(moment)
        return len(asked)

    held(row)
    one = statements()
    for number in range(5):
        lone = factories.lone_patient(f"Lee{number}")
        factories.plan(lone, lone.user, starts_on=row.says_on)
    planning.plan(own_end - HOUR)
    for other in Reminder.objects.filter(kind="cycle_day").exclude(pk=row.pk):
        held(other)
    assert statements() == one
    assert set(Reminder.objects.filter(kind="cycle_day").values_list("state", flat=True)) == {"planned"}


def test_a_change_that_applies_before_the_morning_leaves_at_night_and_any_other_waits() -> None:
    """R13: it is to be read before anything else. The sender asks the rule of kinds.may_wait."""
    now, held = datetime(2026, 11, 21, 23, tzinfo=UTC), []
    row = Reminder(kind="plan_changed", zone="UTC", recipient_id=7)
    for expires_at in (datetime(2026, 11, 22, 7, tzinfo=UTC), datetime(2026, 11, 22, 7, 1, tzinfo=UTC)):
        row.expires_at = expires_at
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sending.claiming, "hold", lambda row, until: held.append(until))
            held.append(sending._must_wait(row, now, Choices()))
    assert held == [False, datetime(2026, 11, 22, 7, tzinfo=UTC), True]
