"""What one FHIR Observation, or one component of it, says: value, range, flag, notes. Pure; no number is invented."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labs import written
from labs.files.fhir_json import Number, concept, mapping, passage, sequence, text
from labs.files.remarks import off_scale, says_not_found
from labs.units import Reading, ReadingError, Rule, known_unit

COMPARATORS = ("", "<", "<=", ">=", ">")
LONGEST_FLAG, LONGEST_RANGE, LONGEST_TEXT, LONGEST_UNIT = 20, 60, 2000, 40
FOUND_MARKS = {"ND": False, "DET": True}  # HL7's marks for "not detected" and "detected" (v3 ObservationInterpretation)
PRINTED_UNIT = "urn:diary:printed-unit"
"""Extension of our own export on a text: the unit that was printed beside it, which a valueString has no place for."""
OWN_REMARK = "diary"
"""Author of the notes that our own export adds about reliability: never read back, it is worked out anew (2.3)."""


@dataclass(frozen=True)
class Value:
    """A value as it stands in the file. Without a reading: `problem` says why it cannot be read, else none was sent."""

    raw: str = ""
    reading: Reading | None = None
    problem: str = ""


def value_of(part: Mapping[str, Any], rule: Rule, notes: Sequence[str] = ()) -> Value:
    """The one value[x] of an Observation or a component. `notes` = what the laboratory wrote beside it."""
    kinds = [name for name in part if name.startswith("value") and part[name] is not None]
    if not kinds:
        return Value()
    if len(kinds) > 1:
        return Value(problem="It has two values. Only one can be right.")
    if part.get("dataAbsentReason"):
        return Value(problem="It has a value, and a reason why there is none.")
    read = KINDS.get(kinds[0])
    if read is None:
        return Value(problem=f"A value of this kind ({text(kinds[0])[:40]}) cannot be kept here.")
    return _beside(_with_unit(read(part[kinds[0]], rule), part), rule, part, notes)


def _with_unit(value: Value, part: Mapping[str, Any]) -> Value:
    extensions = [mapping(each) for each in sequence(mapping(part.get("_valueString")).get("extension"))]
    unit = next((text(each.get("valueString")) for each in extensions if text(each.get("url")) == PRINTED_UNIT), "")
    if not unit or value.reading is None or not value.reading.text:
        return value
    return replace(value, reading=replace(value.reading, unit_text=unit[:LONGEST_UNIT]))


def _beside(value: Value, rule: Rule, part: Mapping[str, Any], notes: Sequence[str]) -> Value:
    """The value with what a mark or a note says of its detection: 999 that is "undetectable" is no count (H12)."""
    if value.reading is None or value.reading.value is None:
        return value
    marks = _marks(part)
    value = replace(value, reading=off_scale(value.reading, marks))
    bare = value.reading is not None and value.reading.value is not None and value.reading.comparator == "="
    if bare and (said := says_not_found(rule, notes)):
        return _in_words(f"{value.raw} ({said})", rule)
    return _found(value, rule, marks, notes)


def _found(value: Value, rule: Rule, marks: Sequence[str], notes: Sequence[str]) -> Value:
    """The value with whether anything was found, where somebody says it in so many words."""
    reading = value.reading
    if not rule.may_be_undetected or reading is None or reading.value is None:
        return value
    said = any(note.casefold().strip(" .") in written.NOT_DETECTED for note in notes)
    found = False if said else next((FOUND_MARKS[mark] for mark in marks if mark in FOUND_MARKS), None)
    if found is False and reading.comparator == "=":
        return _in_words(f"{value.raw} (not detected)", rule)
    return value if found is None else replace(value, reading=replace(reading, detected=found))


def _quantity(quantity: Any, rule: Rule) -> Value:
    """A number with its unit: exact, and of the test's own units only if the file names one of them."""
    own = mapping(quantity)
    sign, digits, printed = text(own.get("comparator")), own.get("value"), text(own.get("unit"))
    raw = _written(own)
    if not isinstance(digits, Number):
        return Value(raw, problem="Its value is no number.")
    if sign not in COMPARATORS:
        return Value(raw, problem=f"“{sign[:10]}” is not a sign we know before a number.")
    code = text(own.get("code"))
    by_code = known_unit(rule, code) if code else ""
    known = known_unit(rule, printed, by_code) if printed else by_code
    if known and by_code and known_unit(rule, code, known) != known:
        return Value(raw, problem=f"Its unit is written as “{printed}” and coded as “{code}”.")
    return _number(raw, rule, sign, digits, known or by_code or printed or code, printed or code)


def _number(raw: str, rule: Rule, sign: str, digits: str, unit: str, printed: str) -> Value:
    try:
        reading = written.measured(rule, sign, digits, unit)
    except ReadingError as error:
        return Value(raw, problem=str(error))
    return Value(raw, reading if reading.value is None else replace(reading, unit_text=printed[:LONGEST_UNIT]))


