"""Nobody learns from an answer who is known here: not from its words, its work nor its time (goal 13).

What must be equal to the letter is the work: the statements sent to the database and the hashes reckoned. The time is
measured beside it, as medians of tries that take turns, so that a busy machine slows both alike.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from il2tracker.accounts.models import User
from il2tracker.reminders.models import Reminder
from tests import factories
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
TRIES, SLOW_TRIES = 200, 40
EQUAL = 0.010  # seconds between two medians (reliability.md 3)
ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"


class SlowSink(SmtpSink):
    """Takes 100 ms for each mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(0.1)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def slow_sink(settings: Any) -> Iterator[SlowSink]:
    sink = SlowSink()
    sink.accept()
    settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
    yield sink
    sink.refuse()


def timed(kinds: dict[str, Callable[[int], HttpResponse]], tries: int) -> dict[str, float]:
    """The median seconds of each kind of request. They take turns, and who begins changes."""
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(-2, tries):  # the first two warm up
        names = list(kinds) if number % 2 else list(reversed(kinds))
        for name in names:
            began = time.perf_counter()
            kinds[name](number)
            if number >= 0:
                seconds[name].append(time.perf_counter() - began)
    return {name: median(each) for name, each in seconds.items()}


def work_of(request: Callable[[], HttpResponse]) -> tuple[Any, ...]:
    """Everything that could be seen of an answer, and the statements behind it without their values."""
    with CaptureQueriesContext(
        connection,
    ) as done:
        answer = request()
    statements = [
        re.sub(r"'[^']*'|\b\d+(\.\d+)?\b|\"s\d+_x\d+\"", "?", query["sql"]) for query in done.captured_queries
    ]
    headers = {name: value for name, value in answer.items() if name not in {"Set-Cookie", "Expires"}}
    body = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", answer.content)
    return answer.status_code, headers, sorted(answer.cookies), body, statements


def ask(address: str, place: int = 0) -> HttpResponse:
    """From another place each time, so that the limit of one place does not answer."""
    client = Client(REMOTE_ADDR=f"2001:db8:{place & 0xFFFF:x}::7")
    return client.post("/sign-in/forgot/", {"email": address})


def sign_in(address: str) -> HttpResponse:
    """As if nobody had tried before."""
    cache.clear()
    return Client().post("/sign-in/", {"login": address, "password": "not the password"})


@pytest.fixture
def people() -> dict[str, str]:
    """Addresses of every kind of person that a stranger might look for, and of nobody, all of one length."""
    for name in ("known1", "barred", "nopass"):
        factories.user(name)
    factories.user("demo01", is_demo=True)
    User.objects.filter(name="barred").update(is_active=False)
    invited = User.objects.get(name="nopass")
    invited.set_unusable_password()
    invited.save()
    return {name: f"{name}@example.org" for name in ("nobody", "known1", "barred", "nopass", "demo01")}


def test_asking_for_a_link_is_the_same_work_and_the_same_answer_for_everybody(people: dict[str, str]) -> None:
    ask("warm@example.org", 999)
    done = {
        name: work_of(lambda address=address, place=place: ask(address, place))
        for place, (name, address) in enumerate(people.items())
    }
    assert done["nobody"][0] == 302
    assert len(done["nobody"][-1]) > 3
    assert {name: work for name, work in done.items() if work != done["nobody"]} == {}


def test_asking_for_a_link_takes_equally_long_although_the_mail_server_is_slow(
    people: dict[str, str], slow_sink: SlowSink
) -> None:
    kinds = {name: lambda number, name=name: ask(people[name], number) for name in ("known1", "nobody")}
    medians = timed(kinds, TRIES)
    assert Reminder.objects.count() == 2 * (TRIES + 2)
    assert slow_sink.attempts == 0, "a request talked to the mail server"
    assert abs(medians["known1"] - medians["nobody"]) < EQUAL, medians


def test_a_refused_sign_in_is_the_same_work_and_the_same_answer_for_everybody(people: dict[str, str]) -> None:
    sign_in("warm@example.org")
    done = {name: work_of(lambda address=address: sign_in(address)) for name, address in people.items()}
    assert done["nobody"][0] == 422
    for name, (*seen, body, statements) in done.items():
        assert (*seen, body.replace(name.encode(), b"nobody"), statements) == done["nobody"], name


def test_who_has_tried_too_often_reads_the_same_whoever_it_is(people: dict[str, str]) -> None:
    pages = set()
    for place, (name, address) in enumerate(people.items()):
        client = Client(REMOTE_ADDR=f"192.0.2.{place + 1}")
        guess = {"login": address, "password": "not the password"}
        answers = [client.post("/sign-in/", guess) for _attempt in range(6)]
        pages.add(re.sub(r'value="\w{64}"', "", answers[-1].content.decode()).replace(name, "nobody"))
        assert "Too many attempts." in answers[-1].content.decode()
        assert "Too many attempts." not in answers[-2].content.decode()
    assert len(pages) == 1


def test_a_refused_sign_in_hashes_once_whoever_it_is(
    people: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = [ARGON2]
    User.objects.exclude(name="nopass").update(password=Argon2PasswordHasher().encode("the right one", "salt" * 4))
    hashes: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, name)
        monkeypatch.setattr(
            Argon2PasswordHasher, name, lambda *args, real=real, name=name: hashes.append(name) or real(*args)
        )
    counted = {}
    for name, address in people.items():
        hashes.clear()
        sign_in(address)
        counted[name] = len(hashes)
    assert counted == dict.fromkeys(people, 1)


@pytest.mark.one_database
def test_a_refused_sign_in_takes_equally_long(people: dict[str, str], settings: Any) -> None:
    settings.PASSWORD_HASHERS = [ARGON2]
    User.objects.filter(name="known1").update(password=Argon2PasswordHasher().encode("the right one", "salt" * 4))
    kinds = {name: lambda _number, name=name: sign_in(people[name]) for name in ("known1", "nobody")}
    medians = timed(kinds, SLOW_TRIES)
    assert abs(medians["known1"] - medians["nobody"]) < max(EQUAL, medians["nobody"] / 5), medians
