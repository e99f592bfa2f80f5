"""The one-tap addresses of a mail: what they open, once, and what they never do."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cycles import course_actions, plan_actions
from cycles.actions import correct_injection
from cycles.models import Cycle, Injection, PlannedDose, PlanVersion
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient, SecretLink, User
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import mails, one_tap, one_tap_actions, one_tap_views, planning, snoozing
from il2tracker.reminders.models import Delivery, Preference, Reminder, Snooze
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox, tapping
from tests.reminders.tapping import MAILED, NOW, SLOT, everything, mailed, row, stranger, undo_path
from tests.reminders.test_mails import leaks

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOOK, GONE = "This one needs a look in your diary. Nothing was changed.", "This link opens nothing any more"


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


def main_of(answer: Any) -> str:
    page = answer.content.decode()
    return page[page.index("<main") : page.index("</main>")]


def text_of(page: str) -> bytes:
    """What a person reads: the title, the page, the foot. The line at the top for screen readers says "skip"."""
    title = page[page.index("<title>") : page.index("</title>")]
    return re.sub(r"<[^>]+>", " ", title + page[page.index("<main") :]).encode()


def recorded(dose: PlannedDose) -> list[Injection]:
    return list(Injection.objects.filter(planned_dose=dose).order_by("pk"))


# The addresses


def test_a_mail_has_two_addresses_that_read_like_nothing_and_whose_hashes_alone_are_kept(dose: PlannedDose) -> None:
    found = one_tap.links(row(dose), MAILED)
    assert set(found) == {"done_url", "later_url"}
    for url in found.values():
        assert re.fullmatch(r"http://diary\.example/n/[\w-]{22}", url)
        assert leaks(url.encode()) == []
    assert len(set(found.values())) == 2
    kept = str(list(SecretLink.objects.values()))
    assert not any(url.rpartition("/")[2] in kept for url in found.values())


def test_a_link_is_for_one_person_one_slot_one_purpose_and_twelve_hours(cast: Cast, dose: PlannedDose) -> None:
    links = {purpose: tapping.link_of(mailed(dose, purpose)) for purpose in ("done", "later")}
    assert {name: link.purpose for name, link in links.items()} == {"done": "tap_done", "later": "tap_later"}
    for link in links.values():
        assert (link.user, link.patient) == (cast.anna, cast.anna_patient)
        assert link.subject == f"c{dose.cycle_id}/d1/pm"
        assert link.expires_at == MAILED + 12 * HOUR
        assert link.used_at is None


def test_however_often_a_mail_is_written_its_addresses_stay_and_cost_one_statement_at_most(dose: PlannedDose) -> None:
    first = one_tap.links(row(dose), MAILED)
    again = row(dose)
    with CaptureQueriesContext(connection) as asked:
        assert one_tap.links(again, MAILED + MINUTE) == first
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 1
    with CaptureQueriesContext(connection) as asked:
        assert one_tap.links(again, MAILED + MINUTE) == first
    assert len(asked) == 0
    assert SecretLink.objects.count() == 2


def test_a_batch_opens_its_addresses_in_one_statement(cast: Cast, dose: PlannedDose) -> None:
    planning.plan(MAILED)
    rows = list(Reminder.objects.select_related("recipient", "patient"))
    with CaptureQueriesContext(connection) as asked:
        one_tap.open_links(rows, MAILED)
        found = [one_tap.links(row, MAILED) for row in rows]
    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 1
    with_links = [urls for urls in found if urls["done_url"]]
    assert len(with_links) > 5
    assert SecretLink.objects.count() == 2 * len(with_links)


def test_a_mail_that_says_something_else_now_opens_what_it_says_now(cast: Cast, dose: PlannedDose) -> None:
    """Written at first for another hour, never left, moved, written again."""
    early = row(dose)
    early.says_at, early.slot_local = SLOT - HOUR, "2027-03-03T21:00"
    one_tap.links(early, MAILED)
    address = mailed(dose)
    assert "Your 10pm item" in main_of(stranger().get(address))
    assert "Put down at 10:05pm" in main_of(stranger().post(address))


def test_every_mail_that_asks_for_a_slot_has_addresses_of_its_own(cast: Cast, dose: PlannedDose) -> None:
    snoozing.snooze(by=cast.anna, dose=dose, again_at=NOW + HOUR, now=NOW)
    assert mailed(dose) != mailed(dose, kind="injection_again")


def test_no_other_mail_and_no_other_person_has_such_addresses(cast: Cast, dose: PlannedDose) -> None:
    none = {"done_url": "", "later_url": ""}
    about = row(dose)
    about.kind = "cycle_day"
    assert one_tap.links(about, MAILED) == none
    about = row(dose)
    about.recipient = cast.sam
    assert one_tap.links(about, MAILED) == none
    assert one_tap.links(outbox.of_dose(dose, "carer_missing"), MAILED) == none
    assert not SecretLink.objects.exists()


def test_the_mail_about_what_is_not_recorded_opens_no_address_that_it_does_not_name(dose: PlannedDose) -> None:
    """The right time is asked for then (R14), so the diary asks."""
    missing = row(dose, "injection_missing")
    mails.prepare([missing], MAILED)
    mails.build(missing, MAILED)
    assert not SecretLink.objects.filter(purpose__in=one_tap.PURPOSES).exists()


# Looking


@pytest.mark.parametrize("purpose", ["done", "later"])
@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("who", ["nobody", "anna", "ben", "eve"])
def test_looking_changes_nothing_whoever_looks(
    cast: Cast, dose: PlannedDose, purpose: str, method: str, who: str
) -> None:
    address, client = mailed(dose, purpose), stranger()
    if who != "nobody":
        client.force_login(getattr(cast, who))
    before = everything()
    for _ in range(2):
        assert getattr(client, method)(address).status_code == 200
    assert everything() == before


def test_the_page_is_the_same_for_everybody_and_says_nothing_about_anybody(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose)
    pages = []
    for user in (None, cast.anna, cast.ben):
        client = stranger()
        if user:
            client.force_login(user)
        pages.append(re.sub(r'value="\w{64}"', "", client.get(address).content.decode()))
    assert pages[0] == pages[1]
    assert main_of_text(pages[0]) == main_of_text(pages[2])
    assert leaks(text_of(pages[0])) == []
    assert not re.search("anna|ben|clinic north|7946", pages[0].lower())
    assert pages[0].count("<form") == 1
    assert "Your 10pm item" in pages[0]
    assert "Mark as done" in pages[0]


def main_of_text(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


def test_what_was_just_saved_elsewhere_is_not_said_there(cast: Cast, dose: PlannedDose, client: Client) -> None:
    """A message that waits in the session names the amount."""
    address = mailed(dose)
    client.force_login(cast.anna)
    client.post("/settings/display/", {"theme": "dark", "clock": "12", "temperature_unit": "C"})
    before = everything()
    assert "status--" not in client.get(address).content.decode()
    assert everything() == before
    assert "status--success" in client.get("/settings/").content.decode()


def test_the_hour_is_written_as_the_person_reads_clocks(cast: Cast, dose: PlannedDose) -> None:
    accounts.update_user(by=cast.anna, user=cast.anna, clock="24")
    assert "Your 22:00 item" in main_of(stranger().get(mailed(dose)))


@pytest.mark.parametrize("purpose", ["done", "later"])
def test_no_address_leaks_on_and_nobody_keeps_the_page(dose: PlannedDose, purpose: str) -> None:
    """ "no-referrer" would make browsers hide the origin from our own form."""
    for answer in (stranger().get(mailed(dose, purpose)), stranger().get("/n/" + "A" * 22)):
        assert answer["Referrer-Policy"] == "strict-origin"
        assert "noindex" in answer["X-Robots-Tag"]
        assert "no-store" in answer["Cache-Control"]


# Marking as done


def test_one_tap_records_the_planned_injection_as_planned(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose)
    answer = stranger().post(address)
    assert answer.status_code == 200
    assert "Done. Put down at 10:05pm." in main_of(answer)
    assert leaks(text_of(answer.content.decode())) == []
    (injection,) = recorded(dose)
    assert (injection.state, injection.amount, injection.given_at) == ("taken", dose.amount, NOW)
    assert (injection.recorded_by, injection.site, injection.given_by) == (cast.anna, "", "self")
    assert tapping.link_of(address).used_at == NOW
    event = AuditEvent.objects.get(action="reminders.tap.done")
    assert (event.actor_ref, event.patient_ref) == (cast.anna.ref, cast.anna_patient.ref)
    assert (event.subject_ref, event.detail) == (injection.ref, "by link")


def test_the_form_has_to_come_from_our_page(dose: PlannedDose) -> None:
    address, strict = mailed(dose), stranger(enforce_csrf_checks=True)
    before = everything()
    assert strict.post(address).status_code == 403
    assert everything() == before
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(address).content.decode())
    assert token
    assert strict.post(address, {"csrfmiddlewaretoken": token[1]}).status_code == 200
    assert len(recorded(dose)) == 1


def test_a_second_tap_hears_the_first_answer_and_records_nothing(dose: PlannedDose, clock: Any) -> None:
    address = mailed(dose)
    first = stranger().post(address)
    clock.shift(3 * MINUTE)
    second = stranger().post(address)
    assert "Put down at 10:05pm" in main_of(second)
    assert undo_path(main_of(second)) == undo_path(main_of(first))
    assert len(recorded(dose)) == 1


def test_a_used_link_opens_nothing(dose: PlannedDose, clock: Any) -> None:
    address = mailed(dose)
    stranger().post(address)
    assert GONE in main_of(stranger().get(address))
    clock.shift(11 * MINUTE)
    before = everything()
    answer = stranger().post(address)
    assert (answer.status_code, GONE in main_of(answer)) == (410, True)
    assert everything() == before


def test_a_link_that_recorded_says_done_no_more_when_that_was_taken_back(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose)
    stranger().post(address)
    factories.void(cast.anna, recorded(dose)[0])
    answer = stranger().post(address)
    assert (answer.status_code, GONE in main_of(answer)) == (410, True)


@pytest.mark.parametrize("made", ["unknown", "expired", "revoked", "used", "not_active", "not_hers", "wrong_purpose"])
def test_every_dead_link_gets_one_and_the_same_page(cast: Cast, dose: PlannedDose, clock: Any, made: str) -> None:
    address = mailed(dose)
    unknown = stranger().get("/n/" + "A" * 22)
    links = SecretLink.objects.filter(pk=tapping.link_of(address).pk)
    match made:
        case "unknown":
            address = "/n/" + "B" * 22
        case "expired":
            clock.move_to(MAILED + 12 * HOUR)
        case "revoked":
            links.update(revoked_at=NOW)
        case "used":
            links.update(used_at=NOW)
        case "not_active":
            User.objects.filter(pk=cast.anna.pk).update(is_active=False)
        case "not_hers":
            Patient.objects.filter(pk=cast.anna_patient.pk).update(user=None)
        case "wrong_purpose":
            links.update(purpose="reminders_off")
    answers = [stranger().get(address), stranger().post(address)] if made != "used" else [stranger().get(address)]
    for answer in answers:
        assert answer.status_code == unknown.status_code == 410
        assert main_of(answer) == main_of(unknown)
    assert recorded(dose) == []


def test_a_link_of_one_purpose_does_nothing_for_another(dose: PlannedDose) -> None:
    """Neither does a link of "later" record, nor the one of a calendar or of the foot of a mail open this page."""
    assert LOOK in main_of(stranger().post(mailed(dose, "later")))
    assert stranger().post(mailed(dose), {"minutes": "30"}).status_code == 200
    assert not Snooze.objects.exists()
    assert len(recorded(dose)) == 1


def test_a_link_revoked_between_the_page_and_the_button_does_nothing(dose: PlannedDose) -> None:
    """Found while it stood, and pressed after it was revoked: the look under the lock decides."""
    address = mailed(dose)
    found = one_tap.find(address.removeprefix("/n/"), NOW)
    assert found is not None
    SecretLink.objects.update(revoked_at=NOW)
    assert one_tap_actions.press(link=found, now=NOW) == one_tap_actions.GONE
    SecretLink.objects.update(revoked_at=None, expires_at=NOW)
    assert one_tap_actions.press(link=found, now=NOW) == one_tap_actions.GONE
    assert recorded(dose) == []


# What needs a look in the diary


def record_it(cast: Cast, dose: PlannedDose) -> None:
    factories.injection(cast.anna_patient, cast.anna, dose, at=NOW - MINUTE, now=NOW)


def undo_it(cast: Cast, dose: PlannedDose) -> None:
    record_it(cast, dose)
    factories.void(cast.anna, recorded(dose)[0])


def skip_it(cast: Cast, dose: PlannedDose) -> None:
    factories.injection(cast.anna_patient, cast.anna, dose, state="skipped", reason="forgot", now=NOW)


def another_just_now(cast: Cast, dose: PlannedDose) -> None:
    """Outside the plan, two hours ago."""
    factories.injection(cast.anna_patient, cast.anna, at=NOW - 2 * HOUR, amount=Decimal(7), now=NOW)


def hold_it(cast: Cast, dose: PlannedDose) -> None:
    factories.hold(cast.anna, dose.cycle, now=NOW)


def urgent(cast: Cast, dose: PlannedDose) -> None:
    factories.alert(cast.anna_patient, cast.anna)


def ask_the_clinic(cast: Cast, dose: PlannedDose) -> None:
    factories.confirms_starts(cast.north)


def end_the_plan(cast: Cast, dose: PlannedDose) -> None:
    plan_actions.end_plan(by=cast.ben, plan=dose.cycle.plan, reason="over", on=NOW.date())


def stop_the_course(cast: Cast, dose: PlannedDose) -> None:
    course_actions.stop_cycle(by=cast.ben, cycle=dose.cycle, reason="tired", on=NOW.date())


def other_amount(cast: Cast, dose: PlannedDose) -> None:
    PlannedDose.objects.filter(pk=dose.pk).update(amount=Decimal("4.5"))


def other_hour(cast: Cast, dose: PlannedDose) -> None:
    PlannedDose.objects.filter(pk=dose.pk).update(due_at=SLOT - HOUR, local_time="21:00")


def not_in_the_plan(cast: Cast, dose: PlannedDose) -> None:
    PlannedDose.objects.filter(pk=dose.pk).delete()


def on_the_ward(cast: Cast, dose: PlannedDose) -> None:
    PlanVersion.objects.update(inpatient=True)


def entered_later(cast: Cast, dose: PlannedDose) -> None:
    Cycle.objects.filter(pk=dose.cycle_id).update(entered_later=True)


def fell_into_a_hold(cast: Cast, dose: PlannedDose) -> None:
    PlannedDose.objects.filter(pk=dose.pk).update(was_held=True)


def update_to_read(cast: Cast, dose: PlannedDose) -> None:
    PlanVersion.objects.update(number=2)


@pytest.mark.parametrize(
    "change",
    [
        record_it,
        undo_it,
        skip_it,
        another_just_now,
        hold_it,
        urgent,
        ask_the_clinic,
        end_the_plan,
        stop_the_course,
        other_amount,
        other_hour,
        not_in_the_plan,
        on_the_ward,
        entered_later,
        fell_into_a_hold,
        update_to_read,
    ],
    ids=lambda change: change.__name__,
)
def test_whatever_the_diary_would_ask_about_is_left_to_the_diary(
    cast: Cast, dose: PlannedDose, change: Callable[[Cast, PlannedDose], None]
) -> None:
    address = mailed(dose)
    change(cast, dose)
    before = everything()
    answer = stranger().post(address)
    assert (answer.status_code, LOOK in main_of(answer)) == (409, True)
    assert "Not sure what to do? Call the number you were given." in main_of(answer)
    assert leaks(main_of(answer).encode()) == []
    assert everything() == before


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (SLOT - 2 * HOUR - MINUTE, 409),
        (SLOT - 2 * HOUR, 200),
        (SLOT + 2 * HOUR, 200),
        (SLOT + 2 * HOUR + MINUTE, 409),
        (SLOT + 7 * HOUR, 409),
    ],
    ids=["too early", "just not too early", "on time", "late", "too late"],
)
def test_only_what_is_on_time_is_recorded_by_one_tap(dose: PlannedDose, clock: Any, at: datetime, status: int) -> None:
    address = mailed(dose, now=SLOT - 3 * HOUR)
    clock.move_to(at)
    assert stranger().post(address).status_code == status
    assert len(recorded(dose)) == (status == 200)


def test_what_needed_a_look_can_be_marked_when_nothing_stands_against_it_any_more(
    cast: Cast, dose: PlannedDose
) -> None:
    address = mailed(dose)
    PlannedDose.objects.filter(pk=dose.pk).update(was_held=True)
    assert stranger().post(address).status_code == 409
    PlannedDose.objects.filter(pk=dose.pk).update(was_held=False)
    assert stranger().post(address).status_code == 200


def test_the_button_leads_to_the_injection_after_signing_in(dose: PlannedDose, cast: Cast) -> None:
    address = mailed(dose)
    urgent(cast, dose)
    page = main_of(stranger().post(address))
    assert f'href="/diary/add/{dose.ref}/"' in page
    assert stranger().get(f"/diary/add/{dose.ref}/")["Location"].startswith("/sign-in/")


# Undo


@pytest.fixture
def undo(dose: PlannedDose) -> str:
    return undo_path(main_of(stranger().post(mailed(dose))))


def test_undo_takes_the_record_back_and_says_so(cast: Cast, dose: PlannedDose, undo: str) -> None:
    answer = stranger().post(undo)
    assert "Taken back. Nothing is recorded for 10pm." in main_of(answer)
    assert leaks(text_of(answer.content.decode())) == []
    (injection,) = recorded(dose)
    assert (injection.voided_at, injection.voided_by) == (NOW, cast.anna)
    event = AuditEvent.objects.get(action="reminders.tap.undone")
    assert (event.actor_ref, event.subject_ref, event.detail) == (cast.anna.ref, injection.ref, "by link")


def test_looking_at_the_undo_page_takes_nothing_back(dose: PlannedDose, undo: str) -> None:
    before = everything()
    answer = stranger().get(undo)
    assert (answer.status_code, "Undo" in main_of(answer)) == (200, True)
    assert everything() == before


def test_undo_needs_our_page_too(undo: str) -> None:
    assert stranger(enforce_csrf_checks=True).post(undo).status_code == 403


def test_a_second_undo_hears_the_first_answer(dose: PlannedDose, undo: str) -> None:
    stranger().post(undo)
    events = AuditEvent.objects.count()
    assert "Taken back" in main_of(stranger().post(undo))
    assert AuditEvent.objects.count() == events


def test_undo_ends_after_ten_minutes(dose: PlannedDose, clock: Any, undo: str) -> None:
    clock.shift(10 * MINUTE)
    answer = stranger().post(undo)
    assert (answer.status_code, GONE in main_of(answer)) == (410, True)
    assert recorded(dose)[0].voided_at is None


def test_undo_after_the_diary_took_it_back_changes_nothing(cast: Cast, dose: PlannedDose, undo: str) -> None:
    factories.void(cast.anna, recorded(dose)[0])
    before = everything()
    assert LOOK in main_of(stranger().post(undo))
    assert everything() == before


def test_undo_never_says_nothing_is_recorded_when_it_is_recorded_anew(cast: Cast, dose: PlannedDose, undo: str) -> None:
    stranger().post(undo)
    record_it(cast, dose)
    answer = stranger().post(undo)
    assert (answer.status_code, GONE in main_of(answer)) == (410, True)


def test_the_undo_address_is_no_other_address(dose: PlannedDose, undo: str) -> None:
    assert re.fullmatch(r"/n/[\w-]{22}", undo)
    assert tapping.link_of(undo).purpose == "tap_undo"
    assert tapping.link_of(undo).expires_at == NOW + 10 * MINUTE


def test_what_one_tap_put_down_can_be_completed_in_the_diary(cast: Cast, dose: PlannedDose, undo: str) -> None:
    (injection,) = recorded(dose)
    correct_injection(by=cast.anna, injection=injection, now=NOW, site="tfr")
    assert recorded(dose)[0].site == "tfr"


# Later


def test_later_offers_the_minutes_that_still_make_sense(dose: PlannedDose, clock: Any) -> None:
    address = mailed(dose, "later")
    assert re.findall(r'name="minutes" value="(\d+)"', main_of(stranger().get(address))) == ["15", "30", "60"]
    clock.move_to(SLOT + 80 * MINUTE)
    assert re.findall(r'name="minutes" value="(\d+)"', main_of(stranger().get(address))) == ["15", "30"]
    clock.move_to(SLOT + 3 * HOUR)
    assert "cannot be put off here" in main_of(stranger().get(address))


def test_later_puts_the_reminder_off_and_says_when_it_comes(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose, "later")
    answer = stranger().post(address, {"minutes": "30"})
    assert "The reminder comes again at 10:35pm." in main_of(answer)
    assert leaks(text_of(answer.content.decode())) == []
    snooze = Snooze.objects.get()
    assert (snooze.day, snooze.slot, snooze.again_at) == (dose.day, dose.slot, NOW + 30 * MINUTE)
    assert tapping.link_of(address).used_at == NOW
    assert AuditEvent.objects.get(action="reminders.tap.later").detail == "by link"
    assert "at 10:35pm" in main_of(stranger().post(address, {"minutes": "60"})), "a second tap hears the first answer"
    assert Snooze.objects.count() == 1


@pytest.mark.parametrize("why", ["off", "quiet", "refused"])
def test_no_later_mail_is_promised_that_would_not_come(cast: Cast, dose: PlannedDose, why: str) -> None:
    """Chosen, or found out, after the mail left."""
    address = mailed(dose, "later")
    match why:
        case "off":
            Preference.objects.create(user=cast.anna, kind="injection_due", is_on=False)
        case "quiet":
            Delivery.objects.create(user=cast.anna, doses_pass=False)
        case "refused":
            Delivery.objects.create(user=cast.anna, refused_address=cast.anna.email)
    page = main_of(stranger().get(address))
    assert ('name="minutes"' in page, "cannot be put off here" in page) == (False, True)
    before = everything()
    answer = stranger().post(address, {"minutes": "30"})
    assert (answer.status_code, LOOK in main_of(answer)) == (409, True)
    assert everything() == before


def test_only_minutes_outside_of_the_hours_without_mails_are_offered(cast: Cast, dose: PlannedDose) -> None:
    Delivery.objects.create(user=cast.anna, doses_pass=False, quiet_from=time(22, 30), quiet_to=time(7))
    page = main_of(stranger().get(mailed(dose, "later")))
    assert re.findall(r'name="minutes" value="(\d+)"', page) == ["15"]


@pytest.mark.parametrize("minutes", ["", "7", "-15", "15.0", "9999999999999", "quarter"])
def test_minutes_that_are_not_offered_change_nothing(dose: PlannedDose, minutes: str) -> None:
    address = mailed(dose, "later")
    before = everything()
    assert stranger().post(address, {"minutes": minutes}).status_code == 409
    assert everything() == before


def test_later_is_over_with_the_injection(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose, "later")
    record_it(cast, dose)
    before = everything()
    assert stranger().post(address, {"minutes": "15"}).status_code == 409
    assert everything() == before


# Guessing, and forgetting


def test_who_tries_many_addresses_is_sent_away_and_a_known_one_counts_for_nothing(
    dose: PlannedDose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_tap_views, "MISSES", {"miss": "3/10m/ip"})
    address = mailed(dose)
    for _ in range(5):
        assert stranger().get(address).status_code == 200
    statuses = [stranger().get("/n/" + letter * 22).status_code for letter in "ABCDE"]
    assert statuses == [410, 410, 410, 429, 429]
    answer = stranger().post(address)
    assert (answer.status_code, "Too many attempts" in main_of(answer)) == (429, True)
    assert recorded(dose) == []
    assert stranger(REMOTE_ADDR="192.0.2.7").post(address).status_code == 200


def test_links_are_forgotten_a_day_after_their_end_and_no_other(cast: Cast, dose: PlannedDose) -> None:
    from il2tracker.reminders import unsubscribing

    mailed(dose)
    unsubscribing.link(cast.anna, "injection_due")
    end = MAILED + 12 * HOUR
    assert one_tap_actions.forget(end + 24 * HOUR) == 0
    assert one_tap_actions.forget(end + 24 * HOUR + MINUTE) == 2
    assert list(SecretLink.objects.values_list("purpose", flat=True)) == ["reminders_off"]
