"""The private calendar feed: what is in it, what it is called, and that three readers find in it what was planned."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import ics
import pytest
import time_machine
import vobject
from dateutil.tz import tzical
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cycles.course_actions import cancel_cycle, move_cycle, stop_cycle
from cycles.hold_actions import lift_hold, raise_hold
from cycles.models import Cycle, PlannedDose, Protocol
from cycles.plan_actions import create_plan
from cycles.ready_actions import confirm_start
from cycles.version_actions import change_plan
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, SecretLink
from il2tracker.alerts.actions import acknowledge, raise_alert, take_step
from il2tracker.today import actions, feed, feed_actions, feed_file, feed_numbers, feed_zones
from labs.actions import book_bloodwork
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

EVENING = utc(2026, 11, 21, 21, 35)
HOUR = timedelta(hours=1)
LATER = EVENING + HOUR
FORBIDDEN = (Path(__file__).parents[1] / "reminders" / "forbidden_words.txt").read_text(encoding="utf-8").split("\n")


def fetched(patient, level="discreet", at=EVENING):
    """The file as one and the same link gives it; the first call makes the link."""
    with time_machine.travel(at, tick=False):
        if feed_actions.choose_titles(by=patient.user, patient=patient, level=level) is None:
            feed_actions.make_link(by=patient.user, patient=patient, level=level, now=at)
            known = hashlib.sha256(patient.ref.encode()).hexdigest()
            SecretLink.objects.filter(patient=patient, revoked_at=None).update(token_hash=known)
        answer = Client().get(f"/c/{patient.ref}.ics")
    assert answer.status_code == 200
    return answer.content


def events(file):
    """UID → event, without the part of the UID that names the installation."""
    calendar = icalendar.Calendar.from_ical(file)
    return {str(event["uid"]).partition("@")[0]: event for event in calendar.walk("VEVENT")}


def coming(patient):
    return Cycle.objects.of(patient).order_by("-number").first()


# Three readers


def by_icalendar(file: bytes) -> set[tuple[str, datetime]]:
    starts = ((str(event["summary"]), event.start) for event in icalendar.Calendar.from_ical(file).walk("VEVENT"))
    return {(title, start.astimezone(UTC)) for title, start in starts if isinstance(start, datetime)}


def by_vobject(file: bytes) -> set[tuple[str, datetime]]:
    found = vobject.readOne(file.decode()).vevent_list
    starts = ((event.summary.value, event.dtstart.value) for event in found)
    return {(title, start.astimezone(UTC)) for title, start in starts if isinstance(start, datetime)}


def by_ics(file: bytes) -> set[tuple[str, datetime]]:
    found = ics.Calendar(file.decode()).events
    return {(event.name, event.begin.datetime.astimezone(UTC)) for event in found if not event.all_day}


# Courses of five days that hold a switch of the clock, in both directions; Kolkata has none.
SWITCHES = [
    ("America/New_York", date(2026, 3, 4)),
    ("America/New_York", date(2026, 10, 28)),
    ("Europe/London", date(2026, 3, 25)),
    ("Europe/London", date(2026, 10, 21)),
    ("Australia/Lord_Howe", date(2026, 4, 1)),
    ("Australia/Lord_Howe", date(2026, 9, 30)),
    ("America/Santiago", date(2026, 4, 1)),
    ("America/Santiago", date(2026, 9, 2)),
    ("Asia/Kolkata", date(2026, 3, 4)),
    ("UTC", date(2026, 3, 4)),
]


def course_in(cast: factories.Cast, zone: str, starts_on: date, hours: dict[str, str]) -> Any:
    """Anna's course there; her feed is asked for on the evening of the day before."""
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone=zone)
    patient = cast.anna_patient.lock()
    row = Protocol.objects.get(slug="hiv-sc-7-5")
    create_plan(
        by=cast.ben,
        patient=patient,
        protocol=row,
        document=row.document,
        slot_times=hours,
        starts_on=starts_on,
        now=utc(2026, 1, 5, 12),
    )
    return patient


