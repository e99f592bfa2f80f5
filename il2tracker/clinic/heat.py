"""A course as a table: injections, temperature and symptoms on one axis of days, a week at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import sites
from cycles.days import CourseDay, CourseDays, Slot, State
from il2tracker import ui
from il2tracker.clinic import words
from sideeffects.models import DayOfReports, Symptom

WORDS_OF_SLOT = {
    "night": gettext_lazy("Night"),
    "am": gettext_lazy("Morning"),
    "noon": gettext_lazy("Midday"),
    "afternoon": gettext_lazy("Afternoon"),
    "pm": gettext_lazy("Evening"),
    "bedtime": gettext_lazy("Bedtime"),
}
EMPTY = "–"
SYMPTOMS_SHOWN = 10


@dataclass(frozen=True)
class Cell:
    """One cell: what stands in it, a second line, and its class (s0 to s3, flag, due, empty or nothing)."""

    text: str
    small: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class Week:
    """Seven days of a course at most, with a line per slot, the highest temperature, urgent signs, then symptoms."""

    number: int
    days: tuple[CourseDay, ...]
    is_current: bool
    lines: list[Line]


Reports = Mapping[date, DayOfReports]


def weeks(course: CourseDays, reports: Reports, symptoms: Sequence[Symptom], today: date, clock: str) -> list[Week]:
    """The course's weeks. The week of today, else the last one, is the current one."""
    all_weeks = _weeks(course)
    current = next((index for index, days in enumerate(all_weeks) if days[-1].on >= today), len(all_weeks) - 1)
    return [
        Week(index + 1, days, index == current, _lines(days, reports, symptoms, clock))
        for index, days in enumerate(all_weeks)
    ]


def in_short(course: CourseDays, reports: Reports, symptoms: Sequence[Symptom]) -> list[Week]:
    """The course's weeks for paper: how many injections, the highest temperature, urgent signs, the worst symptom."""
    return [
        Week(number, days, is_current=False, lines=_short_lines(days, reports, symptoms))
        for number, days in enumerate(_weeks(course), 1)
    ]


def _weeks(course: CourseDays) -> list[tuple[CourseDay, ...]]:
    return [course.days] if course.cycle.length <= 7 else course.weeks()


def _short_lines(days: tuple[CourseDay, ...], reports: Reports, symptoms: Sequence[Symptom]) -> list[Line]:
    named = {symptom.code: symptom.word for symptom in symptoms}
    lines = [
        Line(_("Injections"), [_count(day) for day in days]),
        _hottest([reports.get(day.on) for day in days]),
    ]
    if any(day.on in reports and reports[day.on].flags for day in days):
        lines.append(Line(_("Urgent signs"), [_flags(reports.get(day.on), named) for day in days]))
    return [*lines, Line(_("Worst"), [_worst_of(reports.get(day.on), symptoms) for day in days])]


def _hottest(reports: Sequence[DayOfReports | None]) -> Line:
    """The unit stands beside the row's name where all readings share it: paper is narrow."""
    cells, units = [_peak(report) for report in reports], {each.peak.unit for each in reports if each and each.peak}
    if len(units) != 1:
        return Line(_("Hottest"), cells)
    bare = [replace(cell, text=cell.text.partition("\N{NO-BREAK SPACE}")[0]) for cell in cells]
    return Line(_("Hottest, °%(unit)s") % {"unit": units.pop()}, bare)


def _count(day: CourseDay) -> Cell:
    """ "2", "1 of 2" where one is not recorded or was not taken, a dash before anything is."""
    if not day.slots:
        return Cell(_("rest"), kind="empty")
    given = sum(slot.state is State.DONE for slot in day.slots)
    if not day.recorded:
        return Cell(EMPTY, kind="empty")
    words = str(given) if given == len(day.slots) else _("%(n)s of %(all)s") % {"n": given, "all": len(day.slots)}
    return Cell(words, kind="s0")


def _worst_of(report: DayOfReports | None, symptoms: Sequence[Symptom]) -> Cell:
    """The worst severity of a day with what it was, "2!" beside an urgent sign as in the strips; a dash where nothing
    was said, and never 0 beside an urgent sign (H27)."""
    if report is None or not (report.severities or report.none or report.flags):
        return Cell(EMPTY, kind="empty")
    worst = max(report.severities.values(), default=0)
    if report.flags and not worst:
        return Cell("!", _("urgent sign"), "flag")
    if not worst:
        return Cell("0", _("none"), "s0")
    names = [symptom.word for symptom in symptoms if report.severities.get(symptom.code) == worst]
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    mark = "!" if report.flags else ""
    return Cell(f"{worst}{mark}", f"{names[0][:1].lower()}{names[0][1:]}{more}" if names else "", f"s{worst}")


