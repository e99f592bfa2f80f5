"""The list of results: a page of draws, the newest first, each with its safety tests by groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from django.db.models import F, Q
from django.utils.translation import gettext as _

from il2tracker.accounts.models import Patient, User
from labs import draws, facts, range_words, safety, words
from labs.draws import Drawing
from labs.facts import CD4, CD4_PERCENT, VIRAL_LOAD, Facts
from labs.files.candidates import OTHER
from labs.kept import Result
from labs.last_report import newest_of_each_test
from labs.models import LabResult, LabResultQuerySet
from labs.opening import Opening, opening

PAGE = 50
IN_COLUMNS = {CD4, CD4_PERCENT, VIRAL_LOAD}
MOST_ERRORS = 50
STAMP = "%Y-%m-%dT%H:%M:%S.%f"


@dataclass(frozen=True)
class Key:
    """Where a page begins: the day of a draw, and its moment if the time is known."""

    on: date
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.on:%Y-%m-%d}_{self.at.astimezone(UTC).strftime(STAMP)}" if self.at else f"{self.on:%Y-%m-%d}"

    @classmethod
    def read(cls, text: str) -> Key | None:
        """The key in an address; None for anything else."""
        day, _mark, moment = text.partition("_")
        try:
            at = datetime.strptime(moment, STAMP).replace(tzinfo=UTC) if moment else None
            return cls(date.fromisoformat(day), at)
        except ValueError:
            return None

    def older(self) -> Q:
        """Results of draws after this one in the list; on one day, draws without a time come last."""
        earlier = Q(drawn_on__lt=self.on)
        if self.at is None:
            return earlier
        return earlier | Q(drawn_on=self.on, drawn_at__lt=self.at) | Q(drawn_on=self.on, drawn_at__isnull=True)


@dataclass(frozen=True)
class Line:
    """One result as it is read in a list: in the unit of its report, with the range and what stands beside it."""

    result: LabResult
    graded: safety.Row | None = None
    changed: str = ""

    @property
    def grade(self) -> str:
        """For clinicians: "Grade 2 (CTCAE v5.0)"; "" where there is none."""
        grade = self.graded.grade if self.graded else None
        if grade is None:
            return ""
        return _("Grade %(number)s (%(version)s)") % {"number": grade.number, "version": grade.version}

    @property
    def name(self) -> str:
        """What the test is called."""
        return words.name(self.result)

    @property
    def value(self) -> str:
        """The result as written."""
        return words.as_written(self.result)

    @property
    def printed_range(self) -> str:
        """The range on the report."""
        return self.result.printed_range

    @property
    def is_outside(self) -> bool:
        """Whether it lies outside the range printed beside it."""
        return range_words.side_of(self.result) in {"low", "high"}

    @property
    def is_compared(self) -> bool:
        """Whether it is known on which side of the printed range it lies."""
        return range_words.side_of(self.result) is not None

    @property
    def flag(self) -> str:
        """The laboratory's own mark."""
        return self.result.flag

    @property
    def is_unit_unknown(self) -> bool:
        """Whether it is a number whose unit is not known for this test. Other tests are always kept as printed."""
        result = self.result
        return result.value is not None and not result.unit and result.analyte.code != OTHER

    @property
    def notes(self) -> list[str]:
        """What else one has to know to read it."""
        unknown = _("unit not known: kept as printed, not compared") if self.is_unit_unknown else ""
        early = _("preliminary") if self.result.status == LabResult.Status.PRELIMINARY else ""
        return [note for note in (unknown, early, self.changed) if note]


