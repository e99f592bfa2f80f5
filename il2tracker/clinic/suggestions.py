"""What the published rules say about a patient now. For clinicians only; nothing here changes a plan.

A suggestion is computed whenever it is read. Its digest covers every result, every injection and the version of the
plan: a decision counts as long as none of them has changed (decisions.md 4).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cycles import advice, intervals, schedule
from cycles.advice import CourseFelt, DoseFinding, Rule
from cycles.intervals import IntervalFinding, Situation
from cycles.models import AdviceDecision, Cycle
from cycles.protocols import Indication, Route
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.clinic import suggestion_facts
from il2tracker.clinic.suggestion_facts import Known, Switches
from labs import trends
from labs.facts import CD4, Facts, planned_daily

RULES: tuple[Rule, ...] = (advice.DOSE, intervals.INTERVAL)
PUT_OFF = timedelta(days=7)
NEVER = date.max
AFTER, FROM = "after", "from"  # D7: where a longer interval begins, seen from the coming course

Decision = AdviceDecision.Decision


@dataclass(frozen=True)
class Suggestion:
    """The answer of one rule about one patient, and the decision that stands for just these inputs."""

    known: Known
    finding: DoseFinding | IntervalFinding
    digest: str
    decision: AdviceDecision | None

    @property
    def rule(self) -> Rule:
        """Which rule it is."""
        return self.finding.rule

    @property
    def is_open(self) -> bool:
        """Whether somebody has to decide: the rule asks, and nobody has, or only until a day that has come."""
        return self.finding.asks and (self.decision is None or self._waited_long_enough)

    @property
    def _waited_long_enough(self) -> bool:
        until = self.decision.later_until if self.decision else None
        return until is not None and until <= self.known.record.today

    @property
    def due_on(self) -> date:
        """First day of the next course: the list is in this order."""
        coming = self.known.coming
        return coming.starts_on if coming else NEVER

    @property
    def proposal(self) -> dict[str, Any]:
        """What the plan's editor is opened with."""
        finding = self.finding
        if isinstance(finding, IntervalFinding):
            return {"interval": finding.proposed} if finding.proposed else {}
        return {"daily": schedule.plain(finding.lower.daily)} if finding.lower else {}


def is_on(clinics: Collection[Clinic], rule: Rule) -> bool:
    """Whether one of these clinics shows what this rule says."""
    switch = {advice.DOSE.id: "suggests_dose_steps", intervals.INTERVAL.id: "suggests_intervals"}[rule.id]
    return any(getattr(clinic, switch) for clinic in clinics)


def of_patient(
    patient: Patient, viewer: User, now: datetime, *, loaded: dict[int, Facts] | None = None
) -> list[Suggestion]:
    """What every rule that the viewer's clinic has turned on says about a patient; [] when none is, or without plan."""
    on = suggestion_facts.switches(viewer)
    if patient.pk not in on:
        return []
    return [each for known in suggestion_facts.gather([patient], on, now, loaded=loaded) for each in _all(known)]


def waiting(viewer: User, now: datetime, among: Collection[int] | None = None) -> list[Suggestion]:
    """What waits for a decision in the viewer's clinics, the soonest next course first.

    `among`: primary keys of the patients that are asked about, where not all are.
    """
    on = suggestion_facts.switches(viewer)
    return _waiting(viewer, {pk: each for pk, each in on.items() if among is None or pk in among}, now)


def count(viewer: User, now: datetime) -> int | None:
    """How many wait; None, after one statement, where the viewer's clinics have turned nothing on."""
    on = suggestion_facts.switches(viewer)
    return len(_waiting(viewer, on, now)) if on else None


def _waiting(viewer: User, on: dict[int, Switches], now: datetime) -> list[Suggestion]:
    shown = list(Patient.objects.visible_to(viewer).filter(pk__in=on))
    found = [each for known in suggestion_facts.gather(shown, on, now) for each in _all(known) if each.is_open]
    return sorted(found, key=lambda each: (each.due_on, each.known.patient.code, each.rule.id))


def _all(known: Known) -> list[Suggestion]:
    findings: list[DoseFinding | IntervalFinding] = [dose(known), interval(known)]
    return [_suggestion(known, finding) for finding in findings if known.switches.shows(finding.rule.id)]