@pytest.mark.one_database
@pytest.mark.parametrize(
    "hours",
    [{"am": "08:00", "pm": "20:00"}, {"am": "00:15", "pm": "23:45"}, {"am": "01:30", "pm": "02:15"}],
    ids=["day", "midnight", "night"],
)
@pytest.mark.parametrize(("zone", "starts_on"), SWITCHES, ids=lambda value: str(value).rpartition("/")[2])
def test_every_reader_finds_each_injection_at_its_planned_moment(cast, zone, starts_on, hours):
    """H08: also at hours that a switch leaves out or brings twice."""
    patient = course_in(cast, zone, starts_on, hours)
    planned = {dose.due_at for dose in PlannedDose.objects.of(patient)}
    assert len(planned) >= 9
    file = fetched(patient, "full", datetime(2026, starts_on.month, 1, 12, tzinfo=UTC))
    for read in (by_icalendar, by_vobject, by_ics):
        assert read(file) == {("Injection 7.5 million units", moment) for moment in planned}, read


@pytest.mark.parametrize(
    "hours", [{"am": "08:00", "pm": "20:00"}, {"am": "00:15", "pm": "02:30"}], ids=["day", "night"]
)
@pytest.mark.one_database
@pytest.mark.parametrize(("zone", "starts_on"), SWITCHES[:-1], ids=lambda value: str(value).rpartition("/")[2])
def test_whoever_has_never_heard_of_the_zone_finds_them_by_the_rules_in_the_file(cast, zone, starts_on, hours):
    """RFC 5545 3.6.5, read by dateutil, which knows nothing but the VTIMEZONE of the file here."""
    patient = course_in(cast, zone, starts_on, hours)
    text = fetched(patient, at=datetime(2026, starts_on.month, 1, 12, tzinfo=UTC)).decode().replace("\r\n", "\n")
    rules = text[text.index("BEGIN:VTIMEZONE") : text.index("END:VTIMEZONE") + len("END:VTIMEZONE\n")]
    clock = tzical(StringIO(rules)).get()
    walls = [datetime.strptime(wall, "%Y%m%dT%H%M%S") for wall in re.findall(r"DTSTART;TZID=[^:]+:(\w+)", text)]  # noqa: DTZ007
    exact = {
        datetime.strptime(wall, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for wall in re.findall(r"DTSTART:(\w+Z)\n", text)
    }
    planned = {dose.due_at for dose in PlannedDose.objects.of(patient)}
    assert {wall.replace(tzinfo=clock).astimezone(UTC) for wall in walls} | exact == planned
    assert len(exact) <= 1


@pytest.mark.parametrize(("zone", "starts_on"), SWITCHES, ids=lambda value: str(value).rpartition("/")[2])
def test_the_hours_on_the_wall_stay_the_same_across_a_switch(cast, zone, starts_on):
    patient = course_in(cast, zone, starts_on, {"am": "08:00", "pm": "20:00"})
    file = fetched(patient, at=datetime(2026, starts_on.month, 1, 12, tzinfo=UTC))
    clock = r":(\d{8})T(\d{6})Z" if zone == "UTC" else rf";TZID={zone}:(\d{{8}})T(\d{{6}})"
    written = set(re.findall(rf"DTSTART{clock}\r\n", file.decode()))
    days = [starts_on + timedelta(days=away) for away in range(5)]
    assert written == {(f"{day:%Y%m%d}", hour) for day in days for hour in ("080000", "200000")}


@pytest.mark.parametrize("level", feed.Level.values)
def test_the_file_keeps_to_the_rules_of_its_format(cast, on_course, level):
    """RFC 5545: CRLF, at most 75 octets a line, a VTIMEZONE for each TZID, each name once."""
    on_course(cast.anna_patient, cast.ben)
    actions.change_zone(by=cast.anna, patient=cast.anna_patient, zone="America/New_York", now=EVENING)
    file = fetched(cast.anna_patient.lock(), level)
    assert file.endswith(b"END:VCALENDAR\r\n")
    lines = file.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(len(line) for line in lines) <= 75
    text = file.replace(b"\r\n ", b"").decode()
    used = set(re.findall(r";TZID=([^:;]+):", text))
    assert used == set(re.findall(r"\r\nTZID:([^\r]+)\r\n", text)) == {"Europe/London", "America/New_York"}
    uids = re.findall(r"\r\nUID:([^\r]+)\r\n", text)
    assert len(uids) == len(set(uids)) == text.count("BEGIN:VEVENT") > 20
    for once in ("DTSTAMP:", "SEQUENCE:", "LAST-MODIFIED:", "STATUS:", "CLASS:PRIVATE"):
        assert text.count(once) == len(uids), once
    assert "X-WR-CALNAME:Diary\r\n" in text
    assert "VALARM" not in text


def test_a_zone_without_a_switch_and_one_with_half_an_hour_are_told_right():
    def told(zone):
        clocks = feed_zones.clocks(zone, 2026, 2026)
        return [(f"{clock.starts:%d %B %H:%M}", clock.before / HOUR, clock.offset / HOUR) for clock in clocks]

    assert told("Asia/Kolkata") == [("01 January 05:30", 5.5, 5.5)]
    assert told("Australia/Lord_Howe")[1:] == [("05 April 02:00", 11, 10.5), ("04 October 02:00", 10.5, 11)]
    assert told("America/Santiago")[1:] == [("05 April 00:00", -3, -4), ("06 September 00:00", -4, -3)]


def test_what_has_a_comma_or_a_letter_of_another_script_is_written_so_that_it_is_read_back(cast, on_course):
    on_course(cast.anna_patient, cast.ben)
    items = feed.items(cast.anna_patient, EVENING)
    revisions = feed_numbers.renumber({}, {item.name: item.digest("plain") for item in items}, EVENING)
    file = feed_file.write(items, revisions, "plain", EVENING, site="Däiry, ours; " + "ß" * 60, domain="mail.invalid")
    assert max(len(line) for line in file.split(b"\r\n")) <= 75
    assert vobject.readOne(file.decode()).x_wr_calname.value == "Däiry, ours; " + "ß" * 60


# What the entries are called (ux 3.1)


def titles(file):
    return {str(event["summary"]) for event in events(file).values()}


def test_each_level_says_so_much_and_no_more(cast, on_course):
    on_course(cast.anna_patient, cast.ben)
    assert titles(fetched(cast.anna_patient, "discreet")) == {"Diary"}
    days = {f"Course day {day}" for day in range(1, 6)}
    assert titles(fetched(cast.anna_patient, "plain")) == {*days, "Course 1", "Course 2", "Blood test to book"}
    assert titles(fetched(cast.anna_patient, "full")) == {
        *("Injection 7.5 million units", "Course 1", "Course 2", "Blood test to book")
    }


@pytest.mark.parametrize("level", feed.Level.values)
def test_no_level_names_the_disease_or_the_drug(cast, on_course, level):
    on_course(cast.anna_patient, cast.ben)
    text = fetched(cast.anna_patient, level).decode().lower()
    for word in ("hiv", "il-2", "il2", "cd4", "viral", "interleukin", "aldesleukin", "proleukin", "cancer", "anna"):
        assert word not in text


def test_the_discreet_file_holds_no_word_that_a_discreet_mail_may_not(cast, on_course):
    on_course(cast.anna_patient, cast.ben)
    words = set(re.findall(r"[a-z][a-z0-9+-]*", fetched(cast.anna_patient).decode().lower()))
    assert not words & {word.strip().lower() for word in FORBIDDEN if word.strip()}


# What becomes of them


def test_a_moved_course_keeps_its_entries_which_rise_by_one(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    before = events(fetched(patient))
    cycle = coming(patient)
    move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2027, 1, 20), today=date(2026, 11, 21), reason="Holiday")
    after = events(fetched(patient, at=LATER))
    assert before.keys() == after.keys()
    own = [name for name in after if name.startswith(cycle.ref)]
    assert len(own) == 12
    for name in own:
        assert after[name]["sequence"] == before[name]["sequence"] + 1
        assert after[name].start - before[name].start == timedelta(days=7)
    others = after.keys() - set(own)
    assert all(after[name]["sequence"] == before[name]["sequence"] for name in others)


