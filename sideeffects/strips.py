"""One course as rows of boxes: what was given, temperature, and every symptom with its severity, day by day.

A box is empty where nothing was said. Empty is not none (H27).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles.days import CourseDays, Slot, State
from cycles.models import Cycle
from il2tracker import ui
from sideeffects import patterns
from sideeffects.models import DayOfReports, Symptom
from sideeffects.patterns import Column, Part, Span

Slots = Mapping[date, tuple[Slot, ...]]
Said = list[DayOfReports]


@dataclass(frozen=True)
class Box:
    """One box: its text, its class (s0 to s3, flag, due, unsaid or nothing), and what is said aloud in its place."""

    text: str = ""
    kind: str = ""
    spoken: str = ""


@dataclass(frozen=True)
class Line:
    """One row of boxes."""

    name: str
    boxes: list[Box]


@dataclass(frozen=True)
class Strip:
    """One course. `is_silent`: nothing was said in its days at all. `flags`: the urgent signs of each day in words.

    `now`: the place of today's column, None outside its days.
    """

    cycle: Cycle
    now: int | None
    is_silent: bool
    lines: list[Line]
    flags: list[str]


@dataclass(frozen=True)
class Known:
    """What the strips of a page share. `reports` holds only days with a check-in; `words` those of every symptom."""

    today: date
    columns: list[Column]
    reports: Mapping[date, DayOfReports]
    symptoms: list[Symptom]
    words: Mapping[str, str]

    def said(self, days: Iterable[date]) -> Said:
        """What was said on these days."""
        return [self.reports[day] for day in days if day in self.reports]


def strip(course: CourseDays, span: Span, known: Known) -> Strip:
    """The rows of a course, a box for each column of the page."""
    days = [span.days(column) for column in known.columns]
    said = known.said(day for found in days for day in found)
    return Strip(
        cycle=course.cycle,
        now=next((place for place, found in enumerate(days) if known.today in found), None),
        is_silent=not said,
        lines=[*_treatment(course, days), *_felt(days, said, known)],
        flags=_flags_in_words(days, known),
    )


# What was given


def _treatment(course: CourseDays, days: list[list[date]]) -> list[Line]:
    slots = {day.on: day.slots for day in course.days}
    lines = [Line(_("Million units given"), [_given(found, slots) for found in days])]
    if any(slot.record and slot.record.premedicated is not None for slot in course.slots):
        lines.append(Line(_("Medicines before"), [_premedicated(found, slots) for found in days]))
    return lines


def _of_day(days: Sequence[date], slots: Slots) -> tuple[Slot, ...]:
    return slots.get(days[0], ()) if len(days) == 1 else ()


def _given(days: Sequence[date], slots: Slots) -> Box:
    """What was given on a day in million units; "?" beside it where not every injection of the day is recorded."""
    of_day = [slot for slot in _of_day(days, slots) if slot.is_recorded or slot.state is State.MISSING]
    if not of_day:
        return Box()
    if not any(slot.is_recorded for slot in of_day):
        return Box("?", "due", _("not recorded"))
    amount = ui.number(sum((slot.record.amount or Decimal(0) for slot in of_day if slot.record), Decimal(0)))
    if all(slot.is_recorded for slot in of_day):
        return Box(amount)
    return Box(f"{amount}?", "due", _("%(amount)s, and one not recorded") % {"amount": amount})


def _premedicated(days: Sequence[date], slots: Slots) -> Box:
    """Whether the medicines before each injection of the day were taken (M9); nothing where nobody said."""
    answers = {slot.record.premedicated for slot in _of_day(days, slots) if slot.record and slot.record.given_at}
    answers.discard(None)
    if not answers:
        return Box()
    return Box(_("part") if len(answers) > 1 else _("yes") if answers == {True} else _("no"))


# How it felt


def _felt(days: list[list[date]], said: Said, known: Known) -> list[Line]:
    units = {each.peak.unit for each in said if each.peak}
    unit = units.pop() if len(units) == 1 else ""
    hottest = _("Hottest, °%(unit)s") % {"unit": unit} if unit else _("Hottest")
    rows: list[tuple[str, Callable[[Said], Box]]] = [(hottest, lambda found: _peak(found, bare=bool(unit)))]
    if any(each.flags for each in said):
        rows.append((_("Urgent signs"), lambda found: _flags(found, known.words)))
    rows.append((_("Worst"), _worst))
    rows += [(symptom.word, _reader(symptom.code)) for symptom in known.symptoms]
    return [Line(name, [_box(found, known, read) for found in days]) for name, read in rows]


def _reader(code: str) -> Callable[[Said], Box]:
    return lambda found: _severity([patterns.severity(each, code) for each in found])


def _box(days: Sequence[date], known: Known, read: Callable[[Said], Box]) -> Box:
    """Nothing at all for days that do not exist or have not come; an empty box for silence."""
    return Box() if not days or days[0] > known.today else read(known.said(days))


def _unsaid() -> Box:
    return Box("", "unsaid", _("nothing said"))


def _severity(severities: Sequence[int | None]) -> Box:
    told = [severity for severity in severities if severity is not None]
    return Box(str(max(told)), f"s{max(told)}") if told else _unsaid()


def _worst(said: Said) -> Box:
    mark = patterns.mark(said)
    if not mark:
        return _unsaid()
    if not mark.endswith("!"):
        return Box(mark, f"s{mark}")
    grade = mark.removesuffix("!")
    return Box(mark, "flag", _("%(grade)s, and an urgent sign") % {"grade": grade} if grade else _("urgent sign"))


def _peak(said: Said, *, bare: bool) -> Box:
    peaks = [each.peak for each in said if each.peak]
    if not peaks:
        return Box("", "unsaid", _("not measured"))
    highest = max(peaks, key=lambda peak: peak.fahrenheit)
    return Box(str(highest).partition("\N{NO-BREAK SPACE}")[0] if bare else str(highest), "s0")


def _flags(said: Said, words: Mapping[str, str]) -> Box:
    ticked = sorted({words.get(code, code) for each in said for code in each.flags})
    if ticked:
        return Box("!", "flag", ", ".join(ticked))
    return Box("0", "s0", _("none")) if any(each.none_of_flags for each in said) else _unsaid()


def _flags_in_words(days: list[list[date]], known: Known) -> list[str]:
    """ "Friday 20 November 2026: fainted"."""
    found = [each for each in known.said(day for column in days for day in column) if each.flags]
    return [
        _("%(day)s: %(signs)s")
        % {"day": ui.long_day(each.on), "signs": ", ".join(known.words.get(code, code) for code in sorted(each.flags))}
        for each in found
    ]


@dataclass(frozen=True)
class Head:
    """Head of a column, short and aloud: "3" and "day 3", "+2" and "2 days after the course"."""

    short: str
    aloud: str
    in_course: bool = False


def head(column: Column) -> Head:
    """What stands over a column."""
    if column.part is Part.BEFORE:
        return Head(_("before"), _("in the %(n)s days before") % {"n": patterns.AROUND})
    if column.part is Part.COURSE:
        return Head(str(column.number), _("day %(n)s") % {"n": column.number}, in_course=True)
    aloud = ngettext("%(n)s day after the course", "%(n)s days after the course", column.number)
    return Head(f"+{column.number}", aloud % {"n": column.number})
