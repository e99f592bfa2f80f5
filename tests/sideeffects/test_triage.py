"""The rule table T1–T17 of decisions.md section 0, row by row with its edges."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import sideeffects.triage as triage
from sideeffects.facts import FLU_LIKE, Facts, PlanFacts
from sideeffects.triage import AMBER, EMERGENCY, RED, assess, days_running, is_urgent
from sideeffects.units import parse_temperature

FRIDAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 21, 40, tzinfo=UTC)
HIV = PlanFacts("hiv", Decimal("102.0"), "F", only_if_not_relieved=True)
KIDNEY = PlanFacts("kidney", Decimal("38.0"), "C", only_if_not_relieved=False)
OTHER = PlanFacts("other", Decimal("38.5"), "C", only_if_not_relieved=False)
JUST_INJECTED = [NOW - timedelta(hours=3)]
CATALOGUE = json.loads((Path(triage.__file__).parent / "catalogue.json").read_text(encoding="utf-8"))


def fired(*flags, temperature="", plan=HIV, doses=JUST_INJECTED, **facts):
    """{rule: tier} of what these facts raise."""
    return {
        finding.rule: finding.tier
        for finding in found(*flags, temperature=temperature, plan=plan, doses=doses, **facts)
    }


def found(*flags, temperature="", plan=HIV, doses=JUST_INJECTED, **facts):
    reading = parse_temperature(temperature) if temperature else None
    return assess(Facts(NOW, FRIDAY, frozenset(flags), temperature=reading, plan=plan, doses=doses, **facts))


def on(*days_ago, grade=1):
    return {FRIDAY - timedelta(days=ago): grade for ago in days_ago}


# Red flags (T1, T2, T3, T6, T7, T8, T11, T12)


@pytest.mark.parametrize("plan", [HIV, KIDNEY, OTHER, None])
@pytest.mark.parametrize(
    ("flag", "rule", "tier"),
    [
        ("struggling", "T1", EMERGENCY),
        ("chest_pain", "T1", EMERGENCY),
        ("unconscious", "T1", EMERGENCY),
        ("allergic", "T1", EMERGENCY),
        ("gut_bleeding", "T1", EMERGENCY),
        ("suicidal", "T1", EMERGENCY),
        ("urine_less", "T2", RED),
        ("breathless", "T3", RED),
        ("confused", "T6", RED),
        ("sleepy", "T6", RED),
        ("fainted", "T7", RED),
        ("swollen_face", "T8", RED),
        ("swollen_legs", "T8", RED),
        ("palpitations", "T11", RED),
        ("sore_leg", "T11", RED),
        ("sight", "T11", RED),
        ("drip_site", "T11", RED),
        ("low_mood_worse", "T12", RED),
    ],
)
def test_every_red_flag_interrupts_on_every_plan(flag, rule, tier, plan):
    assert fired(flag, plan=plan) == {rule: tier}
    assert is_urgent(found(flag, plan=plan))


def test_every_flag_of_the_catalogue_raises_an_urgent_rule():
    flags = [row["code"] for row in CATALOGUE["symptoms"] if row["flag_for"] == "all"]
    assert [flag for flag in flags if not is_urgent(found(flag))] == []


def test_no_flag_and_nothing_else_is_silent():
    assert fired() == {}


def test_several_flags_of_one_rule_are_one_finding_with_all_of_them():
    (finding,) = found("confused", "sleepy", words={"confused": "Confused", "sleepy": "Very sleepy"})
    assert (finding.title, finding.signs) == ("Confused, very sleepy", ("confused", "sleepy"))


def test_a_rash_with_breathlessness_is_an_emergency_and_a_rash_alone_is_not():
    assert fired("breathless", symptoms={"rash": 1}) == {"T1": EMERGENCY, "T3": RED}
    assert fired(symptoms={"rash": 1}) == {}


# Fever (T4, T5), worked example O6


@pytest.mark.parametrize(
    ("typed", "hiv", "kidney"),
    [
        ("38.0 °C", False, False),
        ("100.4 °F", False, False),
        ("38.04", False, True),
        ("100.5 °F", False, True),
        ("38.8", False, True),
        ("38.88", False, True),
        ("38.89", True, True),
        ("38.9", True, True),
        ("102 °F", False, True),
        ("102.1 °F", True, True),
    ],
)
def test_fever_is_compared_strictly_and_without_rounding(typed, hiv, kidney):
    assert ("T4" in fired(temperature=typed, plan=HIV)) is hiv
    assert ("T5" in fired(temperature=typed, plan=KIDNEY)) is kidney
    assert ("T5" in fired(temperature=typed, plan=None)) is kidney


@pytest.mark.parametrize(
    ("medicine", "red"), [("came_down", False), ("did_not", True), ("not_taken", True), ("unknown", True), ("", True)]
)
def test_on_an_hiv_plan_only_a_fever_that_came_down_does_not_interrupt(medicine, red):
    assert ("T4" in fired(temperature="103 °F", medicine=medicine)) is red


@pytest.mark.parametrize("plan", [KIDNEY, None])
def test_without_that_rule_a_fever_interrupts_whatever_medicine_did(plan):
    assert fired(temperature="38.1", medicine="came_down", plan=plan)["T5"] == RED


def test_a_fever_over_the_line_again_after_it_came_down_interrupts():
    assert "T4" in fired(temperature="103 °F", medicine="came_down", came_down_before=True)


@pytest.mark.parametrize(("typed", "red"), [("40.0", False), ("104 °F", False), ("40.01", True), ("104.1 °F", True)])
def test_over_forty_degrees_interrupts_on_every_plan_even_when_it_came_down(typed, red):
    assert ("T4" in fired(temperature=typed, medicine="came_down", plan=HIV)) is red
    assert ("T4" in fired(temperature=typed, medicine="came_down", plan=KIDNEY)) is red


def test_another_plan_brings_its_own_limit():
    assert "T5" not in fired(temperature="38.5", plan=OTHER)
    assert "T5" in fired(temperature="38.6", plan=OTHER)


def test_no_reading_is_no_fever():
    assert not {"T4", "T5"} & fired("breathless", medicine="did_not").keys()


# Low temperature (T9)


@pytest.mark.parametrize(
    ("typed", "symptom", "red"),
    [
        ("35.9", "vomiting", True),
        ("35.9", "shivering", True),
        ("96.7 °F", "shivering", True),
        ("36.0", "vomiting", False),
        ("96.8 °F", "vomiting", False),
        ("35.9", "tired", False),
    ],
)
def test_a_low_temperature_interrupts_with_vomiting_or_shivering(typed, symptom, red):
    assert ("T9" in fired(temperature=typed, symptoms={symptom: 1})) is red


# Kidney plans (T10, T16 by D12)


@pytest.mark.parametrize("code", ["cough", "sore_throat", "urine_pain"])
def test_signs_of_infection_interrupt_on_a_kidney_plan_only(code):
    for asked_as in ({"symptoms": {code: 1}}, {"flags": code}):
        flags = [asked_as.pop("flags")] if "flags" in asked_as else []
        assert fired(*flags, plan=KIDNEY, **asked_as) == {"T10": RED}
        assert "T10" not in fired(*flags, plan=HIV, **asked_as)
        assert "T10" not in fired(*flags, plan=None, **asked_as)


HARMLESS = {"temperature": "38.0", "medicine": "not_taken", "doses": JUST_INJECTED}


@pytest.mark.parametrize("code", ["headache", "aches", "shivering"])
@pytest.mark.parametrize(
    ("change", "red"),
    [
        ({}, False),
        ({"temperature": ""}, True),
        ({"temperature": "38.1"}, True),
        ({"medicine": "came_down"}, True),
        ({"medicine": "did_not"}, True),
        ({"medicine": "unknown"}, True),
        ({"medicine": ""}, True),
        ({"doses": []}, True),
        ({"doses": [NOW - timedelta(hours=16, seconds=1)]}, True),
        ({"doses": [NOW - timedelta(hours=16)]}, False),
        ({"grade": 2}, False),
        ({"grade": 3}, True),
    ],
)
def test_flu_like_signs_on_a_kidney_plan_need_every_condition_to_be_harmless(code, change, red):
    facts = HARMLESS | change
    fires = fired(plan=KIDNEY, symptoms={code: facts.pop("grade", 1)}, **facts)
    assert fires.get("T16") == (RED if red else None)


# Low mood: T12


@pytest.mark.parametrize(
    ("earlier", "now", "red"),
    [
        ({}, 1, True),
        (on(1), 1, False),
        (on(1), 2, True),
        (on(1, grade=2), 1, False),
        (on(3), 1, False),
        (on(4), 1, True),
        (on(1, grade=0), 1, True),
        (on(2, grade=3) | on(1), 2, True),
    ],
)
def test_low_mood_interrupts_when_new_or_worse(earlier, now, red):
    assert ("T12" in fired(symptoms={"low_mood": now}, earlier={"low_mood": earlier})) is red


# Severe (T13), duration (T14), to be told (T15)


@pytest.mark.parametrize(
    "row", [row for row in CATALOGUE["symptoms"] if row["group"] != "flag"], ids=lambda row: row["code"]
)
def test_anything_severe_is_called_in_today(row):
    assert fired(symptoms={row["code"]: 3}).get("T13") == AMBER
    assert "T13" not in fired(symptoms={row["code"]: 2})


@pytest.mark.parametrize("code", ["diarrhoea", "constipation"])
@pytest.mark.parametrize(
    ("days_before", "title"),
    [
        ({}, None),
        (on(1, 2), None),
        (on(1, 2, 3), "More than 3 days"),
        (on(2, 3, 4), "Possibly more than 3 days"),
        (on(1, 4, 5) | on(2, 3, grade=0), None),
        (on(1, 3, 4) | on(2, grade=0), None),
        (on(1, 2, 3, 5), "More than 3 days"),
        (on(3), "Possibly more than 3 days"),
        (on(4), None),
        (on(1, 2) | on(3, grade=0), None),
    ],
)
def test_a_run_of_more_than_three_days_is_told(code, days_before, title):
    titles = [f.title for f in found(symptoms={code: 1}, earlier={code: days_before}) if f.rule == "T14"]
    assert [text.split(":")[0] for text in titles] == ([title] if title else [])


def test_worked_example_o12():
    monday, tuesday, wednesday, thursday, friday = (date(2026, 11, 16) + timedelta(days=n) for n in range(5))
    assert days_running({monday, tuesday, wednesday}, set(), wednesday) == (3, 3)
    assert days_running({monday, tuesday, wednesday, thursday}, set(), thursday) == (4, 4)
    assert days_running({monday, tuesday, wednesday, friday}, set(), friday) == (5, 1)
    assert days_running({monday, tuesday, thursday, friday}, {wednesday}, friday) == (2, 2)


def test_a_severe_sign_is_told_once():
    assert fired(symptoms={"dizzy": 3, "vomiting": 3, "bruising": 1}) == {"T13": AMBER, "T15": AMBER}
    (severe, told) = found(symptoms={"dizzy": 3, "vomiting": 3, "bruising": 1})
    assert (severe.signs, told.signs) == (("dizzy", "vomiting"), ("bruising",))


def test_severe_diarrhoea_is_called_in_on_its_first_day():
    assert fired(symptoms={"diarrhoea": 3}) == {"T13": AMBER}


@pytest.mark.parametrize(
    "code", ["bruising", "nosebleed", "bleeding_gums", "red_spots", "yellow_skin", "dizzy", "weak"]
)
def test_signs_to_be_told_are_amber(code):
    assert fired(symptoms={code: 1}) == {"T15": AMBER}


@pytest.mark.parametrize(
    ("symptoms", "yesterday", "amber"),
    [
        ({"tired": 2}, {}, False),
        ({"pale": 1}, {}, False),
        ({"tired": 1, "pale": 1}, {}, True),
        ({"vomiting": 1}, {}, False),
        ({"vomiting": 2}, {}, True),
        ({"vomiting": 1}, on(1), True),
        ({"vomiting": 1}, on(1, grade=0), False),
        ({"vomiting": 1}, on(2), False),
        ({"vomiting": 0}, on(1), False),
        ({"nausea": 2}, {}, False),
    ],
)
def test_tiredness_needs_pallor_and_vomiting_needs_to_persist(symptoms, yesterday, amber):
    assert ("T15" in fired(symptoms=symptoms, earlier={"vomiting": yesterday})) is amber


# Flu-like signs after an injection (T16, T17), D11


@pytest.mark.parametrize(
    ("hours", "inside"), [(-1, False), (0, True), (1, True), (2, True), (16, True), (16.01, False), (30, False)]
)
def test_the_window_reaches_from_the_injection_to_sixteen_hours_after(hours, inside):
    fires = fired(symptoms={"aches": 1}, temperature="37.5", doses=[NOW - timedelta(hours=hours)])
    assert fires == ({"T17": None} if inside else {"T16": AMBER})


def test_the_window_is_the_union_over_all_injections():
    doses = [NOW - timedelta(hours=40), NOW - timedelta(hours=15)]
    assert fired(symptoms={"headache": 2}, temperature="38.0", doses=doses) == {"T17": None}


def test_a_fever_outside_the_window_is_told_although_under_the_limit_of_the_plan():
    assert fired(temperature="38.5", doses=[]) == {"T16": AMBER}
    assert fired(temperature="38.0", doses=[]) == {}


def test_on_an_hiv_plan_the_window_is_called_borrowed():
    (finding,) = found(symptoms={"headache": 1}, doses=[])
    assert "kidney treatment" in finding.evidence


def test_flu_like_signs_without_a_reading_are_only_logged():
    assert fired(symptoms={"headache": 1}) == {}


def test_without_a_plan_there_is_no_window():
    assert fired(symptoms={"headache": 1}, plan=None, doses=[]) == {}


@pytest.mark.parametrize(
    ("earlier", "amber"),
    [
        (on(1, 2, 3, grade=0), True),
        (on(1, 2, grade=0), False),
        (on(1, 2, 3), False),
        ({}, False),
        (on(1, 2, grade=0) | on(3), True),
    ],
)
def test_two_grades_above_the_patients_own_usual_is_told(earlier, amber):
    assert ("T16" in fired(symptoms={"aches": 2}, earlier={"aches": earlier})) is amber


def test_often_seen_never_stands_beside_another_finding_for_the_same_signs():
    assert fired(symptoms={"shivering": 3}, temperature="37.5") == {"T13": AMBER}
    assert fired(symptoms={"shivering": 1}, temperature="35.5") == {"T9": RED}
    assert fired(symptoms={"shivering": 1}, temperature="103 °F") == {"T4": RED}


def test_a_fever_under_the_limit_of_an_hiv_plan_soon_after_the_injection_is_noted_only():
    assert fired(temperature="38.6", symptoms={"shivering": 2}) == {"T17": None}


# What a clinic reads


def test_a_finding_says_what_was_reported_measured_and_answered():
    (finding,) = found(temperature="103F", medicine="did_not", words={"aches": "Aches"})
    assert finding.title == "Fever: 103\xa0°F"
    assert "it did not come down; limit over 102\xa0°F" in finding.evidence
    assert finding.sources.startswith("A76")


def test_a_finding_without_a_reading_says_so():
    (finding,) = found("urine_less", words={"urine_less": "Much less urine than usual, or none"})
    assert finding.title == "Much less urine than usual, or none"
    assert finding.evidence == "Reported: much less urine than usual, or none. Temperature not measured."


def test_every_rule_of_the_table_is_there():
    assert sorted({rule.id for rule in triage.RULES}, key=lambda rule: int(rule[1:])) == [f"T{n}" for n in range(1, 18)]


def test_every_code_the_rules_know_is_in_the_catalogue():
    codes = {row["code"] for row in CATALOGUE["symptoms"]}
    known = FLU_LIKE | triage.CHEST_OR_URINE | triage.LASTING | triage.TOLD | triage.EMERGENCY_SIGNS
    assert known | {*triage.VESSELS_SIGHT_DRIP, "tired", "pale", "vomiting", "rash", "low_mood"} <= codes


def test_the_catalogue_holds_all_fifty_five_effects_and_their_symptoms_exist():
    codes = {row["code"] for row in CATALOGUE["symptoms"]}
    assert [row["code"] for row in CATALOGUE["effects"]] == [f"S{n:02}" for n in range(1, 56)]
    assert {code for row in CATALOGUE["effects"] for code in row["symptoms"]} == codes
