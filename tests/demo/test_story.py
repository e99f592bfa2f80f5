"""The story that the demo tells, read from a demo filled once: 21:35 in London on Saturday 21 November 2026."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from cycles import intervals, schedule
from cycles.advice import Dose
from cycles.models import Cycle, Hold, Injection, Plan, PlannedDose, SiteReaction
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.alerts.models import Alert
from il2tracker.clinic import suggestions
from il2tracker.clinic.worklist import Rank, gather, reasons
from il2tracker.demo import story
from il2tracker.today import home
from labs import facts, safety
from labs.models import ImportBatch, LabResult
from labs.trends import Verdict
from sideeffects.models import CheckIn
from tests import factories
from tests import filled as demo

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[datetime]:
    now = factories.utc(2026, 11, 21, 21, 35)
    with (
        django_db_blocker.unblock(),
        override_settings(DEMO=True, DEFAULT_TIME_ZONE="Europe/London"),
        transaction.atomic(),
    ):
        demo.fill(now=now)
        yield now
        transaction.set_rollback(True)


def anna():
    return Patient.objects.get(user__email="patient@demo.example")


def test_anna_stands_on_day_4_of_course_3_with_the_evening_open(filled):
    today = anna().today(filled)
    course = Cycle.objects.of(anna()).current(today).first()
    assert (course.number, course.day_on(today)) == (3, 4)
    states = {(dose.day, dose.slot): bool(dose.record) for dose in course.doses.all()}
    assert states == {(day, slot): (day, slot) < (4, "pm") for day in range(1, 6) for slot in ("am", "pm")}


def test_annas_first_two_courses_are_recorded_in_full_and_never_twice_running_in_one_place(filled):
    given = list(Injection.objects.given().of(anna()).order_by("given_at"))
    assert [sum(row.planned_dose.cycle.number == number for row in given) for number in (1, 2, 3)] == [10, 10, 7]
    assert all(row.site for row in given)
    assert all(earlier.site != later.site for earlier, later in pairwise(given))


def test_nothing_is_recorded_in_the_future(filled):
    assert not Injection.objects.filter(given_at__gt=filled).exists()
    assert not Injection.objects.filter(recorded_at__gt=filled).exists()


def test_every_patient_has_exactly_one_course_that_has_not_started(filled):
    for patient in Patient.objects.all():
        assert Cycle.objects.of(patient).coming(patient.today(filled)).count() == 1, patient


def test_the_panel_has_something_to_tell(filled):
    """Two evenings of a course that is over; a course in nine days; and somebody in the other clinic."""
    joan = Patient.objects.get(name="Joan Reed")
    due = PlannedDose.objects.of(joan).counting().unlogged().filter(due_at__lt=filled)
    assert [(dose.day, dose.slot) for dose in due] == [(2, "pm"), (3, "pm")]
    tom = Patient.objects.get(name="Tom Bell")
    assert Cycle.objects.of(tom).coming(tom.today(filled)).first().starts_on == tom.today(filled) + timedelta(days=9)
    nurse, outsider = (User.objects.get(email=f"{name}@demo.example") for name in ("nurse", "outsider"))
    assert Patient.objects.visible_to(nurse).count() == 6
    assert [patient.name for patient in Patient.objects.visible_to(outsider)] == ["Lea Stone"]


def test_only_the_seven_who_are_named_can_sign_in_and_their_password_is_long_enough(filled):
    open_accounts = [user.email for user in User.objects.order_by("email") if user.has_usable_password()]
    assert open_accounts == sorted(email for email, _name, _words in story.SIGN_INS)
    assert len(open_accounts) == 7
    assert all(user.check_password(story.PASSWORD) for user in User.objects.filter(email__in=open_accounts))
    assert len(story.PASSWORD) >= 12
    assert all(User.objects.values_list("is_demo", flat=True))


@pytest.mark.parametrize("days", range(7))
def test_dan_is_in_week_2_on_whatever_weekday_the_demo_is_filled(days):
    today = date(2026, 11, 16) + timedelta(days=days)
    (dan,) = (life for life in story.LIVES if life.email == "kidney@demo.example")
    starts_on = dan.starts_on(today)
    assert starts_on.weekday() == 0
    assert 8 <= (today - starts_on).days + 1 <= 14


def verdicts(patient, now, code="cd4"):
    judged = facts.load([patient], now)[patient.pk].judged()
    return [(result.raw, judgement.verdict) for result, judgement in judged if result.analyte.code == code]


def test_annas_counts_tell_the_whole_tale_of_when_a_count_counts(filled):
    assert verdicts(anna(), filled) == [
        ("388", Verdict.BASELINE),
        ("402", Verdict.BASELINE),
        ("422", Verdict.BASELINE),
        ("958", Verdict.UNRELIABLE),
        ("508", Verdict.RELIABLE),
        ("840", Verdict.UNRELIABLE),
        ("612", Verdict.RELIABLE),
    ]
    (first, *_, last) = LabResult.objects.of(anna()).of_tests("hiv_rna").order_by("drawn_on")
    assert (first.comparator, first.value, last.comparator, last.value, last.raw) == ("=", 4100, "<", 20, "<20")


def test_annas_safety_tests_came_in_one_file_with_the_range_of_each_and_peak_on_the_last_days(filled):
    [batch] = ImportBatch.objects.all()
    assert (batch.patient, batch.state, batch.outcomes) == (anna(), "done", {"new": 80})
    tests = {test.analyte.code: test for test in safety.page(anna(), filled, for_clinic=True).tests}
    assert set(tests) == {
        *("alt", "creatinine", "bilirubin", "albumin", "potassium", "magnesium"),
        *("hemoglobin", "platelets", "white_cells", "lymphocytes"),
    }
    highest = {found.course.number: found.highest for found in tests["alt"].peaks if found.course}
    assert {number: (peak.result.label, peak.day) for number, peak in highest.items()} == {
        1: ("71", 5),
        2: ("131", 5),
        3: ("61", 3),
    }
    assert [row.grade.number for row in tests["potassium"].rows if row.grade] == [1, 1]
    rebound = next(row for row in tests["lymphocytes"].rows if row.grade)
    assert (rebound.grade.number, rebound.result.value) == (2, Decimal("4.6"))
    assert len({row.result.printed_range for row in tests["alt"].rows}) == 2


def test_ruths_latest_count_was_taken_too_soon(filled):
    assert verdicts(Patient.objects.get(name="Ruth Fox"), filled)[-1] == ("902", Verdict.UNRELIABLE)


def test_of_toms_blood_for_the_coming_course_the_viral_load_is_missing(filled):
    [tom] = gather(Patient.objects.filter(name="Tom Bell"), filled)
    assert [reason.words for reason in reasons(tom, filled, "12")][1:] == ["Blood results missing: viral load"]
    assert verdicts(tom.patient, filled)[-1] == ("655", Verdict.RELIABLE)


def test_every_course_that_has_started_has_the_clinics_word_and_one_to_come_has_it_too(filled):
    """R1: both clinics confirm starts, so that without it no reminder would leave."""
    assert all(Clinic.objects.values_list("confirms_starts", flat=True))
    for plan in Plan.objects.with_versions():
        own = plan.cycles.filter(starts_on__gte=plan.versions.first().starts_on)
        for cycle in own.current(plan.patient.today(filled)):
            assert cycle.readiness.confirmed_for == cycle.starts_on, cycle
    lea = Patient.objects.get(name="Lea Stone")
    coming = Cycle.objects.of(lea).coming(lea.today(filled)).get()
    assert coming.readiness.confirmed_for == coming.starts_on == lea.today(filled) + timedelta(days=10)


def test_toms_answers_need_a_person(filled):
    [tom] = gather(Patient.objects.filter(name="Tom Bell"), filled)
    [first, *others] = reasons(tom, filled, "12")
    assert first.words == "Readiness answers need a person: extreme tiredness, new or changed medicine"
    assert [other.rank for other in others] == [Rank.RESULTS]


def test_the_only_red_flag_was_raised_yesterday_and_is_acknowledged(filled):
    (alert,) = Alert.objects.filter(tier__in=Alert.URGENT)
    assert (alert.patient.name, alert.tier) == ("Mark Dale", "RED")
    assert alert.raised_at.date() == filled.date() - timedelta(days=1)
    assert (alert.acknowledged_by.email, alert.patient_answer) == ("nurse@demo.example", "called")
    assert [step.what for step in alert.steps.all()] == ["reached"]
    assert alert.is_in_hand


def test_what_was_reported_days_ago_is_closed(filled):
    (alert,) = Alert.objects.in_hand()
    assert alert.patient.name == "Mark Dale"
    assert Alert.objects.filter(steps__what="closed").exists()


def test_ruths_next_course_waits_for_a_person_because_of_an_infection(filled):
    ruth = Patient.objects.get(name="Ruth Fox")
    (hold,) = Hold.objects.open()
    assert (hold.patient, hold.kind, hold.raised_by) == (ruth, Hold.Kind.INFECTION, ruth.user)
    assert not Cycle.objects.of(ruth).current(ruth.today(filled)).filter(state=Cycle.State.HELD).exists()
    [known] = gather(Patient.objects.filter(pk=ruth.pk), filled)
    assert reasons(known, filled, "12")[0].words.startswith("Course 6 waits: an infection")


def test_ruth_had_three_courses_before_the_diary_one_of_them_stopped(filled):
    courses = list(Cycle.objects.filter(patient__name="Ruth Fox").order_by("starts_on"))
    assert [course.number for course in courses] == [1, 2, 3, 4, 5, 6]
    given = Injection.objects.given().filter(patient__name="Ruth Fox")
    assert [given.filter(planned_dose__cycle=course).count() for course in courses] == [6, 9, 10, 10, 10, 0]
    assert courses[0].state == Cycle.State.STOPPED_EARLY
    assert courses[0].stopped_on == courses[0].starts_on + timedelta(days=2)


def suggested(email, now):
    nurse = User.objects.get(email=email)
    return {(each.known.patient.name, each.finding.rule.id): each for each in suggestions.waiting(nurse, now)}


def test_the_north_sees_two_suggestions_and_the_south_none(filled):
    """2.5 and 2.6 on histories that really meet the rules; off where a clinic has not turned them on (X8)."""
    found = suggested("nurse@demo.example", filled)
    assert set(found) == {("Joan Reed", "DOSE-1"), ("Tom Bell", "INT-1")}
    joan, tom = found["Joan Reed", "DOSE-1"].finding, found["Tom Bell", "INT-1"].finding
    assert (joan.outcome, joan.lower.daily, joan.lower.per_injection) == (Dose.SUGGEST, 12, 6)
    assert (tom.outcome, tom.interval, tom.proposed) == (intervals.Outcome.SUGGEST, 56, 84)
    assert [reading.cells for reading in tom.inputs] == [604, 655]
    assert suggested("outsider@demo.example", filled) == {}
    assert not suggestions.is_on(Clinic.objects.filter(slug="clinic-south"), intervals.INTERVAL)


def test_annas_lump_rests_since_her_second_course_and_another_place_has_cleared(filled):
    """P38, P40: nothing is injected into a place that rests, across courses."""
    lump, red = SiteReaction.objects.of(anna()).order_by("-noticed_on")
    course = Cycle.objects.of(anna()).get(number=2)
    assert (lump.kind, lump.cleared_on, course.day_on(lump.noticed_on)) == ("lump", None, 4)
    assert (red.kind, (red.cleared_on - red.noticed_on).days) == ("red", 9)
    given = Injection.objects.given().of(anna())
    assert given.filter(site=lump.site, given_at__date__lte=lump.noticed_on).exists()
    assert not given.filter(site=lump.site, given_at__date__gte=lump.noticed_on).exists()
    between = (red.noticed_on, red.cleared_on - timedelta(days=1))
    assert not given.filter(site=red.site, given_at__date__range=between).exists()


def test_annas_plan_names_her_before_medicines_and_her_records_say_when_they_were_not_taken(filled):
    """R27: as the nurse entered them."""
    assert Plan.objects.of(anna()).get().current_version.premedication.splitlines() == ["Paracetamol", "Cetirizine"]
    without = Injection.objects.given().of(anna()).filter(premedicated=False).select_related("planned_dose__cycle")
    places = {(row.planned_dose.cycle.number, row.planned_dose.day, row.planned_dose.slot) for row in without}
    assert places == {(1, 1, "am"), (2, 4, "pm"), (3, 2, "pm")}
    assert not Injection.objects.given().of(anna()).filter(premedicated=None).exists()


def test_annas_evening_is_the_first_thing_on_her_page_and_nothing_else_asks(filled):
    page = home.compose(anna(), filled, "12")
    assert page.heading == "Tonight at 10pm"
    assert (page.board.alert, page.board.courses.unread, page.board.start) == (None, None, None)


def test_dans_next_course_has_another_amount_that_he_has_not_read(filled):
    dan = Patient.objects.get(user__email="kidney@demo.example")
    plan = Plan.objects.of(dan).with_versions().get()
    first, second = plan.versions.order_by("number")
    assert (first.regimen.largest_amount(), second.regimen.largest_amount(), second.first_course) == (9, 6, 2)
    assert (second.is_unread, second.signed_title) == (True, "Ben Lind, nurse")
    amounts = set(PlannedDose.objects.of(dan).values_list("cycle__number", "amount"))
    assert amounts == {(1, 9), (2, 6)}


def test_anna_wrote_how_she_felt_on_each_day_of_her_courses_and_this_afternoon(filled):
    felt = CheckIn.objects.of(anna()).order_by("felt_at")
    assert felt.count() == 5 + (5 + 2) + 4, "course 2 with the two days after it, which the strips show"
    assert felt.last().local_felt_at.strftime("%d %H:%M") == "21 14:10"


def test_nobody_wrote_or_was_tested_in_the_future(filled):
    assert not CheckIn.objects.filter(felt_at__gt=filled).exists()
    assert not LabResult.objects.filter(drawn_at__gt=filled).exists()


def test_the_stored_last_day_of_every_course_is_what_the_plan_says(filled):
    for cycle in Cycle.objects.all():
        assert cycle.last_dose_on == max(cycle.doses.values_list("due_on", flat=True)), cycle
        assert cycle.last_dose_on == schedule.last_dose_on(cycle.version.regimen, cycle.number, cycle.starts_on)


def test_a_carer_sees_one_diary_and_is_told_when_something_is_missing(filled):
    carer, anna = (User.objects.get(email=f"{name}@demo.example") for name in ("carer", "patient"))
    assert list(Patient.objects.visible_to(carer)) == [anna.patient]
    assert anna.patient.sharings.get(person=carer).told_if_not_recorded


def test_two_people_of_the_clinic_are_told_of_an_urgent_report_one_after_the_other(filled):
    told = Clinic.objects.get(slug="clinic-north").memberships.order_by("on_call_rank")
    assert [(member.on_call_rank, member.user.email.partition("@")[0]) for member in told] == [
        (1, "nurse"),
        (2, "doctor"),
    ]
