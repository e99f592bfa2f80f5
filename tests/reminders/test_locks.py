"""Writes about people, clinics, sharing and choices against the last look: what was saved before the mark wins (A2).

test_validity.py holds the same for what is written about doses, courses and plans.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Membership, Sharing, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.reminders import actions, claiming, planning, sending, snoozing
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.reminders import outbox
from tests.reminders.test_account_mails import NEW, link_in, path
from tests.reminders.test_races import at_once
from tests.reminders.test_validity import Story
from tests.smtp_sink import Received, SmtpSink

RED_FLAG, DIGEST, TO_CALL, RESET = "red_flag", "digest", "to_call", "password_reset"
DOSE, CARER = "injection_due", "carer_missing"
CLINIC = ("name", "slug", "time_zone", "day_phone", "night_phone", "emergency_phone", "opens_at", "open_days")


class Scene(Story):
    """A mail of the wished kind that is due: to Anna or Sam, to Ben who is called first, or to whom an address is.

    Anna's mails say everything; Nora is called after Ben.
    """

    def __init__(self, kind: str) -> None:
        makers = {RED_FLAG: self.red_flag, DIGEST: self.digest, TO_CALL: self.to_call, RESET: self.reset}
        if kind not in makers:
            super().__init__(kind)
            self.say("full")
            return
        self.kind, self.cast = kind, factories.cast()
        self.nora = factories.user("Nora")
        accounts.join_clinic(by=None, clinic=self.cast.north, user=self.nora, title="nurse", on_call_rank=2)
        self.row = makers[kind]()

    def red_flag(self) -> Reminder:
        what = {"rule": "T2", "title": "Less urine", "evidence": "", "source": "sideeffects.checkin"}
        what |= {"source_ref": "chk1234567", "tier": "RED", "now": timezone.now() - timedelta(seconds=5)}
        alerts.raise_alert(by=self.cast.anna, patient=self.cast.anna_patient, **what)
        planning.plan_reports()
        return Reminder.objects.get(kind=RED_FLAG, recipient=self.cast.ben)

    def digest(self) -> Reminder:
        factories.alert(self.cast.anna_patient, self.cast.anna, tier="AMBER")
        today = timezone.now().astimezone(ZoneInfo("Europe/London"))
        monday = datetime.combine(today.date() + timedelta(days=7 - today.weekday()), time(6), tzinfo=today.tzinfo)
        planning.plan(monday)
        rows = Reminder.objects.filter(kind=DIGEST, recipient=self.cast.ben)
        outbox.bring_to_now(rows)
        return rows.get()

    def to_call(self) -> Reminder:
        factories.alert(self.cast.anna_patient, self.cast.anna, tier="AMBER")
        Alert.objects.update(raised_at=timezone.now() - timedelta(days=2))
        planning.plan()
        rows = Reminder.objects.filter(kind=TO_CALL, recipient=self.cast.ben)
        row = rows.latest("due_at")
        outbox.bring_to_now(rows.filter(pk=row.pk))
        return rows.get(pk=row.pk)

    def reset(self) -> Reminder:
        ago = timezone.now() - timedelta(seconds=5)
        return actions.post(by=None, kind=RESET, now=ago, address=self.cast.anna.email)

    # What people do

    def acknowledge(self) -> None:
        alerts.acknowledge(by=self.cast.ben, alert=Alert.objects.get(), now=timezone.now())

    def say(self, level: str) -> None:
        accounts.update_patient(by=self.cast.anna, patient=self.cast.anna_patient, privacy=level)

    def say_less(self) -> None:
        self.say("discreet")

    def stop_sharing_with_the_clinic(self) -> None:
        sharing = Sharing.objects.get(patient=self.cast.anna_patient, clinic=self.cast.north)
        accounts.stop_sharing(by=self.cast.anna, sharing=sharing)

    def share_with_one_that_confirms(self) -> None:
        factories.confirms_starts(self.cast.south)
        accounts.share_with_clinic(by=self.cast.anna, patient=self.cast.anna_patient, clinic=self.cast.south)

    def put_off_by_twenty_minutes(self) -> None:
        ten = timedelta(minutes=10)
        at = self.dose.due_at
        snoozing.snooze(by=self.cast.anna, dose=self.dose, again_at=at + ten, now=at - ten)

    def read_clocks_to_24(self) -> None:
        accounts.update_user(by=self.cast.anna, user=self.cast.anna, clock="24")

    def choose_a_password(self) -> None:
        accounts.set_password(by=self.cast.anna, user=self.cast.anna, password=NEW)

    def ask_for_three_more_links(self) -> None:
        for _time in range(3):
            self.reset()
        sending.sweep()

    # What administrators do

    def administer(self, page: str, **facts: Any) -> None:
        client = Client()
        client.force_login(self.cast.eve)
        answer = client.post(f"/system/admin/accounts/{page}", facts)
        assert answer.status_code == 302, answer.content.decode()

    def remove(self, person: User) -> None:
        member = Membership.objects.get(clinic=self.cast.north, user=person)
        self.administer(f"membership/{member.pk}/delete/", post="yes")

    def remove_from_the_clinic(self) -> None:
        self.remove(self.cast.ben)

    def remove_the_one_after(self) -> None:
        self.remove(self.nora)

    def remove_with_all_others(self) -> None:
        pks = list(Membership.objects.values_list("pk", flat=True))
        self.administer("membership/", action="delete_selected", _selected_action=pks, post="yes")

    def move_to_another_clinic(self) -> None:
        member = Membership.objects.get(clinic=self.cast.north, user=self.cast.ben)
        facts = {"clinic": self.cast.south.pk, "user": self.cast.ben.pk, "title": "nurse"}
        self.administer(f"membership/{member.pk}/change/", **facts)

    def call_nora_first(self) -> None:
        member = Membership.objects.get(clinic=self.cast.north, user=self.nora)
        facts = {"clinic": self.cast.north.pk, "user": self.nora.pk, "title": "nurse", "on_call_rank": 0}
        self.administer(f"membership/{member.pk}/change/", **facts)

    def change_user(self, user: User, **facts: Any) -> None:
        self.administer(f"user/{user.pk}/change/", **{"email": user.email, "name": user.name, **facts})

    def bar_the_patient(self) -> None:
        self.change_user(self.cast.anna)

    def bar_the_carer(self) -> None:
        self.change_user(self.cast.sam)

    def bar_the_clinician(self) -> None:
        self.change_user(self.cast.ben)

    def bar_the_one_after(self) -> None:
        self.change_user(self.nora)

    def new_address(self) -> None:
        assert self.row.recipient is not None
        self.change_user(self.row.recipient, email="new@example.org", is_active="on")

    def change_clinic(self, **facts: Any) -> None:
        clinic = self.cast.north
        same = {name: getattr(clinic, name) or "" for name in CLINIC}
        same |= {"escalate_after": 15, "closes_at": "18:00", "sustained_gaps": 2}
        self.administer(f"clinic/{clinic.pk}/change/", **{**same, **facts})

    def confirm_every_start(self) -> None:
        self.change_clinic(confirms_starts="on")

    def new_numbers(self) -> None:
        self.change_clinic(day_phone="020 7946 0777", night_phone="020 7946 0777")


# What the mail that leaves must be like


def words(mail: Received) -> str:
    return str(mail.message["Subject"]) + mail.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def to_the_new_address(scene: Scene, mail: Received) -> bool:
    return mail.rcpt_tos == ("new@example.org",)


def discreet(scene: Scene, mail: Received) -> bool:
    return str(mail.message["Subject"]).startswith("Diary reminder, 10am") and "MIU" not in words(mail)


def by_the_24_hour_clock(scene: Scene, mail: Received) -> bool:
    return "10:00" in words(mail) and "10am" not in words(mail)


def without_the_patient(scene: Scene, mail: Received) -> bool:
    return scene.cast.anna_patient.code not in words(mail)


def told_last(scene: Scene, mail: Received) -> bool:
    return "Nobody is told after you." in words(mail)


def with_the_new_number(scene: Scene, mail: Received) -> bool:
    return "020 7946 0777" in words(mail) and "020 7946 001" not in words(mail)


def with_a_link_that_opens(scene: Scene, mail: Received) -> bool:
    return Client().get(path(link_in(mail))).status_code == 302


End = str | Callable[[Scene, Received], bool]
TABLE: list[tuple[str, Callable[[Scene], Any], End]] = [
    (RED_FLAG, Scene.acknowledge, "answered"),
    (RED_FLAG, Scene.stop_sharing_with_the_clinic, "no_recipient"),
    (RED_FLAG, Scene.remove_from_the_clinic, "no_recipient"),
    (RED_FLAG, Scene.remove_with_all_others, "no_recipient"),
    (RED_FLAG, Scene.move_to_another_clinic, "no_recipient"),
    (RED_FLAG, Scene.bar_the_clinician, "no_recipient"),
    (RED_FLAG, Scene.new_address, to_the_new_address),
    (RED_FLAG, Scene.remove_the_one_after, told_last),
    (RED_FLAG, Scene.call_nora_first, told_last),
    (RED_FLAG, Scene.bar_the_one_after, told_last),
    (RED_FLAG, Scene.new_numbers, with_the_new_number),
    (DIGEST, Scene.stop_sharing_with_the_clinic, without_the_patient),
    (DIGEST, Scene.remove_from_the_clinic, "no_recipient"),
    (DIGEST, Scene.remove_with_all_others, "no_recipient"),
    (DIGEST, Scene.move_to_another_clinic, "no_recipient"),
    (DIGEST, Scene.bar_the_clinician, "no_recipient"),
    (DIGEST, Scene.new_address, to_the_new_address),
    (TO_CALL, Scene.acknowledge, "empty"),
    (TO_CALL, Scene.stop_sharing_with_the_clinic, "empty"),
    (TO_CALL, Scene.remove_from_the_clinic, "empty"),
    (TO_CALL, Scene.bar_the_clinician, "no_recipient"),
    (TO_CALL, Scene.new_address, to_the_new_address),
    (DOSE, Scene.put_off_by_twenty_minutes, "put_off"),
    (DOSE, Scene.share_with_one_that_confirms, "unconfirmed"),
    (DOSE, Scene.confirm_every_start, "unconfirmed"),
    (DOSE, Scene.bar_the_patient, "no_recipient"),
    (DOSE, Scene.new_address, to_the_new_address),
    (DOSE, Scene.say_less, discreet),
    (DOSE, Scene.read_clocks_to_24, by_the_24_hour_clock),
    (CARER, Scene.bar_the_carer, "no_recipient"),
    (CARER, Scene.bar_the_patient, "no_recipient"),
    (CARER, Scene.new_address, to_the_new_address),
    (RESET, Scene.bar_the_patient, "unknown_address or no_recipient"),
    (RESET, Scene.choose_a_password, with_a_link_that_opens),
]
NAMES = [f"{kind} {write.__name__}" for kind, write, _ in TABLE]
each_write = pytest.mark.parametrize(("kind", "write", "end"), TABLE, ids=NAMES)


def check(scene: Scene, end: End, sink: SmtpSink) -> None:
    """It stays at home for the reason, or one mail leaves that says what is true now. Nora's own does not count."""
    sending.sweep()
    scene.row.refresh_from_db()
    mails = [mail for mail in sink.messages if mail.rcpt_tos != ("nora@example.org",)]
    if isinstance(end, str):
        assert scene.row.state == "cancelled"
        assert scene.row.cancel_reason in end.split(" or ")
        assert mails == []
    else:
        assert (scene.row.state, scene.row.cancel_reason) == ("sent", "")
        (mail,) = mails
        assert end(scene, mail), words(mail)


