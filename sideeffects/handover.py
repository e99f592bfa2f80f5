"""What a patient reads to the person who answers the telephone, and what was saved, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from cycles.models import Cycle, Injection
from il2tracker import ui
from il2tracker.accounts.models import User
from il2tracker.alerts.models import Alert
from sideeffects.facts import FLU_LIKE
from sideeffects.models import CheckIn, Symptom
from sideeffects.triage import EMERGENCY_SIGNS
from sideeffects.units import Pressure, Weight


def flag_words(check_in: CheckIn) -> list[str]:
    """The red flags that were ticked, in the words of the form."""
    return list(Symptom.objects.filter(code__in=check_in.flags).values_list("word", flat=True))


def symptom_words(check_in: CheckIn) -> list[str]:
    """ "Tired (moderate)", the worst first; without those that were said to be absent."""
    return [
        f"{report.symptom.word} ({str(report.get_severity_display()).lower()})"
        for report in check_in.reports.all()
        if report.severity
    ]


def temperature_words(check_in: CheckIn) -> str:
    """ "38.6 °C; fever medicine in the last 6 hours: no", or nothing when it was not measured."""
    if check_in.reading is None:
        return ""
    medicine = check_in.get_medicine_display() or _("not answered")
    words = {"reading": check_in.reading, "medicine": medicine.lower()}
    return _("%(reading)s; fever medicine in the last 6 hours: %(medicine)s") % words


def measured_words(check_in: CheckIn) -> str:
    """ "72.5 kg, 120/80 mmHg, bowel movements in 24 hours: 3", or nothing."""
    return ", ".join(measured(check_in.weighed, check_in.pressure, check_in.stools))


def measured(weight: Weight | None, pressure: Pressure | None, stools: int | None) -> list[str]:
    """ "72.5 kg", "120/80 mmHg", "bowel movements in 24 hours: 3"; what was not measured is not there."""
    found = [str(part) for part in (weight, pressure) if part is not None]
    return found if stools is None else [*found, _("bowel movements in 24 hours: %(n)s") % {"n": stools}]


def saved_words(check_in: CheckIn, viewer: User) -> str:
    """One sentence that names what was saved, for the status message."""
    parts = flag_words(check_in)
    parts += [str(check_in.reading)] if check_in.reading else []
    parts += symptom_words(check_in)
    parts += [_("no other symptoms")] if check_in.no_symptoms else []
    parts += [measured_words(check_in)] if measured_words(check_in) else []
    parts += [_("a note")] if check_in.note else []
    what = ", ".join(part[:1].lower() + part[1:] for part in parts) or _("none of the urgent signs")
    return _("Saved at %(time)s: %(what)s.") % {"time": ui.clock(check_in.local_felt_at, viewer), "what": what}


def saved_already_words(check_in: CheckIn, viewer: User) -> str:
    """What a second attempt with the same answers is told."""
    time = ui.clock(check_in.local_felt_at, viewer)
    return _("This check-in was saved already, at %(time)s. Nothing was added.") % {"time": time}


def is_feverish(check_in: CheckIn) -> bool:
    """Whether the words about fever belong on the page: a reading, or flu-like signs."""
    return check_in.reading is not None or any(r.symptom.code in FLU_LIKE for r in check_in.reports.all())


def treatment_words(check_in: CheckIn, now: datetime, viewer: User) -> str:
    """Which plan, which day of which course, the last injection: two statements."""
    patient = check_in.patient
    cycle = Cycle.objects.of(patient).current(patient.today(now)).select_related("plan__protocol").first()
    parts = [cycle.plan.protocol.name] if cycle else [_("No plan in this diary")]
    day = cycle.day_on(patient.today(now)) if cycle else None
    if cycle and day:
        numbers = {"number": cycle.number, "day": day, "length": cycle.length}
        parts.append(_("Course %(number)s, day %(day)s of %(length)s") % numbers)
    last = Injection.objects.given().of(patient).filter(given_at__lte=now).order_by("-given_at").first()
    parts.append(_last_injection(last, viewer) if last else _("No injection recorded"))
    return ". ".join(parts) + "."


def _last_injection(injection: Injection, viewer: User) -> str:
    at = injection.local_given_at
    assert at is not None
    words = {"amount": ui.miu(injection.amount), "day": ui.long_day(at), "time": ui.clock(at, viewer)}
    return _("Last injection %(amount)s, %(day)s, %(time)s") % words


def kind_of_urgency(check_in: CheckIn, alerts: Iterable[Alert]) -> str:
    """Which instruction heads the page: "emergency", "crisis" (R7), "today" (low mood alone, B74) or "now"."""
    alerts = list(alerts)
    if any(alert.tier == Alert.Tier.EMERGENCY for alert in alerts):
        return "crisis" if EMERGENCY_SIGNS & set(check_in.flags) == {"suicidal"} else "emergency"
    return "today" if {alert.rule for alert in alerts} == {"T12"} else "now"
