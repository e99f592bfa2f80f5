"""The time zones a person can choose from, by continent, as they are read: "London", not "Europe/London"."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

AREAS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"
)  # fmt: skip


@cache
def names() -> frozenset[str]:
    """Every zone of the machine, read once: each look walks through hundreds of files."""
    return frozenset(available_timezones())


@cache
def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """[("Europe", [("Europe/London", "London"), …]), …, ("UTC", [("UTC", "UTC")])], sorted by name."""
    known = sorted(names())
    groups = [(area, [(name, _place(name)) for name in known if name.startswith(f"{area}/")]) for area in AREAS]
    return [*groups, ("UTC", [("UTC", "UTC")])]


def _place(name: str) -> str:
    return name.split("/", 1)[1].replace("_", " ").replace("/", ", ")
