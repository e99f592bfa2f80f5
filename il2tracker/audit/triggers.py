"""Append-only tables: the database itself refuses to change or remove a row."""

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES: list[str] = ["audit_auditevent", "alerts_transition"]

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME; END
$$ LANGUAGE plpgsql
"""


def create(connection: BaseDatabaseWrapper, tables: list[str] | None = None) -> None:
    """Put the triggers on `tables` (all append-only tables that exist, when not given). Safe to repeat."""
    drop(connection, tables)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_FUNCTION)
        for table in _present(connection, tables):
            for statement in _statements(connection.vendor, table):
                cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper, tables: list[str] | None = None) -> None:
    """Take the triggers off again: for the reverse of a migration and for tests that empty tables."""
    on = " ON {table}" if connection.vendor == "postgresql" else ""
    events = ("update", "delete", "truncate")
    with connection.cursor() as cursor:
        for table in _present(connection, tables):
            for event in events:
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{event}{on.format(table=table)}")


def _present(connection: BaseDatabaseWrapper, tables: list[str] | None) -> list[str]:
    existing = set(connection.introspection.table_names())
    return [table for table in (tables or TABLES) if table in existing]


def _statements(vendor: str, table: str) -> list[str]:
    if vendor == "postgresql":
        rows = [
            f"CREATE TRIGGER {table}_no_{event} BEFORE {event.upper()} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION append_only()"
            for event in ("update", "delete")
        ]
        return [
            *rows,
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION append_only()",
        ]
    return [
        f"CREATE TRIGGER {table}_no_{event} BEFORE {event.upper()} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or removed'); END"
        for event in ("update", "delete")
    ]
