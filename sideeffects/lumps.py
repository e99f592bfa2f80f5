"""Sore places and lumps week by week: which there were, and how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from cycles.models import SiteReaction
from il2tracker.accounts.models import Patient
from sideeffects import patterns
from sideeffects.patterns import Trace
from sideeffects.strips import Box, Line

WEEKS = 12  # app's own; what is older stands in the story of its place
STEPS = ((20, "s3"), (10, "s2"), (0, "s1"))  # millimetres, app's own: where the shade changes beside the number

Sizes = list[tuple[date, int | None]]


@dataclass(frozen=True)
class Table:
    """The first day of each week, and a row for each sore place or lump that was there in one of them."""

    mondays: list[date]
    lines: list[Line]


def table(patient: Patient, today: date) -> Table:
    """The last weeks; no rows where no place was sore. Two statements."""
    mondays = patterns.weeks_to(today, WEEKS)
    reactions = _reactions(patient, mondays[0])
    steps = _steps(patient, reactions)
    found = [(reaction, _trace(reaction, steps.get(reaction.pk, []))) for reaction in reactions]
    weeks = [(reaction, patterns.by_week(trace, mondays, today)) for reaction, trace in found]
    return Table(mondays, [_line(reaction, sizes) for reaction, sizes in weeks if any(s is not None for s in sizes)])


def _reactions(patient: Patient, since: date) -> list[SiteReaction]:
    """Those that were there since."""
    there = SiteReaction.objects.of(patient).filter(Q(cleared_on__isnull=True) | Q(cleared_on__gte=since))
    return sorted(there, key=lambda reaction: (reaction.site, reaction.noticed_on))


def _steps(patient: Patient, reactions: Sequence[SiteReaction]) -> dict[int, Sizes]:
    """What was noted of each by its key, the oldest first, on the patient's days."""
    steps: dict[int, Sizes] = {}
    rows = SiteReaction.history.filter(id__in=[reaction.pk for reaction in reactions]).order_by(
        "history_date", "history_id"
    )
    for key, at, size in rows.values_list("id", "history_date", "size_mm"):
        steps.setdefault(key, []).append((at.astimezone(patient.zone).date(), size))
    return steps


def _trace(reaction: SiteReaction, steps: Sizes) -> Trace:
    """What was noted at first holds from the day on which it was noticed."""
    first = steps[0][1] if steps else reaction.size_mm
    return Trace(reaction.noticed_on, reaction.cleared_on, [(reaction.noticed_on, first), *steps[1:]])


def _line(reaction: SiteReaction, sizes: Sequence[int | None]) -> Line:
    return Line(
        _("%(place)s: %(what)s") % {"place": reaction.site_words.capitalize(), "what": reaction.word},
        [_box(size) for size in sizes],
    )


def _box(size: int | None) -> Box:
    if size is None:
        return Box()
    if size == 0:
        return Box("·", "s1", _("there, not measured"))
    kind = next(kind for least, kind in STEPS if size >= least)
    return Box(str(size), kind, _("%(size)s mm") % {"size": size})