def test_on_hold_there_is_no_injection_and_the_days_are_tentative(cast, on_course):
    """H22: a hold wins over everything; a person decides."""
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    cycle = coming(patient)
    before = events(fetched(patient, "plain"))
    hold = raise_hold(by=cast.ben, cycle=cycle, kind="fatigue", reason="Very tired", now=EVENING)
    held = events(fetched(patient, "plain", LATER))
    (own,) = [event for name, event in held.items() if name.startswith(cycle.ref)]
    assert (own["summary"], own["status"], own["transp"]) == ("Course 2, on hold", "TENTATIVE", "TRANSPARENT")
    assert (own.start, own.end) == (date(2027, 1, 13), date(2027, 1, 18))
    assert own["sequence"] > before[cycle.ref]["sequence"]
    lift_hold(by=cast.ben, hold=hold, now=LATER)
    lifted = events(fetched(patient, "plain", LATER))
    assert lifted.keys() == before.keys()
    assert lifted[cycle.ref]["sequence"] > own["sequence"]
    assert {event["status"] for name, event in lifted.items() if name.startswith(f"{cycle.ref}-1")} == {"CONFIRMED"}


def report(cast, *, holds, tier="RED"):
    """Something that the patient reported and nobody has looked at yet."""
    about = {"rule": "U1", "title": "much less urine", "evidence": "", "source": "test", "source_ref": "r" * 10}
    who = {"by": cast.anna, "patient": cast.anna_patient}
    return raise_alert(**who, **about, tier=tier, holds=holds, now=EVENING)


