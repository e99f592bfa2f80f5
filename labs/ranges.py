"""Reference ranges as laboratories print them, and on which side of one a result lies. Pure.

The range that stands on the report is the only one that counts (H24). What cannot be read in exactly one way is none:
several ranges in one text, ranges by sex or age, a comma before three digits (3,600 or 3.600).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

LONGEST = 60
PLAIN = {**dict.fromkeys(map(ord, "–—‒‐‑−"), "-"), **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ")}
NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
UNIT = (
    r"(?:(?:[x×]\s?)?10\s?(?:[*^]|e\+?)?\s?[0-9³⁶⁹¹²]{1,2}\s?/\s?[a-zµμ]+|[^0-9<>≤≥=;|-]*(?:/mm3|/cmm|/1\.73\s?m[2²])?)"
)
FOR_SOME = re.compile(
    r"\b(?:wo)?m[ae]n\b|\b(?:fe)?males?\b|\b[mf]\b|\badult|\bchild|\binfant|\bpregnan|\bfasting|\b(?:year|yr|month|week|day|age)s?\b"
    r"|\bphase|\btrimester|\bsmok"
)
BEFORE = r"(?:(?:normal|reference|ref|range|interval|expected|is)\b[.:\s]*)*"
BETWEEN = re.compile(
    rf"{BEFORE}(?P<low>[+-]?{NUMBER})\s*(?:-|–|to|~|\.\.\.?|and|bis)\s*(?P<high>[+-]?{NUMBER})\s*(?P<unit>{UNIT})"
)
ONE_SIDED = re.compile(rf"{BEFORE}(?P<sign>[<>≤≥=]{{1,2}}|[a-z ]+?)\s*(?P<limit>[+-]?{NUMBER})\s*(?P<unit>{UNIT})")
OR_MORE = re.compile(
    rf"{BEFORE}(?P<limit>[+-]?{NUMBER})\s*(?P<unit>{UNIT}?)\s*(?P<sign>or (?:more|less|above|below|higher|lower))"
)
SIDES = {
    "<": (True, False),
    "less than": (True, False),
    "below": (True, False),
    "under": (True, False),
    "<=": (True, True),
    "=<": (True, True),
    "≤": (True, True),
    "up to": (True, True),
    "at most": (True, True),
    "to": (True, True),
    "or less": (True, True),
    "or below": (True, True),
    "or lower": (True, True),
    ">": (False, False),
    "more than": (False, False),
    "greater than": (False, False),
    "above": (False, False),
    "over": (False, False),
    ">=": (False, True),
    "=>": (False, True),
    "≥": (False, True),
    "at least": (False, True),
    "from": (False, True),
    "or more": (False, True),
    "or above": (False, True),
    "or higher": (False, True),
}
"""What stands before or behind a single limit: whether it is the upper one, and whether it belongs to the range."""


@dataclass(frozen=True)
class Range:
    """The limits of a laboratory in the unit of the result. None = no limit on that side; one at least is there."""

    low: Decimal | None
    high: Decimal | None
    low_inclusive: bool = True
    high_inclusive: bool = True


def printed(text: str) -> Range | None:
    """Range of "3.6-10.0", "< 41", ">60", "4.3 to 6.2 mmol/L", "(≤5)". None when it has none, or not exactly one."""
    plain = " ".join(text.translate(PLAIN).casefold().split())
    if len(plain) > LONGEST or FOR_SOME.search(plain):
        return None
    if plain[:1] + plain[-1:] in {"()", "[]"}:
        plain = plain[1:-1].strip()
    if two := BETWEEN.fullmatch(plain):
        return _between(_number(two["low"]), _number(two["high"]))
    one = ONE_SIDED.fullmatch(plain) or OR_MORE.fullmatch(plain)
    return _one_sided(one["sign"].strip(), _number(one["limit"])) if one else None


def _number(text: str) -> Decimal | None:
    """The number; None where a comma before three digits could be either sign."""
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", text):
        return None
    return Decimal(text.replace(",", "."))


def _between(low: Decimal | None, high: Decimal | None) -> Range | None:
    return None if low is None or high is None or low > high else Range(low, high)


def _one_sided(sign: str, limit: Decimal | None) -> Range | None:
    if limit is None or sign not in SIDES:
        return None
    upper, inclusive = SIDES[sign]
    return Range(None, limit, high_inclusive=inclusive) if upper else Range(limit, None, low_inclusive=inclusive)


def side(limits: Range | None, value: Decimal | None, comparator: str = "=") -> str | None:
    """Where a result lies: "low", "high" or "inside". None whenever it cannot be known: no range, no value, or a
    "<20" that may be on either side of a limit.

    `value` is in the unit of the range. What laboratories measure is never below zero, so that "0" is no lower limit
    for a result that is itself only a limit.
    """
    if limits is None or value is None:
        return None
    if comparator == "=":
        return "low" if _is_low(limits, value) else "high" if _is_high(limits, value) else "inside"
    if comparator in {"<", "<="}:
        return _at_most(limits, value, reached=comparator == "<=")
    return _at_least(limits, value, reached=comparator == ">=")


def _is_low(limits: Range, value: Decimal) -> bool:
    return limits.low is not None and (value < limits.low or (value == limits.low and not limits.low_inclusive))


def _is_high(limits: Range, value: Decimal) -> bool:
    return limits.high is not None and (value > limits.high or (value == limits.high and not limits.high_inclusive))


def _at_most(limits: Range, value: Decimal, *, reached: bool) -> str | None:
    bounded = limits.low is not None and not (limits.low == 0 and limits.low_inclusive)
    if bounded and (_is_low(limits, value) or (value == limits.low and not reached)):
        return "low"
    fits = not _is_high(limits, value) or (value == limits.high and not reached)
    return "inside" if fits and not bounded else None


def _at_least(limits: Range, value: Decimal, *, reached: bool) -> str | None:
    if limits.high is not None:
        return "high" if _is_high(limits, value) or (value == limits.high and not reached) else None
    return "inside" if not _is_low(limits, value) or (value == limits.low and not reached) else None
