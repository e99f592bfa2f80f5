"""What is got ready before a course: a list to tick, no or not sure is simply still to do (D10). Pure.

Before-medicines stand in it only as the clinician entered them (R27), with no word of a source beside them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

SHOWN_BEFORE = timedelta(days=7)  # ux 2.1: "Get ready"
COMPANION = "companion"
NUMBER = "number"
PREMEDICATION = "premedication"


@dataclass(frozen=True)
class Item:
    """One thing to get ready. `at_home`: not asked on a ward; `hiv`: only where HIV medicines are taken."""

    code: str
    words: str
    hint: str
    source: str
    at_home: bool = False
    hiv: bool = False


FIRST_COMPANION = Item(
    COMPANION,
    "Somebody stays with me, also at night",
    "In the first course somebody stays overnight.",
    "P36",
)
ITEMS: tuple[Item, ...] = (
    Item(PREMEDICATION, "My before-medicines are in the house", "", "P32, R27", at_home=True),
    Item("together", "A doctor or pharmacist has checked that all my medicines go together", "", "P33", hiv=True),
    Item("remedies", "Fever remedy and the medicines for side effects are in the house", "", "M11", at_home=True),
    Item("ice", "Ice packs are in the freezer", "For the skin before and after an injection.", "P39", at_home=True),
    Item(COMPANION, "Somebody stays with me, or looks in on me", "", "P36"),
    Item("children", "Children and others I care for are looked after", "", "P36"),
    Item("time_off", "Time off is arranged for the hardest days", "", "P35"),
    Item("sharps", "There is a sharps bin with space in it", "", "P56", at_home=True),
    Item("fridge", "Vials and syringes for the course are here, the vials in the fridge", "", "K06", at_home=True),
    Item(NUMBER, "I know the number to call at night and at weekends", "", "P37, K17"),
)


def items(*, course: int, inpatient: bool, indication: str, premedication: str) -> tuple[Item, ...]:
    """The list of one course."""
    kept = (
        item
        for item in ITEMS
        if not (item.at_home and inpatient)
        and not (item.hiv and indication != "hiv")
        and not (item.code == PREMEDICATION and not premedication.strip())
    )
    return tuple(FIRST_COMPANION if item.code == COMPANION and course == 1 else item for item in kept)


def is_time(starts_on: date, today: date) -> bool:
    """Whether Today asks for it: in the week before day 1, and on day 1."""
    return starts_on - SHOWN_BEFORE <= today <= starts_on


def done(wanted: Collection[Item], ticked: Collection[str]) -> int:
    """How many of the list are ticked; what was ticked and is no longer asked for does not count."""
    return sum(item.code in ticked for item in wanted)
