"""What a trend page, a clinic's page and a list show of a patient's results, ready for the templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import advice, schedule
from cycles.advice import EarlyFinding, Progress
from il2tracker.accounts.models import Patient, User
from labs import charts, draws, facts, small_charts, trends, units, words
from labs.charts import Chart, Mark, Scene, Threshold
from labs.draws import Drawing, Judged
from labs.facts import CD4, VIRAL_LOAD, Facts
from labs.small_charts import PositionBar
from labs.trends import Point, Trend

RANGES = {"1": 1, "2": 2, "all": None}
MOST_ROWS = 100  # of the table under the drawings; the list of results has them all
LOW_CD4 = Decimal(200)  # P16
EDGE = timedelta(days=10)
SHORTEST = timedelta(days=120)


@dataclass
class Panel:
    """One test's drawing in two sizes, with what a screen reader hears instead."""

    title: str
    unit: str
    key: str
    narrow: Chart
    wide: Chart
    description: str


@dataclass
class Picture:
    """Everything a trend page shows. Texts are ready; nothing in it needs another statement."""

    patient: Patient
    today: date
    chosen: str
    trend: Trend
    last: str
    last_on: date | None
    change: str
    early: date | None
    gained: bool
    left_out: str
    viral_load: str
    viral_load_rose: bool
    bar: PositionBar | None
    goal: Decimal | None
    before: str
    panels: list[Panel]
    rows: list[Drawing]
    more: bool
    hiv: bool
    too_soon_until: date | None
    progress: str
    total: int

    @property
    def has_percent(self) -> bool:
        """Whether a CD4+ percentage is among the results shown."""
        return any(row.cd4_percent for row in self.rows)

    @property
    def unsettled(self) -> bool:
        """Whether a result shown waits for an answer about an earlier treatment."""
        return any(row.unsettled for row in self.rows)

    @property
    def has_courses(self) -> bool:
        """Whether a course is drawn."""
        return any(panel.wide.bands for panel in self.panels)

    @property
    def has_limits(self) -> bool:
        """Whether a triangle is drawn."""
        return any(shape.kind != "dot" for panel in self.panels for shape in panel.wide.shapes)

    @property
    def counts_from(self) -> date | None:
        """First day on which a test counts again, if it is still to come."""
        return self.too_soon_until + timedelta(days=1) if self.too_soon_until else None

    @property
    def age(self) -> int | None:
        """Days since the last CD4+ count that counts."""
        return (self.today - self.last_on).days if self.last_on else None


def picture(
    patient: Patient,
    viewer: User,
    now: datetime,
    *,
    chosen: str = "1",
    for_clinic: bool = False,
    known: Facts | None = None,
) -> Picture:
    """A patient's trend. `chosen` is a key of RANGES; the clinician's variant adds doses, nadir and progress (2.7).

    `known` are facts that are loaded already.
    """
    known = known or facts.load([patient], now)[patient.pk]
    judged = draws.judged(known)
    span = _span(known, chosen)
    shown = [each for each in judged if each.result.drawn_on >= span[0]]
    rows = draws.drawings(shown, viewer)
    counts, loads = draws.series(judged, CD4), draws.series(judged, VIRAL_LOAD)
    said, last_load, found = trends.trend(counts), trends.trend(loads).last, _judged(known, counts)
    early = found.until if found and found.outcome is Progress.TOO_EARLY else None
    goal = known.goal
    return Picture(
        patient=patient,
        today=known.today,
        chosen=chosen,
        trend=said,
        last=said.last.label if said.last else "",
        last_on=said.last.on if said.last else None,
        change="" if said.change is None or early else words.change(said.change),
        early=early,
        gained=said.change is not None and said.change > 0,
        left_out=_left_out(counts),
        viral_load=last_load.label if last_load else "",
        viral_load_rose=trends.rose_after_course(loads),
        bar=_bar(said, goal, early=early is not None),
        goal=goal,
        before=said.before_first.label if said.before_first else "",
        panels=_panels(known, shown, span, for_clinic=for_clinic),
        rows=rows[:MOST_ROWS],
        more=len(rows) > MOST_ROWS,
        hiv=known.on_hiv_plan,
        too_soon_until=_too_soon_until(known),
        progress=words.no_clear_rise(found) if for_clinic and found else "",
        total=len(judged),
    )