@dataclass(frozen=True)
class LineGroup:
    """Results of one kind."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Panel:
    """One draw: its row in the table, and its other tests by groups; who `changed` what stands in the row."""

    drawing: Drawing
    groups: list[LineGroup]
    changed: list[str]

    @property
    def first(self) -> LabResult:
        """The result that the draw's link opens."""
        return self.drawing.judged[0].result  # type: ignore[return-value]

    @property
    def is_timed(self) -> bool:
        """Whether IL-2 timing matters for any of its tests."""
        return any(each.result.analyte.timing_matters for each in self.drawing.judged)

    @property
    def lines(self) -> list[Line]:
        """Its other tests."""
        return [line for group in self.groups for line in group.lines]

    @property
    def count(self) -> int:
        """How many other tests it has."""
        return len(self.lines)

    @property
    def outer(self) -> list[Line]:
        """Those that lie outside the printed range."""
        return [line for line in self.lines if line.is_outside]

    @property
    def outside(self) -> int:
        """How many of them lie outside the printed range."""
        return len(self.outer)


@dataclass(frozen=True)
class Page:
    """Draws of one page. `next` = where the next page begins. Only on the first: `errors` = what was entered in error,
    `opening` = what the trend says in a sentence, where the plan looks at CD4+ counts."""

    panels: list[Panel]
    next: Key | None
    is_first: bool
    errors: list[Line]
    opening: Opening | None = None

    @property
    def has_percent(self) -> bool:
        """Whether any draw has a CD4+ percentage."""
        return any(panel.drawing.cd4_percent for panel in self.panels)

    @property
    def is_unsettled(self) -> bool:
        """Whether a verdict waits for somebody to say if there was IL-2 before the diary."""
        return any(panel.drawing.unsettled for panel in self.panels)


def page(patient: Patient, viewer: User, now: datetime, before: Key | None = None, *, for_clinic: bool = False) -> Page:
    """The draws of a page, in the same number of statements however many results there are; grades `for_clinic`."""
    standing = LabResult.objects.standing().of(patient)
    keys = _keys(standing.filter(before.older()) if before else standing)
    known = facts.load([patient], now, tests=() if before else facts.SERIES)[patient.pk]
    shown = _whole_days(keys)
    results = _results(standing, shown)
    graded = _grades(known, results) if for_clinic else {}
    drawings = draws.drawings(draws.judge(known, results), viewer)
    changed = changes(results, viewer)
    panels = [Panel(each, _groups(each, graded, changed), _in_row(each, changed)) for each in drawings]
    next_from = shown[-1] if len(keys) > len(shown) else None
    if before is not None:
        return Page(panels, next_from, False, [])
    said = opening(known) if known.timing_matters and known.results else None
    return Page(panels, next_from, True, _errors(patient), said)


def newest_safety(patient: Patient) -> list[Line]:
    """The newest result of each safety test, in the order of the catalogue; one statement."""
    standing = LabResult.objects.standing().of(patient).filter(analyte__timing_matters=False)
    newest = newest_of_each_test(standing.exclude(analyte__code=OTHER))
    return [Line(row) for row in sorted(newest, key=lambda row: row.analyte.position)]


@dataclass(frozen=True)
class OneResult:
    """One result, and while it stands its draw's verdict and the others from the same blood."""

    line: Line
    drawing: Drawing | None = None
    others: Sequence[Line] = ()


def one(result: LabResult, viewer: User, now: datetime, *, for_clinic: bool = False) -> OneResult:
    """A result and what belongs to it; its grade `for_clinic`."""
    if result.voided_at is not None:
        return OneResult(Line(result))
    day = LabResult.objects.standing().of(result.patient).filter(drawn_on=result.drawn_on).with_facts()
    known = facts.load([result.patient], now, tests=())[result.patient_id]
    judged = draws.judge(known, day.order_by("analyte__position", "test_name", "pk"))
    same = next(each for each in draws.blood_tests(judged) if result.pk in {one.result.pk for one in each})
    rows: list[LabResult] = [each.result for each in same]  # type: ignore[misc]  # models here
    graded = _grades(known, rows) if for_clinic else {}
    timed = result.analyte.timing_matters
    alike = [each for each in same if each.result.analyte.timing_matters is timed]
    others = [Line(row) for row in rows if row.pk != result.pk]
    changed = changes([result], viewer).get(result.pk, "")
    return OneResult(Line(result, graded.get(result.pk), changed), draws.drawings(alike, viewer)[0], others)


