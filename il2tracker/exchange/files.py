"""The three files that a record can be taken along in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.text import slugify

from il2tracker.accounts.models import Patient
from il2tracker.exchange import csv_file, fhir_file, json_file, record


@dataclass(frozen=True)
class Kind:
    """One format: its name in addresses and forms, the ending of its files, and what writes it."""

    name: str
    ending: str
    content_type: str
    write: Callable[[Patient, datetime], str]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("table", "csv", "text/csv; charset=utf-8", lambda who, now: csv_file.write(record.results(who, now))),
        Kind("record", "json", "application/json", lambda who, now: json_file.write(record.record(who, now))),
        Kind("fhir", "fhir.json", "application/fhir+json", lambda who, now: fhir_file.write(record.bundle(who, now))),
    )
}


@dataclass(frozen=True)
class File:
    """A written file: a name that says nothing about its owner, and what is in it."""

    name: str
    content_type: str
    content: bytes


def written(kind: Kind, patient: Patient, now: datetime) -> File:
    """The file of a patient as it is at `now`."""
    name = f"{slugify(settings.SITE_NAME) or 'diary'}-{patient.today(now).isoformat()}.{kind.ending}"
    return File(name, kind.content_type, kind.write(patient, now).encode("utf-8"))
