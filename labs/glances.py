"""A word-sized view of a patient's results for lists of patients."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from il2tracker.accounts.models import Patient
from labs import facts, small_charts, trends
from labs.charts import Mark
from labs.facts import CD4, VIRAL_LOAD, Facts
from labs.small_charts import Spark

SPARK_DAYS = timedelta(days=420)
STALE = timedelta(days=60)  # app's own: an older reading is shown grey, with its age


@dataclass(frozen=True)
class Glance:
    """One patient in a list: sparkline, last CD4+ that counts with its age, viral load."""

    spark: Spark
    last: str
    last_on: date | None
    age: int | None
    stale: bool
    viral_load: str


def glances(patients: Collection[Patient], now: datetime) -> dict[int, Glance]:
    """A glance per patient by primary key, in the same number of statements for one and for fifty."""
    return {pk: glance(known) for pk, known in facts.load(patients, now, facts.SERIES).items()}


def glance(known: Facts) -> Glance:
    """A glance from facts that are loaded already."""
    counts = known.series(CD4)
    last, load = trends.trend(counts).last, trends.trend(known.series(VIRAL_LOAD)).last
    age = (known.today - last.on).days if last else None
    marks = [Mark(point.on, point.value, point.comparator, point.counts, "") for point in counts]
    return Glance(
        spark=small_charts.spark(marks, known.courses(), known.today - SPARK_DAYS, known.today),
        last=known.label(last),
        last_on=last.on if last else None,
        age=age,
        stale=age is not None and age > STALE.days,
        viral_load=known.label(load),
    )