def _keys(results: LabResultQuerySet) -> list[Key]:
    moments = results.order_by("-drawn_on", F("drawn_at").desc(nulls_last=True)).values_list("drawn_on", "drawn_at")
    return [Key(on, at) for on, at in moments.distinct()[: PAGE + 1]]


def _whole_days(keys: Sequence[Key]) -> Sequence[Key]:
    """The keys of a page, cut between two days: what has no time may belong to a time of its day."""
    end = min(PAGE, len(keys))
    while 0 < end < len(keys) and keys[end - 1].on == keys[end].on:
        end -= 1
    return keys[: end or PAGE]


def _results(standing: LabResultQuerySet, keys: Sequence[Key]) -> list[LabResult]:
    if not keys:
        return []
    wanted = {(key.on, key.at) for key in keys}
    rows = standing.filter(drawn_on__gte=keys[-1].on, drawn_on__lte=keys[0].on).with_facts()
    ordered = rows.order_by("analyte__position", "test_name", "pk")
    return [result for result in ordered if (result.drawn_on, result.drawn_at) in wanted]


def _grades(known: Facts, results: Sequence[LabResult]) -> dict[int, safety.Row]:
    courses = known.courses()
    tests = [result for result in results if not result.analyte.timing_matters and result.analyte.code != OTHER]
    before = LabResult.objects.standing().of(known.patient).filter(analyte__timing_matters=False)
    if courses:
        before = before.filter(drawn_on__lt=min(course.first_on for course in courses))
    return safety.graded([*tests, *newest_of_each_test(before)], courses)


def changes(results: Sequence[LabResult], viewer: User) -> dict[int, str]:
    """Who last changed a value that somebody else had entered, in words, by the result's key. At most one statement."""
    corrected = {result.pk: result for result in results if result.status == LabResult.Status.CORRECTED}
    if not corrected:
        return {}
    rows = LabResult.history.filter(id__in=corrected, history_type="~", history_user__isnull=False, voided_at=None)
    versions = rows.select_related("history_user").order_by("history_date", "history_id")
    last = {version.id: version for version in versions}
    others = {pk: row for pk, row in last.items() if row.history_user_id != corrected[pk].entered_by_id}
    return {pk: words.changed_by(corrected[pk], row, viewer.pk) for pk, row in others.items()}


def _in_row(drawing: Drawing, changed: Mapping[int, str]) -> list[str]:
    rows = [each.result for each in drawing.judged if each.result.analyte.code in IN_COLUMNS]
    return [f"{words.name(row)}: {changed[row.pk]}" for row in rows if row.pk in changed]


def _groups(drawing: Drawing, graded: Mapping[int, safety.Row], changed: Mapping[int, str]) -> list[LineGroup]:
    others = [each.result for each in drawing.judged if each.result.analyte.code not in IN_COLUMNS]
    ordered = sorted(others, key=lambda result: result.analyte.position)  # type: ignore[union-attr]
    grouped = groupby(ordered, key=lambda result: result.analyte.group)  # type: ignore[union-attr]
    return [LineGroup(words.group(code), [_line(each, graded, changed) for each in found]) for code, found in grouped]


def _line(result: Result, graded: Mapping[int, safety.Row], changed: Mapping[int, str]) -> Line:
    return Line(result, graded.get(result.pk), changed.get(result.pk, ""))  # type: ignore[arg-type]  # models here


def _errors(patient: Patient) -> list[Line]:
    rows = LabResult.objects.of(patient).filter(voided_at__isnull=False).with_facts()
    return [Line(result) for result in rows.order_by("-drawn_on", "-pk")[:MOST_ERRORS]]