def test_an_open_report_that_holds_reminders_back_takes_injections_out_as_a_hold_does(cast, on_course):
    """R1, H22: the feed must not announce what the mails do not."""
    patient = cast.anna_patient
    on_course(patient, cast.ben, date(2026, 9, 23))
    on = {cycle.number: cycle.ref for cycle in Cycle.objects.of(patient)}
    before = events(fetched(patient, "plain"))
    alert = report(cast, holds=True)
    held = events(fetched(patient, "plain", LATER))
    assert (held[on[2]]["summary"], held[on[2]]["status"]) == ("Course 2, on hold", "TENTATIVE")
    assert not [name for name in held if name.startswith(f"{on[2]}-") and not name.endswith("-before")]
    assert held[f"{on[1]}-1-am"]["status"] == "CONFIRMED", "what is over stays"
    acknowledge(by=cast.ben, alert=alert, now=LATER)
    assert (events(fetched(patient, "plain", LATER))[on[2]])["status"] == "TENTATIVE", "nobody has spoken with her yet"
    take_step(by=cast.ben, alert=alert, what="reached", now=LATER)
    after = events(fetched(patient, "plain", LATER))
    assert after.keys() == before.keys()
    name = f"{on[2]}-1-am"
    assert (after[name]["status"], after[name]["sequence"]) == ("CONFIRMED", before[name]["sequence"] + 1)


