"""S01–S55: which chips cite each row, and which level they reach through the rule table.

A case reads "what was answered = rule tier". `flag!` is ticked among the red flags, `chip` is mild, `chip=2` moderate,
`chip+3d` also on the three days before, `@38.5` the temperature, `later` 20 hours after the injection; else it is three
hours after. `-` = no rule raises anything. Kidney plans are named, the others are HIV plans.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sideeffects import effects
from sideeffects.effects import _catalogue
from sideeffects.facts import Facts, PlanFacts
from sideeffects.triage import assess
from sideeffects.units import parse_temperature

NOW, TODAY = datetime(2026, 11, 20, 21, 40, tzinfo=UTC), date(2026, 11, 20)
PLANS = {
    "hiv": PlanFacts("hiv", Decimal("102.0"), "F", only_if_not_relieved=True),
    "kidney": PlanFacts("kidney", Decimal("38.0"), "C", only_if_not_relieved=False),
}
TABLE = """
S01 | shivering headache aches cough sore_throat urine_pain | kidney cough = T10 RED; kidney sore_throat = T10 RED; kidney urine_pain = T10 RED; kidney headache = T16 RED; kidney @38.1 = T5 RED; cough = -
S02 | breathless tired pale | breathless! = T3 RED; tired pale = T15 AMBER; tired=2 = -
S03 | bleeding_gums bruising red_spots nosebleed | bleeding_gums = T15 AMBER; bruising = T15 AMBER; red_spots = T15 AMBER; nosebleed = T15 AMBER
S04 | tired | tired=2 = -; tired=3 = T13 AMBER
S05 | shivering headache aches | aches=2 @38.5 = -; aches later = T16 AMBER; @102.1 = T4 RED; kidney @38.1 = T5 RED
S06 | suicidal confused sleepy low_mood_worse low_mood | confused! = T6 RED; sleepy! = T6 RED; low_mood_worse! = T12 RED; low_mood = T12 RED; suicidal! = T1 EMERGENCY
S07 | urine_less breathless swollen_face swollen_legs weight_gain | urine_less! = T2 RED; breathless! = T3 RED; swollen_face! = T8 RED; swollen_legs! = T8 RED; weight_gain=2 = -
S08 | struggling breathless cough | struggling! = T1 EMERGENCY; breathless! = T3 RED; kidney cough = T10 RED
S09 | itch rash peeling dry_skin blisters | itch=2 = -; rash=2 = -; peeling=2 = -; blisters=3 = T13 AMBER
S10 | nausea vomiting | nausea=2 = -; vomiting = -; vomiting=2 = T15 AMBER; vomiting+3d = T15 AMBER
S11 | diarrhoea | diarrhoea=2 = -; diarrhoea=3 = T13 AMBER; diarrhoea+2d = -; diarrhoea+3d = T14 AMBER
S12 | no_appetite | no_appetite=2 = -
S13 | no_sleep | no_sleep=2 = -
S14 | confused anxious | confused! = T6 RED; anxious=2 = -
S15 | sore_mouth | sore_mouth=2 = -
S16 | site_red lump scab | site_red=2 = -; lump=2 = -; scab=2 = -
S17 | chest_pain palpitations dizzy | chest_pain! = T1 EMERGENCY; palpitations! = T11 RED; dizzy = T15 AMBER
S18 | |
S19 | tired feeling_cold deep_voice | feeling_cold=2 = -; deep_voice=2 = -; deep_voice=3 = T13 AMBER
S20 | gut_bleeding swollen_tummy hard_to_swallow | gut_bleeding! = T1 EMERGENCY; swollen_tummy=2 = -
S21 | unconscious fainted | unconscious! = T1 EMERGENCY; fainted! = T7 RED
S22 | chest_pain breathless sore_leg | chest_pain! = T1 EMERGENCY; breathless! = T3 RED; sore_leg! = T11 RED
S23 | nausea vomiting constipation | nausea=2 = -; constipation=2 = -
S24 | breathless sleepy tired nausea | breathless! = T3 RED; sleepy! = T6 RED
S25 | weak tingling twitching | weak = T15 AMBER; tingling=2 = -; twitching=2 = -
S26 | palpitations headache cramps dizzy | palpitations! = T11 RED; dizzy = T15 AMBER; cramps=2 = -
S27 | shivering vomiting | vomiting @35.9 = T9 RED; shivering @35.9 = T9 RED; vomiting @36.0 = -; kidney shivering @38.1 = T5 RED
S28 | blocked_nose | blocked_nose=2 = -
S29 | headache dizzy blurred | dizzy = T15 AMBER; blurred=2 = -; blurred=3 = T13 AMBER
S30 | low_mood_worse low_mood irritable restless | low_mood_worse! = T12 RED; low_mood = T12 RED; irritable=2 = -; restless=2 = -
S31 | confused | confused! = T6 RED
S32 | sleepy | sleepy! = T6 RED
S33 | tingling | tingling=2 = -
S34 | taste | taste=2 = -
S35 | indigestion | indigestion=2 = -
S36 | allergic | allergic! = T1 EMERGENCY
S37 | hair_loss | hair_loss=2 = -
S38 | constipation | constipation+2d = -; constipation+3d = T14 AMBER
S39 | sore_eyes | sore_eyes=2 = -
S40 | tired dry_mouth hungry urine_more | dry_mouth=2 = -; urine_more=2 = -; hungry=3 = T13 AMBER
S41 | feeling_hot weight_loss anxious restless | feeling_hot=2 = -; weight_loss=2 = -; restless=3 = T13 AMBER
S42 | struggling allergic breathless itch rash | allergic! = T1 EMERGENCY; breathless! rash = T1 EMERGENCY; struggling! = T1 EMERGENCY; itch=2 = -
S43 | dry_mouth | dry_mouth=2 = -; dry_mouth=3 = T13 AMBER
S44 | aches | aches=2 @37.0 = -
S45 | sore_eyes | sore_eyes=2 = -; sore_eyes=3 = T13 AMBER
S46 | drip_site | drip_site! = T11 RED
S47 | weak | weak = T15 AMBER
S48 | pale_patches | pale_patches=2 = -
S49 | swollen_face swollen_legs | swollen_face! = T8 RED; swollen_legs! = T8 RED
S50 | yellow_skin | yellow_skin = T15 AMBER
S51 | |
S52 | sight blurred | sight! = T11 RED; blurred=2 = -
S53 | suicidal low_mood_worse low_mood | suicidal! = T1 EMERGENCY; low_mood_worse! = T12 RED
S54 | urine_less | urine_less! = T2 RED
S55 | |
"""  # noqa: E501
ROWS = [[part.strip() for part in line.split("|")] for line in TABLE.strip().splitlines()]
CASES = [(code, case.strip()) for code, _chips, cases in ROWS for case in cases.split(";") if case.strip()]
FLAGS = {code for code, group in effects.groups().items() if group == "flag"}
STORED = {row["code"]: row for row in _catalogue()["effects"]}


def facts_of(answered: str) -> Facts:
    plan, flags, grades, earlier, typed, gap = PLANS["hiv"], set(), {}, {}, "", timedelta(hours=3)
    for word in answered.split():
        if word in PLANS:
            plan = PLANS[word]
        elif word == "later":
            gap = timedelta(hours=20)
        elif word.startswith("@"):
            typed = word[1:]
        elif word.endswith("!"):
            flags.add(word[:-1])
        else:
            code, grade, days = re.fullmatch(r"(\w+?)(?:=(\d))?(?:\+(\d)d)?", word).groups()  # type: ignore[union-attr]
            grades[code] = int(grade or 1)
            earlier[code] = {TODAY - timedelta(days=back): 1 for back in range(1, int(days or 0) + 1)}
    more: dict[str, Any] = {"temperature": parse_temperature(typed) if typed else None, "doses": [NOW - gap]}
    return Facts(NOW, TODAY, frozenset(flags), grades, plan=plan, earlier=earlier, **more)


def told(answered: str) -> list[str]:
    return [f"{finding.rule} {finding.tier}" for finding in assess(facts_of(answered)) if finding.tier]


@pytest.mark.parametrize(("code", "chips"), [(code, chips) for code, chips, _cases in ROWS], ids=lambda part: part[:3])
def test_the_chips_that_cite_the_row(code: str, chips: str) -> None:
    assert STORED[code]["symptoms"] == chips.split()


@pytest.mark.parametrize(("code", "case"), CASES, ids=[f"{code} {case}" for code, case in CASES])
def test_the_level_that_the_row_reaches_through_the_rules(code: str, case: str) -> None:
    answered, wanted = case.rsplit(" = ", 1)
    found = told(answered)
    assert found == [] if wanted == "-" else wanted in found


@pytest.mark.parametrize("code", STORED)
def test_a_row_promises_no_level_that_its_chips_do_not_reach(code: str) -> None:
    promised = set(re.findall("EMERGENCY|RED|AMBER", STORED[code]["alert"]))
    reached = {tier.split()[1] for case in CASES if case[0] == code for tier in told(case[1].rsplit(" = ", 1)[0])}
    assert promised <= reached


@pytest.mark.parametrize("code", STORED)
def test_anything_severe_of_the_row_is_told(code: str) -> None:
    (listed,) = [one for one in effects.everything() if one.code == code]
    assert [chip for chip in listed.symptoms - FLAGS if "T13 AMBER" not in told(f"{chip}=3")] == []


def test_the_table_has_a_line_for_each_of_the_fifty_five_rows() -> None:
    assert [code for code, _chips, _cases in ROWS] == list(STORED) == [f"S{n:02}" for n in range(1, 56)]
