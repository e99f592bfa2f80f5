"""What the mails say, word for word, and what they never say, anywhere in the whole message."""

import email
import email.policy
import math
import re
import secrets
import string
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import checks
from django.core.mail.message import EmailMultiAlternatives
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from cycles import course_actions, version_actions
from cycles.models import Plan, PlanVersion
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Sharing
from il2tracker.alerts import actions as alerts
from il2tracker.refs import is_harmless, new_code, new_ref
from il2tracker.reminders import actions, kinds, mails, planning, unsubscribing
from il2tracker.reminders.models import Reminder, Snooze
from tests import factories
from tests.factories import Cast

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Path(__file__).parents[2] / "templates" / "emails"
LONDON = ZoneInfo("Europe/London")
START = date(2027, 3, 3)
SIGNED = datetime(2027, 1, 4, 12, tzinfo=LONDON)


def before(days: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime.combine(START - timedelta(days=days), time(hour, minute), tzinfo=LONDON)


# name → (kind, when it leaves)
MAILS = {
    "injection_due": (kinds.INJECTION_DUE, before(0, 9, 45)),
    "injection_due_late": (kinds.INJECTION_DUE, before(0, 10, 30)),
    "injection_again": (kinds.INJECTION_AGAIN, before(0, 10, 30)),
    "injection_missing": (kinds.INJECTION_MISSING, before(0, 11)),
    "carer_missing": (kinds.CARER_MISSING, before(0, 11)),
    "cycle_week": (kinds.CYCLE_WEEK, before(7)),
    "cycle_week_late": (kinds.CYCLE_WEEK, before(4)),
    "cycle_day": (kinds.CYCLE_DAY, before(1)),
    "cycle_day_late": (kinds.CYCLE_DAY, before(0, 7)),
    "bloodwork_book": (kinds.BLOODWORK_BOOK, before(21)),
    "bloodwork_due": (kinds.BLOODWORK_DUE, before(14)),
    "bloodwork_due_late": (kinds.BLOODWORK_DUE, before(10)),
    "bloodwork_overdue": (kinds.BLOODWORK_OVERDUE, before(9)),
    "results_missing": (kinds.RESULTS_MISSING, before(3)),
    "plan_changed": (kinds.PLAN_CHANGED, before(9)),
    "check_in": (kinds.CHECK_IN, before(0)),
    "paused": (kinds.PAUSED, before(0, 9, 45)),
    "red_flag": (kinds.RED_FLAG, before(3)),
    "digest": (kinds.DIGEST, before(2, 7)),
    "to_call": (kinds.TO_CALL, before(2, 7)),
    "password_reset": (kinds.PASSWORD_RESET, before(0)),
    "password_changed": (kinds.PASSWORD_CHANGED, before(0)),
    "test": (kinds.TEST, before(0, 9, 45)),
}
LEVELS = ("discreet", "plain", "full")
READERS = {"carer_missing": "sam", "red_flag": "ben", "digest": "ben", "to_call": "ben"}  # the others go to Anna
NEVER_MORE = [*READERS, "password_reset", "password_changed", "test"]  # only she chooses, and only for her own diary


NAMES = {
    "BASE_URL": "https://diary-of-ours.example.uk",
    "MESSAGE_ID_DOMAIN": "mail.example",
    "DEFAULT_FROM_EMAIL": "Diary <diary@mail.example>",
}


@pytest.fixture(autouse=True)
def neutral_names(settings: Any) -> None:
    for name, value in NAMES.items():
        setattr(settings, name, value)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


def plan_of(cast: Cast) -> Plan:
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=SIGNED)


def reminder(cast: Cast, kind: str, plan: Plan) -> Reminder:
    """The first reminder of the kind that such a plan gives rise to."""
    if not kinds.POLICIES[kind].is_planned:
        return actions.post(by=cast.eve, kind=kind, now=before(0), recipient=cast.anna)
    before_it = {
        kinds.PAUSED: report,
        kinds.RED_FLAG: report,
        kinds.DIGEST: report,
        kinds.TO_CALL: concern,
        kinds.CHECK_IN: ask_for_check_ins,
        kinds.INJECTION_AGAIN: put_off,
        kinds.CARER_MISSING: tell_sam,
        kinds.PLAN_CHANGED: change_plan,
    }
    before_it.get(kind, lambda cast, plan: None)(cast, plan)
    day = next((kind_.days_before for kind_ in kinds.DAY_KINDS if kind_.name == kind), 0)
    known_by = {kinds.PLAN_CHANGED: before(9), kinds.RED_FLAG: before(3)}
    known_by |= dict.fromkeys((kinds.DIGEST, kinds.TO_CALL), before(2, 7))
    planning.plan(known_by.get(kind, before(day, 8)))
    return Reminder.objects.filter(kind=kind).earliest("due_at")


