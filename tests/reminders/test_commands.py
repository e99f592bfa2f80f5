"""What the person who runs the installation asks on the command line."""

from collections.abc import Callable
from datetime import date, time, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cycles.models import Cycle
from il2tracker.accounts import actions as accounts
from il2tracker.reminders import actions, bouncing, forecast, planning
from il2tracker.reminders.models import Delivery, Heartbeat, Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders import outbox
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
ONE_DAY = timedelta(days=1)


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def course(cast: Cast) -> Cycle:
    """Anna's, in ten days; she lives in New York."""
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="America/New_York")
    cast.anna_patient.refresh_from_db()
    today = cast.anna_patient.today(timezone.now())
    return factories.plan(cast.anna_patient, cast.ben, starts_on=today + 10 * ONE_DAY).cycles.get()


def say(*options: str) -> tuple[list[str], int]:
    """The lines that the command prints, and its exit code."""
    said = StringIO()
    try:
        call_command("reminders", *options, stdout=said, stderr=said)
    except SystemExit as ended:
        return said.getvalue().splitlines(), int(str(ended.code))
    return said.getvalue().splitlines(), 0


def dry_run(day: date) -> list[str]:
    lines, code = say("--dry-run", "--on", day.isoformat())
    assert code == 0
    return [line for line in lines if " digest " not in line and " to_call " not in line]


# What would be sent


def test_a_dry_run_of_a_day_shows_it_in_order_on_the_patients_own_clock(cast: Cast, course: Cycle) -> None:
    lines = dry_run(course.starts_on)
    day, code = course.starts_on.isoformat(), cast.anna_patient.code
    slot = f"c{course.pk}/d1"
    assert lines == [
        f"{day} 09:45 {code} injection_due {slot}/am yes",
        f"{day} 11:00 {code} injection_missing {slot}/am yes",
        f"{day} 21:45 {code} injection_due {slot}/pm yes",
        f"{day} 23:00 {code} injection_missing {slot}/pm yes",
    ]
    assert not Reminder.objects.exists()
    assert Heartbeat.read().planned_at is None


def test_it_says_why_not(cast: Cast, course: Cycle) -> None:
    actions.choose(by=cast.anna, switches={"injection_missing": False})
    factories.hold(cast.anna, course, kind="infection")
    assert {line.rpartition(" ")[2] for line in dry_run(course.starts_on) if " paused " not in line} == {"held"}


def test_a_week_before_there_is_one_line(cast: Cast, course: Cycle) -> None:
    (line,) = [line for line in dry_run(course.starts_on - 7 * ONE_DAY) if "bloodwork" not in line]
    day = course.starts_on - 7 * ONE_DAY
    assert line == f"{day} 09:00 {cast.anna_patient.code} cycle_week c{course.pk}@{course.starts_on}/-7 yes"


def test_what_the_quiet_hours_hold_stands_at_the_hour_when_it_leaves(cast: Cast, course: Cycle) -> None:
    Delivery.objects.create(user=cast.anna, quiet_from=time(8), quiet_to=time(11))
    (line,) = [line for line in dry_run(course.starts_on - 7 * ONE_DAY) if "cycle_week" in line]
    assert " 11:00 " in line


def test_what_is_beyond_the_cap_is_named(cast: Cast, course: Cycle) -> None:
    Delivery.objects.create(user=cast.anna, most_per_day=3)
    assert [line.rpartition(" ")[2] for line in dry_run(course.starts_on)] == ["yes", "yes", "yes", "cap"]


def test_what_already_left_is_named(cast: Cast, course: Cycle) -> None:
    outbox.plan_for(course.doses.earliest("due_at"))
    gone = {"state": "sent", "accepted_at": timezone.now(), "handing_over_at": timezone.now()}
    Reminder.objects.filter(kind="injection_due", occurrence=f"c{course.pk}/d1/am").update(**gone)
    assert [line.rpartition(" ")[2] for line in dry_run(course.starts_on)] == ["sent", "yes", "yes", "yes"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_a_day_is_the_patients_own_wherever_he_lives(cast: Cast, zone: str) -> None:
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone=zone)
    cast.anna_patient.refresh_from_db()
    day = cast.anna_patient.today(timezone.now()) + 10 * ONE_DAY
    factories.plan(cast.anna_patient, cast.ben, starts_on=day)
    assert [line[:16] for line in dry_run(day)] == [f"{day} {hour}" for hour in ("09:45", "11:00", "21:45", "23:00")]


