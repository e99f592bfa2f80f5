"""The blood tests before a course: which of them have a result that counts (2.4, D17). One answer for every page."""

from __future__ import annotations

from datetime import date

from django.db.models import OuterRef, Q, Subquery

from cycles import last_doses, schedule
from cycles.models import Cycle
from il2tracker.accounts.models import Patient
from labs.facts import CD4, VIRAL_LOAD
from labs.models import LabResult

DRAWS = {CD4: "cd4_on", VIRAL_LOAD: "rna_on"}  # a draw before a course is for both (P54)
# What can be read: "specimen clotted", a number in a unit that nobody knows, or a preliminary one that the laboratory
# may still change, is no result to wait no longer for.
READABLE = (Q(value__isnull=False) & ~Q(unit="") | Q(value__isnull=True, detected=False)) & ~Q(
    status=LabResult.Status.PRELIMINARY
)


def facts(today: date | None = None) -> dict[str, Subquery]:
    """Annotations of a queryset of courses that everything here reads: the newest draws and the last injection."""
    results = LabResult.objects.standing().filter(
        READABLE, patient=OuterRef("patient"), drawn_on__lt=OuterRef("starts_on")
    )
    draws = {
        name: Subquery(results.of_tests(code).order_by("-drawn_on").values("drawn_on")[:1])
        for code, name in DRAWS.items()
    }
    return {**draws, **last_doses.facts(today)}


def newest(course: Cycle) -> dict[str, date | None]:
    """The newest draw of each test before the course."""
    return {code: course.__dict__[name] for code, name in DRAWS.items()}


def unsettled(course: Cycle, patient: Patient) -> bool:
    """Whether no result can count because nobody knows of an earlier treatment (D3)."""
    unknown = patient.earlier_il2 == Patient.EarlierIL2.UNKNOWN
    return unknown and last_doses.last_dose_on(course, patient) is None


def lacking(course: Cycle, patient: Patient) -> list[str]:
    """The tests without a reliable draw in the weeks before the course, perhaps of two days; empty = results are in."""
    opens, closes = schedule.bloodwork_window(course.starts_on)
    last = last_doses.last_dose_on(course, patient)
    if last is not None:
        opens = max(opens, schedule.reliable_from(last))
    none_counts = unsettled(course, patient)
    return [code for code, on in newest(course).items() if none_counts or on is None or not opens <= on <= closes]
