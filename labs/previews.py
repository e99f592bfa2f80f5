"""What the page before an import shows: rows as they belong together, how many, and what waits for a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from il2tracker.accounts.models import Patient
from labs.files.candidates import Status
from labs.matching import Match
from labs.outcomes import HIDDEN, LEFT_OUT, NOT_IN_PLAN, ODD, ORDER, STRANGER, Outcome

ROWS = 200  # app's own: rows of one page
SHORT = 20  # app's own: a list of so many rows is seen at a glance: nothing is folded, the button stands once


@dataclass
class Fold:
    """Rows that stand together: those of one person, in a file of one person those of one day."""

    name: str
    patient: Patient | None
    on: date | None
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def states(self) -> list[tuple[str, int]]:
        """What becomes of its rows, in numbers."""
        return _in_order(Counter(outcome.state for outcome in self.outcomes))

    @property
    def asks(self) -> bool:
        """Whether somebody has to look at one of its rows."""
        return any(outcome.asks for outcome in self.outcomes)


@dataclass(frozen=True)
class Preview:
    """The rows of a file as one page shows them.

    `show` = only those of one state ("" = all that say something). `by_person` = the file is of several people: a line
    for each of them; else one for each day.
    """

    outcomes: Sequence[Outcome]
    show: str = ""
    page: int = 1
    by_person: bool = False

    @cached_property
    def counted(self) -> Counter[str]:
        """How many rows are in each state."""
        return Counter(outcome.state for outcome in self.outcomes)

    @property
    def states(self) -> list[tuple[str, int]]:
        """The same in the order in which people look at them."""
        return _in_order(self.counted)

    @property
    def new(self) -> int:
        """How many results would be added."""
        return self.counted[Match.NEW.value]

    @property
    def corrects(self) -> int:
        """How many stored results would be corrected or hidden."""
        return self.counted[Match.CORRECTS.value] + self.counted[HIDDEN]

    @property
    def conflicts(self) -> int:
        """How many stored results could be replaced."""
        return sum(1 for each in self.outcomes if each.state == Match.CONFLICT.value and each.meets)

    @property
    def odd(self) -> int:
        """How many values look odd."""
        return self.counted[ODD]

    @property
    def beyond(self) -> int:
        """How many tests have no part in a plan."""
        return self.counted[NOT_IN_PLAN]

    @property
    def stopped(self) -> int:
        """How many rows may be somebody else's: nothing is added before that is said."""
        return self.counted[STRANGER]

    @property
    def asks_last(self) -> bool:
        """Whether something is asked beside the button that adds."""
        return bool(self.conflicts or self.odd or self.beyond)

    @property
    def is_addable(self) -> bool:
        """Whether there is anything to add."""
        return bool(self.new or self.corrects or self.asks_last) and not self.stopped

    @property
    def is_long(self) -> bool:
        """Whether it is more than what is seen at a glance."""
        return len(self._shown) > SHORT

    @cached_property
    def unchosen(self) -> list[Outcome]:
        """The rows of people for whom nobody was chosen: counted, and listed only when somebody asks for them."""
        return [each for each in self.outcomes if is_unchosen(each)]

    @property
    def unchosen_people(self) -> int:
        """How many they are of."""
        return len({outcome.line.patient for outcome in self.unchosen})

    @cached_property
    def _shown(self) -> list[Outcome]:
        if self.show in self.counted:
            return [outcome for outcome in self.outcomes if outcome.state == self.show]
        return [outcome for outcome in self.outcomes if not is_unchosen(outcome)]

    @cached_property
    def folds(self) -> list[Fold]:
        """The rows of this page, together as they belong, each in the order of the file."""
        found: dict[tuple[str, int, date | None], Fold] = {}
        for outcome in self._shown:
            patient, name, on = outcome.patient, outcome.line.patient, None if self.by_person else outcome.on
            key = ("" if patient else name, patient.pk if patient else 0, on)
            found.setdefault(key, Fold(name, patient, on)).outcomes.append(outcome)
        return list(_cut(found.values(), (self.page - 1) * ROWS, self.page * ROWS))

    @property
    def is_last(self) -> bool:
        """Whether there are no more rows behind this page."""
        return self.page * ROWS >= len(self._shown)

    def rows_of(self, name: str) -> int:
        """How many rows of the file are of the person whom it calls so."""
        return self._rows[name]

    @cached_property
    def _rows(self) -> Counter[str]:
        return Counter(outcome.line.patient for outcome in self.outcomes)


def is_unchosen(outcome: Outcome) -> bool:
    """Whether it is a row of somebody for whom nobody was chosen."""
    return outcome.state == LEFT_OUT and outcome.patient is None and outcome.line.status is not Status.SKIPPED


def _in_order(counted: Counter[str]) -> list[tuple[str, int]]:
    return [(state, counted[state]) for state in ORDER if counted[state]]


def _cut(folds: Iterable[Fold], start: int, end: int) -> Iterator[Fold]:
    """The rows from `start` to `end`, together as before."""
    place = 0
    for fold in folds:
        some = fold.outcomes[max(0, start - place) : max(0, end - place)]
        place += len(fold.outcomes)
        if some:
            yield Fold(fold.name, fold.patient, fold.on, some)
