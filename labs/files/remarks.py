"""What stands beside a number and takes its meaning from it: one rule for messages and resources. Pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from labs.units import Reading, Rule

LONGEST_RAW = 60
OFF_SCALE = {"<", ">"}  # marks of HL7: below or above what the instrument can count
SAID_NOT_DETECTED = re.compile(r"undetect|\bnot? (?:\w+ ){0,3}detected|\bnone detected|\btnd\b", re.IGNORECASE)
SAID_ELSEWHERE = re.compile(
    r"\bsee (?:\w+ )?(?:below|note|comment|report|remark|text|above)"
    r"|\bbelow (?:\w+ ){0,3}(?:limit|detect|quantif|range)"
    r"|\b(?:not|in)[ -]?valid|\bdisregard|\bno (?:result|value|number)",
    re.IGNORECASE,
)


def says_not_found(rule: Rule, notes: Iterable[str]) -> str:
    """The note that makes a bare number no count, "" if none does: 999 beside "result undetectable" (H12).

    Asked only of what can be undetected: "no hemolysis detected" beside potassium says nothing about potassium.
    """
    if rule.units and not rule.may_be_undetected:
        return ""
    return next((note for note in notes if SAID_NOT_DETECTED.search(note)), "")


def off_scale(reading: Reading, marks: Collection[str]) -> Reading:
    """A bare number with the laboratory's mark "<" or ">" is a limit; in words where number and mark contradict."""
    signs = OFF_SCALE & set(marks)
    if reading.value is None or not signs:
        return reading
    sign = "".join(sorted(signs))
    if reading.comparator == "=" and sign in OFF_SCALE:
        return replace(reading, comparator=sign)
    if sign in OFF_SCALE and reading.comparator.startswith(sign):
        return reading
    said = f"{'' if reading.comparator == '=' else reading.comparator}{reading.value:f} ({' '.join(sorted(signs))})"
    return Reading("=", None, "", None, reading.raw[:LONGEST_RAW], reading.unit_text, said)