@pytest.mark.parametrize("text", ["2020-01-01", "tomorrow", "2026-13-01", "", "9999-12-31", "2026-1-1"])
def test_a_day_that_cannot_be_shown_gets_words(text: str) -> None:
    lines, code = say("--dry-run", f"--on={text}")
    if text:
        assert (len(lines), code) == (1, 1)
        assert lines[0].startswith(f"{text}: give a day from today")
    else:
        assert code == 0, "no day: the next days"


def test_today_can_be_shown_wherever_it_is_still_today() -> None:
    now = timezone.now()
    for day in ((now - timedelta(hours=12)).date(), now.date(), (now + 300 * ONE_DAY).date()):
        assert forecast.parse(day.isoformat(), now) == day


def test_a_day_goes_with_a_dry_run_only() -> None:
    assert say("--plan", "--on", "2026-01-01") == (["--on goes with --dry-run."], 1)


def test_however_many_patients_there_are_it_takes_the_same_statements(cast: Cast, course: Cycle) -> None:
    counts = []
    for many in (1, 5):
        for number in range(many):
            lone = factories.lone_patient(f"Lee{many}{number}")
            factories.plan(lone, lone.user, starts_on=course.starts_on)
        with CaptureQueriesContext(connection) as statements:
            forecast.on(course.starts_on, timezone.now())
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 16


# A test mail


def test_a_test_mail_goes_out_at_once_and_the_answer_is_printed(cast: Cast, smtp_sink: SmtpSink) -> None:
    assert say("--test", "eve@example.org") == (["Accepted: 250 OK"], 0)
    (received,) = smtp_sink.messages
    assert received.rcpt_tos == ("eve@example.org",)
    assert received.message["Auto-Submitted"] == "auto-generated"
    assert not Reminder.objects.exists()


def test_an_accepted_one_clears_a_refusal(cast: Cast, smtp_sink: SmtpSink) -> None:
    bouncing.refuse(user=cast.anna, address="anna@example.org", cause="RCPT 550 5.1.1")
    say("--test", "Anna@example.org")
    assert not Delivery.objects.exclude(refused_address="").exists()


def refuse_it(sink: SmtpSink) -> None:
    sink.fault("rcpt-550")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (refuse_it, "Not accepted (never): 550 5.1.1 no such mailbox"),
        (SmtpSink.refuse, "Not accepted (server): ConnectionRefusedError"),
    ],
)
def test_trouble_is_told_in_the_servers_words(
    cast: Cast, smtp_sink: SmtpSink, trouble: Callable[[SmtpSink], None], words: str
) -> None:
    bouncing.refuse(user=cast.anna, address="anna@example.org", cause="RCPT 550 5.1.1")
    trouble(smtp_sink)
    assert say("--test", "anna@example.org") == ([words], 1)
    assert Delivery.objects.exclude(refused_address="").exists(), "still refused"


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "x\nBcc: y@example.org"])
def test_what_is_no_address_is_not_tried(smtp_sink: SmtpSink, address: str) -> None:
    lines, code = say("--test", address)
    assert (lines, code) == (["Enter a valid email address."], 1)
    assert smtp_sink.attempts == 0


def test_the_planner_and_the_dry_run_agree(cast: Cast, course: Cycle) -> None:
    now = course.doses.earliest("due_at").due_at - ONE_DAY
    planning.plan(now)
    planned = set(Reminder.objects.filter(state="planned").values_list("key", flat=True))
    assert {line.wish.key for line in forecast.soon(now) if not line.why_not} == planned
