"""What suggestions rest on, for one patient or a whole clinic in the same number of statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Q

from cycles import advice, intervals
from cycles.models import AdviceDecision, Cycle, Hold, Injection, Plan, PlanVersion
from cycles.reasons import NotTaken
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from il2tracker.alerts.models import Alert
from labs import facts, loads, trends
from labs.facts import CD4, VIRAL_LOAD, Facts
from labs.kept import Result
from labs.trends import Judgement, Point
from labs.units import is_upper_limit
from sideeffects.models import SymptomReport

AFTERWARDS = timedelta(days=2)  # app's own: so long after its last injection a sign still belongs to a course
HIGH_LOAD = Decimal(1000)  # copies/mL, app's own after P16: the source calls no number high (P20)
SYMPTOM_HOLDS = (Hold.Kind.SYMPTOM, Hold.Kind.FATIGUE)


@dataclass(frozen=True)
class Switches:
    """Which suggestions the viewer's clinics show about a patient; off unless a clinic turned them on (X8)."""

    dose: bool
    interval: bool
    sustained: int

    def shows(self, rule: str) -> bool:
        """Whether the rule of this name is on."""
        return {advice.DOSE.id: self.dose, intervals.INTERVAL.id: self.interval}[rule]


@dataclass(frozen=True)
class Severe:
    """A symptom that the patient called severe, and its civil day."""

    on: date
    word: str


@dataclass
class Known:
    """One patient: results and injections, the active plan as it will apply next, holds, reports, decisions."""

    record: Facts
    switches: Switches
    version: PlanVersion
    holds: list[Hold] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    severe: list[Severe] = field(default_factory=list)
    too_ill: set[int] = field(default_factory=set)
    decisions: list[AdviceDecision] = field(default_factory=list)

    @property
    def patient(self) -> Patient:
        """Whom it is about."""
        return self.record.patient

    @property
    def plan(self) -> Plan:
        """The active plan, with its protocol."""
        return self.version.plan

    @property
    def running(self) -> bool:
        """Whether today is a day of a course."""
        return any(cycle.is_running(self.record.today) for cycle in self.record.cycles)

    @property
    def coming(self) -> Cycle | None:
        """The plan's next course."""
        mine = (cycle for cycle in self.record.cycles if cycle.plan_id == self.plan.pk)
        rest = (cycle for cycle in mine if cycle.state != Cycle.State.CANCELLED and cycle.starts_on > self.record.today)
        return min(rest, key=lambda cycle: cycle.starts_on, default=None)

    @property
    def given(self) -> list[Cycle]:
        """The courses of which at least one injection is recorded, oldest first (A15)."""
        return [cycle for cycle in self.record.cycles if cycle.pk in self.record.last_given]

    @property
    def last_given(self) -> Cycle | None:
        """The course of the active plan that was given last."""
        return next((cycle for cycle in reversed(self.given) if cycle.plan_id == self.plan.pk), None)

    @property
    def open_holds(self) -> list[Hold]:
        """Holds that nobody has lifted."""
        return [hold for hold in self.holds if hold.is_open]

    @property
    def open_alerts(self) -> list[Alert]:
        """Alerts that nobody has closed and that hold back injections, or are red."""
        return [alert for alert in self.alerts if alert.closed_at is None]

    @property
    def on_hold(self) -> list[Cycle]:
        """Courses that somebody put on hold."""
        return [cycle for cycle in self.record.cycles if cycle.state == Cycle.State.HELD]

    @property
    def load_rises(self) -> bool:
        """Whether the newest viral load is higher than noise explains (P67)."""
        return loads.is_rising(self.series(VIRAL_LOAD))

    @property
    def load_is_back(self) -> bool:
        """Whether the newest viral load that counts was found and one before it was not: a rise of any size (P20)."""
        found = [_is_found(point) for point in self.loads]
        return bool(found) and found[-1] and not all(found)

    @property
    def load_is_high(self) -> bool:
        """Whether the newest viral load that counts is high (P20, P67)."""
        newest = self.loads[-1] if self.loads else None
        return newest is not None and _is_found(newest) and (newest.value or 0) >= HIGH_LOAD

    @property
    def loads(self) -> list[Point]:
        """The viral loads that count, oldest first."""
        return trends.reliable(self.series(VIRAL_LOAD))

    @property
    def held(self) -> bool:
        """Whether something is held, or the viral load is high or rises: then nothing is suggested (2.6, first row)."""
        load = self.load_rises or self.load_is_back or self.load_is_high
        return bool(self.open_holds or self.open_alerts or self.on_hold or load)

    def series(self, code: str = CD4) -> list[Point]:
        """The results of one test with their verdicts."""
        return self.record.series(code)

    @cached_property
    def judged(self) -> list[tuple[Result, Judgement]]:
        """Every standing result with its verdict, oldest first."""
        return self.record.judged()

    def during(self, cycle: Cycle) -> tuple[date, date]:
        """First and last civil day on which a sign belongs to a course."""
        last = self.record.last_given.get(cycle.pk, cycle.last_dose_on)
        return cycle.starts_on, max(last, cycle.starts_on) + AFTERWARDS

    def stopped_for_a_symptom(self, cycle: Cycle) -> bool:
        """Whether a course that was stopped had been held for one, or an injection left out for feeling too ill."""
        held = any(hold.cycle_id == cycle.pk and hold.kind in SYMPTOM_HOLDS for hold in self.holds)
        return cycle.state == Cycle.State.STOPPED_EARLY and (held or cycle.pk in self.too_ill)