def _written(quantity: Mapping[str, Any]) -> str:
    """A Quantity as people write it: "<20 copies/mL"."""
    digits, unit = quantity.get("value"), text(quantity.get("unit")) or text(quantity.get("code"))
    return f"{text(quantity.get('comparator'))}{digits if isinstance(digits, Number) else ''} {unit}".strip()


def _in_words(said: str, rule: Rule) -> Value:
    """A result in words. "Not detected" is a result of its own where a test can have it (H12)."""
    if not said:
        return Value(problem="Its value is empty.")
    if len(said) > LONGEST_TEXT:
        return Value(
            said[:60], problem=f"Its text has {len(said):,} letters. The most that is kept is {LONGEST_TEXT:,}."
        )
    if rule.may_be_undetected and said.casefold() in written.NOT_DETECTED:
        return Value(said, written.parse(rule, said))
    return Value(said, Reading("=", None, "", None, said[:60], text=said))


def _string(value: Any, rule: Rule) -> Value:
    """Words; a number only where the words name a unit of this test, and it can be read in one way alone."""
    said = passage(value)
    found = written.figure_in(said)
    if found and rule.units and " " not in found.digits and known_unit(rule, found.rest):
        try:
            return Value(said, written.parse(rule, said))
        except ReadingError:
            pass
    return _in_words(said, rule)


def _whole(value: Any, rule: Rule) -> Value:
    if not isinstance(value, Number):
        return Value(problem="Its value is no number.")
    return _number(str(value), rule, "", value, "", "")


def _truth(value: Any, rule: Rule) -> Value:
    return _in_words({True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else "", rule)


def _between(value: Any, rule: Rule) -> Value:
    low, high = (_written(mapping(mapping(value).get(end))) for end in ("low", "high"))
    return _in_words(f"{low} to {high}" if low and high else f"from {low}" if low else high and f"up to {high}", rule)


def _ratio(value: Any, rule: Rule) -> Value:
    above, below = (_written(mapping(mapping(value).get(end))) for end in ("numerator", "denominator"))
    return _in_words(f"{above}:{below}" if above and below else "", rule)


KINDS: dict[str, Callable[[Any, Rule], Value]] = {
    "valueQuantity": _quantity,
    "valueString": _string,
    "valueCodeableConcept": lambda value, rule: _in_words(concept(value), rule),
    "valueInteger": _whole,
    "valueBoolean": _truth,
    "valueRange": _between,
    "valueRatio": _ratio,
    "valueDateTime": lambda value, rule: _in_words(text(value), rule),
    "valueTime": lambda value, rule: _in_words(text(value), rule),
}


# Beside the value


def flag_of(part: Mapping[str, Any]) -> tuple[str, str]:
    """The laboratory's mark ("H"), and its remark where it wrote a sentence in place of a mark."""
    joined = ", ".join(mark for mark in _marks(part) if mark not in FOUND_MARKS)
    return (joined, "") if len(joined) <= LONGEST_FLAG else ("", joined)


def _marks(part: Mapping[str, Any]) -> list[str]:
    said = [mapping(each) for each in sequence(part.get("interpretation"))]
    codes = [text(mapping(c).get("code")) for each in said for c in sequence(each.get("coding"))]
    return list(dict.fromkeys([code for code in codes if code] or [name for each in said if (name := concept(each))]))


def range_of(part: Mapping[str, Any]) -> tuple[str, str]:
    """The range as printed; and in place of one that is too long or one of several, the remark that holds it."""
    ranges = [mapping(each) for each in sequence(part.get("referenceRange"))]
    usual = [each for each in ranges if not _kind_of_range(each) or "normal" in _kind_of_range(each)]
    unit = _unit(mapping(part.get("valueQuantity")))
    said = [words for each in usual or ranges if (words := _range(each, unit))]
    if len(said) == 1 and len(said[0]) <= LONGEST_RANGE:
        return said[0], ""
    return "", f"Printed range: {'; '.join(said)}" if said else ""


def _kind_of_range(each: Mapping[str, Any]) -> str:
    return concept(each.get("type")).casefold()


def _unit(quantity: Mapping[str, Any]) -> str:
    return text(quantity.get("unit")) or text(quantity.get("code"))


def _range(each: Mapping[str, Any], unit: str) -> str:
    if said := text(each.get("text")):
        return said
    ends = [mapping(each.get(end)) for end in ("low", "high")]
    low, high = (str(end.get("value")) if isinstance(end.get("value"), Number) else "" for end in ends)
    other = next((name for end in ends if (name := _unit(end)) and name.casefold() != unit.casefold()), "")
    between = " to " if "-" in low + high else "–"
    words = f"{low}{between}{high}" if low and high else f"≥{low}" if low else high and f"≤{high}"
    return f"{words} {other}".strip() if words else ""


def notes_of(part: Mapping[str, Any]) -> list[str]:
    """What the laboratory wrote beside it."""
    notes = [mapping(each) for each in sequence(part.get("note"))]
    said = [passage(note.get("text")) for note in notes if text(note.get("authorString")) != OWN_REMARK]
    return [note for note in said if note]