def concern(cast: Cast, plan: Plan) -> None:
    report(cast, plan, tier="AMBER")


def report(cast: Cast, plan: Plan, tier: str = "RED") -> None:
    what = {"rule": "T2", "tier": tier, "title": "Much less urine", "evidence": ""}
    entry = {"source": "sideeffects.checkin", "source_ref": "chk1234567"}
    alerts.raise_alert(by=cast.anna, patient=plan.patient, now=before(3), **what, **entry)


def ask_for_check_ins(cast: Cast, plan: Plan) -> None:
    actions.choose(by=cast.anna, switches={kinds.CHECK_IN: True})


def put_off(cast: Cast, plan: Plan) -> None:
    dose = plan.cycles.get().doses.earliest("due_at")
    slot = {"patient": plan.patient, "cycle": dose.cycle, "day": dose.day, "slot": dose.slot}
    Snooze.objects.create(**slot, again_at=before(0, 10, 30), asked_at=before(0, 9, 50))


def tell_sam(cast: Cast, plan: Plan) -> None:
    Sharing.objects.filter(patient=plan.patient, person=cast.sam).update(told_if_not_recorded=True)


def change_plan(cast: Cast, plan: Plan) -> PlanVersion:
    """Another hour in the evening, from the first course on."""
    newest = plan.current_version
    return version_actions.change_plan(
        by=cast.ben,
        plan=plan,
        base_number=newest.number,
        from_course=1,
        document=newest.document,
        slot_times={**newest.slot_times, "pm": "21:00"},
        starts_on=START,
        now=before(10),
        change_reason="sleep",
    )


def build(cast: Cast, name: str, level: str = "discreet") -> EmailMultiAlternatives:
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, privacy=level)
    kind, now = MAILS[name]
    return mails.build(reminder(cast, kind, plan_of(cast)), now)


@dataclass(frozen=True)
class Letter:
    """A mail as it would leave, and whose diary code must not stand in it."""

    mail: EmailMultiAlternatives
    code: str
    can_be_stopped: bool

    @property
    def words(self) -> str:
        """Sender, subject and text, without what was drawn by chance."""
        said = f"From: {self.mail.from_email}\nSubject: {self.mail.subject}\n\n{self.mail.body}"
        return re.sub(CHANCE, "DRAWN", said.replace(self.code, "CODE"))

    @property
    def raw(self) -> bytes:
        return bytes(self.mail.message().as_bytes())

    @property
    def message(self) -> EmailMessage:
        return parsed(self.mail)


CHANCE = r"(?<=/[un]/)[\w-]{22}|(?<=/diary/add/)\w{10}|(?<=/forgot/)\w{10}-\d+"
Letters = dict[tuple[str, str], Letter]


@pytest.fixture(scope="module")
def letters(django_db_setup: None, django_db_blocker: Any) -> Letters:
    """Every mail on every level, each written once in a diary of its own."""
    with django_db_blocker.unblock(), override_settings(**NAMES):
        return {key: letter for name in MAILS for key, letter in _on_every_level(name)}


def _on_every_level(name: str) -> list[tuple[tuple[str, str], Letter]]:
    kind, now = MAILS[name]
    with transaction.atomic():
        cast = factories.cast()
        row = reminder(cast, kind, plan_of(cast))
        found = [((name, level), _letter(cast, row.pk, now, level)) for level in LEVELS]
        transaction.set_rollback(True)
    return found


def _letter(cast: Cast, pk: int, now: datetime, level: str) -> Letter:
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, privacy=level)
    mail = mails.build(Reminder.objects.get(pk=pk), now)
    found = re.search(r"/u/([\w-]{22})", mail.body)
    return Letter(mail, cast.anna_patient.code, bool(found and unsubscribing.find(found.group(1))))


