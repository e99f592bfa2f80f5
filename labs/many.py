"""Many results at a time, each with its row of history (A24): a fixed number of statements, no object per row.

Django's models cost some 400 µs a row and its history here, which is most of a minute for 100,000 rows. What is written
is the same to the last column as what the models and `bulk_create_with_history` write; a test holds them side by side.
The one place where a result is written without its model (tests/test_architecture.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import starmap
from typing import Any, NamedTuple

from django.db import connection

from il2tracker.accounts.models import User
from il2tracker.refs import new_refs
from labs.models import LabResult

MOST_MARKS = 2_000  # app's own: values in one statement; SQLite takes 32,766, PostgreSQL 65,535
ADAPTED = {"DecimalField", "DateField", "DateTimeField"}  # which SQLite holds as text or numbers of its own
MADE, CHANGED = "+", "~"


class Change(NamedTuple):
    """What becomes of a stored result: the columns that change, by the names of the model, and why."""

    key: int
    facts: Mapping[str, Any]
    reason: str


class Writer:
    """Writes results of one import, or takes them back. The caller holds the transaction, and has locked the people."""

    def __init__(self, by: User | None, now: datetime) -> None:
        self.by, self.now = by, now
        fields: list[Any] = [field for field in LabResult._meta.concrete_fields if not field.primary_key]
        self.columns: dict[str, str] = {field.attname: field.column for field in fields}
        self.adapted = {field.attname: field for field in fields if field.get_internal_type() in ADAPTED}
        empty = LabResult()
        self.defaults = {field.attname: getattr(empty, field.attname) for field in fields} | {"created_at": now}

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the rows, given by the names of the model's columns; what is left out has the model's default."""
        if not rows:
            return
        refs, given = new_refs(len(rows)), frozenset().union(*rows)
        columns = [self._column(name, rows) if name in given else self._alike(name, len(rows)) for name in self.columns]
        columns[list(self.columns).index("ref")] = refs
        with connection.cursor() as cursor:
            self._add(cursor, list(zip(*columns, strict=True)))
            for some in in_parts(refs):
                self._add_history(cursor, "ref", some, MADE, None)

    def change(self, changes: Sequence[Change]) -> None:
        """Change stored results, each of them once."""
        alike, reasons = defaultdict(list), defaultdict(list)
        for change in changes:
            alike[tuple(change.facts)].append(change)
            reasons[change.reason].append(change.key)
        with connection.cursor() as cursor:
            for names, some in alike.items():
                rows = [[*starmap(self._value, change.facts.items()), change.key] for change in some]
                cursor.executemany(self._update(names), rows)
            for reason, keys in reasons.items():
                for part in in_parts(keys):
                    self._add_history(cursor, "id", part, CHANGED, reason)

    def _column(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """What stands in one column of the rows, as the database takes it: days and numbers repeat themselves."""
        default = self.defaults[name]
        values = [row.get(name, default) for row in rows]
        if name not in self.adapted:
            return values
        if self.adapted[name].get_internal_type() == "DateTimeField":  # both moments of a doubled hour are equal
            return [self._value(name, value) for value in values]
        distinct = {value: self._value(name, value) for value in set(values)}
        return [distinct[value] for value in values]

    def _alike(self, name: str, count: int) -> list[Any]:
        return [self._value(name, self.defaults[name])] * count

    def _value(self, name: str, value: Any) -> Any:
        """As the database takes it."""
        if value is None or name not in self.adapted:
            return value
        return self.adapted[name].get_db_prep_save(value, connection)

    def _add(self, cursor: Any, rows: Sequence[Sequence[Any]]) -> None:
        """In one go: with COPY where there is one, which spares writing each value into the text of a statement."""
        if connection.vendor != "postgresql":
            cursor.executemany(self._insert, rows)
            return
        statement = f"COPY {LabResult._meta.db_table} ({_names(self.columns.values())}) FROM STDIN"
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    @cached_property
    def _insert(self) -> str:
        marks = ", ".join(["%s"] * len(self.columns))
        return f"INSERT INTO {LabResult._meta.db_table} ({_names(self.columns.values())}) VALUES ({marks})"

    def _update(self, names: Sequence[str]) -> str:
        said = ", ".join(f"{connection.ops.quote_name(self.columns[name])} = %s" for name in names)
        return f"UPDATE {LabResult._meta.db_table} SET {said} WHERE id = %s"

    def _add_history(self, cursor: Any, column: str, some: Sequence[Any], kind: str, reason: str | None) -> None:
        """A row of history of each of these results, from the rows as they now are, so that nothing can differ."""
        history = LabResult.history.model._meta.db_table
        columns: list[str] = [field.column for field in LabResult.history.model.tracked_fields]
        own = ["history_date", "history_user_id", "history_type", "history_change_reason"]
        marks = ", ".join(["%s"] * len(some))
        when = connection.ops.adapt_datetimefield_value(self.now)
        cursor.execute(
            f"INSERT INTO {history} ({_names([*columns, *own])}) SELECT {_names(columns)}, %s, %s, %s, %s "
            f"FROM {LabResult._meta.db_table} WHERE {column} IN ({marks})",
            [when, self.by.pk if self.by else None, kind, reason, *some],
        )


def in_parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values some at a time: a statement takes only so many."""
    return (values[start : start + MOST_MARKS] for start in range(0, len(values), MOST_MARKS))


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, columns))
