"""The drawings of a patient's CD4+ counts and viral load, in two sizes, on one time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from labs import charts, differences, draws, kept, units
from labs.charts import Chart, Course, Mark, Scene, Threshold
from labs.draws import Drawing
from labs.facts import CD4, VIRAL_LOAD, Facts

LOW_CD4 = Decimal(200)  # P16


@dataclass(frozen=True)
class Panel:
    """One test's drawing in two sizes, with what a screen reader hears instead."""

    title: str
    unit: str
    key: str
    narrow: Chart
    wide: Chart
    description: str


def panels(known: Facts, rows: Sequence[Drawing], span: tuple[date, date], *, for_clinic: bool) -> list[Panel]:
    """The drawings of a patient between two days; a test with fewer than two points has none.

    `for_clinic` adds the delivered dose of each course and the nadir.
    """
    courses = known.courses()
    if not for_clinic:
        courses = [Course(c.number, c.first_on, c.last_on, c.too_soon_until) for c in courses]
    found = []
    for code, draw, sizes in (
        (CD4, charts.cd4_chart, (charts.NARROW, charts.WIDE)),
        (VIRAL_LOAD, charts.viral_load_chart, (charts.NARROW, charts.WIDE_LOW)),
    ):
        marks = draws.marks(rows, code)
        if len(marks) > 1:
            levels = _thresholds(known, marks, for_clinic=for_clinic) if code == CD4 else _limit(marks)
            scene = Scene(*span, known.today, marks, courses, levels)
            found.append(_panel(code, scene, draw, sizes))
    return found


def _panel(
    code: str,
    scene: Scene,
    draw: Callable[[Scene, charts.Size], Chart],
    sizes: tuple[charts.Size, charts.Size],
) -> Panel:
    analyte = kept.test(code)
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
    nadir = nadir_of(known) if for_clinic else None
    low = any(mark.value is not None and mark.value < 2 * LOW_CD4 for mark in marks)
    levels = [Threshold(LOW_CD4, "")] if low and (nadir is None or abs(nadir.value - LOW_CD4) > 40) else []
    if known.goal is not None:
        levels.append(Threshold(known.goal, _("Goal: above %(goal)s") % {"goal": units.figure(known.goal)}))
    if nadir is not None:
        year = f", {nadir.on.year}" if nadir.on else ""
        said = _("Nadir %(nadir)s%(year)s") % {"nadir": units.figure(nadir.value), "year": year}
        levels.append(Threshold(nadir.value, said))
    return levels


@dataclass(frozen=True)
class Nadir:
    """The lowest CD4+ count that is known, with its day if that is known too."""

    value: Decimal
    on: date | None


def nadir_of(known: Facts) -> Nadir | None:
    """The lower of the nadir that was entered and the lowest reliable count; None where no nadir was entered."""
    entered, lowest = known.patient.nadir_cd4, differences.lowest(known.series(CD4))
    if entered is None:
        return None
    if lowest is not None and lowest.value is not None and lowest.value < entered:
        return Nadir(lowest.value, lowest.on)
    return Nadir(Decimal(entered), known.patient.nadir_on)


def _limit(marks: Sequence[Mark]) -> list[Threshold]:
    limits = [mark.value for mark in marks if mark.is_below and mark.value]
    if not limits or len(set(limits)) > 1:
        return []
    return [Threshold(limits[-1], _("Test limit: %(limit)s") % {"limit": units.figure(limits[-1])})]
