"""The results that are stored, as a file's readings are compared with them: few at a time, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from labs import units
from labs.files.candidates import Stage
from labs.matching import Known, Shelf, known
from labs.models import Analyte, LabResult

WITHDRAWN = "entered in error by the laboratory"  # why a result is hidden that its laboratory took back
MOST_KEPT = 30_000  # app's own: stored results in memory at once
COLUMNS = ("pk", "patient_id", "analyte_id", "test_name", "comparator", "value", "unit", "unit_text", "text",
           "drawn_on", "drawn_at", "specimen", "external_id", "status", "voided_at", "batch_id", "detected",
           "laboratory")  # fmt: skip


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

    def __post_init__(self) -> None:
        self.tests = {analyte.pk: self.rules[analyte.code] for analyte in Analyte.objects.all()}

    def bring(self, patients: Iterable[int]) -> Shelf:
        """The shelf with everything of these patients."""
        wanted = set(patients)
        if self.forgets and self.count > MOST_KEPT:
            self.shelf, self.there, self.count = Shelf(), set(), 0
        missing = wanted - self.there
        if missing:
            for one in self._stored(missing):
                self.shelf.add(one)
                self.count += 1
            self.there |= missing
        return self.shelf

    def _stored(self, patients: set[int]) -> Iterator[Known]:
        kept = LabResult.objects.filter(patient__in=patients)
        kept = kept.filter(Q(voided_at__isnull=True) | Q(void_reason=WITHDRAWN))
        for row in kept.order_by("drawn_on").values_list(*COLUMNS).iterator(chunk_size=2000):
            yield self._known(*row)

    def _known(self, pk: int, patient: int, test: int, name: str, sign: str, value: Any, unit: str, unit_text: str,
               text: str, on: Any, at: Any, specimen: str, external_id: str, status: str, voided: Any,
               batch: int | None, detected: bool | None, laboratory: str) -> Known:  # fmt: skip
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
            stage=Stage(status),
            withdrawn=voided is not None,
            laboratory=laboratory,
        )


def stood_before(key: int, there: Known) -> bool:
    """Whether the stored result with this key once held the value of `there`, before somebody corrected it."""
    was = LabResult.history.filter(id=key, comparator=there.comparator, text=there.text)
    if there.detected is not None:
        was = was.filter(detected=there.detected)
    if there.value is None:
        return was.filter(value__isnull=True, drawn_on=there.on).exists()
    versions = was.filter(drawn_on=there.on).exclude(unit="").values_list("analyte__code", "value", "unit")
    rules = units.library()
    return any(_own(rules[code], value, unit) == there.value for code, value, unit in versions)


def _own(rule: units.Rule, value: Any, unit: str) -> Any:
    return units.in_own_unit(rule, units.Reading("=", value, unit, None, "")).value
