"""Everything that a trend rests on, loaded for one patient or for a whole list in the same number of statements."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery, Sum
from django.utils.translation import gettext as _

from cycles import advice, schedule
from cycles.advice import CourseDose
from cycles.models import Cycle, Injection, Plan, PlannedDose, PlanVersion
from cycles.protocols import Indication
from il2tracker.accounts.models import Patient
from labs import kept, trends, words
from labs.charts import Course
from labs.kept import Result
from labs.models import Analyte, LabResult, LabResultQuerySet
from labs.trends import BY_DAY, DoseRecord, Draw, EarlierIL2, GivenDose, Judgement, Point, Series, UnloggedDose
from labs.units import UNITS, figure

CD4, CD4_PERCENT, VIRAL_LOAD = "cd4", "cd4_percent", "hiv_rna"
SERIES = (CD4, VIRAL_LOAD)  # the tests that are drawn over time
TIMED = (CD4, CD4_PERCENT, "cd4_cd8_ratio", VIRAL_LOAD)  # the tests that IL-2 makes unreliable for a month (2.3)
NEVER_TIMED = DoseRecord((), applies=False)
LOGARITHMS = {unit.code for unit in UNITS.values() if unit.power_of_ten}
LIMITS = {"<=": "<", ">=": ">"}  # "at most 20" is a limit like "less than 20"


@dataclass
class Facts:
    """One patient's results, injections and courses. Nothing in it may change after it was loaded."""

    patient: Patient
    today: date
    results: list[Result] = field(default_factory=list)
    doses: list[GivenDose] = field(default_factory=list)
    amounts: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    last_given: dict[int, date] = field(default_factory=dict)
    unlogged: list[UnloggedDose] = field(default_factory=list)
    open_cycles: dict[int, date] = field(default_factory=dict)
    cycles: list[Cycle] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    @property
    def plan(self) -> PlanVersion | None:
        """What the active plan says now."""
        active = [plan for plan in self.plans if plan.ended_on is None]
        return active[0].current_version if active else None

    @property
    def on_hiv_plan(self) -> bool:
        """Whether there is or was a plan for HIV: beside a gain stands what the trials found (3.1)."""
        return any(plan.current_version.indication == Indication.HIV for plan in self.plans)

    @property
    def dose_since(self) -> date | None:
        """Start of the first course for HIV at the present daily dose and route; None before there was one (D8)."""
        started = [c for c in self.cycles if c.has_started(self.today) and c.version.indication == Indication.HIV]
        return advice.dose_since(CourseDose(c.starts_on, c.version.route, planned_daily(c)) for c in started)

    @cached_property
    def baseline(self) -> Decimal | None:
        """The newest CD4+ count from before any injection, in cells per mm³, if it is a number."""
        before = trends.trend(self.series(CD4)).before_first
        return before.value if before and before.counted else None

    @property
    def goal(self) -> Decimal | None:
        """The count that the active plan wants to be exceeded (D5, M6); None without one, or without its baseline."""
        plan = self.plan
        if plan is None or plan.cd4_goal is None:
            return None
        baseline = self.baseline if plan.goal_kind != PlanVersion.GoalKind.ABOVE else None
        return advice.effective_goal(plan.goal_kind, plan.cd4_goal, baseline)

    def ends_of(self, judgement: Judgement) -> date | None:
        """Planned last day of the running course in which the last injection of a verdict was; None when it is over."""
        last = judgement.last_dose_on or date.min
        running = (c for c in self.cycles if c.is_running(self.today) and c.version.timing_matters)
        return max((cycle.last_dose_on for cycle in running if cycle.starts_on <= last), default=None)

    @cached_property
    def record(self) -> DoseRecord:
        """What draws are judged against."""
        applies = self.timing_matters or any(dose.timing for dose in self.doses)
        return DoseRecord(self.doses, self.unlogged, earlier=self._earlier, applies=applies)

    @property
    def timing_matters(self) -> bool:
        """Whether any plan says that injections make these tests unreliable; also without a plan."""
        versions = [plan.current_version for plan in self.plans]
        return not versions or any(version.timing_matters for version in versions)

    @property
    def _earlier(self) -> EarlierIL2:
        known = self.patient.earlier_il2 != Patient.EarlierIL2.UNKNOWN
        return EarlierIL2(known=known, last_on=self.patient.earlier_il2_on)

    def judged(self) -> list[tuple[Result, Judgement]]:
        """Every standing result that was loaded with its verdict, oldest first."""
        return self._judged

    @cached_property
    def _judged(self) -> list[tuple[Result, Judgement]]:
        return [(result, self.verdict(result)) for result in self.results]

    def verdict(self, result: Result) -> Judgement:
        """Verdict on one result of this patient. One that timing matters for does not count until it is final."""
        key = (result.analyte.timing_matters, result.drawn_on, result.drawn_at)
        if key not in self._said:
            self._said[key] = (self.record if key[0] else NEVER_TIMED).judge(draw_of(result))
        early = key[0] and result.status == LabResult.Status.PRELIMINARY
        return trends.until_final(self._said[key]) if early else self._said[key]

    @cached_property
    def _said(self) -> dict[tuple[bool, date, datetime | None], Judgement]:
        return {}

    def series(self, code: str) -> Series:
        """The points of one test, oldest first, without words; results in words and in unknown units are none."""
        return self._series.get(code) or Series()

    def since(self, code: str, first_on: date) -> Series:
        """The points of one test from that day on."""
        points = self.series(code)
        return Series(points[bisect_left(points, first_on, key=BY_DAY) :])

    @cached_property
    def _series(self) -> dict[str, Series]:
        found: dict[str, Series] = defaultdict(Series)
        for result, judgement in self._judged:
            point = point_of(result, judgement)
            if is_drawable(result, point):
                found[result.analyte.code].append(point)
        return found

    def label(self, point: Point | None) -> str:
        """A point of a series in words; "" for none."""
        if point is None:
            return ""
        return words.short(next(result for result in reversed(self.results) if result.ref == point.key))

    def undrawn(self, code: str) -> int:
        """How many results of a test cannot be drawn: they are words, or their unit is not known."""
        return sum(result.analyte.code == code for result in self.results) - len(self.series(code))

    def courses(self) -> list[Course]:
        """The courses that took place or are running, for drawing, oldest first."""
        return self._courses

    @cached_property
    def _courses(self) -> list[Course]:
        started = [cycle for cycle in self.cycles if cycle.starts_on <= self.today]
        return [course for course in map(self._course, started) if course]

    def _course(self, cycle: Cycle) -> Course | None:
        counted = [day for day in (self.last_given.get(cycle.pk), self.open_cycles.get(cycle.pk)) if day]
        running = cycle.is_running(self.today)
        if not counted and not running:
            return None
        last_on = cycle.last_dose_on if running else max(counted)
        until = schedule.reliable_from(last_on) - timedelta(days=1) if cycle.version.timing_matters else last_on
        note, amount = self._note(cycle, running=running), self.amounts.get(cycle.pk, Decimal(0))
        return Course(cycle.number, cycle.starts_on, last_on, until, note, amount)

    def _note(self, cycle: Cycle, *, running: bool) -> str:
        amount = figure(self.amounts[cycle.pk])
        return _("%(amount)s so far") % {"amount": amount} if running else _("%(amount)s million") % {"amount": amount}


