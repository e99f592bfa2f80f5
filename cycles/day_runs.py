"""The days of a course as a short text, read and written: "3", "1-5", "1-26/3" (every third day), "1-5 8-12". Pure.

A weekly pattern is a step of seven from each of its days: "1-40/7 3-40/7 5-40/7" is three times a week for 40 days,
whether or not the course is made of whole weeks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_CYCLE = 3660  # days; intervals of up to about 400 weeks are on record (domain.md 3.1)

_RUN = re.compile(r"(\d{1,4})(?:-(\d{1,4})(?:/(\d{1,4}))?)?", re.ASCII)


class RegimenError(ValueError):
    """A document that is not a regimen: `place` is the spot ("phases[0].cycle_days"), `reason` what is wrong."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def require(holds: bool, place: str, reason: str) -> None:
    """Raises RegimenError where something does not hold."""
    if not holds:
        raise RegimenError(place, reason)


def read_days(text: str, place: str = "days") -> list[int]:
    """The day numbers of a text, in order, one that stands twice twice. Raises RegimenError."""
    days: list[int] = []
    for run in text.split():
        days += _read_run(run, place)
        require(len(days) <= LONGEST_CYCLE, place, "names more days than any course has")
    require(bool(days) and min(days) >= 1, place, "must name days from 1 on")
    return sorted(days)


def parse_days(text: str) -> tuple[int, ...]:
    """The day numbers in "1-5", "1-26/3" or "1-5 8-12", in order. Raises RegimenError."""
    return tuple(read_days(text))


def _read_run(text: str, place: str) -> range:
    match = _RUN.fullmatch(text)
    if match is None:
        raise RegimenError(place, f"cannot read {text[:20]!r}")
    first, last, step = (int(group) if group else None for group in match.groups())
    require(step != 0 and (last is None or last >= (first or 0)), place, f"{text!r} runs backwards or stands still")
    return range(first or 0, (last or first or 0) + 1, step or 1)


def write_days(days: Sequence[int]) -> str:
    """The shorter of two texts: the days in their order, or weekday by weekday where they repeat every week.

    [1, 2, 3, 8] → "1-3 8", [1, 3, 5, 7] → "1-7/2", Monday and Thursday for four weeks → "1-22/7 4-25/7".
    """
    weekdays = [[day for day in days if day % 7 == weekday] for weekday in dict.fromkeys(day % 7 for day in days)]
    return min(_in_order(days), " ".join(map(_in_order, weekdays)), key=len)


def _in_order(days: Sequence[int]) -> str:
    """The shortest text that names rising days in their order; of two alike, fewer steps, then fewer pieces."""
    reach = _reach(days)
    best = [(0, 0, 0, "")] * (len(days) + 1)
    for start in reversed(range(len(days))):
        # A run may leave its last day to the next one: 1 3 5 6 7 is "1 3 5-7".
        ends = {start + 1, reach[start] - 1, reach[start]} - {start}
        best[start] = min(_put_before(days[start:end], best[end]) for end in ends)
    return best[0][3]


def _reach(days: Sequence[int]) -> list[int]:
    """For each day, the place behind the longest run of equal steps that begins with it."""
    reach = [min(place + 2, len(days)) for place in range(len(days))]
    for place in reversed(range(len(days) - 2)):
        if days[place + 1] - days[place] == days[place + 2] - days[place + 1]:
            reach[place] = reach[place + 1]
    return reach


def _put_before(run: Sequence[int], rest: tuple[int, int, int, str]) -> tuple[int, int, int, str]:
    _length, stepped, pieces, text = rest
    joined = f"{_write_run(run)} {text}".rstrip()
    return len(joined), stepped + (len(run) > 1 and run[1] - run[0] > 1), pieces + 1, joined


def _write_run(run: Sequence[int]) -> str:
    if len(run) == 1:
        return str(run[0])
    step = run[1] - run[0]
    return f"{run[0]}-{run[-1]}" if step == 1 else f"{run[0]}-{run[-1]}/{step}"
