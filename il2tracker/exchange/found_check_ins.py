"""What of a record's check-ins would come back into a diary: new, there already, or not readable and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient
from il2tracker.exchange import own_check_ins
from il2tracker.exchange.own_check_ins import Content, File
from sideeffects import restoring
from sideeffects.models import Symptom, SymptomReport, catalogue
from sideeffects.restoring import Kept
from sideeffects.units import Temperature

SHOWN = 50


@dataclass(frozen=True)
class Row:
    """One check-in in a line: when it was felt, on the clock of its place, and what it says."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Found:
    """What the page reads. `rows`: the newest of the new ones; `more`: how many are not shown.

    `refused`: the first of those that cannot be read, and why; `unreadable`: how many there are.
    """

    new: int
    already: int
    refused: list[tuple[int, str]]
    unreadable: int
    rows: list[Row]
    more: int


def read(patient: Patient, file: File, now: datetime) -> Content:
    """The check-ins of the file. One statement."""
    return _read(patient, file, now, catalogue())


def _read(patient: Patient, file: File, now: datetime, symptoms: list[Symptom]) -> Content:
    flags = {symptom.code: bool(symptom.flag_for) for symptom in symptoms}
    return own_check_ins.read(file.entries, flags, patient.time_zone, now)


def look(patient: Patient, file: File, now: datetime) -> Found:
    """What would become of the file. Two statements; nothing is written."""
    symptoms = catalogue()
    content, words = _read(patient, file, now, symptoms), {symptom.code: symptom.word for symptom in symptoms}
    new = sorted(restoring.new_among(patient, content.kept), key=lambda each: each.felt_at, reverse=True)
    return Found(
        new=len(new),
        already=len(content.kept) - len(new),
        refused=content.refused[:SHOWN],
        unreadable=len(content.refused),
        rows=[Row(each.felt_at.astimezone(ZoneInfo(each.zone)), _says(each, words)) for each in new[:SHOWN]],
        more=max(len(new) - SHOWN, 0),
    )


def _says(each: Kept, words: dict[str, str]) -> str:
    """ "38.5 °C, tired (moderate), feeling sick (mild), a note"."""
    parts = [] if each.temperature is None else [str(Temperature(each.temperature, each.temperature_unit))]
    parts += [words[code] for code in each.flags]
    graded = sorted((each.severities or {}).items(), key=lambda pair: -pair[1])
    parts += [f"{words[code]} ({SymptomReport.Severity(severity).label.lower()})" for code, severity in graded]
    parts += [_("no other symptoms")] if each.no_symptoms else []
    parts += [_("a note")] if each.note else []
    return ", ".join(part[:1].lower() + part[1:] for part in parts) or _("none of the urgent signs")
