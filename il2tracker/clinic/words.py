"""Short words of the clinician's pages: plans, courses and what comes next."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles.days import CourseDays
from cycles.models import Cycle, PlanVersion
from cycles.protocols import Indication
from il2tracker import ui
from il2tracker.accounts.models import Patient


def initials(patient: Patient) -> str:
    """ "A. M., 52": the list stands on screens that others may see."""
    return " ".join(f"{part[0]}." for part in patient.name.split())


def age(patient: Patient, today: date) -> str:
    """Age in years as the year of birth allows; empty when it is not known."""
    return str(today.year - patient.birth_year) if patient.birth_year else ""


def plan(version: PlanVersion, number: int = 1) -> str:
    """ "5 days, 8 weeks"; courses longer than a week by their cycle: "kidney, 5 weeks"."""
    phase = version.regimen.phase(number)
    weeks = ngettext("%(n)s week", "%(n)s weeks", -(-phase.cycle_days // 7)) % {"n": -(-phase.cycle_days // 7)}
    days = len({dose.offset for dose in phase.doses})
    if phase.last_offset >= 7:
        kinds = {str(Indication.HIV): "HIV", str(Indication.KIDNEY): _("kidney")}
        kind = kinds.get(version.indication, _("other"))
        return f"{kind}, {weeks}"
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days} + f", {weeks}"


def course(current: Cycle | None, coming: Cycle | None, today: date) -> str:
    """Course and day: "3, day 4 of 5", "2, week 2 of 5", "3, ended 22 Nov", "4, in 9 days"."""
    if current is None:
        return f"{coming.number}, {ui.ago(coming.starts_on, today)}" if coming else ""
    state = _stopped(current) if current.stopped_on or not current.is_running(today) else _running(current, today)
    return f"{current.number}, {state}"


def _running(cycle: Cycle, today: date) -> str:
    day = (today - cycle.starts_on).days + 1
    if cycle.length > 7:
        weeks = -(-(cycle.next_starts_on - cycle.starts_on).days // 7)
        return _("week %(week)s of %(weeks)s") % {"week": (day - 1) // 7 + 1, "weeks": weeks}
    return _("day %(day)s of %(days)s") % {"day": day, "days": cycle.length}


def _stopped(cycle: Cycle) -> str:
    if cycle.state == Cycle.State.HELD:
        return _("on hold")
    if cycle.stopped_on:
        return _("stopped %(day)s") % {"day": date_format(cycle.stopped_on, "j M")}
    return _("ended %(day)s") % {"day": date_format(cycle.last_dose_on, "j M")}


def next_dose(due_at: datetime, patient: Patient, today: date, clock: str) -> tuple[str, str]:
    """("10pm", "injection") today, ("Mon 23 Nov", "injection, 10pm") on another day, on the patient's clock."""
    local = due_at.astimezone(patient.zone)
    hour = ui.clock(local, clock)
    if local.date() == today:
        return hour, _("injection")
    return ui.short_day(local), _("injection, %(time)s") % {"time": hour}


def hour(moment: datetime | time, clock: str) -> str:
    """The time in a narrow cell whose row says which half of the day it is: "10:05" for 22:05, or "22:05"."""
    hours = moment.hour if clock == "24" else moment.hour % 12 or 12
    return f"{hours}:{moment.minute:02}"


def due(course: CourseDays, now: datetime) -> tuple[int, int]:
    """How many of the injections that were due, or are recorded already, are recorded."""
    slots = [slot for slot in course.slots if slot.is_recorded or slot.dose.due_at <= now]
    return sum(slot.is_recorded for slot in slots), len(slots)


def recorded(course: CourseDays, now: datetime) -> str:
    """ "7 of 8 due recorded"."""
    if course.cycle.entered_later:
        return _("from before this diary")
    done, wanted = due(course, now)
    return _("%(done)s of %(due)s due recorded") % {"done": done, "due": wanted}


def prescription(version: PlanVersion, number: int = 1) -> str:
    """The whole plan in a line: "7.5 million units (MIU), under the skin, twice a day, 5 days every 8 weeks"."""
    phase = version.regimen.phase(number)
    amounts = sorted({dose.amount for dose in phase.doses if dose.amount is not None})
    amount = ui.miu(amounts[0])
    if len(amounts) > 1:
        amount = _("%(low)s to %(high)s") % {"low": ui.number(amounts[0]), "high": ui.miu(amounts[-1])}
    facts = {
        "amount": amount,
        "route": version.get_route_display(),
        "often": {1: _("once a day"), 2: _("twice a day")}.get(phase.doses_a_day, f"{phase.doses_a_day} ×"),
        "days": len({dose.offset for dose in phase.doses}),
        "weeks": -(-phase.cycle_days // 7),
    }
    return _("%(amount)s (MIU), %(route)s, %(often)s, %(days)s days every %(weeks)s weeks") % facts