def _lines(days: tuple[CourseDay, ...], reports: Reports, symptoms: Sequence[Symptom], clock: str) -> list[Line]:
    slots = dict.fromkeys(slot.dose.slot for day in days for slot in day.slots)
    lines = [Line(str(WORDS_OF_SLOT[name]), [_dose(day, name, clock) for day in days]) for name in slots]
    if any(slot.record and slot.record.premedicated is not None for day in days for slot in day.slots):
        lines.append(Line(_("Medicines before"), [_premedicated(day) for day in days]))
    lines.append(Line(_("Hottest"), [_peak(reports.get(day.on)) for day in days]))
    if any(day.on in reports and reports[day.on].flags for day in days):
        named = {symptom.code: symptom.word for symptom in symptoms}
        lines.append(Line(_("Urgent signs"), [_flags(reports.get(day.on), named) for day in days]))
    return lines + [
        Line(symptom.word, [_severity(reports.get(day.on), symptom.code) for day in days])
        for symptom in _worst_first(days, reports, symptoms)[:SYMPTOMS_SHOWN]
    ]


def _worst_first(days: tuple[CourseDay, ...], reports: Reports, symptoms: Sequence[Symptom]) -> list[Symptom]:
    shown = [symptom for symptom in symptoms if _worst(symptom.code, days, reports)]
    return sorted(shown, key=lambda symptom: (-_worst(symptom.code, days, reports), symptom.position))


def _worst(code: str, days: tuple[CourseDay, ...], reports: Reports) -> int:
    return max((reports[day.on].severities.get(code, 0) for day in days if day.on in reports), default=0)


def _dose(day: CourseDay, name: str, clock: str) -> Cell:
    slot = next((slot for slot in day.slots if slot.dose.slot == name), None)
    if slot is None:
        return Cell(_("rest"), kind="empty")
    if slot.record is not None:
        return _recorded(slot, clock)
    planned = words.hour(slot.dose.local_time, clock)
    return {
        State.DUE: Cell(_("not yet"), planned, "due"),
        State.MISSING: Cell(_("not recorded"), planned, "due"),
        State.OFF: Cell(EMPTY, kind="empty"),
        State.UNKNOWN: Cell(_("not known"), planned, "empty"),
    }.get(slot.state, Cell(planned, kind="empty"))


def _recorded(slot: Slot, clock: str) -> Cell:
    record = slot.record
    assert record is not None
    if record.local_given_at is None:
        return Cell(_("not taken"), record.reason)
    amount = ui.number(record.amount) if record.differs_from_plan else ""
    site = sites.BY_CODE.get(record.site)
    return Cell(words.hour(record.local_given_at, clock), amount or (site.words.split(",")[0] if site else ""))


def _premedicated(day: CourseDay) -> Cell:
    """Whether the medicines before each injection of the day were taken (M9): what nobody said is a dash."""
    said = {True: _("yes"), False: _("no"), None: EMPTY}
    answers = [slot.record.premedicated for slot in day.slots if slot.record and slot.record.given_at]
    if not any(answer is not None for answer in answers):
        return Cell(EMPTY, kind="empty")
    return Cell(", ".join(said[answer] for answer in answers), kind="s0")


def _peak(report: DayOfReports | None) -> Cell:
    if report is None or report.peak is None:
        return Cell(EMPTY, kind="empty")
    return Cell(str(report.peak), kind="s0")


def _flags(report: DayOfReports | None, named: Mapping[str, str]) -> Cell:
    """What was ticked; none only where "none of these" was (H27)."""
    if report is None or not (report.flags or report.none_of_flags):
        return Cell(EMPTY, kind="empty")
    ticked = [named.get(code, code) for code in sorted(report.flags)]
    return Cell(", ".join(ticked), kind="flag") if ticked else Cell(_("none"), kind="s0")


def _severity(report: DayOfReports | None, code: str) -> Cell:
    if report is None or (code not in report.severities and not report.none):
        return Cell(EMPTY, kind="empty")
    severity = report.severities.get(code, 0)
    return Cell(str(severity), kind=f"s{severity}")
