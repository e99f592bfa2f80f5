"""After the record: not taken, look, change, undo. The old value is always kept."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.urls import reverse

from cycles.models import Injection
from il2tracker.alerts.models import Alert
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 21, 58)


@pytest.fixture(autouse=True)
def saturday_evening():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def tonight(cast):
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=(NOW - timedelta(days=3)).date())
    return plan.cycles.get(number=1).doses.get(day=4, slot="pm")


@pytest.fixture
def record(cast, tonight):
    return factories.injection(cast.anna_patient, cast.anna, tonight, at=NOW, site="tfr", now=NOW).injection


def url(record, name="entry"):
    return reverse(f"cycles:{name}", args=[record.ref])


def changed(record, **changes):
    """What the browser sends from the form of a change."""
    form = {"key": str(record.idempotency_key), "when": "earlier", "given_on": "2026-11-21", "given_time": "9:58pm"}
    return {**form, "amount": "7.5", "site": "tfr", "given_by": "self", **changes}


# Not taken


@pytest.mark.parametrize(
    ("reason", "then"), [("supplies", "/"), ("forgot", "/"), ("other", "/"), ("stopped", "/changed/?kind=f")]
)
def test_not_taken_keeps_the_reason_and_neither_time_nor_amount(client, cast, tonight, reason, then):
    client.force_login(cast.anna)
    answer = client.post(url(tonight, "skip"), {"key": str(uuid4()), "reason": reason, "note": "as it was"})
    record = Injection.objects.get()
    assert (record.state, record.reason, record.note) == ("skipped", reason, "as it was")
    assert (record.given_at, record.amount, record.site) == (None, None, "")
    assert answer.url == then


def test_too_ill_leads_to_the_check_in(client, cast, tonight):
    client.force_login(cast.anna)
    answer = client.post(url(tonight, "skip"), {"key": str(uuid4()), "reason": "ill"})
    assert answer.url == reverse("sideeffects:check_in")


def test_told_to_stop_is_seen_by_the_clinic(client, cast, tonight):
    client.force_login(cast.anna)
    client.post(url(tonight, "skip"), {"key": str(uuid4()), "reason": "stopped", "note": "Dr Osei, by phone"})
    alert = Alert.objects.get()
    assert (alert.rule, alert.tier, alert.evidence) == ("told-to-stop", "AMBER", "Dr Osei, by phone")


def test_the_page_never_suggests_to_make_up_for_it(client, cast, tonight):
    client.force_login(cast.anna)
    text = client.get(url(tonight, "skip")).content.decode()
    assert "Do not take extra to make up." in text
    assert "020 7946 0019" in text


def test_not_taken_needs_a_reason(client, cast, tonight):
    client.force_login(cast.anna)
    answer = client.post(url(tonight, "skip"), {"key": str(uuid4()), "note": "kept"})
    assert answer.status_code == 422
    assert "Choose a reason." in answer.content.decode()
    assert "kept" in answer.content.decode()
    assert not Injection.objects.exists()


def test_not_taken_after_it_was_recorded_shows_the_record(client, cast, tonight, record):
    client.force_login(cast.anna)
    answer = client.post(url(tonight, "skip"), {"key": str(uuid4()), "reason": "forgot"})
    assert answer.url == url(record)
    assert Injection.objects.get().state == "taken"


# Looking


def test_the_entry_shows_what_is_recorded_and_how_it_came_to_be(client, cast, record):
    client.force_login(cast.anna)
    client.post(url(record, "correct"), changed(record, site="tfl", note="other leg"))
    text = client.get(url(record)).content.decode()
    assert "7.5 million units" in text
    assert "<del>right thigh, front</del> <ins>left thigh, front</ins>" in text
    assert "by you" in text


def test_the_clinic_reads_the_entry_and_changes_nothing(client, cast, record):
    client.force_login(cast.ben)
    page = client.get(url(record))
    assert page.status_code == 200
    assert url(record, "correct") not in page.content.decode()
    for name in ("correct", "undo"):
        assert client.get(url(record, name)).status_code == 403
        assert client.post(url(record, name), changed(record)).status_code == 403
    assert Injection.objects.get() == record


@pytest.mark.parametrize("who", ["carla", "dan", "eve"])
@pytest.mark.parametrize("name", ["entry", "correct", "undo", "call"])
def test_strangers_find_nothing(client, cast, record, who, name):
    client.force_login(getattr(cast, who))
    assert client.get(url(record, name)).status_code == 404


def test_a_carer_changes_only_what_the_carer_recorded(client, cast, tonight, record):
    """A6, K05: a carer may record, and take back only what he recorded himself."""
    client.force_login(cast.sam)
    assert client.get(url(record)).status_code == 200
    assert client.get(url(record, "undo")).status_code == 403
    assert client.post(url(record, "correct"), changed(record, site="bul")).status_code == 403
    record.refresh_from_db()
    assert (record.site, record.voided_at) == ("tfr", None)


def test_the_patient_takes_back_what_a_carer_recorded(client, cast, tonight):
    record = factories.injection(cast.anna_patient, cast.sam, tonight, at=NOW, now=NOW).injection
    client.force_login(cast.anna)
    client.post(url(record, "undo"))
    record.refresh_from_db()
    assert record.voided_by == cast.anna


def test_an_entry_cannot_be_found_by_counting(client, cast, record):
    client.force_login(cast.anna)
    assert client.get(reverse("cycles:entry", args=[str(record.pk)])).status_code == 404


# Changing


def test_a_change_keeps_the_old_value_in_the_history(client, cast, record):
    client.force_login(cast.anna)
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        answer = client.post(url(record, "correct"), changed(record, given_time="9:40pm", amount="6", answer="less"))
    record.refresh_from_db()
    assert answer.url == url(record)
    assert (record.given_at, record.amount, record.state) == (utc(2026, 11, 21, 21, 40), Decimal(6), "partial")
    new, old = record.history.order_by("-history_id")
    assert (old.given_at, old.amount, old.history_user) == (NOW, Decimal("7.5"), cast.anna)
    assert new.history_user == cast.anna


def test_the_form_of_a_change_shows_what_is_recorded(client, cast, record):
    client.force_login(cast.anna)
    form = client.get(url(record, "correct")).context["form"]
    shown = {name: form[name].value() for name in ("given_time", "site", "amount", "when")}
    assert shown == {"given_time": "9:58pm", "site": "tfr", "amount": "7.5", "when": "earlier"}


def test_a_change_to_more_than_planned_asks_and_tells_the_clinic(client, cast, record):
    client.force_login(cast.anna)
    assert client.post(url(record, "correct"), changed(record, amount="9")).context["doubt"] == "ABOVE_PLAN"
    answer = client.post(url(record, "correct"), changed(record, amount="9", answer="more"))
    assert answer.url == url(record, "call")
    assert Alert.objects.get().rule == "above-plan"


def test_a_change_is_not_too_close_to_itself(client, cast, record):
    client.force_login(cast.anna)
    assert client.post(url(record, "correct"), changed(record, given_time="9:30pm")).status_code == 302


def test_bad_input_in_a_change_is_answered_and_kept(client, cast, record):
    client.force_login(cast.anna)
    answer = client.post(url(record, "correct"), changed(record, given_time="11:59pm", note="kept"))
    assert answer.status_code == 422
    assert "has not come yet" in answer.content.decode()
    assert "kept" in answer.content.decode()


def test_what_was_not_taken_is_removed_rather_than_changed(client, cast, tonight):
    record = factories.injection(cast.anna_patient, cast.anna, tonight, state="skipped", reason="forgot").injection
    client.force_login(cast.anna)
    assert client.get(url(record, "correct")).url == url(record)
    assert url(record, "correct") not in client.get(url(record)).content.decode()


# Undoing


def test_looking_at_undo_changes_nothing_and_says_when_to_use_it(client, cast, record):
    client.force_login(cast.anna)
    text = client.get(url(record, "undo")).content.decode()
    record.refresh_from_db()
    assert "Remove this only if you have NOT injected." in text
    assert "No reminder asks for this injection again until it is recorded." in text
    assert record.voided_at is None


def test_undo_within_ten_minutes_asks_no_reason_and_frees_the_slot(client, cast, tonight, record):
    client.force_login(cast.anna)
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        answer = client.post(url(record, "undo"))
    record.refresh_from_db()
    assert answer.url == reverse("today:home")
    assert (record.voided_at, record.voided_by) == (NOW + timedelta(minutes=10), cast.anna)
    again = factories.injection(cast.anna_patient, cast.anna, tonight, at=NOW, now=NOW)
    assert again.created
    assert Injection.objects.filter(planned_dose=tonight).count() == 2


def test_undo_after_ten_minutes_needs_a_reason(client, cast, record):
    client.force_login(cast.anna)
    with time_machine.travel(NOW + timedelta(minutes=10, seconds=1), tick=False):
        assert client.post(url(record, "undo")).status_code == 422
        record.refresh_from_db()
        assert record.voided_at is None
        client.post(url(record, "undo"), {"reason": "Wrong day"})
    record.refresh_from_db()
    assert record.void_reason == "Wrong day"


def test_a_removed_entry_says_so_and_offers_to_record_again(client, cast, tonight, record):
    factories.void(cast.anna, record)
    client.force_login(cast.anna)
    text = client.get(url(record)).content.decode()
    assert "It counts for nothing." in text
    assert url(tonight, "log") in text
    assert url(record, "undo") not in text
    assert client.get(url(record, "undo")).url == url(record)


def test_the_old_form_sent_again_after_undo_shows_what_was_removed(client, cast, tonight, record):
    """A5: a retry with the key of a removed entry records nothing by itself."""
    factories.void(cast.anna, record)
    client.force_login(cast.anna)
    again = {"key": str(record.idempotency_key), "when": "now", "site": "tfr", "given_by": "self"}
    answer = client.post(url(tonight, "log"), again)
    assert answer.url == url(record)
    assert not list(get_messages(answer.wsgi_request))
    assert not Injection.objects.standing().exists()


def test_every_step_is_in_the_access_log(client, cast, record):
    client.force_login(cast.anna)
    client.post(url(record, "correct"), changed(record, site="tfl"))
    client.post(url(record, "undo"))
    actions = AuditEvent.objects.filter(subject_ref=record.ref).order_by("pk").values_list("action", flat=True)
    assert list(actions) == [
        "cycles.injection.taken",
        "cycles.injection.corrected",
        "cycles.injection.voided",
    ]
