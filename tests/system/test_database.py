"""Tests with real transactions empty the tables: what migrations had put there is there again afterwards."""

import pytest
from django.db import DatabaseError, connection

from cycles.models import Protocol
from il2tracker.audit.log import record
from il2tracker.audit.models import AuditEvent


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_library_rows_and_append_only_triggers_outlive_the_flush(turn: int) -> None:
    assert Protocol.objects.exists()
    event = record(action="test.done", by=None)
    with pytest.raises(DatabaseError):
        AuditEvent.objects.filter(pk=event.pk).update(action="test.undone")
    with pytest.raises(DatabaseError):
        event.delete()
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db
def test_the_suite_runs_on_the_database_that_was_asked_for() -> None:
    from tests.conftest import DATABASE

    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[DATABASE]


@pytest.mark.django_db
@pytest.mark.database("sqlite")
def test_sqlite_is_a_file_with_the_settings_that_keep_it_safe() -> None:
    assert not connection.is_in_memory_db()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
        cursor.execute("PRAGMA recursive_triggers")
        assert cursor.fetchone() == (1,)
