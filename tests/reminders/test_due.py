"""The list of reminders in the app: the machine's own rows, in words; and what is said when mails come back."""

from __future__ import annotations

import html
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cycles.models import Plan, PlannedDose
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import User
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import actions, due, due_words, planning, sending, trouble
from il2tracker.reminders.models import Delivery, Reminder, State, WaitsFor
from il2tracker.reminders.wishes import Reason
from tests import factories
from tests.factories import Cast, utc
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
PAGE = "/reminders/"
EVENING = utc(2026, 11, 25, 21, 35)  # in London, a Wednesday; the injection of the evening is at 10pm
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def plan(cast: Cast) -> Plan:
    """Since yesterday, 10am and 10pm."""
    with time_machine.travel(EVENING - timedelta(days=1, hours=14), tick=False):
        return factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 11, 24))


@pytest.fixture
def dose(plan: Plan) -> PlannedDose:
    """Tonight at 10pm."""
    return plan.cycles.get(number=1).doses.get(day=2, slot="pm")


def see(user: User, path: str = PAGE, at: datetime = EVENING) -> Any:
    """The answer at a moment, with `.main` as HTML and `.words` as a person reads it."""
    with time_machine.travel(at, tick=False):
        client = Client()
        client.force_login(user)
        answer: Any = client.get(path)
    page = answer.content.decode()
    answer.main = page[page.find("<main") : page.find("</main>")]
    answer.words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.main)).split())
    return answer


def row(cast: Cast, at: datetime = EVENING, **facts: Any) -> Reminder:
    """A row of Anna's on London's clock, due a minute before, of use for an hour."""
    times = {"due_at": at - MINUTE, "next_attempt_at": at - MINUTE, "expires_at": at + HOUR, "zone": "Europe/London"}
    return outbox.row(cast.anna_patient, **{**times, **facts})


def parts(words: str) -> tuple[str, str]:
    """What stands under "Now and next", and under "The last days"."""
    now, _, past = words.partition("The last days")
    return now.partition("Now and next")[2], past


# Words


def test_there_are_words_for_every_state_reason_and_wait() -> None:
    assert set(due_words.STATES) == set(State)
    assert set(due_words.REASONS) == set(Reason)
    assert set(due_words.WAITS) == set(WaitsFor)
    said = [*due_words.STATES.values(), *due_words.REASONS.values(), *due_words.WAITS.values()]
    assert len({str(one.words) for one in said}) == len(said)
    pictures = (Path(settings.BASE_DIR) / "static/img/icons.svg").read_text("utf-8")
    assert all(f'id="i-{one.icon}"' in pictures for one in said)


def test_no_sentence_of_the_list_tells_anybody_to_take_skip_or_stop_anything() -> None:
    said = [*due_words.STATES.values(), *due_words.REASONS.values(), *due_words.WAITS.values()]
    for one in [*said, due_words.TOO_MANY, due_words.TRIED, due_words.DUE_NOW, due_words.REFUSED_FOR_GOOD]:
        assert not re.search(r"\b(take|inject|skip|double|stop|start now|go ahead)\b", str(one.words), re.IGNORECASE)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"due_at": EVENING + HOUR}, "Mail at 10:35pm."),
        ({}, "Due now: it is sent in a moment."),
        ({"last_error_class": "RCPT 451", "attempts": 1}, "Could not be sent yet; it is tried again."),
        (
            {"waits_for": "quiet", "next_attempt_at": utc(2026, 11, 26, 7)},
            "Waits for the end of the quiet hours, until 7am.",
        ),
        (
            {"waits_for": "cap", "next_attempt_at": utc(2026, 11, 26, 7)},
            "Waits for the next day: enough mails today, until 7am.",
        ),
        ({"state": "sending", "lease_token": "0" * 32, "lease_until": EVENING}, "Being sent."),
        *(
            ({"state": "cancelled", "cancel_reason": reason}, f"{due_words.REASONS[reason].words}.")
            for reason in (
                *(Reason.HELD, Reason.ALERT, Reason.UNCONFIRMED, Reason.PUT_OFF),
                *(Reason.TURNED_OFF, Reason.QUIET, Reason.REFUSED),
            )
        ),
    ],
)
def test_what_may_still_come_and_what_only_stands_here_is_now_and_next(
    cast: Cast, facts: dict[str, Any], words: str
) -> None:
    row(cast, **facts)
    now, past = parts(see(cast.anna).words)
    assert words in now
    assert "Nothing yet." in past