def planned_daily(cycle: Cycle) -> Decimal | None:
    """The most of one day of a loaded course, MIU: of its own doses, since an earlier course may have had others."""
    planned: Decimal | None = cycle.planned_daily  # type: ignore[attr-defined]
    return cycle.version.regimen.daily_total(cycle.number) if planned is None else planned.quantize(Decimal("0.001"))


def draw_of(result: Result) -> Draw:
    """When blood was taken, for judging."""
    return Draw(result.drawn_on, result.drawn_at)


def point_of(result: Result, judgement: Judgement, label: str = "") -> Point:
    """A result as a point of a series, in its test's own unit."""
    comparator = LIMITS.get(result.comparator, result.comparator)
    log10 = result.value if result.unit in LOGARITHMS else None
    return Point(result.drawn_on, result.own_value, comparator, judgement, result.ref, label, log10)


def is_drawable(result: Result, point: Point) -> bool:
    """Whether it has a place on an axis: not a result in words, nor one in a unit that is not known."""
    return point.value is not None or (result.value is None and result.detected is False)


def load(patients: Collection[Patient], now: datetime, tests: Collection[str] | None = None) -> dict[int, Facts]:
    """Facts by the patient's primary key: six statements, however many patients.

    `tests` are the codes of the tests that are wanted, as light rows (labs.kept); None = every result as its model.
    """
    facts = {patient.pk: Facts(patient, patient.today(now)) for patient in patients}
    standing = LabResult.objects.standing().filter(patient__in=facts)
    found = _models(standing) if tests is None else kept.rows(standing.of_tests(*tests), kept.NARROW)
    for result in found:
        facts[result.patient_id].results.append(result)
    _load_plans(facts)
    for owner, cycle_id, dose, amount in _given(facts):
        facts[owner].doses.append(dose)
        if cycle_id is not None:
            facts[owner].amounts[cycle_id] += amount
            facts[owner].last_given[cycle_id] = max(dose.on, facts[owner].last_given.get(cycle_id, dose.on))
    for owner, cycle_id, unlogged in _unlogged(facts, now):
        facts[owner].unlogged.append(unlogged)
        facts[owner].open_cycles[cycle_id] = max(unlogged.on, facts[owner].open_cycles.get(cycle_id, unlogged.on))
    return facts


