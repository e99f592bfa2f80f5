"""What a day would bring, added up by hour and kind: administrators see how much, never whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from il2tracker.reminders.forecast import Line
from il2tracker.reminders.models import Kind, State


@dataclass(frozen=True)
class Sum:
    """Mails of one kind at one hour, each on its reader's own clock: to be sent, sent already, not sent."""

    at: time
    kind: str
    to_send: int
    sent: int
    not_sent: int


def of(lines: Iterable[Line]) -> list[Sum]:
    """In order of the clock."""
    counts: dict[tuple[time, str], Counter[str]] = {}
    for line in lines:
        what = "sent" if line.why_not == State.SENT else "not_sent" if line.why_not else "to_send"
        counts.setdefault((line.at.time(), line.wish.kind), Counter())[what] += 1
    return [
        Sum(at, str(Kind(kind).label), found["to_send"], found["sent"], found["not_sent"])
        for (at, kind), found in sorted(counts.items())
    ]