SENT = {"state": "sent", "handing_over_at": EVENING - MINUTE}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({**SENT, "accepted_at": EVENING}, "Sent at 9:35pm."),
        ({**SENT, "accepted_at": EVENING + 3 * HOUR}, "Sent at 12:35am on Thursday 26 November 2026."),
        ({"state": "uncertain", "handing_over_at": EVENING}, "Perhaps sent: the mail server gave no answer."),
        ({"state": "expired"}, "Not sent: it was too late."),
        ({"expires_at": EVENING - MINUTE}, "Not sent: it was too late."),
        ({"state": "expired", "waits_for": "cap"}, "Not sent: enough mails came that day."),
        ({"expires_at": EVENING - MINUTE, "waits_for": "cap"}, "Not sent: enough mails came that day."),
        ({"state": "dead", "last_error_class": "RCPT 550"}, "Not delivered: the mail server refused it."),
        ({"state": "dead", "last_error_class": "SenderLost"}, "Not delivered: given up after several tries."),
        ({"state": "dead", "last_error_class": "RCPT 451"}, "Not delivered: given up after several tries."),
        *(
            ({"state": "cancelled", "cancel_reason": reason}, f"{due_words.REASONS[reason].words}.")
            for reason in Reason
            if reason not in planning.SHOWN_ALL_THE_SAME
        ),
        ({"state": "cancelled", "cancel_reason": "turned_off", "expires_at": EVENING - MINUTE}, "you switched it off."),
    ],
)
def test_what_is_over_stands_under_the_last_days_with_what_became_of_it(
    cast: Cast, facts: dict[str, Any], words: str
) -> None:
    row(cast, **facts)
    now, past = parts(see(cast.anna).words)
    assert "No reminder is due in the next three days." in now
    assert words in past


def test_times_are_said_on_the_clock_they_were_planned_for_and_as_the_reader_writes_them(cast: Cast) -> None:
    row(cast, zone="America/New_York", waits_for="quiet", next_attempt_at=utc(2026, 11, 26, 12))
    User.objects.filter(pk=cast.anna.pk).update(clock="24")
    words = see(User.objects.get(pk=cast.anna.pk)).words
    assert "16:34. Waits for the end of the quiet hours, until 07:00." in words


# Rows of the machine


def test_the_list_shows_the_same_rows_as_the_machine(cast: Cast, dose: PlannedDose) -> None:
    planning.plan(EVENING)
    mine = Reminder.objects.filter(recipient=cast.anna, state="planned")
    page = due.read(cast.anna, EVENING)
    assert len(page.coming) == mine.count() > 4
    assert [line.at for line in page.coming] == [item.due_at for item in mine.order_by("due_at", "pk")]
    now, _past = parts(see(cast.anna).words)
    assert "Injection at 10pm Mail at 9:45pm. Record it" in now
    assert "If the 10pm injection is not recorded Mail at 11pm, only if it is not recorded by then." in now


def test_a_row_about_a_slot_leads_to_its_page_as_long_as_it_can_be_recorded(cast: Cast, dose: PlannedDose) -> None:
    planning.plan(EVENING)
    tomorrow = dose.cycle.doses.get(day=3, slot="pm")
    page = see(cast.anna).main
    assert page.count(f'href="/diary/add/{dose.ref}/"') == 2
    assert tomorrow.ref not in page
    later = dose.due_at + MINUTE
    factories.injection(cast.anna_patient, cast.anna, dose, now=later)
    planning.plan(later)
    assert dose.ref not in see(cast.anna, at=later).main
    assert "Not needed: it is recorded." in parts(see(cast.anna, at=later).words)[1]