def _is_found(point: Point) -> bool:
    return point.value is not None and not is_upper_limit(point.comparator)


def clinics_of(viewer: User) -> list[Clinic]:
    """The clinics in which somebody works, with what each has turned on."""
    return list(Clinic.objects.filter(memberships__user=viewer).order_by("name"))


def switches(viewer: User) -> dict[int, Switches]:
    """By the patient's primary key; only patients of the viewer's clinics that turned something on. One statement."""
    on = Q(clinic__suggests_dose_steps=True) | Q(clinic__suggests_intervals=True)
    shared = Sharing.objects.open().filter(on, clinic__memberships__user=viewer).exclude(patient__user=viewer)
    found: dict[int, Switches] = {}
    columns = ("patient", "clinic__suggests_dose_steps", "clinic__suggests_intervals", "clinic__sustained_gaps")
    for patient, dose, interval, sustained in shared.values_list(*columns):
        other = found.get(patient, Switches(dose=False, interval=False, sustained=0))
        longer = max(sustained, other.sustained) if interval else other.sustained
        found[patient] = Switches(dose or other.dose, interval or other.interval, longer)
    return found


def gather(
    patients: Collection[Patient],
    on: dict[int, Switches],
    now: datetime,
    *,
    loaded: dict[int, Facts] | None = None,
) -> list[Known]:
    """Facts about those of the patients who have an active plan, in the same number of statements for all of them.

    `loaded` are results and injections that are there already.
    """
    versions = _newest_versions(patients)
    loaded = loaded or facts.load([patient for patient in patients if patient.pk in versions], now, facts.TIMED)
    known = {pk: Known(loaded[pk], on[pk], version) for pk, version in versions.items()}
    for hold in Hold.objects.filter(patient__in=known).filter(Q(lifted_at=None) | Q(kind__in=SYMPTOM_HOLDS)):
        known[hold.patient_id].holds.append(hold)
    _add_reports(known)
    for decision in AdviceDecision.objects.filter(patient__in=known).select_related("decided_by"):
        known[decision.patient_id].decisions.append(decision)
    return list(known.values())


def _newest_versions(patients: Collection[Patient]) -> dict[int, PlanVersion]:
    rows = PlanVersion.objects.filter(plan__patient__in=patients, plan__ended_on=None)
    return {row.plan.patient_id: row for row in rows.select_related("plan__protocol").order_by("number")}


def _add_reports(known: dict[int, Known]) -> None:
    """Red alerts, severe symptoms and injections left out for illness, of the course that was given last."""
    courses = {pk: each.last_given for pk, each in known.items()}
    days = {pk: known[pk].during(course) for pk, course in courses.items() if course}
    since = min((first for first, _last in days.values()), default=date.max - AFTERWARDS) - AFTERWARDS
    urgent = Q(tier__in=Alert.URGENT, raised_at__date__gte=since)
    waiting = Q(closed_at=None) & (Q(holds=True) | Q(tier__in=Alert.URGENT))
    for alert in Alert.objects.filter(urgent | waiting, patient__in=known).order_by("raised_at"):
        known[alert.patient_id].alerts.append(alert)
    for owner, at, zone, word in _severe_since(since, known):
        on = at.astimezone(ZoneInfo(zone)).date()
        first, last = days.get(owner, (date.max, date.min))
        if first <= on <= last:
            known[owner].severe.append(Severe(on, word))
    skipped = Injection.objects.standing().filter(patient__in=known, state=Injection.State.SKIPPED, reason=NotTaken.ILL)
    for owner, cycle in skipped.values_list("patient", "planned_dose__cycle"):
        known[owner].too_ill.add(cycle)


def _severe_since(since: date, known: dict[int, Known]) -> Collection[tuple[int, datetime, str, str]]:
    severe = SymptomReport.objects.filter(severity=SymptomReport.Severity.SEVERE, check_in__patient__in=known)
    rows = severe.filter(check_in__felt_at__date__gte=since).order_by("check_in__felt_at", "symptom__position")
    return rows.values_list("check_in__patient", "check_in__felt_at", "check_in__zone", "symptom__word")
