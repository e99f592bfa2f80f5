"""Rows as the database holds them, taken once and put back as often as wanted: many times quicker than making them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from django.db import connection, transaction

from il2tracker.audit import triggers


@dataclass(frozen=True)
class Rows:
    """Some rows of one table, with their keys."""

    table: str
    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]


State = dict[str, Rows]
"""Table → all its rows."""


def taken(tables: list[str] | None = None) -> State:
    """What stands in `tables` (in all of them, when not given) now. Empty tables are left out."""
    found = [Rows(name, columns, _select(name, columns)) for name, columns in _columns().items()]
    return {rows.table: rows for rows in found if rows.values and (tables is None or rows.table in tables)}


def beyond(before: State, now: State) -> State:
    """The rows of `now` that `before` has not."""
    known = {table: set(rows.values) for table, rows in before.items()}
    more = {
        table: Rows(table, rows.columns, [row for row in rows.values if row not in known.get(table, ())])
        for table, rows in now.items()
    }
    return {table: rows for table, rows in more.items() if rows.values}


def put(state: State) -> None:
    """Insert these rows. Their keys must be free, and the keys that the database gives afterwards are free, too."""
    with transaction.atomic():
        if connection.vendor == "sqlite":
            for rows in state.values():
                connection.connection.executemany(f"{_into(rows)} VALUES {_marks(rows, '?')}", rows.values)
        elif state:
            with connection.cursor() as cursor:
                values = (row for rows in state.values() for row in rows.values)
                cursor.execute("; ".join(map(_insert, state.values())), [*chain.from_iterable(values)])
                _count_on(cursor, state)


def _count_on(cursor: Any, state: State) -> None:
    """Let PostgreSQL count on from the highest of these keys, which may be another process's, or older than a flush
    that set its sequences back."""
    keys = {
        counter: max(row[place] for row in state[table].values) for table, place, counter in _counters(tuple(state))
    }
    kept = ", ".join(["(%s::regclass, %s)"] * len(keys))
    next_ones = "setval(counter, GREATEST(pg_sequence_last_value(counter), highest))"
    cursor.execute(f"SELECT {next_ones} FROM (VALUES {kept}) AS kept (counter, highest)", [*chain(*keys.items())])


@cache
def _counters(tables: tuple[str, ...]) -> list[tuple[str, int, str]]:
    """Table, the place of its key among the columns, and the sequence that gives it, of those that have one."""
    with connection.cursor() as cursor:
        return [
            (table, _columns()[table].index(counter["column"]), f'"{counter["name"]}"')
            for table in tables
            for counter in connection.introspection.get_sequences(cursor, table)
        ]


def restore(state: State) -> None:
    """Leave exactly these rows in the database, whatever stood there, append-only tables too."""
    with transaction.atomic(), _triggers_lifted(), connection.cursor() as cursor:
        names = [connection.ops.quote_name(table) for table in _columns()]
        if connection.vendor == "sqlite":
            for name in names:
                cursor.execute(f"DELETE FROM {name}")
        else:
            cursor.execute("; ".join(f"DELETE FROM {name}" for name in names))
        put(state)


@contextmanager
def _triggers_lifted() -> Iterator[None]:
    if connection.vendor == "sqlite":
        triggers.drop(connection)
        yield
        triggers.create(connection)
        return
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in triggers.TABLES))
        yield
        # What is deferred to the commit has to be settled before a table is altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("; ".join(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in triggers.TABLES))


@cache
def _columns() -> dict[str, tuple[str, ...]]:
    """Table → its columns; the tables of the application and of what it is built on."""
    with connection.cursor() as cursor:
        return {
            table: tuple(column.name for column in connection.introspection.get_table_description(cursor, table))
            for table in connection.introspection.django_table_names(only_existing=True, include_views=False)
        }


def _select(table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    # A plus keeps sqlite3 from making dates of what is text in the file; it changes no value.
    plus = "+" if connection.vendor == "sqlite" else ""
    names = ", ".join(plus + connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(table)}")
        return [tuple(row) for row in cursor.fetchall()]


def _into(rows: Rows) -> str:
    names = ", ".join(connection.ops.quote_name(column) for column in rows.columns)
    return f"INSERT INTO {connection.ops.quote_name(rows.table)} ({names})"


def _insert(rows: Rows) -> str:
    return f"{_into(rows)} VALUES {', '.join([_marks(rows, '%s')] * len(rows.values))}"


def _marks(rows: Rows, mark: str) -> str:
    return f"({', '.join([mark] * len(rows.columns))})"
