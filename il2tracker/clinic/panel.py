"""The clinician's list: one page of patients in the fixed order, cut by key and never by offset."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker.accounts.models import Patient
from il2tracker.clinic import rows
from il2tracker.clinic.worklist import Facts, Rank, Reason, gather, reasons

PER_PAGE = 50
Key = tuple[int, str, str]


@dataclass(frozen=True)
class Listed:
    """A patient with his reasons; `key` is his place in the order."""

    facts: Facts
    reasons: list[Reason]

    @property
    def first(self) -> Reason:
        """The reason that puts the patient where he stands."""
        return self.reasons[0]

    @property
    def key(self) -> Key:
        """Rank, since when, code: unique, so that a page can end and the next one start at it."""
        return (self.first.rank, self.first.since, self.facts.patient.code)


@dataclass(frozen=True)
class Choice:
    """One filter with how many patients it holds."""

    name: str
    words: str
    count: int
    is_current: bool


@dataclass(frozen=True)
class Panel:
    """One page of the list. `after` is the key for the next page, empty at the end."""

    show: str
    choices: list[Choice]
    rows: list[rows.Row]
    total: int
    after: str
    is_first: bool

    @property
    def everybody(self) -> int:
        """How many patients there are without a filter."""
        return self.choices[-1].count

    @property
    def summary(self) -> str:
        """What the filters hold, for a list that is empty."""
        counts = {choice.name: choice.count for choice in self.choices}
        return _("%(course)s in a course, %(soon)s starting in 14 days, %(all)s patients in all.") % counts


def search(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Those whose code or name holds the text."""
    text = text.replace("\0", "").strip()
    return patients.filter(Q(code__iexact=text) | Q(name__icontains=text)) if text else patients


def compose(patients: QuerySet[Patient], now: datetime, *, show: str, after: str, clock: str) -> Panel:
    """The page after the key `after` of the patients that the filter `show` holds."""
    known = gather(patients, now)
    listed = sorted((Listed(facts, reasons(facts, now, clock)) for facts in known), key=lambda one: one.key)
    held = {name: [one for one in listed if holds(one)] for name, _words, holds in FILTERS}
    show = show if show in held else EVERYBODY
    chosen = held[show]
    start = bisect_right([one.key for one in chosen], read_key(after)) if after else 0
    page = chosen[start : start + PER_PAGE]
    more = len(chosen) > start + PER_PAGE
    return Panel(
        show=show,
        choices=[Choice(name, str(words), len(held[name]), name == show) for name, words, _holds in FILTERS],
        rows=rows.compose([(one.facts, one.reasons) for one in page], now, clock),
        total=len(chosen),
        after=write_key(page[-1].key) if more else "",
        is_first=start == 0,
    )


def write_key(key: Key) -> str:
    """A key as it stands in an address."""
    return "~".join(map(str, key))


def read_key(text: str) -> Key:
    """A key from an address; anything else is before everybody, so that a broken address shows the first page."""
    parts = text.split("~")
    if len(parts) != 3 or not parts[0].isdecimal():
        return (0, "", "")
    return (int(parts[0]), parts[1], parts[2])


EVERYBODY = "all"
FILTERS = (
    ("needs", gettext_lazy("Needs action"), lambda one: one.first.rank < Rank.NOTHING),
    ("course", gettext_lazy("In a course"), lambda one: one.facts.in_course),
    ("soon", gettext_lazy("Start in 14 days"), lambda one: one.facts.starts_soon),
    (EVERYBODY, gettext_lazy("All"), lambda one: True),
)
