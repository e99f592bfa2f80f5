"""The page behind the address at the foot of every mail."""

import pytest
from django.test import Client

from il2tracker.accounts.models import SecretLink
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import actions, facts, kinds, mails, unsubscribing
from il2tracker.reminders.models import Preference
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox

pytestmark = pytest.mark.django_db
ALL_ON = dict.fromkeys(kinds.SWITCHES, True)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def anna(client: Client, cast: Cast) -> Client:
    client.force_login(cast.anna)
    return client


def address(cast: Cast, kind: str = "injection_due") -> str:
    return "/" + unsubscribing.link(cast.anna, kind).split("/", 3)[3]


def test_the_address_is_permanent_per_person_and_kind_and_only_its_hash_is_kept(cast: Cast) -> None:
    first, second = address(cast), address(cast)
    assert first == second
    assert len({first, address(cast, "cycle_day"), address(cast, "injection_missing")}) == 3
    token = first.removeprefix("/u/")
    assert len(token) == 22
    assert SecretLink.objects.filter(subject="injection_due").count() == 1
    assert token not in str(list(SecretLink.objects.values()))


def test_what_one_batch_opened_is_not_taken_for_granted_in_the_next(cast: Cast) -> None:
    """The database may have been put back under a worker that goes on."""
    row = outbox.row(cast.anna_patient)
    mails.prepare([row], row.due_at)
    SecretLink.objects.all().delete()
    assert unsubscribing.find(address(cast, row.kind).removeprefix("/u/")) is not None


def test_a_pause_is_stopped_with_the_reminders_it_stands_for(cast: Cast) -> None:
    assert address(cast, "paused") == address(cast, "injection_due")


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client: Client, cast: Cast, method: str) -> None:
    for _ in range(2):
        assert getattr(client, method)(address(cast)).status_code == 200
    assert not Preference.objects.exists()


def test_one_click_without_sign_in_cookie_or_page_stops_that_kind_at_once(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(address(cast), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not answer.cookies
    assert facts.choices(cast.anna.pk).off == {(cast.anna.pk, "injection_due")}
    assert AuditEvent.objects.latest("pk").action == "reminders.preference.off_by_link"
    assert strict.post(address(cast)).status_code == 200
    assert Preference.objects.count() == 1


def test_stopping_keeps_the_minutes_for_later(anna: Client, cast: Cast) -> None:
    actions.choose(by=cast.anna, switches=ALL_ON, lead_minutes=60, after_minutes=30)
    for kind in ("injection_due", "injection_missing"):
        anna.post(address(cast, kind))
    choices = facts.choices(cast.anna.pk)
    assert choices.off == {(cast.anna.pk, "injection_due"), (cast.anna.pk, "injection_missing")}
    assert (choices.leads, choices.afters) == ({cast.anna.pk: 60}, {cast.anna.pk: 30})


def test_the_page_says_nothing_about_anybody(client: Client, cast: Cast) -> None:
    from tests.reminders.test_mails import leaks

    for answer in (client.get(address(cast)), client.post(address(cast))):
        page = answer.content.decode()
        main = page[page.index("<main") : page.index("</main>")]
        assert "a time of day" in main
        assert leaks(main.encode()) == []
        assert "anna" not in page.lower()
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page


@pytest.mark.parametrize("token", ["x", "A" * 22, "A" * 500])
def test_an_address_we_never_gave_is_not_there(client: Client, cast: Cast, token: str) -> None:
    assert client.get(f"/u/{token}").status_code == 404
    assert client.post(f"/u/{token}").status_code == 404


def test_a_revoked_address_is_not_there(client: Client, cast: Cast) -> None:
    path = address(cast)
    SecretLink.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert client.post(path).status_code == 404