def parsed(mail: EmailMultiAlternatives) -> EmailMessage:
    message = email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def content(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


def words_of(html: str) -> list[str]:
    body = re.sub(r"<head>.*?</head>|<[^>]+>", " ", html, flags=re.DOTALL)
    return unescape(body).split()


SIGNS = string.ascii_letters + string.digits + "-_"
ALL = pytest.mark.parametrize("name", MAILS)
ON_EVERY_LEVEL = pytest.mark.parametrize("level", LEVELS)


@ON_EVERY_LEVEL
@ALL
def test_the_words_are_those_that_were_agreed(letters: Letters, name: str, level: str) -> None:
    assert letters[name, level].words == (GOLDEN / level / f"{name}.txt").read_text(encoding="utf-8")


def test_every_kind_has_its_words_on_every_level() -> None:
    written = {file.name.partition(".")[0] for file in TEMPLATES.glob("[a-z]*.txt")}
    assert {kind for kind, _now in MAILS.values()} == written == set(kinds.POLICIES)
    assert {file.relative_to(GOLDEN).as_posix() for file in GOLDEN.glob("*/*")} == {
        f"{level}/{name}.txt" for level in LEVELS for name in MAILS
    }


def listed() -> list[str]:
    lines = (Path(__file__).parent / "forbidden_words.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def stem(line: str) -> str:
    return line.rstrip("*")


def forbidden(allowed: Iterable[str]) -> list[re.Pattern[str]]:
    words = [re.escape(line).replace(r"\*", r"\w*") for line in listed() if line not in allowed]
    return [re.compile(rf"\b{word}(?!\w)", re.IGNORECASE) for word in words]


def leaks(message: bytes, allowed: Iterable[str] = ()) -> list[str]:
    decoded = email.message_from_bytes(message, policy=email.policy.default)
    parts = [str(part.get_content()) for part in decoded.walk() if not part.is_multipart()]
    whole = "\n".join([message.decode(), *map(str, decoded.items()), *parts])
    return [found.group() for pattern in forbidden(allowed) if (found := pattern.search(whole))]


@ALL
def test_no_discreet_mail_says_what_it_is_about(letters: Letters, name: str) -> None:
    assert leaks(letters[name, "discreet"].raw) == []


MORE_ON_PLAIN = ("inject*", "blood*", "test*", "result*", "course*")  # ux 3.1


@ALL
def test_plain_adds_to_the_subject_what_it_is_about_and_nothing_else(letters: Letters, name: str) -> None:
    discreet, plain = letters[name, "discreet"], letters[name, "plain"]
    assert len(plain.mail.body.splitlines()) == len(discreet.mail.body.splitlines())
    assert leaks(plain.raw, allowed=MORE_ON_PLAIN) == []
    assert leaks(plain.mail.body.encode()) == []


NEVER_IN_A_SUBJECT = re.compile(
    r"hiv|aids|cancer|tumo|kidney|renal|cd4|viral|load|count|copies|result.*\d", re.IGNORECASE
)


@ALL
def test_no_subject_names_the_disease_or_a_value_and_no_address_says_anything(letters: Letters, name: str) -> None:
    mail = letters[name, "full"].mail
    assert not NEVER_IN_A_SUBJECT.search(mail.subject)
    addresses = re.findall(r"https?://\S+", mail.body)
    assert addresses
    assert leaks("\n".join(addresses).encode()) == []


@ALL
def test_only_mails_to_the_patient_about_the_diary_follow_the_level(name: str) -> None:
    written = {(GOLDEN / level / f"{name}.txt").read_text(encoding="utf-8") for level in LEVELS}
    assert (len(written) == 1) is (name in NEVER_MORE)


def test_a_clinic_whose_name_says_what_it_treats_is_never_the_sender(cast: Cast) -> None:
    cast.north.name = "North HIV Clinic"
    cast.north.save()
    assert build(cast, "cycle_week", "full").from_email == "Diary <diary@mail.example>"


def test_the_clinic_is_the_sender_only_on_full_and_only_where_there_is_one(cast: Cast) -> None:
    assert build(cast, "cycle_week", "full").from_email == "Clinic North <diary@mail.example>"
    lone = factories.lone_patient("Lee")
    accounts.update_patient(by=lone.user, patient=lone, privacy="full")
    factories.plan(lone, lone.user, starts_on=START, now=SIGNED)
    planning.plan(before(7, 8))
    row = Reminder.objects.get(kind=kinds.CYCLE_WEEK, patient=lone)
    assert mails.build(row, before(7)).from_email == "Diary <diary@mail.example>"


@pytest.mark.parametrize(
    "word", ["Injection", "HIV", "cd4+", "7.5 million", "IL-2", "il2tracker", "blood test", "/results/", "dosing"]
)
def test_the_list_of_words_finds_what_it_should(word: str) -> None:
    assert leaks(f"Subject: about {word} now".encode())
    assert leaks(b"Subject: a diary reminder, an appointment, your clinic") == []


DRAWS = {
    "ref": lambda number: new_ref(),
    "code": lambda number: new_code(),
    "token": lambda number: unsubscribing.token_for(f"{number}/cycle_day"),
    "message": lambda number: str(uuid.uuid4().int),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_nothing_drawn_by_chance_reads_like_a_forbidden_word(draw: Callable[[int], str]) -> None:
    words = sorted({stem(line) for line in listed()})
    drawn = [draw(number) for number in range(20_000)]
    assert [text for text in drawn if any(word in text.lower() for word in words)] == []
    assert len(set(drawn)) > 19_000


@pytest.mark.parametrize("line", listed())
def test_a_draw_is_repeated_for_every_word_of_the_list(line: str) -> None:
    assert not is_harmless(f"x{stem(line).upper()}x")


def test_a_secret_of_a_mail_has_at_least_128_bits() -> None:
    """Twenty-two characters out of 64, of which few drafts are thrown away."""
    drafts = ["".join(secrets.choice(SIGNS) for _ in range(unsubscribing.TOKEN)) for _ in range(5_000)]
    kept = sum(is_harmless(draft) for draft in drafts) / len(drafts)
    assert unsubscribing.TOKEN * math.log2(len(SIGNS)) + math.log2(kept) > 128


@ON_EVERY_LEVEL
@ALL
def test_a_mail_names_nobody(letters: Letters, name: str, level: str) -> None:
    letter = letters[name, level]
    whole = re.sub(rf"(anna|sam|ben)@example.org|<\d+@|{CHANCE}", "", letter.raw.decode()).lower()
    assert not re.search(r"\b(anna|sam|ben)\b", whole)
    if READERS.get(name) != "ben":  # to a clinic its own name and its codes say nothing new
        assert letter.code.lower() not in whole
        assert "north" not in (letter.mail.subject + letter.mail.body if level == "full" else whole).lower()


@ON_EVERY_LEVEL
@ALL
def test_a_mail_has_one_recipient_and_the_headers_of_a_polite_machine(letters: Letters, name: str, level: str) -> None:
    message = letters[name, level].message
    assert (message["To"], message["Cc"], message["Bcc"]) == (f"{READERS.get(name, 'anna')}@example.org", None, None)
    assert parseaddr(message["From"])[1] == "diary@mail.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<\d{30,39}@mail\.example>", message["Message-ID"])
    known = {"to", "from", "subject", "date", "mime-version", "content-type", "message-id", "auto-submitted"}
    stop = set() if name in NOBODY_STOPS else {"list-unsubscribe", "list-unsubscribe-post"}
    assert {name.lower() for name in message} == known | stop


NOBODY_STOPS = {name for name, (kind, _now) in MAILS.items() if not kinds.POLICIES[kind].preference}


@ON_EVERY_LEVEL
@ALL
def test_what_somebody_can_stop_says_how_and_the_rest_says_nothing_of_it(
    letters: Letters, name: str, level: str
) -> None:
    mail, message = letters[name, level].mail, letters[name, level].message
    if name in NOBODY_STOPS:
        assert "/u/" not in message.as_string()
        assert "Stop these reminders" not in mail.body
    else:
        (address,) = re.findall(r"Stop these reminders: (\S+)", mail.body)
        assert message["List-Unsubscribe"] == f"<{address}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert letters[name, level].can_be_stopped


@ON_EVERY_LEVEL
@ALL
def test_every_link_leads_to_the_configured_address(letters: Letters, name: str, level: str) -> None:
    message = letters[name, level].message
    links = re.findall(r"https?://[^\s<>\"]+", message.as_string(policy=email.policy.default))
    assert links
    assert all(link.startswith("https://diary-of-ours.example.uk/") for link in links)
    assert all("?" not in link for link in links)


@ON_EVERY_LEVEL
@ALL
def test_text_and_page_say_the_same_with_the_same_links(letters: Letters, name: str, level: str) -> None:
    mail, message = letters[name, level].mail, letters[name, level].message
    text, html = content(message, "plain"), content(message, "html")
    subject, *said = mail.subject.split(), *words_of(html)
    assert said[: len(subject)] == subject, "the page begins with the subject"
    told = [word.rstrip(":") for word in text.split() if word not in {"--", "-"}]
    assert [word.rstrip(":") for word in said[len(subject) :]] == told
    assert set(re.findall(r'href="([^"]+)"', html)) == set(re.findall(r"https?://\S+", text))


@ON_EVERY_LEVEL
@ALL
def test_the_page_is_small_and_draws_nothing_from_elsewhere(letters: Letters, name: str, level: str) -> None:
    html = content(letters[name, level].message, "html")
    assert len(html.encode()) <= 30_000
    assert not re.search(r"<img|<script|url\(|@import|<link|<iframe|src=", html)
    assert "prefers-color-scheme: dark" in html
    assert 'name="color-scheme" content="light dark"' in html


ORDERS = re.compile(
    r"\b(take it|take your|inject (it|now)|skip|double|stop (taking|your)|you may start|cleared|safe to)\b",
    re.IGNORECASE,
)


@ON_EVERY_LEVEL
@ALL
def test_no_mail_tells_anybody_to_take_skip_double_or_stop_a_dose(letters: Letters, name: str, level: str) -> None:
    assert not ORDERS.search(letters[name, level].mail.body)


def test_the_unsubscribe_header_stays_on_one_line(cast: Cast, settings: Any) -> None:
    """58 characters with a host of 25 (B11)."""
    settings.BASE_URL = "https://diary-of-ours2.example.uk"
    raw = build(cast, "cycle_week").message().as_bytes().decode()
    (line,) = [line for line in raw.splitlines() if line.startswith("List-Unsubscribe:")]
    found = re.fullmatch(r"List-Unsubscribe: <(https://[^>/]{25}/u/[\w-]{22})>", line)
    assert found
    assert len(found.group(1)) == unsubscribing.LONGEST


# What a mail asks the database once its batch is prepared. Account and clinic mails are few.
STATEMENTS = {
    "injection_due": 2,
    "injection_missing": 2,
    "carer_missing": 0,
    "bloodwork_book": 1,
    "bloodwork_due": 1,
    "bloodwork_overdue": 1,
    "results_missing": 1,
    "cycle_week": 2,
    "cycle_day": 4,
    "paused": 1,
    "plan_changed": 2,
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_mail_costs_few_statements(cast: Cast, name: str) -> None:
    kind, now = MAILS[name]
    row = reminder(cast, kind, plan_of(cast))
    row = Reminder.objects.select_related("recipient", "patient").get(pk=row.pk)
    mails.prepare([row], now)
    with CaptureQueriesContext(connection) as asked:
        mails.build(row, now)
    found = [query["sql"] for query in asked if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(found) == STATEMENTS[name], found


def test_a_batch_opens_all_its_addresses_in_three_statements(cast: Cast) -> None:
    plan = plan_of(cast)
    tell_sam(cast, plan)
    planning.plan(before(0, 8))
    rows = list(Reminder.objects.select_related("recipient", "patient"))
    assert {row.recipient for row in rows} == {cast.anna, cast.sam}
    assert len(rows) > 3
    with CaptureQueriesContext(connection) as first:
        mails.prepare(rows, before(0, 8))
    assert len([query for query in first if "SAVEPOINT" not in query["sql"]]) == 3
    with CaptureQueriesContext(connection) as again:
        mails.prepare(rows, before(0, 8))
    assert len(again) == 1
    for row in rows:
        address = unsubscribing.link(row.recipient, row.kind)
        assert unsubscribing.find(address.rpartition("/")[2]) is not None


def test_the_message_id_is_the_rows_own_however_often_it_is_written(cast: Cast) -> None:
    row = reminder(cast, kinds.CYCLE_WEEK, plan_of(cast))
    first, second = (mails.build(row, before(days)) for days in (7, 6))
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]
    assert first.extra_headers["Message-ID"] == f"<{row.message_uuid.int}@mail.example>"
    assert row.message_uuid.version == 4, "drawn by chance, not counted"


def test_the_hour_is_written_as_the_person_reads_clocks(cast: Cast) -> None:
    row = reminder(cast, kinds.INJECTION_DUE, plan_of(cast))
    accounts.update_user(by=cast.anna, user=cast.anna, clock="24")
    row.refresh_from_db()
    assert mails.build(row, before(0, 9, 45)).subject == "Diary reminder, 10:00"


def unconfirmed(cast: Cast) -> Plan:
    lone = factories.lone_patient("Lee")
    return factories.plan(lone, lone.user, starts_on=START, now=SIGNED)


def never_seen_by_the_clinic(cast: Cast) -> Plan:
    plan = unconfirmed(cast)
    accounts.share_with_clinic(by=plan.patient.user, patient=plan.patient, clinic=cast.north)
    return plan


def start_not_confirmed(cast: Cast) -> Plan:
    factories.confirms_starts(cast.north)
    return plan_of(cast)


def start_confirmed(cast: Cast) -> Plan:
    plan = start_not_confirmed(cast)
    factories.confirm(cast.ben, plan.cycles.get(), now=before(2))
    return plan


def confirmed_then_moved(cast: Cast) -> Plan:
    """What was confirmed is another first day."""
    factories.confirms_starts(cast.north)
    elsewhere = START - timedelta(days=7)
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=elsewhere, now=SIGNED)
    cycle = plan.cycles.get()
    factories.confirm(cast.ben, cycle, now=before(9))
    today = before(9).date()
    course_actions.move_cycle(by=cast.ben, cycle=cycle, starts_on=START, today=today, reason="work")
    return plan


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (plan_of, "It stands in the plan that your clinic confirmed on 4 January 2027."),
        (unconfirmed, "Nobody has confirmed this date yet. Please call your care team before you start: 020 7946 0100"),
        (
            never_seen_by_the_clinic,
            "Your clinic has not confirmed tomorrow yet. Please call them before you start: 020",
        ),
        (start_not_confirmed, "Your clinic has not confirmed tomorrow yet. Please call them before you start: 020"),
        (
            start_confirmed,
            "Your next date is tomorrow, Wednesday 3 March, confirmed by your clinic on 1 March 2027.",
        ),
        (start_confirmed, "If you feel unwell or anything has changed, call before you start: 020 7946 0018"),
        (confirmed_then_moved, "Your clinic has not confirmed tomorrow yet."),
    ],
)
def test_the_day_before_says_whether_a_clinic_confirmed_it(
    cast: Cast, make: Callable[[Cast], Plan], sentence: str
) -> None:
    """R12, in words that anybody may read."""
    row = reminder(cast, kinds.CYCLE_DAY, make(cast))
    mail = mails.build(row, before(1))
    assert sentence in mail.body
    assert " ".join(sentence.split()) in " ".join(words_of(str(mail.alternatives[0].content)))
    assert leaks(mail.message().as_bytes()) == []


def test_a_pause_without_a_clinic_names_the_care_teams_number(cast: Cast) -> None:
    plan = unconfirmed(cast)
    factories.hold(plan.patient.user, plan.cycles.get(), "fever")
    planning.plan(before(0, 8))
    row = Reminder.objects.get(kind=kinds.PAUSED)
    assert "Please call your care team before your next date: 020 7946 0100" in mails.build(row, before(0)).body


@pytest.mark.parametrize(("host", "warned"), [(25, False), (26, True)])
def test_a_long_address_is_warned_of_at_start(settings: Any, host: int, warned: bool) -> None:
    settings.BASE_URL = "https://" + "a" * host
    found = checks.run_checks(tags=[checks.Tags.urls])
    assert ("reminders.W001" in {check.id for check in found}) is warned


def test_only_our_own_backend_is_configured() -> None:
    from il2tracker import settings

    assert settings.EMAIL_BACKEND == "il2tracker.reminders.backend.Backend"
