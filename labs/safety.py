"""Safety tests of a patient: one small drawing a test, its table, the peaks of each course; grades for clinicians.

These tests are never called unreliable (H19): they matter most in the days after an injection (P61, W14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import schedule
from il2tracker.accounts.models import Patient
from labs import facts, grading, multiples, range_words, symptoms, units, words
from labs.charts import Course
from labs.grading import Grade, Limit, Limits, NoGrade
from labs.models import Analyte, LabResult
from labs.multiples import HIGH, INSIDE, LOW, Multiple, Peaks, Result
from labs.picture import EDGE, RANGES, SHORTEST
from labs.ranges import Range
from labs.symptoms import Sign

OTHER, ALBUMIN = "other", "albumin"
MOST_ROWS = 60  # of the table under one drawing; the list of results has them all


@dataclass(frozen=True)
class Row:
    """One result in the table: what it says, where it lies in the printed range, and for clinicians its grade."""

    result: LabResult
    text: str
    side: str
    graded: Grade | NoGrade | None
    around: Sequence[Sign] = ()

    @property
    def outside(self) -> bool:
        """Whether it is outside the range that the laboratory printed with it."""
        return self.side in {LOW, HIGH}

    @property
    def grade(self) -> Grade | None:
        """Its grade, if one is met."""
        return self.graded if isinstance(self.graded, Grade) else None

    @property
    def signs(self) -> Sequence[Sign]:
        """The check-ins that the grade rests on."""
        return self.around if self.grade and self.grade.with_symptoms else ()

    @property
    def why_no_grade(self) -> str:
        """Why nothing is graded, where that does not follow from the value; empty elsewhere."""
        graded = self.graded
        if not isinstance(graded, NoGrade):
            return ""
        if graded.kind is grading.Kind.CANNOT or (self.outside and graded.kind is grading.Kind.NOT_A_TERM):
            return _(graded.why)
        if not self.outside or self.side in grading.sides(self.result.analyte.code):
            return ""
        return _("Low values are not graded here.") if self.side == LOW else _("High values are not graded here.")

    @property
    def side_words(self) -> str:
        """Where it lies, for the table."""
        return {
            LOW: _("below the range"),
            HIGH: _("above the range"),
            INSIDE: _("within the range"),
        }.get(self.side, _("no range to compare with"))


@dataclass(frozen=True)
class Test:
    """One test: its drawing (None while nothing can be drawn), its results newest first, its peaks."""

    analyte: Analyte
    rows: list[Row]
    drawing: Multiple | None
    peaks: list[Peaks]
    description: str

    @property
    def last(self) -> Row:
        """The newest result."""
        return self.rows[0]

    @property
    def shown(self) -> list[Row]:
        """What stands in its table."""
        return self.rows[:MOST_ROWS]


@dataclass(frozen=True)
class Group:
    """Tests that belong together."""

    code: str
    name: str
    tests: list[Test]


@dataclass(frozen=True)
class Page:
    """What the template reads. `total` counts the safety results of all times, also those before `chosen`."""

    patient: Patient
    today: date
    chosen: str
    groups: list[Group]
    total: int
    for_clinic: bool
    has_courses: bool

    @property
    def tests(self) -> list[Test]:
        """Every test in order."""
        return [test for group in self.groups for test in group.tests]

    @property
    def version(self) -> str:
        """Whose grades these are."""
        return grading.VERSION

    @property
    def newest_on(self) -> date | None:
        """When the newest blood was taken."""
        return max((test.last.result.drawn_on for test in self.tests), default=None)

    @property
    def outside(self) -> list[Test]:
        """The tests whose newest result is outside its range."""
        return [test for test in self.tests if test.last.outside]


def page(patient: Patient, now: datetime, *, chosen: str = "1", for_clinic: bool = False) -> Page:
    """The safety tests of a patient. `chosen` is a key of RANGES; grades are worked out only `for_clinic`."""
    known = facts.load([patient], now)[patient.pk]
    courses, results = known.courses(), results_of(patient)
    span = _span(results, known.today, chosen)
    shown = [row for row in _judged(results, courses, for_clinic=for_clinic) if row.result.drawn_on >= span[0]]
    return Page(
        patient=patient,
        today=known.today,
        chosen=chosen,
        groups=_groups(shown, courses, span, known.today),
        total=len(results),
        for_clinic=for_clinic,
        has_courses=any(course.last_on >= span[0] for course in courses),
    )


def results_of(patient: Patient) -> list[LabResult]:
    """The results of tests that IL-2 timing never makes unreliable, oldest first; not those outside the catalogue."""
    rows = LabResult.objects.standing().of(patient).filter(analyte__timing_matters=False)
    return list(rows.exclude(analyte__code=OTHER).select_related("analyte").order_by("drawn_on", "drawn_at", "pk"))


def _span(results: Sequence[LabResult], today: date, chosen: str) -> tuple[date, date]:
    years = RANGES.get(chosen, 1)
    earliest = min([*(result.drawn_on for result in results), today - SHORTEST]) - EDGE
    first_on = earliest if years is None else max(earliest, schedule.add_months(today, -12 * years))
    return first_on, today + EDGE


def _groups(rows: Sequence[Row], courses: Sequence[Course], span: tuple[date, date], today: date) -> list[Group]:
    by_test: dict[int, list[Row]] = {}
    for row in rows:
        by_test.setdefault(row.result.analyte_id, []).append(row)
    order = list(words.GROUPS)
    tests = [_test(found, courses, span, today) for found in by_test.values()]
    tests.sort(key=lambda test: (_place(order, test.analyte.group), test.analyte.position, test.analyte.name))
    return [
        Group(code, words.group(code), list(found))
        for code, found in groupby(tests, key=lambda test: test.analyte.group)
    ]


def _place(order: Sequence[str], group: str) -> int:
    return order.index(group) if group in order else len(order)


def _test(rows: Sequence[Row], courses: Sequence[Course], span: tuple[date, date], today: date) -> Test:
    drawn = [each for each in map(_drawn, rows) if each]
    drawing = multiples.draw(drawn, courses, span, today) if drawn else None
    analyte = rows[0].result.analyte
    return Test(analyte, list(rows)[::-1], drawing, multiples.peaks(drawn, courses), _description(analyte, drawn))


def _drawn(row: Row) -> Result | None:
    """A result as the drawing takes it; None for words and for units that are not known."""
    result = row.result
    if result.own_value is None:
        return None
    low, high = _limits(result)
    grade = row.grade.number if row.grade else 0
    return Result(result.drawn_on, result.own_value, result.comparator, row.side, low, high, words.short(result), grade)


def _description(analyte: Analyte, drawn: Sequence[Result]) -> str:
    if not drawn:
        return ""
    low, high = min(drawn, key=lambda each: each.value), max(drawn, key=lambda each: each.value)
    facts = {"count": len(drawn), "low": low.label, "high": high.label, "unit": analyte.unit_words}
    text = ngettext(
        "%(count)s result: %(low)s %(unit)s.", "%(count)s results, from %(low)s to %(high)s %(unit)s.", len(drawn)
    )
    outside = sum(each.outside for each in drawn)
    said = _("%(count)s outside the printed range.") % {"count": outside}
    return f"{text % facts} {said} " + _("The table below holds the same values.")


# What the laboratory printed, and what follows from it


def _printed(result: LabResult) -> Range | None:
    return range_words.limits_of(result.analyte.rule, result.reading, result.printed_range)


def _side(result: LabResult) -> str:
    """Where it lies in what was printed; nothing is said of a result whose unit is not known."""
    return range_words.side_of(result) or ""


def _limits(result: LabResult) -> tuple[Decimal | None, Decimal | None]:
    """The printed range in the test's own unit: it is printed in the unit of its result."""
    printed = _printed(result)
    if printed is None or not result.unit:
        return None, None
    rule = result.analyte.rule
    low, high = (
        None if limit is None else units.canonical(rule, limit, result.unit) for limit in (printed.low, printed.high)
    )
    return low, high


