"""The results that are stored, as a file's readings are compared with them: few at a time, however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from cycles.models import Plan, PlanVersion
from labs import units
from labs.files.candidates import Stage
from labs.many import in_parts
from labs.matching import Beside, Known, Shelf, known
from labs.models import Analyte, LabResult

WITHDRAWN = "entered in error by the laboratory"  # why a result is hidden that its laboratory took back
STAGES = {stage.value: stage for stage in Stage}
MOST_KEPT = 30_000  # app's own: results in memory at once
COLUMNS = ("pk", "patient_id", "analyte_id", "test_name", "comparator", "value", "unit", "unit_text", "text",
           "drawn_on", "drawn_at", "specimen", "external_id", "status", "voided_at", "batch_id", "detected",
           "laboratory", "printed_range", "flag", "note")  # fmt: skip
OF_A_VERSION = ("id", *COLUMNS[1:10], "detected", "printed_range", "flag", "note")


def shelf_of(patients: Collection[int], rules: Mapping[str, units.Rule]) -> Shelf:
    """The standing results of these patients, by primary key, all as final: what a person enters is compared with."""
    results = LabResult.objects.standing().filter(patient__in=patients).select_related("analyte")
    return Shelf.of(identity_of(result, rules) for result in results.iterator(chunk_size=5000))


def identity_of(result: LabResult, rules: Mapping[str, units.Rule]) -> Known:
    """What identifies a stored result."""
    rule = rules.get(result.analyte.code) or result.analyte.rule
    return known(
        result.patient_id,
        rule,
        result.reading,
        result.drawn_on,
        result.drawn_at,
        result.specimen,
        result.pk,
        name=result.test_name,
        external_id=result.external_id,
        laboratory=result.laboratory,
    )


@dataclass
class Stock:
    """The shelf for a long file. `batch`: rows of this import are the file's own, not what was there before.

    `forgets`: what is not needed now is dropped, because every row so far is stored already.
    """

    rules: Mapping[str, units.Rule]
    batch: int | None = None
    forgets: bool = False
    shelf: Shelf = field(default_factory=Shelf)
    there: set[int] = field(default_factory=set)
    count: int = 0
    besides: dict[Beside, Beside] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tests = {analyte.pk: self.rules[analyte.code] for analyte in Analyte.objects.all()}
        self.versions = Versions(self.tests)

    def bring(self, patients: Iterable[int]) -> Shelf:
        """The shelf with everything of these patients."""
        wanted = set(patients)
        if self.forgets and self.count > MOST_KEPT:
            self.shelf, self.there, self.count, self.besides = Shelf(), set(), 0, {}
        missing = wanted - self.there
        if missing:
            for one in self._stored(missing):
                self.add(one)
            self.there |= missing
        return self.shelf

    def add(self, one: Known) -> None:
        """One more, stored or of this file: both take their place in memory."""
        self.shelf.add(one)
        self.count += 1

    def _stored(self, patients: set[int]) -> Iterator[Known]:
        kept = LabResult.objects.filter(patient__in=patients)
        kept = kept.filter(Q(voided_at__isnull=True) | Q(void_reason=WITHDRAWN))
        for row in kept.order_by("drawn_on").values_list(*COLUMNS).iterator(chunk_size=2000):
            yield self._known(*row)

    def _known(self, pk: int, patient: int, test: int, name: str, sign: str, value: Any, unit: str, unit_text: str,
               text: str, on: Any, at: Any, specimen: str, external_id: str, status: str, voided: Any,
               batch: int | None, detected: bool | None, laboratory: str, *printed: str) -> Known:  # fmt: skip
        beside = Beside.of(*printed)
        return known(
            patient,
            self.tests[test],
            units.Reading(sign, value, unit, detected, "", unit_text, text),
            on,
            at,
            specimen,
            None if self.batch is not None and batch == self.batch else pk,
            name=name,
            external_id=external_id,
            stage=STAGES[status],
            withdrawn=voided is not None,
            laboratory=laboratory,
            beside=self.besides.setdefault(beside, beside),
        )


@dataclass
class Versions:
    """What stood in the place of results before, by their primary key: few at a time, in one statement."""

    tests: Mapping[int, units.Rule]
    loaded: dict[int, list[Known]] = field(default_factory=dict)
    replaced: dict[int, list[Known]] = field(default_factory=lambda: defaultdict(list))

    def bring(self, keys: Collection[int]) -> None:
        """Forget those of before, and load the histories of these results."""
        self.loaded = {key: [] for key in keys}
        for some in in_parts(sorted(keys)):
            rows = LabResult.history.filter(id__in=some).order_by("history_id").values_list(*OF_A_VERSION)
            for row in rows:
                self.loaded[row[0]].append(self._known(*row))

    def _known(self, pk: int, patient: int, test: int, name: str, sign: str, value: Any, unit: str, unit_text: str,
               text: str, on: Any, detected: bool | None, *beside: str) -> Known:  # fmt: skip
        reading = units.Reading(sign, value, unit, detected, "", unit_text, text)
        return known(patient, self.tests[test], reading, on, None, key=pk, name=name, beside=Beside.of(*beside))

    def replace(self, old: Known) -> None:
        """This file puts something else in the place of this one."""
        if old.key is not None:
            self.replaced[old.key].append(old)

    def stood_before(self, there: Known, new: Known) -> bool:
        """Whether what is new stood in the place of this one already, before somebody corrected it."""
        if there.key is None:
            return False
        if there.key not in self.loaded:
            self.bring([*self.loaded, there.key])
        before = (*self.loaded[there.key], *self.replaced.get(there.key, ()))
        same = new.says_the_same(there)
        return any(_says(version, new, fully=same) for version in before)


def _says(version: Known, new: Known, *, fully: bool) -> bool:
    """Whether a version holds this value; `fully` = also what is printed beside it."""
    if version.on != new.on or not new.says_the_same(version):
        return False
    return not new.says_more(version) if fully else new.detected in (None, version.detected)


def without_timed_tests(patients: Collection[int]) -> set[int]:
    """Those of these patients, by primary key, in whose plans CD4+ and viral load have no part; one statement."""
    newest = PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("-number").values("timing_matters")[:1]
    plans = Plan.objects.filter(patient__in=patients).annotate(timed=Subquery(newest))
    rows = list(plans.values_list("patient_id", "timed"))
    return {patient for patient, _timed in rows} - {patient for patient, timed in rows if timed}
