"""Long tests first: those that wait leave the cores to others, and none begins when everything else is over."""

from __future__ import annotations

from itertools import islice

import pytest

LONG = (
    "faults/test_kills.py",
    "test_screens.py::test_every_screen",
    "test_screens.py::test_the_main_screens",
    "system/test_runall.py",
    "faults/test_worker_killed.py",
    "looks/test_keyboard.py",
    "accounts/test_password_times.py",
    "faults/test_steps.py",
    "stories/",
    "looks/test_trend.py",
    "in_the_browser.py",
    "test_browser.py",
    "reminders/test_scanners.py",
    "reminders/test_outage.py",
    "reminders/test_clock_changes.py",
    "faults/test_interleavings.py",
    "cycles/test_races.py",
)
"""What takes more than some seconds or waits for processes, pages and locks, by parts of their names."""


def longest_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The same tests in the order for so many workers, each of which begins with an equal share in a row
    (--dist worksteal) and takes from the ends of others' shares later. One process keeps the order of the files."""
    if workers < 2:
        return items
    long = sorted((item for item in items if _rank(item) < len(LONG)), key=_rank)
    rest = iter([item for item in items if _rank(item) == len(LONG)])
    shares: list[list[pytest.Item]] = []
    for worker in range(workers):
        size = (len(items) - sum(map(len, shares))) // (workers - worker)
        first = long[worker::workers]
        shares.append([*first, *islice(rest, max(0, size - len(first)))])
    return [item for share in shares for item in share] + list(rest)


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, part in enumerate(LONG) if part in item.nodeid), len(LONG))
