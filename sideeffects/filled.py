"""A check-in put back into the boxes of the form: to finish it, to change it, or to say the same again."""

from __future__ import annotations

from django.http import QueryDict

from sideeffects.models import CheckIn


def unfinished(check_in: CheckIn) -> QueryDict:
    """What was sent and not understood, as the form can show it again."""
    data = QueryDict(mutable=True)
    for name, values in check_in.unfinished.items():
        data.setlist(name, values)
    return data


def everything(check_in: CheckIn) -> QueryDict:
    """All that was answered, as it was typed."""
    data = symptoms(check_in, QueryDict(mutable=True))
    data.setlist("flags", check_in.flags)
    boxes = {
        "none_of_flags": "on" if check_in.none_of_flags else "",
        "temperature": check_in.temperature_typed or str(check_in.reading or ""),
        "unit": check_in.temperature_unit or check_in.patient.temperature_unit,
        "medicine": check_in.medicine,
        "weight": str(check_in.weighed or ""),
        "weight_unit": check_in.weight_unit,
        "pressure": str(check_in.pressure or "").partition("\N{NO-BREAK SPACE}")[0],
        "stools": "" if check_in.stools is None else str(check_in.stools),
        "note": check_in.note,
    }
    for name, value in boxes.items():
        if value:
            data[name] = value
    return data


def symptoms(check_in: CheckIn, data: QueryDict) -> QueryDict:
    """`data` with those symptoms and severities of the check-in that are not chosen in it, or that there were none.

    What is chosen in it stays, whatever was said last time. Never red flags, temperature, fever medicine, measurements
    or words: they are asked anew each time.
    """
    reported = [report for report in check_in.reports.all() if report.severity]
    graded = {name.removeprefix("how_") for name, how in data.items() if how and name.startswith("how_")}
    chosen = graded | set(data.getlist("symptoms"))
    for report in reported:
        if report.symptom.code not in chosen:
            data.appendlist("symptoms", report.symptom.code)
            data[f"how_{report.symptom.code}"] = str(report.severity)
    if check_in.no_symptoms and not chosen:
        data["no_symptoms"] = "on"
    elif reported:
        data.pop("no_symptoms", None)
    return data
