"""Many new results at a time, each with the first row of its history (A24): two statements, no object per row.

Django's models cost some 400 µs a row and its history here, which is most of a minute for 100,000 rows. What is written
is the same to the last column as what `bulk_create_with_history` writes; a test holds the two side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection

from il2tracker.accounts.models import User
from il2tracker.refs import new_refs
from labs.models import LabResult

MOST_MARKS = 2_000  # app's own: values in one statement; SQLite takes 32,766
ADAPTED = {"DecimalField", "DateField", "DateTimeField"}  # which SQLite holds as text or numbers of its own


class Writer:
    """Writes results of one import. The caller holds the transaction, and has locked whom they are about."""

    def __init__(self, by: User | None, now: datetime) -> None:
        self.by, self.now = by, now
        fields: list[Any] = [field for field in LabResult._meta.concrete_fields if not field.primary_key]
        empty = LabResult()
        self.defaults = {field.attname: getattr(empty, field.attname) for field in fields} | {"created_at": now}
        self.names = [field.attname for field in fields]
        self.columns: list[str] = [field.column for field in fields]
        self.adapted = [(n, field) for n, field in enumerate(fields) if field.get_internal_type() in ADAPTED]

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the rows, given by the names of the model's columns; what is left out has the model's default."""
        if not rows:
            return
        refs = new_refs(len(rows))
        prepared = [self._prepared({**self.defaults, **row, "ref": ref}) for row, ref in zip(rows, refs, strict=True)]
        with connection.cursor() as cursor:
            cursor.executemany(self._insert, prepared)
            for some in in_parts(refs):
                _add_history(cursor, some, self.by, self.now)

    def _prepared(self, row: Mapping[str, Any]) -> list[Any]:
        values = [row[name] for name in self.names]
        for place, field in self.adapted:
            values[place] = field.get_db_prep_save(values[place], connection)
        return values

    @cached_property
    def _insert(self) -> str:
        marks = ", ".join(["%s"] * len(self.columns))
        return f"INSERT INTO {LabResult._meta.db_table} ({_names(self.columns)}) VALUES ({marks})"


def in_parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values some at a time: a statement takes only so many."""
    return (values[start : start + MOST_MARKS] for start in range(0, len(values), MOST_MARKS))


def _add_history(cursor: Any, refs: Sequence[str], by: User | None, now: datetime) -> None:
    """The first row of history of each of these results, from the rows just written, so that nothing can differ."""
    history = LabResult.history.model._meta.db_table
    columns: list[str] = [field.column for field in LabResult.history.model.tracked_fields]
    own = ["history_date", "history_user_id", "history_type", "history_change_reason"]
    marks = ", ".join(["%s"] * len(refs))
    cursor.execute(
        f"INSERT INTO {history} ({_names([*columns, *own])}) SELECT {_names(columns)}, %s, %s, '+', NULL "
        f"FROM {LabResult._meta.db_table} WHERE ref IN ({marks})",
        [connection.ops.adapt_datetimefield_value(now), by.pk if by else None, *refs],
    )


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, columns))
