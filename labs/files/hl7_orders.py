"""From the segments of an HL7 message to its orders: which result belongs to which request, notes and patient. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from labs.files.candidates import Person
from labs.files.hl7_segments import Message, Segment, shortened
from labs.files.hl7_values import zone_in

SENT_IN_LINES = {"TX", "FT", "ST"}
LONGEST_NAME, LONGEST_NOTE = 120, 2_000


@dataclass
class Result:
    """An OBX, the notes under it, and other OBX that continue its text."""

    obx: Segment
    notes: list[Segment] = field(default_factory=list)
    more: list[Segment] = field(default_factory=list)
    problem: str = ""


@dataclass
class Order:
    """What stands between one OBR and the next, with the patient it is about."""

    header: Segment
    person: Segment | None = None
    common: Segment | None = None
    request: Segment | None = None
    specimens: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    stray: list[Segment] = field(default_factory=list)

    @cached_property
    def problem(self) -> str:
        """Why nothing of this order can be read, in words."""
        parts = [self.header, self.person, self.common, self.request, *self.specimens, *self.notes]
        return next((broken(part) for part in parts if part and part.problem), "")

    @cached_property
    def remarks(self) -> list[str]:
        """What the laboratory wrote beside the whole order."""
        return remarks(self.notes)

    @cached_property
    def patient(self) -> str:
        """The laboratory's number of the patient."""
        return shortened(self.person.part(3), LONGEST_NAME) if self.person else ""

    @cached_property
    def whom(self) -> Person | None:
        """The patient as the message says."""
        return _person(self.person) if self.person and not self.person.problem else None

    @cached_property
    def material(self) -> str:
        """What the specimen is, by SPM-4 or OBR-15."""
        said = [segment.text(4, n) for segment in self.specimens for n in (1, 2, 4, 5)]
        return re.sub(r"[\^&]", " ", " ".join([*said, *(self.request.repeats(15) if self.request else [])]))

    @cached_property
    def collected(self) -> set[str]:
        """The moments at which its specimens were taken, as written in SPM-17."""
        return {text for segment in self.specimens if (text := segment.text(17))}

    @cached_property
    def filler(self) -> tuple[str, str]:
        """The laboratory's number of the order, and who gave it; "" where there is none."""
        for segment in (self.request, self.common):
            if segment and segment.part(3):
                return segment.part(3), segment.text(3, 2)
        return "", ""

    @cached_property
    def specimen(self) -> str:
        """The laboratory's number of the specimen, else of the order; "" where there are several."""
        numbers = {text for segment in self.specimens if (text := segment.part(2, 2) or segment.part(2))}
        return numbers.pop() if len(numbers) == 1 else "" if numbers else self.filler[0]

    @cached_property
    def status(self) -> str:
        """How far the order is, by OBR-25."""
        return self.request.text(25) if self.request else ""

    @cached_property
    def sender(self) -> str:
        """The laboratory that sent the message."""
        return self.header.text(4)

    @cached_property
    def zone(self) -> str:
        """The zone of the whole message, "" if it names none."""
        return zone_in(self.header.text(7))


def remarks(notes: Iterable[Segment]) -> list[str]:
    """The texts of some NTE, and no more of them than are kept."""
    found: list[str] = []
    for note in notes:
        text = "\n".join(text for text in note.repeats(3) if text)
        found += [text] if text else []
        if sum(map(len, found)) > LONGEST_NOTE:
            break
    return found


def _person(pid: Segment) -> Person:
    names = [pid.text(5, 2), pid.text(5, 3), pid.part(5)]
    born = re.match(r"([0-9]{4})([0-9]{2})?([0-9]{2})?", pid.text(7))
    year = int(born[1]) if born and int(born[1]) else None
    name = shortened(" ".join(name for name in names if name), LONGEST_NAME)
    return Person(name, _birth(born), year, shortened(pid.part(3), LONGEST_NAME))


def _birth(born: re.Match[str] | None) -> date | None:
    try:
        return date(int(born[1]), int(born[2]), int(born[3])) if born and born[3] else None
    except ValueError:
        return None


def broken(segment: Segment) -> str:
    """What is wrong with a segment, with its place."""
    return f"Line {segment.line} ({segment.name or 'no segment'}) {segment.problem}."


def orders(message: Message) -> Iterator[Order]:
    """The orders of a message, each with the patient that stands above it."""
    order, last = Order(message.header), ""
    for segment in message.rest:
        begins = {"PID": True, "ORC": bool(order.request or order.results), "OBR": bool(order.request or order.results)}
        if begins.get(segment.name):
            yield order
            person = segment if segment.name == "PID" else order.person
            order = Order(message.header, person)
        last = _add(order, segment, last)
    yield order


def _add(order: Order, segment: Segment, last: str) -> str:
    """Put a segment where it belongs; returns what a note after it would be about."""
    match segment.name:
        case "ORC":
            order.common = segment
        case "OBR":
            order.request = segment
        case "SPM":
            order.specimens.append(segment)
        case "OBX":
            _add_result(order, segment)
        case "NTE":
            _add_note(order, segment, last)
            return last
        case "":
            _add_stray(order, segment, last)
            return last
    return segment.name


def _add_result(order: Order, obx: Segment) -> None:
    """A text that is sent line by line, in several OBX with one name, is one result."""
    before = order.results[-1] if order.results else None
    if before and not before.notes and _continues(before.more[-1] if before.more else before.obx, obx):
        before.more.append(obx)
    else:
        order.results.append(Result(obx))


def _continues(one: Segment, other: Segment) -> bool:
    same = all(one.fields[n : n + 1] == other.fields[n : n + 1] for n in (2, 3, 4, 11, 14))
    texts = one.text(2) in SENT_IN_LINES and not (one.problem or other.problem)
    unmarked = not any(segment.text(n) for segment in (one, other) for n in (6, 7, 8))
    return same and texts and unmarked and any(any(segment.repeats(5)) for segment in (one, other))


def _add_note(order: Order, note: Segment, last: str) -> None:
    if last == "OBX":
        order.results[-1].notes.append(note)
    elif last in ("OBR", "ORC", "SPM"):
        order.notes.append(note)


def _add_stray(order: Order, stray: Segment, last: str) -> None:
    """A line that is no segment: what stands before it may be cut, so that it is not believed."""
    if last == "OBX":
        order.results[-1].problem = f"Line {stray.line}, after this result, is no segment: the result may be cut."
    else:
        order.stray.append(stray)
