"""The month of a patient's dates: what stands on which day, in words, and for whom."""

import re
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.course_actions import cancel_cycle, move_cycle, stop_cycle
from cycles.hold_actions import raise_hold
from cycles.models import Cycle, PlannedDose, Protocol
from cycles.plan_actions import create_plan, end_plan, open_next_cycle
from cycles.ready_actions import confirm_start
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic
from il2tracker.today.calendar import compose
from il2tracker.today.calendar_entries import Kind
from labs.actions import book_bloodwork, record_drawn
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

EVENING = utc(2026, 11, 21, 21, 35)
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
START = date(2026, 11, 18)


def shown(patient, month=None, at=EVENING):
    """What the month's list says, with the days."""
    return {(line.entry.words, line.when) for line in compose(patient, at, month).lines}


def days_of(kind, page):
    """The days on which the table shows this kind."""
    days = (day for week in page.weeks for day in week)
    return {day.on for day in days if any(part.entry.kind is kind for part in day.parts)}


def between(first, last):
    return {first + timedelta(days=away) for away in range((last - first).days + 1)}


def coming(patient):
    return Cycle.objects.of(patient).order_by("-number").first()


# What stands in a month


def test_a_course_is_on_its_dose_days_and_the_days_after_it_are_too_soon(cast, on_course):
    """P52, P55: a month and more than 28 days after the last injection, here 22 November."""
    on_course(cast.anna_patient, cast.ben)
    page = compose(cast.anna_patient, EVENING)
    assert page.month == NOVEMBER
    assert shown(cast.anna_patient) == {
        ("Course 1", "Wednesday 18 to Sunday 22 November"),
        ("Too soon to test", "Monday 23 November to Monday 21 December"),
    }
    assert days_of(Kind.COURSE, page) == between(START, date(2026, 11, 22))
    assert days_of(Kind.TOO_SOON, page) == between(date(2026, 11, 23), date(2026, 11, 30))


def test_the_next_course_is_planned_and_those_behind_it_are_drawings(cast, on_course):
    """2.2: the next course is real, what is behind it holds only if nothing changes."""
    on_course(cast.anna_patient, cast.ben)
    january, march = shown(cast.anna_patient, date(2027, 1, 1)), compose(cast.anna_patient, EVENING, date(2027, 3, 1))
    assert ("Course 2", "Wednesday 13 to Sunday 17 January") in january
    assert {(line.entry.words, line.entry.detail, line.when) for line in march.lines} == {
        ("Course 3", "if nothing changes", "Wednesday 10 to Sunday 14 March")
    }
    assert days_of(Kind.DRAFT, march) == between(date(2027, 3, 10), date(2027, 3, 14))


def test_no_course_is_drawn_behind_the_last_one_of_a_plan(cast, on_course):
    document = Protocol.objects.get(slug="hiv-sc-7-5").document
    document["phases"][-1]["repeat"] = 2
    on_course(cast.anna_patient, cast.ben, document=document)
    assert compose(cast.anna_patient, EVENING, date(2027, 3, 1)).lines == []


def test_the_rest_days_of_a_long_course_are_seen_as_such(cast, on_course):
    """K03: five days of seven for four weeks."""
    on_course(cast.dan_patient, cast.ben, date(2026, 11, 2), protocol="kidney-label")
    page = compose(cast.dan_patient, EVENING)
    assert date(2026, 11, 6) in days_of(Kind.COURSE, page)
    assert {date(2026, 11, 7), date(2026, 11, 8)} <= days_of(Kind.REST, page)
    assert not days_of(Kind.TOO_SOON, page)
    assert ("Course 1", "Monday 2 to Friday 6 November") in shown(cast.dan_patient)
    assert not any(line.entry.kind is Kind.REST for line in page.lines)


def test_the_days_to_book_the_blood_test_are_shown_until_it_is_booked(cast, on_course):
    """B5: from two weeks before the course to eleven days before it."""
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    days, december = "Wednesday 30 December 2026 to Saturday 2 January", date(2026, 12, 1)
    assert ("Book blood test", days) in shown(patient, date(2027, 1, 1))
    book_bloodwork(by=cast.anna, cycle=coming(patient), booked_for=date(2026, 12, 31))
    assert ("Blood test, booked", "Thursday 31 December") in shown(patient, december)
    assert "Book blood test" not in {words for words, _when in shown(patient, december)}
    record_drawn(by=cast.anna, cycle=coming(patient), drawn_on=date(2026, 12, 31), now=utc(2027, 1, 1, 12))
    assert ("Blood taken", "Thursday 31 December") in shown(patient, december, utc(2027, 1, 1, 12))


