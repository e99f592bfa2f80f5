"""Results with their verdicts, one row per draw: what every table and drawing of results is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from django.urls import reverse
from django.utils.dates import MONTHS, WEEKDAYS

from il2tracker.accounts.models import User
from labs import facts, words
from labs.chart_parts import CROWD
from labs.charts import Mark
from labs.facts import CD4, CD4_PERCENT, VIRAL_LOAD, Facts
from labs.kept import Result
from labs.trends import Judgement, Point, Reason, Verdict


@dataclass(frozen=True)
class Judged:
    """A result with its verdict, and the words for both when they are asked for."""

    result: Result
    judgement: Judgement

    @property
    def text(self) -> str:
        """The result in words for a table."""
        return words.value(self.result)

    @cached_property
    def point(self) -> Point:
        """The result in its test's own unit, as a point of a series."""
        return facts.point_of(self.result, self.judgement, words.short(self.result))

    @property
    def is_drawable(self) -> bool:
        """Whether it has a place on an axis."""
        return facts.is_drawable(self.result, self.point)


class Said:
    """Words of one table that come again in its rows, each looked for once."""

    def __init__(self, viewer_pk: int | None) -> None:
        self.viewer_pk = viewer_pk
        self.weekdays, self.months = [str(WEEKDAYS[n]) for n in range(7)], [str(MONTHS[n + 1]) for n in range(12)]
        self.before, self.after = reverse("labs:entry", args=["ref"]).split("ref")
        self.words: dict[Verdict, str] = {}
        self.reasons: dict[Judgement, str] = {}
        self.people: dict[tuple[str, int | None], str] = {}

    def day(self, on: date) -> str:
        """ "Wednesday 4 November 2026"."""
        return f"{self.weekdays[on.weekday()]} {on.day} {self.months[on.month - 1]} {on.year}"

    def word(self, judgement: Judgement) -> str:
        """The verdict in a word."""
        if judgement.verdict not in self.words:
            self.words[judgement.verdict] = words.verdict_word(judgement)
        return self.words[judgement.verdict]

    def reason(self, judgement: Judgement) -> str:
        """Why a draw counts or not."""
        if judgement not in self.reasons:
            self.reasons[judgement] = words.reason(judgement)
        return self.reasons[judgement]

    def entered_by(self, result: Result) -> str:
        """Who entered a result."""
        key = (result.source, result.entered_by_id)
        if key not in self.people:
            self.people[key] = words.entered_by(result, self.viewer_pk)
        return self.people[key]


@dataclass
class Drawing:
    """The results of one draw: a row of the table. `burst`: its viral load may be raised for a short time (P08)."""

    on: date
    judged: list[Judged]
    said: Said
    burst: bool = False

    @property
    def at(self) -> datetime | None:
        """The moment of the draw on the clock of its place, if the time is known."""
        return self.judged[0].result.local_drawn_at

    @property
    def day(self) -> str:
        """ "Wednesday 4 November 2026"."""
        return self.said.day(self.on)

    @property
    def ref(self) -> str:
        """The result that its link opens."""
        return self.judged[0].result.ref

    @property
    def address(self) -> str:
        """Where its link leads."""
        return f"{self.said.before}{self.ref}{self.said.after}"

    @cached_property
    def judgement(self) -> Judgement:
        """Verdict on the tests for which timing matters."""
        timed = (each.judgement for each in self.judged if each.result.analyte.timing_matters)
        return next(timed, self.judged[0].judgement)

    @property
    def tag(self) -> str:
        """How the verdict's tag looks: "ok", "soon"."""
        return words.TAGS.get(self.judgement.verdict, ("", ""))[0]

    @property
    def icon(self) -> str:
        """The picture on the tag."""
        return words.TAGS.get(self.judgement.verdict, ("", ""))[1]

    @property
    def word(self) -> str:
        """The verdict in a word; empty where timing does not matter."""
        return self.said.word(self.judgement)

    @property
    def reason(self) -> str:
        """Why it counts or not; empty where the word says it."""
        return self.said.reason(self.judgement) if self.judgement.verdict is not Verdict.BASELINE else ""

    @property
    def entered_by(self) -> str:
        """Who entered its results."""
        return ", ".join(dict.fromkeys(self.said.entered_by(each.result) for each in self.judged))

    @property
    def counts(self) -> bool:
        """Whether its CD4+ and viral load are on the line."""
        return self.judgement.verdict.counts

    @property
    def unsettled(self) -> bool:
        """Whether it would count, or not, as soon as somebody said if there was IL-2 before the diary."""
        return self.judgement.reason is Reason.EARLIER_UNKNOWN

    @property
    def anchor(self) -> str:
        """Where the points of the drawings lead."""
        return f"r-{self.ref}"

    def text(self, code: str) -> str:
        """The result of one test of this draw, if it was done."""
        return next((each.text for each in self.judged if each.result.analyte.code == code), "")

    @property
    def cd4(self) -> str:
        """CD4+ count."""
        return self.text(CD4)

    @property
    def cd4_percent(self) -> str:
        """CD4+ percentage."""
        return self.text(CD4_PERCENT)

    @property
    def viral_load(self) -> str:
        """Viral load."""
        return self.text(VIRAL_LOAD)


def judged(known: Facts) -> list[Judged]:
    """Every loaded result of a patient with its verdict, oldest first."""
    return [Judged(result, judgement) for result, judgement in known.judged()]


def judge(known: Facts, results: Iterable[Result]) -> list[Judged]:
    """Results of this patient that were read apart from its facts, with their verdicts."""
    return [Judged(result, known.verdict(result)) for result in results]


def series(results: Sequence[Judged], code: str) -> list[Point]:
    """The series of one test with its words; without results in words or in unknown units."""
    return [each.point for each in results if each.result.analyte.code == code and each.is_drawable]


def marks(results: Sequence[Judged], code: str) -> list[Mark]:
    """The same series for drawing. In a crowd no mark is a link, so none needs words to be read out."""
    anchors = {_moment(each): each.result.ref for each in reversed(results)}
    found = [each for each in results if each.result.analyte.code == code and each.is_drawable]
    said = Said(None) if len(found) <= CROWD else None
    return [_mark(each.point, anchors[_moment(each)], said) for each in found]


def _mark(point: Point, anchor: str, said: Said | None) -> Mark:
    parts = [point.label, said.day(point.on), said.word(point.judgement)] if said else []
    aloud = ", ".join(filter(None, parts))
    return Mark(point.on, point.value, point.comparator, point.counts, point.label, f"r-{anchor}", aloud)


def drawings(judged: Sequence[Judged], viewer: User, bursts: Collection[str] = ()) -> list[Drawing]:
    """Rows of the table, the newest draw first; results of one moment stand together.

    `bursts` are the refs of viral loads that may be raised for a short time.
    """
    said = Said(viewer.pk)
    ordered = sorted(judged, key=_moment, reverse=True)
    groups = ((moment, list(group)) for moment, group in groupby(ordered, key=_moment))
    return [
        Drawing(group[0].result.drawn_on, group, said, any(each.result.ref in bursts for each in group))
        for _moment_, group in groups
    ]


def _moment(each: Judged) -> tuple[date, float]:
    result = each.result
    return result.drawn_on, result.drawn_at.timestamp() if result.drawn_at else 0.0
