"""One alert with everything that was done about it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from il2tracker import ui
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import User
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert, Step
from il2tracker.reminders import planning, sending
from tests import factories
from tests.factories import Cast
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
What = Step.What


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def alert(cast: Cast) -> Alert:
    return factories.alert(cast.anna_patient, cast.anna)


@pytest.fixture
def in_hand(cast: Cast, alert: Alert) -> Alert:
    return alerts.acknowledge(by=cast.ben, alert=alert, note="I ring her.", now=timezone.now())


@pytest.fixture
def see(client: Client, alert: Alert) -> Any:
    def visit(user: User, **sent: str) -> Any:
        client.force_login(user)
        path = reverse("clinic:alert", args=[alert.ref])
        answer = client.post(path, sent, follow=True) if sent else client.get(path)
        body = re.sub(r"<(head|title)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
        answer.text_read = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
        return answer

    return visit


def test_before_anybody_acknowledged_it_nothing_else_can_be_done(cast: Cast, see: Any) -> None:
    page = see(cast.ben)
    assert "Nobody has acknowledged it" in page.text_read
    assert 'name="what"' not in page.content.decode()
    assert "Acknowledge" in page.text_read


def test_who_acknowledged_it_and_every_step_stand_in_order(cast: Cast, see: Any, in_hand: Alert) -> None:
    nina = factories.user("Nina")
    accounts.join_clinic(by=cast.eve, clinic=cast.north, user=nina, title="doctor")
    see(cast.ben, what="not_reached")
    see(nina, what="reached", note="Comes in at ten.")
    text = see(cast.ben).text_read
    assert "Anna : Reported" in text
    lines = (
        "Anna : Reported",
        "Ben : Acknowledged I ring her.",
        "Ben : Called, and reached",
        "Nina : Called, and spoke",
    )
    assert [text.index(words) for words in lines] == sorted(text.index(words) for words in lines)
    assert "Nina : Called, and spoke with the patient Comes in at ten." in text


def test_what_was_done_is_said_back_with_its_name(cast: Cast, see: Any, in_hand: Alert) -> None:
    said = see(cast.ben, what="reached").text_read
    words = "Written down: Called, and spoke with the patient. “Much less urine” stays in hand until it is closed."
    assert words in said


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"what": "closed"}, "Write how it ended."),
        ({"what": "note", "note": "  "}, "Write the note."),
        ({"note": "Rang twice."}, "Choose what was done."),
        ({"what": "perhaps", "note": "Rang twice."}, "Choose what was done."),
        ({"what": "note", "note": "x" * 1001}, "Keep the note under 1,000 characters."),
    ],
)
def test_what_is_missing_stands_beside_it_and_nothing_is_lost(
    cast: Cast, see: Any, in_hand: Alert, sent: dict[str, str], complaint: str
) -> None:
    answer = see(cast.ben, **sent)
    assert answer.status_code == 422
    assert answer.text_read.count(complaint) == 2
    assert sent.get("note", "").strip() in answer.content.decode()
    assert not Step.objects.exists()


def test_closing_leads_back_to_the_patient_and_keeps_the_record(cast: Cast, see: Any, in_hand: Alert) -> None:
    answer = see(cast.ben, what="closed", note="Better.")
    assert answer.redirect_chain[-1][0] == reverse("clinic:patient", args=[cast.anna_patient.code])
    assert "“Much less urine” is closed. It stays in the record." in answer.text_read
    page = see(cast.ben)
    assert "Ben : Closed Better." in page.text_read
    assert 'name="what"' not in page.content.decode()


def test_who_is_late_reads_that_somebody_closed_it(cast: Cast, see: Any, in_hand: Alert) -> None:
    alerts.take_step(by=cast.ben, alert=in_hand, what=What.CLOSED, note="Better.", now=timezone.now() - MINUTE)
    answer = see(cast.ben, what="reached")
    assert answer.status_code == 422
    assert "Somebody has closed it meanwhile. Nothing was added." in answer.text_read


@pytest.mark.parametrize("sent", [{"what": "closed", "note": "Better."}, {"what": "note", "note": "Rang."}])
def test_what_the_patient_wrote_meanwhile_is_read_first(
    cast: Cast, see: Any, in_hand: Alert, sent: dict[str, str]
) -> None:
    """Opened before the patient wrote that nobody can be reached, sent after it."""
    alerts.answer(by=cast.anna, alert=in_hand, answer="not_reached", now=timezone.now())
    answer = see(cast.ben, **sent, read="")
    assert answer.status_code == 422
    assert "The patient wrote meanwhile. Nothing was added" in answer.text_read
    assert "The patient cannot reach you" in answer.text_read
    assert sent["note"] in answer.content.decode(), "nothing is lost"
    assert list(Alert.objects.waiting()) == [in_hand]
    mark = re.search(r'name="read" value="([^"]+)"', answer.content.decode())
    assert mark is not None
    assert see(cast.ben, **sent, read=html.unescape(mark[1])).status_code == 200
    assert Step.objects.get().what == sent["what"]


def test_a_later_urgent_report_that_nobody_has_closed_is_named_with_its_page(
    cast: Cast, see: Any, in_hand: Alert
) -> None:
    later, closed = (raised_later(cast, title) for title in ("Short of breath", "Chest pain"))
    alerts.acknowledge(by=cast.ben, alert=closed, now=timezone.now())
    alerts.take_step(by=cast.ben, alert=closed, what=What.CLOSED, note="Better.", now=timezone.now())
    raised_later(cast, "Tired", tier="AMBER")
    answer = see(cast.ben, what="note", note="Rang.", read="")
    assert answer.status_code == 422
    at = ui.in_zone(later.raised_at, later.patient)
    assert f"Reported later {ui.short_day(at)} {ui.clock(at, cast.ben)}: Short of breath" in answer.text_read
    assert f'href="{reverse("clinic:alert", args=[later.ref])}"' in answer.content.decode()
    assert "Chest pain" not in answer.text_read
    assert "Tired" not in answer.text_read


def test_an_earlier_report_is_no_later_one(cast: Cast, see: Any, client: Client, in_hand: Alert) -> None:
    later = raised_later(cast, "Short of breath")
    client.force_login(cast.ben)
    assert "Reported later" not in client.get(reverse("clinic:alert", args=[later.ref])).content.decode()


def raised_later(cast: Cast, title: str, tier: str = "RED") -> Alert:
    about = {"source": "tests", "source_ref": title[:10], "rule": "T3", "evidence": ""}
    facts = {"patient": cast.anna_patient, "now": timezone.now() + MINUTE, "tier": tier, "title": title}
    return alerts.raise_alert(by=cast.anna, **about, **facts)


def test_reminders_that_are_held_again_after_a_talk_are_named(cast: Cast, see: Any, in_hand: Alert) -> None:
    held = "Reminders to inject wait: the patient could not reach you, and you have not spoken since."
    assert "Reminders to inject wait. That lasts until" in see(cast.ben).text_read
    alerts.take_step(by=cast.ben, alert=in_hand, what=What.REACHED, now=timezone.now())
    assert "Reminders to inject wait" not in see(cast.ben).text_read
    for said in ("not_reached", "called"):
        alerts.answer(by=cast.anna, alert=in_hand, answer=said, now=timezone.now())
    assert held in see(cast.ben).text_read
    alerts.take_step(by=cast.ben, alert=in_hand, what=What.REACHED, now=timezone.now() + MINUTE)
    assert "Reminders to inject wait" not in see(cast.ben).text_read


def test_the_patients_answers_stand_in_it_by_name(cast: Cast, see: Any, in_hand: Alert) -> None:
    alerts.answer(by=cast.sam, alert=in_hand, answer="not_reached", now=timezone.now())
    text = see(cast.ben).text_read
    assert "Sam : “I cannot reach them”" in text
    assert "The patient cannot reach you" in text


def test_mails_that_left_and_who_comes_next_stand_in_it(cast: Cast, see: Any, smtp_sink: SmtpSink) -> None:
    accounts.join_clinic(by=cast.eve, clinic=cast.north, user=factories.user("Nora"), title="nurse", on_call_rank=2)
    accounts.join_clinic(by=cast.eve, clinic=cast.north, user=factories.user("Olaf"), title="nurse", on_call_rank=3)
    smtp_sink.fault("rcpt-550", times=1)
    sending.sweep()
    sending.sweep()
    text = see(cast.ben).text_read
    assert "Ben : no mail could be delivered" in text
    assert "Nora : a mail was handed to the mail server" in text
    assert re.search(r"Who is told next \w+ \d+ \w+ [\d:]+[ap]m: Olaf is told by mail", text)
    alerts.acknowledge(by=cast.ben, alert=Alert.objects.get(), now=timezone.now())
    planning.plan()
    assert "Who is told next" not in see(cast.ben).text_read


def test_a_second_sign_of_the_same_report_shows_its_mails_too(
    cast: Cast, see: Any, alert: Alert, client: Client, smtp_sink: SmtpSink
) -> None:
    same = {"source": alert.source, "source_ref": alert.source_ref, "now": alert.raised_at}
    other = alerts.raise_alert(
        by=cast.anna, patient=alert.patient, rule="T3", tier="RED", title="Short of breath", evidence="", **same
    )
    sending.sweep()
    client.force_login(cast.ben)
    page = client.get(reverse("clinic:alert", args=[other.ref])).content.decode()
    assert "a mail was handed to the mail server" in page


def test_as_many_statements_for_one_step_as_for_many(cast: Cast, see: Any, in_hand: Alert) -> None:
    def statements() -> int:
        see(cast.ben)  # signs in
        with CaptureQueriesContext(connection) as asked:
            assert see(cast.ben).status_code == 200
        return len(asked)

    alerts.take_step(by=cast.ben, alert=in_hand, what=What.REACHED, now=timezone.now())
    few = statements()
    for number in range(12):
        at = timezone.now() + number * MINUTE
        alerts.take_step(by=cast.ben, alert=in_hand, what=What.NOTE, note=f"note {number}", now=at)
        alerts.answer(by=cast.anna, alert=in_hand, answer="called", now=at)
        raised_later(cast, f"Sign {number}")
    assert statements() == few
