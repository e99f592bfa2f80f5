"""Which revision an entry of the feed is (RFC 5545 3.8.7.4). Pure.

Counted for each link, as what its programs were shown changes: whatever made an entry another one, its number rises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

GONE = ""  # in place of a digest: the entry was not in the file the last time


@dataclass(frozen=True)
class Revision:
    """What was shown of an entry, how often that has changed since the link was made, and when last (aware)."""

    digest: str
    number: int
    changed_at: datetime

    def as_kept(self) -> list[Any]:
        """As it is kept with the link."""
        return [self.digest, self.number, self.changed_at.isoformat()]


def read(kept: Mapping[str, list[Any]]) -> dict[str, Revision]:
    """What is kept with a link, by the names of the entries."""
    return {
        name: Revision(digest, number, datetime.fromisoformat(changed_at))
        for name, (digest, number, changed_at) in kept.items()
    }


def renumber(before: Mapping[str, Revision], digests: Mapping[str, str], now: datetime) -> dict[str, Revision]:
    """The revisions after the file shows `digests`, name → digest. A number never falls, also not when its entry is
    gone and comes back: programs leave aside what is older than what they hold."""
    gone = {name: Revision(GONE, row.number, row.changed_at) for name, row in before.items() if name not in digests}
    return gone | {name: _next(before.get(name), digest, now) for name, digest in digests.items()}


def _next(before: Revision | None, digest: str, now: datetime) -> Revision:
    if before is None:
        return Revision(digest, 0, now)
    return before if before.digest == digest else Revision(digest, before.number + 1, now)
