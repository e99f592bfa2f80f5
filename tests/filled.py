"""The demo clinic for tests that look at it and do not test how it is filled: filled once in a process."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from il2tracker.demo import actions, story
from tests import rows

_filled: dict[tuple[datetime, str, tuple[str, ...]], rows.State] = {}


def fill(*, now: datetime) -> None:
    """Fill an empty database with the demo as it stands at `now`: the same rows each time it is asked for."""
    key = now, settings.DEFAULT_TIME_ZONE, tuple(life.email for life in story.LIVES)
    if key in _filled:
        rows.put(_filled[key])
        return
    before = rows.taken()
    assert actions.fill(now=now)
    _filled[key] = rows.beyond(before, rows.taken())
