"""The private link of the calendar: who makes and stops it, that it is shown once, what a fetch leaves behind."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import Client

from il2tracker.accounts.models import SecretLink, User
from il2tracker.audit.masking import mask
from il2tracker.audit.models import AuditEvent
from il2tracker.today import feed_actions
from tests.factories import utc

pytestmark = pytest.mark.django_db

EVENING = utc(2026, 11, 21, 21, 35)
PAGE = "/settings/calendar/"


def address_on(page):
    """The path of the link that the page shows, or nothing."""
    found = re.search(r'id="address">([^<]+)<', page.content.decode())
    return urlsplit(found[1]).path if found else ""


def made(see, user, titles="plain"):
    answer = see(user, PAGE, titles=titles)
    assert answer.status_code == 200
    return address_on(answer)


def renewed(see, user):
    """Another link, made with the form of the page as it is."""
    shown = re.search(r'name="instead" value="(\d+)"', see(user, PAGE).content.decode())[1]
    return see(user, f"{PAGE}renew/", instead=shown)


def fetch(path, at=EVENING):
    with time_machine.travel(at, tick=False):
        return Client().get(path)


def links(patient):
    return SecretLink.objects.filter(purpose="feed", patient=patient)


def test_there_is_no_link_until_its_owner_makes_one(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna, PAGE)
    assert "Make my link" in page.text_read
    assert address_on(page) == ""
    assert not links(cast.anna_patient).exists()
    assert re.search(r'value="discreet" checked', page.content.decode())


def test_the_address_is_shown_once_and_only_its_hash_is_kept(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    path = made(see, cast.anna)
    token = re.fullmatch(r"/c/([\w-]{43})\.ics", path)[1]
    assert token not in see(cast.anna, PAGE).content.decode()
    link = links(cast.anna_patient).get()
    assert link.token_hash == hashlib.sha256(token.encode()).hexdigest()
    stored = [*SecretLink.objects.values_list(), *AuditEvent.objects.values_list()]
    assert token not in str(stored)
    answer = fetch(path)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"Course day 4" in answer.content


def test_what_the_file_says_about_caches_robots_and_where_it_was_linked(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    answer = fetch(made(see, cast.anna))
    assert {part.strip() for part in answer["Cache-Control"].split(",")} == {"private", "no-store"}
    assert (answer["Referrer-Policy"], answer["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert "diary.ics" in answer["Content-Disposition"]
    assert not answer.cookies


def test_a_stopped_an_old_and_an_unknown_link_get_the_same_answer(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    old = made(see, cast.anna)
    new = address_on(renewed(see, cast.anna))
    assert fetch(new).status_code == 200
    see(cast.anna, f"{PAGE}stop/", sent="1")
    answers = [fetch(path) for path in (old, new, f"/c/{'x' * 43}.ics", "/c/x.ics")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert links(cast.anna_patient).filter(revoked_at=None).count() == 0


def test_whoever_may_not_sign_in_any_more_has_no_feed(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    path = made(see, cast.anna)
    User.objects.filter(pk=cast.anna.pk).update(is_active=False)
    assert fetch(path).status_code == 404


def test_the_titles_of_a_link_that_stands_are_changed_without_another_link(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    path = made(see, cast.anna, "discreet")
    assert b"Injection" not in fetch(path).content
    see(cast.anna, PAGE, titles="full")
    page = see(cast.anna, PAGE)
    assert re.search(r'value="full" checked', page.content.decode())
    assert address_on(page) == ""
    assert b"SUMMARY:Injection 7.5 million units" in fetch(path).content
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.privacy == "discreet"  # mails are a choice of their own


def test_a_new_link_keeps_the_titles(cast, see):
    made(see, cast.anna, "full")
    assert "Copy it now." in renewed(see, cast.anna).text_read
    assert links(cast.anna_patient).get(revoked_at=None).subject == "full"


@pytest.mark.parametrize("how", [made, lambda see, user: (made(see, user), address_on(renewed(see, user)))[1]])
def test_the_address_stands_in_the_answer_and_nowhere_else(cast, see, how):
    """A session is a row of the database, and of its backups."""
    token = how(see, cast.anna).removeprefix("/c/").removesuffix(".ics")
    assert len(token) == 43
    sessions = [Session.objects.get(pk=row.pk).get_decoded() for row in Session.objects.all()]
    assert sessions
    assert token not in str(sessions)
    again = see(cast.anna, PAGE)
    assert address_on(again) == ""
    assert "Make a new link" in again.text_read


def test_the_page_says_that_it_does_not_come_back(cast, see):
    page = see(cast.anna, PAGE, titles="plain")
    assert "Copy it now. It is shown only this once: when you load the page again, it is gone." in page.text_read
    assert page["Cache-Control"] == "no-store"


def test_sending_the_same_form_again_makes_no_other_link(cast, see):
    """A browser that loads the answer again sends its form again: the copied address must go on."""
    made(see, cast.anna)
    page = see(cast.anna, PAGE).content.decode()
    instead = re.search(r'name="instead" value="(\d+)"', page)[1]
    path = address_on(see(cast.anna, f"{PAGE}renew/", instead=instead))
    again = see(cast.anna, f"{PAGE}renew/", instead=instead)
    assert again.url == PAGE
    assert "This link is the new one already" in see(cast.anna, PAGE).text_read
    assert fetch(path).status_code == 200


def test_the_address_of_the_button_leads_to_the_page(cast, see):
    assert see(cast.anna, f"{PAGE}renew/").url == PAGE


def test_each_choice_shows_the_persons_own_next_entries(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna, PAGE)
    for words in (
        "Wednesday 18 November 2026 to Sunday 22 November 2026 Diary",
        "Saturday 21 November 2026, 10pm Course day 4",
        "Saturday 21 November 2026, 10pm Injection 7.5 million units",
        "Wednesday 30 December 2026 to Saturday 2 January 2027 Blood test to book",
    ):
        assert words in page.text_read


def test_without_dates_the_page_says_when_there_will_be_some(cast, see):
    assert "Dates appear when your clinic sets a plan." in see(cast.anna, PAGE).text_read


@pytest.mark.parametrize("titles", ["", "loud"])
def test_only_a_known_level_is_taken(cast, see, titles):
    answer = see(cast.anna, PAGE, titles=titles, sent="1")
    assert answer.status_code == 422
    assert '<a href="#id_titles">' in answer.content.decode()
    assert not links(cast.anna_patient).exists()


def test_nobody_else_makes_names_or_stops_the_link(cast):
    patient = cast.anna_patient
    for other in (cast.ben, cast.sam, cast.dan):
        with pytest.raises(PermissionDenied):
            feed_actions.make_link(by=other, patient=patient, level="full", now=EVENING)
        with pytest.raises(PermissionDenied):
            feed_actions.choose_titles(by=other, patient=patient, level="full")
        with pytest.raises(PermissionDenied):
            feed_actions.stop_link(by=other, patient=patient, now=EVENING)
    assert not links(patient).exists()


# What a fetch leaves behind


def test_the_page_says_when_it_was_fetched_last_on_the_persons_clock(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    path = made(see, cast.anna)
    assert "Last fetched not yet" in see(cast.anna, PAGE).text_read
    fetch(path, utc(2026, 11, 21, 9, 5))
    assert "Last fetched Saturday 21 November 2026, 9:05am" in see(cast.anna, PAGE).text_read


def test_a_day_of_fetches_is_one_line_of_the_access_log_and_few_writes(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    path = made(see, cast.anna)
    noted = set()
    for minutes in range(0, 30, 3):
        fetch(path, EVENING + timedelta(minutes=minutes))
        noted.add(links(cast.anna_patient).get().used_at)
    assert noted == {EVENING, EVENING + timedelta(minutes=12), EVENING + timedelta(minutes=24)}
    (event,) = AuditEvent.objects.filter(action="today.feed.fetched")
    assert (event.patient_ref, event.actor_ref) == (cast.anna_patient.ref, "")
    fetch(path, EVENING + timedelta(hours=12))
    assert AuditEvent.objects.filter(action="today.feed.fetched").count() == 2


def test_of_two_fetches_at_once_one_is_written_down(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    token = made(see, cast.anna).removeprefix("/c/").removesuffix(".ics")
    both = [feed_actions.find(token), feed_actions.find(token)]
    for link in both:
        feed_actions.note_fetch(link=link, now=EVENING)
    assert AuditEvent.objects.filter(action="today.feed.fetched").count() == 1


def test_opening_and_stopping_it_stands_in_the_access_log(cast, see):
    made(see, cast.anna)
    see(cast.anna, f"{PAGE}stop/", sent="1")
    see(cast.anna, f"{PAGE}stop/", sent="1")
    actions = AuditEvent.objects.filter(action__startswith="today.feed").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["today.feed.made", "today.feed.stopped"]


def test_no_log_line_holds_the_address():
    assert mask("GET /c/abc-DEF_1.ics HTTP/1.1") == "GET /c/… HTTP/1.1"
    assert mask("https://diary.example/c/abc.ics?x=1 and more") == "https://diary.example/c/… and more"
    assert mask("GET /calendar/?month=2026-12") == "GET /calendar/"


def test_the_link_is_asked_about_once_before_it_is_stopped(cast, see):
    made(see, cast.anna)
    page = see(cast.anna, f"{PAGE}stop/")
    assert "Stop your calendar link?" in page.text_read
    assert links(cast.anna_patient).get().revoked_at is None
