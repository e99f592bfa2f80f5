"""What people write for a blood result, read without guessing: numbers, comparators, units, bounds.

Pure. The rules of one test (its units and bounds) are a `Rule`; `library()` reads them from analytes.json.

How a number is read (hazard H04: never truncated, never silently another number):
- A space between groups of three digits is nothing: "1 250" is 1250.
- A point and a comma together: the last one is the decimal sign, the other must stand between groups of three.
- The same sign twice or more can only separate thousands: "10,000,000".
- One sign before anything but exactly three digits is the decimal sign: "1,0" is 1.0, "0.612" is 0.612.
- One comma before exactly three digits is thousands where the unit counts whole things ("1,250" cells),
  otherwise it is refused: 1.25 or 1250, the writer has to say.
- One point before exactly three digits is a decimal, unless the unit counts whole things and both numbers
  are possible: then it is refused as well.
"""

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).with_name("analytes.json")
LONGEST_TEXT = 60
MOST_DECIMALS = 6
MOST_DIGITS = 10
WHOLE_COPIES = Decimal(1)

SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ")
NUMBER = r"[0-9](?:[0-9 .,]*[0-9])?(?:[eE][+-]?[0-9]{1,2})?"
SHAPE = re.compile(
    rf"(?P<sign><=|>=|≤|≥|<|>|less than|more than|under|below|over|above)?\s*(?P<number>{NUMBER})\s*(?P<rest>.*)",
    re.DOTALL,
)
SIGNS = {"<": "<", "≤": "<", "<=": "<", "less than": "<", "under": "<", "below": "<"}
SIGNS |= {">": ">", "≥": ">", ">=": ">", "more than": ">", "over": ">", "above": ">"}
NOT_DETECTED = {
    "not detected",
    "none detected",
    "target not detected",
    "undetectable",
    "undetected",
    "tnd",
    "nd",
    "n.d.",
}
DETECTED = {"detected", "(detected)", ", detected"}
FOUND_NOT = {"not detected", "(not detected)", ", not detected", "tnd"}


class ReadingError(ValueError):
    """What was written cannot be a result of this test; the message says so in words for the writer."""


@dataclass(frozen=True)
class Unit:
    """One way of writing a quantity. `factor` turns it into the test's own unit, unless it is a power of ten."""

    code: str
    words: str
    spelled: str
    factor: Decimal = Decimal(1)
    power_of_ten: bool = False
    whole: bool = False

    @property
    def spellings(self) -> list[str]:
        """How reports write it, in small letters."""
        return self.spelled.split("|")


CELLS = "cells/mm³|cells/mm3|/mm3|/mm³|mm3|cells/ul|cells/µl|cells/μl|/ul|/µl|ul|cells|cells_per_ul|cells_ul"
GIGA = "10⁹/l|10^9/l|10*9/l|x10^9/l|x10⁹/l|×10⁹/l|109/l|g/l|giga/l|giga_l"
COPIES = "copies per ml|copies/ml|c/ml|cp/ml|copies|copies_per_ml|copies_ml"
LOGS = "log|log10|log10 copies per ml|log10 copies/ml|log copies/ml|log10_copies_ml|log10_copies_per_ml"
UNITS = {
    unit.code: unit
    for unit in (
        Unit("cells_ul", "cells/mm³", CELLS, whole=True),
        Unit("giga_l", "10⁹/L", GIGA, factor=Decimal(1000)),
        Unit("percent", "%", "%|percent|per cent|pct"),
        Unit("copies_ml", "copies per mL", COPIES, whole=True),
        Unit("log10_copies_ml", "log10 copies per mL", LOGS, power_of_ten=True),
    )
}
SPELLINGS = sorted((spelling for unit in UNITS.values() for spelling in unit.spellings), key=len, reverse=True)


