"""Which results somebody of the clinic has to see: raised when they are saved, open until a person has seen them.

Raised: a safety test outside the range printed with it, and what the patient's side changes or removes of the clinic's
entries. What settled itself meanwhile is left out when it is read, never when it is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery
from simple_history.utils import bulk_create_with_history

from il2tracker.accounts.models import Patient, User
from labs import range_words, uploads
from labs.files.candidates import OTHER
from labs.many import in_parts
from labs.models import ImportBatch, LabResult, LabResultQuerySet, ToSee

OLD_PAPER = timedelta(days=31)  # app's own: what was drawn earlier and is entered only now is no news
SAYS = ("comparator", "value", "unit", "unit_text", "detected", "text", "drawn_on", "drawn_at", "printed_range")
AT_ONCE = 500
Why = ToSee.Why


# Raising


def raise_for(by: User | None, result: LabResult) -> None:
    """Called when one result was saved by somebody; what is open already stays as it is."""
    newest = [*result.history.order_by("-history_id").values_list("history_id", flat=True)[:2], 0]
    raise_for_changes(by, {result.pk: (newest[1], newest[0])})


def raise_for_changes(by: User | None, changed: Mapping[int, Sequence[int]]) -> None:
    """The same for many: by result its version before and after, as keys of the history (0 = there was none)."""
    for part in in_parts(list(changed)):
        numbers = {number for pk in part for number in changed[pk]}
        versions = {row.history_id: row for row in LabResult.history.filter(history_id__in=numbers)}
        found = LabResult.objects.filter(pk__in=part).select_related("analyte", "patient")
        theirs = _not_of_the_clinic(by, {result.patient for result in found})
        reasons: list[tuple[LabResult, Why]] = []
        for result in found:
            before, now = map(versions.get, changed[result.pk])
            is_theirs = result.patient_id in theirs
            reasons += [(result, why) for why in _reasons(result, before, now, by_their_side=is_theirs)]
        _raise(by, reasons)


def raise_for_file(by: User | None, batch: ImportBatch, now: datetime) -> None:
    """The same for the new results of a file, in the same number of statements however long it is."""
    found = _watched(LabResult.objects.standing().filter(batch=batch, drawn_on__gte=now.date() - OLD_PAPER))
    _raise(by, [(result, Why.OUTSIDE) for result in found if is_outside(result)])


def _not_of_the_clinic(by: User | None, patients: Collection[Patient]) -> set[int]:
    """Those of these patients, by primary key, for whom this person does not work in a clinic; one statement."""
    said = uploads.sources(by, patients)
    return {pk for pk, source in said.items() if source != LabResult.Source.CLINIC}


def _reasons(result: LabResult, before: Any, now: Any, *, by_their_side: bool) -> Iterator[Why]:
    is_new = before is None or any(getattr(now, name) != getattr(before, name) for name in SAYS)
    stands = now.voided_at is None
    if stands and is_new and result.drawn_on >= now.history_date.date() - OLD_PAPER and is_outside(result):
        yield Why.OUTSIDE
    if before is None or result.source != LabResult.Source.CLINIC or not by_their_side:
        return
    if stands and is_new:
        yield Why.CHANGED
    if not stands and before.voided_at is None:
        yield Why.REMOVED


def _raise(by: User | None, reasons: Sequence[tuple[LabResult, Why]]) -> None:
    if not reasons:
        return
    asked = ToSee.objects.open().filter(result__in={result.pk for result, _why in reasons})
    is_open = set(asked.values_list("result_id", "why"))
    rows = [
        ToSee(patient_id=result.patient_id, result=result, why=why, raised_by=by)
        for result, why in reasons
        if (result.pk, why) not in is_open
    ]
    bulk_create_with_history(rows, ToSee, batch_size=AT_ONCE, default_user=by)


def _watched(results: LabResultQuerySet) -> LabResultQuerySet:
    """The safety tests among these results that have a range."""
    found: LabResultQuerySet = results.filter(analyte__timing_matters=False).exclude(printed_range="")
    return found.exclude(analyte__code=OTHER).select_related("analyte")


def is_outside(result: LabResult) -> bool:
    """Whether it is a safety test outside the range printed with it. IL-2 moves CD4+, so its range says little."""
    test = result.analyte
    return not test.timing_matters and test.code != OTHER and range_words.side_of(result) in {"low", "high"}


# Reading


def unseen(patients: QuerySet[Patient]) -> dict[int, list[ToSee]]:
    """By patient what nobody has seen yet, each with the newest `version` of its result; at most two statements."""
    rows = ToSee.objects.open().filter(patient__in=patients).annotate(version=_version("result_id"))
    ordered = rows.select_related("result__analyte", "raised_by", "patient").order_by(
        "result__analyte__position", "created_at"
    )
    stands = [row for row in ordered if _stands(row)]
    settled = _settled([row.result for row in stands if row.why == Why.OUTSIDE])
    found: dict[int, list[ToSee]] = {}
    for row in stands:
        if row.why != Why.OUTSIDE or row.result_id not in settled:
            found.setdefault(row.patient_id, []).append(row)
    return found


def _version(key: str) -> Subquery:
    versions = LabResult.history.filter(id=OuterRef(key)).order_by().values("id")
    return Subquery(versions.annotate(last=Max("history_id")).values("last"))


def _stands(row: ToSee) -> bool:
    """Whether what was raised is still so."""
    is_gone = row.result.voided_at is not None
    if row.why == Why.REMOVED:
        return is_gone
    return not is_gone and (row.why == Why.CHANGED or is_outside(row.result))


def _settled(results: Sequence[LabResult]) -> set[int]:
    """Those after which the clinic or its laboratory has a final result of the same test inside its range: what a
    patient types in settles nothing that nobody has seen."""
    if not results:
        return set()
    later = (
        _watched(LabResult.objects.standing())
        .exclude(status=LabResult.Status.PRELIMINARY)
        .filter(
            patient__in={result.patient_id for result in results},
            analyte__in={result.analyte_id for result in results},
            drawn_on__gte=min(result.drawn_on for result in results),
            source=LabResult.Source.CLINIC,
        )
    )
    inside = [result for result in later if range_words.side_of(result) == "inside"]
    return {result.pk for result in results if any(_follows(other, result) for other in inside)}


def _follows(later: LabResult, result: LabResult) -> bool:
    if (later.patient_id, later.analyte_id) != (result.patient_id, result.analyte_id):
        return False
    if later.drawn_on == result.drawn_on and later.drawn_at and result.drawn_at:
        return later.drawn_at > result.drawn_at
    return later.drawn_on > result.drawn_on


@dataclass(frozen=True)
class Seeing:
    """What is to be seen of one result, its newest version, and who saw it last if nothing is left to see."""

    to_see: list[ToSee]
    version: int
    seen: ToSee | None


def of_result(result: LabResult) -> Seeing:
    """How it stands with one result, for the clinic."""
    mine = unseen(Patient.objects.filter(pk=result.patient_id)).get(result.patient_id, [])
    to_see = [row for row in mine if row.result_id == result.pk]
    seen = ToSee.objects.filter(result=result, seen_at__isnull=False).select_related("seen_by").order_by("-seen_at")
    version = result.history.aggregate(last=Max("history_id"))["last"]
    return Seeing(to_see, version, None if to_see else seen.first())
