"""Which days were the hardest in a person's own last courses, for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils.translation import gettext as _

from cycles.models import Cycle
from sideeffects import patterns
from sideeffects.models import CheckIn, DayOfReports

ONE_DAY = timedelta(days=1)


def measures(cycle: Cycle, earlier: Sequence[Cycle], before: date) -> list[Cycle]:
    """The last two courses that were over before a day and mean the same: of the cycle's plan and length, not stopped
    early, not held. `earlier`: the newest first."""
    over = [
        each
        for each in earlier
        if each.plan_id == cycle.plan_id
        and each.state == Cycle.State.PLANNED
        and each.last_dose_on + patterns.TAIL * ONE_DAY < before
    ]
    return [each for each in over[: patterns.COURSES_NEEDED] if each.length == cycle.length]


def hardest(cycle: Cycle, courses: Sequence[Cycle], told: Mapping[date, DayOfReports]) -> tuple[int, ...]:
    """The hardest days, counted from 1, of the courses that `measures` found; () = not known."""
    return patterns.hardest([patterns.burdens(each.starts_on, each.length, told) for each in courses], cycle.length)


def read(cycle: Cycle, earlier: Sequence[Cycle], before: date) -> tuple[int, ...]:
    """The same from what was said then, which one statement reads."""
    courses = measures(cycle, earlier, before)
    first, last = (courses[-1].starts_on, courses[0].last_dose_on) if courses else (before, before)
    return hardest(cycle, courses, _told(cycle, first, last + patterns.TAIL * ONE_DAY))


def _told(cycle: Cycle, first_on: date, last_on: date) -> Mapping[date, DayOfReports]:
    """What CheckIn.objects.by_day says of flags and severities, in one statement."""
    days: dict[date, DayOfReports] = {}
    rows = CheckIn.objects.filter(patient=cycle.patient_id).felt_between(first_on, last_on)
    found = rows.annotate(grade=F("reports__severity"), code=F("reports__symptom__code"))
    for at, zone, none, flags, grade, code in found.values_list(
        "felt_at", "zone", "no_symptoms", "flags", "grade", "code"
    ):
        on = at.astimezone(ZoneInfo(zone)).date()
        day = days.setdefault(on, DayOfReports(on))
        day.none, day.flags = day.none or none, day.flags | set(flags)
        if grade is not None:
            day.severities[code] = max(day.severities.get(code, 0), grade)
    return days


def in_words(days: tuple[int, ...], length: int) -> str:
    """ "days 3 and 4", "days 3 to 5", "day 5 and the day after the last injection"."""
    within = [number for number in days if number <= length]
    numbers = _and([part for run in patterns.runs(within) for part in _run(*run)])
    named = [(_("day %(n)s") if len(within) == 1 else _("days %(n)s")) % {"n": numbers}] if within else []
    after = {1: _("the day after the last injection"), 2: _("the second day after the last injection")}
    return _and([*named, *(after[number - length] for number in days if number > length)])


def _run(first: int, last: int) -> list[str]:
    if last - first < 2:
        return [str(number) for number in range(first, last + 1)]
    return [_("%(first)s to %(last)s") % {"first": first, "last": last}]


def _and(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return _("%(these)s and %(last)s") % {"these": ", ".join(parts[:-1]), "last": parts[-1]}
