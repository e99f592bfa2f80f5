"""What a clinic's people read in a mail, word for word, and what they never do."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import time_machine

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Membership, Patient, User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.reminders import mails, planning
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.factories import Cast, utc
from tests.reminders.test_mails import leaks

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden_clinic"
NOW = utc(2026, 11, 21, 21, 41)
CODE = "7KQM"


@pytest.fixture(autouse=True)
def neutral_names(settings: Any) -> None:
    settings.BASE_URL = "https://diary-of-ours.example.uk"
    settings.MESSAGE_ID_DOMAIN = "mail.example"
    settings.DEFAULT_FROM_EMAIL = "Diary <diary@mail.example>"


@pytest.fixture
def cast() -> Cast:
    cast = factories.cast()
    Patient.objects.filter(pk=cast.anna_patient.pk).update(code=CODE, time_zone="Europe/Paris", privacy="full")
    accounts.join_clinic(by=cast.eve, clinic=cast.north, user=factories.user("Olaf"), title="nurse")
    cast.anna_patient.refresh_from_db()
    return cast


def raised(cast: Cast, tier: str = "RED") -> Alert:
    return alerts.raise_alert(
        by=cast.anna,
        patient=cast.anna_patient,
        rule="T2",
        tier=tier,
        title="Much less urine",
        evidence="38.6 °C",
        source="sideeffects.checkin",
        source_ref="chk1234567",
        now=NOW - timedelta(minutes=1),
    )


def mail_to(user: User, now: datetime = NOW) -> EmailMessage:
    """The mail about the report as it would leave at `now`."""
    planning.plan(now)
    row = Reminder.objects.select_related("recipient", "patient").get(kind="red_flag", recipient=user)
    message = mails.build(row, now).message().as_bytes()
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return f"Subject: {message['Subject']}\n\n{part.get_content()}"


def test_the_words_are_those_that_were_agreed(cast: Cast) -> None:
    raised(cast)
    assert text_of(mail_to(cast.ben)) == (GOLDEN / "red_flag.txt").read_text(encoding="utf-8")


def test_nothing_in_it_says_what_it_is_about_or_who_it_is(cast: Cast) -> None:
    raised(cast)
    message = mail_to(cast.ben)
    assert leaks(message.as_bytes()) == []
    for word in ("Anna", "urine", "38.6", "List-Unsubscribe", "/u/"):
        assert word not in message.as_string()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("called", "They wrote that they have called."),
        ("not_reached", "They wrote that they could not get through."),
        ("mistake", "They wrote that it was ticked by mistake. Please check with them."),
    ],
)
def test_what_the_patient_answered_stands_in_place_of_what_nobody_knows(cast: Cast, answer: str, words: str) -> None:
    alerts.answer(by=cast.anna, alert=raised(cast), answer=answer, now=NOW)
    message = mail_to(cast.ben)
    assert words in text_of(message)
    assert "We do not know" not in text_of(message)
    assert leaks(message.as_bytes()) == []


def test_the_last_ones_are_not_promised_that_somebody_comes_after_them(cast: Cast) -> None:
    raised(cast)
    said = text_of(mail_to(User.objects.get(name="Olaf")))
    assert "Nobody is told after you. You receive this because you work at Clinic North." in said
    assert "goes to the next person" not in said


def test_those_who_are_told_later_hear_that_nobody_has_acknowledged_it(cast: Cast) -> None:
    raised(cast)
    said = "Nobody has acknowledged it yet."
    assert said not in text_of(mail_to(cast.ben))
    assert said in text_of(mail_to(User.objects.get(name="Olaf")))


def test_in_an_emergency_the_page_showed_that_number_first(cast: Cast) -> None:
    raised(cast, "EMERGENCY")
    assert "The page showed them 999 and 020 7946 0019." in text_of(mail_to(cast.ben))


def test_it_names_the_number_of_the_hour_at_which_the_page_was_shown(cast: Cast) -> None:
    with time_machine.travel(NOW):
        alert = raised(cast)
    Alert.objects.filter(pk=alert.pk).update(raised_at=utc(2026, 11, 20, 17, 59))
    assert "The page showed them 020 7946 0018." in text_of(mail_to(cast.ben, utc(2026, 11, 20, 18, 1)))


def test_it_can_be_written_for_somebody_who_is_not_told_any_more(cast: Cast) -> None:
    """The last look keeps it back; writing it must not fail before."""
    raised(cast)
    planning.plan(NOW)
    row = Reminder.objects.select_related("recipient", "patient").get(kind="red_flag", recipient=cast.ben)
    Membership.objects.filter(user=cast.ben).delete()
    assert "Nobody is told after you." in mails.build(row, NOW).body


# The week


@pytest.fixture
def week(cast: Cast) -> Callable[..., EmailMessage]:
    def read(user: User, now: datetime) -> EmailMessage:
        planning.plan(now)
        row = Reminder.objects.select_related("recipient").get(kind="digest", recipient=user, due_at__lte=now)
        with time_machine.travel(now, tick=False):
            parsed = email.message_from_bytes(mails.build(row, now).message().as_bytes(), policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    return read


MONDAY = utc(2026, 11, 23, 7)


def joined_long_ago() -> None:
    User.objects.update(date_joined=utc(2026, 1, 1))


def test_a_week_with_nothing_to_do_is_one_line(cast: Cast, week: Callable[..., EmailMessage]) -> None:
    joined_long_ago()
    message = week(cast.ben, MONDAY)
    said = re.sub(r"/u/[\w-]{22}", "/u/TOKEN", text_of(message))
    assert said == (GOLDEN / "digest_empty.txt").read_text(encoding="utf-8")
    assert leaks(message.as_bytes()) == []


@pytest.mark.parametrize("name", ["North HIV Clinic", "Oncology Day Ward"])
def test_a_clinic_whose_name_says_what_it_treats_is_not_named(
    cast: Cast, week: Callable[..., EmailMessage], name: str
) -> None:
    joined_long_ago()
    Clinic.objects.filter(pk=cast.north.pk).update(name=name)
    raised(cast)
    for message in (mail_to(cast.ben), week(cast.ben, MONDAY)):
        assert leaks(message.as_bytes()) == []
        assert "your clinic" in text_of(message).lower()


def test_a_full_week_names_codes_kinds_of_reason_and_ages(cast: Cast, week: Callable[..., EmailMessage]) -> None:
    joined_long_ago()
    _fill(cast)
    message = week(cast.ben, MONDAY)
    said = re.sub(r"/u/[\w-]{22}", "/u/TOKEN", text_of(message))
    assert said == (GOLDEN / "digest.txt").read_text(encoding="utf-8")
    assert leaks(message.as_bytes()) == []
    for word in ("Anna", "Dan", "urine", "38.6", "kidney", "T2"):
        assert word not in message.as_string()


def _fill(cast: Cast) -> None:
    """An urgent report that nobody answered, one from another patient to call about, a course that starts in nine
    days without its blood results, one that waits, and one in which nothing is recorded."""
    alert = raised(cast)
    alerts.nobody_reached(alert=alert, now=NOW)
    people = [("Ida", "2XDR", -9), ("Jon", "9PLK", 4), ("Kim", "3WVB", -12)]
    for name, code, days in people:
        patient = accounts.create_patient(
            by=cast.ben, clinic=cast.north, user=factories.user(name), earlier_il2="never", birth_year=1970
        )
        Patient.objects.filter(pk=patient.pk).update(code=code)
        with time_machine.travel(utc(2026, 1, 1), tick=False):
            plan = factories.plan(patient, cast.ben, starts_on=(MONDAY - timedelta(days=days)).date())
        if name == "Kim":
            factories.hold(cast.ben, plan.cycles.get(), now=MONDAY - timedelta(days=3))


def test_a_large_clinic_still_fits_in_a_mail(cast: Cast, week: Callable[..., EmailMessage]) -> None:
    joined_long_ago()
    for number in range(30):
        patient = accounts.create_patient(by=cast.ben, clinic=cast.north, name=f"P{number}", time_zone="Europe/London")
        factories.alert(patient, cast.ben, tier="AMBER")
    message = week(cast.ben, MONDAY)
    assert "Panel this week: 30 need action" in message["Subject"]
    assert text_of(message).count(": a report to call about, ") == 25
    assert "- and 5 more on the panel" in text_of(message)
    page = message.get_body(("html",))
    assert page is not None
    assert len(page.get_content().encode()) <= 30_000
