"""The one rule table: what a person reports, in; which alerts follow, out. Pure: no Django.

Rules and their ids T1–T17 are decisions.md section 0. Codes of flags and symptoms are those of catalogue.json.
"App's own" = no source gives the number or the level; a clinician has to confirm it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import median_low

from sideeffects.facts import FLU_LIKE, Facts
from sideeffects.units import Temperature

EMERGENCY, RED, AMBER = "EMERGENCY", "RED", "AMBER"
URGENT = frozenset({EMERGENCY, RED})
SEVERE = 3
MODERATE = 2
MILD = 1

# App's own (D13): over this is RED whatever medicine did, on every plan.
ALWAYS_RED_ABOVE = Temperature(Decimal("40.0"), "C")
# App's own (U9, D14): below this with vomiting or shivering is RED. B101 names a low temperature without a number.
LOW_BELOW = Temperature(Decimal("36.0"), "C")
# B79, B112: longer than this is to be told.
LONG_AFTER_DAYS = 3
# App's own (D15): so many days without any entry in a row do not end a run.
BRIDGED_DAYS = 2
# App's own: the patient's usual is the middle of at least so many earlier days.
USUAL_NEEDS_DAYS = 3

CHEST_OR_URINE = frozenset({"cough", "sore_throat", "urine_pain"})
LASTING = frozenset({"diarrhoea", "constipation"})
EMERGENCY_SIGNS = frozenset({"struggling", "chest_pain", "unconscious", "allergic", "gut_bleeding", "suicidal"})
VESSELS_SIGHT_DRIP = ("palpitations", "sore_leg", "sight", "drip_site")
TOLD = frozenset({"bruising", "nosebleed", "bleeding_gums", "red_spots", "yellow_skin", "dizzy", "weak"})
TIRED_AND_PALE = frozenset({"tired", "pale"})


@dataclass(frozen=True)
class Finding:
    """One rule that fired: what a clinic reads, and the codes it rests on."""

    rule: str
    tier: str | None
    title: str
    evidence: str
    signs: tuple[str, ...]
    sources: str


@dataclass(frozen=True)
class Rule:
    """One row of the table. `fires` gives the codes it rests on, none = silent; `{signs}` stands for them in words."""

    id: str
    tier: str | None
    title: str
    sources: str
    fires: Callable[[Facts], list[str]]
    note: str = ""


def _ticked(*codes: str) -> Callable[[Facts], list[str]]:
    return lambda facts: facts.has(codes)


def _emergency(facts: Facts) -> list[str]:
    signs = facts.has(EMERGENCY_SIGNS)
    with_rash = "breathless" in facts.flags and facts.has({"rash"})
    return signs + (["rash", "breathless"] if with_rash else [])


def _fever_not_relieved(facts: Facts) -> list[str]:
    if facts.is_over(ALWAYS_RED_ABOVE):
        return ["temperature"]
    relieved = facts.medicine == "came_down" and not facts.came_down_before
    waits = facts.plan is not None and facts.plan.only_if_not_relieved
    return ["temperature"] if waits and facts.is_over(facts.limit) and not relieved else []


def _fever_at_once(facts: Facts) -> list[str]:
    waits = facts.plan is not None and facts.plan.only_if_not_relieved
    return ["temperature"] if not waits and facts.is_over(facts.limit) else []


def _low_temperature(facts: Facts) -> list[str]:
    is_low = facts.temperature is not None and facts.temperature.fahrenheit < LOW_BELOW.fahrenheit
    with_signs = facts.has({"vomiting", "shivering"})
    return ["temperature", *with_signs] if is_low and with_signs else []


def _kidney_infection(facts: Facts) -> list[str]:
    return facts.has(CHEST_OR_URINE) if facts.is_kidney else []


def _low_mood(facts: Facts) -> list[str]:
    """Ticked among the red flags; or reported as a symptom, and not so bad on the last of the days just before."""
    before = facts.told_here.get("low_mood", {})
    recent = [day for day in before if (facts.today - day).days <= BRIDGED_DAYS + 1]
    is_new_or_worse = facts.symptoms.get("low_mood", 0) > (before[max(recent)] if recent else 0)
    return facts.has({"low_mood_worse"}) or (["low_mood"] if is_new_or_worse else [])


def _severe(facts: Facts) -> list[str]:
    return sorted(code for code, grade in facts.symptoms.items() if grade >= SEVERE)


def days_running(ill: Collection[date], none_on: Collection[date], today: date) -> tuple[int, int]:
    """Days of the run that ends today, and how many of them for certain: the unbroken part (D15, O12).

    An explicit "none" ends a run; up to two days without any entry do not.
    """
    length = certain = blanks = 0
    for back in range((today - min(ill, default=today)).days + 1):
        day = today - timedelta(days=back)
        if day in ill:
            length, blanks = back + 1, 0
            certain += certain == back
        elif day in none_on or blanks == BRIDGED_DAYS:
            break
        else:
            blanks += 1
    return length, certain


def _runs(facts: Facts) -> dict[str, bool]:
    """Symptoms on more than three days, and whether that is certain."""
    found: dict[str, bool] = {}
    for code in facts.has(LASTING):
        for earlier in facts.histories(code):
            ill = {day for day, grade in earlier.items() if grade > 0} | {facts.today}
            length, certain = days_running(ill, earlier.keys() - ill, facts.today)
            if length > LONG_AFTER_DAYS:
                found[code] = found.get(code, False) or certain > LONG_AFTER_DAYS
    return found


def _lasting(facts: Facts) -> list[str]:
    return sorted(code for code, certain in _runs(facts).items() if certain)


def _perhaps_lasting(facts: Facts) -> list[str]:
    return sorted(code for code, certain in _runs(facts).items() if not certain)


def _to_be_told(facts: Facts) -> list[str]:
    """Vomiting counts as persistent when moderate, or on a second day running (app's own). Severe signs are T13's."""
    signs = [code for code in facts.has(TOLD) if facts.symptoms.get(code, 0) < SEVERE]
    if set(facts.has(TIRED_AND_PALE)) == TIRED_AND_PALE:
        signs += ["tired", "pale"]
    yesterday = facts.earlier.get("vomiting", {}).get(facts.today - timedelta(days=1), 0)
    grade = facts.symptoms.get("vomiting", 0)
    return signs + (["vomiting"] if grade == MODERATE or (grade == MILD and yesterday) else [])


def _kidney_flu(facts: Facts) -> list[str]:
    """D12: harmless only when measured, not over the limit, no fever medicine, inside the window and not severe."""
    signs = facts.has(FLU_LIKE)
    harmless = (
        facts.temperature is not None
        and not facts.has_fever
        and facts.medicine == "not_taken"
        and facts.in_window
        and all(facts.symptoms.get(code, 0) < SEVERE for code in signs)
    )
    return signs if facts.is_kidney and not harmless else []


def _usual(facts: Facts, code: str) -> int | None:
    """Of days like today, with the hours after an injection: a calm week between courses says nothing about them."""
    found = []
    for days in facts.histories(code):
        alike = [grade for day, grade in days.items() if facts.window_days is None or day in facts.window_days]
        found += [median_low(alike)] if len(alike) >= USUAL_NEEDS_DAYS else []
    return min(found, default=None)


def _flu_outside_window(facts: Facts) -> list[str]:
    if facts.plan is None or facts.is_kidney or facts.in_window:
        return []
    return facts.flu_like


def _flu_above_usual(facts: Facts) -> list[str]:
    if facts.plan is None or facts.is_kidney or not facts.in_window:
        return []
    usual = {code: _usual(facts, code) for code in facts.has(FLU_LIKE)}
    return [code for code, grade in usual.items() if grade is not None and facts.symptoms[code] - grade >= 2]


def _often_seen(facts: Facts) -> list[str]:
    """A56, B73: flu-like, at most moderate, inside the window, measured and not over the limit."""
    mild = all(facts.symptoms.get(code, 0) < SEVERE for code in FLU_LIKE)
    measured = facts.temperature is not None and not facts.is_over(facts.limit)
    return facts.flu_like if facts.plan is not None and facts.in_window and mild and measured else []


BLANK_BETWEEN = "A day without an entry lies between."
BORROWED = "The hours come from kidney treatment (B73); app's own use of them here."

RULES: tuple[Rule, ...] = (
    Rule("T1", EMERGENCY, "{signs}", "B90, B94–B96, B116, A68; tier app's own", _emergency),
    Rule("T2", RED, "{signs}", "A74", _ticked("urine_less")),
    Rule("T3", RED, "{signs}", "A75, B76", _ticked("breathless")),
    Rule("T4", RED, "Fever: {signs}", "A76; over 40.0 °C app's own", _fever_not_relieved),
    Rule("T5", RED, "Fever: {signs}", "B69", _fever_at_once),
    Rule("T6", RED, "{signs}", "A77, B74, B105", _ticked("confused", "sleepy")),
    Rule("T7", RED, "{signs}", "A78, B95", _ticked("fainted")),
    Rule("T8", RED, "{signs}", "A79, B75", _ticked("swollen_face", "swollen_legs")),
    Rule("T9", RED, "Low temperature: {signs}", "B101; 36.0 °C app's own", _low_temperature),
    Rule("T10", RED, "Possible infection: {signs}", "B69", _kidney_infection),
    Rule("T11", RED, "{signs}", "B96, B90, A68, B120; tier app's own", _ticked(*VESSELS_SIGHT_DRIP)),
    Rule("T12", RED, "{signs}", "B74", _low_mood),
    Rule("T13", AMBER, "Severe: {signs}", "B62", _severe),
    Rule("T14", AMBER, "More than 3 days: {signs}", "B79, B112", _lasting),
    Rule("T14", AMBER, "Possibly more than 3 days: {signs}", "B79, B112", _perhaps_lasting, BLANK_BETWEEN),
    Rule("T15", AMBER, "{signs}", "B70, B71, B78, B103, B126; tier app's own", _to_be_told),
    Rule("T16", RED, "Possible infection: {signs}", "B69, B73", _kidney_flu),
    Rule("T16", AMBER, "Outside the usual hours after an injection: {signs}", "B73", _flu_outside_window, BORROWED),
    Rule("T16", AMBER, "Much stronger than usual: {signs}", "B73", _flu_above_usual),
    Rule("T17", None, "Often seen after an injection: {signs}", "A56, B73", _often_seen),
)

MEDICINE_WORDS = {
    "came_down": "fever medicine taken, it came down",
    "did_not": "fever medicine taken, it did not come down",
    "not_taken": "no fever medicine taken",
}


def expectable(indication: str) -> frozenset[str]:
    """The symptoms that a clinician can expect of one patient: those of which an AMBER rule speaks.

    On a kidney plan flu-like signs are never AMBER but harmless or RED (D12), and RED is never expected away.
    """
    return LASTING | TOLD | TIRED_AND_PALE | {"vomiting"} | (FLU_LIKE if indication != "kidney" else frozenset())


def _fires(rule: Rule, facts: Facts) -> list[str]:
    """The signs of a rule; of an AMBER one without those that a clinician expects. The two of a pair stay together."""
    signs = rule.fires(facts)
    if rule.tier != AMBER:
        return signs
    told = {sign for sign in signs if not facts.is_expected(sign)}
    pair = TIRED_AND_PALE if told & TIRED_AND_PALE else frozenset()
    return [sign for sign in signs if sign in told | pair]


def assess(facts: Facts) -> list[Finding]:
    """Every rule that fires, in the order of the table. T17 is silent about signs that another rule speaks of."""
    findings = _one_per_rule([_finding(rule, signs, facts) for rule in RULES if (signs := _fires(rule, facts))])
    explained = {sign for finding in findings if finding.tier for sign in finding.signs}
    return [finding for finding in findings if finding.tier or not explained & set(finding.signs)]


def _one_per_rule(findings: list[Finding]) -> list[Finding]:
    """Two rows of one rule that fire together, as diarrhoea for certain and constipation perhaps, become one."""
    merged: dict[str, Finding] = {}
    for new in findings:
        old = merged.get(new.rule)
        both = old and replace(
            old,
            title=f"{old.title}; {new.title}",
            evidence=f"{old.evidence} {new.evidence}",
            signs=old.signs + new.signs,
        )
        merged[new.rule] = both or new
    return list(merged.values())


def is_urgent(findings: Iterable[Finding]) -> bool:
    """Whether the page with the numbers interrupts."""
    return any(finding.tier in URGENT for finding in findings)


def _finding(rule: Rule, signs: list[str], facts: Facts) -> Finding:
    title = rule.title.format(signs=facts.said(signs))
    reported = [sign for sign in signs if sign != "temperature"]
    evidence = [f"Reported: {facts.said(reported)}."] if reported else []
    if facts.temperature is not None:
        medicine = MEDICINE_WORDS.get(facts.medicine, "fever medicine: no answer")
        evidence.append(f"Temperature {facts.temperature}, {medicine}; limit over {facts.limit}.")
    else:
        evidence.append("Temperature not measured.")
    evidence += [rule.note] if rule.note else []
    expected = [code for code in sorted(facts.expected) if facts.is_expected(code)] if rule.tier == AMBER else []
    evidence += [f"As the clinic expects of this patient: {facts.said(expected)}."] if expected else []
    return Finding(rule.id, rule.tier, title[:1].upper() + title[1:], " ".join(evidence), tuple(signs), rule.sources)
