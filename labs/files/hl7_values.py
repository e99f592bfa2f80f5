"""What one OBX segment says: its value, its unit, the moment of the draw. Pure; no number is invented.

A number is one only where the whole value is one: ranges, ratios, "2+", several values and words stay text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from cycles.schedule import EARLIEST, LATEST
from labs.files.candidates import DateError
from labs.files.hl7_segments import Segment, shortened
from labs.files.remarks import SAID_ELSEWHERE, off_scale, says_not_found
from labs.units import UNITS, Reading, ReadingError, Rule, known_unit
from labs.written import AS_SENT, COMPARATORS, NOT_DETECTED, figure_in, measured, number, parse

LONGEST_TEXT, LONGEST_RAW, LONGEST_UNIT = 2_000, 60, 40
IN_WORDS = {"ST", "TX", "FT", "CE", "CWE", "CNE", "CF", "IS", "ID", ""}
CODED = {"CE", "CWE", "CNE", "CF"}
NOT_READ = {"ED": "a document", "RP": "a pointer to a document"}
EQUALS = re.compile(r"^=\s*(?=[0-9])")
FOUND = {"detected": True, "(detected)": True, ", detected": True, "(not detected)": False, ", not detected": False}


def reading_of(rule: Rule, obx: Segment, notes: Sequence[str]) -> Reading | None:
    """The reading of an OBX; None where it holds no value. `notes` = what the laboratory wrote beside this result.

    Raises ReadingError, in words, for a number that cannot be a result of this test.
    """
    kind = obx.text(2).upper()
    coded = [_coded(obx, repeat) if kind in CODED else value for repeat, value in enumerate(obx.repeats(5), start=1)]
    values = {repeat: value for repeat, value in enumerate(coded, start=1) if value}
    if not values:
        return None
    if kind in NOT_READ:
        raise ReadingError(f"It holds {NOT_READ[kind]} ({kind}), which is not kept here.")
    if kind in ("NM", "SN") and len(values) == 1:
        return off_scale(_counted(rule, obx, kind, *values.popitem(), notes), obx.repeats(8))
    text = "\n".join(values.values())
    if kind in IN_WORDS and len(values) == 1:
        return off_scale(_worded(rule, text, unit_of(rule, obx)), obx.repeats(8))
    return in_words(text, unit_of(rule, obx))


def as_printed(obx: Segment) -> list[str]:
    """The values as a report prints them: "<20" where the message says "<^20"."""
    texts = [text for text in obx.repeats(5) if text]
    return [text.replace(obx.marks.component, "") for text in texts] if obx.text(2).upper() == "SN" else texts


def joined(parts: Sequence[Segment]) -> Reading | None:
    """The reading of a text that is sent as several OBX: its lines, in order."""
    text = "\n".join(value for obx in parts for value in obx.repeats(5) if value)
    return in_words(text) if text else None


def in_words(text: str, unit: str = "") -> Reading:
    """A result in words. Raises ReadingError for one that is too long: no text is ever cut."""
    if len(text) > LONGEST_TEXT:
        raise ReadingError(f"Its text has {len(text):,} letters. The most that is kept is {LONGEST_TEXT:,}.")
    return Reading("=", None, "", None, shortened(text, LONGEST_RAW), shortened(unit, LONGEST_UNIT), text)


def _coded(obx: Segment, repeat: int) -> str:
    """The words of a coded value; its code where it has none."""
    return next((text for n in (2, 5, 9, 1, 4) if (text := obx.text(5, n, repeat=repeat))), "")


# Numbers


def _counted(rule: Rule, obx: Segment, kind: str, repeat: int, whole: str, notes: Sequence[str]) -> Reading:
    structured = (obx.text(5, n, repeat=repeat) for n in range(1, 5))
    sign, digits, between, second = structured if kind == "SN" else ("", whole, "", "")
    unit = unit_of(rule, obx)
    if kind == "SN" and (between or second or sign not in COMPARATORS or not AS_SENT.fullmatch(digits)):
        return in_words(f"{sign}{digits}{between or ' '}{second}".strip() or whole, unit)
    if not AS_SENT.fullmatch(digits):
        return _worded(rule, whole, unit)
    note = _says_otherwise(rule, kind, notes) if sign in ("", "=") else ""
    return in_words(f"{digits} ({note})", unit) if note else measured(rule, sign, digits, unit)


def _says_otherwise(rule: Rule, kind: str, notes: Sequence[str]) -> str:
    """The note that takes a bare number its meaning: 999 beside "undetectable" is no count."""
    elsewhere = (note for note in notes if kind == "SN" and SAID_ELSEWHERE.search(note))
    return says_not_found(rule, notes) or next(elsewhere, "")


def _worded(rule: Rule, text: str, unit: str) -> Reading:
    """Words; a number where they are nothing else ("<20", "5.4 mmol/L"), read like a printed one."""
    if rule.may_be_undetected and text.casefold() in NOT_DETECTED:
        return parse(rule, text, known_unit(rule, unit))
    found = figure_in(EQUALS.sub("", text))
    if found is None or len(text) > LONGEST_RAW:
        return in_words(text, unit)
    rest = found.rest.strip()
    detected = FOUND.get(rest.casefold())
    if rest and detected is None:
        if not known_unit(rule, rest) or known_unit(rule, unit) not in ("", known_unit(rule, rest)):
            return in_words(text, unit)
        unit = rest
    return _printed(rule, found.comparator, found.digits, unit, text, detected)


def _printed(rule: Rule, sign: str, digits: str, unit: str, text: str, detected: bool | None) -> Reading:
    code = known_unit(rule, unit)
    if code:
        digits = f"{number(rule, digits, UNITS[code]):f}"
    elif not AS_SENT.fullmatch(digits):
        return in_words(text, unit)
    read = measured(rule, sign, digits, unit)
    return Reading(read.comparator, read.value, read.unit, detected, text, read.unit_text, read.text)


def unit_of(rule: Rule, obx: Segment) -> str:
    """The unit as printed: the name or code of OBX-6 that this test knows. Two that differ are both kept: not known."""
    said = list(dict.fromkeys(text for n in (1, 2, 4, 5) if (text := obx.text(6, n))))
    known = {code: text for text in said if (code := known_unit(rule, text))}
    if len(known) > 1:
        return shortened(" / ".join(known.values()), LONGEST_UNIT)
    words = [text for text in said if not text.isdigit()]
    return shortened(next(iter(known.values()), (words or said or [""])[0]), LONGEST_UNIT)


# When


MOMENT = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<month>[0-9]{2})(?:(?P<day>[0-9]{2})(?:(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})"
    r"(?:(?P<second>[0-9]{2})(?:\.[0-9]{1,6})?)?)?)?)?)?(?P<zone>[+-][0-9]{4})?"
)
PRECISION_BELOW_A_DAY = {"Y", "L"}  # TS.2 of HL7 2.3 and 2.4: only year, only month
PRECISION_OF_A_DAY = {"D", "H"}


@dataclass(frozen=True)
class Taken:
    """The day, the clock without a zone, or the moment where the message says the zone; as in a Line."""

    on: date | None = None
    at: time | None = None
    moment: datetime | None = None


def taken(written: str, precision: str = "", zone: str = "") -> Taken:
    """When a DTM says that blood was taken, no more exactly than it says it. `zone` is that of the whole message.

    An hour without minutes is not a time. Raises DateError, in words.
    """
    if not written:
        raise DateError("The message does not say when the blood was taken.")
    parts = MOMENT.fullmatch(written)
    if parts is None:
        raise DateError(f"“{shortened(written, 40)}” is not a date of HL7.")
    if parts["day"] is None or precision in PRECISION_BELOW_A_DAY:
        raise DateError(f"“{written}” is not a day. A result needs the day on which the blood was taken.")
    try:
        on = date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
        at = time(int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0))
        only_day = parts["minute"] is None or precision in PRECISION_OF_A_DAY
        offset = None if only_day else _zone(parts["zone"] or zone)
    except ValueError:
        raise DateError(f"“{written}” is not a moment of the calendar.") from None
    if not EARLIEST <= on <= LATEST:
        raise DateError(f"{on.isoformat()} {'is too long ago to be right' if on < EARLIEST else 'has not come yet'}.")
    if only_day:
        return Taken(on=on)
    return Taken(on=on, at=at) if offset is None else Taken(moment=datetime.combine(on, at, offset))


def zone_in(written: str) -> str:
    """The zone at the end of a DTM, "" if it names none."""
    parts = MOMENT.fullmatch(written)
    return (parts["zone"] or "") if parts else ""


def _zone(text: str) -> timezone | None:
    if not text:
        return None
    hours, minutes = int(text[1:3]), int(text[3:])
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