def _suggestion(known: Known, finding: DoseFinding | IntervalFinding) -> Suggestion:
    digest = advice.digest(finding.rule, _rests_on(known, finding))
    decided = [row for row in known.decisions if (row.rule, row.digest) == (finding.rule.id, digest)]
    newest = max(decided, key=lambda row: (row.decided_at, row.pk), default=None)
    return Suggestion(known, finding, digest, newest)


def _rests_on(known: Known, finding: DoseFinding | IntervalFinding) -> dict[str, Any]:
    """Everything whose change makes it another suggestion: results, injections, the plan, what was reported."""
    record = known.record
    results = [row for row, _judged in known.judged if row.analyte.timing_matters]
    return {
        "results": [[row.ref, row.own_value, row.comparator, row.drawn_on, row.drawn_at] for row in results],
        "doses": sorted(str((dose.on, dose.at, dose.plan, dose.course)) for dose in record.doses),
        "not recorded": sorted(str((dose.at, dose.plan, dose.course)) for dose in record.unlogged),
        "amounts": sorted((cycle, str(amount.normalize())) for cycle, amount in record.amounts.items()),
        "version": [known.version.plan_id, known.version.number],
        "reported": [[each.on, each.word] for each in known.severe] + [alert.ref for alert in known.alerts],
        "finding": repr(finding),
    }


# The dose


def dose(known: Known) -> DoseFinding:
    """DOSE-1 about the course that was given last (2.5, A87)."""
    last, coming = known.last_given, _next_phase(known)
    return advice.dose_finding(
        _felt(known, last) if last else None,
        step=known.plan.protocol.dose_step,
        next_daily=coming.daily_total() if coming else None,
        held=known.held,
        running=known.running,
    )


def _felt(known: Known, cycle: Cycle) -> CourseFelt:
    phase = cycle.version.regimen.phase(cycle.number)
    first, last = known.during(cycle)
    zone = known.patient.zone
    red = (alert.raised_at.astimezone(zone).date() for alert in known.alerts if alert.is_urgent)
    return CourseFelt(
        number=cycle.number,
        daily=planned_daily(cycle) if advice.is_even(phase) else None,
        doses_a_day=phase.doses_a_day,
        severe=bool(known.severe),
        stopped=known.stopped_for_a_symptom(cycle),
        urgent=any(first <= day <= last for day in red),
    )


def _next_phase(known: Known) -> schedule.Phase | None:
    """How the newest version goes on; None where it has no further course."""
    regimen, coming = known.version.regimen, known.coming
    number = max(coming.number if coming else 1, known.version.first_course)
    return regimen.phase(number) if regimen.courses is None or number <= regimen.courses else None


# The interval


def interval(known: Known) -> IntervalFinding:
    """INT-1 about the gap that is open now (2.6)."""
    readings = trends.between_courses(known.series(CD4))
    return intervals.interval_finding(_courses(known), readings, _situation(known))


def _situation(known: Known) -> Situation:
    version, protocol, coming = known.version, known.plan.protocol, _next_phase(known)
    covered = version.indication == Indication.HIV and version.route == Route.SUBCUTANEOUS and not version.inpatient
    return Situation(
        base=protocol.regimen.phase(1).cycle_days if covered else None,
        goal=known.record.goal,
        has_goal=version.cd4_goal is not None,
        next_interval=coming.cycle_days if coming else None,
        held=known.held,
        running=known.running,
        sustained=known.switches.sustained or intervals.SUSTAINED,
    )


def _courses(known: Known) -> Sequence[intervals.Course]:
    first: dict[tuple[int, int | None], date] = {}
    for given in sorted(known.record.doses, key=lambda each: each.on, reverse=True):
        first[given.plan, given.course] = given.on
    return [_course(known, cycle, first[cycle.plan_id, cycle.number]) for cycle in known.given]


def _course(known: Known, cycle: Cycle, first_dose_on: date) -> intervals.Course:
    version = cycle.version
    covered = version.indication == Indication.HIV and version.route == Route.SUBCUTANEOUS
    return intervals.Course(
        number=cycle.number,
        starts_on=cycle.starts_on,
        first_dose_on=first_dose_on,
        last_dose_on=known.record.last_given[cycle.pk],
        interval=version.regimen.phase(cycle.number).cycle_days if covered else 0,
        stopped_early=cycle.state == Cycle.State.STOPPED_EARLY,
    )
