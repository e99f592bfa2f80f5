"""What was said on the days before a check-in, by symptom: what the rules compare with."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef

from sideeffects.models import BROUGHT_BACK, CheckIn, SymptomReport

Days = dict[str, dict[date, int]]


class Before(NamedTuple):
    """Worst severity by code and civil day: of everything, and of what was told here, thus judged by the rules."""

    everything: Days
    told: Days


def read(before: Any, today: date) -> Before:
    """The days before today; "no other symptoms" counts as none for every symptom known. Two statements.

    What a record brought back was judged by no rule and told to no clinic: it may never stand for having been told.
    """
    reports = SymptomReport.objects.filter(check_in__in=before).annotate(back=_brought_back("check_in_id"))
    graded = list(
        reports.values_list("symptom__code", "severity", "check_in__felt_at", "check_in__zone", "back"),
    )
    nothing = before.filter(no_symptoms=True).annotate(back=_brought_back("pk"))
    none = list(nothing.values_list("felt_at", "zone", "back"))
    return Before(
        _days([row[:4] for row in graded], [row[:2] for row in none], today),
        _days([row[:4] for row in graded if not row[4]], [row[:2] for row in none if not row[2]], today),
    )


def _brought_back(key: str) -> Exists:
    return Exists(CheckIn.history.filter(id=OuterRef(key), history_change_reason=BROUGHT_BACK))


def _days(graded: list[Any], none: list[Any], today: date) -> Days:
    worst: Days = {}
    for code, grade, at, zone in graded:
        days = worst.setdefault(code, {})
        day = at.astimezone(ZoneInfo(zone)).date()
        days[day] = max(days.get(day, 0), grade)
    for at, zone in none:
        for days in worst.values():
            days.setdefault(at.astimezone(ZoneInfo(zone)).date(), 0)
    return {code: {day: grade for day, grade in days.items() if day < today} for code, days in worst.items()}
