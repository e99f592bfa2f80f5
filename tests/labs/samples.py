"""The real files, with the dates that the tests assign, and a way to look at what was kept."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

from labs.models import LabResult

DATA = Path(__file__).parent.parent / "data"
ACTG = DATA / "actg315_patients_01_23.csv"
QVIRUS_CD4, QVIRUS_VL = DATA / "qvirus_cd_odd_ids.csv", DATA / "qvirus_vl_odd_ids.csv"


def visit_dates(path: Path) -> dict[str, str]:
    """A date for each visit of a qvirus file, assigned here: the first of the third, sixth … month."""
    with path.open() as file:
        names = next(csv.reader(file))[1:]
    return {name: f"{name.split('_')[1]}-{int(name.split('_')[2]) * 3:02}-01" for name in names}


def values(patient: Any, test: str) -> list[tuple[str, str, Decimal | None]]:
    """Raw text, comparator and value of a patient's results of a test, in order of time."""
    rows = LabResult.objects.standing().of(patient).filter(analyte__code=test).order_by("drawn_on")
    return [(row.raw, row.comparator, row.value) for row in rows]
