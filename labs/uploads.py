"""What an uploaded table would add, worked out from its text and the answers each time it is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from cycles import schedule
from il2tracker.accounts.models import Patient, Sharing, User
from labs import units, written
from labs.files import rows, tables
from labs.files.candidates import Line, Status
from labs.files.rows import Answers, Asked
from labs.matching import Known, Match, Shelf, known
from labs.models import Analyte, ImportBatch, LabResult

LEFT_OUT, ODD, REPLACED = "left out", "looks odd", "replaced"
MOST_PEOPLE = 200  # app's own: more patients in one file go through the command
SAYS_CELLS = re.compile(r"cell|mm|ul|µl", re.IGNORECASE)  # a column whose name has the unit of a count
EVERYBODY = "*"  # all rows of a file are one person's, whatever names stand in it
ORDER = (
    Match.NEW.value,
    REPLACED,
    Match.THERE.value,
    Match.CONFLICT.value,
    ODD,
    Status.NEEDS_DATE.value,
    Status.NOT_UNDERSTOOD.value,
    LEFT_OUT,
)


@dataclass(frozen=True)
class Outcome:
    """What becomes of one reading of the table: its state in a word, why, and for whom.

    `replaces` is the stored result whose place a conflicting value may take: the first one of the file, no other.
    """

    line: Line
    state: str
    reason: str = ""
    patient: Patient | None = None
    replaces: int | None = None
    identity: Known | None = None

    @property
    def at(self) -> datetime | None:
        """The moment of the draw, when the table holds a time."""
        return self.identity.at if self.identity else None


@dataclass(frozen=True)
class Upload:
    """A table with everything said about it so far.

    `patients` maps the file's names to patients; "" = rows without a name, or all rows of a file that names one person;
    EVERYBODY = all rows. `sure` = somebody looked at the values that look odd and said yes.
    """

    table: tables.Table
    layout: tables.Layout
    answers: Answers
    patients: Mapping[str, Patient]
    rules: Mapping[str, units.Rule]
    now: datetime
    sure: bool = False
    claimed: dict[int, Known] = field(default_factory=dict)

    def asked(self) -> Asked:
        """The questions of this table."""
        return rows.asked(self.table, self.layout, self.rules)

    def owner_of(self, name: str) -> Patient | None:
        """Whose row it is by the answers. Rows of several people are never one person's unless that was said."""
        one = self.patients.get("") if self._names_one else None
        return self.patients.get(name) or self.patients.get(EVERYBODY) or one

    @cached_property
    def _names_one(self) -> bool:
        return len(self.asked().patients) <= 1

    def outcomes(self) -> Iterator[Outcome]:
        """Every reading of the table with what becomes of it. Two passes give the same answer."""
        shelf = shelf_of({patient.pk for patient in self.patients.values()}, self.rules)
        self.claimed.clear()
        lines = rows.readings(self.table, self.layout, self.answers, self.rules, today=self._today())
        for _line, row in groupby(lines, key=lambda line: line.line):
            together = list(row)
            for line in together:
                outcome = self._outcome(line, shelf, {other.analyte for other in together})
                if outcome.state == Match.NEW.value and outcome.identity:
                    shelf.add(outcome.identity)
                yield outcome

    def _today(self) -> date:
        return max([patient.today(self.now) for patient in self.patients.values()], default=self.now.date())

    def _outcome(self, line: Line, shelf: Shelf, together: Collection[str]) -> Outcome:
        patient = self.owner_of(line.patient)
        if patient is None and line.status is not Status.NOT_UNDERSTOOD:
            return Outcome(line, LEFT_OUT, _("Nobody here was chosen for “%(name)s”.") % {"name": line.patient})
        if patient is None or line.status is not Status.READY or line.reading is None or line.on is None:
            return Outcome(line, line.status.value, line.reason, patient)
        at = schedule.moment(line.on, line.at, patient.zone) if line.at else None
        identity = known(patient.pk, self.rules[line.analyte], line.reading, line.on, at)
        match, meets = shelf.match(identity)
        odd = "" if self.sure or match is Match.THERE else self._odd(line, identity, shelf, together)
        if odd:
            return Outcome(line, ODD, odd, patient)
        if match is Match.CONFLICT and meets:
            return self._conflict(line, patient, identity, meets)
        return Outcome(line, match.value, "", patient, None, identity)

    def _odd(self, line: Line, identity: Known, shelf: Shelf, together: Collection[str]) -> str:
        """The questions of the form for the same value (H11), with what the file says of units and percentages."""
        assert line.reading is not None
        percent = "cd4_percent" in together or bool(SAYS_CELLS.search(line.name))
        percent = percent or shelf.has(identity.patient, "cd4_percent", identity.on)
        before, rule = shelf.value_before(identity), self.rules[line.analyte]
        return " ".join(written.questions(rule, line.reading, before=before, percent_given=percent))

    def _conflict(self, line: Line, patient: Patient, identity: Known, meets: Known) -> Outcome:
        """One row of the file may take the place of a stored result; the next that meets the same draw is left out."""
        rule = self.rules[line.analyte]
        first = meets if meets.key is None else self.claimed.get(meets.key)
        if first is not None or meets.key is None:
            words = _("Another row of this file has another value for this draw: %(value)s. This one is left out.")
            said = {"value": _in_words(rule, first or meets)}
            return Outcome(line, Match.CONFLICT.value, words % said, patient, None, identity)
        self.claimed[meets.key] = identity
        words = _("Another value of this test is there for this draw: %(value)s.") % {"value": _in_words(rule, meets)}
        return Outcome(line, Match.CONFLICT.value, words, patient, meets.key, identity)


def _in_words(rule: units.Rule, meets: Known) -> str:
    reading = units.Reading(meets.comparator, meets.value, rule.canonical_unit, None, "")
    return units.in_words(rule, reading)


def counts(outcomes: Collection[Outcome]) -> Counter[str]:
    """How many readings are in each state."""
    return Counter(outcome.state for outcome in outcomes)


def shelf_of(patients: Collection[int], rules: Mapping[str, units.Rule]) -> Shelf:
    """The standing results of these patients, by primary key."""
    results = LabResult.objects.standing().filter(patient__in=patients).select_related("analyte")
    return Shelf.of(identity_of(result, rules) for result in results.iterator(chunk_size=5000))


def identity_of(result: LabResult, rules: Mapping[str, units.Rule]) -> Known:
    """What identifies a stored result."""
    rule = rules.get(result.analyte.code) or result.analyte.rule
    return known(result.patient_id, rule, result.reading, result.drawn_on, result.drawn_at, result.specimen, result.pk)


def read_upload(
    content: bytes,
    answers: Mapping[str, Any],
    patients: Mapping[str, Patient],
    now: datetime,
    *,
    sure: bool = False,
    **limits: int,
) -> Upload:
    """A table with the answers given so far. Raises candidates.FileError for what is no table or over a limit."""
    table = tables.read(content, **limits)
    rules = {analyte.code: analyte.rule for analyte in Analyte.objects.all()}
    tests = {name: (analyte, unit) for name, (analyte, unit) in answers.get("tests", {}).items()}
    layout = tables.with_tests(tables.detect(table.header), table.header, tests)
    return Upload(table, layout, typed_answers(answers), patients, rules, now, sure)


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
