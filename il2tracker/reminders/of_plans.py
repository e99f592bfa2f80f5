"""A change of the plan that the patient has not read yet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from il2tracker.reminders import kinds
from il2tracker.reminders.wishes import Choices, Owner, Reason, Wish, chosen


@dataclass(frozen=True, slots=True)
class VersionFact:
    """One version of a plan after the first, as it concerns the patient."""

    owner: Owner
    plan_id: int
    number: int
    signed_at: datetime
    applies_on: date  # first day of the first course that follows it
    first_dose_at: datetime
    zone: str
    is_newest: bool
    is_read: bool

    @property
    def occurrence(self) -> str:
        """Its name: a version is never edited."""
        return f"p{self.plan_id}/v{self.number}"

    def blocked(self) -> Reason | None:
        """Why the patient is not told, before the person's own choice."""
        if self.owner.missing():
            return self.owner.missing()
        if not self.is_newest:
            return Reason.CHANGED
        return Reason.READ if self.is_read else None


def of_plans(versions: Iterable[VersionFact], choices: Choices) -> Iterator[Wish]:
    """ "Your plan has an update to read", from its commit to the first injection under it (R13, ux 3.2)."""
    told = (version for version in versions if version.owner.user_id is not None)
    return chosen((_wish(version) for version in told), choices)


def _wish(version: VersionFact) -> Wish:
    assert version.owner.user_id is not None
    return Wish(
        kind=kinds.PLAN_CHANGED,
        occurrence=version.occurrence,
        recipient_id=version.owner.user_id,
        patient_id=version.owner.patient_id,
        due_at=version.signed_at,
        expires_at=version.first_dose_at,
        zone=version.zone,
        says_on=version.applies_on,
        unwanted=version.blocked(),
    )


def version_of(occurrence: str) -> tuple[int, int]:
    """Plan and number in the name of a version: "p7/v2"."""
    plan, number = occurrence.split("/")
    return int(plan.removeprefix("p")), int(number.removeprefix("v"))
