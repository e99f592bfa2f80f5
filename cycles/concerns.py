"""What about a recorded injection the clinic has to see (2.14, A17), and what sends a person to the telephone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from cycles.doubts import MOST_PER_INJECTION
from cycles.models import Injection, PlanVersion, current_plan
from cycles.reasons import TOLD, NotTaken
from il2tracker import ui


@dataclass(frozen=True)
class Concern:
    """One alert to raise. `call` = the person who recorded it is shown whom to call at once.

    `holds` = no reminder asks for the next injection before somebody has looked at this one (R1, D19).
    """

    rule: str
    title: str
    evidence: str
    call: bool
    holds: bool


def about(injection: Injection, *, twice: bool = False) -> list[Concern]:
    """The concerns with one record. `twice` = the person said that it is a second injection soon after another."""
    if injection.state == Injection.State.SKIPPED:
        return [_told_to_stop(injection)] if injection.reason == NotTaken.STOPPED else []
    found = [_two_close(injection)] if twice else []
    if is_too_much(injection):
        found.append(_above_plan(injection))
    if injection.planned_dose is None:
        found.append(_off_plan(injection))
    return found


def is_too_much(injection: Injection) -> bool:
    """More than planned without the clinic having said so, or more than the treatment uses for one injection (W6)."""
    amount, dose = injection.amount or Decimal(0), injection.planned_dose
    if dose is None:
        plan = current_plan(injection.patient)
        return amount > _ceiling(plan.current_version if plan else None)
    if amount <= dose.amount:
        return False
    return injection.reason != TOLD or amount > _ceiling(dose.cycle.version)


def _ceiling(version: PlanVersion | None) -> Decimal:
    return version.injection_ceiling if version else MOST_PER_INJECTION


def _two_close(injection: Injection) -> Concern:
    return Concern("two-close", _("Two injections close together"), _what(injection), call=True, holds=True)


def _above_plan(injection: Injection) -> Concern:
    dose = injection.planned_dose
    evidence = _what(injection)
    if dose is not None:
        evidence += " " + _("The plan says %(amount)s.") % {"amount": ui.miu(dose.amount)}
    return Concern("above-plan", _("More than planned"), evidence, call=True, holds=True)


def _off_plan(injection: Injection) -> Concern:
    return Concern("off-plan", _("An injection outside the plan"), _what(injection), call=False, holds=False)


def _told_to_stop(injection: Injection) -> Concern:
    evidence = injection.note or _("Nothing was added.")
    return Concern("told-to-stop", _("Not taken: says somebody told them to stop"), evidence, call=False, holds=True)


def _what(injection: Injection) -> str:
    local = injection.local_given_at
    words = {"amount": ui.miu(injection.amount), "time": ui.clock(local, "24"), "day": ui.long_day(local)}
    return _("%(amount)s given at %(time)s on %(day)s.") % words