def _exact_limits(result: LabResult) -> Limits:
    """The printed range as a grade compares it, each end with the words of the report."""
    printed, unit = _printed(result), result.unit
    operation = result.analyte.rule.factors.get(unit)
    if printed is None or operation is None:
        return Limits()
    shown = units.UNITS[unit].words
    low, high = (
        None if limit is None else Limit(operation.exact(limit), f"{units.figure(limit)} {shown}".strip())
        for limit in (printed.low, printed.high)
    )
    return Limits(low, high)


def _exact(result: LabResult) -> Fraction | None:
    """The value in the test's own unit, unrounded; None for words and for units that are not known."""
    operation = result.analyte.rule.factors.get(result.unit)
    return None if operation is None or result.value is None else operation.exact(result.value)


def _judged(results: Sequence[LabResult], courses: Sequence[Course], *, for_clinic: bool) -> list[Row]:
    sides = {result.pk: _side(result) for result in results}
    first_on = min((course.first_on for course in courses), default=None)
    before = _before(results, sides, first_on)
    albumin = {_draw(each): sides[each.pk] == INSIDE for each in results if each.analyte.code == ALBUMIN}
    low = {each.drawn_on for each in results if sides[each.pk] == LOW and for_clinic and _asks(each)}
    around = symptoms.of_low_potassium(results[0].patient_id, low) if low else {}
    rows = []
    for result in results:
        signs = around.get(result.drawn_on, []) if _asks(result) else []
        is_treated = first_on is not None and result.drawn_on >= first_on
        graded = for_clinic and _grade(
            result,
            baseline_high=before.get(result.analyte_id) if is_treated else False,
            albumin_inside=albumin.get(_draw(result)),
            with_symptoms=bool(signs) or None,
        )
        text = words.value(result, unit=True)
        rows.append(Row(result, text, sides[result.pk], graded or None, signs))
    return rows


def graded(results: Sequence[LabResult], courses: Sequence[Course]) -> dict[int, Row]:
    """The results that have a grade by their key, for clinicians; `results` hold the newest of each test before any
    course."""
    rows = _judged(results, courses, for_clinic=True)
    return {row.result.pk: row for row in rows if row.grade}


def _asks(result: LabResult) -> bool:
    return grading.asks_for_symptoms(result.analyte.code)


def _before(results: Sequence[LabResult], sides: Mapping[int, str], first_on: date | None) -> dict[int, bool]:
    """Whether the newest result of a test before the first course was above its own limit, where that is known."""
    earlier = [each for each in results if first_on and each.drawn_on < first_on and sides[each.pk]]
    earlier.sort(key=lambda each: (each.drawn_on, each.drawn_at.timestamp() if each.drawn_at else 0))
    return {each.analyte_id: sides[each.pk] == HIGH for each in earlier}


def _draw(result: LabResult) -> tuple[date, datetime | None]:
    return result.drawn_on, result.drawn_at


def _grade(
    result: LabResult, *, baseline_high: bool | None, albumin_inside: bool | None, with_symptoms: bool | None
) -> Grade | NoGrade:
    return grading.grade(
        result.analyte.code,
        _exact(result),
        result.comparator,
        _exact_limits(result),
        baseline_high=baseline_high,
        albumin_inside=albumin_inside,
        symptoms=with_symptoms,
    )
