"""What a trend says in a sentence: the last CD4+ count that counts, what it was before, and whether it is too early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import ngettext

from cycles import advice
from cycles.advice import EarlyFinding, Progress
from labs import differences, small_charts, trends, words
from labs.differences import Difference
from labs.facts import CD4, Facts
from labs.small_charts import PositionBar
from labs.trends import Point, Trend


@dataclass(frozen=True)
class Opening:
    """The first words of a page of results and their bar. Texts are ready; `found` is what they say of the dose."""

    trend: Trend
    last: str
    last_on: date | None
    change: str
    difference: Difference
    early: date | None
    gained: bool
    left_out: str
    bar: PositionBar | None
    goal: Decimal | None
    before: str
    hiv: bool
    total: int
    found: EarlyFinding | None

    @property
    def about_the_same(self) -> bool:
        """Whether the difference from before the first course is within the usual variation."""
        return self.difference is Difference.ABOUT_THE_SAME and self.early is None


def opening(known: Facts) -> Opening:
    """The sentence of these facts, which hold at least the CD4+ counts. Needs no statement."""
    counts, found = known.series(CD4), _progress(known)
    said = trends.trend(counts)
    early = found.until if found and found.outcome is Progress.TOO_EARLY else None
    difference = differences.of_counts(said)
    return Opening(
        trend=said,
        last=known.label(said.last),
        last_on=said.last.on if said.last else None,
        change="" if said.change is None or early or not difference.is_called else words.change(said.change),
        difference=difference,
        early=early,
        gained=said.change is not None and said.change > 0,
        left_out=_left_out(counts),
        bar=_bar(said, known.goal, arrow=difference.is_called and not early),
        goal=known.goal,
        before=known.label(said.before_first),
        hiv=known.on_hiv_plan,
        total=len(known.results),
        found=found,
    )


def _left_out(points: Sequence[Point]) -> str:
    count = sum(point.judgement.verdict in trends.TOO_SOON for point in points)
    if not count:
        return ""
    return ngettext(
        "One result was taken too soon after an injection. It is kept, shown hollow, and left off the line.",
        "%(count)s results were taken too soon after an injection. They are kept, shown hollow, and left off the line.",
        count,
    ) % {"count": count}


def _bar(said: Trend, goal: Decimal | None, *, arrow: bool) -> PositionBar | None:
    if said.last is None or said.last.value is None:
        return None
    before = said.before_first.value if said.before_first and said.before_first is not said.last else None
    bar = small_charts.position_bar(said.last.value, before, goal)
    return bar if arrow else replace(bar, arrow="")


def _progress(known: Facts) -> EarlyFinding | None:
    """What may be said about the present dose of an HIV plan (2.7 with D8); None before its first course."""
    since = known.dose_since
    return advice.progress(trends.readings(known.series(CD4)), since, known.today) if since else None