@pytest.mark.django_db
@each_write
def test_what_is_saved_after_the_claim_is_what_counts(
    smtp_sink: SmtpSink, kind: str, write: Callable[[Scene], Any], end: End
) -> None:
    scene = Scene(kind)
    batch = claiming.claim()
    assert scene.row in batch.rows
    write(scene)
    sending.send(batch)
    check(scene, end, smtp_sink)


@pytest.mark.django_db(transaction=True)
@each_write
def test_a_mark_waits_for_a_write_that_has_begun_and_goes_by_it(
    smtp_sink: SmtpSink, kind: str, write: Callable[[Scene], Any], end: End
) -> None:
    """The proof that both lock the same row first: the write is open when the mark begins."""
    scene = Scene(kind)
    batch = claiming.claim()

    def send() -> None:
        try:
            sending.send(batch)
        finally:
            connection.close()

    sender = threading.Thread(target=send)
    with transaction.atomic():
        write(scene)
        sender.start()
        assert waits(sender), "the mark did not wait"
    sender.join(20)
    check(scene, end, smtp_sink)


def waits(sender: threading.Thread) -> bool:
    """Whether it stands behind the transaction of this thread. SQLite has no list of who waits."""
    if connection.vendor == "sqlite":
        sender.join(0.2)
        return sender.is_alive()
    behind = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    with connection.cursor() as cursor:
        while sender.is_alive():
            cursor.execute(behind)
            if cursor.fetchone()[0]:
                return True
    return False