def test_a_hold_shows_as_a_pause_and_leads_to_no_page_for_recording(cast: Cast, dose: PlannedDose) -> None:
    planning.plan(EVENING)
    factories.hold(cast.ben, dose.cycle, "fever", now=EVENING)
    planning.plan(EVENING)
    answer = see(cast.anna)
    assert "Injection at 10pm Reminder set for 9:45pm. Paused: the course is on hold." in answer.words
    assert "/diary/add/" not in answer.main


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("bloodwork_book", "/appointment/"),
        ("bloodwork_due", "/appointment/"),
        ("bloodwork_overdue", "/appointment/"),
        ("results_missing", "/results/add/"),
        ("cycle_week", "/before/"),
        ("cycle_day", "/before/"),
        ("plan_changed", "/plan/update/"),
        ("paused", "/"),
    ],
)
def test_a_row_leads_to_what_it_is_about_while_that_is_of_use(cast: Cast, kind: str, path: str) -> None:
    item = row(cast, kind=kind)
    assert f'<a class="link-row" href="{path}">' in see(cast.anna).main
    outbox.change(item, state="cancelled", cancel_reason="not_in_plan")
    assert f'<a class="link-row" href="{path}">' not in see(cast.anna).main
    outbox.change(item, state="expired", cancel_reason="", expires_at=EVENING)
    assert f'<a class="link-row" href="{path}">' not in see(cast.anna).main


def test_what_is_not_due_and_not_wanted_is_not_spoken_of(cast: Cast) -> None:
    row(cast, state="cancelled", cancel_reason="recorded", due_at=EVENING + HOUR)
    row(cast, state="expired", due_at=EVENING - timedelta(days=15))
    page = due.read(cast.anna, EVENING)
    assert (page.coming, page.past) == ([], [])


def test_rows_stand_under_their_days_newest_first(cast: Cast) -> None:
    for hours in (50, 1, 26, 2):
        due_at = EVENING - hours * HOUR
        row(cast, state="expired", due_at=due_at, expires_at=due_at, kind="cycle_day", says_on=date(2026, 11, 24))
    past = parts(see(cast.anna).words)[1]
    found = re.findall(
        r"(\w+day) \d+ November 2026 The day before|first day Tuesday 24 November 2026 Reminder set for (\S+)\.", past
    )
    assert [day or hour for day, hour in found] == [
        *("Wednesday", "8:35pm", "7:35pm"),
        *("Tuesday", "7:35pm", "Monday", "7:35pm"),
    ]


