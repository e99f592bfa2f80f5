"""A file and everything said about it so far: what it asks, whose rows they are, what it would add."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient, Sharing, User
from labs import units
from labs.files import formats
from labs.files.asking import Asked
from labs.files.candidates import Line, Person, Status
from labs.files.formats import File
from labs.files.rows import Answers
from labs.files.tables import Opener
from labs.models import ImportBatch, LabResult, rules
from labs.outcomes import LEFT_OUT, STRANGER, Outcome, Stranger
from labs.stock import Stock
from labs.verdicts import Comparison, Draft

MOST_PEOPLE = 200  # app's own: more patients in one file go through the command
CHUNK = 2_000  # readings compared, and then written, at a time
EVERYBODY = "*"  # all rows of a file are one person's, whatever names stand in it
NEEDS_SOMEBODY = (Status.READY, Status.NEEDS_DATE, Status.WITHDRAWN)  # no sets: they would hash each of long files
ACTS = (Status.READY, Status.WITHDRAWN, Status.CANCELLED)


@dataclass(frozen=True)
class Upload:
    """A file with everything said about it so far.

    `patients` maps the file's names to patients; "" = rows without a name, or all rows of a file that names one person;
    EVERYBODY = all rows. `sure` = somebody looked at the values that look odd and said yes; `beyond` = at those that
    have no part in a plan. `same` = keys of those of whom somebody said that they are the same person; EVERYBODY = all.
    `batch` = the import that is being written; `heard` = the questions, where the file was read for them already.
    """

    file: File
    answers: Answers
    patients: Mapping[str, Patient]
    rules: Mapping[str, units.Rule]
    now: datetime
    sure: bool = False
    beyond: bool = False
    same: Collection[str] = ()
    batch: int | None = None
    heard: Asked | None = None
    met: dict[tuple[int, Person], Stranger | None] = field(default_factory=dict)

    @cached_property
    def asked(self) -> Asked:
        """The questions of this file."""
        return self.heard or self.file.asked(self.rules)

    def owner_of(self, name: str) -> Patient | None:
        """Whose row it is by the answers. Rows of several people are never one person's unless that was said."""
        one = self.patients.get(name) or self.patients.get(EVERYBODY)
        return one or (self.patients.get("") if "" in self.patients and len(self.asked.patients) <= 1 else None)

    @property
    def strangers(self) -> list[Stranger]:
        """Those who clearly differ, or say nothing to compare, once every line was read."""
        return [stranger for stranger in self.met.values() if stranger]

    def outcomes(self) -> Iterator[Outcome]:
        """Every reading of the file with what becomes of it. Two passes give the same answer."""
        for chunk in self.chunks():
            yield from chunk

    def chunks(self, *, forgets: bool = False) -> Iterator[list[Outcome]]:
        """The outcomes some thousands at a time. `forgets`: the caller stores each chunk before asking for the next."""
        stock = Stock(self.rules, self.batch, forgets)
        comparison = Comparison(stock, self.rules, self.now, self._limits, self.sure, self.beyond)
        for read in self._rows():
            owners = (self.owner_of(line.patient) for row in read for line in row)
            comparison.bring({owner.id for owner in owners if owner})
            yield list(comparison.outcomes([draft for row in read for draft in self._drafts(row, comparison)]))

    def _rows(self) -> Iterator[list[list[Line]]]:
        """The lines that stand together in one row of the file, some thousands of lines at a time."""
        chunk, count = [], 0
        lines = self.file.lines(self._answers, self.rules, today=self._today)
        for _line, row in groupby(lines, lambda line: line.line):
            chunk.append(list(row))
            count += len(chunk[-1])
            if count >= CHUNK:
                yield chunk
                chunk, count = [], 0
        if chunk:
            yield chunk

    @cached_property
    def _answers(self) -> Answers:
        """What was said; and what the dates of the file themselves show of their order."""
        return self.answers if self.answers.order else replace(self.answers, order=self.asked.order_seen)

    @cached_property
    def _limits(self) -> set[object]:
        """The numbers that may be limits: where they were said to be, their readings are limits by now."""
        return {(test, number) for (test, _unit), number, _count in self.asked.floors}

    @cached_property
    def _today(self) -> date:
        return max([patient.today(self.now) for patient in self.patients.values()], default=self.now.date())

    def _drafts(self, row: list[Line], comparison: Comparison) -> Iterator[Draft | Outcome]:
        analytes = {line.analyte for line in row}
        for line in row:
            patient = self.owner_of(line.patient)
            if patient is None and line.status in NEEDS_SOMEBODY:
                yield Outcome(line, LEFT_OUT, _("Nobody here was chosen for “%(name)s”.") % {"name": line.patient})
            elif patient is None or line.status not in ACTS:
                yield Outcome(line, line.status.value, line.reason, patient)
            elif line.person and (stranger := self._stranger(line, line.person, patient)):
                yield Outcome(line, STRANGER, stranger.waits, patient)
            else:
                yield comparison.drafted(line, patient, analytes)

    def _stranger(self, line: Line, person: Person, patient: Patient) -> Stranger | None:
        key = (patient.pk, person)
        if key not in self.met:
            self.met[key] = Stranger.met(
                person, patient, was_named=bool(line.patient) and line.patient in self.patients
            )
        stranger = self.met[key]
        return None if stranger is None or stranger.key in self.same or EVERYBODY in self.same else stranger


