"""What people enter, correct and withdraw, one draw or one result at a time. Files have import_actions.

Each action is atomic, locks the patient it is about and leaves an audit row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cycles.models import Cycle
from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from labs import stock, to_see
from labs.matching import Known, Match, Shelf, known
from labs.models import Analyte, Bloodwork, LabResult
from labs.units import Reading

LONGEST_REASON = 100  # as long as the history of a row holds it


@dataclass(frozen=True)
class Entry:
    """One reading with the reference range that the report prints beside it; "" = no range was seen (H24)."""

    reading: Reading
    printed_range: str = ""


@dataclass(frozen=True)
class Meeting:
    """A reading that meets another value of the same test and draw."""

    analyte: Analyte
    entry: Entry
    there: LabResult


class ConflictError(ValidationError):
    """Other values are there for this draw (`meetings`); somebody has to say whether to keep or replace them."""

    def __init__(self, meetings: list[Meeting]) -> None:
        super().__init__(_("You already have another value of this test for this draw."))
        self.meetings = meetings


class Conflicts(Enum):
    """What becomes of a reading that meets another value of the same draw."""

    ASK = "ask"
    KEEP = "keep"
    REPLACE = "replace"


class Kept(list[LabResult]):
    """The results of a draw as they stand now, in the order of the readings; `there` had been kept before."""

    def __init__(self) -> None:
        super().__init__()
        self.there: list[LabResult] = []


@dataclass(frozen=True)
class Drawn:
    """When blood was taken, in the patient's own calendar; the moment only if the time is known."""

    on: date
    at: datetime | None = None


def load_library(model: type[Analyte] = Analyte) -> None:
    """Bring the tests to the state of analytes.json. Safe to repeat; a migration passes the model as it was then."""
    columns = {field.name for field in model._meta.fields}
    for row in json.loads((Path(__file__).parent / "analytes.json").read_text(encoding="utf-8")):
        facts = {name: value for name, value in row.items() if name in columns}
        model.objects.update_or_create(code=row["code"], defaults=facts)


def may_add(user: User, patient: Patient) -> bool:
    """The patient, a person whom the patient lets record, and members of the patient's clinic."""
    return access.may_record(user, patient) or access.is_member_for(user, patient)


def require_adding(by: User, patient: Patient) -> None:
    """Raises PermissionDenied unless this person may add results of the patient."""
    if not may_add(by, patient):
        raise PermissionDenied


def source_of(by: User | None, patient: Patient) -> str:
    """Who enters a result, as it is kept with it."""
    if by is None or access.is_member_for(by, patient):
        return LabResult.Source.CLINIC
    return LabResult.Source.PATIENT if patient.user_id == by.pk else LabResult.Source.CARER


@transaction.atomic
def add_results(
    *,
    by: User,
    patient: Patient,
    drawn: Drawn,
    readings: Mapping[Analyte, Reading | Entry],
    now: datetime,
    laboratory: str = "",
    note: str = "",
    conflicts: Conflicts = Conflicts.ASK,
    reason: str = "",
) -> Kept:
    """Keep the readings of one draw. One that is there already is returned as it is, never doubled (B28).

    Raises PermissionDenied, ValidationError (future date, replacing without a reason), ConflictError when other values
    are there and nobody said what to do. KEEP leaves those as they are and keeps the rest.
    """
    require_adding(by, patient)
    patient = patient.lock()
    _refuse_future(patient, drawn, now)
    kept, facts = Kept(), {"laboratory": laboratory, "note": note}
    matched = _matched(patient, drawn, _entries(readings))
    meetings = [meeting for match, meeting in matched if match is Match.CONFLICT]
    if meetings and conflicts is Conflicts.ASK:
        raise ConflictError(meetings)
    for match, meeting in matched:
        if match is Match.NEW:
            kept.append(_create(by, patient, meeting, drawn, **facts))
        elif match is Match.THERE:
            kept.append(meeting.there)
            kept.there.append(meeting.there)
        elif conflicts is Conflicts.REPLACE:
            kept.append(_correct(by, meeting.there, meeting.entry, drawn, reason=reason, **facts))
    return kept


def _entries(readings: Mapping[Analyte, Reading | Entry]) -> dict[Analyte, Entry]:
    return {test: entry if isinstance(entry, Entry) else Entry(entry) for test, entry in readings.items()}


def _matched(patient: Patient, drawn: Drawn, entries: Mapping[Analyte, Entry]) -> list[tuple[Match, Meeting]]:
    """Each reading with how it stands to what is there, and with the result that it meets (a new one if none)."""
    shelf = stock.shelf_of({patient.pk}, {})
    found = []
    for analyte, entry in entries.items():
        match, meets = shelf.match(known(patient.pk, analyte.rule, entry.reading, drawn.on, drawn.at))
        there = LabResult(patient=patient, analyte=analyte)
        if meets is not None:
            there = LabResult.objects.with_facts().get(pk=meets.key)
        found.append((match, Meeting(analyte, entry, there)))
    return found


def _refuse_future(patient: Patient, drawn: Drawn, now: datetime) -> None:
    if drawn.on > patient.today(now) or (drawn.at is not None and drawn.at > now):
        raise ValidationError({"drawn_on": _("This day has not come yet. Enter the day on which blood was taken.")})


