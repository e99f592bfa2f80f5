"""ACTG 315 through the real way in: what the page says is what the file says, to the last digit (its NOTICE)."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from statistics import linear_regression
from typing import Any

import numpy
import pytest
from django.core.management import call_command
from django.test import Client

from il2tracker.accounts.models import Patient
from labs import facts, trends
from labs.facts import CD4, VIRAL_LOAD
from labs.models import LabResult
from labs.slopes import DAYS_A_MONTH, slope
from labs.units import figure
from labs.words import long_day
from tests import factories
from tests.labs.samples import ACTG

pytestmark = pytest.mark.django_db
START, NOW = date(2020, 1, 1), datetime(2026, 11, 20, 12, tzinfo=UTC)
BELOW = "1.699"  # in the file: below 100 copies, not counted
MONTH = Fraction(487, 16)  # 30.4375 days
ROW = re.compile(r'<tr id="r-.*?</tr>', re.DOTALL)


@pytest.fixture
def study(cast: factories.Cast) -> factories.Cast:
    """The file as its 23 patients of a clinic, none of whom was ever treated."""
    how = ["--create-patients", "--clinic=clinic-north", "--study=ACTG 315", "--never-treated"]
    floor = f"--floor=log10_hiv_rna={BELOW}:100"
    call_command("import_labs", str(ACTG), *how, floor, f"--start-date={START}", stdout=StringIO())
    return cast


def file_rows() -> dict[str, list[dict[str, str]]]:
    """Rows of each patient in the order of their days."""
    found: dict[str, list[dict[str, str]]] = {}
    with ACTG.open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["patient"], []).append(row)
    return {number: sorted(rows, key=lambda row: int(row["study_day"])) for number, rows in found.items()}


def people() -> Iterator[tuple[Patient, list[dict[str, str]]]]:
    """Every patient of the study with the rows of the file: their first CD4+ counts tell them apart."""
    by_counts = {tuple(Decimal(row["cd4_cells_per_uL"]) for row in rows): rows for rows in file_rows().values()}
    for patient in Patient.objects.filter(pk__in=LabResult.objects.values("patient")):
        kept = LabResult.objects.standing().of(patient).filter(analyte__code=CD4).order_by("drawn_on")
        yield patient, by_counts.pop(tuple(kept.values_list("value", flat=True)))
    assert not by_counts


def exactly(xs: list[Fraction], ys: list[Fraction]) -> float:
    """The gradient by the normal equations in fractions: another formula, without any rounding."""
    n, sx, sy = len(xs), sum(xs), sum(ys)
    together = sum(x * y for x, y in zip(xs, ys, strict=True))
    return float((n * together - sx * sy) / (n * sum(x * x for x in xs) - sx * sx))


def page_rows(client: Client, patient: Patient) -> list[tuple[str, str, str]]:
    """Day, CD4+ count and viral load of every row of the table, oldest first."""
    page = client.get(f"/people/{patient.code}/results/trend/?range=all").content.decode()
    return [_cells(row) for row in reversed(ROW.findall(page))]


def _cells(row: str) -> tuple[str, str, str]:
    found = (r"<a [^>]*>(.*?)</a>", r'data-test="cd4"[^>]*>(.*?)</td>', r'data-test="hiv_rna"[^>]*>(.*?)</td>')
    day, count, load = (html.unescape(re.search(each, row)[1]) for each in found)  # type: ignore[index]
    return day, count, load


def written(row: dict[str, str]) -> tuple[str, str, str]:
    """The same of a row of the file: whole copies, with the logarithm of the file beside them."""
    log = row["log10_hiv_rna_copies_per_ml"]
    copies = figure((Decimal(10) ** Decimal(log)).quantize(Decimal(1)))
    load = f"below 100 (file: {log})" if log == BELOW else f"{copies} (file: {log})"
    day = long_day(START + timedelta(days=int(row["study_day"])))
    return day, figure(Decimal(row["cd4_cells_per_uL"])), load


def test_the_table_of_every_patient_is_the_file(study: factories.Cast) -> None:
    ben, seen = Client(), 0
    ben.force_login(study.ben)
    for patient, rows in people():
        assert page_rows(ben, patient) == [written(row) for row in rows]
        seen += len(rows)
    assert seen == 180


def slopes_of(patient: Patient) -> dict[str, Any]:
    """What the page of clinicians computes of the stored rows."""
    known = facts.load([patient], NOW, facts.SERIES)[patient.pk]
    return {CD4: slope(known.series(CD4)), VIRAL_LOAD: slope(known.series(VIRAL_LOAD), log=True)}


@pytest.mark.parametrize(("test", "column"), [(CD4, "cd4_cells_per_uL"), (VIRAL_LOAD, "log10_hiv_rna_copies_per_ml")])
def test_every_slope_is_that_of_the_numbers_of_the_file_within_a_billionth(
    study: factories.Cast, test: str, column: str
) -> None:
    drawn = 0
    for patient, rows in people():
        pairs = [(Fraction(row["study_day"]), Fraction(row[column])) for row in rows if row[column] != BELOW]
        found = slopes_of(patient)[test]
        if len(pairs) < 3:
            assert found is None
            continue
        days, values = zip(*pairs, strict=True)
        months, numbers = [float(day) / DAYS_A_MONTH for day in days], [float(value) for value in values]
        assert found.points == len(pairs)
        assert abs(found.per_month - exactly([day / MONTH for day in days], list(values))) < 1e-9
        assert abs(found.per_month - linear_regression(months, numbers).slope) < 1e-9
        assert abs(found.per_month - numpy.polyfit(months, numbers, 1)[0]) < 1e-9
        drawn += 1
    assert drawn > 20


def test_h12_what_was_below_the_limit_is_stored_and_shown_as_that_and_never_a_number(study: factories.Cast) -> None:
    below = LabResult.objects.filter(raw=BELOW)
    assert below.count() == 16
    assert set(below.values_list("comparator", "value")) == {("<", Decimal(100))}
    assert not LabResult.objects.filter(comparator="=", analyte__code=VIRAL_LOAD, value__in=[100, 50]).exists()
    for patient, rows in people():
        points = facts.load([patient], NOW, facts.SERIES)[patient.pk].series(VIRAL_LOAD)
        limits = [point for point in points if not point.counted]
        assert len(limits) == sum(row["log10_hiv_rna_copies_per_ml"] == BELOW for row in rows)
        if points[-1] in limits:
            said = trends.trend(points)
            assert (said.last, said.change) == (points[-1], None)
