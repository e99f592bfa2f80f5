"""The trend of twenty years beside an empty trend, in one run: the ratios count, not the milliseconds.

Not collected with the tests: IL2_TEST_DATABASE=postgres pytest tests/bench/labs.py -s -p no:logging
"""

import gzip
import time
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from il2tracker.accounts.actions import create_patient
from labs.models import Analyte, LabResult
from tests import factories

pytestmark = pytest.mark.django_db
ROUNDS = 15
FIRST, YEARS = date(2006, 11, 1), 20
HISTORIES = {"empty": [], "240 monthly": range(0, YEARS * 365, 30), "7,300 daily": range(YEARS * 365)}
TESTS = {"cd4": ("cells_ul", 300), "cd4_percent": ("percent", 20), "hiv_rna": ("copies_ml", 40)}


def results(patient, ben, days):
    """Three tests a draw, without the actions: the bench is about reading."""
    analytes = {analyte.code: analyte for analyte in Analyte.objects.filter(code__in=TESTS)}
    rows = [
        LabResult(
            patient=patient,
            analyte=analytes[code],
            comparator="<" if code == "hiv_rna" and day % 7 else "=",
            value=Decimal(base + day * 37 % base),
            unit=unit,
            raw=f"{'<' if code == 'hiv_rna' and day % 7 else ''}{base + day * 37 % base}",
            drawn_on=FIRST + timedelta(days=day),
            zone="Europe/London",
            source="clinic",
            fingerprint=f"{code} {day}",
            entered_by=ben,
        )
        for day in days
        for code, (unit, base) in TESTS.items()
    ]
    LabResult.objects.bulk_create(rows, batch_size=2000)


@pytest.fixture
def pages():
    """Addresses of the trends of three patients with the same plan of thirteen courses, and the nurse who looks."""
    cast, found = factories.cast(), {}
    for name, days in HISTORIES.items():
        patient = create_patient(by=cast.ben, clinic=cast.north, name=name, earlier_il2="never")
        factories.plan(patient, cast.ben, starts_on=date(2024, 11, 6), cd4_goal=600)
        results(patient, cast.ben, list(days)[: 240 if "monthly" in name else None])
        found[name] = f"/people/{patient.code}/results/trend/"
    ben = Client()
    ben.force_login(cast.ben)
    return ben, found


def measured(client, address):
    """Milliseconds on the wall and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    assert client.get(address).status_code == 200
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


@pytest.mark.parametrize("shown", ["1", "all"])
def test_trend(pages, shown):
    ben, addresses = pages
    addresses = {name: f"{address}?range={shown}" for name, address in addresses.items()}
    for address in addresses.values():
        measured(ben, address)
    taken = [{name: measured(ben, address) for name, address in addresses.items()} for _ in range(ROUNDS)]
    typical = {name: [median(each[name][n] for each in taken) for n in (0, 1)] for name in addresses}
    print(f"\nrange {shown}:")
    for name, address in addresses.items():
        with CaptureQueriesContext(connection) as statements:
            body = ben.get(address).content
        wall, cpu = typical[name]
        print(
            f"  {name:12} p50 {wall:6.1f} ms, CPU {cpu:6.1f} ms, {len(statements)} statements, "
            f"{len(body) / 1000:.0f} kB, {len(gzip.compress(body)) / 1000:.1f} kB compressed"
        )
    monthly, daily, empty = (typical[name][0] for name in ("240 monthly", "7,300 daily", "empty"))
    print(f"  240 : empty = {monthly / empty:.2f}, 7,300 : 240 = {daily / monthly:.2f}")
