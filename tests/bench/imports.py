"""A long file of results beside the same rows put into the table bare: COPY on PostgreSQL, executemany on SQLite.

The import reads, checks, compares, and keeps a history of each row; the bare way does none of it. The second import of
the same file adds nothing. The ratios and the memory count, not the seconds of a busy machine.
Not collected with the tests: IL2_BENCH_ROWS=100000 pytest tests/bench/imports.py -s -p no:logging
"""

import csv
import os
import random
import resource
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from il2tracker.accounts.models import Patient
from labs.models import LabResult

ROWS = int(os.environ.get("IL2_BENCH_ROWS", "100000"))
EACH = 20  # results of a patient
TESTS = (("CD4+ count", "cells/mm³", 300, 900), ("ALT", "U/L", 10, 55), ("Creatinine", "umol/L", 60, 110),
         ("Potassium", "mmol/L", 3, 5))  # fmt: skip


def rows(codes: list[str], count: int) -> Iterator[list[str]]:
    chance, first = random.Random(5), date(2020, 1, 6)
    for number in range(count):
        name, unit, low, high = TESTS[number % len(TESTS)]
        value = chance.randint(low, high) if high > 10 else round(chance.uniform(low, high), 1)
        on = first + timedelta(days=28 * (number % EACH // len(TESTS)))
        yield [codes[number // EACH], on.isoformat(), name, str(value), unit, f"{low}-{high}"]


def people(count: int) -> list[str]:
    letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
    codes = [
        letters[n // 29791 % 31] + letters[n // 961 % 31] + letters[n // 31 % 31] + letters[n % 31]
        for n in range(count)
    ]
    Patient.objects.bulk_create(Patient(code=code, name=code, time_zone="Europe/London") for code in codes)
    return codes


def written(path: Path, codes: list[str], count: int) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["patient", "date", "test", "value", "unit", "reference range"])
        out.writerows(rows(codes, count))
    return path


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the wall, and of this process's processor."""
    wall, own = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - own


def bare() -> tuple[float, float]:
    """The stored rows once more, without the application; nothing of it stays."""
    columns = [field.column for field in LabResult._meta.concrete_fields]
    table = LabResult._meta.db_table
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")
            stored = cursor.fetchall()
            cursor.execute(f"DELETE FROM {table}")
            if connection.vendor == "postgresql":
                seconds = timed(lambda: copied(cursor, table, columns, stored))
            else:
                insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['?'] * len(columns))})"
                seconds = timed(lambda: cursor.connection.executemany(insert, stored))
        transaction.set_rollback(True)
    return seconds


def copied(cursor: Any, table: str, columns: list[str], stored: list[Any]) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in stored:
            copy.write_row(row)


def said(what: str, count: int, seconds: tuple[float, float]) -> None:
    wall, own = seconds
    print(f"  {what:<34} {wall:6.1f} s, {own:6.1f} s of the processor, {count / wall:>9,.0f} rows/s")


def run(path: Path) -> str:
    out = StringIO()
    call_command("import_labs", str(path), "--by-code", "--sure", stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.django_db
def test_a_long_file(tmp_path: Path) -> None:
    file = written(tmp_path / "long.csv", people(-(-ROWS // EACH)), ROWS)
    print(f"\n{ROWS:,} rows of {ROWS // EACH:,} patients on {connection.vendor}, {file.stat().st_size / 1e6:.1f} MB")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first = timed(lambda: run(file))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert LabResult.objects.count() == LabResult.history.count() == ROWS
    said("imported, with history", ROWS, first)
    again = timed(lambda: run(file))
    assert LabResult.objects.count() == ROWS
    said("imported again, nothing new", ROWS, again)
    alone = bare()
    said("bare", ROWS, alone)
    print(f"  ratio {first[0] / alone[0]:.1f}; memory grew by {(peak - before) / 1024:.0f} MB")


@pytest.mark.django_db
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Once as many stored results are in memory as ever are at once (stock.MOST_KEPT)."""
    counts: tuple[int, int] = (40_000, 100_000)
    codes, peaks = people(-(-counts[1] // EACH)), []
    for count in counts:
        file = written(tmp_path / f"{count}.csv", codes, count)
        tracemalloc.start()
        with transaction.atomic():
            run(file)
            transaction.set_rollback(True)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
        print(f"\n{count:,} rows: {peaks[-1]:.1f} MB at most")
    assert peaks[1] < 1.3 * peaks[0]