@dataclass(frozen=True)
class Rule:
    """Everything needed to read one test: its own unit, the units people may use, what is refused and what is asked.

    Bounds are in the canonical unit: outside hard is refused, outside soft is asked (domain D3.5, app's own).
    `jump` = a change to more than n times or less than 1/n of the value before is asked (app's own).
    """

    code: str
    name: str
    canonical_unit: str
    units: tuple[str, ...]
    hard_low: Decimal
    hard_high: Decimal
    soft_low: Decimal
    soft_high: Decimal
    jump: Decimal | None = None
    timing_matters: bool = True
    may_be_undetected: bool = False


@dataclass(frozen=True)
class Reading:
    """One result as written. `value` is None only for "not detected" without a limit, and for a result in words.

    `comparator` is =, <, >, <= or >=. `unit` is a code of UNITS; "" = a unit that is not known, kept in `unit_text` as
    printed: such a value is never converted, flagged or drawn. `text` is a result in words ("no growth").
    """

    comparator: str
    value: Decimal | None
    unit: str
    detected: bool | None
    raw: str
    unit_text: str = ""
    text: str = ""


def rule_from(row: dict) -> Rule:
    """Rule of one entry of analytes.json (or of the same fields of a database row)."""
    bounds = {name: Decimal(row[name]) for name in ("hard_low", "hard_high", "soft_low", "soft_high")}
    return Rule(
        code=row["code"],
        name=row["name"],
        canonical_unit=row["canonical_unit"],
        units=tuple(row["units"]),
        jump=None if row["jump"] is None else Decimal(row["jump"]),
        timing_matters=row["timing_matters"],
        may_be_undetected=row["may_be_undetected"],
        **bounds,
    )


@cache
def library() -> dict[str, Rule]:
    """Rules by code, as shipped."""
    return {row["code"]: rule_from(row) for row in json.loads(LIBRARY.read_text("utf-8"))}


def parse(rule: Rule, text: str, unit: str = "") -> Reading:
    """Reading of what somebody typed; `unit` is the code chosen beside the box, a unit in the text goes first.

    Raises ReadingError, with words, for what is no result, is ambiguous, or lies outside the hard bounds.
    """
    plain = " ".join(text.translate(SPACES).split())
    if not plain:
        raise ReadingError("Enter a value, for example 612.")
    if len(plain) > LONGEST_TEXT:
        raise ReadingError("This is too long for a result. Enter only the value, for example 612.")
    if plain.casefold() in NOT_DETECTED:
        return _undetected(rule, unit or rule.canonical_unit, plain)
    reading = _measured(rule, plain, unit)
    _inside_hard_bounds(rule, reading.value or Decimal(0), UNITS[reading.unit])
    return reading


def _undetected(rule: Rule, unit: str, raw: str) -> Reading:
    if not rule.may_be_undetected:
        raise ReadingError(f"“{raw}” is not a result of this test. Enter the number from the report.")
    return Reading("=", None, rule.canonical_unit if unit not in rule.units else unit, False, raw)


def _measured(rule: Rule, plain: str, chosen: str) -> Reading:
    rest, detected = _detection(plain.casefold())
    rest, spelling = _without_unit(rest)
    shape = SHAPE.fullmatch(rest)
    if shape is None:
        raise ReadingError(f"“{plain}” is not a value we can read. Enter a number such as 612, or “<20”.")
    unit = unit_called(rule, shape["rest"] or spelling or chosen or rule.canonical_unit)
    sign = SIGNS.get(shape["sign"] or "", "=")
    return Reading(sign, number(rule, shape["number"], unit), unit.code, detected, plain)


def _detection(text: str) -> tuple[str, bool | None]:
    for words, detected in ((FOUND_NOT, False), (DETECTED, True)):
        for ending in sorted(words, key=len, reverse=True):
            if text.endswith(ending):
                return text.removesuffix(ending).strip(" ,("), detected
    return text, None


