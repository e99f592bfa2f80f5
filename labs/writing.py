"""What a file adds, replaces and hides, on its way into the database: a chunk at a time, in a few statements each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _

from il2tracker.accounts.models import User
from il2tracker.audit import log
from labs import to_see
from labs.files.candidates import OTHER, Stage
from labs.files.rows import shortened
from labs.many import Change, Writer, in_parts
from labs.matching import Beside, Known, Match
from labs.models import Analyte, ImportBatch, LabResult
from labs.outcomes import HIDDEN, REPLACED, STRANGER, Outcome
from labs.stock import WITHDRAWN
from labs.uploads import Upload, sources

Place = tuple[int, str]  # a patient, and what identifies a standing result of hers
NEW, CORRECTS, CONFLICT = Match.NEW.value, Match.CORRECTS.value, Match.CONFLICT.value
STORED = ("pk", "patient_id", "fingerprint", "batch_id", "status", "note", "printed_range", "flag", "detected")


class StrangerError(ValidationError):
    """The file names somebody who clearly is not the patient chosen; a person has to say that it is the same one."""


@dataclass
class Writing:
    """One import on its way into the database, a chunk at a time, so that a long file stays small in memory.

    What happens to one result more than once in a chunk happens in as many steps: rows are made in the even ones and
    changed in the odd ones. `touched`: result → [its version before, its version after], as keys of its history (0 = it
    was made here).
    """

    by: User | None
    batch: ImportBatch
    upload: Upload
    now: datetime
    replace: bool = False
    each: Callable[[Outcome], None] = lambda outcome: None
    counted: Counter[str] = field(default_factory=Counter)
    done: dict[str, Counter[str]] = field(default_factory=dict)
    touched: dict[int, list[int]] = field(default_factory=dict)
    steps: dict[int, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    reached: dict[Place, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.analytes = dict(Analyte.objects.values_list("code", "pk"))
        self.writer = Writer(self.by, self.now)
        self.sources = sources(self.by, self.upload.patients.values())

    def write(self) -> None:
        """Everything, then what was done in words and numbers."""
        for chunk in self.upload.chunks(forgets=True):
            for outcome in chunk:
                self.each(outcome)
                self._take(outcome)
            self._flush()
        self.batch.outcomes = dict(self.counted)
        self.batch.replaced = [[key, *versions] for key, versions in self.touched.items()]
        to_see.raise_for_file(self.by, self.batch, self.now)
        to_see.raise_for_changes(self.by, {key: pair for key, pair in self.touched.items() if pair[0]})
        self._tell()

    def _take(self, outcome: Outcome) -> None:
        if outcome.state == STRANGER:
            raise StrangerError(outcome.reason)
        if self._changes(outcome):
            self._at(1, outcome)
        elif outcome.state != NEW:
            self._count(outcome, outcome.state)
        elif self.reached:
            self._at(0, outcome)
        else:
            self.steps[0].append(outcome)  # before any change, which is most of most files

    def _at(self, step: int, outcome: Outcome) -> None:
        """The first step of this kind behind all that happens to its places."""
        places = _places(outcome)
        last = max(self.reached.get(place, -1) for place in places)
        step += 2 * ((last - step) // 2 + 1)
        self.reached |= dict.fromkeys(places, step)
        self.steps[step].append(outcome)

    def _changes(self, outcome: Outcome) -> bool:
        if outcome.state == CONFLICT:
            return self.replace and outcome.meets is not None
        return outcome.state in (CORRECTS, HIDDEN)

    def _count(self, outcome: Outcome, state: str) -> None:
        self.counted[state] += 1
        if outcome.patient and state in _WRITTEN:
            self.done.setdefault(outcome.patient.ref, Counter())[state] += 1

    def _flush(self) -> None:
        for step in sorted(self.steps):
            if step % 2:
                self._change(self.steps[step])
                continue
            self.writer.write([self._made(outcome) for outcome in self.steps[step]])
            for outcome in self.steps[step]:
                self._count(outcome, outcome.state)
        self.steps.clear()
        self.reached.clear()

    # Making

    def _made(self, outcome: Outcome) -> dict[str, Any]:
        patient = outcome.patient
        assert patient is not None
        return {
            "patient_id": patient.id,
            "zone": patient.time_zone,
            "source": self.sources[patient.id],
            "entered_by_id": self.by.pk if self.by else None,
            "batch_id": self.batch.pk,
            **self._facts(outcome),
        }

    def _facts(self, outcome: Outcome) -> dict[str, Any]:
        """What the line says of a result; the readers have checked every part of it."""
        line, identity = outcome.line, outcome.identity
        reading = line.reading
        assert reading is not None
        assert identity is not None
        return {
            "analyte_id": self.analytes[line.analyte],
            "test_name": shortened(line.name, "name") if line.analyte == OTHER else "",
            "comparator": reading.comparator,
            "value": reading.value,
            "unit": reading.unit,
            "detected": reading.detected,
            "raw": shortened(reading.raw or line.raw, "raw"),
            "unit_text": shortened(reading.unit_text, "unit"),
            "text": shortened(reading.text, "text"),
            "drawn_on": identity.on,
            "drawn_at": identity.at,
            "specimen": identity.specimen,
            "printed_range": shortened(line.printed_range, "printed_range"),
            "flag": shortened(line.flag, "flag"),
            "laboratory": shortened(identity.laboratory, "laboratory"),
            "note": shortened(line.note, "note"),
            "external_id": identity.external_id,
            "fingerprint": identity.fingerprint,
            "status": line.stage.value,
        }

    # Changing

    def _change(self, outcomes: list[Outcome]) -> None:
        """Puts newer values in the place of stored ones, and hides what was taken back."""
        met = [outcome.meets for outcome in outcomes if outcome.meets]
        stored = _stored(met)
        taken = _standing(outcome.identity for outcome in outcomes if outcome.state != HIDDEN)
        changes = []
        for outcome, meets in zip(outcomes, met, strict=True):
            row = stored[meets.key or (meets.patient, meets.fingerprint)]
            state, facts, reason = self._changed(outcome, row)
            if state != HIDDEN and taken.get((meets.patient, facts["fingerprint"]), row["pk"]) != row["pk"]:
                state = Match.THERE.value
            else:
                changes.append((row, Change(row["pk"], facts, reason)))
            self._count(outcome, state)
        self._keep(changes)

    def _changed(self, outcome: Outcome, row: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
        """What becomes of a stored result: the state in a word, the columns that change, and why."""
        if outcome.state == HIDDEN:
            by = self.by.pk if self.by else None
            return HIDDEN, {"voided_at": self.now, "voided_by_id": by, "void_reason": WITHDRAWN}, WITHDRAWN
        facts = self._facts(outcome) | _beside(outcome, row)
        if row["status"] != LabResult.Status.PRELIMINARY or outcome.line.stage is Stage.CORRECTED:
            facts["status"] = LabResult.Status.CORRECTED
        if outcome.state == CORRECTS:
            return outcome.state, facts, _("corrected by the laboratory")
        return REPLACED, facts, _("replaced by the value of a file")

    def _keep(self, changes: list[tuple[dict[str, Any], Change]]) -> None:
        keys = [change.key for _row, change in changes]
        before = newest_versions(keys)
        self.writer.change([change for _row, change in changes])
        after = newest_versions(keys)
        for row, change in changes:
            first = 0 if row["batch_id"] == self.batch.pk else before[change.key]
            self.touched[change.key] = [self.touched.get(change.key, [first])[0], after[change.key]]

    def _tell(self) -> None:
        details = {ref: ", ".join(f"{n} {_WRITTEN[s]}" for s, n in done.items()) for ref, done in self.done.items()}
        log.record_details(action="labs.results.imported", by=self.by, subject=self.batch, details=details)


def newest_versions(keys: Collection[int]) -> dict[int, int]:
    """The newest row of history of each of these results."""
    found: dict[int, int] = {}
    for some in in_parts(list(keys)):
        rows = LabResult.history.filter(id__in=some).order_by().values_list("id")
        found |= dict(rows.annotate(newest=Max("history_id")))
    return found


def _places(outcome: Outcome) -> list[Place]:
    """Which places of results an outcome takes or leaves."""
    known = [outcome.meets] if outcome.state == HIDDEN else [outcome.meets, outcome.identity]
    return [(each.patient, each.fingerprint) for each in known if each]


def _stored(met: list[Known]) -> dict[int | Place, dict[str, Any]]:
    """The stored results that are met: by key, and by place those that this file has made itself."""
    found: dict[int | Place, dict[str, Any]] = {}
    for some in in_parts([known.key for known in met if known.key]):
        found |= {row["pk"]: row for row in LabResult.objects.filter(pk__in=some).values(*STORED)}
    own = [known for known in met if not known.key]
    for row in _rows_at(own):
        found[row["patient_id"], row["fingerprint"]] = row
    return found


def _standing(wanted: Iterable[Known | None]) -> dict[Place, int]:
    """Who stands at the places that are wanted."""
    return {(row["patient_id"], row["fingerprint"]): row["pk"] for row in _rows_at([each for each in wanted if each])}


def _rows_at(places: list[Known]) -> Iterable[dict[str, Any]]:
    for some in in_parts(places):
        at = LabResult.objects.standing().filter(patient__in={each.patient for each in some})
        yield from at.filter(fingerprint__in={each.fingerprint for each in some}).values(*STORED)


def _beside(outcome: Outcome, row: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the value from now on: a note is never lost, and what says the same says nothing less."""
    line, identity, meets = outcome.line, outcome.identity, outcome.meets
    facts: dict[str, Any] = {"note": shortened(line.note, "note") or row["note"]}
    if identity is None or meets is None or not identity.says_the_same(meets):
        return facts
    said = Beside(line.printed_range, line.flag).over(Beside(row["printed_range"], row["flag"]))
    detected = row["detected"] if identity.detected is None else identity.detected
    return facts | {"printed_range": said.printed_range, "flag": said.flag, "detected": detected}


_WRITTEN = {
    NEW: "results",
    CORRECTS: "corrected",
    REPLACED: "replaced",
    HIDDEN: "taken back",
}
