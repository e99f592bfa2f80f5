"""What a patient's newest results say about the next report. It is suggested, marked as such, and never kept unseen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from django.db.models import F, OuterRef, QuerySet, Subquery

from il2tracker.accounts.models import Patient
from labs.models import Analyte, LabResult


@dataclass(frozen=True)
class Suggestion:
    """Of one test: the code of the unit that was used last, and the range that the last report printed in that unit."""

    unit: str
    printed_range: str = ""


@dataclass(frozen=True)
class LastReport:
    """The laboratory and the printed ranges of the newest report that had them, and every test's last unit.

    A range belongs to its laboratory, sex and age (H24): it is a suggestion for the next report of the same laboratory.
    """

    on: date | None = None
    laboratory: str = ""
    tests: dict[str, Suggestion] = field(default_factory=dict)

    def unit(self, code: str) -> str:
        """Code of the unit of this test's newest result; "" without one."""
        return self.tests[code].unit if code in self.tests else ""

    def printed_range(self, code: str) -> str:
        """The range that the last report printed for this test; "" without one."""
        return self.tests[code].printed_range if code in self.tests else ""


NOTHING = LastReport()


def newest_of_each_test(results: QuerySet[LabResult], tests: Collection[Analyte] | None = None) -> list[LabResult]:
    """The newest of these results for each test, in one statement however many there are."""
    catalogue = Analyte.objects.all() if tests is None else Analyte.objects.filter(pk__in=[test.pk for test in tests])
    order = ("-drawn_on", F("drawn_at").desc(nulls_last=True), "-pk")
    newest = Subquery(results.filter(analyte=OuterRef("pk")).order_by(*order).values("pk")[:1])
    rows = LabResult.objects.filter(pk__in=catalogue.order_by().annotate(newest=newest).values("newest"))
    return list(rows.select_related("analyte"))


def last_report(patient: Patient) -> LastReport:
    """What is suggested for this patient's next report."""
    newest = newest_of_each_test(LabResult.objects.standing().of(patient))
    with_laboratory = [result for result in newest if result.laboratory or result.printed_range]
    last = max(with_laboratory, key=lambda result: (result.drawn_on, result.pk), default=None)
    tests = {result.analyte.code: _suggestion(result, last) for result in newest if result.unit}
    return LastReport(last.drawn_on if last else None, last.laboratory if last else "", tests)


def _suggestion(result: LabResult, last: LabResult | None) -> Suggestion:
    same = last is not None and (result.drawn_on, result.laboratory) == (last.drawn_on, last.laboratory)
    return Suggestion(result.unit, result.printed_range if same else "")
