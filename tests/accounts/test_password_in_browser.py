"""A forgotten password in a real browser: what its own rules about origins and referrers do with our pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Request

from il2tracker.reminders import sending
from tests import factories
from tests.smtp_sink import SmtpSink

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]
NEW = "seven quiet green boats"
KEY = re.compile(r"/sign-in/forgot/\w{10}-(\d+)/")


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def test_a_forgotten_password_is_chosen_anew_and_its_key_is_told_to_no_other_page(
    page: Page, live_server: Any, smtp_sink: SmtpSink
) -> None:
    factories.user("Anna")
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    page.on("request", note)
    page.goto(live_server.url + "/sign-in/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill("Anna@Example.org")
    press(page, "Send me a link")
    assert page.get_by_role("heading", level=1).inner_text() == "Look into your mail"

    sending.sweep()
    text = smtp_sink.messages[0].message.get_body(("plain",))
    assert text
    found = KEY.search(text.get_content())
    assert found
    page.goto(live_server.url + found[0])
    assert found[1] not in page.url
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("The new password once more").fill(NEW)
    press(page, "Save new password")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in with your new password"

    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill("anna@example.org")
    page.get_by_label("Password").fill(NEW)
    press(page, "Sign in")
    assert "/sign-in/" not in page.url
    named = [request for request in requests if "referer" in request.all_headers()]
    assert named, "no request says where it came from: this test would see nothing"
    carriers = [request for request in requests if found[1] in request.all_headers().get("referer", "")]
    assert [request.url for request in carriers] == []
