"""How a check-in came to say what it says: every version that was ever saved, by whom and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from cycles.story import Change, Step
from sideeffects import answers
from sideeffects.handover import measured
from sideeffects.models import CheckIn, Symptom, SymptomReport
from sideeffects.units import Pressure, Temperature, Weight


def of(check_in: CheckIn, *, after: int = 0) -> list[Step]:
    """The steps of a check-in after a version, the newest first; nothing while it was saved once. Three statements."""
    versions = list(check_in.history.select_related("history_user").order_by("history_date", "history_id"))
    if len(versions) < 2:
        return []
    words = dict(Symptom.objects.values_list("code", "word"))
    reports = list(_reports(check_in))
    ends = [version.history_date for version in versions[1:]] + [None]
    said = [_in_words(version, reports, end, words) for version, end in zip(versions, ends, strict=True)]
    zone = ZoneInfo(check_in.zone)
    steps = [
        Step(
            what=_what(version, older),
            at=version.history_date.astimezone(zone),
            by=version.history_user,
            changes=tuple(Change(name, then[name], now[name]) for name in now if then[name] != now[name]),
        )
        for version, older, then, now in zip(versions, [None, *versions], [said[0], *said], said, strict=False)
    ]
    return [step for step, version in zip(steps, versions, strict=True) if version.history_id > after][::-1]


def grades_then(check_in: CheckIn, version: int) -> dict[str, Decimal] | None:
    """How bad each sign was in a version; None where there is no such version."""
    then = check_in.history.filter(history_id=version).first()
    if then is None:
        return None
    newer = check_in.history.filter(history_id__gt=version).order_by("history_id").first()
    rows = _standing(list(_reports(check_in)), newer.history_date if newer else None)
    severities = {row.symptom.code: row.severity for row in rows}
    reading = None if then.temperature is None else Temperature(then.temperature, then.temperature_unit)
    return answers.grades(then.flags, severities, reading)


def _what(version: Any, older: Any) -> str:
    if older is None:
        return _("Recorded")
    what = _("Finished") if older.unfinished and not version.unfinished else _("Changed")
    return f"{what} (“{version.history_change_reason}”)" if version.history_change_reason else what


def _reports(check_in: CheckIn) -> Iterable[Any]:
    rows = SymptomReport.history.filter(check_in_id=check_in.pk).select_related("symptom")
    return rows.order_by("history_date", "history_id")


def _standing(reports: list[Any], end: datetime | None) -> list[Any]:
    """What a version reported of symptoms. It was saved with the version, so before the next one, at `end`."""
    found: dict[int, Any] = {}
    for row in reports:
        if end is not None and row.history_date >= end:
            break
        found.pop(row.symptom_id, None)
        if row.history_type != "-":
            found[row.symptom_id] = row
    return list(found.values())


def _in_words(version: Any, reports: list[Any], end: datetime | None, words: dict[str, str]) -> dict[str, str]:
    """One version."""
    grades = {row.symptom.word: str(row.get_severity_display()).lower() for row in _standing(reports, end)}
    return {
        _("Urgent signs"): "; ".join(words.get(code, code) for code in version.flags) or _none(version.none_of_flags),
        _("Temperature"): _reading(version),
        _("Fever medicine"): str(version.get_medicine_display()),
        _("Symptoms"): ", ".join(f"{word} ({grade})" for word, grade in sorted(grades.items()))
        or _none(version.no_symptoms),
        _("Measured"): ", ".join(_measured(version)),
        _("Note"): version.note,
    }


def _none(said: Any) -> str:
    return _("None") if said else ""


def _reading(version: Any) -> str:
    return "" if version.temperature is None else str(Temperature(version.temperature, version.temperature_unit))


def _measured(version: Any) -> list[str]:
    return measured(
        None if version.weight is None else Weight(version.weight, version.weight_unit),
        None if version.systolic is None else Pressure(version.systolic, version.diastolic),
        version.stools,
    )