def test_the_last_days_page_by_key_without_a_gap_or_a_repeat(cast: Cast) -> None:
    for number in range(2 * due.PAGE + 5):
        row(cast, state="expired", due_at=EVENING - (number // 2) * HOUR)
    every = list(Reminder.objects.order_by("-due_at", "-pk").values_list("due_at", flat=True))
    found, key = [], None
    while True:
        page = due.read(cast.anna, EVENING, before=key)
        found += [line.at for line in page.past]
        if page.older is None:
            break
        key = page.older
    assert found == every
    first = see(cast.anna)
    assert 'href="?before=' in first.main
    assert "Newest" not in first.words
    last = see(cast.anna, f"{PAGE}?before={key}")
    assert "Older" not in last.words
    assert "Now and next" not in last.words
    assert "Newest" in last.words


@pytest.mark.parametrize("key", ["x", "-1", "1.5", "9" * 19, "4711"])
def test_a_page_key_that_is_no_key_is_not_found(cast: Cast, key: str) -> None:
    assert see(cast.anna, f"{PAGE}?before={key}").status_code == 404


def test_the_key_of_somebody_elses_row_is_not_found(cast: Cast) -> None:
    other = outbox.row(cast.dan_patient, state="expired")
    assert see(cast.anna, f"{PAGE}?before={other.pk}").status_code == 404


def test_the_list_costs_the_same_however_long_it_is(
    cast: Cast, dose: PlannedDose, django_assert_num_queries: Any
) -> None:
    planning.plan(EVENING)
    row(cast, state="expired")
    see(cast.anna)
    with CaptureQueriesContext(connection) as few:
        due.read(User.objects.get(pk=cast.anna.pk), EVENING)
    for hours in range(20):
        row(cast, state="expired", due_at=EVENING - hours * HOUR)
        row(cast, due_at=EVENING + hours * MINUTE)
    with django_assert_num_queries(len(few)):
        page = due.read(User.objects.get(pk=cast.anna.pk), EVENING)
    assert len(page.coming) > 20
    assert len(few) <= 6


# Whose rows


def test_everybody_sees_only_the_own_rows(cast: Cast, dose: PlannedDose) -> None:
    planning.plan(EVENING)
    for other in (cast.dan, cast.ben, cast.sam, cast.eve):
        page = due.read(other, EVENING)
        assert (page.coming, page.past) == ([], [])
        assert see(other).status_code == 200


def test_a_helper_reads_his_rows_without_a_name_and_opens_the_page_while_he_may(cast: Cast, dose: PlannedDose) -> None:
    occurrence = f"c{dose.cycle_id}/d{dose.day}/{dose.slot}"
    facts = {"kind": "carer_missing", "occurrence": occurrence, "slot_local": "2026-11-25T22:00"}
    row(cast, recipient=cast.sam, due_at=EVENING + HOUR, expires_at=EVENING + 2 * HOUR, **facts)
    answer = see(cast.sam)
    assert (
        "Somebody I help: if 10pm is not recorded Mail at 10:35pm, only if it is not recorded by then." in answer.words
    )
    assert "Anna" not in answer.words
    assert f"/diary/add/{dose.ref}/" in answer.main
    assert "carer_missing" not in see(cast.anna).main
    accounts.stop_sharing(by=cast.anna, sharing=cast.anna_patient.sharings.get(person=cast.sam))
    assert "/diary/add/" not in see(cast.sam).main


@pytest.mark.parametrize("reason", Reason)
def test_a_helper_reads_no_reason_that_says_something_about_the_person(cast: Cast, reason: Reason) -> None:
    """Also for two weeks after the sharing ended."""
    row(
        cast,
        recipient=cast.sam,
        kind="carer_missing",
        occurrence="c1/d2/pm",
        state="cancelled",
        cancel_reason=reason,
    )
    words = see(cast.sam).words
    said = {
        **dict.fromkeys((Reason.HELD, Reason.ALERT, Reason.UNCONFIRMED), "Paused"),
        **{own: str(due_words.REASONS[own].words) for own in (Reason.TURNED_OFF, Reason.QUIET, Reason.REFUSED)},
    }.get(reason, "Not needed")
    assert re.search(rf"set for 9:34pm\. {re.escape(said)}\.", words), words


@pytest.mark.parametrize("state", ["planned", "sent", "expired"])
def test_the_hour_of_the_injection_and_of_the_mail_are_told_apart_and_nobody_is_reproached(
    cast: Cast, state: str
) -> None:
    facts = {"slot_local": "2026-11-25T22:00", "due_at": EVENING + HOUR, "expires_at": EVENING + 2 * HOUR}
    done = {"handing_over_at": EVENING, "accepted_at": EVENING + 61 * MINUTE} if state == "sent" else {}
    row(cast, kind="injection_missing", occurrence="c1/d2/pm", state=state, **facts, **done)
    words = see(cast.anna, at=EVENING + (0 if state == "planned" else 3) * HOUR).words
    assert {
        "planned": "If the 10pm injection is not recorded Mail at 10:35pm, only if it is not recorded by then.",
        "sent": "If the 10pm injection is not recorded Reminder set for 10:35pm. Sent at 10:36pm.",
        "expired": "If the 10pm injection is not recorded Reminder set for 10:35pm. Not sent: it was too late.",
    }[state] in words
    assert "Injection not recorded" not in words


def test_a_clinician_opens_an_urgent_report_from_the_list_while_the_clinic_may_see_it(cast: Cast) -> None:
    alert = factories.alert(cast.anna_patient, cast.anna)
    facts = {"kind": "red_flag", "occurrence": f"a{alert.ref}", "recipient": cast.ben}
    row(cast, **SENT, accepted_at=EVENING, **facts)
    answer = see(cast.ben)
    assert "Urgent report Reminder set for 9:34pm. Sent at 9:35pm." in answer.words
    assert f'href="/people/{cast.anna_patient.code}/"' in answer.main
    assert "Anna" not in answer.words
    accounts.stop_sharing(by=cast.anna, sharing=cast.anna_patient.sharings.get(clinic=cast.north))
    assert "/people/" not in see(cast.ben).main.replace('href="/people/"', "")


def test_what_is_about_no_diary_stands_on_the_readers_own_clock(cast: Cast) -> None:
    for who in (cast.anna, cast.ben):
        Reminder.objects.create(
            key=f"test:{who.pk}:x",
            kind="test",
            occurrence="x",
            recipient=who,
            zone="UTC",
            due_at=EVENING,
            next_attempt_at=EVENING,
            expires_at=EVENING + HOUR,
        )
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="America/New_York")
    assert "Test mail Reminder set for 4:35pm. Due now" in see(User.objects.get(pk=cast.anna.pk)).words
    assert "Test mail Reminder set for 9:35pm. Due now" in see(cast.ben).words


# Mails that come back


def refuse(user: User, address: str | None = None) -> None:
    Delivery.objects.create(
        user=user, refused_address=address or user.email, refused_cause="RCPT 550", refused_at=EVENING - 48 * HOUR
    )


PAGES = ("/", PAGE, "/settings/reminders/")
SINCE = "Mails to anna@example.org come back since Monday 23 November 2026. Nothing about reminders is lost:"


def test_a_dead_address_is_told_on_today_on_the_list_and_beside_the_choices(cast: Cast) -> None:
    refuse(cast.anna)
    for path in PAGES:
        answer = see(cast.anna, path)
        assert SINCE in answer.words, path
        assert "Ask whoever runs this diary to change your address, or try again:" in answer.words
        assert answer.main.count('action="/reminders/test/"') == 1, path


def test_on_today_it_stands_behind_the_injection_and_not_beside_an_urgent_report(cast: Cast, dose: PlannedDose) -> None:
    refuse(cast.anna)
    words = see(cast.anna, "/").words
    assert words.index("Record this injection") < words.index("Mails to you come back")
    factories.alert(cast.anna_patient, cast.anna)
    assert "come back" not in see(cast.anna, "/").words


def test_an_address_that_was_changed_since_is_not_spoken_of(cast: Cast) -> None:
    refuse(cast.anna, "old@example.org")
    refuse(cast.dan)
    for path in PAGES:
        assert "come back" not in see(cast.anna, path).words


def test_a_clinician_reads_it_too(cast: Cast) -> None:
    refuse(cast.ben)
    assert "Mails to ben@example.org come back." in see(cast.ben).words


def test_single_mails_that_failed_are_told_on_today_for_a_day_and_lead_to_the_list(cast: Cast) -> None:
    outbox.row(cast.dan_patient, state="dead")
    row(cast, state="dead", due_at=EVENING - 25 * HOUR)
    row(cast, state="expired", waits_for="cap")
    assert "could not be delivered" not in see(cast.anna, "/").words
    for state in ("dead", "expired"):
        item = row(cast, state=state)
        answer = see(cast.anna, "/")
        assert "A mail to you could not be delivered." in answer.words
        assert '<a href="/reminders/">See which</a>' in answer.main
        item.delete()


def test_who_never_chose_is_led_to_the_choices_until_something_is_chosen(cast: Cast) -> None:
    """B3: whoever the clinic put in has never been asked."""
    line = "Reminders come by e-mail. Choose which"
    assert line in see(cast.anna, "/").words
    item = row(cast, state="dead")
    assert line not in see(cast.anna, "/").words, "what failed is more urgent"
    item.delete()
    actions.choose(by=cast.anna, switches={"cycle_week": True})
    assert line not in see(cast.anna, "/").words


def test_today_asks_about_mails_in_one_statement(cast: Cast, django_assert_num_queries: Any) -> None:
    refuse(cast.anna)
    row(cast, state="dead")
    with django_assert_num_queries(1):
        assert trouble.of(cast.anna, EVENING) is not None


# A mail to oneself


def press(user: User, at: datetime) -> Any:
    with time_machine.travel(at, tick=False):
        client = Client()
        client.force_login(user)
        return client.post("/reminders/test/", follow=True)


def test_a_test_mail_goes_into_the_outbox_once_a_minute_and_stands_in_the_list(cast: Cast) -> None:
    said = ("A test mail is on its way.", *["One test mail a minute: the one before stands below."] * 2)
    for seconds, words in zip((0, 1, 20), said, strict=True):
        answer = press(cast.anna, EVENING + timedelta(seconds=seconds))
        assert answer.redirect_chain == [(PAGE, 302)]
        assert words in answer.content.decode()
    item = Reminder.objects.get(kind="test")
    assert (item.recipient, item.patient, item.state) == (cast.anna, None, "planned")
    assert "Test mail" in see(cast.anna).words
    press(cast.anna, EVENING + timedelta(seconds=61))
    press(cast.ben, EVENING)
    assert Reminder.objects.filter(kind="test", recipient=cast.anna).count() == 2
    assert Reminder.objects.filter(kind="test", recipient=cast.ben).count() == 1
    assert AuditEvent.objects.filter(action="reminders.test.posted").count() == 3


def test_a_refused_test_mail_shows_and_one_that_is_taken_makes_all_well_again(cast: Cast, smtp_sink: SmtpSink) -> None:
    def pressed_and_swept() -> str:
        Reminder.objects.update(key=Concat("key", Value(" of another minute")))
        now = timezone.now()
        press(cast.anna, now)
        sending.sweep()
        return str(see(cast.anna, at=now + MINUTE).words)

    smtp_sink.fault("rcpt-550", times=1)
    words = pressed_and_swept()
    assert "Mails to anna@example.org come back since" in words
    assert "Not delivered: the mail server refused it." in words
    words = pressed_and_swept()
    assert "come back" not in words
    assert "Sent at" in words
    assert [mail.message["To"] for mail in smtp_sink.messages] == ["anna@example.org"]


def test_looking_at_the_address_of_the_button_sends_nothing(cast: Cast) -> None:
    assert see(cast.anna, "/reminders/test/").status_code == 405
    assert not Reminder.objects.exists()


def test_the_button_stands_on_the_list_and_beside_the_choices(cast: Cast) -> None:
    for path in ("/reminders/", "/settings/reminders/"):
        for who in (cast.anna, cast.ben, cast.sam):
            assert see(who, path).main.count("Send me a test mail") == 1


def test_the_list_is_found_from_today_from_the_settings_and_from_the_choices(cast: Cast) -> None:
    for path in ("/", "/settings/", "/settings/reminders/"):
        assert 'href="/reminders/"' in see(cast.anna, path).content.decode(), path
    for who in (cast.ben, cast.sam):
        assert 'href="/reminders/"' in see(who, "/settings/").main
        assert 'href="/settings/reminders/"' in see(who, "/settings/").main
    assert 'href="/settings/reminders/"' not in see(cast.eve, "/settings/").main


def test_nobody_who_is_not_signed_in_sees_a_list() -> None:
    assert Client().get(PAGE)["Location"].startswith("/sign-in/")