def test_where_no_day_can_be_booked_the_first_day_that_counts_is_named(cast, on_course):
    """2.4, D16: six weeks from start to start leave no reliable day two weeks before."""
    document = Protocol.objects.get(slug="hiv-sc-7-5").document
    document["phases"][0]["cycle_days"] = 35
    on_course(cast.anna_patient, cast.ben, document=document)
    assert ("A blood test counts from today on", "Tuesday 22 December") in shown(cast.anna_patient, DECEMBER)


@pytest.mark.parametrize("kind", ["held", "cancelled"])
def test_a_course_on_hold_or_cancelled_is_told_as_such(cast, on_course, kind):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    cycle = coming(patient)
    if kind == "held":
        raise_hold(by=cast.ben, cycle=cycle, kind="fatigue", reason="Very tired", now=EVENING)
        words = "Course 2, on hold"
    else:
        cancel_cycle(by=cast.ben, cycle=cycle, reason="Holiday")
        words = "Course 2, cancelled"
    january = shown(patient, date(2027, 1, 1))
    assert (words, "Wednesday 13 to Sunday 17 January") in january
    assert "Course 2" not in {name for name, _when in january}
    assert "Book blood test" not in {name for name, _when in january}
    assert bool(compose(patient, EVENING, date(2027, 3, 1)).lines) is (kind == "cancelled")


def test_a_course_stopped_early_ends_on_its_last_day_and_counts_from_there(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben, until=utc(2026, 11, 19, 23))
    running = Cycle.objects.of(patient).get(number=1)
    stop_cycle(by=cast.ben, cycle=running, on=date(2026, 11, 19), reason="Fever")
    assert shown(patient) == {
        ("Course 1", "Wednesday 18 to Thursday 19 November"),
        ("Too soon to test", "Friday 20 November to Friday 18 December"),
    }


def test_what_is_recorded_is_counted_by_day(cast, on_course):
    on_course(cast.anna_patient, cast.ben, open_doses=((2, "pm"),))
    days = {day.on: day for week in compose(cast.anna_patient, EVENING).weeks for day in week}
    said = {on.day: days[on].parts[0].detail for on in between(START, date(2026, 11, 22))}
    assert said == {18: "2 of 2 recorded", 19: "1 of 2 recorded", 20: "2 of 2 recorded", 21: "1 of 2 recorded"} | {
        22: "2 injections"
    }
    assert [days[START + timedelta(days=away)].parts[0].number for away in range(5)] == [1, 2, 3, 4, 5]


def test_an_injection_without_a_plan_makes_the_days_after_it_too_soon(cast, on_course):
    on_course(cast.anna_patient, cast.ben, date(2026, 8, 5))
    given = utc(2026, 10, 20, 9)
    factories.injection(cast.anna_patient, cast.anna, at=given, amount=4, now=given)
    assert ("Too soon to test", "Monday 5 October to Thursday 19 November") in shown(cast.anna_patient, NOVEMBER)


