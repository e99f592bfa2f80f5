"""What holds for every text and every number, whoever made it up: tried shortly in every run, ten thousand times in the
long ones."""

import re
from decimal import Decimal

from hypothesis import strategies as st

from labs import ranges, written
from labs.units import UNITS, Reading, ReadingError, canonical, folded, in_unit, in_words, library

RULES = library()
TESTS = {code: rule for code, rule in RULES.items() if rule.units}
SPACES = "\u00a0\u2007\u2009\u202f\t"
SIGNS = ("", "<", ">", "<=", ">=", "≤", "≥", "less than ", "more than ", "at most ", "up to ", "at least ", "=")
SPELLINGS = sorted(
    {text for unit in UNITS.values() for text in (unit.ucum, unit.words, *unit.spelled.split("|")) if text}
)
WORDS = (
    "detected",
    "not detected",
    "TND",
    "undetectable",
    "see below",
    "H",
    "*",
    "log",
    "e",
    "E+3",
    "x",
    "10",
    "-",
    "+",
    "%",
)

codes = st.sampled_from(sorted(RULES))
tests = st.sampled_from(sorted(TESTS))
numbers = st.from_regex(r"[0-9]{1,7}([., ][0-9]{1,4}){0,3}(e[+-]?[0-9]{1,2})?", fullmatch=True)
results = st.lists(st.sampled_from([*SIGNS, *SPELLINGS, *WORDS, *SPACES, " ", "\n"]) | numbers, max_size=5).map("".join)
texts = results | st.text(max_size=30) | st.text(alphabet="0123456789., <>=e+-x^/uµL%", max_size=20)
units = st.just("") | st.sampled_from([*UNITS, "no unit"])
values = st.decimals(Decimal(0), Decimal(99_999_999), places=4) | st.integers(0, 10**9).map(Decimal)


def numbers_in(text: str) -> set[Decimal]:
    """Every number that somebody could find in the text: whole runs of digits, with each mark as the decimal sign."""
    plain = text.translate(dict.fromkeys(map(ord, SPACES), " "))
    starts = [
        at for at in range(len(plain)) if re.match(r"(?<![0-9.,])[0-9.]", plain[at:]) and not _goes_on(plain[:at])
    ]
    found = set()
    for start in starts:
        for end in re.finditer(r"[0-9](?=[^0-9]|$)", plain[start:]):
            run = plain[start : start + end.end()]
            if re.fullmatch(r"[0-9 .,]+", run):
                power = re.match(r"e([+-]?[0-9]{1,2})(?![0-9])", plain[start + end.end() :], re.IGNORECASE)
                found |= {number * (Decimal(10) ** int(power[1] if power else 0)) for number in _readings(run)}
    return found


def _goes_on(before: str) -> bool:
    return before[-1:].isdigit() or before[-1:] in {".", ","}


def _readings(run: str) -> set[Decimal]:
    points = [len(run), *(at for at, mark in enumerate(run) if mark in ".,")]
    halves = [(re.sub(r"[ .,]", "", run[:at]), re.sub(r"[ .,]", "", run[at:])) for at in points]
    return {Decimal(f"{whole}.{fraction}0") for whole, fraction in halves}


def storable(reading: Reading) -> None:
    """The reading fits into its columns, and says either a number, words, or that nothing was found."""
    assert reading.comparator in {"=", "<", ">", "<=", ">="}
    assert len(reading.raw) <= 60
    assert len(reading.unit_text) <= 40
    assert len(reading.text) <= 2000
    assert reading.value is not None or reading.text or reading.detected is False
    if reading.value is not None:
        assert reading.value >= 0
        assert reading.value == round(reading.value, 6)
        assert reading.value < 10**12
        assert reading.value.as_tuple().exponent <= 0


def in_a_sentence(error: ReadingError, words: str = "") -> None:
    """What was refused is explained to the writer."""
    assert str(error).strip().endswith((".", "?"))
    assert words in str(error)


def typed(code: str, text: str, unit: str) -> None:
    """Whatever is typed is a reading whose number stands in the text, or is refused in words."""
    try:
        reading = written.parse(RULES[code], text, unit)
    except ReadingError as error:
        in_a_sentence(error)
        return
    storable(reading)
    assert reading.value is None or reading.value in numbers_in(reading.raw)
    assert in_words(RULES[code], reading)
    assert isinstance(written.questions(RULES[code], reading, before=Decimal(600), percent_given=False), list)


def sent(code: str, comparator: str, number: str, unit: str) -> None:
    """Whatever a machine sends is a reading of exactly that number, or is refused in words."""
    try:
        reading = written.measured(RULES[code], comparator, number, unit)
    except ReadingError as error:
        in_a_sentence(error)
        return
    storable(reading)
    assert reading.text or reading.value == Decimal(number.strip())
    assert not reading.text or number.strip() in reading.text
    assert reading.unit in {"", *RULES[code].units}
    assert written.questions(RULES[code], reading) == [] or reading.unit


def comes_back(code: str, value: Decimal, sign: str, which: int) -> None:
    """A number with a known unit is read as it was written, typed or sent, and its words are read back."""
    rule = TESTS[code]
    unit = UNITS[rule.units[which % len(rule.units)]]
    spelling = sorted(text for text in (unit.ucum, unit.words, *unit.spelled.split("|")) if text)[which % 3 - 1]
    digits = f"{value:f}"
    try:
        reading = written.parse(rule, f"{sign}{digits} {spelling}", unit.code)
        machine = written.measured(rule, sign.strip(), digits, spelling)
    except ReadingError:
        return
    assert (reading.value, reading.unit) == (value, unit.code)
    assert (machine.value, machine.comparator) == (value, reading.comparator)
    assert machine.unit == unit.code or folded(spelling) in UNITS[machine.unit].spellings
    _words_come_back(code, reading)


def _words_come_back(code: str, reading: Reading) -> None:
    try:
        again = written.parse(RULES[code], in_words(RULES[code], reading), reading.unit)
    except ReadingError as error:
        in_a_sentence(error, "Enter it so that it is clear")  # 1,250 of what is not counted in wholes
        return
    assert (again.comparator, again.value, again.unit) == (reading.comparator, reading.value, reading.unit)


def converts_back(code: str, value: Decimal, which: int) -> None:
    """Into the test's own unit and back: the digits that were written."""
    rule = TESTS[code]
    unit = rule.units[which % len(rule.units)]
    if UNITS[unit].power_of_ten:
        value %= 9
        assert abs(canonical(rule, value, unit) - Decimal(10) ** value) <= Decimal("0.5")
    else:
        assert in_unit(rule, canonical(rule, value, unit), unit).quantize(value) == value


def bounded(text: str) -> None:
    """A range has a limit, and every limit stands in the text. Two or three points set two limits apart: "1..2"."""
    limits = ranges.printed(text)
    if limits is None:
        return
    found = [abs(limit) for limit in (limits.low, limits.high) if limit is not None]
    assert found
    assert set(found) <= numbers_in(re.sub(r"(?<![.,])\.{2,3}(?=[\s0-9+-])", " to ", text))
