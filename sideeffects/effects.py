"""What the two sources list about side effects, for people to read: in which words, how often, what to do. Pure.

The facts are rows of catalogue.json, "effects" S01–S55 and "days" (domain.md 1c). A line like "B69" names the source
and the place in it. How often is a word of a whole list and never a percentage of one effect (W20); it is said for the
source's own doses and route (M10). Words that calm stand apart, so that no page shows them beside an open flag (M16).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

SYSTEMS = ("body", "stomach", "skin", "mind", "head", "water", "blood")
# The place in the order by the first of these words in a row; the two sources' words beside each other.
RANKS = {"nearly everyone": 0, "common": 1, "occasional": 2, "less frequent": 2, "rare": 3}
UNRANKED = 4


class Source(NamedTuple):
    """A text that patients were given."""

    name: str
    about: str
    dated: str


SOURCES = {
    "A": Source("Project Inform", "IL-2 in HIV", "about February 2007"),
    "B": Source("Cancer Research UK", "Interleukin 2 (IL-2), kidney cancer", "10 December 2015"),
}
OWN_SOURCE = {"hiv": "A", "kidney": "B"}


class Advice(NamedTuple):
    """One sentence of a source in our words."""

    line: str
    text: str

    @property
    def source(self) -> Source:
        """Which text says it."""
        return SOURCES[self.line[0]]


@dataclass(frozen=True)
class Listed:
    """One effect. `often` by indication; `calms` and `fluids` are left out beside an open flag (M16, D15)."""

    code: str
    words: str
    system: str
    lines: str
    ctcae: str
    often: Mapping[str, str]
    says: tuple[Advice, ...]
    calms: tuple[Advice, ...]
    fluids: tuple[Advice, ...]
    also: tuple[str, ...]
    symptoms: frozenset[str]

    def rank(self, indication: str) -> tuple[int, str]:
        """The more often its source lists it, the earlier; the other source decides where the own one is silent."""
        words = [self.often.get(indication, ""), *self.often.values()]
        own = next((word for word in words if word), "")
        return next((rank for word, rank in RANKS.items() if word in own), UNRANKED), self.code

    def listed(self, indication: str) -> list[tuple[str, str]]:
        """(indication of the source, how often), the reader's own first; without those that do not list it."""
        own_first = sorted(self.often.items(), key=lambda pair: pair[0] != indication)
        return [(of, word) for of, word in own_first if word]


@dataclass(frozen=True)
class Part:
    """Some days of a course and what is usual on them; day 1 is the first injection, `last` None = from there on."""

    first: int
    last: int | None
    title: str
    text: str
    source: str
    calm: bool

    def holds(self, day: int | None) -> bool:
        """Whether this day of the course is one of them."""
        return day is not None and self.first <= day <= (self.last or day)


@cache
def _catalogue() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
    return found


@cache
def groups() -> dict[str, str]:
    """The part of the check-in that asks for each symptom, by its code."""
    return {row["code"]: row["group"] for row in _catalogue()["symptoms"]}


@cache
def everything() -> tuple[Listed, ...]:
    """All 55, in the order of their codes."""
    return tuple(_listed(row) for row in _catalogue()["effects"])


def _listed(row: Mapping[str, Any]) -> Listed:
    advice = {name: tuple(Advice(*each) for each in row[name].items()) for name in ("says", "calm", "fluids")}
    return Listed(
        code=row["code"],
        words=row["words"],
        system=row["system"],
        lines=row["lines"],
        ctcae=row["ctcae"],
        often={"kidney": row["kidney"], "hiv": row["hiv"]},
        says=advice["says"],
        calms=advice["calm"],
        fluids=advice["fluids"],
        also=tuple(row["also"]),
        symptoms=frozenset(row["symptoms"]),
    )


def by_system(indication: str) -> list[tuple[str, list[Listed]]]:
    """Body systems in the order of the check-in, in each what is listed most often first."""
    ranked = sorted(everything(), key=lambda one: one.rank(indication))
    return [(system, [one for one in ranked if one.system == system]) for system in SYSTEMS]


def naming(symptom: str) -> list[Listed]:
    """Every effect that this symptom can belong to."""
    return [one for one in everything() if symptom in one.symptoms]


@cache
def days(indication: str) -> tuple[Part, ...]:
    """What the own source says of the days of a course; nothing where it names none (M2)."""
    return tuple(Part(**part) for part in _catalogue()["days"].get(indication, ()))
