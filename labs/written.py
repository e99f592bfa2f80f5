"""What people and machines write for a blood result, read without guessing: numbers, comparators, units, bounds. Pure.

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

import re
from decimal import Decimal
from typing import NamedTuple

from labs.units import (
    HIGHEST_POWER,
    MOST_DECIMALS,
    UNITS,
    Reading,
    ReadingError,
    Rule,
    Unit,
    canonical,
    figure,
    known_unit,
    unit_called,
    with_unit,
)

LONGEST_TEXT = 60
LONGEST_UNIT = 40
LONGEST_WORDS = 2000
MOST_DIGITS = 10
FEW = 5  # a count below, with a fraction, is asked
PART_OF_WHITE_CELLS = {"neutrophils", "lymphocytes", "eosinophils"}

SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ")
NUMBER = r"[0-9](?:[0-9 .,]*[0-9])?(?:[eE][+-]?[0-9]{1,2})?"
WORDS = "less than|more than|fewer than|greater than|at most|at least|up to|under|below|over|above"
SIGN = rf"<=|>=|=<|=>|[<>≤≥]|{WORDS}"
SHAPE = re.compile(rf"(?P<sign>{SIGN})?\s*(?P<number>{NUMBER})\s*(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
SIGNS = {
    "<": ("<", "less than", "fewer than", "under", "below"),
    ">": (">", "more than", "greater than", "over", "above"),
    "<=": ("<=", "=<", "≤", "at most", "up to"),
    ">=": (">=", "=>", "≥", "at least"),
    "=": ("", "="),
}
COMPARATORS = {spelling: sign for sign, spellings in SIGNS.items() for spelling in spellings}
POWER = re.compile(
    r"\s*(?:(?<=[\s0-9])[x×]|(?<=\s))\s?10(?:(?:\s?(?:\*\*?|\^)\s?|e\+?|(?=[³⁶⁹¹]))[0-9³⁶⁹¹²]{1,2}|(?:9|12)(?=\s?/\s?l\b))"
    r"\s?(?:/|[a-zµμ.]).*",
    re.DOTALL,
)
AS_SENT = re.compile(r"(?P<minus>[+-]?)(?P<digits>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)")
FOUND = (
    ("target not detected", False),
    ("not detected", False),
    ("undetectable", False),
    ("tnd", False),
    ("detected", True),
)
NOT_DETECTED = {words for words, found in FOUND if not found} | {"none detected", "undetected", "nd", "n.d."}


class Figure(NamedTuple):
    """A number as it is written: what stands before it as a comparator ("=" for nothing), its digits, what follows."""

    comparator: str
    digits: str
    rest: str


def figure_in(text: str) -> Figure | None:
    """The number that a text begins with, a sign before it or none: "<20 copies/mL". None for any other text."""
    found = SHAPE.fullmatch(text)
    return Figure(COMPARATORS[(found["sign"] or "").casefold()], found["number"], found["rest"]) if found else None


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
        return _undetected(rule, unit, plain)
    reading = _measured(rule, plain, unit)
    _inside_hard_bounds(rule, reading)
    return reading


def _undetected(rule: Rule, unit: str, raw: str) -> Reading:
    if not rule.may_be_undetected:
        raise ReadingError(f"“{raw}” is not a result of this test. Enter the number from the report.")
    return Reading("=", None, rule.canonical_unit if unit not in rule.units else unit, False, raw)


def _measured(rule: Rule, plain: str, chosen: str) -> Reading:
    rest, detected = _detection(plain.casefold())
    rest, power = _without_power(rest)
    found = figure_in(rest)
    if found is None or (power and found.rest):
        raise ReadingError(f"“{plain}” is not a value we can read. Enter a number such as 612, or “<20”.")
    if detected is not None and not rule.may_be_undetected:
        raise ReadingError(f"“{plain}” is not a result of this test. Enter the number from the report.")
    unit = unit_called(rule, power or found.rest or chosen or rule.canonical_unit, chosen)
    sign = found.comparator
    if detected is False and sign not in {"<", "<="}:
        raise ReadingError(f"“{plain}” is a number and says that nothing was found. Enter “not detected”, or “<20”.")
    return Reading(sign, number(rule, found.digits, unit), unit.code, detected, plain)


def _detection(text: str) -> tuple[str, bool | None]:
    for words, found in FOUND:
        if text.endswith((words, f"({words})")):
            return text.removesuffix(")").removesuffix(words).rstrip(" ,;("), found
        if text.startswith(words):
            rest = text.removeprefix(words).lstrip(" ,;:")
            return rest[1:-1].strip() if rest[:1] + rest[-1:] == "()" else rest, found
    return text, None


def _without_power(text: str) -> tuple[str, str]:
    """The text before a unit such as 10^9/L, whose digits are no part of the number, and that unit."""
    found = POWER.search(text)
    return (text[: found.start()], found.group().strip()) if found else (text, "")


def number(rule: Rule, text: str, unit: Unit) -> Decimal:
    """Exact value of the digits by the rules at the top of this module. Raises ReadingError when two readings fit."""
    digits, _, exponent = text.lower().partition("e")
    plain = _without_groups(rule, digits.strip(), unit)
    return _storable(Decimal(f"{plain}e{exponent}" if exponent else plain), text)


def _storable(value: Decimal, text: str) -> Decimal:
    if value and value.adjusted() > MOST_DIGITS:
        raise ReadingError(f"“{text}” cannot be right: it is too large.")
    if value.adjusted() < -MOST_DECIMALS * 2 or value != round(value, MOST_DECIMALS):
        raise ReadingError(f"“{text}” has more than {MOST_DECIMALS} digits after the point. Enter it as printed.")
    return value.quantize(1) if value.as_tuple().exponent > 0 else value  # type: ignore[operator]  # finite


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
    if mark == "." and not (unit.whole and _possible(rule, as_decimal, unit) and _possible(rule, as_thousands, unit)):
        return as_decimal
    other = f"{head}.{tail.rstrip('0') or '0'}"
    raise ReadingError(f"“{digits}” can be {head}{tail} or {other}. Enter it so that it is clear.")


def _possible(rule: Rule, text: str, unit: Unit) -> bool:
    return rule.hard_low <= canonical(rule, Decimal(text), unit.code) <= rule.hard_high


def below(rule: Rule, limit: Decimal, raw: str) -> Reading:
    """Reading of a number that was told to stand for "below `limit`" in the test's own unit (decision A10)."""
    reading = Reading("<", limit, rule.canonical_unit, None, raw)
    _inside_hard_bounds(rule, reading)
    return reading


