"""The rule table again, as a table: each row names its rule and says on which side of an edge it stands.

A row reads: rule, what stands on the edge, the plan, what was answered, the tier that must come of it. SILENT = the
rule does not speak, whatever others do. Worked examples O6 and O12 of corrections.md are among them.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sideeffects.facts import Facts, PlanFacts
from sideeffects.triage import AMBER, EMERGENCY, RED, RULES, assess, expectable
from sideeffects.units import parse_temperature

NOW = datetime(2026, 11, 20, 21, 40, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SILENT = "silent"
HIV = PlanFacts("hiv", Decimal("102.0"), "F", only_if_not_relieved=True)
KIDNEY = PlanFacts("kidney", Decimal("38.0"), "C", only_if_not_relieved=False)
OTHER = PlanFacts("other", Decimal("38.5"), "C", only_if_not_relieved=False)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Row:
    """One side of one edge."""

    rule: str
    edge: str
    plan: PlanFacts | None
    tier: str | None
    flags: str = ""
    typed: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule} {self.edge}"

    def found(self) -> str | None:
        """The tier of the rule, or SILENT."""
        given = {"doses": [NOW - 3 * HOUR]} | self.facts
        reading = parse_temperature(self.typed) if self.typed else None
        facts = Facts(NOW, TODAY, frozenset(self.flags.split()), plan=self.plan, temperature=reading, **given)
        return {finding.rule: finding.tier for finding in assess(facts)}.get(self.rule, SILENT)


def on(*days_ago: int, grade: int = 1) -> dict[date, int]:
    return {TODAY - timedelta(days=ago): grade for ago in days_ago}


def felt(**grades: int) -> dict[str, Any]:
    return {"symptoms": grades}


def after(gap: timedelta, **grades: int) -> dict[str, Any]:
    """What is felt this long after the only injection."""
    return {"symptoms": grades, "doses": [NOW - gap]}


def since(code: str, days: dict[date, int], grade: int = 1) -> dict[str, Any]:
    return {"symptoms": {code: grade}, "earlier": {code: days}}


FLAGS = {
    "T1": (EMERGENCY, "struggling chest_pain unconscious allergic gut_bleeding suicidal"),
    "T2": (RED, "urine_less"),
    "T3": (RED, "breathless"),
    "T6": (RED, "confused sleepy"),
    "T7": (RED, "fainted"),
    "T8": (RED, "swollen_face swollen_legs"),
    "T11": (RED, "palpitations sore_leg sight drip_site"),
    "T12": (RED, "low_mood_worse"),
}
TICKED = [
    Row(rule, f"{flag} ticked, {plan.indication if plan else 'no'} plan", plan, tier, flag)
    for rule, (tier, flags) in FLAGS.items()
    for flag in flags.split()
    for plan in (HIV, KIDNEY, OTHER, None)
]
NOT_TICKED = [
    Row(rule, f"every flag but its own ticked, {flags}", HIV, SILENT, " ".join(others))
    for rule, (_tier, flags) in FLAGS.items()
    if (others := [flag for known, (_, these) in FLAGS.items() if known != rule for flag in these.split()])
]
O6 = [
    ("38.0 °C", False, False),
    ("100.4 °F", False, False),
    ("38.04 °C", False, True),
    ("100.5 °F", False, True),
    ("38.8 °C", False, True),
    ("38.88 °C", False, True),
    ("38.89 °C", True, True),
    ("38.9 °C", True, True),
    ("102 °F", False, True),
    ("102.1 °F", True, True),
]
FEVER = [
    row
    for typed, over_102, over_38 in O6
    for row in (
        Row("T4", f"O6 {typed}, HIV plan", HIV, RED if over_102 else SILENT, typed=typed),
        Row("T5", f"O6 {typed}, kidney plan", KIDNEY, RED if over_38 else SILENT, typed=typed),
        Row("T5", f"O6 {typed}, no plan", None, RED if over_38 else SILENT, typed=typed),
        Row("T5", f"{typed} is T4's on an HIV plan", HIV, SILENT, typed=typed),
    )
]
DOWN, DID_NOT = {"medicine": "came_down"}, {"medicine": "did_not"}
MORE_FEVER = [
    Row("T4", "over the line and it came down", HIV, SILENT, typed="103 °F", facts=DOWN),
    Row("T4", "over the line and it did not come down", HIV, RED, typed="103 °F", facts=DID_NOT),
    Row("T4", "over the line, medicine not answered", HIV, RED, typed="103 °F"),
    Row("T4", "over the line, medicine not known", HIV, RED, typed="103 °F", facts={"medicine": "unknown"}),
    Row("T4", "on the line and it did not come down", HIV, SILENT, typed="102 °F", facts=DID_NOT),
    Row(
        "T4",
        "again over the line after it came down",
        HIV,
        RED,
        typed="103 °F",
        facts=DOWN | {"came_down_before": True},
    ),
    *[
        Row("T4", f"{typed}, came down, {plan.indication if plan else 'no'} plan", plan, tier, typed=typed, facts=DOWN)
        for plan in (HIV, KIDNEY, OTHER, None)
        for typed, tier in (
            ("39.99 °C", SILENT),
            ("40.0 °C", SILENT),
            ("104 °F", SILENT),
            ("40.01 °C", RED),
            ("104.1 °F", RED),
        )
    ],
    Row("T5", "38.5 °C on a plan with 38.5 °C", OTHER, SILENT, typed="38.5"),
    Row("T5", "38.51 °C on a plan with 38.5 °C", OTHER, RED, typed="38.51"),
    Row("T5", "came down, kidney plan", KIDNEY, RED, typed="38.1", facts=DOWN),
    Row("T5", "nothing measured", KIDNEY, SILENT, facts=DID_NOT),
]
COLD = [
    Row("T9", f"{typed} with {what}", plan, tier, typed=typed, facts=felt(**grades))
    for plan in (HIV, None)
    for what, grades in (("vomiting", {"vomiting": 1}), ("shivering", {"shivering": 1}))
    for typed, tier in (("35.99", RED), ("96.7 °F", RED), ("36.0", SILENT), ("96.8 °F", SILENT), ("36.01", SILENT))
] + [
    Row("T9", "35.9 with nothing else", HIV, SILENT, typed="35.9", facts=felt(nausea=3)),
    Row("T9", "35.9, vomiting said to be absent", HIV, SILENT, typed="35.9", facts=felt(vomiting=0)),
    Row("T9", "vomiting, not measured", HIV, SILENT, facts=felt(vomiting=1)),
]
KIDNEY_SIGNS = [
    Row("T10", f"{code} {words}", plan, tier, facts=felt(**{code: grade}))
    for code in ("cough", "sore_throat", "urine_pain")
    for words, plan, grade, tier in (
        ("mild, kidney plan", KIDNEY, 1, RED),
        ("said to be absent, kidney plan", KIDNEY, 0, SILENT),
        ("severe, HIV plan", HIV, 3, SILENT),
        ("severe, no plan", None, 3, SILENT),
    )
]
LOW_MOOD = [
    Row("T12", "mild, for the first time", HIV, RED, facts=felt(low_mood=1)),
    Row("T12", "said to be absent", HIV, SILENT, facts=felt(low_mood=0)),
    Row("T12", "as bad as yesterday", HIV, SILENT, facts=since("low_mood", on(1))),
    Row("T12", "worse than yesterday", HIV, RED, facts=since("low_mood", on(1), 2)),
    Row("T12", "better than yesterday", HIV, SILENT, facts=since("low_mood", on(1, grade=3), 2)),
    Row("T12", "as bad as three days ago", HIV, SILENT, facts=since("low_mood", on(3))),
    Row("T12", "last said four days ago", HIV, RED, facts=since("low_mood", on(4))),
]
SEVERE = [
    Row("T13", f"{code} {words}", HIV, tier, facts=felt(**{code: grade}))
    for code in ("tired", "nausea", "itch", "no_sleep", "dizzy", "headache", "diarrhoea")
    for words, grade, tier in (("moderate", 2, SILENT), ("severe", 3, AMBER))
]
LASTING = [
    Row("T14", f"{code} {words}", HIV, tier, facts=since(code, days))
    for code in ("diarrhoea", "constipation")
    for words, days, tier in (
        ("O12 the third day", on(1, 2), SILENT),
        ("O12 the fourth day", on(1, 2, 3), AMBER),
        ("O12 three days, a blank, today", on(2, 3, 4), AMBER),
        ("O12 none said between", on(1, 3, 4) | on(2, grade=0), SILENT),
        ("two blank days between", on(3), AMBER),
        ("three blank days between", on(4), SILENT),
        ("the fourth day, none said before it", on(1, 2) | on(3, grade=0), SILENT),
    )
] + [Row("T14", "nausea for a week", HIV, SILENT, facts=since("nausea", on(1, 2, 3, 4, 5, 6)))]
TOLD = [
    Row("T15", f"{code} {words}", HIV, tier, facts=felt(**{code: grade}))
    for code in ("bruising", "nosebleed", "bleeding_gums", "red_spots", "yellow_skin", "dizzy", "weak")
    for words, grade, tier in (("said to be absent", 0, SILENT), ("mild", 1, AMBER), ("severe is T13's", 3, SILENT))
] + [
    Row("T15", "tired without pallor", HIV, SILENT, facts=felt(tired=2)),
    Row("T15", "pale without tiredness", HIV, SILENT, facts=felt(pale=2)),
    Row("T15", "tired and pale", HIV, AMBER, facts=felt(tired=1, pale=1)),
    Row("T15", "vomiting mild, for the first day", HIV, SILENT, facts=felt(vomiting=1)),
    Row("T15", "vomiting moderate", HIV, AMBER, facts=felt(vomiting=2)),
    Row("T15", "vomiting mild, a second day", HIV, AMBER, facts=since("vomiting", on(1))),
    Row("T15", "vomiting mild, last two days ago", HIV, SILENT, facts=since("vomiting", on(2))),
]
ACHES = since("aches", on(1, 2, 3, 9, 16, grade=0), 2)
WINDOW = [
    Row("T16", f"{code} {words}", HIV, tier, facts=after(gap, **{code: 1}))
    for code in ("shivering", "headache", "aches")
    for words, gap, tier in (
        ("a second before the injection", -SECOND, AMBER),
        ("with the injection", timedelta(0), SILENT),
        ("16 hours after it", 16 * HOUR, SILENT),
        ("a second past 16 hours", 16 * HOUR + SECOND, AMBER),
    )
] + [
    Row("T16", "38.0 °C outside the hours", HIV, SILENT, typed="38.0", facts={"doses": []}),
    Row("T16", "38.04 °C outside the hours", HIV, AMBER, typed="38.04", facts={"doses": []}),
    Row(
        "T16",
        "between two windows that touch",
        HIV,
        SILENT,
        facts=felt(aches=1) | {"doses": [NOW - 20 * HOUR, NOW - 4 * HOUR]},
    ),
    Row("T16", "outside the hours, no plan", None, SILENT, facts=after(20 * HOUR, aches=2)),
    Row("T16", "two grades above the usual", HIV, AMBER, facts=since("aches", on(1, 2, 3, grade=0), 2)),
    Row("T16", "one grade above the usual", HIV, SILENT, facts=since("aches", on(1, 2, 3), 2)),
    Row("T16", "two grades above, usual of two days", HIV, SILENT, facts=since("aches", on(1, 2, grade=0), 2)),
    Row("T16", "two grades above the usual of course days", HIV, AMBER, facts=ACHES | {"window_days": on(1, 2, 3)}),
    Row("T16", "two grades above calm weeks only", HIV, SILENT, facts=ACHES | {"window_days": on(1, 2)}),
]
HARMLESS = {"doses": [NOW - 3 * HOUR], "medicine": "not_taken"}
KIDNEY_FLU = [
    Row(
        "T16",
        f"kidney plan, {code} {words}",
        KIDNEY,
        tier,
        typed=typed,
        facts=HARMLESS | felt(**{code: grade}) | change,
    )
    for code in ("shivering", "headache", "aches")
    for words, typed, grade, change, tier in (
        ("inside the hours, measured, no medicine", "38.0", 2, {}, SILENT),
        ("not measured", "", 1, {}, RED),
        ("at 38.04 °C", "38.04", 1, {}, RED),
        ("after a fever medicine", "37.0", 1, {"medicine": "came_down"}, RED),
        ("medicine not answered", "37.0", 1, {"medicine": ""}, RED),
        ("severe", "37.0", 3, {}, RED),
        ("16 hours after", "37.0", 1, {"doses": [NOW - 16 * HOUR]}, SILENT),
        ("a second past 16 hours", "37.0", 1, {"doses": [NOW - 16 * HOUR - SECOND]}, RED),
    )
]
OFTEN_SEEN = [
    Row("T17", "moderate, inside the hours, measured", HIV, None, typed="38.5", facts=felt(aches=2)),
    Row("T17", "not measured", HIV, SILENT, facts=felt(aches=2)),
    Row("T17", "severe", HIV, SILENT, typed="37.0", facts=felt(aches=3)),
    Row("T17", "on the limit", HIV, None, typed="102 °F", facts=felt(aches=1)),
    Row("T17", "over the limit", HIV, SILENT, typed="102.1 °F", facts=felt(aches=1)),
    Row("T17", "16 hours after", HIV, None, typed="37.0", facts=after(16 * HOUR, aches=1)),
    Row("T17", "a second past 16 hours", HIV, SILENT, typed="37.0", facts=after(16 * HOUR + SECOND, aches=1)),
    Row("T17", "no plan", None, SILENT, typed="37.0", facts=felt(aches=1)),
]
RASH = [
    Row("T1", "a rash and short of breath", HIV, EMERGENCY, "breathless", facts=felt(rash=1)),
    Row("T1", "a rash alone", HIV, SILENT, facts=felt(rash=3)),
    Row("T1", "short of breath, a rash said to be absent", HIV, SILENT, "breathless", facts=felt(rash=0)),
]
ROWS = [
    *(*TICKED, *NOT_TICKED, *RASH, *FEVER, *MORE_FEVER, *COLD, *KIDNEY_SIGNS, *LOW_MOOD, *SEVERE),
    *(*LASTING, *TOLD, *WINDOW, *KIDNEY_FLU, *OFTEN_SEEN),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_rule_speaks_on_its_side_of_the_edge_only(row: Row) -> None:
    assert row.found() == row.tier


def test_every_rule_is_seen_to_speak_and_to_be_silent() -> None:
    speaks = {row.rule for row in ROWS if row.tier != SILENT}
    silent = {row.rule for row in ROWS if row.tier == SILENT}
    assert speaks == silent == {rule.id for rule in RULES}


# What a clinician expects of one patient

EXPECTED = [
    Row("T15", "dizzy as mild as expected", HIV, SILENT, facts=felt(dizzy=1) | {"expected": {"dizzy": 1}}),
    Row("T15", "dizzy worse than expected", HIV, AMBER, facts=felt(dizzy=2) | {"expected": {"dizzy": 1}}),
    Row("T15", "dizzy while something else is expected", HIV, AMBER, facts=felt(dizzy=1) | {"expected": {"weak": 2}}),
    Row("T15", "only one of the pair expected", HIV, AMBER, facts=felt(tired=1, pale=1) | {"expected": {"tired": 2}}),
    Row(
        "T15",
        "both of the pair expected",
        HIV,
        SILENT,
        facts=felt(tired=1, pale=2) | {"expected": {"tired": 2, "pale": 2}},
    ),
    Row("T13", "severe although moderate is expected", HIV, AMBER, facts=felt(dizzy=3) | {"expected": {"dizzy": 2}}),
    Row(
        "T14",
        "a fifth day of what is expected",
        HIV,
        SILENT,
        facts=since("diarrhoea", on(1, 2, 3, 4)) | {"expected": {"diarrhoea": 1}},
    ),
    Row(
        "T14",
        "a fifth day, worse than expected",
        HIV,
        AMBER,
        facts=since("diarrhoea", on(1, 2, 3, 4), 2) | {"expected": {"diarrhoea": 1}},
    ),
    Row(
        "T16",
        "aches outside the hours, expected",
        HIV,
        SILENT,
        facts=after(20 * HOUR, aches=2) | {"expected": {"aches": 2}},
    ),
    Row(
        "T16",
        "a fever outside the hours beside what is expected",
        HIV,
        AMBER,
        typed="38.5",
        facts=after(20 * HOUR, aches=1) | {"expected": {"aches": 2}},
    ),
    Row("T16", "RED on a kidney plan although expected", KIDNEY, RED, facts=felt(aches=1) | {"expected": {"aches": 2}}),
    Row(
        "T10",
        "a cough on a kidney plan although expected",
        KIDNEY,
        RED,
        facts=felt(cough=1) | {"expected": {"cough": 2}},
    ),
    Row("T12", "low mood although expected", HIV, RED, facts=felt(low_mood=1) | {"expected": {"low_mood": 2}}),
    Row(
        "T9",
        "vomiting and cold although expected",
        HIV,
        RED,
        typed="35.9",
        facts=felt(vomiting=1) | {"expected": {"vomiting": 2}},
    ),
    *[
        Row(rule, f"{flag} although expected", HIV, tier, flag, facts={"expected": {flag: 2}})
        for rule, (tier, flags) in FLAGS.items()
        for flag in flags.split()
    ],
]


@pytest.mark.parametrize("row", EXPECTED, ids=str)
def test_what_is_expected_quietens_amber_up_to_its_severity_and_nothing_else(row: Row) -> None:
    assert row.found() == row.tier


def test_no_sign_of_an_urgent_rule_can_be_expected() -> None:
    urgent = {flag for _tier, flags in FLAGS.values() for flag in flags.split()} | {
        "cough",
        "sore_throat",
        "urine_pain",
    }
    for indication in ("hiv", "kidney", "other", ""):
        assert not expectable(indication) & (urgent | {"low_mood", "rash", "temperature"})
    assert not expectable("kidney") & {"shivering", "headache", "aches"}


def test_the_clinic_reads_what_was_left_out_because_it_is_expected() -> None:
    facts = Facts(NOW, TODAY, symptoms={"dizzy": 1, "bruising": 1}, plan=HIV, expected={"bruising": 2})
    (finding,) = assess(facts)
    assert finding.signs == ("dizzy",)
    assert finding.evidence.endswith("As the clinic expects of this patient: bruising.")


def test_beside_a_red_flag_nothing_is_said_of_what_is_expected() -> None:
    facts = Facts(
        NOW, TODAY, flags=frozenset({"fainted"}), symptoms={"bruising": 1}, plan=HIV, expected={"bruising": 2}
    )
    (finding,) = assess(facts)
    assert (finding.rule, "expects" in finding.evidence) == ("T7", False)
