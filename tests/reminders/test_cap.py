"""At most so many mails a day for one person; what is beyond waits for the next day or runs out, and shows that."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from il2tracker.accounts.models import Patient, User
from il2tracker.reminders import capping, claiming, kinds, sending
from il2tracker.reminders.models import Delivery, Reminder
from il2tracker.reminders.wishes import Choices, Quiet
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.reminders.test_races import at_once
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
ONE_DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LATER = timezone.now() + 3 * ONE_DAY  # a doubtful one that is not sent again just now


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


def due_doses(patient: Patient, by: User) -> list[Reminder]:
    """Seven reminders of injections, all due now, by day."""
    plan = factories.plan(patient, by, starts_on=patient.today(timezone.now()) + 10 * ONE_DAY)
    outbox.plan_for(plan.cycles.get().doses.earliest("due_at"))
    rows = Reminder.objects.filter(kind="injection_due", patient=patient)
    outbox.bring_to_now(rows)
    Reminder.objects.filter(patient=patient).exclude(kind="injection_due").delete()
    return list(rows.order_by("pk"))


def at_most(user: User, count: int) -> None:
    Delivery.objects.update_or_create(user=user, defaults={"most_per_day": count})


def midnight(row: Reminder) -> datetime:
    """The next one on the row's clock."""
    zone = ZoneInfo(row.zone)
    return datetime.combine(timezone.now().astimezone(zone).date() + ONE_DAY, time(0), tzinfo=zone)


def counted(**which: Any) -> int:
    return Reminder.objects.filter(**which).count()


def test_what_is_beyond_the_cap_waits_for_the_next_day_without_living_longer(cast: Cast, smtp_sink: SmtpSink) -> None:
    rows = due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 3)
    sending.sweep()
    assert counted(state="sent") == len(smtp_sink.messages) == 3
    for row in Reminder.objects.filter(state="planned"):
        assert (row.waits_for, row.attempts, row.next_attempt_at) == ("cap", 0, midnight(row))
        assert row.expires_at == next(old.expires_at for old in rows if old.pk == row.pk)
    assert counted(state="planned") == 4


def test_on_the_next_day_it_leaves(cast: Cast, smtp_sink: SmtpSink) -> None:
    due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 4)
    sending.sweep()
    sent = Reminder.objects.filter(state="sent")
    sent.update(handing_over_at=timezone.now() - ONE_DAY)
    Reminder.objects.filter(state="planned").update(next_attempt_at=timezone.now() - MINUTE)
    sending.sweep()
    assert (counted(state="sent", waits_for=""), len(smtp_sink.messages)) == (7, 7)


def test_what_does_not_live_until_then_runs_out_for_everybody_to_see(cast: Cast, smtp_sink: SmtpSink) -> None:
    due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 3)
    sending.sweep()
    Reminder.objects.filter(state="planned").update(expires_at=timezone.now() - MINUTE)
    assert sending.sweep().expired == 4
    assert counted(state="expired", waits_for="cap") == 4


def test_without_a_choice_it_is_eight_a_day(cast: Cast, smtp_sink: SmtpSink) -> None:
    rows = due_doses(cast.anna_patient, cast.ben)
    for number in range(2):
        marked = {"handing_over_at": timezone.now(), "state": "uncertain", "next_attempt_at": LATER}
        outbox.row(cast.anna_patient, kind="cycle_day", key=f"earlier:{number}", **marked)
    sending.sweep()
    assert (counted(state="sent"), len(rows)) == (6, 7)


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "red_flag"},
        {"kind": "digest"},
        {"kind": "password_changed"},
        {"kind": "test"},
        {"handing_over_at": timezone.now() - ONE_DAY},
    ],
    ids=lambda facts: str(facts.get("kind", "yesterday")),
)
def test_what_somebody_waits_for_and_what_went_out_yesterday_do_not_count(
    cast: Cast, smtp_sink: SmtpSink, other: dict[str, Any]
) -> None:
    rows = due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 7)
    facts = {"kind": "cycle_day", "state": "uncertain", "handing_over_at": timezone.now(), "next_attempt_at": LATER}
    outbox.row(cast.anna_patient, key="other", **facts | other)
    sending.sweep()
    assert counted(state="sent") == len(rows)