# What machines send


def measured(rule: Rule, comparator: str, number_text: str, unit_text: str) -> Reading:
    """Reading of a number from a message: digits with a point, exactly. `comparator` "" means equal.

    A unit that is not known is kept as printed with unit "", and nothing is compared with any bound. For a test outside
    the catalogue (a rule without units), a number that no column holds exactly is kept as text. Raises ReadingError.
    """
    digits, printed = number_text.strip(), " ".join(unit_text.split())
    sign = COMPARATORS.get(comparator.strip().casefold())
    raw = f"{'' if sign == '=' else sign}{digits}"
    if sign is None or not AS_SENT.fullmatch(digits):
        raise ReadingError(f"“{comparator}{number_text}” is not a number that we can read.")
    try:
        return _as_sent(rule, sign, raw, digits, printed)
    except ReadingError:
        if rule.units or len(raw) + len(printed) >= LONGEST_WORDS:
            raise
    words = f"{raw} {printed}".strip()
    return Reading("=", None, "", None, words[:LONGEST_TEXT], printed[:LONGEST_UNIT], words)


def _as_sent(rule: Rule, sign: str, raw: str, digits: str, printed: str) -> Reading:
    value = _storable(Decimal(digits), digits)
    if value < 0 or len(raw) > LONGEST_TEXT or len(printed) > LONGEST_UNIT:
        raise ReadingError(f"“{raw} {printed}” is not a result of this test.")
    reading = Reading(sign, value, known_unit(rule, printed), None, raw, printed)
    if reading.unit:
        _inside_hard_bounds(rule, reading)
    return reading


# What cannot be, and what is asked


