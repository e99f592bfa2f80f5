"""The versions of a plan as people read them: what each changed, who signed it, and what is still to be read."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cycles import amounts, diffs
from cycles.models import Cycle, Plan, PlanVersion


@dataclass(frozen=True)
class Entry:
    """A version with what it changed against the one before; the first one changed nothing."""

    version: PlanVersion
    changes: list[diffs.Change]


def history(plan: Plan, clock: str) -> list[Entry]:
    """The newest first. Needs the plan's versions loaded."""
    versions = sorted(plan.versions.all(), key=lambda version: version.number)
    entries = [
        Entry(version, diffs.changes(before, version, clock)) for before, version in itertools.pairwise(versions)
    ]
    return [*reversed(entries), Entry(versions[0], [])]


def in_force(plan: Plan, courses: Iterable[Cycle], today: date) -> PlanVersion:
    """The version of the course that began last; before the first one the version that it will have."""
    begun = [cycle for cycle in courses if cycle.has_started(today)]
    numbers = {version.pk: version for version in plan.versions.all()}
    return numbers[max(begun, key=lambda cycle: cycle.number).version_id] if begun else plan.current_version


def to_read(plan: Plan, clock: str) -> Entry:
    """The newest version against the last one that was read; the whole way back to the first when none was."""
    versions = sorted(plan.versions.all(), key=lambda version: version.number)
    newest = versions[-1]
    read = [version for version in versions[:-1] if not version.is_unread]
    return Entry(newest, diffs.changes(read[-1], newest, clock) if read else [])


def on_hold(courses: Iterable[Cycle]) -> Cycle | None:
    """A course that waits: beside it nobody at home is told what the plan says (R29)."""
    return next((cycle for cycle in courses if cycle.state == Cycle.State.HELD), None)


def load_decisions(courses: Collection[Cycle]) -> None:
    """Let each course know what was decided last about it: one statement, however many there are."""
    decided = Cycle.history.filter(id__in=[course.pk for course in courses], history_type="~")
    newest = {row.id: row for row in decided.select_related("history_user").order_by("history_date", "history_id")}
    for course in courses:
        course.decision = newest.get(course.pk)


def volumes(version: PlanVersion) -> list[tuple[Decimal, amounts.Volume]]:
    """Each amount of a version with its volume, where a concentration was entered and two decimals can say it (O8)."""
    if version.concentration is None:
        return []
    sizes = sorted({dose.amount for phase in version.regimen.phases for dose in phase.doses if dose.amount})
    found = [(size, amounts.volume(size, version.concentration)) for size in sizes]
    return [(size, volume) for size, volume in found if volume is not None]
