"""Which results are of one blood test: what has no time belongs to the one time of its day and laboratory. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import date, datetime
from typing import NamedTuple


class Taken(NamedTuple):
    """One result: its civil day, its moment if known, its laboratory ("" = not known), its test.

    `verdict`: what timing makes of it; None where timing does not matter for the test.
    """

    on: date
    at: datetime | None
    laboratory: str = ""
    test: str = ""
    verdict: Hashable = None


def moments(results: Sequence[Taken]) -> list[datetime | None]:
    """For each result the moment of the blood test it belongs to; None = without a time, for all of that day together.

    Two times are two blood tests, whatever else is alike. A result without a time joins a time only where its
    laboratory has one time that day, where the same test does not stand already, and where the time of day makes no
    difference to what the results are worth.
    """
    days: dict[date, list[Taken]] = defaultdict(list)
    for result in results:
        if result.at is not None:
            days[result.on].append(result)
    return [result.at or _joined(result, days.get(result.on, ())) for result in results]


def _joined(result: Taken, timed: Sequence[Taken]) -> datetime | None:
    same = [other for other in timed if result.laboratory and _name(other) == _name(result)]
    near = same or [other for other in timed if not (result.laboratory and other.laboratory)]
    found = {other.at for other in near}
    if len(found) != 1 or any(other.test == result.test for other in near):
        return None
    worth = {other.verdict for other in near} - {None}
    return found.pop() if result.verdict is None or worth <= {result.verdict} else None


def _name(result: Taken) -> str:
    return " ".join(result.laboratory.casefold().split())
