"""Small pictures, one per symptom: its worst severity on each day of the last courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from cycles.models import Cycle
from sideeffects.models import DayOfReports, Symptom
from sideeffects.patterns import severity, worst

SHOWN = 8
WIDTH, GAP, BASE = 150.0, 6.0, 41.0
STEP = 12.0


@dataclass(frozen=True)
class Bar:
    """One day: a bar of `severity`; nothing is drawn for a day without an answer."""

    x: float
    y: float
    width: float
    height: float
    severity: int


@dataclass(frozen=True)
class Block:
    """One course of a picture, and its severities for the table; None = nothing was said."""

    number: int
    x: float
    width: float
    middle: float
    bars: list[Bar]
    severities: list[int | None]

    @property
    def words(self) -> str:
        """ "1, 2, not recorded"."""
        return ", ".join(_("not recorded") if each is None else str(each) for each in self.severities)


@dataclass(frozen=True)
class Multiple:
    """One symptom over the last courses."""

    code: str
    name: str
    blocks: list[Block]

    @property
    def description(self) -> str:
        """What a screen reader hears instead of the picture."""
        each = [_("course %(n)s: %(days)s") % {"n": block.number, "days": block.words} for block in self.blocks]
        return _("%(name)s, severity 0 to 3 by day. ") % {"name": self.name} + "; ".join(each)


def multiples(
    courses: Sequence[Cycle], reports: Mapping[date, DayOfReports], symptoms: Sequence[Symptom], today: date
) -> list[Multiple]:
    """The symptoms that were reported in these courses, the worst first, each drawn for every course."""
    days = {cycle.pk: _days(cycle, today) for cycle in courses}
    places = _places(len(courses))
    within = [reports[day] for found in days.values() for day in found if day in reports]
    burden = {s.code: sum(report.severities.get(s.code, 0) for report in within) for s in symptoms}
    shown = sorted((s for s in symptoms if burden[s.code]), key=lambda s: (-burden[s.code], s.position))[:SHOWN]
    return [
        Multiple(
            symptom.code,
            symptom.word,
            [
                _block(place, cycle, days[cycle.pk], reports, symptom.code)
                for place, cycle in zip(places, courses, strict=True)
            ],
        )
        for symptom in shown
    ]


def is_told(courses: Sequence[Cycle], reports: Mapping[date, DayOfReports], today: date) -> bool:
    """Whether anything was said about side effects in these courses, also that there were none (H27)."""
    days = [day for cycle in courses for day in _days(cycle, today)]
    return any(worst(reports.get(day)) is not None for day in days)


def _days(cycle: Cycle, today: date) -> list[date]:
    days = [cycle.starts_on + timedelta(days=offset) for offset in range(cycle.length)]
    return [day for day in days if day <= today]


def _places(count: int) -> list[tuple[float, float]]:
    """Start and width of each course's share of the picture."""
    share = WIDTH / max(count, 1)
    return [(round(index * share + 1, 1), round(share - GAP, 1)) for index in range(count)]


def _block(
    place: tuple[float, float], cycle: Cycle, days: Sequence[date], reports: Mapping[date, DayOfReports], code: str
) -> Block:
    x, width = place
    step = width / cycle.length
    found = [severity(reports.get(day), code) for day in days]
    return Block(
        number=cycle.number,
        x=x,
        width=width,
        middle=round(x + width / 2, 1),
        bars=[_bar(round(x + index * step, 1), step, said) for index, said in enumerate(found) if said is not None],
        severities=found,
    )


def _bar(x: float, step: float, severity: int) -> Bar:
    height = max(severity * STEP, 1.2)
    return Bar(x, round(BASE - height, 1), round(step * 0.8, 1), height, severity)