def test_a_report_that_holds_nothing_back_changes_nothing(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    before = events(fetched(patient)).keys()
    report(cast, holds=False, tier="AMBER")
    assert events(fetched(patient, at=LATER)).keys() == before


def test_a_course_that_is_opened_while_a_hold_stands_waits_too(cast, on_course):
    """A hold is about the patient, not about one course."""
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    first = Cycle.objects.of(patient).get(number=1)
    raise_hold(by=cast.ben, cycle=first, kind="pregnancy", reason="", now=EVENING)
    Cycle.objects.of(patient).filter(number=2).update(state="planned")
    assert not by_icalendar(fetched(patient))


def test_a_hold_in_the_middle_of_a_course_takes_its_injections_out_and_what_fell_into_it_stays_cancelled(
    cast, on_course
):
    patient = cast.anna_patient
    on_course(patient, cast.ben, until=utc(2026, 11, 20, 9))
    cycle = Cycle.objects.of(patient).get(number=1)
    hold = raise_hold(by=cast.ben, cycle=cycle, kind="infection", reason="Fever", now=utc(2026, 11, 20, 9))
    held = events(fetched(patient, at=utc(2026, 11, 20, 12)))
    assert [name for name in held if name.startswith(cycle.ref)] == [cycle.ref]
    lift_hold(by=cast.ben, hold=hold, now=utc(2026, 11, 21, 9))
    lifted = events(fetched(patient, at=utc(2026, 11, 21, 9)))
    own = {name: event for name, event in lifted.items() if name.startswith(cycle.ref)}
    states = {name.partition("-")[2]: str(event["status"]) for name, event in own.items()}
    assert states["2-pm"] == states["4-am"] == states["5-pm"] == "CONFIRMED"
    assert states["3-am"] == states["3-pm"] == "CANCELLED"


def test_a_start_that_waits_for_the_clinic_is_tentative_until_it_is_confirmed(cast, on_course):
    """R1: no certain entry before the clinic's word."""
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    Clinic.objects.filter(pk=cast.north.pk).update(confirms_starts=True)
    confirm_start(by=cast.ben, cycle=Cycle.objects.of(patient).get(number=1), now=EVENING)
    cycle = coming(patient)
    before = events(fetched(patient))
    assert {str(event["status"]) for name, event in before.items() if name.startswith(cycle.ref)} == {"TENTATIVE"}
    assert {str(event["status"]) for name, event in before.items() if not name.startswith(cycle.ref)} == {"CONFIRMED"}
    near = utc(2027, 1, 5, 12)
    confirm_start(by=cast.ben, cycle=cycle, now=near)
    after = events(fetched(patient, at=near))
    assert {str(after[f"{cycle.ref}-{day}-am"]["status"]) for day in range(1, 6)} == {"CONFIRMED"}
    assert after[cycle.ref]["sequence"] == before[cycle.ref]["sequence"] + 1


def test_another_version_of_the_plan_keeps_the_names_of_what_stays(cast, on_course):
    """A changed amount is the same entry with another title: its doses are made anew, its course is not."""
    patient = cast.anna_patient
    plan = on_course(patient, cast.ben)
    before = events(fetched(patient, "full"))
    cycle = coming(patient)
    other = Protocol.objects.get(slug="hiv-sc-4-5").document
    change_plan(
        by=cast.ben,
        plan=plan,
        base_number=1,
        from_course=cycle.number,
        document=other,
        slot_times={"am": "10:00", "pm": "22:00"},
        starts_on=cycle.starts_on,
        now=EVENING,
        change_reason="Side effects",
    )
    after = events(fetched(patient, "full", LATER))
    name = f"{cycle.ref}-1-am"
    assert after.keys() == before.keys()
    assert (str(before[name]["summary"]), str(after[name]["summary"])) == (
        *("Injection 7.5 million units", "Injection 4.5 million units"),
    )
    assert after[name]["sequence"] > before[name]["sequence"]


def test_a_cancelled_course_takes_back_what_was_shown(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    cycle = coming(patient)
    before = events(fetched(patient))
    cancel_cycle(by=cast.ben, cycle=cycle, reason="Holiday")
    after = events(fetched(patient, at=LATER))
    own = {name: event for name, event in after.items() if name.startswith(cycle.ref)}
    assert {str(event["status"]) for event in own.values()} == {"CANCELLED"}
    assert own.keys() == {name for name in before if name.startswith(cycle.ref)} - {f"{cycle.ref}-before"}
    assert own[cycle.ref]["sequence"] == before[cycle.ref]["sequence"] + 1


def test_a_course_stopped_early_ends_that_day(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben, until=utc(2026, 11, 19, 23))
    cycle = Cycle.objects.of(patient).get(number=1)
    stop_cycle(by=cast.ben, cycle=cycle, on=date(2026, 11, 19), reason="Fever")
    own = events(fetched(patient))
    assert own[cycle.ref].end == date(2026, 11, 20)
    assert (own[f"{cycle.ref}-2-pm"]["status"], own[f"{cycle.ref}-3-am"]["status"]) == ("CONFIRMED", "CANCELLED")


def test_a_course_that_follows_to_another_clock_rises_and_keeps_its_names(cast, on_course):
    """H09: the running course stays on the clock it began with."""
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    before = events(fetched(patient))
    actions.change_zone(by=cast.anna, patient=patient, zone="America/New_York", now=EVENING)
    after = events(fetched(patient.lock(), at=LATER))
    old, new = (Cycle.objects.of(patient).get(number=number).ref for number in (1, 2))
    assert after.keys() == before.keys()
    assert after[f"{new}-1-am"]["sequence"] == before[f"{new}-1-am"]["sequence"] + 1
    assert after[f"{new}-1-am"].start == datetime(2027, 1, 13, 10, tzinfo=ZoneInfo("America/New_York"))
    assert after[f"{old}-5-pm"].to_ical() == before[f"{old}-5-pm"].to_ical().replace(b"T213500Z", b"T223500Z", 1)


def test_a_booked_blood_test_stands_on_its_day_under_the_same_name(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    cycle = coming(patient)
    name = f"{cycle.ref}-before"
    before = events(fetched(patient, "plain"))[name]
    assert (before.start, before.end, before["status"]) == (date(2026, 12, 30), date(2027, 1, 3), "TENTATIVE")
    book_bloodwork(by=cast.anna, cycle=cycle, booked_for=date(2026, 12, 31))
    after = events(fetched(patient, "plain", LATER))[name]
    assert (after.start, after["status"], after["summary"]) == (date(2026, 12, 31), "CONFIRMED", "Blood test")
    assert after["sequence"] > before["sequence"]


# Which revision they are (RFC 5545 3.8.7.4)


def numbers(patient, level="discreet", at=EVENING):
    return {name: event["sequence"] for name, event in events(fetched(patient, level, at)).items()}


def test_as_long_as_nothing_changes_no_number_does_and_nothing_is_written(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    first = numbers(patient)
    assert set(first.values()) == {0}
    kept = SecretLink.objects.get().entries
    with CaptureQueriesContext(connection) as statements:
        feed_actions.number_entries(link=SecretLink.objects.get(), now=LATER)
    assert not [each["sql"] for each in statements if 'UPDATE "' in each["sql"]]
    assert not [each["sql"] for each in statements if "audit" in each["sql"]], "features never read the access log"
    assert (numbers(patient, at=LATER), SecretLink.objects.get().entries) == (first, kept)


def test_each_way_in_which_an_entry_reads_differently_makes_its_number_rise(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    before, plain = numbers(patient), numbers(patient, "plain")
    assert {name for name in plain if plain[name] > before[name]} == before.keys()


def test_tentative_becomes_certain_with_a_higher_number_whatever_made_it_so(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    Clinic.objects.filter(pk=cast.north.pk).update(confirms_starts=True)
    name = f"{coming(patient).ref}-1-am"
    before = events(fetched(patient))[name]
    Clinic.objects.filter(pk=cast.north.pk).update(confirms_starts=False)
    after = events(fetched(patient, at=LATER))[name]
    assert (before["status"], after["status"]) == ("TENTATIVE", "CONFIRMED")
    assert after["sequence"] == before["sequence"] + 1


def test_the_days_to_book_a_blood_test_rise_when_they_move_with_the_last_injection(cast, on_course):
    """P55: the month is counted from the last dose, which is in another course."""
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    name = f"{coming(patient).ref}-before"
    before = events(fetched(patient))[name]
    december = utc(2026, 12, 1, 12)
    factories.injection(patient, patient.user, at=december, amount="1", now=december)
    after = events(fetched(patient, at=december))[name]
    assert (before.start, after.start) == (date(2026, 12, 30), date(2027, 1, 1))
    assert after["sequence"] == before["sequence"] + 1


def test_another_link_begins_to_count_anew(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    fetched(patient)
    assert set(numbers(patient, "plain").values()) == {1}
    feed_actions.stop_link(by=patient.user, patient=patient, now=EVENING)
    SecretLink.objects.update(token_hash="old")
    assert set(numbers(patient, "plain").values()) == {0}


def test_of_two_fetches_that_found_the_same_link_the_second_counts_after_the_first(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    fetched(patient)
    stale = SecretLink.objects.get()
    cycle = coming(patient)
    move_cycle(by=cast.ben, cycle=cycle, starts_on=date(2027, 1, 20), today=date(2026, 11, 21), reason="Holiday")
    fetched(patient, at=LATER)
    _items, revisions = feed_actions.number_entries(link=stale, now=LATER)
    assert revisions[cycle.ref].number == 1


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (["a"], [0]),
        (["a", "a"], [0, 0]),
        (["a", "b", "a"], [0, 1, 2]),
        (["a", None, "a"], [0, None, 1]),
        (["a", None, None, "b"], [0, None, None, 1]),
    ],
)
def test_a_number_rises_with_every_change_and_never_falls(shown, expected):
    revisions, found = {}, []
    for digest in shown:
        kept = {name: revision.as_kept() for name, revision in revisions.items()}
        revisions = feed_numbers.renumber(feed_numbers.read(kept), {"x": digest} if digest else {}, EVENING)
        found.append(revisions["x"].number if digest else None)
    assert found == expected


# What is not in it


def test_drafts_and_what_is_long_over_are_not_in_it(cast, on_course):
    on_course(cast.anna_patient, cast.ben, date(2026, 6, 3))
    names = events(fetched(cast.anna_patient))
    assert {cycle.number for cycle in Cycle.objects.of(cast.anna_patient) if cycle.ref in names} == {3, 4, 5}


def test_injections_given_on_a_ward_are_not_announced_at_home(cast, on_course):
    """P59: the course's own days stay."""
    on_course(cast.anna_patient, cast.ben)
    Cycle.objects.of(cast.anna_patient).get(number=1).plan.versions.update(inpatient=True)
    assert not by_icalendar(fetched(cast.anna_patient))
    assert any("-" not in name for name in events(fetched(cast.anna_patient)))


def test_it_costs_the_same_however_long_the_history(cast, on_course):
    def cost(patient):
        with CaptureQueriesContext(connection) as statements:
            feed.items(patient, EVENING)
        return len(statements)

    on_course(cast.anna_patient, cast.ben, date(2026, 3, 4))
    on_course(cast.dan_patient, cast.ben, date(2026, 11, 9), protocol="kidney-label")
    assert cost(cast.anna_patient) == cost(cast.dan_patient) == 2


def test_without_a_plan_the_file_is_empty_and_valid(cast):
    file = fetched(cast.anna_patient)
    assert events(file) == {}
    assert "vevent" not in vobject.readOne(file.decode()).contents
