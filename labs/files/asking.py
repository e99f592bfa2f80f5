"""What has to be asked about a file before its readings can be dated and read. Pure; one pass, whatever its length."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from labs.files import days
from labs.files.candidates import Line, Status
from labs.files.columns import Kind, Layout
from labs.files.rows import cell, plain, values
from labs.files.tables import Row, Table
from labs.units import Rule, canonical

FLOOR_REPEATS = 3  # app's own: a low number that stands at least so often, and in a fiftieth of all, may be a floor
FLOOR_SHARE = 50
FLOOR_BELOW = Decimal(1000)
MOST_FLOORS = 6


@dataclass(frozen=True)
class Asked:
    """The questions a file raises: whose rows, which dates, which numbers are floors (with how often they stand).

    `order` is a date of the file that can be two days, "" if none can; `order_seen` what other dates show of it.
    """

    patients: tuple[str, ...]
    needs_start: bool = False
    visits: tuple[str, ...] = ()
    floors: tuple[tuple[tuple[str, str], Decimal, int], ...] = ()
    needs_on: bool = False
    order: str = ""
    order_seen: str = ""
    order_shown_by: str = ""

    @property
    def asks_order(self) -> bool:
        """Whether somebody has to say which of two days is meant: no other date of the file shows it."""
        return bool(self.order) and not self.order_seen


def asked(table: Table, layout: Layout, rules: Mapping[str, Rule]) -> Asked:
    """Everything that somebody has to say before the readings of this table can be dated and read."""
    found = _Found(layout, rules)
    for row in table.rows:
        if not row.problem:
            found.hear(row)
    return found.asked()


def about(lines: Iterable[Line]) -> Asked:
    """The questions of a message, which says everything itself but whose it is, and at times when it was taken.

    One day is asked for one person's results alone: nobody could give it for several people at once.
    """
    read = [line for line in lines if line.status not in (Status.NOT_UNDERSTOOD, Status.SKIPPED)]
    patients = tuple(dict.fromkeys(line.patient for line in read))
    undated = any(line.status is Status.NEEDS_DATE for line in read)
    return Asked(patients, needs_on=undated and len(patients) == 1)


@dataclass
class _Numbers:
    """The low numbers of one test in one unit, with how often each stands."""

    count: int = 0
    limited: bool = False
    lowest: Decimal | None = None
    low: Counter[Decimal] = field(default_factory=Counter)

    def hear(self, rule: Rule, unit: str, raw: str) -> None:
        """One more cell."""
        self.count += 1
        self.limited = self.limited or any(mark in raw for mark in "<≤")
        number = plain(raw)
        if number is None or number < 0:
            return
        if self.lowest is None or number <= self.lowest:
            self.lowest = number
            self.low[number] += 1
        elif _copies(rule, unit, number) <= FLOOR_BELOW:
            self.low[number] += 1

    def floors(self, rule: Rule, unit: str) -> list[tuple[Decimal, int]]:
        """0, the lowest number where nothing says "<", and low numbers that stand there again and again."""
        possible = set() if self.limited or self.lowest is None else {self.lowest}
        often = max(FLOOR_REPEATS, self.count // FLOOR_SHARE)
        possible |= {n for n, count in self.low.items() if count >= often and _copies(rule, unit, n) <= FLOOR_BELOW}
        possible |= {n for n in self.low if n == 0}
        return [(number, self.low[number]) for number in sorted(possible)][:MOST_FLOORS]


def _copies(rule: Rule, unit: str, number: Decimal) -> Decimal:
    log = "log" in unit
    return canonical(rule, min(number, Decimal(9)) if log else number, unit if unit in rule.units else "copies_ml")


@dataclass
class _Found:
    """What the rows have shown so far."""

    layout: Layout
    rules: Mapping[str, Rule]
    patients: dict[str, None] = field(default_factory=dict)
    numbers: dict[tuple[str, str], _Numbers] = field(default_factory=dict)
    order: str = ""
    shown: dict[str, str] = field(default_factory=dict)

    def hear(self, row: Row) -> None:
        """One more row."""
        if self.layout.patient is not None:
            self.patients.setdefault(cell(row, self.layout.patient))
        self._date(cell(row, self.layout.on))
        for column, raw in values(row, self.layout):
            rule = self.rules.get(column.analyte) if column else None
            if column is not None and rule is not None and rule.may_be_undetected and rule.units:
                key = (column.analyte, column.unit)
                self.numbers.setdefault(key, _Numbers()).hear(rule, column.unit, raw)

    def _date(self, text: str) -> None:
        shown = days.order_shown(text) if text else ""
        if shown == "?":
            self.order = self.order or text
        elif shown:
            self.shown.setdefault(shown, text)

    def asked(self) -> Asked:
        """The questions, once every row was heard."""
        layout, undated = self.layout, self.layout.on is None and self.layout.day is None
        one = next(iter(self.shown)) if len(self.shown) == 1 else ""
        floors = ((key, *each) for key, n in self.numbers.items() for each in n.floors(self.rules[key[0]], key[1]))
        return Asked(
            patients=tuple(self.patients),
            needs_start=layout.on is None and layout.day is not None,
            visits=tuple(c.name for c in layout.columns if c.visit and c.on is None and undated),
            floors=tuple(floors),
            needs_on=undated and layout.kind in {Kind.READINGS, Kind.DRAWS},
            order=self.order,
            order_seen=one if self.order else "",
            order_shown_by=self.shown.get(one, ""),
        )
