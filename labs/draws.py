"""Results with their verdicts, one row per draw: what every table and drawing of results is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from il2tracker.accounts.models import User
from labs import facts, sittings, words
from labs.chart_parts import CROWD
from labs.charts import Mark
from labs.facts import CD4, CD4_PERCENT, VIRAL_LOAD, Facts
from labs.kept import Result
from labs.models import LabResult
from labs.row_words import Said, row
from labs.sittings import Taken
from labs.trends import Judgement, Point, Reason


@dataclass(frozen=True)
class Judged:
    """A result with its verdict, and the words for both when they are asked for."""

    result: Result
    judgement: Judgement

    @property
    def text(self) -> str:
        """The result in words for a table, with the laboratory's word while it is not final."""
        said = words.value(self.result)
        if self.result.status != LabResult.Status.PRELIMINARY or not self.result.analyte.timing_matters:
            return said
        return _("%(value)s, preliminary") % {"value": said}

    @cached_property
    def point(self) -> Point:
        """The result in its test's own unit, as a point of a series."""
        return facts.point_of(self.result, self.judgement, words.short(self.result))

    @property
    def is_drawable(self) -> bool:
        """Whether it has a place on an axis."""
        return facts.is_drawable(self.result, self.point)


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
        """Verdict on the tests for which timing matters; on what is final, if anything of this draw is."""
        timed = [each.judgement for each in self.judged if each.result.analyte.timing_matters]
        final = (judgement for judgement in timed if judgement.reason is not Reason.PRELIMINARY)
        return next(final, next(iter(timed), self.judged[0].judgement))

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
        return self.said.reason(self.judgement)

    @property
    def entered_by(self) -> str:
        """Who entered its results."""
        return self.said.entered_by([each.result for each in self.judged])

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

    @cached_property
    def texts(self) -> dict[str, str]:
        """Its results by the codes of their tests; the first of each."""
        return {each.result.analyte.code: each.text for each in reversed(self.judged)}

    @property
    def cd4(self) -> str:
        """CD4+ count."""
        return self.texts.get(CD4, "")

    @property
    def cd4_percent(self) -> str:
        """CD4+ percentage."""
        return self.texts.get(CD4_PERCENT, "")

    @property
    def viral_load(self) -> str:
        """Viral load."""
        return self.texts.get(VIRAL_LOAD, "")

    @property
    def html(self) -> SafeString:
        """Its row of the table, ready: twenty years of rows are too many for a template to put together."""
        return row(self)


def judged(known: Facts) -> list[Judged]:
    """Every loaded result of a patient with its verdict, oldest first."""
    return [Judged(result, judgement) for result, judgement in known.judged()]


def judge(known: Facts, results: Iterable[Result]) -> list[Judged]:
    """Results of this patient that were read apart from its facts, with their verdicts."""
    return [Judged(result, known.verdict(result)) for result in results]


def series(results: Sequence[Judged], code: str) -> list[Point]:
    """The series of one test with its words; without results in words or in unknown units."""
    return [each.point for each in results if each.result.analyte.code == code and each.is_drawable]


def marks(rows: Sequence[Drawing], code: str) -> list[Mark]:
    """The same series for drawing, each mark with its row. In a crowd no mark is a link, so none is read out."""
    found = [
        (each.point, row.anchor)
        for row in reversed(rows)
        for each in row.judged
        if each.result.analyte.code == code and each.is_drawable
    ]
    said = Said() if len(found) <= CROWD else None
    return [_mark(point, anchor, said) for point, anchor in found]


def _mark(point: Point, anchor: str, said: Said | None) -> Mark:
    parts = [point.label, said.day(point.on), said.word(point.judgement)] if said else []
    aloud = ", ".join(filter(None, parts))
    return Mark(point.on, point.value, point.comparator, point.counts, point.label, anchor, aloud)


def drawings(judged: Sequence[Judged], viewer: User, bursts: Collection[str] = ()) -> list[Drawing]:
    """Rows of the table, the newest draw first; results of one moment stand together.

    `bursts` are the refs of viral loads that may be raised for a short time.
    """
    said = Said(viewer, has_percent=any(each.result.analyte.code == CD4_PERCENT for each in judged))
    return [
        Drawing(group[0].result.drawn_on, group, said, any(each.result.ref in bursts for each in group))
        for group in blood_tests(judged)
    ]


def blood_tests(judged: Sequence[Judged]) -> list[list[Judged]]:
    """The results of each blood test, the newest first; a time that one of them has is that of all (labs.sittings)."""
    keyed = [(*_moment(each.result.drawn_on, at), each) for each, at in zip(judged, _moments(judged), strict=True)]
    keyed.sort(key=lambda key: key[:2], reverse=True)
    groups = ([each for *_key, each in group] for _key, group in groupby(keyed, key=lambda key: key[:2]))
    return [sorted(group, key=lambda each: each.result.drawn_at is None) for group in groups]


def _moments(judged: Sequence[Judged]) -> list[datetime | None]:
    times = [each.result.drawn_at for each in judged]
    if not any(times) or all(times):
        return times
    return sittings.moments([_taken(each) for each in judged])


def _taken(each: Judged) -> Taken:
    result = each.result
    worth = each.judgement if result.analyte.timing_matters else None
    return Taken(result.drawn_on, result.drawn_at, result.laboratory, words.name(result), worth)


def _moment(on: date, at: datetime | None) -> tuple[date, float]:
    return on, at.timestamp() if at else 0.0
