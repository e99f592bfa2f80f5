"""Safety tests that came in lately and lie outside the range printed beside them: somebody has to see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.accounts.models import Patient
from labs import range_words, words
from labs.files.candidates import OTHER
from labs.models import LabResult

ENTERED = timedelta(days=7)  # app's own: so long after it was entered a result stays on the list
DRAWN = timedelta(days=31)  # app's own: what is typed in from older paper is no news


def newest(patients: QuerySet[Patient], now: datetime) -> dict[int, list[LabResult]]:
    """By patient: of each safety test the newest result, if it is new and outside its printed range. One statement."""
    standing = LabResult.objects.standing().filter(analyte__timing_matters=False)
    newer = standing.filter(patient=OuterRef("patient"), analyte=OuterRef("analyte"), drawn_on__gt=OuterRef("drawn_on"))
    rows = standing.filter(patient__in=patients, created_at__gte=now - ENTERED, drawn_on__gte=now.date() - DRAWN)
    rows = rows.exclude(analyte__code=OTHER).filter(~Exists(newer)).select_related("analyte")
    ordered = rows.order_by("analyte__position", "drawn_on", F("drawn_at").asc(nulls_first=True), "pk")
    last = {(result.patient_id, result.analyte_id): result for result in ordered}
    found: dict[int, list[LabResult]] = {}
    for result in last.values():
        if range_words.side_of(result) in {"low", "high"}:
            found.setdefault(result.patient_id, []).append(result)
    return found


def in_words(results: Sequence[LabResult]) -> str:
    """ "Potassium 7.9 mmol/L, above the range"; of several, how many."""
    if len(results) > 1:
        return _("%(n)s results outside the laboratory’s range") % {"n": len(results)}
    return _value(results[0])


def detail(results: Sequence[LabResult]) -> str:
    """Which they are, when the newest was taken, and who entered it."""
    newest_one = max(results, key=lambda result: (result.drawn_on, result.created_at))
    facts = {"day": ui.long_day(newest_one.drawn_on), "by": newest_one.get_source_display()}
    taken = _("Taken on %(day)s, %(by)s.") % facts
    return taken if len(results) == 1 else "; ".join(map(_value, results)) + ". " + taken


def since(results: Sequence[LabResult]) -> str:
    """When the first of them was entered, which orders the list."""
    return min(result.created_at for result in results).isoformat()


def _value(result: LabResult) -> str:
    facts = {"test": words.name(result), "value": words.as_written(result)}
    if range_words.side_of(result) == "high":
        return _("%(test)s %(value)s, above the range") % facts
    return _("%(test)s %(value)s, below the range") % facts
