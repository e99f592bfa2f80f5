"""What people type and what opens a mailed link never reach the log."""

import io
import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from il2tracker.audit.masking import Masked, mask
from il2tracker.reminders import views
from tests import factories

pytestmark = pytest.mark.django_db
CANARY = "canaryTomBell"


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    """What the installation's own handler writes."""
    (handler,) = [handler for handler in logging.getLogger().handlers if handler.get_name() == "console"]
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def test_no_log_line_holds_a_name_or_a_token_whatever_is_answered(
    client: Client, console: io.StringIO, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    cast = factories.cast()
    client.force_login(cast.ben)
    with caplog.at_level("INFO"):
        client.get(f"/people/?q={CANARY}")
        client.post("/people/", {"q": CANARY})
        client.get(f"/nowhere/?q={CANARY}")
        client.get(f"/u/{CANARY}?q={CANARY}")
        client.put(f"/u/{CANARY}?q={CANARY}")
        client.get(f"/n/{CANARY}?q={CANARY}")
        client.get(f"/c/{CANARY}.ics")
        client.post(f"/c/{CANARY}.ics")
        client.get(f"/sign-in/forgot/{CANARY}-{CANARY}/?q={CANARY}")
        client.put(f"/sign-in/forgot/{CANARY}-{CANARY}/")
        monkeypatch.setattr(views, "unsubscribing", None)  # a fault of ours
        assert client.get(f"/u/{CANARY}?q={CANARY}").status_code == 500
    assert "GET /nowhere/" in console.getvalue()
    assert "GET /u/…" in console.getvalue()
    assert "GET /c/…" in console.getvalue()
    assert "GET /sign-in/forgot/…/" in console.getvalue()
    assert "Internal Server Error: /u/…" in console.getvalue()
    assert CANARY not in console.getvalue()
    assert CANARY not in "".join(line for line in caplog.messages if "request=" in line)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("GET /people/?q=Tom%20Bell HTTP/1.1", "GET /people/ HTTP/1.1"),
        ("POST /u/abc-DEF_1:x", "POST /u/…"),
        ("GET /n/abc-DEF_1 HTTP/1.1", "GET /n/… HTTP/1.1"),
        ("GET /sign-in/forgot/abc-123/", "GET /sign-in/forgot/…/"),
        ("https://diary.example/u/abc and more", "https://diary.example/u/… and more"),
        ("Did it work? Yes.", "Did it work? Yes."),
    ],
)
def test_an_address_is_cut_to_its_path(line: str, written: str) -> None:
    assert mask(line) == written


def test_a_line_with_its_values_apart_is_masked_too() -> None:
    record = logging.LogRecord("django.server", logging.INFO, "", 0, '"%s" %s', ("GET /u/abc?x=1", "200"), None)
    assert Masked().filter(record)
    assert record.getMessage() == '"GET /u/…" 200'
