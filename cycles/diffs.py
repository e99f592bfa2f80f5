"""Two versions of a plan side by side, in words: what was, and what is to be."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext as _

from cycles import plan_words
from cycles.models import PlanVersion
from cycles.regimen import Phase
from il2tracker import ui


class Change(NamedTuple):
    """One term that differs. An empty side: there was or is none."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return _("%(name)s: %(after)s, new") % self._asdict()
        if not self.after:
            return _("%(name)s: no longer (%(before)s)") % self._asdict()
        return _("%(name)s: %(after)s instead of %(before)s") % self._asdict()


def changes(before: PlanVersion, after: PlanVersion, clock: str) -> list[Change]:
    """Every term that differs, the amount first. `clock` is "12" or "24"."""
    old, new = facts(before, clock), facts(after, clock)
    return [
        Change(name, old.get(name, ""), new.get(name, "")) for name in {**old, **new} if old.get(name) != new.get(name)
    ]


def facts(version: PlanVersion, clock: str) -> dict[str, str]:
    """What a version says, term by term, in words; terms that it leaves out are not there."""
    found = {**_schedule(version), **_hours(version, clock), **_limits(version), **_rest(version)}
    return {name: words for name, words in found.items() if words}


def _schedule(version: PlanVersion) -> dict[str, str]:
    phases = version.regimen.phases
    amounts = {dose.amount for phase in phases for dose in phase.doses}
    daily, course = version.regimen.daily_total(), version.regimen.course_total()
    return {
        _("Each injection"): ui.miu(next(iter(amounts))) if len(amounts) == 1 else _joined(phases),
        _("A day, at most"): ui.miu(daily),
        _("A course"): ui.miu(course),
        _("Days of injections"): "; ".join(_days(phase) for phase in phases),
        _("Courses"): "; ".join(plan_words.repeats(phase) for phase in phases),
    }


def _joined(phases: tuple[Phase, ...]) -> str:
    return "; ".join(line for phase in phases for line in plan_words.lines(phase))


def _days(phase: Phase) -> str:
    days: dict[tuple[str, ...], set[int]] = {}
    for dose in phase.doses:
        days.setdefault((dose.slot,), set()).add(dose.offset + 1)
    by_days: dict[str, list[str]] = {}
    for (slot,), on in days.items():
        by_days.setdefault(plan_words.day_numbers(on), []).append(slot)
    return "; ".join(f"{text}, {plan_words.slots(slots)}" for text, slots in by_days.items())


def _hours(version: PlanVersion, clock: str) -> dict[str, str]:
    return {_("Times"): ", ".join(ui.clock(hour, clock) for hour in version.times.values())}


def _limits(version: PlanVersion) -> dict[str, str]:
    gap, late = version.min_gap_hours, version.late_after_minutes
    relief = _(", if fever medicine does not bring it down") if version.fever_only_if_not_relieved else ""
    return {
        _("Shortest time between two injections"): _("%(n)s hours") % {"n": gap} if gap else "",
        _("Late without a call for"): _("%(n)s hours") % {"n": ui.number(plan_words.hours(late))} if late else "",
        _("Fever: call"): ui.over(version.fever_above, version.fever_unit) + relief,
    }


def _rest(version: PlanVersion) -> dict[str, str]:
    return {
        _("How"): str(version.get_route_display()),
        _("CD4+ goal"): plan_words.goal(version),
        _("Syringe"): version.syringe_mark,
        _("Concentration"): _("%(n)s million units in 1 mL") % {"n": ui.number(version.concentration)}
        if version.concentration
        else "",
        _("Worked out from"): _basis(version),
        _("Medicines with the injections"): plan_words.listed(version.premedication.splitlines())
        if version.premedication
        else "",
    }


def _basis(version: PlanVersion) -> str:
    on: date | None = version.body_surface_on
    measured = _(", measured on %(day)s") % {"day": ui.long_day(on)} if on else ""
    return version.amount_basis + measured if version.amount_basis else ""
