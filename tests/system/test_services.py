"""The parts that other tests stand on do what they say."""

import smtplib
from collections.abc import Callable
from typing import Any

import pytest
import redis
from playwright.sync_api import Page

from tests.services import Broker
from tests.smtp_sink import SmtpSink


def send(sink: SmtpSink) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=2) as client:
        client.sendmail("from@diary.example", ["to@diary.example"], "Subject: Hello\r\n\r\nText\r\n")


def test_the_sink_keeps_a_message_as_it_came(smtp_sink: SmtpSink) -> None:
    send(smtp_sink)
    (received,) = smtp_sink.wait_for(1)
    assert received.rcpt_tos == ("to@diary.example",)
    assert received.message["Subject"] == "Hello"
    assert received.answered


@pytest.mark.parametrize(
    ("fault", "code"), [("rcpt-451", 451), ("rcpt-550", 550), ("data-451", 451), ("data-554", 554), ("mail-451", 451)]
)
def test_the_sink_answers_with_the_fault_that_was_asked_for_and_then_recovers(
    smtp_sink: SmtpSink, fault: str, code: int
) -> None:
    smtp_sink.fault(fault, times=1)
    with pytest.raises(smtplib.SMTPException) as refusal:
        send(smtp_sink)
    assert str(code) in str(refusal.value)
    assert not smtp_sink.messages
    send(smtp_sink)
    assert len(smtp_sink.wait_for(1)) == 1


def test_the_sink_can_break_off_after_reading_the_message(smtp_sink: SmtpSink) -> None:
    smtp_sink.fault("drop", times=1)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(smtp_sink)
    assert [received.answered for received in smtp_sink.wait_for(1)] == [False]


@pytest.mark.parametrize("fault", ["hang-rcpt", "hang-data"])
def test_the_sink_can_hang(smtp_sink: SmtpSink, fault: str) -> None:
    smtp_sink.fault(fault, times=1)
    with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError)):
        send(smtp_sink)


def test_the_sink_can_refuse_connections_and_come_back(smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse()
    with pytest.raises(ConnectionRefusedError):
        send(smtp_sink)
    smtp_sink.accept()
    send(smtp_sink)
    assert len(smtp_sink.wait_for(1)) == 1


def test_a_broker_keeps_its_queue_over_a_restart(broker: Broker) -> None:
    redis.Redis.from_url(broker.url).lpush("queue", "job")
    broker.stop()
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(broker.url).ping()
    broker.start()
    assert redis.Redis.from_url(broker.url).rpop("queue") == b"job"


@pytest.mark.one_database
def test_axe_finds_what_is_wrong_with_a_page(page: Page, axe: Callable[[Page], list[str]]) -> None:
    page.set_content("<html lang='en'><title>T</title><main><h1>H</h1><input></main></html>")
    assert any(line.startswith("label") for line in axe(page))


@pytest.mark.one_database
def test_a_watched_page_reports_errors_and_other_hosts(page: Page, watch: Any) -> None:
    page.set_content(
        "<script>console.error('broken')</script><img src='http://192.0.2.1/picture'>", wait_until="commit"
    )
    assert len(watch.complaints) >= 2
    assert any("broken" in complaint for complaint in watch.complaints)
    assert any("asked another host" in complaint for complaint in watch.complaints)
    watch.complaints.clear()
