"""The demo clinic for tests that look at it and do not test how it is filled: filled once in a run."""

from __future__ import annotations

import hashlib
import pickle
from datetime import datetime

from django.conf import settings
from django.db import connection

from il2tracker.demo import actions, story
from tests import rows, schema, services

_filled: dict[str, rows.State] = {}


def fill(*, now: datetime) -> None:
    """Fill an empty database with the demo as it stands at `now`: the same rows each time it is asked for."""
    people = tuple(life.email for life in story.LIVES)
    key = hashlib.sha256(repr((connection.vendor, now, settings.DEFAULT_TIME_ZONE, people)).encode()).hexdigest()
    folder = services.scratch() / "filled"
    with schema.alone(folder):  # the other processes of the run wait for what the first one makes
        if key not in _filled and (folder / key).exists():
            _filled[key] = pickle.loads((folder / key).read_bytes())
        if key in _filled:
            rows.put(_filled[key])
            return
        before = rows.taken()
        assert actions.fill(now=now)
        _filled[key] = rows.beyond(before, rows.taken())
        (folder / key).write_bytes(pickle.dumps(_filled[key]))
