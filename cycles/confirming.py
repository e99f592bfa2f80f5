"""Whether a start still waits for the clinic's word (R1, R12): columns that other questions read along.

A start is unconfirmed while a clinic of the patient confirms starts and nobody has confirmed this first day, also when
the course runs: a record never stands for the clinic's word. A course that is moved needs a new confirmation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef

from cycles.models import Cycle, CycleQuerySet
from il2tracker.accounts.models import Patient, Sharing

AT_ONCE = 6  # app's own: a plan has one course to come, and seldom more than one that waits


def columns(*, cycle: str = "") -> dict[str, Any]:
    """Annotations for rows of courses, or of what belongs to one: `cycle` = "cycle__" leads there."""
    return {"asks_clinic": asks_clinic(), "confirmed_for": F(f"{cycle}readiness__confirmed_for")}


def asks_clinic() -> Exists:
    """For rows of a patient: whether a clinic with which he or she shares confirms every start."""
    clinics = Sharing.objects.open().filter(patient=OuterRef("patient"), clinic__confirms_starts=True)
    return Exists(clinics)


def is_unconfirmed(row: Mapping[str, Any], starts_on: date) -> bool:
    """From a row with `columns`: whether no reminder to inject may leave yet."""
    return row["asks_clinic"] and row["confirmed_for"] != starts_on


def is_asked_of(patient: Patient) -> bool:
    """Whether a clinic of the patient confirms every start."""
    return Sharing.objects.open().filter(patient=patient, clinic__confirms_starts=True).exists()


def next_course(cycles: CycleQuerySet, today: date) -> Cycle | None:
    """The course to get ready for, of these of one patient, with `columns`: one statement."""
    rows = cycles.filter(plan__ended_on=None).going_on(today).select_related("plan__protocol", "version", "patient")
    return course_to_prepare(list(rows.annotate(**columns()).order_by("starts_on")[:AT_ONCE]), today)


def course_to_hold(cycles: CycleQuerySet, today: date) -> Cycle | None:
    """The course that is named when something changes: the one that runs, else the one to come (P22, D19)."""
    rows = cycles.filter(plan__ended_on=None).going_on(today).select_related("plan__protocol", "version", "patient")
    return rows.order_by("starts_on").first()


def course_to_prepare(cycles: list[Cycle], today: date) -> Cycle | None:
    """Of a plan's courses with `columns`: the one to get ready for, else the one that runs.

    A course whose first day passed without the clinic's word comes first: somebody must decide about it.
    """
    standing = [cycle for cycle in cycles if cycle.state in {Cycle.State.PLANNED, Cycle.State.HELD}]
    running = [
        c for c in standing if c.starts_on < today <= c.last_dose_on or (c.starts_on < today and not c.goes_ahead)
    ]
    coming = sorted((cycle for cycle in standing if cycle.starts_on >= today), key=lambda cycle: cycle.starts_on)
    waiting = [cycle for cycle in running if is_unconfirmed(cycle.__dict__, cycle.starts_on) or not cycle.goes_ahead]
    return next(iter([*waiting, *coming, *running]), None)
