"""A new password: asked for by whoever types an address, chosen through a link that works once, or in the settings."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from il2tracker.accounts import password_links
from il2tracker.accounts.models import User
from il2tracker.audit.models import AuditEvent
from il2tracker.refs import is_harmless
from il2tracker.reminders.models import Reminder
from tests import factories

pytestmark = pytest.mark.django_db
NEW = "seven quiet green boats"


@pytest.fixture
def anna() -> User:
    return factories.user("Anna")


def ask(client: Client, address: str) -> Any:
    return client.post("/sign-in/forgot/", {"email": address})


def follow(client: Client, link: str) -> str:
    """Open the link of a mail; the address of the page that it leads to."""
    answer = client.get(link)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def choose(client: Client, page: str, password: str = NEW, again: str = "") -> Any:
    return client.post(page, {"password1": password, "password2": again or password})


def reset(client: Client, user: User, password: str = NEW) -> Any:
    return choose(client, follow(client, password_links.path_for(user)), password)


def signs_in(user: User, password: str) -> bool:
    answer = Client().post("/sign-in/", {"login": user.email, "password": password})
    return bool(answer.status_code == 302)


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/settings/display/").status_code == 200)


def change(client: Client, old: str = factories.PASSWORD, new: str = NEW, again: str = "") -> Any:
    return client.post("/settings/password/", {"oldpassword": old, "password1": new, "password2": again or new})


# Asking for a link


def test_the_sign_in_page_leads_to_the_page_for_a_forgotten_password(client: Client) -> None:
    assert 'href="/sign-in/forgot/">Forgot your password?' in client.get("/sign-in/").content.decode()
    page = client.get("/sign-in/forgot/").content.decode()
    assert 'autocomplete="username"' in page
    assert "<title>New password" in page


@pytest.mark.parametrize("address", ["anna@example.org", "nobody@example.org"])
def test_asking_puts_one_row_into_the_outbox_whoever_has_the_address(client: Client, anna: User, address: str) -> None:
    answer = ask(client, address)
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/forgot/sent/")
    row = Reminder.objects.get()
    assert (row.kind, row.recipient, row.address, row.state) == ("password_reset", None, address, "planned")
    assert row.expires_at - row.next_attempt_at == timedelta(minutes=30), "by the database's clock"
    assert abs(row.due_at - row.next_attempt_at) < timedelta(minutes=1)


def test_what_was_asked_for_says_neither_yes_nor_no(client: Client, anna: User) -> None:
    pages = {ask(Client(), f"{name}@example.org").content for name in ("anna", "nobody")}
    shown = {client.get("/sign-in/forgot/sent/").content for _name in range(2)}
    assert len(pages) == len(shown) == 1
    assert "If somebody signs in here with the address that you entered" in shown.pop().decode()


@pytest.mark.parametrize("typed", ["", "anna", "anna@", "a" * 260 + "@example.org", "anna@example.org\0"])
def test_what_is_no_address_is_refused_and_stays_in_the_box(client: Client, typed: str) -> None:
    answer = ask(client, typed)
    assert answer.status_code == 422
    assert "<title>Error: New password" in answer.content.decode()
    assert not Reminder.objects.exists()


def test_the_limit_counts_requests_of_one_place_and_says_nothing_about_an_address(client: Client, anna: User) -> None:
    """A limit for an address would tell a stranger that somebody else had asked for it."""
    answers = [ask(client, "anna@example.org").status_code for _number in range(10)]
    answers += [ask(client, f"nobody{number}@example.org").status_code for number in range(10)]
    assert answers == [302] * 20
    known, unknown = ask(client, "anna@example.org"), ask(client, "nobody@example.org")
    assert known.status_code == unknown.status_code == 429
    assert known.content == unknown.content
    assert Reminder.objects.count() == 20


def test_a_place_that_has_asked_often_does_not_stop_another_one(client: Client, anna: User) -> None:
    for _number in range(21):
        ask(client, anna.email)
    assert Client(REMOTE_ADDR="192.0.2.7").post("/sign-in/forgot/", {"email": anna.email}).status_code == 302


def test_nothing_but_an_entry_without_an_address_is_written_in_the_log(client: Client, anna: User) -> None:
    ask(client, anna.email)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor_ref, event.subject_ref) == ("reminders.password_reset.posted", "", "")
    assert "anna" not in repr(list(AuditEvent.objects.filter(pk=event.pk).values()))


# Choosing a new one


def test_a_link_opens_a_page_that_does_not_carry_its_key(client: Client, anna: User) -> None:
    link = password_links.path_for(anna)
    key = link.rstrip("/").rpartition("-")[2]
    opened = client.get(link)
    assert key not in opened["Location"]
    page = client.get(opened["Location"])
    assert key not in page.content.decode()
    assert {opened["Referrer-Policy"], page["Referrer-Policy"]} == {"strict-origin"}
    assert "no-store" in page["Cache-Control"]


def test_the_new_password_counts_and_the_old_one_does_not(client: Client, anna: User) -> None:
    answer = reset(client, anna)
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/forgot/done/")
    assert "Your new password is saved." in client.get(answer["Location"]).content.decode()
    assert signs_in(anna, NEW)
    assert not signs_in(anna, factories.PASSWORD)


def test_a_link_works_once(client: Client, anna: User) -> None:
    link = password_links.path_for(anna)
    page = follow(client, link)
    choose(client, page)
    other = "another row of green boats"
    for again in (client.get(link), Client().get(link), client.get(page), choose(client, page, other)):
        assert again.status_code == 410
        assert "Ask for a new one" in again.content.decode()
    assert signs_in(anna, NEW)


def test_opening_a_link_changes_nothing_however_often(client: Client, anna: User) -> None:
    """Mail scanners follow links."""
    link = password_links.path_for(anna)
    for _time in range(3):
        Client().get(link, follow=True)
        Client().head(link)
    assert Client().get(link).status_code == 302
    assert signs_in(anna, factories.PASSWORD)


def test_a_link_ends_after_an_hour(client: Client, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    link, tokens = password_links.path_for(anna), password_links.Tokens
    now = tokens()._now()
    monkeypatch.setattr(tokens, "_now", lambda self: now + timedelta(minutes=59))
    assert client.get(link).status_code == 302
    monkeypatch.setattr(tokens, "_now", lambda self: now + timedelta(minutes=61))
    assert client.get(link).status_code == 410


@pytest.mark.parametrize("change", [{"email": "anna@elsewhere.example"}, {"is_active": False}, {"is_demo": True}])
def test_a_link_ends_when_the_person_changes(client: Client, anna: User, change: dict[str, Any]) -> None:
    link = password_links.path_for(anna)
    User.objects.filter(pk=anna.pk).update(**change)
    assert client.get(link).status_code == 410


def test_a_sign_in_ends_the_links_made_before_it(client: Client, anna: User) -> None:
    link = password_links.path_for(anna)
    assert signs_in(anna, factories.PASSWORD)
    assert client.get(link).status_code == 410


def test_nobody_can_use_the_key_of_another_person(client: Client, anna: User) -> None:
    link = password_links.path_for(anna)
    assert client.get(link.replace(anna.ref, factories.user("Dan").ref)).status_code == 410


@pytest.mark.parametrize(
    "path", ["1-1", "old-1", "zzzzzzzzzzzzz-abc", "x-set-password", "old-new", "x-" + "9" * 5000, "x--1", "x-1%00"]
)
def test_a_made_up_link_reads_like_one_that_was_used(client: Client, path: str) -> None:
    answer = client.get(f"/sign-in/forgot/{path}/")
    assert answer.status_code == (404 if "%00" in path else 410)


def test_a_link_holds_nothing_that_counts_people_or_reads_like_a_word(anna: User) -> None:
    links = [password_links.path_for(anna) for _number in range(50)]
    for link in links:
        found = re.fullmatch(r"/sign-in/forgot/(\w{10})-(\d{40,60})/", link)
        assert found
        assert found[1] == anna.ref
        assert is_harmless(link)


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("", "", "Enter a new password."),
        ("brief boat", "", "at least 12 characters"),
        ("qwertyuiop123", "", "too common"),
        ("anna@example.org", "", "too similar to the e-mail address"),
        (NEW, "seven quiet green goats", "You must type the same password each time."),
    ],
)
def test_a_poor_password_is_refused_with_the_reason_and_the_link_stays_good(
    client: Client, anna: User, password: str, again: str, said: str
) -> None:
    page = follow(client, password_links.path_for(anna))
    answer = choose(client, page, password, again)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not password or password not in answer.content.decode()
    assert choose(client, page).status_code == 302


def test_a_password_like_the_name_is_refused(client: Client) -> None:
    person = factories.user("Bartholomew")
    answer = choose(client, follow(client, password_links.path_for(person)), "bartholomew1")
    assert answer.status_code == 422
    assert "too similar to the name" in answer.content.decode()


def test_the_rules_stand_beside_the_box_and_name_the_length_that_counts(
    client: Client, anna: User, settings: Any
) -> None:
    page = client.get(follow(client, password_links.path_for(anna))).content.decode()
    (length,) = [
        rule["OPTIONS"]["min_length"] for rule in settings.AUTH_PASSWORD_VALIDATORS if "Length" in rule["NAME"]
    ]
    assert f"At least {length} characters" in page
    assert page.count('autocomplete="new-password"') == 2


def test_a_new_password_ends_every_session_a_stolen_one_too(client: Client, anna: User) -> None:
    thief, phone = Client(), Client()
    for device in (thief, phone):
        device.force_login(anna)
        assert is_signed_in(device)
    reset(client, anna)
    assert not is_signed_in(thief)
    assert not is_signed_in(phone)


def test_whoever_has_tried_too_often_signs_in_at_once_with_the_new_password(client: Client, anna: User) -> None:
    for _attempt in range(6):
        assert not signs_in(anna, "wrong")
    assert not signs_in(anna, factories.PASSWORD)
    reset(client, anna)
    assert signs_in(anna, NEW)


def test_the_person_is_told_and_the_log_says_who_it_was(client: Client, anna: User) -> None:
    reset(client, anna)
    row = Reminder.objects.get()
    assert (row.kind, row.recipient, row.address) == ("password_changed", anna, "")
    event = AuditEvent.objects.get(action="accounts.user.password_set")
    assert (event.actor_ref, event.subject_ref, event.detail) == (anna.ref, anna.ref, "")


def test_a_link_opened_by_somebody_else_who_is_signed_in_signs_that_person_out(client: Client, anna: User) -> None:
    client.force_login(factories.user("Dan"))
    reset(client, anna)
    assert not is_signed_in(client)
    assert signs_in(anna, NEW)


def test_demo_people_choose_a_new_password_only_in_the_demo(client: Client, settings: Any) -> None:
    demo = factories.user("Demo", is_demo=True)
    link = password_links.path_for(demo)
    assert client.get(link).status_code == 410
    settings.DEMO = True
    assert client.get(link).status_code == 302


def test_somebody_who_never_had_a_password_can_choose_one(client: Client) -> None:
    invited = factories.user("Invited")
    invited.set_unusable_password()
    invited.save()
    reset(client, invited)
    assert signs_in(invited, NEW)


# Changing it in the settings


def test_the_settings_lead_to_the_password(client: Client, anna: User) -> None:
    client.force_login(anna)
    assert 'href="/settings/password/"' in client.get("/settings/").content.decode()
    page = client.get("/settings/password/").content.decode()
    assert page.count('autocomplete="new-password"') == 2
    assert page.count('autocomplete="current-password"') == 1


def test_a_changed_password_keeps_this_session_and_ends_the_others(client: Client, anna: User) -> None:
    thief = Client()
    for device in (thief, client):
        device.force_login(anna)
    answer = change(client)
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    assert "Your new password is saved." in client.get("/settings/").content.decode()
    assert is_signed_in(client)
    assert not is_signed_in(thief)
    assert signs_in(anna, NEW)
    assert Reminder.objects.get().kind == "password_changed"
    assert AuditEvent.objects.filter(action="accounts.user.password_set", actor_ref=anna.ref).count() == 1


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", NEW, "", "This is not your present password."),
        ("", NEW, "", "Enter your present password."),
        (factories.PASSWORD, "brief boat", "", "at least 12 characters"),
        (factories.PASSWORD, NEW, "seven quiet green goats", "You must type the same password each time."),
    ],
)
def test_a_change_that_is_not_right_changes_nothing(
    client: Client, anna: User, old: str, new: str, again: str, said: str
) -> None:
    client.force_login(anna)
    answer = change(client, old, new, again)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert signs_in(anna, factories.PASSWORD)
    assert not Reminder.objects.exists()


def test_the_present_password_cannot_be_guessed_from_an_open_session(client: Client, anna: User) -> None:
    client.force_login(anna)
    answers = [change(client, "wrong").status_code for _attempt in range(6)]
    assert answers == [422] * 5 + [429]


# Sign-in


def test_an_address_kept_with_capitals_signs_in_whatever_way_it_is_typed(client: Client) -> None:
    person = factories.user("Mixed")
    User.objects.filter(pk=person.pk).update(email="Mixed.Case@Example.org")
    for typed in ("Mixed.Case@Example.org", "mixed.case@example.org", " MIXED.CASE@EXAMPLE.ORG "):
        assert Client().post("/sign-in/", {"login": typed, "password": factories.PASSWORD}).status_code == 302, typed


def test_another_port_in_the_host_is_no_new_set_of_attempts(anna: User) -> None:
    for port in range(5):
        guess = {"login": anna.email, "password": "wrong"}
        Client(headers={"host": f"testserver:{8000 + port}"}).post("/sign-in/", guess)
    right = {"login": anna.email, "password": factories.PASSWORD}
    answer = Client(headers={"host": "testserver:9000"}).post("/sign-in/", right)
    assert "Too many attempts." in answer.content.decode()


def test_many_other_attempts_do_not_wash_away_the_count_of_one(client: Client, anna: User) -> None:
    from django.core.cache import cache

    for _attempt in range(5):
        client.post("/sign-in/", {"login": anna.email, "password": "wrong"})
    for number in range(400):
        cache.set(f"allauth:rl:another:{number}", [timezone.now().timestamp()], 300)
    assert (
        "Too many attempts."
        in client.post("/sign-in/", {"login": anna.email, "password": factories.PASSWORD}).content.decode()
    )
