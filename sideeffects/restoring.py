"""Check-ins that a record of this software brings back: added once, as they were told, and nobody is alarmed by them.

A rule about today has nothing to say to what was felt in the past: whoever had to call has called, or has not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q
from simple_history.utils import bulk_create_with_history

from il2tracker.accounts import access
from il2tracker.accounts.models import Patient, User
from il2tracker.audit import log
from il2tracker.refs import new_ref
from sideeffects.models import BROUGHT_BACK, CheckIn, Symptom, SymptomReport

NAMES = UUID("0b2b7d0e-5a54-4f7c-9a7e-3b1d0c9a4f60")
"""Space of the keys of what came out of a record: the same row comes back once, whatever file it stands in."""


@dataclass(frozen=True)
class Kept:
    """One check-in as a record holds it, checked by whoever read it. `severities`: 0 to 3 by code of the symptom."""

    ref: str
    felt_at: datetime
    zone: str
    flags: tuple[str, ...] = ()
    none_of_flags: bool = False
    temperature: Decimal | None = None
    temperature_unit: str = ""
    temperature_typed: str = ""
    medicine: str = ""
    severities: Mapping[str, int] | None = None
    no_symptoms: bool = False
    weight: Decimal | None = None
    weight_unit: str = ""
    systolic: int | None = None
    diastolic: int | None = None
    stools: int | None = None
    note: str = ""


def new_among(patient: Patient, kept: Sequence[Kept]) -> list[Kept]:
    """Those that are not in the diary yet. One statement."""
    keys = {_key(patient, each): each.ref for each in kept}
    mine = CheckIn.objects.of(patient).filter(Q(ref__in=keys.values()) | Q(idempotency_key__in=keys))
    there = set()
    for ref, key in mine.values_list("ref", "idempotency_key"):
        there |= {ref, keys.get(key, ref)}
    once = {each.ref: each for each in kept}
    return [each for each in once.values() if each.ref not in there]


def _key(patient: Patient, kept: Kept) -> UUID:
    return uuid5(NAMES, f"{patient.ref}/{kept.ref}")


@transaction.atomic
def bring_back(*, by: User, patient: Patient, kept: Sequence[Kept], now: datetime) -> list[CheckIn]:
    """Add what is not in the diary yet, and raise nothing. A second time adds nothing. Raises PermissionDenied."""
    access.require_recording(by, patient)
    patient = patient.lock()
    new = new_among(patient, kept)
    taken = set(CheckIn.objects.filter(ref__in=[each.ref for each in new]).values_list("ref", flat=True))
    rows = [_row(by, patient, each, now, is_taken=each.ref in taken) for each in new]
    made = bulk_create_with_history(rows, CheckIn, default_user=by, default_change_reason=BROUGHT_BACK)
    symptoms = {symptom.code: symptom for symptom in Symptom.objects.all()}
    reports = [
        SymptomReport(check_in=check_in, symptom=symptoms[code], severity=severity)
        for check_in, each in zip(made, new, strict=True)
        for code, severity in (each.severities or {}).items()
    ]
    bulk_create_with_history(reports, SymptomReport, default_user=by, default_change_reason=BROUGHT_BACK)
    log.record(action="sideeffects.check_ins.restored", by=by, patient=patient, detail=str(len(made)))
    return list(made)


def _row(by: User, patient: Patient, each: Kept, now: datetime, *, is_taken: bool) -> CheckIn:
    """Its own name comes back with it, unless another diary here has it."""
    return CheckIn(
        patient=patient,
        ref=new_ref() if is_taken else each.ref,
        felt_at=each.felt_at,
        zone=each.zone,
        flags=sorted(each.flags),
        none_of_flags=each.none_of_flags,
        temperature=each.temperature,
        temperature_unit=each.temperature_unit,
        temperature_typed=each.temperature_typed,
        medicine=each.medicine,
        no_symptoms=each.no_symptoms,
        weight=each.weight,
        weight_unit=each.weight_unit,
        systolic=each.systolic,
        diastolic=each.diastolic,
        stools=each.stools,
        note=each.note,
        recorded_by=by,
        recorded_at=now,
        idempotency_key=_key(patient, each),
    )