def _models(standing: LabResultQuerySet) -> Iterator[LabResult]:
    tests: dict[int, Analyte] = {}
    rows = standing.select_related("analyte", "entered_by")
    for result in rows.order_by("drawn_on", "drawn_at", "analyte__position", "pk"):
        result.analyte = tests.setdefault(result.analyte_id, result.analyte)  # one rule for all, read once
        yield result


def _load_plans(facts: dict[int, Facts]) -> None:
    versions: dict[int, PlanVersion] = {}
    for plan in Plan.objects.filter(patient__in=facts).prefetch_related("versions").order_by("pk"):
        facts[plan.patient_id].plans.append(plan)
        versions |= {version.pk: version for version in plan.versions.all()}
    a_day = PlannedDose.objects.filter(cycle=OuterRef("pk")).order_by().values("due_on").annotate(total=Sum("amount"))
    most = Subquery(a_day.order_by("-total").values("total")[:1])
    cycles = Cycle.objects.filter(patient__in=facts).annotate(planned_daily=most)
    for cycle in cycles.order_by("starts_on"):
        cycle.version = versions[cycle.version_id]  # one version for all its courses, its document read once
        facts[cycle.patient_id].cycles.append(cycle)


CYCLE = "planned_dose__cycle__"


def _given(facts: dict[int, Facts]) -> Iterator[tuple[int, int | None, GivenDose, Decimal]]:
    rows = Injection.objects.given().filter(patient__in=facts).values_list(
        "patient_id", "given_at", "zone", "amount", CYCLE + "pk", CYCLE + "number", CYCLE + "plan_id",
        CYCLE + "version__timing_matters",
    )  # fmt: skip
    for owner, at, zone, amount, cycle_id, number, plan_id, timing in rows:
        on = at.astimezone(ZoneInfo(zone)).date()
        matters = facts[owner].timing_matters if timing is None else timing
        yield owner, cycle_id, GivenDose(on, at, number, matters, plan_id or 0), amount


def _unlogged(facts: dict[int, Facts], now: datetime) -> Iterator[tuple[int, int, UnloggedDose]]:
    rows = PlannedDose.objects.counting().unlogged().filter(patient__in=facts, due_at__lt=now).values_list(
        "patient_id", "due_on", "due_at", "cycle_id", "cycle__number", "cycle__plan_id",
        "cycle__version__timing_matters",
    )  # fmt: skip
    for owner, on, at, cycle_id, number, plan_id, timing in rows:
        yield owner, cycle_id, UnloggedDose(on, at, number, timing, plan_id)
