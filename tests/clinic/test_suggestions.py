"""Suggestions to clinicians (domain 2.5, 2.6): off by default, computed from the record, decided by a person, never
shown to patients."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.actions import void_injection
from cycles.course_actions import stop_cycle
from cycles.earlier_actions import ALL, EarlierCourse, record_earlier
from cycles.hold_actions import lift_hold, raise_hold
from cycles.models import AdviceDecision, Cycle, Injection, Plan, PlanVersion
from il2tracker.accounts.models import Patient
from il2tracker.alerts import actions as alerts
from il2tracker.audit.models import AuditEvent
from il2tracker.clinic import suggestions
from labs.models import LabResult
from tests import factories
from tests.clinic.conftest import NOW, TODAY, North

pytestmark = pytest.mark.django_db

HIGH = [(120, "640"), (64, "655"), (5, "661")]


def turn_on(clinic: Any, *, dose: bool = True, interval: bool = True, sustained: int = 2) -> None:
    clinic.suggests_dose_steps, clinic.suggests_intervals, clinic.sustained_gaps = dose, interval, sustained
    clinic.save()


@pytest.fixture
def on(cast: factories.Cast) -> None:
    turn_on(cast.north)


def three_courses(north: North, name: str = "Ida", *, counts: Any = HIGH, **plan: Any) -> Patient:
    """Courses 157, 101 and 45 days ago, all given; the next one in 11 days; a count after each."""
    patient = north.patient(name, started=157, **{"cd4_goal": 600, **plan})
    for days_ago, count in counts:
        north.result(patient, days_ago, cd4=count)
    return patient


@pytest.fixture
def ida(north: North) -> Patient:
    return three_courses(north)


@pytest.fixture
def hard(north: North) -> Patient:
    """One course, severe: she was very tired on its fourth day."""
    patient = north.patient("Una", started=45)
    north.check_in(patient, hours_ago=42 * 24, severities={"tired": 3})
    acknowledge_all(patient)
    return patient


def acknowledge_all(patient: Patient) -> None:
    from il2tracker.alerts.models import Alert

    Alert.objects.filter(patient=patient).update(acknowledged_at=NOW, closed_at=NOW)


def said(patient: Patient, cast: factories.Cast, rule: str, now: Any = NOW) -> Any:
    return next(each for each in suggestions.of_patient(patient, cast.ben, now) if each.rule.id == rule)


def outcome(patient: Patient, cast: factories.Cast, rule: str, now: Any = NOW) -> str:
    return said(patient, cast, rule, now).finding.outcome.name


# Off by default


def test_nothing_shows_while_the_clinic_has_them_off(see: Any, cast: factories.Cast, ida: Patient) -> None:
    assert suggestions.of_patient(ida, cast.ben, NOW) == []
    assert suggestions.count(cast.ben, NOW) is None
    assert "uggestion" not in see(cast.ben, "/people/").text_read
    assert "uggestion" not in see(cast.ben, f"/people/{ida.code}/").text_read
    for path in ("/people/advice/", f"/people/{ida.code}/advice/INT-1/"):
        text = see(cast.ben, path).text_read
        assert "Suggestions are off Clinic North: off until somebody turns them on for a clinic." in text
        assert "System, People and clinics" in text


def test_each_rule_has_its_own_switch(see: Any, cast: factories.Cast, ida: Patient) -> None:
    turn_on(cast.north, dose=False)
    assert [each.rule.id for each in suggestions.of_patient(ida, cast.ben, NOW)] == ["INT-1"]
    assert "Suggestions are off" in see(cast.ben, f"/people/{ida.code}/advice/DOSE-1/").text_read


def test_the_switch_of_another_clinic_does_not_count(cast: factories.Cast, ida: Patient) -> None:
    turn_on(cast.south)
    assert suggestions.of_patient(ida, cast.ben, NOW) == []
    assert suggestions.waiting(cast.carla, NOW) == []


def test_the_administrator_reads_what_turning_them_on_can_mean(see: Any, cast: factories.Cast) -> None:
    cast.eve.is_superuser = True
    cast.eve.save()
    text = see(cast.eve, f"/system/admin/accounts/clinic/{cast.north.pk}/change/").text_read
    assert text.count("Turning it on may still make this installation a medical device") == 2


# The interval


def test_a_count_above_the_goal_after_two_courses_asks_for_a_longer_interval(
    on: None, see: Any, cast: factories.Cast, ida: Patient
) -> None:
    text = see(cast.ben, "/people/advice/").text_read
    assert ida.code in text
    for words in (
        "Meets the published rule for a longer interval. Consider 12 weeks from course to course instead of 8 weeks; "
        "you decide.",
        "CD4+ 655, Friday 18 September 2026, 33 days after course 2",
        "CD4+ 661, Monday 16 November 2026, 36 days after course 3",
        "goal of the plan: above 600",
        "here it is 2 courses in a row",
        "Rule INT-1, version 1. Project Inform, IL-2 in HIV, 2007 (lines A22, A95, A128).",
        "Nothing is on hold.",
        "two large trials finished in 2009 found no fewer infections or deaths",
        "in 11 days, Wednesday 2 December 2026",
    ):
        assert words in text
    assert "640" not in text


def test_unreliable_counts_are_never_inputs(on: None, north: North, cast: factories.Cast) -> None:
    patient = three_courses(north, counts=[(120, "640"), (64, "655"), (25, "990")])
    assert outcome(patient, cast, "INT-1") == "NEEDS_READING"


@pytest.mark.parametrize(
    ("counts", "plan", "expected"),
    [
        ([(120, "640"), (64, "655"), (5, "600")], {}, "AT_OR_BELOW"),
        ([(64, "590"), (5, "661")], {}, "NOT_SUSTAINED"),
        (HIGH, {"cd4_goal": None}, "NO_GOAL"),
        (HIGH, {"cd4_goal": 200, "goal_kind": "rise"}, "NO_BASELINE"),
        ([(160, "400"), *HIGH], {"cd4_goal": 200, "goal_kind": "rise"}, "SUGGEST"),
        ([(160, "400"), *HIGH], {"cd4_goal": 300, "goal_kind": "rise"}, "AT_OR_BELOW"),
        ([(160, "320"), *HIGH], {"cd4_goal": 200, "goal_kind": "percent"}, "SUGGEST"),
        ([(160, "400"), *HIGH], {"cd4_goal": 200, "goal_kind": "percent"}, "AT_OR_BELOW"),
    ],
)
def test_goals_and_counts_come_from_the_record(
    on: None, north: North, cast: factories.Cast, counts: Any, plan: Any, expected: str
) -> None:
    patient = three_courses(north, counts=counts, **plan)
    assert outcome(patient, cast, "INT-1") == expected


def test_a_clinic_may_ask_for_more_courses_before_it_calls_a_count_sustained(
    north: North, cast: factories.Cast, ida: Patient
) -> None:
    turn_on(cast.north, sustained=4)
    found = said(ida, cast, "INT-1").finding
    assert (found.outcome.name, found.count, found.needed) == ("NOT_SUSTAINED", 3, 4)


def test_a_course_without_any_record_does_not_end_a_gap(on: None, cast: factories.Cast, ida: Patient) -> None:
    Injection.objects.filter(planned_dose__cycle__patient=ida, planned_dose__cycle__number=2).delete()
    Cycle.objects.filter(patient=ida, number=2).update(state="cancelled")
    found = said(ida, cast, "INT-1").finding
    assert (found.outcome.name, [each.cells for each in found.inputs]) == ("SUGGEST", [640, 655, 661])


def test_nothing_is_read_while_a_course_runs(on: None, cast: factories.Cast, ida: Patient) -> None:
    in_the_course = NOW + timedelta(days=12)
    for rule in ("INT-1", "DOSE-1"):
        assert outcome(ida, cast, rule, in_the_course) == "RUNNING"


def test_kidney_plans_have_neither(on: None, north: North, cast: factories.Cast) -> None:
    patient = north.patient("Kit", started=30, protocol="kidney-label")
    assert [outcome(patient, cast, rule) for rule in ("INT-1", "DOSE-1")] == ["NOT_COVERED", "NOT_COVERED"]


def test_a_plan_that_has_a_longer_interval_already_is_not_asked_again(
    on: None, cast: factories.Cast, ida: Patient
) -> None:
    version = PlanVersion.objects.get(plan__patient=ida)
    version.document["phases"][0]["cycle_days"] = 84
    version.pk, version.number, version.first_course = None, 2, 4
    version.save()
    assert outcome(ida, cast, "INT-1") == "CHANGED"


# The dose


def test_one_very_difficult_course_asks_for_one_step_less(
    on: None, see: Any, cast: factories.Cast, hard: Patient
) -> None:
    text = see(cast.ben, f"/people/{hard.code}/advice/DOSE-1/").text_read
    for words in (
        "Consider 12 million units a day (2 × 6) instead of 15 million units, from course 2; you decide.",
        "course 1 from Wednesday 7 October 2026: 15 million units a day",
        "“Tired”, severe, Saturday 10 October 2026",
        "Rule DOSE-1, version 1. Project Inform, IL-2 in HIV, 2007 (lines A87, A120, A125).",
        "not a CTCAE grade",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("hours", "expected"), [(39 * 24, "SUGGEST"), (37 * 24, "NOT_DIFFICULT"), (46 * 24, "NOT_DIFFICULT")]
)
def test_a_severe_symptom_belongs_to_a_course_up_to_two_days_after_it(
    on: None, north: North, cast: factories.Cast, hours: int, expected: str
) -> None:
    patient = north.patient("Una", started=45)
    north.check_in(patient, hours_ago=hours, severities={"tired": 3})
    acknowledge_all(patient)
    assert outcome(patient, cast, "DOSE-1") == expected


def test_moderate_is_not_severe(on: None, north: North, cast: factories.Cast) -> None:
    patient = north.patient("Una", started=45)
    north.check_in(patient, hours_ago=42 * 24, severities={"tired": 2})
    assert outcome(patient, cast, "DOSE-1") == "NOT_DIFFICULT"


def test_r18_a_red_alert_in_the_course_asks_for_a_review_instead_of_a_number(
    on: None, see: Any, north: North, cast: factories.Cast, hard: Patient
) -> None:
    north.alert(hard, "RED", "much less urine", minutes=42 * 24 * 60)
    acknowledge_all(hard)
    found = said(hard, cast, "DOSE-1")
    assert (found.finding.outcome.name, found.proposal) == ("REVIEW", {})
    text = see(cast.ben, f"/people/{hard.code}/advice/DOSE-1/").text_read
    assert "Course 1 had an urgent report: review before any further dose. You decide." in text
    assert "urgent report: much less urine, Saturday 10 October 2026" in text
    assert "Accept: open the plan Nothing changes" in text


@pytest.mark.parametrize(("reason", "expected"), [("ill", "SUGGEST"), ("supplies", "NOT_DIFFICULT")])
def test_a_course_stopped_because_she_felt_too_ill_is_very_difficult(
    on: None, north: North, cast: factories.Cast, reason: str, expected: str
) -> None:
    patient = north.patient("Una", started=45)
    course = Cycle.objects.get(patient=patient, number=1)
    *_, last = course.doses.all()
    void_injection(by=patient.user, injection=last.record, now=NOW, reason="not given")
    factories.injection(patient, patient.user, course.doses.last(), state="skipped", reason=reason, now=NOW)
    stop_cycle(by=cast.ben, cycle=course, on=course.last_dose_on, reason="told by phone")
    assert outcome(patient, cast, "DOSE-1") == expected


def test_of_a_course_stopped_for_another_reason_the_reason_is_shown(
    on: None, see: Any, north: North, cast: factories.Cast
) -> None:
    patient = north.patient("Una", started=45)
    course = Cycle.objects.get(patient=patient, number=1)
    stop_cycle(by=cast.ben, cycle=course, on=course.last_dose_on, reason="a funeral")
    text = see(cast.ben, f"/people/{patient.code}/advice/DOSE-1/").text_read
    assert "It was stopped early (“a funeral”); whether for side effects, only you can tell." in text


def test_d8_a_course_from_before_the_diary_counts_with_the_amount_it_had(
    on: None, see: Any, north: North, cast: factories.Cast
) -> None:
    patient = north.patient("Una", started=45)
    said_of_it = EarlierCourse(starts_on=TODAY - timedelta(days=101), given=ALL, amount=Decimal(6))
    plan = Plan.objects.get(patient=patient)
    record_earlier(by=cast.ben, plan=plan, count=1, courses=[said_of_it], now=NOW)
    north.result(patient, 5)
    text = see(cast.ben, f"/people/{patient.code}/").text_read
    assert "Too early to judge: it can take up to six months at this amount, until Wednesday 7 April 2027" in text


def test_only_the_last_course_counts(on: None, north: North, cast: factories.Cast) -> None:
    patient = north.patient("Una", started=101)
    north.check_in(patient, hours_ago=98 * 24, severities={"tired": 3})
    acknowledge_all(patient)
    assert outcome(patient, cast, "DOSE-1") == "NOT_DIFFICULT"


# Never during a hold


@pytest.mark.parametrize("rule", ["INT-1", "DOSE-1"])
def test_a_hold_comes_first_and_what_it_held_back_comes_back(
    on: None, see: Any, north: North, cast: factories.Cast, ida: Patient, rule: str
) -> None:
    north.check_in(ida, hours_ago=42 * 24, severities={"tired": 3})
    acknowledge_all(ida)
    before = said(ida, cast, rule)
    coming = Cycle.objects.get(patient=ida, number=4)
    hold = raise_hold(by=cast.ben, cycle=coming, kind="infection", reason="a chest infection", now=NOW)
    assert outcome(ida, cast, rule) == "HOLD"
    text = see(cast.ben, f"/people/{ida.code}/advice/{rule}/").text_read
    assert "Nothing is suggested while something is held: course 4 (a chest infection)." in text
    assert "Save this decision" not in text
    assert suggestions.waiting(cast.ben, NOW) == []
    lift_hold(by=cast.ben, hold=hold, now=NOW, note="antibiotics finished")
    after = said(ida, cast, rule)
    assert (before.is_open, after.is_open, after.digest) == (True, True, before.digest)


@pytest.mark.parametrize("rule", ["INT-1", "DOSE-1"])
@pytest.mark.parametrize(("tier", "held"), [("RED", True), ("AMBER", False)])
def test_an_open_red_alert_holds_suggestions_back(
    on: None, north: North, cast: factories.Cast, ida: Patient, rule: str, tier: str, held: bool
) -> None:
    north.alert(ida, tier, "much less urine", minutes=60)
    assert (outcome(ida, cast, rule) == "HOLD") is held


def test_a_red_alert_in_hand_holds_them_back_until_it_is_closed(
    on: None, north: North, cast: factories.Cast, ida: Patient
) -> None:
    alert = north.alert(ida, "RED", "much less urine", minutes=60)
    alerts.acknowledge(by=cast.ben, alert=alert, now=NOW - timedelta(minutes=30))
    assert outcome(ida, cast, "INT-1") == "HOLD"
    alerts.take_step(by=cast.ben, alert=alert, what="closed", note="Drinks again.", now=NOW)
    assert outcome(ida, cast, "INT-1") != "HOLD"


def test_a_rising_viral_load_holds_suggestions_back(on: None, north: North, cast: factories.Cast, ida: Patient) -> None:
    north.result(ida, 4, cd4="", load="400")
    assert outcome(ida, cast, "INT-1") == "HOLD"


BACK = "the newest viral load was found, an earlier one was not (P20)"
RISES = "the newest viral load is higher than noise explains (P67)"
LOAD_HIGH = "the newest viral load is high, 1,000 copies/mL or more (this diary’s own line)"


@pytest.mark.parametrize(
    ("earlier", "newest", "against"),
    [
        ("<50", "60", [BACK]),
        ("not detected", "51", [BACK]),
        ("<50", "400", [RISES]),
        ("400", "1265", [RISES, LOAD_HIGH]),
        ("900", "1000", [LOAD_HIGH]),
        ("900", "999", []),
        ("1200", ">10000000", [RISES, LOAD_HIGH]),
        ("1200", "<50", []),
        ("80", "90", []),
    ],
)
def test_a_viral_load_that_is_high_or_rises_holds_suggestions_back_and_is_named(
    on: None, see: Any, north: North, cast: factories.Cast, earlier: str, newest: str, against: list[str]
) -> None:
    """2.6, first row; P20, P67: found again counts as a rise of any size."""
    patient = north.patient("Ida", started=157, cd4_goal=600)
    for days_ago, count in HIGH:
        north.result(patient, days_ago, cd4=count, load="")
    north.result(patient, 64, cd4="", load=earlier)
    north.result(patient, 4, cd4="", load=newest)
    assert outcome(patient, cast, "INT-1") == ("HOLD" if against else "SUGGEST")
    page = see(cast.ben, f"/people/{patient.code}/advice/INT-1/").text_read
    assert [words for words in (BACK, RISES, LOAD_HIGH) if words in page] == sorted(
        against, key=[BACK, RISES, LOAD_HIGH].index
    )


def test_a_viral_load_taken_too_soon_after_a_course_is_not_called_found_again(
    on: None, north: North, cast: factories.Cast
) -> None:
    """D4: what does not count is shown, and only a rise of half a step is looked at."""
    patient = three_courses(north)
    north.result(patient, 25, cd4="", load="30")
    assert outcome(patient, cast, "INT-1") == "SUGGEST"


# Deciding


@pytest.fixture
def decide(see: Any, cast: factories.Cast) -> Any:
    def send(patient: Patient, rule: str = "INT-1", *, by: Any = None, **answers: Any) -> Any:
        path = f"/people/{patient.code}/advice/{rule}/"
        digest = answers.pop("digest", None) or said(patient, cast, rule).digest
        return see(by or cast.ben, path, digest=digest, **answers)

    return send


def test_declining_needs_a_reason_and_keeps_the_plan(
    on: None, see: Any, decide: Any, cast: factories.Cast, ida: Patient
) -> None:
    refused = decide(ida, decision="declined")
    assert refused.status_code == 422
    assert "Say why you decline." in refused.text_read
    kept = decide(ida, decision="declined", reason="she starts a new job")
    assert (kept.status_code, kept["Location"]) == (302, "/people/advice/")
    row = AdviceDecision.objects.get()
    assert (row.decision, row.reason, row.decided_by, row.later_until) == (
        "declined", "she starts a new job", cast.ben, None,
    )  # fmt: skip
    assert row.inputs[0].startswith("CD4+ 655, Friday 18 September 2026")
    text = see(cast.ben, "/people/advice/").text_read
    assert f"{ida.code}: declined. The plan stays as it is." in text
    assert "No suggestion waits" in text
    assert "Declined by Ben, Saturday 21 November 2026: “she starts a new job”." in (
        see(cast.ben, f"/people/{ida.code}/").text_read
    )
    assert PlanVersion.objects.filter(plan__patient=ida).count() == 1


def test_later_asks_again_after_seven_days(on: None, decide: Any, cast: factories.Cast, ida: Patient) -> None:
    decide(ida, decision="later")
    assert AdviceDecision.objects.get().later_until == TODAY + timedelta(days=7)
    assert not said(ida, cast, "INT-1").is_open
    assert not said(ida, cast, "INT-1", NOW + timedelta(days=6)).is_open
    assert said(ida, cast, "INT-1", NOW + timedelta(days=7)).is_open


@pytest.mark.parametrize("begins", ["after", "from"])
def test_the_page_says_which_days_move(on: None, see: Any, cast: factories.Cast, ida: Patient, begins: str) -> None:
    text = see(cast.ben, f"/people/{ida.code}/advice/INT-1/").text_read
    words = {
        "after": "course 4 stays on Wednesday 2 December 2026, course 5 on Wednesday 24 February 2027",
        "from": "course 4 moves from Wednesday 2 December 2026 to Wednesday 30 December 2026",
    }
    assert words[begins] in text


@pytest.mark.parametrize(
    ("rule", "answers", "query", "kept"),
    [
        ("INT-1", {"begins": "after"}, "advice=INT-1&interval=84&after=1", {"interval": 84, "begins": "after"}),
        ("INT-1", {}, "advice=INT-1&interval=84&after=1", {"interval": 84, "begins": "after"}),
        ("INT-1", {"begins": "from"}, "advice=INT-1&interval=84", {"interval": 84, "begins": "from"}),
        ("DOSE-1", {}, "advice=DOSE-1&daily=12", {"daily": "12"}),
    ],
)
def test_accepting_opens_the_editor_filled_in_and_changes_nothing_by_itself(
    on: None,
    north: North,
    decide: Any,
    cast: factories.Cast,
    ida: Patient,
    rule: str,
    answers: Any,
    query: str,
    kept: Any,
) -> None:
    north.check_in(ida, hours_ago=42 * 24, severities={"tired": 3})
    acknowledge_all(ida)
    sent = decide(ida, rule, decision="accepted", **answers)
    assert sent.status_code == 302
    assert sent["Location"] == f"/people/{ida.code}/plan/change/?{query}"
    row = AdviceDecision.objects.get()
    assert (row.rule, row.decision, row.suggestion) == (rule, "accepted", kept)
    assert PlanVersion.objects.filter(plan__patient=ida).count() == 1
    assert Cycle.objects.get(patient=ida, number=4).starts_on == date(2026, 12, 2)
    assert not said(ida, cast, rule).is_open


def test_what_changed_since_the_page_was_opened_is_read_again_before_it_is_decided(
    on: None, decide: Any, cast: factories.Cast, ida: Patient
) -> None:
    sent = decide(ida, decision="accepted", digest="a" * 64)
    assert sent.status_code == 422
    assert "The facts have changed since you opened this page. Read them again." in sent.text_read
    assert said(ida, cast, "INT-1").digest in sent.content.decode()
    assert not AdviceDecision.objects.exists()


def test_a_second_clinician_cannot_decide_the_same_thing_again(
    on: None, decide: Any, cast: factories.Cast, ida: Patient
) -> None:
    digest = said(ida, cast, "INT-1").digest
    decide(ida, decision="declined", reason="no", digest=digest)
    again = decide(ida, decision="accepted", digest=digest)
    assert again.status_code == 422
    assert "There is nothing to decide here now." in again.text_read
    assert AdviceDecision.objects.count() == 1


def test_a_decision_is_audited_and_the_reading_too(on: None, decide: Any, cast: factories.Cast, ida: Patient) -> None:
    decide(ida, decision="later")
    actions = set(
        AuditEvent.objects.filter(patient_ref=ida.ref, actor_ref=cast.ben.ref).values_list("action", flat=True)
    )
    assert {"clinic.advice.opened", "cycles.advice.later"} <= actions


# Another digest: the old decision no longer counts


def new_count(north: North, patient: Patient) -> None:
    north.result(patient, 3, cd4="670", load="")


def new_viral_load(north: North, patient: Patient) -> None:
    north.result(patient, 3, cd4="", load="<20")


def corrected_count(north: North, patient: Patient) -> None:
    result = LabResult.objects.get(patient=patient, raw="661")
    result.raw, result.value = "671", 671
    result.save()


def a_dose_undone(north: North, patient: Patient) -> None:
    given = Injection.objects.filter(patient=patient).latest("given_at")
    void_injection(by=patient.user, injection=given, now=NOW, reason="not me")


def a_dose_added(north: North, patient: Patient) -> None:
    factories.injection(patient, patient.user, at=NOW - timedelta(days=152), amount="1", now=NOW)


def an_amount_corrected(north: North, patient: Patient) -> None:
    given = Injection.objects.filter(patient=patient).latest("given_at")
    given.amount, given.state = 6, "partial"
    given.save()


def a_new_version(north: North, patient: Patient) -> None:
    version = PlanVersion.objects.get(plan__patient=patient)
    version.pk, version.number = None, 2
    version.save()


CHANGES = [new_count, new_viral_load, corrected_count, a_dose_undone, a_dose_added, an_amount_corrected, a_new_version]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("rule", ["INT-1", "DOSE-1"])
def test_any_new_result_or_change_of_a_dose_expires_a_decision(
    on: None, north: North, decide: Any, cast: factories.Cast, ida: Patient, change: Any, rule: str
) -> None:
    north.check_in(ida, hours_ago=42 * 24, severities={"tired": 3})
    acknowledge_all(ida)
    decide(ida, rule, decision="declined", reason="no")
    assert not said(ida, cast, rule).is_open
    change(north, ida)
    acknowledge_all(ida)
    now_said = said(ida, cast, rule)
    assert now_said.decision is None
    assert now_said.is_open


def test_time_alone_does_not_expire_it(on: None, decide: Any, cast: factories.Cast, ida: Patient) -> None:
    decide(ida, decision="declined", reason="no")
    assert not said(ida, cast, "INT-1", NOW + timedelta(days=9)).is_open


# Who sees it


@pytest.mark.parametrize("who", ["anna", "sam", "dan", "carla", "eve"])
def test_nobody_but_the_patients_clinic_sees_or_decides(
    on: None, see: Any, decide: Any, north: North, cast: factories.Cast, who: str
) -> None:
    person = getattr(cast, who)
    north.plan(cast.anna_patient, 157, cd4_goal=600)
    for days_ago, count in HIGH:
        north.result(cast.anna_patient, days_ago, cd4=count)
    path = f"/people/{cast.anna_patient.code}/advice/INT-1/"
    assert see(person, path).status_code == 404
    assert decide(cast.anna_patient, by=person, decision="later").status_code == 404
    assert not AdviceDecision.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["/", "/course/", "/plan/", "/results/", "/results/trend/", "/settings/looked/", "/diary/add/", "/check-in/"],
)
def test_no_page_of_the_patient_says_anything_of_it(
    on: None, see: Any, decide: Any, cast: factories.Cast, ida: Patient, path: str
) -> None:
    decide(ida, decision="declined", reason="a secret reason")
    text = see(ida.user, path).text_read
    for words in ("uggest", "INT-1", "12 weeks", "Consider", "a secret reason"):
        assert words not in text


def test_a_clinician_who_is_a_patient_gets_none_about_himself(
    on: None, north: North, cast: factories.Cast, ida: Patient
) -> None:
    Patient.objects.filter(pk=ida.pk).update(user=cast.ben)
    ida.refresh_from_db()
    assert suggestions.waiting(cast.ben, NOW) == []
    assert suggestions.of_patient(ida, cast.ben, NOW) == []


# Pages


def test_the_next_course_that_comes_first_is_first(on: None, see: Any, north: North, cast: factories.Cast) -> None:
    late = three_courses(north, "Ida")
    soon = north.patient("Una", started=48)
    north.check_in(soon, hours_ago=45 * 24, severities={"tired": 3})
    acknowledge_all(soon)
    body = see(cast.ben, "/people/advice/").content.decode()
    assert body.index(f"advice-{soon.code}-DOSE-1") < body.index(f"advice-{late.code}-INT-1")


def test_the_panel_counts_what_waits(on: None, see: Any, cast: factories.Cast, ida: Patient, hard: Patient) -> None:
    assert "Suggestions 2 Add a patient" in see(cast.ben, "/people/").text_read


def test_the_patients_page_says_what_waits_first_and_else_why_nothing_does(
    on: None, see: Any, cast: factories.Cast, ida: Patient
) -> None:
    answer = see(cast.ben, f"/people/{ida.code}/")
    body = answer.content.decode()
    assert body.index("To decide") < body.index('id="trend"')
    assert "Nothing severe was reported in course 3." in answer.text_read
    LabResult.objects.filter(patient=ida, raw="661").delete()
    answer = see(cast.ben, f"/people/{ida.code}/")
    assert "To decide" not in answer.text_read
    assert "Needs a reliable CD4+ count after course 3." in answer.text_read


def test_a_rule_nobody_knows_is_not_found(on: None, see: Any, cast: factories.Cast, ida: Patient) -> None:
    assert see(cast.ben, f"/people/{ida.code}/advice/OTHER-1/").status_code == 404


def test_without_a_plan_there_is_nothing_to_suggest(on: None, see: Any, cast: factories.Cast) -> None:
    text = see(cast.ben, f"/people/{cast.anna_patient.code}/advice/INT-1/").text_read
    assert "There is no active plan, so there is nothing to suggest." in text


def statements(client: Any, user: Any, path: str) -> SimpleNamespace:
    with time_machine.travel(NOW, tick=False):
        client.force_login(user)
        with CaptureQueriesContext(connection) as found:
            answer = client.get(path)
    assert answer.status_code == 200
    return SimpleNamespace(count=len(found), body=answer.content.decode())


@pytest.mark.one_database
@pytest.mark.parametrize("path", ["/people/", "/people/advice/"])
def test_the_number_of_statements_does_not_grow_with_the_patients(
    on: None, north: North, client: Any, cast: factories.Cast, path: str
) -> None:
    three_courses(north, "Ida")
    few = statements(client, cast.ben, path)
    for name in ("Una", "Ada"):
        patient = three_courses(north, name)
        north.check_in(patient, hours_ago=42 * 24, severities={"tired": 3, "nausea": 3})
        acknowledge_all(patient)
    many = statements(client, cast.ben, path)
    assert many.body.count("INT-1") >= few.body.count("INT-1")
    assert many.count == few.count <= 34


@pytest.mark.one_database
def test_the_patients_page_takes_as_many_statements_for_a_long_record(
    on: None, north: North, client: Any, cast: factories.Cast, ida: Patient
) -> None:
    north.check_in(ida, hours_ago=43 * 24, severities={"tired": 2})
    few = statements(client, cast.ben, f"/people/{ida.code}/")
    for days_ago in (6, 7, 8):
        north.result(ida, days_ago, cd4="700")
        north.check_in(ida, hours_ago=42 * 24, severities={"tired": 3})
    acknowledge_all(ida)
    many = statements(client, cast.ben, f"/people/{ida.code}/")
    assert many.count == few.count <= 44
