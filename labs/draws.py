"""Results with their verdicts, one row per draw: what every table and drawing of results is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

from il2tracker.accounts.models import User
from labs import facts, words
from labs.charts import Mark
from labs.facts import CD4, CD4_PERCENT, VIRAL_LOAD, Facts
from labs.models import LabResult
from labs.trends import Judgement, Point, Verdict


class Judged(NamedTuple):
    """A result with its verdict and the words for both."""

    result: LabResult
    judgement: Judgement
    text: str


@dataclass
class Drawing:
    """The results of one draw: a row of the table. `cells` holds the texts by test."""

    on: date
    at: datetime | None
    judged: list[Judged]
    judgement: Judgement
    tag: str
    icon: str
    word: str
    reason: str
    entered_by: str

    @property
    def counts(self) -> bool:
        """Whether its CD4+ and viral load are on the line."""
        return self.judgement.verdict.counts

    @property
    def anchor(self) -> str:
        """Where the points of the drawings lead."""
        return f"r-{self.judged[0].result.ref}"

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
    """Every standing result of a patient with verdict and words, oldest first."""
    return [Judged(result, judgement, words.value(result)) for result, judgement in known.judged()]


def series(results: Sequence[Judged], code: str) -> list[Point]:
    """The series of one test."""
    chosen = [each for each in results if each.result.analyte.code == code]
    return [facts.point_of(each.result, each.judgement, words.short(each.result)) for each in chosen]


def marks(results: Sequence[Judged], code: str) -> list[Mark]:
    """The same series for drawing."""
    return [
        Mark(point.on, point.value, point.comparator, point.counts, point.label, point.key)
        for point in series(results, code)
    ]


def drawings(judged: Sequence[Judged], viewer: User) -> list[Drawing]:
    """Rows of the table, the newest draw first; results of one moment stand together."""
    ordered = sorted(judged, key=_moment, reverse=True)
    groups = groupby(ordered, key=lambda each: (each.result.drawn_on, each.result.drawn_at))
    return [_drawing(on, at, list(group), viewer) for (on, at), group in groups]


def _moment(each: Judged) -> tuple[date, float]:
    result = each.result
    return result.drawn_on, result.drawn_at.timestamp() if result.drawn_at else 0.0


def _drawing(on: date, at: datetime | None, judged: list[Judged], viewer: User) -> Drawing:
    judgement = next((e.judgement for e in judged if e.result.analyte.timing_matters), judged[0].judgement)
    tag, icon = words.TAGS.get(judgement.verdict, ("", ""))
    names = dict.fromkeys(words.entered_by(each.result, viewer.pk) for each in judged)
    return Drawing(
        on=on,
        at=judged[0].result.local_drawn_at,
        judged=judged,
        judgement=judgement,
        tag=tag,
        icon=icon,
        word=words.verdict_word(judgement),
        reason=words.reason(judgement) if judgement.verdict is not Verdict.BASELINE else "",
        entered_by=", ".join(names),
    )