def test_a_moved_course_stands_on_its_new_days_only(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    move_cycle(by=cast.ben, cycle=coming(patient), starts_on=date(2027, 1, 20), today=START, reason="Holiday")
    page = compose(patient, EVENING, date(2027, 1, 1))
    assert days_of(Kind.COURSE, page) == between(date(2027, 1, 20), date(2027, 1, 24))


def test_a_plan_that_has_ended_draws_nothing_more(cast, on_course):
    patient = cast.anna_patient
    plan = on_course(patient, cast.ben)
    end_plan(by=cast.ben, plan=plan, on=date(2026, 11, 30), reason="Goal reached")
    assert compose(patient, EVENING, date(2027, 3, 1)).lines == []
    assert ("Course 1", "Wednesday 18 to Sunday 22 November") in shown(patient, NOVEMBER)


def test_a_start_that_waits_for_the_clinic_says_so_until_it_is_confirmed(cast, on_course):
    patient = cast.anna_patient
    on_course(patient, cast.ben)
    Clinic.objects.filter(pk=cast.north.pk).update(confirms_starts=True)

    def detail(at):
        (line,) = [line for line in compose(patient, at, date(2027, 1, 1)).lines if line.entry.words == "Course 2"]
        return line.entry.detail

    assert detail(EVENING) == "10 injections, not confirmed"
    days = [day for week in compose(patient, EVENING, date(2027, 1, 1)).weeks for day in week if day.parts]
    said = [part.detail for day in days for part in day.parts if part.entry.words == "Course 2"]
    assert said == ["not confirmed", *["2 injections"] * 4]
    near = utc(2027, 1, 5, 12)
    confirm_start(by=cast.ben, cycle=coming(patient), now=near)
    assert detail(near) == "10 injections"


# The page


def test_the_page_says_the_month_and_leads_to_the_ones_around_it(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.anna, "/calendar/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "November 2026" in re.search(r"<h1>(.*?)</h1>", text)[1]
    assert 'href="?month=2026-10"' in text
    assert 'href="?month=2026-12"' in text
    assert text.count('<td class="now" aria-current="date">') == 1
    assert "Wednesday 18 November Course 1 day 1 2 of 2 recorded" in page.text_read
    assert 'href="/course/?course=1"' in text
    other = see(cast.anna, "/calendar/?month=2027-01")
    assert "January 2027" in other.text_read
    assert 'href="/calendar/">Today</a>' in other.content.decode()
    assert "appointment" in other.content.decode()


def test_the_table_has_a_caption_and_heads_and_the_list_says_the_same(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    text = see(cast.anna, "/calendar/").content.decode()
    assert '<caption class="sr">November 2026</caption>' in text
    assert re.findall(r'<th scope="col"><abbr title="(\w+)">', text) == [
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    ]
    assert text.count('<table class="month">') == text.count('<ol class="agenda">') == 1


@pytest.mark.parametrize(
    "month", ["", "2026", "2026-13", "2026-00", "1979-12", "2201-01", "26-12", "2026-1", "٢٠٢٦-١٢", "2026-12-01"]
)
def test_a_month_that_is_none_is_not_found(cast, see, month):
    assert see(cast.anna, f"/calendar/?month={month}").status_code == 404


@pytest.mark.parametrize(("month", "missing"), [("1980-01", "1979-12"), ("2200-12", "2201-01")])
def test_the_calendar_has_a_first_and_a_last_month(cast, see, month, missing):
    page = see(cast.anna, f"/calendar/?month={month}")
    assert page.status_code == 200
    assert missing not in page.content.decode()


def test_without_a_plan_it_says_who_makes_the_dates(cast, see):
    page = see(cast.anna, "/calendar/")
    assert "Dates appear when your clinic sets a plan." in page.text_read
    assert "<table" not in page.content.decode()


def test_a_month_without_dates_says_so(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    assert "Nothing stands in this month." in see(cast.anna, "/calendar/?month=2026-08").text_read


def test_it_costs_the_same_however_much_there_is(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben, date(2026, 3, 4))

    def cost(month):
        with CaptureQueriesContext(connection) as statements:
            compose(cast.anna_patient, EVENING, month)
        return len(statements)

    assert {cost(month) for month in (NOVEMBER, date(2026, 7, 1), date(2027, 11, 1))} == {5}


def test_a_carer_reads_it_without_the_owners_link_and_is_named(cast, see, on_course):
    on_course(cast.anna_patient, cast.ben)
    page = see(cast.sam, f"/people/{cast.anna_patient.code}/calendar/")
    assert "Anna" in page.text_read
    assert f"/people/{cast.anna_patient.code}/course/?course=1" in page.content.decode()
    assert "/settings/calendar/" not in page.content.decode()
    with time_machine.travel(EVENING):
        assert "looked at your course" in see(cast.anna, "/settings/looked/").text_read


# No day shifts (H08, H09)

ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata")
HOURS = {"am": "08:00", "pm": "20:00"}
COURSES = [date(2026, 3, 4), date(2026, 4, 29), date(2026, 6, 24), date(2026, 8, 19), date(2026, 10, 14)]


def plan_of_the_year(cast, zone):
    """The plan from Wednesday 4 March 2026 at 08:00 and 20:00."""
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone=zone)
    patient = cast.anna_patient.lock()
    row = Protocol.objects.get(slug="hiv-sc-7-5")
    return create_plan(
        by=cast.ben,
        patient=patient,
        protocol=row,
        document=row.document,
        slot_times=HOURS,
        starts_on=COURSES[0],
        now=utc(2026, 1, 5, 12),
    )


@pytest.mark.parametrize("zone", ZONES)
def test_no_date_shifts_by_one_in_any_view_in_any_zone(cast, see, zone):
    """H08: the five courses of the year stand on the same civil days, at the same hours, on both sides of every
    switch; the blood test two weeks before each; on the calendar, the course page and Today alike."""
    plan = plan_of_the_year(cast, zone)
    patient = plan.patient
    for number, starts_on in enumerate(COURSES, start=1):
        last = starts_on + timedelta(days=4)
        evening = evening_before(patient, starts_on)
        open_next_cycle(plan=plan, today=patient.today(evening))
        month = compose(patient, evening, starts_on.replace(day=1))
        own = {entry for entry in (line.entry for line in month.lines) if entry.course and entry.begins_on == starts_on}
        assert {(entry.first, entry.last) for entry in own} == {(starts_on, last)}
        due = starts_on - timedelta(days=14)
        tests = [line.entry for line in compose(patient, evening, due.replace(day=1)).lines]
        booking = {(entry.first, entry.last) for entry in tests if entry.kind is Kind.BOOKING}
        assert booking == {(due, due + timedelta(days=3))}
        page = see(cast.anna, f"/calendar/?month={starts_on:%Y-%m}", at=evening)
        assert f"{starts_on:%A} {starts_on.day} {starts_on:%B} Course {number} day 1 2 injections" in page.text_read
        course = see(cast.anna, f"/course/?course={number}", at=evening)
        assert f"{long(starts_on)} to {long(last)}" in course.text_read
        assert [hour for hour in ("8am", "8pm") if f'<th scope="row">{hour}</th>' in course.content.decode()] == [
            "8am",
            "8pm",
        ]
        home = see(cast.anna, at=evening)
        assert f"{long(starts_on)} Course {number} planned to start" in home.text_read
        doses = PlannedDose.objects.filter(cycle__number=number, patient=patient)
        assert {dose.due_on for dose in doses} == between(starts_on, last)
        assert {f"{dose.due_at.astimezone(patient.zone):%H:%M}" for dose in doses} == {"08:00", "20:00"}


@pytest.mark.one_database
@pytest.mark.parametrize("zone", ZONES)
def test_no_date_shifts_by_one_on_the_plan_its_preview_and_the_clinics_page_in_any_zone(cast, see, zone):
    """H08, 2.2: read half an hour before midnight where the patient lives, when the server has another day."""
    plan = plan_of_the_year(cast, zone)
    patient, code = plan.patient, plan.patient.code
    for number, starts_on in enumerate(COURSES, start=1):
        last = starts_on + timedelta(days=4)
        evening = evening_before(patient, starts_on)
        open_next_cycle(plan=plan, today=patient.today(evening))
        waits = f"Course {number} , not started {long(starts_on)} to {long(last)}"
        for who in (cast.anna, cast.sam, cast.ben):
            path = "/plan/" if who == cast.anna else f"/people/{code}/plan/"
            assert waits in see(who, path, at=evening).text_read
        clinic = see(cast.ben, f"/people/{code}/", at=evening).text_read
        assert number > 1 or f"Course 1 is planned from {long(starts_on)}." in clinic
        during = see(cast.ben, f"/people/{code}/", at=evening + timedelta(days=3)).text_read
        week = [starts_on + timedelta(days=day) for day in range(5)]
        assert f"Course {number}, day 3 of 5" in during
        assert " ".join(f"{day:%a} {day.day}" + " , today" * (day == week[2]) for day in week) in during
        preview = see(cast.ben, f"/people/{code}/plan/change/", at=evening, **changed(see, cast.ben, code, evening))
        assert every_injection(preview.text_read) == week
        due = starts_on - timedelta(days=14)
        assert f"Before course {number}" in preview.text_read
        assert f"{long(due)} to {long(due + timedelta(days=3))}" in preview.text_read


@pytest.mark.one_database
@pytest.mark.parametrize("zone", ZONES)
def test_no_date_shifts_by_one_in_the_preview_of_a_new_plan_in_any_zone(cast, see, zone):
    """H08: before anything is saved, at an hour at which the server has another day than the patient."""
    accounts.update_patient(by=cast.dan, patient=cast.dan_patient, time_zone=zone)
    path, at = f"/people/{cast.dan_patient.code}/plan/new/hiv-sc-7-5/", evening_before(cast.dan_patient, COURSES[0])
    for starts_on in COURSES:
        page = see(cast.ben, path, at=at, starts_on=f"{starts_on:%Y-%m-%d}", time_am="08:00", time_pm="20:00")
        assert every_injection(page.text_read) == [starts_on + timedelta(days=day) for day in range(5)]


def changed(see, user, code, at):
    """The boxes of a change as they stand, with another amount."""
    form = see(user, f"/people/{code}/plan/change/", at=at).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values["starts_on"] = f"{values['starts_on']:%Y-%m-%d}"
    return {name: value for name, value in values.items() if value} | {"p1l1_amount": "6", "change_reason": "tired"}


def every_injection(text):
    """The days of the table that a preview shows, each with its two injections at eight."""
    rows = re.findall(r"\b([1-5]) (\w+day \d+ \w+ \d{4}) 8am, 8pm", text)
    assert [number for number, _day in rows] == ["1", "2", "3", "4", "5"]
    return [datetime.strptime(f"{day} +0000", "%A %d %B %Y %z").date() for _number, day in rows]


def long(day):
    return f"{day:%A} {day.day} {day:%B %Y}"


def evening_before(patient, starts_on):
    """Half past eleven in the evening of the day before, where the patient lives: the hour at which days slip."""
    return datetime(starts_on.year, starts_on.month, starts_on.day, 0, 30, tzinfo=patient.zone) - timedelta(hours=1)