# A password's link: asking again makes none of them wrong, so it locks nothing


@pytest.mark.django_db
def test_who_asks_again_meanwhile_gets_two_links_that_both_open(smtp_sink: SmtpSink) -> None:
    scene = Scene(RESET)
    batch = claiming.claim()
    scene.reset()
    sending.send(batch)
    sending.sweep()
    assert all(with_a_link_that_opens(scene, mail) for mail in smtp_sink.wait_for(2))


@pytest.mark.django_db
def test_the_fourth_link_of_an_hour_stays_at_home_though_it_was_claimed_first(smtp_sink: SmtpSink) -> None:
    scene = Scene(RESET)
    batch = claiming.claim()
    scene.ask_for_three_more_links()
    sending.send(batch)
    scene.row.refresh_from_db()
    assert (scene.row.state, scene.row.cancel_reason) == ("cancelled", "answered")
    assert len(smtp_sink.messages) == 3


@pytest.mark.django_db
def test_a_choice_does_not_undo_an_address_that_was_changed_since_the_page_was_opened() -> None:
    anna = factories.user("Anna")
    User.objects.filter(pk=anna.pk).update(email="new@example.org")
    accounts.update_user(by=anna, user=anna, clock="24")
    assert User.objects.get(pk=anna.pk).email == "new@example.org"


@pytest.mark.django_db(transaction=True)
def test_writers_and_senders_never_wait_for_each_other_in_a_ring(smtp_sink: SmtpSink) -> None:
    """All lock patients by key and then people by key."""
    scene = Scene(RED_FLAG)
    people = [scene.nora, scene.cast.ben]

    def shares_and_stops() -> None:
        north, by = scene.cast.north, scene.cast.dan
        sharing = accounts.share_with_clinic(by=by, patient=scene.cast.dan_patient, clinic=north)
        accounts.stop_sharing(by=by, sharing=sharing)

    turns = [
        sending.sweep,
        scene.new_numbers,
        shares_and_stops,
        lambda: [scene.change_user(person, is_active="on") for person in people],
        scene.call_nora_first,
        planning.plan,
    ]
    for _time in range(3):
        mine, lock = iter(turns), threading.Lock()

        def one_of_them(mine: Any = mine, lock: Any = lock) -> None:
            with lock:
                work = next(mine)
            work()

        at_once(one_of_them, len(turns))