def _without_unit(text: str) -> tuple[str, str]:
    for spelling in SPELLINGS:
        rest = text.removesuffix(spelling)
        if rest != text and (rest.endswith(" ") or not spelling[0].isdigit()):
            return rest.strip(), spelling
    return text, ""


def unit_called(rule: Rule, name: str) -> Unit:
    """Unit of this test by its code or by any spelling of it. Raises ReadingError for a unit of another test."""
    wanted = name.strip().casefold()
    for unit in (UNITS[code] for code in rule.units):
        if wanted == unit.code or wanted in unit.spellings:
            return unit
    known = ", ".join(UNITS[code].words for code in rule.units)
    raise ReadingError(f"“{name}” is not a unit of this test. It is written in {known}.")


def number(rule: Rule, text: str, unit: Unit) -> Decimal:
    """Exact value of the digits by the rules at the top of this module. Raises ReadingError when two readings fit."""
    digits, _, exponent = text.lower().partition("e")
    plain = _without_groups(rule, digits.strip(), unit)
    value = Decimal(f"{plain}e{exponent}" if exponent else plain)
    if value.adjusted() > MOST_DIGITS:
        raise ReadingError(f"“{text}” cannot be right: it is too large.")
    if value != round(value, MOST_DECIMALS):
        raise ReadingError(f"“{text}” has more than {MOST_DECIMALS} digits after the point. Enter it as printed.")
    return value


def _without_groups(rule: Rule, digits: str, unit: Unit) -> str:
    if " " in digits:
        digits = _join(digits, " ", text=digits) if not re.search("[.,]", digits) else _spaced(digits)
    marks = [mark for mark in digits if mark in ".,"]
    if len(set(marks)) == 2:
        decimal = marks[-1]
        whole, _, fraction = digits.rpartition(decimal)
        return _join(whole, "." if decimal == "," else ",", text=digits) + "." + fraction
    if len(marks) > 1:
        return _join(digits, marks[0], text=digits)
    return _one_mark(rule, digits, marks[0], unit) if marks else digits


def _spaced(digits: str) -> str:
    parts = re.fullmatch(r"([0-9 ]+)([.,])([0-9]+)", digits)
    if parts is None:
        raise ReadingError(f"“{digits}” can be read in more than one way. Enter it without spaces or commas.")
    return _join(parts[1], " ", text=digits) + parts[2] + parts[3]


def _join(digits: str, mark: str, *, text: str) -> str:
    first, *groups = digits.split(mark)
    if (
        not 1 <= len(first) <= 3
        or not first.isdigit()
        or any(len(group) != 3 or not group.isdigit() for group in groups)
    ):
        raise ReadingError(f"“{text}” can be read in more than one way. Enter it without spaces or commas.")
    return first + "".join(groups)


def _one_mark(rule: Rule, digits: str, mark: str, unit: Unit) -> str:
    head, _, tail = digits.partition(mark)
    as_decimal, as_thousands = f"{head}.{tail}", head + tail
    if len(tail) != 3 or len(head) > 3 or head.startswith("0"):
        return as_decimal
    if mark == "," and unit.whole:
        return as_thousands
    if mark == "." and not (unit.whole and _possible(rule, as_decimal) and _possible(rule, as_thousands)):
        return as_decimal
    other = f"{head}.{tail.rstrip('0') or '0'}"
    raise ReadingError(f"“{digits}” can be {head}{tail} or {other}. Enter it so that it is clear.")


def _possible(rule: Rule, text: str) -> bool:
    return rule.hard_low <= Decimal(text) <= rule.hard_high


def canonical(rule: Rule, value: Decimal, unit: str) -> Decimal:
    """The value in the test's own unit. A power of ten is rounded to whole copies; everything else is exact."""
    written = UNITS[unit]
    if not written.power_of_ten:
        return value * written.factor
    return (Decimal(10) ** value).quantize(WHOLE_COPIES)