def _span(known: Facts, chosen: str) -> tuple[date, date]:
    years = RANGES.get(chosen, 1)
    firsts = [result.drawn_on for result in known.results] + [cycle.starts_on for cycle in known.cycles]
    last = (_too_soon_until(known) or known.today) + EDGE
    earliest = min([*firsts, known.today - SHORTEST]) - EDGE
    if years is None:
        return earliest, last
    return max(earliest, schedule.add_months(known.today, -12 * years)), last


def _too_soon_until(known: Facts) -> date | None:
    ends = [course.too_soon_until for course in known.courses()]
    return ends[-1] if ends and ends[-1] >= known.today else None


def _left_out(points: Sequence[Point]) -> str:
    count = sum(point.judgement.verdict in trends.TOO_SOON for point in points)
    if not count:
        return ""
    return ngettext(
        "One result was taken too soon after an injection. It is kept, shown hollow, and left off the line.",
        "%(count)s results were taken too soon after an injection. They are kept, shown hollow, and left off the line.",
        count,
    ) % {"count": count}


def _bar(said: Trend, goal: Decimal | None, *, early: bool) -> PositionBar | None:
    if said.last is None or said.last.value is None:
        return None
    before = said.before_first.value if said.before_first and said.before_first is not said.last else None
    bar = small_charts.position_bar(said.last.value, before, goal)
    return replace(bar, arrow="") if early else bar


# Drawings


def _panels(known: Facts, shown: Sequence[Judged], span: tuple[date, date], *, for_clinic: bool) -> list[Panel]:
    courses = known.courses()
    if not for_clinic:
        courses = [charts.Course(c.number, c.first_on, c.last_on, c.too_soon_until) for c in courses]
    panels = []
    for code, draw, sizes in (
        (CD4, charts.cd4_chart, (charts.NARROW, charts.WIDE)),
        (VIRAL_LOAD, charts.viral_load_chart, (charts.NARROW, charts.WIDE_LOW)),
    ):
        marks = draws.marks(shown, code)
        if len(marks) > 1:
            levels = _thresholds(known, marks, for_clinic=for_clinic) if code == CD4 else _limit(marks)
            scene = Scene(*span, known.today, marks, courses, levels)
            panels.append(_panel(code, shown, scene, draw, sizes))
    return panels


def _panel(
    code: str,
    shown: Sequence[Judged],
    scene: Scene,
    draw: Callable[[Scene, charts.Size], Chart],
    sizes: tuple[charts.Size, charts.Size],
) -> Panel:
    analyte = next(each.result.analyte for each in shown if each.result.analyte.code == code)
    narrow, wide = (draw(scene, size) for size in sizes)
    return Panel(analyte.name, analyte.unit_words, code, narrow, wide, _description(scene.marks))


def _description(marks: Sequence[Mark]) -> str:
    joined = [mark for mark in marks if mark.counts]
    hollow = len(marks) - len(joined)
    text = _("Each mark is one blood test. %(count)s count and are joined") % {"count": len(joined)}
    if joined:
        text += ", " + _("from %(first)s to %(last)s") % {"first": joined[0].label, "last": joined[-1].label}
    text += ". " + (_("%(count)s hollow marks do not count and are not joined.") % {"count": hollow} if hollow else "")
    return text.strip() + " " + _("The table below holds the same values.")


def _thresholds(known: Facts, marks: Sequence[Mark], *, for_clinic: bool) -> list[Threshold]:
    nadir = known.patient.nadir_cd4 if for_clinic else None
    low = any(mark.value is not None and mark.value < 2 * LOW_CD4 for mark in marks)
    levels = [Threshold(LOW_CD4, "")] if low and (nadir is None or abs(nadir - LOW_CD4) > 40) else []
    if known.goal is not None:
        levels.append(Threshold(known.goal, _("Goal: above %(goal)s") % {"goal": units.figure(known.goal)}))
    if nadir is not None:
        year = f", {known.patient.nadir_on.year}" if known.patient.nadir_on else ""
        levels.append(Threshold(Decimal(nadir), _("Nadir %(nadir)s%(year)s") % {"nadir": nadir, "year": year}))
    return levels


def _limit(marks: Sequence[Mark]) -> list[Threshold]:
    limits = [mark.value for mark in marks if mark.comparator == "<" and mark.value]
    if not limits or len(set(limits)) > 1:
        return []
    return [Threshold(limits[-1], _("Test limit: %(limit)s") % {"limit": units.figure(limits[-1])})]


# Too early to judge


def _judged(known: Facts, counts: Sequence[Point]) -> EarlyFinding | None:
    """What may be said about the present dose of an HIV plan (2.7 with D8); None before its first course."""
    since = known.dose_since
    return advice.progress(trends.readings(counts), since, known.today) if since else None
