"""What a trend page, a clinic's page and a list show of a patient's results, ready for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cycles import schedule
from il2tracker.accounts.models import Patient, User
from labs import differences, draws, facts, kept, panels, thinning, trend_words, trends
from labs.differences import Difference
from labs.draws import Drawing, Judged
from labs.facts import CD4, CD4_PERCENT, VIRAL_LOAD, Facts
from labs.for_clinicians import ForClinicians, for_clinicians
from labs.loads import rose_after_course
from labs.models import LabResult
from labs.opening import Opening, opening
from labs.panels import Panel
from labs.trends import Point

RANGES = {"1": 1, "2": 2, "all": None}
TABLED = (CD4, CD4_PERCENT, VIRAL_LOAD)
EDGE = timedelta(days=10)
SHORTEST = timedelta(days=120)


@dataclass(frozen=True)
class Picture(Opening):
    """Everything a trend page shows. Texts are ready; nothing in it needs another statement."""

    patient: Patient
    now: datetime
    today: date
    chosen: str
    viral_load: str
    viral_load_counted: bool
    viral_load_change: str
    viral_load_rose: bool
    panels: list[Panel]
    rows: list[Drawing]
    undrawn: int
    thinned: int
    timed: bool
    too_soon_until: date | None
    clinicians: ForClinicians | None

    @property
    def progress(self) -> str:
        """What is said to clinicians about the present dose after six months; empty for patients."""
        return self.clinicians.progress if self.clinicians else ""

    @property
    def bursts(self) -> bool:
        """Whether a viral load shown may be raised for a short time after a course (P08)."""
        return any(row.burst for row in self.rows)

    @property
    def up_to(self) -> date | None:
        """The newest draw that is drawn."""
        return self.rows[0].on if self.rows else None

    @property
    def has_percent(self) -> bool:
        """Whether a CD4+ percentage is among the results of this time."""
        return bool(self.rows) and self.rows[0].said.has_percent

    @property
    def unsettled(self) -> bool:
        """Whether a result shown waits for an answer about an earlier treatment."""
        return any(row.unsettled for row in self.rows)

    @property
    def has_courses(self) -> bool:
        """Whether a course is drawn."""
        return any(panel.wide.bands for panel in self.panels)

    @property
    def has_below(self) -> bool:
        """Whether a triangle that points down is drawn."""
        return any(shape.kind == "down" for panel in self.panels for shape in panel.wide.shapes)

    @property
    def has_above(self) -> bool:
        """Whether a triangle that points up is drawn."""
        return any(shape.kind == "up" for panel in self.panels for shape in panel.wide.shapes)

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
    """A patient's trend. `chosen` is a key of RANGES; the clinician's variant adds doses, nadir, slopes and progress.

    `known` are facts that are loaded already, with at least the tests of facts.SERIES. Seven statements without it.
    """
    known = known or facts.load([patient], now, facts.SERIES)[patient.pk]
    span, loads = _span(known, chosen), known.series(VIRAL_LOAD)
    shown, thinned = _shown(known, span[0])
    rows = draws.drawings(shown, viewer, {point.key for point in differences.bursts(loads)})
    said = opening(known)
    return Picture(
        patient=patient,
        now=now,
        today=known.today,
        chosen=chosen,
        **vars(said),
        **_viral_load(known, loads, early=said.early is not None),
        panels=panels.panels(known, rows, span, for_clinic=for_clinic),
        rows=rows,
        undrawn=known.undrawn(CD4) + known.undrawn(VIRAL_LOAD),
        thinned=thinned,
        timed=known.timing_matters,
        too_soon_until=_too_soon_until(known),
        clinicians=for_clinicians(known, span[0], said.found) if for_clinic else None,
    )


def _shown(known: Facts, since: date) -> tuple[list[Judged], int]:
    """The draws to draw and to table, and how many there are in all if that is not all of them."""
    series = [known.since(code, since) for code in facts.SERIES]
    days = thinning.worth_drawing(series)
    every = {point.on for points in series for point in points}
    found = LabResult.objects.standing().of(known.patient).of_tests(*TABLED).filter(drawn_on__gte=since)
    if len(days) < len(every):
        found = found.filter(drawn_on__in=days)
    return draws.judge(known, kept.rows(found)), len(every) if len(days) < len(every) else 0


def _viral_load(known: Facts, loads: Sequence[Point], *, early: bool) -> dict[str, Any]:
    said = trends.trend(loads)
    difference = Difference.NOT_COMPARED if early else differences.of_loads(said)
    return {
        "viral_load": known.label(said.last),
        "viral_load_counted": said.last is not None and said.last.value is not None,
        "viral_load_change": trend_words.load_change(difference, known.label(said.before_first)),
        "viral_load_rose": rose_after_course(loads),
    }


def _span(known: Facts, chosen: str) -> tuple[date, date]:
    years = RANGES.get(chosen, 1)
    firsts = [result.drawn_on for result in known.results[:1]] + [cycle.starts_on for cycle in known.cycles[:1]]
    last = (_too_soon_until(known) or known.today) + EDGE
    earliest = min([*firsts, known.today - SHORTEST]) - EDGE
    if years is None:
        return earliest, last
    return max(earliest, schedule.add_months(known.today, -12 * years)), last


def _too_soon_until(known: Facts) -> date | None:
    ends = [course.too_soon_until for course in known.courses()]
    return ends[-1] if ends and ends[-1] >= known.today else None
