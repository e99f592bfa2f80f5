"""Signing in and out: by invitation, with limits, and demo people only in the demo."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from il2tracker.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db


def send(client: Client, email: str, password: str = factories.PASSWORD, **more: str) -> Any:
    return client.post("/sign-in/", {"login": email, "password": password, **more})


@pytest.fixture
def anna() -> User:
    return factories.user("Anna")


def test_the_right_password_opens_the_first_page(client: Client, anna: User) -> None:
    answer = send(client, "Anna@Example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(anna.pk)


def test_the_page_asked_for_comes_after_signing_in(client: Client, anna: User) -> None:
    asked = client.get("/settings/display/")
    assert asked["Location"] == "/sign-in/?next=/settings/display/"
    page = client.get(asked["Location"]).content.decode()
    assert 'name="next" value="/settings/display/"' in page
    assert send(client, anna.email, next="/settings/display/")["Location"] == "/settings/display/"


def test_another_host_is_never_the_page_after_signing_in(client: Client, anna: User) -> None:
    assert send(client, anna.email, next="https://elsewhere.example/")["Location"] == "/"


@pytest.mark.parametrize("email", ["anna@example.org", "nobody@example.org"])
def test_a_wrong_password_and_an_unknown_address_read_the_same(client: Client, anna: User, email: str) -> None:
    answer = send(client, email, "wrong")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This address and password do not belong together." in page
    assert f'value="{email}"' in page
    assert "wrong" not in page
    assert "<title>Error: Sign in" in page


def test_empty_boxes_are_named_in_the_summary_and_beside_the_box(client: Client) -> None:
    page = send(client, "", "").content.decode()
    assert page.count("Enter your e-mail address.") == 2
    assert '<a href="#id_login">Enter your e-mail address.</a>' in page
    assert '<a href="#id_password">Enter your password.</a>' in page


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(client: Client, anna: User) -> None:
    for _attempt in range(5):
        send(client, anna.email, "wrong")
    answer = send(client, anna.email)
    assert answer.status_code == 422
    assert "Too many attempts. Please wait five minutes" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_flood_from_one_place_is_answered_with_our_own_page(client: Client) -> None:
    for _attempt in range(30):
        send(client, "", "")
    answer = send(client, "", "")
    assert answer.status_code == 429
    assert "Feeling very unwell? Do not wait for this page." in answer.content.decode()


def test_a_person_who_was_barred_reads_what_a_stranger_reads(client: Client, anna: User) -> None:
    User.objects.filter(pk=anna.pk).update(is_active=False)
    answer = send(client, anna.email)
    assert answer.status_code == 422
    assert "do not belong together" in answer.content.decode()


def test_demo_people_sign_in_only_in_the_demo(client: Client, settings: Any) -> None:
    demo = factories.user("Demo", is_demo=True)
    settings.DEMO = False
    assert send(client, demo.email).status_code == 422
    settings.DEMO = True
    assert send(client, demo.email).status_code == 302


def test_switching_the_demo_off_ends_the_sessions_of_demo_people(client: Client, settings: Any) -> None:
    settings.DEMO = True
    client.force_login(factories.user("Demo", is_demo=True))
    assert client.get("/settings/display/").status_code == 200
    settings.DEMO = False
    assert client.get("/settings/display/").status_code == 302


def test_signing_out_needs_a_post(client: Client, anna: User) -> None:
    client.force_login(anna)
    assert "Sign out?" in client.get("/sign-out/").content.decode()
    assert "_auth_user_id" in client.session
    answer = client.post("/sign-out/", follow=True)
    assert "_auth_user_id" not in client.session
    assert "You are signed out." in answer.content.decode()


NOT_HERE = ("account_signup", "account_email", "account_inactive", "account_reauthenticate", "account_set_password")


@pytest.mark.parametrize("name", NOT_HERE)
def test_pages_of_allauth_that_we_do_not_have_do_not_exist(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_a_page_that_was_open_too_long_says_that_nothing_was_saved(anna: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    answer = strict.post("/settings/display/", {"theme": "dark", "clock": "24"})
    assert answer.status_code == 403
    assert "Not saved: this page was open for too long" in answer.content.decode()
    anna.refresh_from_db()
    assert anna.theme == "auto"