def read_upload(
    content: bytes | Opener,
    answers: Mapping[str, Any],
    patients: Mapping[str, Patient],
    now: datetime,
    *,
    sure: bool = False,
    beyond: bool = False,
    batch: int | None = None,
    heard: Asked | None = None,
    **limits: int,
) -> Upload:
    """A file with the answers given so far. Raises candidates.FileError for what cannot be read or is over a limit."""
    tests = {name: (analyte, unit) for name, (analyte, unit) in answers.get("tests", {}).items()}
    file = formats.opened(content, tests, **limits)
    known = rules()
    if "most_rows" in limits:
        file.refuse_rows(known, limits["most_rows"])
    same = answers.get("same", ())
    return Upload(file, typed_answers(answers), patients, known, now, sure, beyond, same, batch, heard)


def typed_answers(stored: Mapping[str, Any]) -> Answers:
    """Answers as stored with an upload (JSON) with their types."""
    floors: dict[tuple[str, str], dict[Decimal, Decimal]] = {}
    for analyte, unit, number, limit in stored.get("floors", []):
        floors.setdefault((analyte, unit), {})[Decimal(number)] = Decimal(limit)
    return Answers(
        starts={name: date.fromisoformat(on) for name, on in stored.get("starts", {}).items()},
        column_dates={name: date.fromisoformat(on) for name, on in stored.get("columns", {}).items()},
        floors=floors,
        start=date.fromisoformat(stored["start"]) if stored.get("start") else None,
        on=date.fromisoformat(stored["on"]) if stored.get("on") else None,
        order=stored.get("order", ""),
    )


def patients_of(batch: ImportBatch, addable: Mapping[str, Patient]) -> dict[str, Patient]:
    """Whom the file's names mean, by the answers: only patients in `addable` (by code)."""
    if batch.patient is not None:
        return {batch.answers.get("whose", ""): batch.patient}
    chosen = batch.answers.get("people", {})
    return {name: addable[code] for name, code in chosen.items() if code in addable}


def addable_by(user: User) -> dict[str, Patient]:
    """The patients, by code, for whom this person may add results: the clinic's, and those who let him record."""
    shared = Sharing.objects.open().with_clinics().with_user(user).values("patient")
    visible = Patient.objects.visible_to(user).filter(pk__in=shared) | Patient.objects.recordable_by(user)
    return {patient.code: patient for patient in visible.distinct()}


def require_adding(by: User, patients: Collection[Patient]) -> None:
    """Raises PermissionDenied unless this person may add results of all of them; one statement for all."""
    others = [patient for patient in patients if patient.user_id != by.pk]
    addable = addable_by(by) if others else {}
    if any(patient.code not in addable for patient in others):
        raise PermissionDenied


def sources(by: User | None, patients: Collection[Patient]) -> dict[int, str]:
    """Who enters the results of each patient, by primary key, as it is kept with them (actions.source_of)."""
    if by is None:
        return {patient.pk: LabResult.Source.CLINIC for patient in patients}
    others = [patient.pk for patient in patients if patient.user_id != by.pk]
    shared = Sharing.objects.open().filter(patient__in=others, clinic__memberships__user=by)
    members = set(shared.values_list("patient_id", flat=True))
    said: dict[int, str] = {}
    for patient in patients:
        own = LabResult.Source.PATIENT if patient.user_id == by.pk else LabResult.Source.CARER
        said[patient.pk] = LabResult.Source.CLINIC if patient.pk in members else own
    return said


def brought(batch: ImportBatch, addable: Mapping[str, Patient]) -> list[tuple[Patient, int]]:
    """Whose results an import added and how many, in the order of their codes: only patients in `addable`."""
    rows = LabResult.objects.filter(batch=batch).order_by().values("patient_id").annotate(n=Count("pk"))
    counted = {row["patient_id"]: row["n"] for row in rows}
    people = (addable[code] for code in sorted(addable))
    return [(patient, counted[patient.pk]) for patient in people if patient.pk in counted]
