"""Programs that open every link of a mail before a person does, with scripts and all; and many fingers at once."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from playwright.sync_api import Browser, Page, expect

from cycles.models import Injection, PlannedDose
from il2tracker.accounts.models import SecretLink
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import mails
from il2tracker.reminders.models import Snooze
from tests import factories
from tests.factories import Cast
from tests.reminders import tapping
from tests.reminders.tapping import MAILED, NOW, everything, mailed, stranger, undo_path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast() -> Iterator[Cast]:
    with time_machine.travel(NOW):
        yield factories.cast()


@pytest.fixture
def dose(cast: Cast) -> PlannedDose:
    return tapping.evening(cast)


# A browser


@pytest.fixture
def scanner(live_server: Any, browser: Browser, watch: Callable[[Page], Page]) -> Iterator[Page]:
    """A browser with scripts on, as a mail scanner runs one; nobody is signed in."""
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    yield watch(context.new_page())
    context.close()


@pytest.mark.one_database
def test_a_scanner_that_opens_every_link_of_the_mail_and_of_its_pages_changes_nothing(
    cast: Cast, dose: PlannedDose, scanner: Page, settings: Any
) -> None:
    """GET and HEAD twice, scripts run, every link of every page followed."""
    text = str(mails.build(tapping.row(dose), MAILED).body)
    todo = [tapping.path(url) for url in re.findall(r"http://diary\.example\S+", text)]
    assert sum(path.startswith("/n/") for path in todo) == 2
    before, seen = everything(), set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for _ in range(2):
            assert scanner.request.head(path).status < 500
            scanner.goto(path)
            scanner.wait_for_timeout(200)  # whatever a script would do by itself
        links = scanner.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
        todo += [link for link in links if link.startswith("/")]
    assert "/" in seen
    assert len(seen) >= 5
    assert everything() == before


@pytest.mark.one_database
def test_a_person_taps_done_undoes_it_and_is_heard(cast: Cast, dose: PlannedDose, scanner: Page) -> None:
    """What a browser really sends with the form: without the origin it would be refused."""
    scanner.goto(mailed(dose))
    expect(scanner.get_by_role("heading", level=1)).to_have_text("Your 10pm item")
    scanner.get_by_role("button", name="Mark as done").click()
    expect(scanner.get_by_role("status").last).to_have_text(re.compile(r"Done\. Put down at 10:0\dpm\."))
    assert Injection.objects.get(planned_dose=dose).voided_at is None
    scanner.get_by_role("button", name="Undo").click()
    expect(scanner.get_by_role("status").last).to_have_text("Taken back. Nothing is recorded for 10pm.")
    assert Injection.objects.get(planned_dose=dose).voided_at is not None


@pytest.mark.one_database
def test_a_person_without_scripts_puts_the_reminder_off(
    dose: PlannedDose, live_server: Any, browser: Browser, watch: Callable[[Page], Page]
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = watch(context.new_page())
    page.goto(mailed(dose, "later"))
    page.get_by_role("button", name="Remind me in 30 minutes").click()
    expect(page.get_by_role("status").last).to_have_text(re.compile(r"The reminder comes again at 10:3\dpm\."))
    context.close()
    assert Snooze.objects.count() == 1


@pytest.mark.one_database
def test_no_other_page_learns_the_address(dose: PlannedDose, scanner: Page) -> None:
    """Neither the sheets and scripts of the page nor the page behind its link hear the token."""
    address, told = mailed(dose), []
    scanner.on("request", lambda request: told.append(request.headers.get("referer", "")))
    scanner.goto(address)
    scanner.get_by_role("link", name="Open my diary").click()
    expect(scanner.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert len(told) > 3
    assert not any(address in referer for referer in told)


# Two fingers


def at_once(work: Callable[[], Any], times: int) -> list[Any]:
    """What it returns in so many threads from behind one barrier; any error fails the test."""
    barrier, found, errors = threading.Barrier(times), list[Any](), list[Exception]()

    def run() -> None:
        barrier.wait()
        try:
            found.append(work())
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    return found


def test_two_taps_at_once_record_one_injection_and_hear_the_same(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose)
    answers = at_once(lambda: stranger().post(address), 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({undo_path(answer.content.decode()) for answer in answers}) == 1
    assert Injection.objects.filter(planned_dose=dose).count() == 1
    assert AuditEvent.objects.filter(action="reminders.tap.done").count() == 1
    assert SecretLink.objects.filter(used_at__isnull=False).count() == 1


def test_a_tap_and_the_diary_at_once_record_one_injection(cast: Cast, dose: PlannedDose) -> None:
    address = mailed(dose)
    turns = iter([lambda: stranger().post(address), lambda: _in_the_diary(cast, dose)])
    lock = threading.Lock()

    def one_of_them() -> Any:
        with lock:
            work = next(turns)
        return work()

    at_once(one_of_them, 2)
    assert Injection.objects.filter(planned_dose=dose).count() == 1


def _in_the_diary(cast: Cast, dose: PlannedDose) -> Any:
    return factories.injection(cast.anna_patient, cast.anna, dose, at=NOW)


def test_two_undos_at_once_take_back_once(cast: Cast, dose: PlannedDose) -> None:
    undo = undo_path(stranger().post(mailed(dose)).content.decode())
    answers = at_once(lambda: stranger().post(undo), 3)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert AuditEvent.objects.filter(action="reminders.tap.undone").count() == 1


def test_two_laters_at_once_put_off_once(dose: PlannedDose) -> None:
    address = mailed(dose, "later")
    answers = at_once(lambda: stranger().post(address, {"minutes": "15"}), 3)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert Snooze.objects.count() == 1
