"""One check-in as a summary that holds what a report to a medicines regulator asks for (K25). Nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from django.utils.translation import gettext as _

from cycles.models import Cycle, Injection, Medication
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from sideeffects import effects, handover
from sideeffects.asking import version_in_force
from sideeffects.models import CheckIn, Symptom

# App's own: injections before the entry, and later entries after it, that a reader needs to judge what led to what.
INJECTIONS_FOR = timedelta(days=14)
LATER_FOR = timedelta(days=14)


@dataclass(frozen=True)
class Reaction:
    """One sign: in the patient's words, how bad, since when, how it was later, and where the sources list it."""

    words: str
    how_bad: str
    since: date
    later: list[tuple[date, str]]
    listed: list[effects.Listed]


@dataclass(frozen=True)
class Report:
    """What the template reads; amounts and moments as they were entered."""

    check_in: CheckIn
    age: int | None
    plan: str
    route: str
    indication: str
    course: str
    hours_since: int | None
    first_ever: Injection | None
    injections: list[Injection]
    injections_after: int
    medicines: list[Medication]
    before_medicines: list[str]
    reactions: list[Reaction]
    temperature: str
    vitals: list[str]
    alerts: list[Alert]


def compose(check_in: CheckIn, now: datetime) -> Report:
    """The summary of one entry, as the record stands now."""
    patient, on = check_in.patient, check_in.felt_on
    version = version_in_force(patient, on)
    premedication = version.premedication if version else ""
    given = Injection.objects.given().of(patient).order_by("given_at")
    before = list(given.filter(given_at__range=(check_in.felt_at - INJECTIONS_FOR, check_in.felt_at)))
    hours = (check_in.felt_at - before[-1].given_at) // timedelta(hours=1) if before and before[-1].given_at else None
    return Report(
        check_in=check_in,
        age=on.year - patient.birth_year if patient.birth_year else None,
        plan=version.plan.protocol.name if version else "",
        route=str(version.get_route_display()) if version else "",
        indication=str(version.get_indication_display()) if version else "",
        course=_course(patient, on),
        hours_since=hours,
        first_ever=given.first(),
        injections=before,
        injections_after=given.filter(given_at__range=(check_in.felt_at, now)).count(),
        medicines=list(Medication.objects.of(patient).taken_on(on).filter(voided_at__isnull=True)),
        before_medicines=[line.strip() for line in premedication.splitlines() if line.strip()],
        reactions=_reactions(check_in),
        temperature=handover.temperature_words(check_in),
        vitals=handover.measured(check_in.weighed, check_in.pressure, check_in.stools),
        alerts=list(check_in.alerts.select_related("acknowledged_by").order_by("raised_at")),
    )


def _course(patient: Patient, on: date) -> str:
    cycle = Cycle.objects.of(patient).current(on).first()
    if cycle is None:
        return ""
    numbers = {"number": cycle.number, "day": (on - cycle.starts_on).days + 1}
    return _("Course %(number)s, day %(day)s from its first injection") % numbers


def _reactions(check_in: CheckIn) -> list[Reaction]:
    """Every sign that was reported, the red flags first, then the worst."""
    flags = [
        (flag, _("an urgent sign, asked as yes or no")) for flag in Symptom.objects.filter(code__in=check_in.flags)
    ]
    graded = [(one.symptom, str(one.get_severity_display())) for one in check_in.reports.all() if one.severity]
    around = _around(check_in)
    return [_reaction(symptom, how_bad, check_in, around) for symptom, how_bad in flags + graded]


def _around(check_in: CheckIn) -> list[CheckIn]:
    """The entries of the weeks before and after it, the oldest first."""
    first, last = check_in.felt_at - LATER_FOR, check_in.felt_at + LATER_FOR
    near = CheckIn.objects.of(check_in.patient).filter(felt_at__range=(first, last))
    return list(near.with_reports().order_by("felt_at", "pk"))


def _said(entry: CheckIn, code: str, *, as_flag: bool) -> str:
    """How bad it was in another entry; "" when nothing was said about it (H27)."""
    if code in entry.flags:
        return _("yes")
    for report in entry.reports.all():
        if report.symptom.code == code:
            return str(report.get_severity_display()).lower()
    return _("none") if (entry.none_of_flags if as_flag else entry.no_symptoms) else ""


def _reaction(symptom: Symptom, how_bad: str, check_in: CheckIn, around: list[CheckIn]) -> Reaction:
    as_flag = symptom.code in check_in.flags
    later = [entry for entry in around if entry.felt_at > check_in.felt_at]
    said = [(entry.felt_on, _said(entry, symptom.code, as_flag=as_flag)) for entry in later]
    since = _since(symptom.code, check_in, around)
    return Reaction(symptom.word, how_bad, since, [pair for pair in said if pair[1]], effects.naming(symptom.code))


def _since(code: str, check_in: CheckIn, around: list[CheckIn]) -> date:
    """The day of the first of the entries in a row, up to this one, that report it."""
    run = takewhile(
        lambda entry: _has(entry, code), [one for one in reversed(around) if one.felt_at < check_in.felt_at]
    )
    return min((entry.felt_on for entry in run), default=check_in.felt_on)


def _has(entry: CheckIn, code: str) -> bool:
    return code in entry.flags or any(r.symptom.code == code and r.severity for r in entry.reports.all())
