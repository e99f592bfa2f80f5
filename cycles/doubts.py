"""What a person is asked before an injection is saved. A question, never a wall: what happened can always be recorded.

Pure. Amounts in MIU. Each doubt knows the answers that settle it; they travel with the form.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

MOST_PER_INJECTION = Decimal(18)  # H04, app's own: under the skin, where no protocol names a lower ceiling

TWICE = "twice"  # a second injection soon after another, and not the same one
TOLD = "told"  # the clinic had said so: recorded without the urgent card (decisions.md 0)


class Doubt(Enum):
    """A reason to ask, with the answers that settle it."""

    TWICE = (TWICE,)
    ABOVE_PLAN = (TOLD, "more")
    BELOW_PLAN = (TOLD, "less")
    LARGE = ("large",)
    EARLY = ("early",)


@dataclass(frozen=True)
class Entry:
    """What is about to be saved. `planned` None = an injection outside the plan."""

    amount: Decimal
    planned: Decimal | None
    ceiling: Decimal | None
    is_close: bool
    is_early: bool

    @property
    def is_large(self) -> bool:
        """Whether the amount is more than this treatment uses for one injection (W6)."""
        return self.amount > (self.ceiling or MOST_PER_INJECTION)


def first_doubt(entry: Entry, answers: Collection[str]) -> Doubt | None:
    """The first question that is still open, or None when nothing has to be asked."""
    return next((doubt for doubt in _doubts(entry) if not set(doubt.value) & set(answers)), None)


def _doubts(entry: Entry) -> list[Doubt]:
    found = [Doubt.TWICE] if entry.is_close else []
    if entry.planned is None:
        found += [Doubt.LARGE] if entry.is_large else []
    elif entry.amount != entry.planned:
        found.append(Doubt.ABOVE_PLAN if entry.amount > entry.planned else Doubt.BELOW_PLAN)
    if entry.is_early and not entry.is_close:
        found.append(Doubt.EARLY)
    return found
