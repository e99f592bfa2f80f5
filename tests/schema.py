"""The migrated database of the tests: made by the migrations once for each state of the code, copied after that."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests import services

ROOT = Path(__file__).parents[1]
PACKAGES = ("il2tracker", "cycles", "labs", "sideeffects")


def make(kept: Path) -> None:
    """Let the connection point to a migrated database of this process's own.

    `kept`: a folder that outlives the run. Where it holds the database of this very state of the code (SQLite), no
    migration runs.
    """
    name = connection.creation._get_test_db_name()
    if connection.vendor == "sqlite":
        with alone(kept):  # another run of the same checkout may do so too
            _of_sqlite(name, kept)
    else:
        with alone(services.scratch()):
            _of_postgres(name)
    _point_to(name)
    connection.ensure_connection()


def drop() -> None:
    """Remove the database of this process, and with the last one what they were copied from."""
    name = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "sqlite":
        Path(name).unlink()
        return
    with alone(services.scratch()), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")
        cursor.execute("SELECT 1 FROM pg_database WHERE starts_with(datname, %s)", [f"test_{services.scratch().name}"])
        if cursor.fetchone() is None:
            cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(_template())}")


def fingerprint() -> str:
    """The same while nothing changes that the migrated database depends on: code, library, packages, SQLite."""
    told = hashlib.sha256(f"{sys.version} {sqlite3.sqlite_version}".encode())
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file()]
    for file in [ROOT / "requirements.txt", ROOT / "tests" / "settings.py", Path(__file__), *sorted(files)]:
        if file.suffix != ".pyc":
            told.update(f"{file.relative_to(ROOT)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return told.hexdigest()[:20]


def _of_sqlite(name: str, kept: Path) -> None:
    pattern = kept / f"{fingerprint()}.sqlite3"
    if not pattern.exists():
        for older in kept.glob("*.sqlite3"):
            older.unlink()
        _migrate(name)
        shutil.copyfile(name, pattern.with_suffix(".new"))
        pattern.with_suffix(".new").rename(pattern)
    else:
        shutil.copyfile(pattern, name)


def _of_postgres(name: str) -> None:
    pattern = _template()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [pattern])
        if cursor.fetchone() is None:
            _migrate(pattern)
        quote = connection.ops.quote_name
        cursor.execute(f"DROP DATABASE IF EXISTS {quote(name)}")
        cursor.execute(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(pattern)}")


def _template() -> str:
    return f"pattern_{services.scratch().name}"


def _migrate(name: str) -> None:
    """A database made from nothing by all migrations, and closed."""
    own, connection.settings_dict["TEST"]["NAME"] = connection.settings_dict["TEST"]["NAME"], name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    connection.settings_dict["TEST"]["NAME"] = own


def _point_to(name: str) -> None:
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time of those that share the folder, which is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "schema.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