def _inside_hard_bounds(rule: Rule, value: Decimal, unit: Unit) -> None:
    if unit.power_of_ten and not 0 <= value <= 9:
        raise ReadingError(f"{figure(value)} cannot be a log10 value. It lies between 0 and 9.")
    own = canonical(rule, value, unit.code)
    if own == 0 and rule.may_be_undetected:
        raise ReadingError("0 is not what a laboratory reports. Enter “not detected”, or “<20” with the test’s limit.")
    if not rule.hard_low <= own <= rule.hard_high:
        low, high, words = figure(rule.hard_low), figure(rule.hard_high), UNITS[rule.canonical_unit].words
        raise ReadingError(f"{figure(value)} {unit.words} cannot be right. Possible: {low} to {high} {words}.")


def questions(rule: Rule, reading: Reading, *, before: Decimal | None = None, percent_given: bool = True) -> list[str]:
    """What looks odd and is asked before saving, in words; never converted silently (hazard H11).

    `before` is the last value in the test's own unit. An empty list means nothing is odd.
    """
    if reading.value is None or reading.comparator != "=":
        return []
    value = canonical(rule, reading.value, reading.unit)
    asked = [_unit_slip(rule, reading, value, percent_given), _outside_soft(rule, value), _jumped(rule, value, before)]
    return [question for question in asked if question][:2]


def _unit_slip(rule: Rule, reading: Reading, value: Decimal, percent_given: bool) -> str:
    fraction = value != value.to_integral_value()
    if rule.code == "cd4" and reading.unit == "cells_ul" and value < 5 and fraction:
        return f"Is {figure(value)} the count in 10⁹/L? That would be {figure(value * 1000)} cells/mm³."
    if rule.code == "cd4" and value <= 100 and not percent_given:
        return f"Is {figure(value)} the count, or the CD4+ percentage?"
    if rule.code == "hiv_rna" and reading.unit == "copies_ml" and value < 10 and fraction:
        return f"Is {figure(value)} the number of copies, or a log10 value?"
    return ""


def _outside_soft(rule: Rule, value: Decimal) -> str:
    if rule.soft_low <= value <= rule.soft_high:
        return ""
    side = "low" if value < rule.soft_low else "high"
    return f"{figure(value)} {UNITS[rule.canonical_unit].words} is unusually {side}."


def _jumped(rule: Rule, value: Decimal, before: Decimal | None) -> str:
    if rule.jump is None or not before or before / rule.jump < value < before * rule.jump:
        return ""
    return f"The result before was {figure(before)}. {figure(value)} is very different."


def below(rule: Rule, limit: Decimal, raw: str) -> Reading:
    """Reading of a number that was told to stand for "below `limit`" in the test's own unit (decision A10)."""
    reading = Reading("<", limit, rule.canonical_unit, None, raw)
    _inside_hard_bounds(rule, limit, UNITS[rule.canonical_unit])
    return reading


def figure(value: Decimal) -> str:
    """The number as people read it: thousands by commas, a leading zero, no trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_words(rule: Rule, reading: Reading, *, unit: bool = True) -> str:
    """The reading as a phrase in the unit it was written in: "less than 20 copies per mL"."""
    if reading.value is None:
        return "not detected"
    lead = {"<": "less than ", ">": "more than "}.get(reading.comparator, "")
    words = f" {UNITS[reading.unit].words}" if unit else ""
    return f"{lead}{figure(reading.value)}{words}{'' if reading.detected is None else _found(reading.detected)}"


def _found(detected: bool) -> str:
    return ", detected" if detected else ", not detected"


def in_own_unit(rule: Rule, reading: Reading) -> Reading:
    """The same reading in the test's own unit; as it is where its unit is not known."""
    if not reading.unit or reading.unit == rule.canonical_unit:
        return reading
    if reading.value is None:
        return replace(reading, unit=rule.canonical_unit)
    return replace(reading, value=canonical(rule, reading.value, reading.unit), unit=rule.canonical_unit)
