"""The last look: a change that was saved before the mark always wins, whatever kind of change it is."""

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from cycles import course_actions, version_actions
from cycles import plan_actions as cycles
from cycles.models import PlannedDose, PlanVersion
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Sharing, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.reminders import actions, claiming, kinds, planning, sending, unsubscribing
from il2tracker.reminders.models import Reminder, Snooze
from labs import actions as labs
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

LONDON = ZoneInfo("Europe/London")
START = date(2027, 3, 3)
EVE = START - timedelta(days=1)
DAYS_BEFORE = {**{kind.name: kind.days_before for kind in kinds.DAY_KINDS}, "plan_changed": 9}
OF_A_DOSE = {"injection_due", "injection_missing", "carer_missing"}


def on(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=LONDON)


class Story:
    """Anna's plan on the eve of her course, and one reminder of the wished kind that is due now."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.cast: Cast = factories.cast()
        self.plan = factories.plan(self.cast.anna_patient, self.cast.ben, starts_on=START)
        self.cycle = self.plan.cycles.get()
        self.dose: PlannedDose = self.cycle.doses.earliest("due_at")
        prepare = {
            "paused": self.alert,
            "carer_missing": self.tell_sam,
            "injection_again": self.put_off,
            "plan_changed": self.change_plan,
        }
        prepare.get(kind, lambda: None)()
        planning.plan(on(START - timedelta(days=DAYS_BEFORE.get(kind, 1)), 8))
        self.row = outbox.due(kind, self.dose if kind in OF_A_DOSE else None)

    def tell_sam(self, told: bool = True) -> None:
        sharing = Sharing.objects.get(person=self.cast.sam)
        accounts.tell_if_not_recorded(by=self.cast.anna, sharing=sharing, told=told)

    def stop_telling_sam(self) -> None:
        self.tell_sam(told=False)

    def stop_sharing(self) -> None:
        accounts.stop_sharing(by=self.cast.anna, sharing=Sharing.objects.get(person=self.cast.sam))

    def put_off(self, minutes: int = 0) -> None:
        Snooze.objects.create(
            patient=self.cast.anna_patient,
            cycle=self.cycle,
            day=self.dose.day,
            slot=self.dose.slot,
            again_at=self.dose.due_at + timedelta(minutes=minutes),
            asked_at=on(EVE),
        )

    def change_plan(self) -> PlanVersion:
        newest = self.plan.current_version
        return version_actions.change_plan(
            by=self.cast.ben,
            plan=self.plan,
            base_number=newest.number,
            from_course=1,
            document=newest.document,
            slot_times={**newest.slot_times, "am": "09:00"},
            starts_on=START,
            now=on(START - timedelta(days=9), 7),
            change_reason="sleep",
        )

    def read_the_change(self) -> None:
        version = PlanVersion.objects.get(plan=self.plan, number=2)
        version_actions.confirm_read(by=self.cast.anna, version=version, now=on(EVE))

    def log(self) -> Any:
        return factories.injection(self.cast.anna_patient, self.cast.anna, self.dose).injection

    def skip(self) -> None:
        factories.injection(self.cast.anna_patient, self.cast.anna, self.dose, state="skipped", reason="ill")

    def log_and_undo(self) -> None:
        injection = self.log()
        factories.void(self.cast.anna, injection)

    def end_plan(self) -> None:
        cycles.end_plan(by=self.cast.ben, plan=self.plan, on=EVE, reason="moved away")

    def hold(self) -> None:
        factories.hold(self.cast.ben, self.cycle, "fever")

    def cancel(self) -> None:
        course_actions.cancel_cycle(by=self.cast.ben, cycle=self.cycle, reason="no")

    def stop(self) -> None:
        course_actions.stop_cycle(by=self.cast.ben, cycle=self.cycle, on=START, reason="enough")

    def move(self) -> None:
        a_week_later = START + timedelta(days=7)
        course_actions.move_cycle(by=self.cast.ben, cycle=self.cycle, starts_on=a_week_later, today=EVE, reason="work")

    def alert(self) -> None:
        alerts.raise_alert(
            by=self.cast.anna,
            patient=self.cast.anna_patient,
            rule="T2",
            tier="RED",
            title="Less urine",
            evidence="",
            source="sideeffects.checkin",
            source_ref="chk1234567",
            now=on(EVE),
        )

    def reach(self) -> None:
        alert = alerts.acknowledge(by=self.cast.ben, alert=Alert.objects.get(), now=on(EVE))
        alerts.take_step(by=self.cast.ben, alert=alert, what="reached", now=on(EVE))

    def close_alert(self) -> None:
        alert = alerts.acknowledge(by=self.cast.ben, alert=Alert.objects.get(), now=on(EVE))
        alerts.take_step(by=self.cast.ben, alert=alert, what="closed", note="Well.", now=on(EVE))

    def switch_off(self) -> None:
        switches = dict.fromkeys(kinds.SWITCHES, False)
        actions.choose(by=self.cast.anna, switches=switches, lead_minutes=15)

    def unsubscribe(self) -> None:
        link = unsubscribing.link(self.row.recipient, self.kind)
        found = unsubscribing.find(link.rpartition("/")[2])
        assert found is not None
        actions.unsubscribe(link=found)

    def book(self) -> None:
        labs.book_bloodwork(by=self.cast.anna, cycle=self.cycle, booked_for=START - timedelta(days=12))

    def draw(self) -> None:
        day = START - timedelta(days=13)
        labs.record_drawn(by=self.cast.anna, cycle=self.cycle, drawn_on=day, now=on(day))

    def close_account(self) -> None:
        User.objects.filter(pk=self.cast.anna.pk).update(is_active=False)

    def give_the_diary_to_somebody_else(self) -> None:
        self.cast.anna_patient.user = factories.user("Zoe")
        self.cast.anna_patient.save()

    def erase(self) -> None:
        self.cast.anna_patient.delete()


DOSE, DAY, BLOODWORK = "injection_due", "cycle_day", "bloodwork_due"
LOCKING = [
    (DOSE, Story.log, "recorded"),
    (DOSE, Story.skip, "recorded"),
    (DOSE, Story.log_and_undo, "undone"),
    (DOSE, Story.end_plan, "plan_ended"),
    (DOSE, Story.hold, "held"),
    (DOSE, Story.cancel, "stopped"),
    (DOSE, Story.stop, "stopped"),
    (DOSE, Story.move, "changed"),
    (DOSE, Story.alert, "alert"),
    (DOSE, Story.switch_off, "turned_off"),
    (DOSE, Story.unsubscribe, "turned_off"),
    ("injection_missing", Story.log, "recorded"),
    ("injection_missing", Story.log_and_undo, "undone"),
    ("injection_missing", Story.alert, "alert"),
    ("carer_missing", Story.log, "recorded"),
    ("carer_missing", Story.stop_telling_sam, "not_in_plan"),
    ("carer_missing", Story.stop_sharing, "not_in_plan"),
    ("carer_missing", Story.hold, "held"),
    ("injection_again", Story.log, "recorded"),
    ("injection_again", Story.hold, "held"),
    ("injection_again", Story.switch_off, "turned_off"),
    (DOSE, Story.change_plan, "changed"),
    ("plan_changed", Story.read_the_change, "read"),
    ("plan_changed", Story.end_plan, "not_in_plan"),
    ("plan_changed", Story.switch_off, "turned_off"),
    ("results_missing", Story.switch_off, "turned_off"),
    ("bloodwork_overdue", Story.draw, "arranged"),
    ("paused", Story.reach, "released"),
    ("paused", Story.close_alert, "released"),
    ("paused", Story.switch_off, "turned_off"),
    (DAY, Story.end_plan, "plan_ended"),
    (DAY, Story.hold, "held"),
    (DAY, Story.move, "not_in_plan"),
    (DAY, Story.switch_off, "turned_off"),
    (BLOODWORK, Story.move, "not_in_plan"),
    (BLOODWORK, Story.hold, "held"),
    (BLOODWORK, Story.book, "arranged"),
    (BLOODWORK, Story.draw, "arranged"),
    (BLOODWORK, Story.unsubscribe, "turned_off"),
]
OF_THE_CLINIC = {"red_flag", "digest", "to_call"}  # test_red_flag.py, test_digest.py, test_to_call.py
OFF_AT_FIRST = {"check_in"}  # test_check_in.py
OTHERS = [
    ("carer_missing", Story.close_account, "no_recipient"),
    (DOSE, Story.close_account, "no_recipient"),
    (DAY, Story.close_account, "no_recipient"),
    ("paused", Story.close_account, "no_recipient"),
    (DOSE, Story.give_the_diary_to_somebody_else, "not_in_plan"),
    (DAY, Story.give_the_diary_to_somebody_else, "not_in_plan"),
]
NAMES = [f"{kind} {write.__name__}" for kind, write, _ in LOCKING]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "write", "reason"), LOCKING + OTHERS, ids=NAMES + [f"{kind} {w.__name__}" for kind, w, _ in OTHERS]
)
def test_what_is_saved_after_the_claim_still_stops_the_mail(
    smtp_sink: SmtpSink, kind: str, write: Callable[[Story], Any], reason: str
) -> None:
    story = Story(kind)
    batch = claiming.claim()
    assert story.row in batch.rows
    write(story)
    sending.send(batch)
    story.row.refresh_from_db()
    assert (story.row.state, story.row.cancel_reason) == ("cancelled", reason)
    assert smtp_sink.messages == []
    assert smtp_sink.attempts == 1, "the server had been asked already"


@pytest.mark.django_db
def test_erasing_the_patient_stops_the_mail(smtp_sink: SmtpSink) -> None:
    story = Story(DOSE)
    batch = claiming.claim()
    story.erase()
    sending.send(batch)
    assert smtp_sink.messages == []
    assert not Reminder.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind in kinds.PLANNED if kind not in OF_THE_CLINIC | OFF_AT_FIRST])
def test_without_a_change_the_mail_leaves(smtp_sink: SmtpSink, kind: str) -> None:
    story = Story(kind)
    sending.sweep()
    story.row.refresh_from_db()
    assert story.row.state == "sent"
    (received,) = smtp_sink.wait_for(1)
    assert received.rcpt_tos == ("sam@example.org" if kind == "carer_missing" else "anna@example.org",)


@pytest.mark.django_db
@pytest.mark.parametrize(("holds", "mails"), [(False, 1), (True, 0)], ids=["only told", "holds"])
def test_an_alert_holds_reminders_back_when_it_says_so_whatever_its_tier(
    smtp_sink: SmtpSink, holds: bool, mails: int
) -> None:
    story = Story(DOSE)
    story.alert()
    Alert.objects.update(tier="AMBER", holds=holds)
    sending.sweep()
    assert len(smtp_sink.messages) == mails
    story.row.refresh_from_db()
    assert story.row.cancel_reason == ("alert" if holds else "")


RACES = {write: (kind, reason) for kind, write, reason in reversed(LOCKING)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", RACES, ids=[write.__name__ for write in RACES])
def test_a_mark_waits_for_a_write_that_has_begun_and_then_yields(
    smtp_sink: SmtpSink, write: Callable[[Story], Any]
) -> None:
    """The proof that both take the patient's lock first: the write is open when the mark begins (A2)."""
    kind, reason = RACES[write]
    story = Story(kind)
    batch = claiming.claim()

    def send() -> None:
        try:
            sending.send(batch)
        finally:
            connection.close()

    sender = threading.Thread(target=send)
    with transaction.atomic():
        write(story)
        sender.start()
        sender.join(0.2)
        assert sender.is_alive(), "the mark did not wait"
    sender.join(20)
    story.row.refresh_from_db()
    assert (story.row.state, story.row.cancel_reason) == ("cancelled", reason)
    assert smtp_sink.messages == []
