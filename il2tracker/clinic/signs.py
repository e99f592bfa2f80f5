"""Symptoms of a low potassium in the check-ins of a patient: what makes its first grade a second one (3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from labs.symptoms import Sign
from sideeffects.models import CheckIn, Symptom, SymptomReport

LOW_POTASSIUM = ("weak", "cramps", "palpitations")  # app's own choice: the table says "symptoms" and names none


def of_low_potassium(patient: int, first: date, last: date) -> Sequence[Sign]:
    """The check-ins of these civil days in which weak muscles, cramps or a pounding heart are ticked: three statements.

    A symptom that was said to be absent is none.
    """
    words = dict(Symptom.objects.filter(code__in=LOW_POTASSIUM).values_list("code", "word"))
    near = CheckIn.objects.filter(patient=patient).felt_between(first, last)
    reports = SymptomReport.objects.filter(check_in__in=near, symptom__code__in=LOW_POTASSIUM, severity__gt=0)
    felt: dict[int, list[str]] = {}
    for report in reports.select_related("symptom").order_by("symptom__position"):
        felt.setdefault(report.check_in_id, []).append(f"{report.symptom.word} ({report.get_severity_display()})")
    found = []
    for check_in in near.order_by("felt_at"):
        said = [words[code] for code in LOW_POTASSIUM if code in check_in.flags] + felt.get(check_in.pk, [])
        if said and first <= check_in.felt_on <= last:
            found.append(Sign(check_in.felt_on, check_in.ref, ", ".join(said).lower()))
    return found
