"""Laboratory results in HL7 v2 messages (ORU^R01, versions 2.3 to 2.6): one line per OBX, with a verdict each. Pure.

What an OBX does not say itself is taken from its order (ORC, OBR, SPM) and its patient (PID), from nowhere else. Where
one of them cannot be read, nor can its results. Times of reporting (MSH-7, OBR-22) are never the time of a draw (H32).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labs import catalogue
from labs.files import not_blood
from labs.files.candidates import OTHER, DateError, Line, Stage, Status, identity
from labs.files.hl7_orders import LONGEST_NOTE, Order, Result, broken, orders, remarks
from labs.files.hl7_segments import Message, Segment, messages, shortened
from labs.files.hl7_values import Taken, as_printed, joined, reading_of, taken
from labs.units import Reading, ReadingError, Rule

VERSIONS = {"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6"}
STAGES = {"F": Stage.FINAL, "U": Stage.FINAL, "C": Stage.CORRECTED}
STAGES |= dict.fromkeys("PRS", Stage.PRELIMINARY)
NO_RESULT = {
    "I": (Status.PENDING, "The laboratory has no value yet."),
    "X": (Status.CANCELLED, "The laboratory cancelled it."),
    "N": (Status.CANCELLED, "The test was not asked for."),
    "O": (Status.CANCELLED, "It is the order alone, without a result."),
}
WITHDRAWN = dict.fromkeys("DW", "The laboratory says that this was a mistake.")
OF_THE_ORDER = {"F", "C", "P", "R"}  # OBR-25, where OBX-11 is empty
LOINC = {"LN", "LOINC"}
LONGEST = {"name": 120, "laboratory": 120, "flag": 20, "specimen": 40, "external_id": 160, "note": LONGEST_NOTE}
UNIQUE = 6  # app's own: the length from which the number of an order is believed to be used once
LONGEST_RANGE, LONGEST_RAW, LONGEST_KIND = 60, 200, 40


def lines(data: bytes, rules: Mapping[str, Rule]) -> Iterator[Line]:
    """Every result of a file of messages, in order. Raises FileError for what holds no HL7 message at all."""
    for message in messages(data):
        words = message.problem or _refused(message)
        if words:
            yield Line(message.header.line, "", _kind(message), _shown(message.header), Status.NOT_UNDERSTOOD, words)
            continue
        for order in orders(message):
            yield from _of_order(order, rules)


def _refused(message: Message) -> str:
    header = message.header
    if header.problem:
        return broken(header)
    if _kind(message) != "ORU^R01":
        return f"This message is {_kind(message) or 'nothing'}, not results of a laboratory (ORU^R01). It is not read."
    version = header.text(12)
    if version not in VERSIONS:
        return f"This message is HL7 version “{shortened(version, 20)}”. We read 2.3 to 2.6."
    if not any(segment.name == "OBX" for segment in message.rest):
        return "This message holds no results."
    return ""


def _kind(message: Message) -> str:
    kinds = (message.header.text(9, n) for n in (1, 2)) if message.header.name else ()
    return shortened("^".join(kinds).strip("^"), LONGEST_KIND)


def _shown(segment: Segment) -> str:
    return segment.marks.read(segment.written)[:LONGEST_RAW]


# From an order to its lines


def _of_order(order: Order, rules: Mapping[str, Rule]) -> Iterator[Line]:
    for stray in order.stray:
        words = stray.problem and broken(stray)
        yield Line(stray.line, "", "", _shown(stray), Status.NOT_UNDERSTOOD, words or "This line is no segment of HL7.")
    found = [_line(order, result, rules) for result in order.results]
    versions = Counter(_version(line) for line in found)
    for line in found:
        alike = _version(line) and versions[_version(line)] > 1
        yield replace(line, external_id="") if alike else line


def _version(line: Line) -> tuple[str, Stage] | None:
    """What only one value may be under one number: its preliminary value, its final one."""
    stands = line.external_id and line.status in (Status.READY, Status.NEEDS_DATE) and line.stage is not Stage.CORRECTED
    return (line.external_id, line.stage) if stands else None


def _line(order: Order, result: Result, rules: Mapping[str, Rule]) -> Line:
    """One result, with the first thing that stands against it."""
    obx = result.obx
    parts = [obx, *result.more, *result.notes]
    problem = order.problem or next((broken(part) for part in parts if part.problem), "") or result.problem
    if problem:
        return Line(obx.line, order.patient, "", _shown(obx), Status.NOT_UNDERSTOOD, problem, person=order.whom)
    draft = _described(order, result, rules)
    if draft.analyte == OTHER and (fact := not_blood.fact(_loincs(obx), obx.text(6) or obx.text(6, 2))):
        return replace(draft, status=Status.SKIPPED, reason=fact, **_when(order, obx))
    status = (obx.text(11) or (order.status if order.status in OF_THE_ORDER else "")).upper()
    if status in NO_RESULT:
        verdict, words = NO_RESULT[status]
        return replace(draft, status=verdict, reason=words, **_when(order, obx))
    if status not in STAGES and status not in WITHDRAWN:
        words = f"The status of this result (OBX-11) is “{shortened(status, 20)}”. We do not know it."
        return replace(draft, reason=words if status else "The message does not say how far this result is (OBX-11).")
    return _judged(order, result, replace(draft, stage=STAGES.get(status, Stage.FINAL)), status, rules)


def _judged(order: Order, result: Result, draft: Line, status: str, rules: Mapping[str, Rule]) -> Line:
    obx, withdrawn = result.obx, status in WITHDRAWN
    try:
        reading = _reading(order, result, rules[draft.analyte])
    except ReadingError as error:
        if not withdrawn:
            return replace(draft, reason=str(error))
        reading = None
    if withdrawn:
        said = {"reason": WITHDRAWN[status], **_when(order, obx)}
        return replace(draft, status=Status.WITHDRAWN, reading=reading, **said)
    if reading is None:
        return _without_value(draft, status, _when(order, obx))
    draft = replace(draft, reading=reading)
    try:
        when = _taken(order, obx)
    except DateError as error:
        return replace(draft, status=Status.NEEDS_DATE, reason=str(error))
    if obx.open_end and not obx.text(11):
        return replace(draft, reading=None, reason="The file ends within this result: it may be cut.")
    return replace(draft, status=Status.READY, on=when.on, at=when.at, moment=when.moment)


def _without_value(draft: Line, status: str, when: Mapping[str, object]) -> Line:
    if status == "C":
        return replace(draft, reason="The laboratory corrects this result, and sends no value. Ask the laboratory.")
    words = "The message holds no value for it."
    return replace(draft, status=Status.PENDING, reason=words, **when)  # type: ignore[arg-type]


def _reading(order: Order, result: Result, rule: Rule) -> Reading | None:
    if result.more:
        return joined([result.obx, *result.more])
    beside = [*remarks(result.notes), *(order.remarks if len(order.results) == 1 else [])]
    return reading_of(rule, result.obx, beside)


def _described(order: Order, result: Result, rules: Mapping[str, Rule]) -> Line:
    """Everything that stands beside the value."""
    obx = result.obx
    printed, beside = obx.text(7), [*order.remarks, *remarks(result.notes)]
    if len(printed) > LONGEST_RANGE:
        printed, beside = "", [f"Printed range: {printed}", *beside]
    said = {
        "name": _name(obx),
        "flag": ", ".join(text for text in obx.repeats(8) if text),
        "laboratory": obx.text(23) or obx.text(15, 2) or obx.text(15) or order.sender,
        "note": "\n".join(beside),
    }
    kept: dict[str, Any] = {name: shortened(text, LONGEST[name]) for name, text in said.items()}
    return Line(
        line=obx.line,
        patient=order.patient,
        raw="\n".join(text for part in (obx, *result.more) for text in as_printed(part))[:LONGEST_RAW],
        status=Status.NOT_UNDERSTOOD,
        analyte=_analyte(order, obx, rules),
        printed_range=printed,
        specimen=identity(order.specimen, LONGEST["specimen"]),
        external_id=identity(_external_id(order, obx), LONGEST["external_id"]),
        person=order.whom,
        **kept,
    )


# Which test


def _name(obx: Segment) -> str:
    return next((text for n in (2, 5, 9, 1, 4) if (text := obx.text(3, n))), "")


def _loincs(obx: Segment) -> list[str]:
    return [obx.text(3, n) for n in (1, 4) if obx.text(3, n + 2).upper() in LOINC and obx.text(3, n)]


def _analyte(order: Order, obx: Segment, rules: Mapping[str, Rule]) -> str:
    """By LOINC; by name only where no LOINC says that it is another test, and the specimen may be blood."""
    loincs, unit = _loincs(obx), obx.text(6) or obx.text(6, 2)
    may_be_blood = not not_blood.is_specimen(order.material)
    names = [text for n in (2, 5, 1, 4) if (text := obx.text(3, n))] if may_be_blood else []
    code = catalogue.meant(loincs, names, unit)
    return code if code in rules and code else OTHER


# When, and under which number


def _taken(order: Order, obx: Segment) -> Taken:
    for segment, number in ((obx, 14), (order.request, 7)):
        if segment and segment.text(number):
            return taken(segment.text(number), segment.text(number, 2), order.zone)
    if len(order.collected) > 1:
        raise DateError(
            "Its specimens were taken at different times, and the message does not say which one it is from."
        )
    return taken("".join(order.collected), "", order.zone)


def _when(order: Order, obx: Segment) -> dict[str, Any]:
    """When the blood was taken, for what needs no date."""
    try:
        when = _taken(order, obx)
    except DateError:
        return {}
    return {"on": when.on, "at": when.at, "moment": when.moment}


def _external_id(order: Order, obx: Segment) -> str:
    """What stays the same over all versions of a result: the order, the test, the sub-id (OBX-4).

    Short numbers are used again: such an order is another one on another day, so that no result corrects an older one.
    """
    number, giver = order.filler
    test = obx.text(3, 1) or obx.text(3, 4) or obx.text(3, 2)
    if not number or not test:
        return ""
    when = _when(order, obx) if len(number) < UNIQUE else {}
    day = when.get("on") or (when["moment"].date() if when.get("moment") else "")
    return "|".join((giver or order.sender, f"{number} {day}".strip(), test, "&".join(obx.repeats(4))))
