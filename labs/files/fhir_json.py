"""From the bytes of a file to FHIR resources: one resource, a bundle, or one resource on each line. Pure.

A number stays the text that stands in the file until somebody reads it as a result: "1.00" is never 1.0, and no number
is too large to be looked at. What is not where it belongs reads as empty, so that no file can break a reader.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from labs.files.candidates import FileError

BUNDLES_WITHIN = 3  # app's own: how deep bundles may stand in bundles
BROKEN = "\ufffd"
UNWRITABLE = re.compile("[\0\ud800-\udfff]")  # what JSON can spell and no database keeps


class Number(str):
    """The digits of a JSON number, as they stand in the file."""

    __slots__ = ()


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value as one line if it is text, else nothing. Characters that nobody can write down are marked."""
    if not isinstance(value, str) or isinstance(value, Number):
        return ""
    return " ".join(UNWRITABLE.sub(BROKEN, value).split())


def passage(value: Any) -> str:
    """The same for a text of several lines."""
    if not isinstance(value, str) or isinstance(value, Number):
        return ""
    return UNWRITABLE.sub(BROKEN, value).strip()


def concept(value: Any) -> str:
    """What a CodeableConcept is called: its text, else the first display, else the first code."""
    own, codings = mapping(value), [mapping(coding) for coding in sequence(mapping(value).get("coding"))]
    names = [text(own.get("text")), *(text(c.get("display")) for c in codings), *(text(c.get("code")) for c in codings)]
    return next((name for name in names if name), "")


@dataclass(frozen=True)
class Placed:
    """A resource and where it stands: its place in the bundle or its line, counted from 1. `problem` = none is there.

    `parent` is the resource that contains it.
    """

    line: int
    resource: Mapping[str, Any]
    url: str = ""
    problem: str = ""
    parent: Mapping[str, Any] | None = None

    @property
    def kind(self) -> str:
        """Observation, Patient …"""
        return text(self.resource.get("resourceType"))

    @property
    def own_reference(self) -> str:
        """How others in the file name it: "Observation/1"; nothing without an id."""
        own = text(self.resource.get("id"))
        return f"{self.kind}/{own}" if own else ""


@dataclass
class Content:
    """Every resource of a file in order, found by what refers to it."""

    placed: list[Placed]
    by_reference: dict[str, Placed | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.placed:
            for name in {each.url, each.own_reference} - {""}:
                known = self.by_reference.setdefault(name, each)
                if known is not None and known.url != each.url:
                    self.by_reference[name] = None  # two servers gave it to two things: it names neither

    def find(self, reference: Any, within: Placed) -> Placed | None:
        """What a Reference inside `within` points to, if it is in the file."""
        name = text(mapping(reference).get("reference"))
        if name.startswith("#"):
            return next((each for each in contained(within) if "#" + text(each.resource.get("id")) == name), None)
        return self.by_reference.get(name) or self.by_reference.get(name.partition("/_history/")[0])


def contained(placed: Placed) -> Iterator[Placed]:
    """The resources inside a resource, and for one of those its neighbours."""
    holder = placed.parent if placed.parent is not None else placed.resource
    for inner in sequence(holder.get("contained")):
        if isinstance(inner, dict):
            yield Placed(placed.line, inner, parent=holder)


def read(data: bytes) -> Content:
    """Every resource of the file. Raises FileError for what is no FHIR in JSON."""
    written = decoded(data)
    try:
        whole = parsed(written)
    except json.JSONDecodeError as error:
        placed = _by_lines(written)
        if placed is None:
            raise FileError(f"This JSON cannot be read: something is wrong in line {error.lineno}.") from None
        return Content(placed)
    if not isinstance(whole, dict) or not text(whole.get("resourceType")):
        raise FileError("This JSON is no FHIR resource: it does not say its resourceType.")
    return Content(list(_unpacked(whole, 1)))


def decoded(data: bytes) -> str:
    """The text of the file. Raises FileError with the line that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(f"This file is not UTF-8: line {line} holds a character that cannot be read.") from None


def parsed(written: str) -> Any:
    """What the JSON says, every number as a Number. Raises JSONDecodeError, and FileError for what is ambiguous."""
    try:
        return json.loads(
            written, parse_float=Number, parse_int=Number, parse_constant=_no_number, object_pairs_hook=_object
        )
    except RecursionError:
        raise FileError("This JSON is nested so deeply that it cannot be results.") from None


def _no_number(name: str) -> Any:
    raise FileError(f"“{name}” is no number of JSON. Export the file again.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(name for name in made if sum(name == other for other, _value in pairs) > 1)
        raise FileError(f"This JSON says “{text(twice)[:40]}” twice in one place: nobody can know which is meant.")
    return made


def _by_lines(written: str) -> list[Placed] | None:
    """One resource on each line; None if the first line is no resource, so that the file is no such list."""
    placed: list[Placed] = []
    for number, line in enumerate(written.split("\n"), 1):
        if not line.strip():
            continue
        try:
            resource = mapping(parsed(line))
        except json.JSONDecodeError:
            resource = {}
        if not text(resource.get("resourceType")):
            if not placed:
                return None
            placed.append(Placed(number, {}, problem="This line is no FHIR resource."))
            continue
        placed += _unpacked(resource, 1, number)
    return placed or None


def _unpacked(resource: Mapping[str, Any], depth: int, line: int | None = None) -> Iterator[Placed]:
    """The resource itself, or what a bundle holds. `line` is where it all stands, if not each its own place."""
    if text(resource.get("resourceType")) != "Bundle":
        yield Placed(line or 1, resource)
        return
    for place, entry in enumerate(_entries(resource), 1):
        inner, url = mapping(entry).get("resource"), text(mapping(entry).get("fullUrl"))
        if not isinstance(inner, dict) or not text(inner.get("resourceType")):
            yield Placed(line or place, {}, problem="This entry holds no FHIR resource.")
        elif text(inner.get("resourceType")) == "Bundle" and depth < BUNDLES_WITHIN:
            yield from _unpacked(inner, depth + 1, line or place)
        else:
            yield Placed(line or place, inner, url)


def _entries(bundle: Mapping[str, Any]) -> Iterable[Any]:
    """The entries in the order of time: a history has the newest version first."""
    entries = sequence(bundle.get("entry"))
    return reversed(entries) if text(bundle.get("type")) == "history" else entries