def full(patient: Patient, asks: str, *, cap: int, told: int = 0, doses: int = 0, **facts: Any) -> bool:
    """Whether a mail of the kind finds no place, after `told` mails today and with so many about doses to come."""
    now = timezone.now()
    for number in range(told):
        outbox.row(patient, key=f"told:{number}", state="uncertain", handing_over_at=now, next_attempt_at=LATER)
    for number in range(doses):
        later = {"due_at": now + 3 * MINUTE, "next_attempt_at": now + 3 * MINUTE}
        outbox.row(patient, key=f"dose:{number}", **{"kind": "injection_due", "urgency": 1, **later, **facts})
    row = outbox.row(patient, kind=asks, urgency=kinds.POLICIES[asks].urgency)
    assert row.recipient_id is not None
    return capping.is_full(row, now, Choices(caps={row.recipient_id: cap}))


@pytest.mark.parametrize(
    ("told", "doses", "day_kind", "dose_kind"),
    [
        (0, 0, False, False),
        (0, 3, False, False),
        (0, 4, True, False),
        (1, 2, False, False),
        (1, 3, True, False),
        (3, 0, False, False),
        (4, 0, True, True),
    ],
)
@pytest.mark.parametrize("kind", ["plan_changed", "injection_missing"])
def test_a_mail_about_a_day_leaves_the_places_to_the_injections_that_are_still_planned(
    cast: Cast, kind: str, told: int, doses: int, day_kind: bool, dose_kind: bool
) -> None:
    found = full(cast.anna_patient, kind, cap=4, told=told, doses=doses)
    assert found is (day_kind if kind == "plan_changed" else dose_kind)


@pytest.mark.parametrize(
    "other",
    [
        {"next_attempt_at": LATER, "due_at": LATER},
        {"state": "cancelled", "cancel_reason": "recorded"},
        {"state": "expired"},
        {"expires_at": timezone.now() - MINUTE},
        {"kind": "cycle_day", "urgency": 2},
        {"kind": "red_flag", "urgency": 0},
    ],
    ids=["another day's", "recorded", "expired", "over", "of a day", "urgent report"],
)
def test_only_what_still_leaves_today_keeps_a_place(cast: Cast, other: dict[str, Any]) -> None:
    assert not full(cast.anna_patient, "plan_changed", cap=4, doses=4, **other)


def test_a_place_is_kept_for_a_mail_that_is_being_sent(cast: Cast) -> None:
    lease = {"state": "sending", "lease_token": "0" * 32, "lease_until": LATER}
    assert full(cast.anna_patient, "plan_changed", cap=4, doses=4, **lease)


def test_a_place_is_kept_for_nobody_else(cast: Cast) -> None:
    assert not full(cast.anna_patient, "plan_changed", cap=4, doses=4, recipient=cast.dan)


def test_the_place_is_asked_for_in_one_statement(cast: Cast, django_assert_num_queries: Any) -> None:
    row = outbox.row(cast.anna_patient, kind="plan_changed")
    with django_assert_num_queries(1):
        capping.is_full(row, timezone.now(), Choices())


def test_with_the_fewest_that_can_be_chosen_every_mail_about_two_injections_has_a_place() -> None:
    of_a_slot = (kinds.INJECTION_DUE, kinds.INJECTION_MISSING)
    assert min(kinds.CAPS) >= 2 * len(of_a_slot)
    assert kinds.MOST_PER_DAY in kinds.CAPS


def test_mails_about_injections_that_the_cap_cost_can_be_found(cast: Cast, smtp_sink: SmtpSink) -> None:
    due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 4)
    sending.sweep()
    over = timezone.now() - MINUTE
    assert not Reminder.objects.doses_too_many(over - MINUTE).exists()
    Reminder.objects.filter(state="planned").update(expires_at=over)
    sending.sweep()
    assert Reminder.objects.doses_too_many(over - MINUTE).count() == 3
    assert not Reminder.objects.doses_too_many(over + MINUTE).exists()
    assert not Reminder.objects.too_late(over - MINUTE).exists()