def _create(by: User, patient: Patient, meeting: Meeting, drawn: Drawn, *, laboratory: str, note: str) -> LabResult:
    result = meeting.there
    result.zone, result.source, result.entered_by = patient.time_zone, source_of(by, patient), by
    result.laboratory, result.note = laboratory, note
    result.printed_range = meeting.entry.printed_range
    write(result, meeting.entry.reading, drawn)
    save(by, result)
    log.record(action="labs.result.added", by=by, patient=patient, subject=result)
    return result


def write(result: LabResult, reading: Reading, drawn: Drawn) -> None:
    """Put a reading and its draw into a result, with what identifies it (B28)."""
    identity = _identity(result, reading, drawn)
    result.comparator, result.value, result.unit = reading.comparator, reading.value, reading.unit
    result.detected, result.raw = reading.detected, reading.raw
    result.unit_text, result.text = reading.unit_text, reading.text
    result.drawn_on, result.drawn_at, result.fingerprint = drawn.on, drawn.at, identity.fingerprint


def _identity(result: LabResult, reading: Reading, drawn: Drawn) -> Known:
    name = result.test_name
    return known(result.patient_id, result.analyte.rule, reading, drawn.on, drawn.at, result.specimen, name=name)


def _correct(
    by: User, result: LabResult, entry: Entry, drawn: Drawn, *, reason: str, laboratory: str, note: str
) -> LabResult:
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is changed.")})
    moved = (drawn.on, drawn.at) != (result.drawn_on, result.drawn_at)
    if entry.reading != result.reading:
        result.flag = ""  # the laboratory put it beside the old value
    result.printed_range, result.laboratory = entry.printed_range, laboratory
    if moved:
        refuse_meeting(result, _identity(result, entry.reading, drawn))
    return change(by, result, entry.reading, drawn, note, reason=reason)


def refuse_meeting(result: LabResult, identity: Known) -> None:
    """Raises ValidationError when another standing result of the same test and draw is there."""
    others = LabResult.objects.standing().of(result.patient).filter(analyte=result.analyte, drawn_on=identity.on)
    rows = others.exclude(pk=result.pk).select_related("analyte")
    match, _meets = Shelf.of(stock.identity_of(other, {}) for other in rows).match(identity)
    if match is not Match.NEW:
        raise ValidationError(_("You already have a result of this test for this draw. Look at that one first."))


def change(by: User, result: LabResult, reading: Reading, drawn: Drawn, note: str, *, reason: str = "") -> LabResult:
    """Correct a result whose patient is locked; its history keeps the old value, and the reason with the new one."""
    write(result, reading, drawn)
    result.status, result.note = LabResult.Status.CORRECTED, note or result.note
    save(by, result, reason=reason)
    log.record(action="labs.result.corrected", by=by, patient=result.patient, subject=result)
    return result


def save(by: User | None, row: LabResult | Bloodwork, *, reason: str = "") -> None:
    """Keep a row, with who changed it and why in its history, and note what the clinic has to see of it.

    Raises ValidationError, also for too long a reason.
    """
    if len(reason) > LONGEST_REASON:
        raise ValidationError({"reason": _("Say it in %(most)s letters or fewer.") % {"most": LONGEST_REASON}})
    row._history_user, row._change_reason = by, reason or None  # type: ignore[union-attr]
    row.full_clean()
    row.save()
    if isinstance(row, LabResult):
        to_see.raise_for(by, row)


@transaction.atomic
def correct_result(
    *,
    by: User,
    result: LabResult,
    reading: Reading | Entry,
    drawn: Drawn,
    now: datetime,
    reason: str,
    laboratory: str = "",
    note: str = "",
) -> LabResult:
    """Change a result; its history keeps the old value and the reason.

    Raises PermissionDenied, ValidationError (entered in error, future, no reason, meets another result).
    """
    require_adding(by, result.patient)
    patient = result.patient.lock()
    result.refresh_from_db()
    if result.voided_at is not None:
        raise ValidationError(_("This result was entered in error. Add it again instead."))
    _refuse_future(patient, drawn, now)
    entry = reading if isinstance(reading, Entry) else Entry(reading)
    return _correct(by, result, entry, drawn, reason=reason, laboratory=laboratory, note=note)


# The draw before a course


@transaction.atomic
def book_bloodwork(*, by: User, cycle: Cycle, booked_for: date | None) -> Bloodwork:
    """Keep the day booked for the draw before a course; None = not booked any more. Raises PermissionDenied."""
    return _set_bloodwork(by, cycle, "labs.bloodwork.booked", booked_for=booked_for)


@transaction.atomic
def record_drawn(*, by: User, cycle: Cycle, drawn_on: date | None, now: datetime) -> Bloodwork:
    """Keep the day on which blood was taken before a course. Raises PermissionDenied, ValidationError (future date)."""
    if drawn_on is not None:
        _refuse_future(cycle.patient, Drawn(drawn_on), now)
    return _set_bloodwork(by, cycle, "labs.bloodwork.drawn", drawn_on=drawn_on)


def _set_bloodwork(by: User, cycle: Cycle, action: str, **facts: date | None) -> Bloodwork:
    require_adding(by, cycle.patient)
    patient = cycle.patient.lock()
    row = Bloodwork.objects.filter(cycle=cycle).first() or Bloodwork(patient=patient, cycle=cycle)
    for name, value in facts.items():
        setattr(row, name, value)
    save(by, row)
    log.record(action=action, by=by, patient=patient, subject=row)
    return row
