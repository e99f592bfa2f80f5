"""How Today says when something is."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from cycles.models import Cycle, PlannedDose
from il2tracker import ui

AFTERNOON, EVENING = 12, 17


def when(dose: PlannedDose, today: date, clock: str) -> str:
    """ "Tonight at 10pm", "This morning at 10am", "Last night at 10pm", "Monday 23 November 2026 at 10pm"."""
    hour = ui.hour(dose, clock)
    return _("%(day)s at %(time)s") % {"day": _day_words(dose.due_on, dose.local_time.hour, today), "time": hour}


def _day_words(on: date, hour: int, today: date) -> str:
    evening = hour >= EVENING
    away = (on - today).days
    if away == 0:
        return _("Tonight") if evening else _("This afternoon") if hour >= AFTERNOON else _("This morning")
    if away == -1:
        return _("Last night") if evening else _("Yesterday")
    return _("Tomorrow") if away == 1 else ui.long_day(on)


def where_in_course(cycle: Cycle, today: date) -> str:
    """ "Course 3, day 4 of 5"; longer courses by week: "Course 2, week 2 of 5". Before day 1 only the course."""
    day = (today - cycle.starts_on).days + 1
    if cycle.state == Cycle.State.HELD:
        return _("Course %(number)s, on hold") % {"number": cycle.number}
    if day < 1 or today >= cycle.next_starts_on:
        return _("Course %(number)s") % {"number": cycle.number}
    if cycle.stopped_on is not None and day <= max(cycle.length, 7):
        return _("Course %(number)s, stopped early") % {"number": cycle.number}
    if cycle.length > 7:
        facts = {"number": cycle.number, "week": (day - 1) // 7 + 1, "weeks": weeks(cycle)}
        return _("Course %(number)s, week %(week)s of %(weeks)s") % facts
    if day > cycle.length:
        return _("Between courses %(number)s and %(next)s") % {"number": cycle.number, "next": cycle.number + 1}
    facts = {"number": cycle.number, "day": day, "days": cycle.length}
    return _("Course %(number)s, day %(day)s of %(days)s") % facts


def weeks(cycle: Cycle) -> int:
    """Weeks from this course's start to the next one's, the last one begun counted."""
    return -(-(cycle.next_starts_on - cycle.starts_on).days // 7)