@pytest.mark.parametrize("kind", ["red_flag", "digest", "to_call", "password_reset", "password_changed", "test"])
def test_what_somebody_waits_for_never_waits(cast: Cast, kind: str) -> None:
    at_most(cast.anna, 3)
    row = outbox.row(cast.anna_patient, kind=kind)
    assert not capping.is_full(row, timezone.now(), Choices(caps={cast.anna.pk: 0}))
    other = outbox.row(cast.anna_patient)
    assert capping.is_full(other, timezone.now(), Choices(caps={cast.anna.pk: 0}))


def test_another_persons_mails_do_not_count(cast: Cast, smtp_sink: SmtpSink) -> None:
    due_doses(cast.anna_patient, cast.ben)
    due_doses(cast.dan_patient, cast.ben)
    outbox.bring_to_now(Reminder.objects.filter(kind="injection_due"))
    at_most(cast.dan, 3)
    sending.sweep()
    assert counted(state="sent", patient=cast.dan_patient) == 3
    assert counted(state="sent", patient=cast.anna_patient) == 7


@pytest.mark.parametrize(
    ("kind", "quiet", "hour"),
    [
        ("injection_due", Quiet(), 0),
        ("cycle_week", Quiet(), 7),
        ("cycle_week", Quiet(time(1), time(5)), 0),
        ("cycle_week", Quiet(time(0), time(9)), 9),
    ],
)
def test_the_next_day_begins_at_midnight_or_when_the_quiet_hours_end(
    cast: Cast, kind: str, quiet: Quiet, hour: int
) -> None:
    row = outbox.row(cast.anna_patient, kind=kind, zone="America/New_York")
    now = datetime(2026, 3, 7, 22, tzinfo=ZoneInfo("America/New_York"))
    assert capping.next_day(row, now, quiet) == datetime(2026, 3, 8, hour, tzinfo=ZoneInfo("America/New_York"))


def test_a_mail_that_did_not_leave_takes_no_place(cast: Cast, smtp_sink: SmtpSink) -> None:
    due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 3)
    smtp_sink.fault("data-451", times=2)
    sending.sweep()
    assert counted(state="sent") == 3
    assert counted(state="planned", last_error_class="TEXT 451", handing_over_at=None) == 2


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_do_not_both_find_the_last_place_free(cast: Cast, smtp_sink: SmtpSink) -> None:
    rows = due_doses(cast.anna_patient, cast.ben)
    at_most(cast.anna, 1)
    Reminder.objects.exclude(pk__in=[rows[0].pk, rows[1].pk]).delete()
    batch = claiming.claim()
    halves = iter([batch._replace(rows=[row]) for row in batch.rows])
    at_once(lambda: sending.send(next(halves)), 2)
    assert sorted(Reminder.objects.values_list("state", "waits_for")) == [("planned", "cap"), ("sent", "")]
    assert len(smtp_sink.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_nor_do_they_when_one_person_helps_two_patients(
    cast: Cast, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(row: Reminder, now: datetime) -> EmailMessage:
        assert row.recipient is not None
        return EmailMessage("Diary", "Hello.\n", to=[row.recipient.email])

    monkeypatch.setattr(sending.mails, "build", build)
    monkeypatch.setattr(sending.validity, "why_not", lambda row, now: None)
    at_most(cast.sam, 1)
    for patient in (cast.anna_patient, cast.dan_patient):
        outbox.row(patient, kind="carer_missing", recipient=cast.sam)
    batch = claiming.claim()
    halves = iter([batch._replace(rows=[row]) for row in batch.rows])
    at_once(lambda: sending.send(next(halves)), 2)
    assert sorted(Reminder.objects.values_list("state", "waits_for")) == [("planned", "cap"), ("sent", "")]
