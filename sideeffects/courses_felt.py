"""How each course felt: the last courses under each other on one axis of days, aligned on day 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from cycles.days import CourseDays, lay_out
from cycles.models import Cycle, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from sideeffects import lumps, own_days, patterns, strips
from sideeffects.models import CheckIn, DayOfReports, Symptom, catalogue
from sideeffects.patterns import Column, Span
from sideeffects.strips import Head, Known, Strip

SHOWN = 4


@dataclass(frozen=True)
class Page:
    """What the template reads.

    `own`: the hardest days of the last two courses in words, "" = not known, or an urgent report is not closed (R22);
    `older`: before which day the next page begins; `lumps`: None on those pages.
    """

    heads: list[Head]
    strips: list[Strip]
    own: str
    older: date | None
    lumps: lumps.Table | None

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all was said about these courses: nobody knows how they felt."""
        return all(strip.is_silent for strip in self.strips)

    @property
    def is_long(self) -> bool:
        """Whether a course is longer than a week, and its strip wider than a small screen."""
        return len(self.heads) > 2 * patterns.AROUND + 1


def compose(patient: Patient, now: datetime, *, before: date | None = None) -> Page:
    """The courses that started last, or before a day, the newest first. Always the same number of statements."""
    today = patient.today(now)
    started = _started(patient, today, before)
    shown, spans = started[:SHOWN], _spans(started, before)[:SHOWN]
    columns = patterns.columns(max((cycle.length for cycle in shown), default=0))
    reports = _reports(patient, spans, today)
    known = Known(today, columns, reports, *_symptoms(spans, columns, reports))
    courses = _laid_out(shown, now)
    return Page(
        heads=[strips.head(column) for column in columns],
        strips=[strips.strip(course, span, known) for course, span in zip(courses, spans, strict=True)],
        own=_own(patient, started, today) if before is None else "",
        older=shown[-1].starts_on if len(started) > SHOWN else None,
        lumps=lumps.table(patient, today) if before is None else None,
    )


def _started(patient: Patient, today: date, before: date | None) -> list[Cycle]:
    """The newest first, one more than is shown: its days border on those of the oldest one shown."""
    rows = Cycle.objects.of(patient).current(today).select_related("version")
    if before is not None:
        rows = rows.filter(starts_on__lt=before)
    return list(rows[: SHOWN + 1])


def _spans(started: Sequence[Cycle], ends_before: date | None) -> list[Span]:
    oldest_first = [(cycle.starts_on, cycle.length) for cycle in reversed(started)]
    return patterns.spans(oldest_first, ends_before)[::-1] if started else []


def _reports(patient: Patient, spans: Sequence[Span], today: date) -> Mapping[date, DayOfReports]:
    first, last = (spans[-1].first, spans[0].last) if spans else (today, today)
    return CheckIn.objects.of(patient).by_day(first, last)


def _symptoms(
    spans: Sequence[Span], columns: Sequence[Column], reports: Mapping[date, DayOfReports]
) -> tuple[list[Symptom], dict[str, str]]:
    """Those reported in these courses, what weighed most first; and the words of all."""
    days = [day for span in spans for column in columns for day in span.days(column)]
    weight: dict[str, int] = {}
    for day in days:
        for code, grade in reports[day].severities.items() if day in reports else ():
            weight[code] = weight.get(code, 0) + grade
    known = catalogue()
    shown = sorted((s for s in known if weight.get(s.code)), key=lambda s: (-weight[s.code], s.position))
    return shown, {symptom.code: symptom.word for symptom in known}


def _laid_out(cycles: Sequence[Cycle], now: datetime) -> list[CourseDays]:
    doses = PlannedDose.objects.filter(cycle__in=cycles).order_by("cycle_id", "due_at", "pk").with_records()
    by_cycle = {pk: list(found) for pk, found in groupby(doses, key=lambda dose: dose.cycle_id)}
    return [lay_out(cycle, by_cycle.get(cycle.pk, []), now) for cycle in cycles]


def _own(patient: Patient, started: Sequence[Cycle], today: date) -> str:
    """What the newest courses that are over tell for the next one."""
    if Alert.objects.of(patient).urgent().filter(closed_at=None).exists():
        return ""
    return own_days.in_words(own_days.read(started[0], started, today), started[0].length) if started else ""
