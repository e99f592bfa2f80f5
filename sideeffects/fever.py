"""A reading over the limit is asked about again the next day, until another one is entered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _

from cycles.models import PlanVersion
from il2tracker import ui
from il2tracker.accounts.models import Patient
from sideeffects.cadence import Ask, asked
from sideeffects.facts import NO_PLAN_LIMIT
from sideeffects.models import CheckIn
from sideeffects.units import Temperature


def limit(version: PlanVersion | None) -> Temperature:
    """Over this a reading is asked about again: the plan's limit, or the one without a plan."""
    return Temperature(version.fever_above, version.fever_unit) if version else NO_PLAN_LIMIT


def is_over(reading: Temperature, version: PlanVersion | None) -> bool:
    """Whether a reading is over it."""
    return reading.fahrenheit > limit(version).fahrenheit


def newest_over(check_ins: Iterable[CheckIn], version: PlanVersion | None) -> CheckIn | None:
    """The check-in with the newest reading, when that is over the limit. `check_ins`: the newest first."""
    newest = next((each for each in check_ins if each.reading), None)
    reading = newest.reading if newest else None
    return newest if reading and is_over(reading, version) else None


def question(patient: Patient, version: PlanVersion | None, now: datetime, clock: str) -> str:
    """What is asked beside the temperature today, or nothing: one statement."""
    measured = CheckIn.objects.of(patient).measured().newest_first()[:1]
    over, local = newest_over(measured, version), now.astimezone(patient.zone)
    if over is None or asked((), local, None, over.felt_on) is not Ask.FEVER:
        return ""
    return words(over, local.date(), clock)


def words(check_in: CheckIn, today: date, clock: str) -> str:
    """ "Yesterday 38.9 °C at 10pm. How is it now?" """
    at = check_in.local_felt_at
    facts = {"reading": check_in.reading, "time": ui.clock(at, clock), "day": ui.long_day(at)}
    if (today - at.date()).days == 1:
        return _("Yesterday %(reading)s at %(time)s. How is it now?") % facts
    return _("%(reading)s on %(day)s at %(time)s. How is it now?") % facts