def _inside_hard_bounds(rule: Rule, reading: Reading) -> None:
    value, unit = reading.value or Decimal(0), UNITS[reading.unit]
    if unit.power_of_ten and not 0 <= value <= HIGHEST_POWER:
        raise ReadingError(f"{figure(value)} cannot be a log10 value. It lies between 0 and {HIGHEST_POWER}.")
    own = canonical(rule, value, unit.code)
    if own == 0 and rule.may_be_undetected:
        raise ReadingError("0 is not what a laboratory reports. Enter “not detected”, or “<20” with the test’s limit.")
    if not rule.hard_low <= own <= rule.hard_high:
        if rule.code == "cd4_percent" and own > rule.hard_high:
            raise ReadingError(f"{figure(value)} % cannot be right. Is it the CD4+ count?")
        low, high = figure(rule.hard_low), _with(rule.hard_high, UNITS[rule.canonical_unit])
        words = f"{_with(value, unit)} cannot be right. Possible: {low} to {high}."
        others = [other.words for other in _plausible_in(rule, reading)]
        raise ReadingError(
            f"{words} Is it in {' or '.join(others)}? Choose the unit on the report." if others else words
        )


def _with(value: Decimal, unit: Unit) -> str:
    return with_unit(figure(value), unit.words)


def _plausible_in(rule: Rule, reading: Reading) -> list[Unit]:
    """The other units of this test in which the number would not be unusual, one for each meaning."""
    value, meant = reading.value or Decimal(0), {rule.factors[reading.unit]}
    found = []
    for code, operation in rule.factors.items():
        if operation in meant or (operation.power_of_ten and not 0 < value <= HIGHEST_POWER):
            continue
        meant.add(operation)
        if value and rule.soft_low <= operation.forward(value) <= rule.soft_high:
            found.append(UNITS[code])
    return found


def questions(rule: Rule, reading: Reading, *, before: Decimal | None = None, percent_given: bool = True) -> list[str]:
    """What looks odd and is asked before saving, in words; never converted silently (hazard H11).

    `before` is the last value in the test's own unit. A likely slip is named in place of "unusually low". An empty list
    means nothing is odd, or that it cannot be known.
    """
    if reading.value is None or reading.comparator != "=" or not reading.unit:
        return []
    value = canonical(rule, reading.value, reading.unit)
    slip = _slip(rule, reading, value, percent_given)
    asked = [slip or _outside_soft(rule, value), _jumped(rule, value, before)]
    return [question for question in asked if question]


def _slip(rule: Rule, reading: Reading, value: Decimal, percent_given: bool) -> str:
    typed = figure(reading.value or Decimal(0))
    if rule.code == "cd4" and reading.unit == "cells_ul" and value < FEW and value != value.to_integral_value():
        return f"Is {typed} the count in 10⁹/L? That would be {figure(value * 1000)} cells/mm³."
    if rule.code == "cd4" and value <= 100 and not percent_given:
        return f"Is {figure(value)} the count, or the CD4+ percentage?"
    return "" if rule.soft_low <= value <= rule.soft_high else _other_meaning(rule, reading, value, typed)


def _other_meaning(rule: Rule, reading: Reading, value: Decimal, typed: str) -> str:
    if rule.code in PART_OF_WHITE_CELLS and rule.soft_high < value <= 100 and reading.unit != "cells_ul":
        return f"Is {typed} the count, or a percentage of the white cells?"
    others = _plausible_in(rule, reading)
    if any(other.power_of_ten for other in others):
        return f"Is {typed} the number of copies, or a log10 value?"
    if not others:
        return ""
    return f"Is {typed} in {UNITS[reading.unit].words}, or in {' or '.join(other.words for other in others)}?"


def _outside_soft(rule: Rule, value: Decimal) -> str:
    if rule.soft_low <= value <= rule.soft_high:
        return ""
    side = "low" if value < rule.soft_low else "high"
    return f"{_with(value, UNITS[rule.canonical_unit])} is unusually {side}."


def _jumped(rule: Rule, value: Decimal, before: Decimal | None) -> str:
    if rule.jump is None or not before or before / rule.jump < value < before * rule.jump:
        return ""
    return f"The result before was {figure(before)}. {figure(value)} is very different."
